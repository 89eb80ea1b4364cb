import type { Position } from '../workspace/documents.ts'
import { offsetOf, type Snapshot } from '../workspace/snapshot.ts'
import type { Occurrence } from '../workspace/target.ts'

/** The name under a position: at its start, in its middle, right behind its end. */
export function occurrenceAt(snapshot: Snapshot, at: Position): Occurrence | undefined {
  const offset = offsetOf(snapshot, at)
  const touching = snapshot.occurrences.filter((one) => one.start <= offset && offset <= one.end)
  // Between two names that touch, as in `a.b`, the one that begins here.
  return touching.find((one) => one.start === offset) ?? touching.find((one) => one.end > offset) ?? touching[0]
}
