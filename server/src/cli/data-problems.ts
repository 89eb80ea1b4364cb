import type { ReportedProblem, Result } from '../protocol/results.ts'
import type { Loaded, PlacedProblem } from '../workspace/load.ts'
import { reportedProblems } from '../workspace/reported.ts'

/** What running found wrong with the data, at the declarations that it concerns. */
export function dataProblems(results: readonly Result[], loaded: Loaded, shown: (path: string) => string): ReportedProblem[] {
  const byName = new Map(loaded.spec.declarations.map((declaration) => [declaration.name.toLowerCase(), declaration]))
  const problems = results.flatMap((result): PlacedProblem[] => {
    const declaration = byName.get(result.name.toLowerCase())
    if (result.fault !== 'data' || !declaration) return []
    return [
      {
        code: 'bad-data',
        severity: 'error',
        message: result.message ?? '',
        hint: result.hint,
        path: declaration.path,
        ...declaration.span,
      },
    ]
  })
  return reportedProblems({ files: loaded.files, problems }, shown)
}
