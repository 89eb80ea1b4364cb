import { randomUUID } from 'node:crypto'
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from '../../../grammar/src/printer.ts'
import type { ReportedProblem } from '../protocol/results.ts'
import { reportedProblems } from '../workspace/reported.ts'
import { problemFile } from './check.ts'
import { absolute, readSpec, Unreadable, wholeFile } from './inputs.ts'
import { EXIT, type Io } from './io.ts'
import { printProblems, writeReport } from './output.ts'
import { cannotWrite, formatted, wouldChange } from './sentences.ts'
import type { Settings } from './settings.ts'

/** `assay format FILE… [--check]`: in place, naming what changed; a file with syntax errors is left alone. */
export async function formatCommand(files: readonly string[], settings: Settings, io: Io): Promise<number> {
  const problems: ReportedProblem[] = []
  const changed: string[] = []
  for (const file of files) {
    try {
      const found = formatOne(file, settings, io)
      problems.push(...found.problems)
      if (found.changed) changed.push(file)
    } catch (reason) {
      if (!(reason instanceof Unreadable)) throw reason
      problems.push(wholeFile(file, reason.code, reason.message))
    }
  }
  const wrong = problems.some((problem) => problem.severity === 'error')
  if (settings.format === 'json' || settings.format === 'html' || settings.out !== undefined) {
    await writeReport({ file: problemFile(files, problems), views: [] }, settings, io)
  } else {
    printProblems(
      problems.filter((problem) => problem.severity === 'error'),
      io,
    )
    for (const file of changed) io.out.write(`${settings.check ? wouldChange(file) : formatted(file)}\n`)
  }
  if (wrong) return EXIT.wrong
  return settings.check && changed.length > 0 ? EXIT.unmet : EXIT.ok
}

function formatOne(file: string, settings: Settings, io: Io): { changed: boolean; problems: ReportedProblem[] } {
  const path = absolute(io.cwd, file)
  const text = readSpec(path, file)
  const { text: after, problems } = format(text)
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0) {
    const placed = errors.map((problem) => ({ ...problem, path }))
    return { changed: false, problems: reportedProblems({ files: [{ path, text }], problems: placed }, () => file) }
  }
  if (after === text) return { changed: false, problems: [] }
  if (settings.check) return { changed: true, problems: [{ ...wholeFile(file, 'not-formatted', wouldChange(file)), severity: 'warning' }] }
  replaceFile(path, file, after)
  return { changed: true, problems: [{ ...wholeFile(file, 'formatted', formatted(file)), severity: 'info' }] }
}

/** The file's text changes at once or not at all; its permissions stay, and a link goes on pointing to it. */
function replaceFile(path: string, shown: string, text: string): void {
  let temporary: string | undefined
  try {
    const target = realpathSync(path)
    temporary = join(dirname(target), `.assay-${process.pid}-${randomUUID()}`)
    writeFileSync(temporary, text)
    chmodSync(temporary, statSync(target).mode)
    renameSync(temporary, target)
  } catch (reason) {
    if (temporary) rmSync(temporary, { force: true })
    throw new Unreadable('cannot-write', cannotWrite(shown, reason))
  }
}
