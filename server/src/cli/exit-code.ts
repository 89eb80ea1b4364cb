import type { Result } from '../protocol/results.ts'
import { EXIT } from './io.ts'

/** The exit code of results; `asked` are the names (in lower case) that the user gave, and what they need. */
export function exitCodeOf(results: readonly Result[], asked: ReadonlySet<string> | undefined): number {
  return results.reduce<number>((highest, result) => Math.max(highest, codeOf(result, asked)), EXIT.ok)
}

function codeOf(result: Result, asked: ReadonlySet<string> | undefined): number {
  switch (result.status) {
    case 'failed':
      return result.fault === 'data' ? EXIT.wrong : EXIT.failed
    case 'skipped':
      return asked?.has(result.name.toLowerCase()) ? EXIT.failed : EXIT.ok
    case 'violated':
      return result.kind === 'assert' && result.level !== undefined && result.level !== 'error' ? EXIT.ok : EXIT.unmet
    case 'not-met':
      return EXIT.unmet
    default:
      return EXIT.ok
  }
}
