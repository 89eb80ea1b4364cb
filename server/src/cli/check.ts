import type { ReportedProblem, ResultFile } from '../protocol/results.ts'
import { problemLines } from '../report/text.ts'
import { reportedProblems } from '../workspace/reported.ts'
import { absolute, shownPath, Unreadable, wholeFile } from './inputs.ts'
import { EXIT, type Io, wantsColour } from './io.ts'
import { writeReport } from './output.ts'
import { checkedBadly, checkedWell } from './sentences.ts'
import { inSession } from './session.ts'
import type { Settings } from './settings.ts'

/** `assay check FILE…`: syntax, names, types, schemas. */
export async function checkCommand(files: readonly string[], settings: Settings, io: Io): Promise<number> {
  return inSession(files[0]!, settings, io, async (session) => {
    const problems: ReportedProblem[] = []
    for (const file of files) {
      try {
        const loaded = await session.load(file)
        problems.push(...reportedProblems(loaded, shownPath(io.cwd, new Map([[absolute(io.cwd, file), file]]))))
      } catch (reason) {
        if (!(reason instanceof Unreadable)) throw reason
        problems.push(wholeFile(file, reason.code, reason.message))
      }
    }
    const file = problemFile(files, problems)
    const errors = problems.filter((problem) => problem.severity === 'error').length
    if (settings.format === 'text' && settings.out === undefined) {
      const colour = wantsColour(io.out, io.env)
      for (const line of problemLines(problems, { colour, width: io.out.columns ?? 110 })) io.out.write(`${line}\n`)
      const warnings = problems.filter((problem) => problem.severity === 'warning').length
      io.out.write(`${problems.length === 0 ? checkedWell(files.length) : checkedBadly(errors, warnings)}\n`)
    } else {
      await writeReport({ file, views: [] }, settings, io)
    }
    return errors > 0 ? EXIT.wrong : EXIT.ok
  })
}

/** The result object of a command that computes nothing. */
export function problemFile(files: readonly string[], problems: readonly ReportedProblem[]): ResultFile {
  return { schema: 'assay-result/1', file: files.length === 1 ? files[0]! : files.join(', '), backend: null, results: [], problems }
}
