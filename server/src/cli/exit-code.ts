import type { Result } from '../protocol/results.ts'
import { EXIT } from './io.ts'

/**
 * The exit code of a run. `refused` is what this version cannot do: it counts only where it was asked for (`asked`: names in lower case, with
 * what they need). What was skipped because something that it needs failed adds nothing to that failure.
 */
export function exitCodeOf(results: readonly Result[], refused: readonly Result[] = [], asked?: ReadonlySet<string>): number {
  const codes = [...results.map(codeOf), ...refused.map((result) => (asked?.has(result.name.toLowerCase()) ? EXIT.failed : EXIT.ok))]
  return Math.max(EXIT.ok, ...codes)
}

/** What was asked for by name and needs rows that are elsewhere is what cannot be done here; in a run of the whole file it raises nothing. */
export function elsewhereCode(results: readonly Result[], names: readonly string[]): number {
  const asked = new Set(names.map((name) => name.toLowerCase()))
  return results.some((result) => result.fault === 'elsewhere' && asked.has(result.name.toLowerCase())) ? EXIT.failed : EXIT.ok
}

function codeOf(result: Result): number {
  switch (result.status) {
    case 'failed':
      return result.fault === 'data' ? EXIT.wrong : EXIT.failed
    case 'violated':
      return result.kind === 'assert' && result.level !== undefined && result.level !== 'error' ? EXIT.ok : EXIT.unmet
    case 'not-met':
      return EXIT.unmet
    default:
      return EXIT.ok
  }
}
