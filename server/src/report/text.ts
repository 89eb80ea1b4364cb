import type { ReportedProblem, Result } from '../protocol/results.ts'
import type { Table } from './fields.ts'
import { count } from './figures.ts'
import { gridLines } from './grid.ts'
import { inert, widthOf } from './inert.ts'
import { rankingNote } from './ranking-wording.ts'
import { tablesOf } from './tables.ts'
import type { Report } from './views.ts'
import { backendText, mood, provenanceText, sentences, summary, verdict, withHint } from './wording.ts'

export interface TextOptions {
  readonly colour: boolean
  /** Columns of the terminal, for wrapping sentences. */
  readonly width: number
}

const rowsShown = 50

/** A report for a terminal or a log. Nothing in it can move the cursor, whatever the data holds. */
export function textReport(report: Report, options: TextOptions): string {
  const paint = options.colour ? colours : plain
  const blocks = report.views.map((view) => resultLines(view.result, view.doc, options, paint).join('\n'))
  const problems = report.file.problems.map((problem) => problemText(problem, paint))
  const end: string[] = []
  if (report.file.backend) end.push(paint.dim(`computed on ${backendText(report.file.backend)}`))
  if (report.file.results.length > 0) end.push(summary(report.file.results))
  return [...(problems.length > 0 ? [problems.join('\n')] : []), ...blocks, ...(end.length > 0 ? [end.join('\n')] : [])]
    .map((block) => `${block}\n`)
    .join('\n')
}

/** Problems alone, as `check` prints them: `file:line:column severity message`. */
export function problemLines(problems: readonly ReportedProblem[], options: TextOptions): string[] {
  return problems.map((problem) => problemText(problem, options.colour ? colours : plain))
}

function problemText(problem: ReportedProblem, paint: Paint): string {
  const place = paint.bold(`${inert(problem.file, 400)}:${problem.line}:${problem.column}`)
  const word =
    problem.severity === 'error' ? paint.bad('error') : problem.severity === 'warning' ? paint.warn('warning') : paint.dim('info')
  return `${place} ${word} ${withHint(problem.message, problem.hint)} ${paint.dim(`[${inert(problem.code)}]`)}`
}

function resultLines(result: Result, doc: string | undefined, options: TextOptions, paint: Paint): string[] {
  const said = verdict(result)
  const tone = mood(result)
  const shownVerdict = tone === 'bad' ? paint.bad(said.toUpperCase()) : tone === 'quiet' ? paint.dim(said) : paint[tone](said)
  const lines = [`${paint.dim(result.kind)} ${paint.bold(inert(result.name))} · ${shownVerdict}`]
  const wrap = Math.max(40, Math.min(options.width, 110)) - 2
  if (doc) for (const line of doc.split('\n')) lines.push(...wrapped(inert(line, 500), wrap).map((part) => `  ${paint.dim(part)}`))
  for (const sentence of sentences(result)) lines.push(...wrapped(sentence, wrap).map((part) => `  ${part}`))
  if (result.kind !== 'source') for (const table of tablesOf(result, rowsShown)) lines.push('', ...tableLines(table, paint))
  if (result.kind === 'complaint' && result.ranking?.length)
    lines.push(...wrapped(rankingNote(result), wrap).map((part) => `  ${paint.dim(part)}`))
  if (result.steps && result.status === 'planned') lines.push(...stepLines(result, paint))
  for (const note of result.notes ?? []) lines.push(...wrapped(`Note: ${inert(note, 1000)}`, wrap).map((part) => `  ${paint.warn(part)}`))
  const provenance = result.status === 'skipped' ? '' : provenanceText(result.provenance)
  if (provenance) lines.push(`  ${paint.dim(provenance)}`)
  return lines
}

function tableLines(table: Table, paint: Paint): string[] {
  const { head, body } = gridLines(table.columns, table.rows)
  const lines = [`  ${paint.bold(table.title)}`, `    ${paint.dim(head)}`, ...body.map((line) => `    ${line}`)]
  return table.note ? [...lines, `    ${paint.dim(table.note)}`] : lines
}

function stepLines(result: Result, paint: Paint): string[] {
  return (result.steps ?? []).flatMap((step, i) => {
    const facts = [step.rows === null ? '' : count(step.rows, 'row'), step.cost === undefined ? '' : `cost ${step.cost}`]
    const tail = facts.filter((fact) => fact).join(', ')
    const sql = step.sql ? inertLines(step.sql).map((line) => `     ${paint.dim(line)}`) : []
    return [`  ${i + 1}. ${inert(step.what, 400)}${tail ? ` (${tail})` : ''}`, ...sql]
  })
}

function inertLines(text: string): string[] {
  return text.split('\n').map((line) => inert(line, 4000))
}

/** Breaks a sentence at blanks, but for those that set groups of digits apart. */
export function wrapped(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<!\d) | (?!\d{3}(?!\d))/)) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
      continue
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
}
const ansi = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`
const colours: Paint = { bold: ansi(1, 22), dim: ansi(2, 22), good: ansi(32, 39), bad: ansi(31, 39), warn: ansi(33, 39) }
const asIs = (text: string) => text
const plain: Paint = { bold: asIs, dim: asIs, good: asIs, bad: asIs, warn: asIs }
