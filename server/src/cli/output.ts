import { randomUUID } from 'node:crypto'
import { accessSync, constants, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ReportedProblem, ResultFile } from '../protocol/results.ts'
import { htmlReport } from '../report/html.ts'
import { jsonReport } from '../report/json.ts'
import { sarifReport } from '../report/sarif.ts'
import { problemLines, textReport } from '../report/text.ts'
import type { Report } from '../report/views.ts'
import { type Io, wantsColour } from './io.ts'
import { bareFacts } from './sarif.ts'
import { cannotWrite, wroteReport } from './sentences.ts'
import type { Format, Settings } from './settings.ts'

export class Unwritable extends Error {}

/** Writes a report where the user asked for it. Throws `Unwritable`, with a sentence. */
export async function writeReport(report: Report, settings: Settings, io: Io): Promise<void> {
  const text = await rendered(report, settings.format, settings, io)
  if (settings.out === undefined) io.out.write(text)
  else writeWhole(resolve(io.cwd, settings.out), settings.out, text)
  if (settings.report !== undefined) {
    writeWhole(resolve(io.cwd, settings.report), settings.report, await htmlReport(report))
    io.err.write(`${wroteReport(settings.report)}\n`)
  }
}

/** Text that is no report, where the user asked for it. Throws `Unwritable`. */
export function writeText(text: string, settings: Settings, io: Io): void {
  if (settings.out === undefined) io.out.write(text)
  else writeWhole(resolve(io.cwd, settings.out), settings.out, text)
}

/** Problems that stop a command: as the result object in JSON, as SARIF, else as lines on stderr. */
export async function writeProblems(file: ResultFile, settings: Settings, io: Io): Promise<void> {
  if (settings.format === 'json' || settings.format === 'sarif') return writeReport({ file, views: [] }, settings, io)
  printProblems(file.problems, io)
}

export function printProblems(problems: readonly ReportedProblem[], io: Io): void {
  for (const line of problemLines(problems, { colour: wantsColour(io.err, io.env), width: io.err.columns ?? 110 }))
    io.err.write(`${line}\n`)
}

function rendered(report: Report, format: Format, settings: Settings, io: Io): Promise<string> | string {
  if (format === 'json') return jsonReport(report.file)
  if (format === 'html') return htmlReport(report)
  if (format === 'sarif') return sarifReport(report.file, report.facts ?? bareFacts(io.cwd))
  const colour = settings.out === undefined && wantsColour(io.out, io.env)
  return textReport(report, { colour, width: io.out.columns ?? 110 })
}

/** The file appears whole or not at all. */
function writeWhole(path: string, shown: string, text: string): void {
  const temporary = join(dirname(path), `.assay-${process.pid}-${randomUUID()}`)
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  } catch (reason) {
    try {
      rmSync(temporary, { force: true })
    } catch {
      // Its folder is none.
    }
    throw new Unwritable(cannotWrite(shown, reason))
  }
}

/** Throws `Unwritable` before anything is computed for a file that could not be written afterwards. */
export function ensureWritable(settings: Settings, io: Io): void {
  for (const shown of [settings.out, settings.report, settings.export]) {
    if (shown === undefined) continue
    const path = resolve(io.cwd, shown)
    try {
      mkdirSync(dirname(path), { recursive: true })
      accessSync(dirname(path), constants.W_OK)
    } catch (reason) {
      throw new Unwritable(cannotWrite(shown, reason))
    }
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Unwritable(cannotWrite(shown, { code: 'EISDIR' }))
  }
}
