import type { ReportedProblem } from '../protocol/results.ts'
import type { Loaded } from '../workspace/load.ts'
import { reportedProblems } from '../workspace/reported.ts'
import { blocking, unknownNames } from './asked.ts'
import { problemFile } from './check.ts'
import { absolute, shownPath } from './inputs.ts'
import { EXIT } from './io.ts'
import { writeProblems } from './output.ts'
import { nothingComputed } from './sentences.ts'
import type { Session } from './session.ts'

/**
 * The spec, ready for what was asked for; or the exit code, after saying why not: a name that is not declared, or an error in what was asked
 * for or in what it needs.
 */
export async function opened(
  session: Session,
  file: string,
  names: readonly string[],
): Promise<number | { loaded: Loaded; problems: ReportedProblem[] }> {
  const { io, settings } = session
  const loaded = await session.load(file)
  const shown = shownPath(io.cwd, new Map([[absolute(io.cwd, file), file]]))
  const problems = reportedProblems(loaded, shown)
  const unknown = unknownNames(loaded, names, file)
  if (unknown.length > 0) {
    await writeProblems(problemFile([file], unknown), settings, io)
    return EXIT.wrong
  }
  const errors = blocking(loaded, names)
  if (errors.length === 0) return { loaded, problems }
  await writeProblems(problemFile([file], problems), settings, io)
  io.err.write(`${nothingComputed(errors.length)}\n`)
  return EXIT.wrong
}
