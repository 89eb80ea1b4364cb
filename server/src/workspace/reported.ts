import { lineStarts, placeAt } from '../../../grammar/src/positions.ts'
import type { ReportedProblem } from '../protocol/results.ts'
import type { PlacedProblem } from './load.ts'

/** Problems with lines and columns, in order of place, under the names that `shown` gives their files. */
export function reportedProblems(
  loaded: { readonly files: readonly { readonly path: string; readonly text: string }[]; readonly problems: readonly PlacedProblem[] },
  shown: (path: string) => string,
): ReportedProblem[] {
  const starts = new Map(loaded.files.map((file) => [file.path, lineStarts(file.text)]))
  const order = new Map(loaded.files.map((file, i) => [file.path, i]))
  const sorted = [...loaded.problems].sort(
    (a, b) => (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0) || a.start - b.start || a.end - b.end,
  )
  return sorted.map((problem) => {
    const lines = starts.get(problem.path) ?? [0]
    const from = placeAt(lines, problem.start)
    const to = placeAt(lines, problem.end)
    const { code, severity, message, hint } = problem
    const place = { file: shown(problem.path), line: from.line, column: from.column, endLine: to.line, endColumn: to.column }
    return { code, severity, message, ...place, ...(hint === undefined ? {} : { hint }) }
  })
}
