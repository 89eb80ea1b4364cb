import type { DocumentHighlight, Location } from 'vscode-languageserver'
import { DocumentHighlightKind } from 'vscode-languageserver'
import type { Position } from '../workspace/documents.ts'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { type Target, targetKey } from '../workspace/target.ts'
import { occurrenceAt } from './at.ts'

/** Every place that names the same thing, in this file and in `others` (those of the workspace that reach it). */
export function references(
  snapshot: Snapshot,
  at: Position,
  others: readonly Snapshot[],
  options: { readonly includeDeclaration: boolean },
): Location[] {
  const found = occurrenceAt(snapshot, at)
  if (found === undefined) return []
  return occurrencesOf(found.target, [snapshot, ...others])
    .filter(({ defines }) => options.includeDeclaration || !defines)
    .map(({ snapshot: file, start, end }) => ({ uri: file.uri(file.path), range: rangeOf(file, { start, end }) }))
}

export function occurrencesOf(target: Target, snapshots: readonly Snapshot[]) {
  const key = targetKey(target)
  const seen = new Set<string>()
  return snapshots.flatMap((snapshot) => {
    if (seen.has(snapshot.path)) return []
    seen.add(snapshot.path)
    return snapshot.occurrences.filter((one) => targetKey(one.target) === key).map((one) => ({ ...one, snapshot }))
  })
}

/** The same within the file alone, for marking. */
export function highlights(snapshot: Snapshot, at: Position): DocumentHighlight[] {
  const found = occurrenceAt(snapshot, at)
  if (found === undefined) return []
  return occurrencesOf(found.target, [snapshot]).map((one) => ({
    range: rangeOf(snapshot, one),
    kind: one.defines ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
  }))
}
