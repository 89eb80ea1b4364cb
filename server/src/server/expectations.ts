import type * as ast from '../../../grammar/src/ast.ts'
import { parse } from '../../../grammar/src/parser.ts'
import { format, printExpr, printSelect, printText } from '../../../grammar/src/printer.ts'
import { fold, sameName } from '../check/names.ts'
import type { ComplaintSpec } from '../check/spec.ts'
import { declared, freeName, named } from '../features/written.ts'
import { planFor } from '../plan/plan-for.ts'
import type { ActAnswer } from '../protocol/messages.ts'
import type { Answer, AnswerColumn, ComplaintResult, Json } from '../protocol/results.ts'
import { inert } from '../report/inert.ts'
import { positionAt, problemsOf, rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import type { Act } from './acts.ts'
import { type AskedQuery, askedQuery, blamed, complaintText } from './answers.ts'
import { Unable } from './unable.ts'

/**
 * Complaints written from what a query gives: what is wrong with a number or a row becomes an `expect` in the complaint whose query it is, or a complaint of its
 * own. A row is named by the columns that say which one it is, as the language writes their values. What is written is tried in its file, and planned, first.
 */
export type Expecting = 'expect-lower' | 'expect-higher' | 'expect-equal' | 'expect-none' | 'expect-row'

export function expectFrom(given: Act, snapshot: Snapshot, action: Expecting): ActAnswer {
  const { page, view } = given
  const { query, preview } = view.result as ComplaintResult
  if (view.result.kind !== 'complaint' || preview === undefined) return { say: 'There are no rows of a query here to expect something of.' }
  const asked = askedQuery(given.workspace, snapshot, page.address)
  if (asked === undefined || asked.answer.queryText !== query) return { say: 'The query has changed since: preview it again.' }
  const expected = expectation(given, preview, action)
  if (!('text' in expected)) return expected
  const target = asked.written ? asked.complaint : sameQuestion(snapshot, asked)
  const written = target ? inComplaint(given, snapshot, target, expected.text) : inOwn(given, snapshot, asked, expected)
  if (written.insert === undefined && written.show === undefined && given.input !== undefined)
    return askAgain(given, preview, action, written.say)
  return expected.note === undefined || written.insert === undefined ? written : { ...written, say: expected.note }
}

/** What was typed stays, to be mended. */
function askAgain(given: Act, preview: Answer, action: Expecting, problem: string | undefined): ActAnswer {
  const first = expectation({ ...given, input: undefined }, preview, action)
  return 'ask' in first && first.ask ? { ask: { ...first.ask, value: given.input ?? '', problem } } : { say: problem }
}

/** Asks for a query, again as long as it cannot be answered, and shows what it gives. */
export function askAnother({ workspace, page, view, input }: Act, snapshot: Snapshot): ActAnswer {
  const { query = '', preview } = view.result as ComplaintResult
  const name = preview?.using[0]
  if (name === undefined) return { say: 'There is no model here to ask.' }
  const ask = {
    title: `A query over what ${inert(name, 80)} predicts`,
    prompt: 'select … from …, with predict(…) or score(…, …)',
    value: input ?? query,
  }
  if (input === undefined) return { ask }
  try {
    const asked = askedQuery(workspace, snapshot, { name, query: input })
    return { open: { uri: page.address.uri, name, what: 'preview', query: asked!.answer.queryText } }
  } catch (reason) {
    if (!(reason instanceof Unable)) throw reason
    return { ask: { ...ask, problem: reason.message } }
  }
}

interface Expected {
  readonly text: string
  /** What a complaint of its own is called after. */
  readonly topic: string
  readonly note?: string
}

function expectation(given: Act, preview: Answer, action: Expecting): Expected | ActAnswer {
  if (action === 'expect-row') return missing(given, preview)
  const rows = given.rows.flatMap((row) => preview.rows[row] ?? [])
  if (rows.length === 0) return { say: 'Choose a row first.' }
  if (action === 'expect-none') {
    const where = rowsWhere(preview, rows)
    if (where === undefined) return { say: cannotName(preview) }
    return { text: `no row where ${where.text}`, topic: 'unexpected row', note: where.note }
  }
  const [row] = rows
  const column = columnAt(given, preview)
  if (rows.length > 1 || row === undefined) return { say: 'Choose one row: a number is expected of one at a time.' }
  if (column === undefined) return { say: 'Choose a number that the model has a say in: nothing can be expected of this column.' }
  const where = preview.shape === 'one' ? { text: '', note: undefined } : rowsWhere(preview, rows)
  if (where === undefined) return { say: cannotName(preview) }
  const suffix = where.text === '' ? '' : ` where ${where.text}`
  const { name } = column
  if (action === 'expect-lower') return { text: `lower ${quoted(name)}${suffix}`, topic: `${name} too high`, note: where.note }
  if (action === 'expect-higher') return { text: `higher ${quoted(name)}${suffix}`, topic: `${name} too low`, note: where.note }
  const value = row.values[preview.columns.indexOf(column)]
  return equal(given, { name, value, suffix, note: where.note })
}

interface Cell {
  readonly name: string
  readonly value: Json | undefined
  readonly suffix: string
  readonly note: string | undefined
}

/** A number, or a comparison with one. */
function equal({ input }: Act, { name, value, suffix, note }: Cell): Expected | ActAnswer {
  const ask = {
    title: `${inert(name, 80)} should be`,
    prompt: 'A number, or <= 100, or between 90 and 110',
    value: input ?? (typeof value === 'number' ? String(value) : ''),
  }
  if (input === undefined) return { ask }
  const relation = /^\s*(<=?|>=?|=|between\b)/i.test(input) ? input : `= ${input}`
  const read = readExpectation(`${quoted(name)} ${relation}${suffix}`)
  if (read?.kind !== 'condition') return { ask: { ...ask, problem: 'Write a number, as 1028, or a comparison with one, as <= 1028.' } }
  return { text: printed(read), topic: `${name} off`, note }
}

function missing({ input }: Act, preview: Answer): Expected | ActAnswer {
  if (preview.shape === 'one') return { say: 'This query always gives one row.' }
  const names = preview.columns.filter(({ type }) => type !== 'image' && type !== 'blob').map(({ name }) => named(name))
  const first = preview.columns.find(({ role }) => role === 'names')
  const ask = {
    title: 'A row that should be here',
    prompt: `A condition on ${inert(names.slice(0, 8).join(', '), 300)}`,
    value: input ?? (first ? `${named(first.name)} = ` : ''),
  }
  if (input === undefined) return { ask }
  const read = readExpectation(`row where ${input.replace(/[\r\n]+/g, ' ')}`)
  if (read?.kind !== 'row') return { ask: { ...ask, problem: `Write a condition, as ${named(first?.name ?? 'n')} = 1.` } }
  return { text: printed(read), topic: 'missing row' }
}

/** One expectation and nothing else, whatever was typed. */
function readExpectation(text: string): ast.Expectation | undefined {
  const { ast: file, problems } = parse(`complaint asked using it {\n  expect ${text.replace(/[\r\n]+/g, ' ')}\n}\n`)
  const [declaration, ...others] = file.declarations
  const [clause, ...more] = (declaration?.clauses ?? []) as readonly ast.AnyClause[]
  const isOne = clause?.word === 'expect' && others.length === 0 && more.length === 0 && !problems.some((one) => one.severity === 'error')
  return isOne ? clause.expectation : undefined
}

function printed(expectation: ast.Expectation): string {
  const where = expectation.where ? ` where ${printExpr(expectation.where)}` : ''
  if (expectation.kind === 'direction') return `${expectation.direction} ${quoted(expectation.column.text)}${where}`
  if (expectation.kind === 'condition') return `${printExpr(expectation.condition)}${where}`
  return `${expectation.kind === 'row' ? 'row' : 'no row'}${where}`
}

/** As `named`; what begins an expectation of another form is quoted too. */
const quoted = (name: string): string => (/^(no|row|lower|higher)$/i.test(name) ? `"${name}"` : named(name))

function columnAt({ page, section, column }: Act, preview: Answer): AnswerColumn | undefined {
  const shown = page.sections.find((one) => one.type === 'table' && one.id === section)
  if (shown?.type !== 'table') return undefined
  const at = column ?? shown.columns.findIndex((one) => one.measured)
  if (at < 0 || shown.columns[at]?.measured !== true) return undefined
  const before = shown.columns.slice(0, at).filter((one) => one.type !== 'picture').length
  return preview.columns.filter(({ type }) => type !== 'image')[before]
}

type Row = Answer['rows'][number]

/** A condition on the result's columns that holds for these rows; undefined where it cannot be written. The note says for which others it holds too. */
function rowsWhere(preview: Answer, rows: readonly Row[]): { readonly text: string; readonly note?: string } | undefined {
  const written = preview.columns.flatMap((column, c) => (column.type === 'image' || column.type === 'blob' ? [] : [{ column, c }]))
  const naming = written.filter(({ column }) => column.role === 'names')
  // Of rows that nothing names, what they look like.
  const by = naming.length > 0 ? naming : preview.shape === 'each' ? written : []
  if (by.length === 0) return undefined
  const looks = (row: Row) => JSON.stringify(by.map(({ c }) => row.values[c]))
  const chosen = new Map(rows.map((row) => [looks(row), row]))
  const conditions: string[] = []
  for (const row of chosen.values()) {
    const parts = by.map(({ column, c }) => isValue(column, row.values[c] ?? null))
    if (parts.includes(undefined)) return undefined
    conditions.push(parts.join(' and '))
  }
  const alike = preview.rows.filter((row) => chosen.has(looks(row))).length
  const [only] = conditions
  const text = conditions.length === 1 ? only! : conditions.map((one) => (by.length > 1 ? `(${one})` : one)).join(' or ')
  return {
    text,
    ...(alike > rows.length ? { note: `${alike} rows of the result look like this: the expectation speaks of all of them.` } : {}),
  }
}

/** A text ends on its line, and one that was cut for the table is not the value. */
function isValue({ name, type }: AnswerColumn, value: Json): string | undefined {
  if (value === null) return `${named(name)} is null`
  if (typeof value === 'boolean' || typeof value === 'number') return `${named(name)} = ${value}`
  if (typeof value !== 'string' || /[\r\n]/.test(value) || /… \(\d+ characters\)$/.test(value)) return undefined
  const isWritten = type === 'text' || type === 'date' || type === 'timestamp'
  return `${isWritten ? named(name) : `cast(${named(name)} as varchar)`} = ${printText(value)}`
}

function cannotName({ unnamed }: Answer): string {
  if (unnamed !== undefined) return `Rows of this result cannot be told apart: select \`${inert(unnamed, 200)}\` too.`
  return 'What says which row this is cannot be written in a condition: it has more than one line, or is too long. Select a shorter key.'
}

/** A complaint in the file that asks the very same: what was written from this preview before goes on there. */
function sameQuestion(snapshot: Snapshot, { complaint, answer }: AskedQuery): ComplaintSpec | undefined {
  const isSame = (one: ComplaintSpec) =>
    one.path === snapshot.path && printSelect(one.query) === answer.queryText && sameName(one.using[0]!, complaint.using[0]!)
  return snapshot.checked.spec.declarations.find((one): one is ComplaintSpec => one.kind === 'complaint' && isSame(one))
}

function inComplaint(given: Act, snapshot: Snapshot, { name, path }: ComplaintSpec, text: string): ActAnswer {
  const file = snapshot.files.get(path)
  const decl = snapshot.checked.reached.get(fold(name))?.decl
  const clauses = (decl?.clauses ?? []) as readonly ast.AnyClause[]
  const expects = clauses.flatMap((clause) => (clause.word === 'expect' ? [clause] : []))
  const last = expects.at(-1)
  if (!file || !decl || !last) return { say: `\`${inert(name, 80)}\` is not declared any more.` }
  const before = expects.find(({ expectation }) => printed(expectation) === text)
  if (before) {
    const { start, end } = rangeOf(file, before)
    const show = { uri: snapshot.uri(path), line: start.line, character: start.character, endLine: end.line, endCharacter: end.character }
    return { show, say: 'The complaint expects this already.' }
  }
  const newline = file.text.indexOf('\n', last.end)
  const lineEnd = newline < 0 ? file.text.length : newline - (file.text[newline - 1] === '\r' ? 1 : 0)
  const isAlone = newline >= 0 && newline < decl.end && /^\s*(--.*)?$/.test(file.text.slice(last.end, lineEnd))
  if (!isAlone) return tried(given, snapshot, { path, name, at: last.end, text: `; expect ${text}` })
  const lead = file.text.slice(file.text.lastIndexOf('\n', last.start - 1) + 1, last.start)
  const indent = /^[ \t]*$/.test(lead) ? lead : '  '
  const gap = /^[ \t]+(?=\S)/.exec(file.text.slice(last.start + 'expect'.length))?.[0] ?? ' '
  return tried(given, snapshot, { path, name, at: lineEnd, text: `\n${indent}expect${gap}${text}` })
}

function inOwn(given: Act, snapshot: Snapshot, { complaint, answer, snapshot: around }: AskedQuery, { text, topic }: Expected): ActAnswer {
  const model = declared(around.checked.spec, 'model', complaint.using[0])!
  const words = `${model.name} ${topic}`.replace(/[^\p{L}\p{N}_]+/gu, '_').replace(/^_+|_+$/g, '')
  const name = freeName(snapshot, words)
  const own = format(complaintText({ name, using: complaint.using, query: answer.queryText, expect: text, blame: blamed(model) })).text
  const lead = snapshot.text === '' ? '' : snapshot.text.endsWith('\n') ? '\n' : '\n\n'
  return tried(given, snapshot, { path: snapshot.path, name, at: snapshot.text.length, text: `${lead}${own}` })
}

interface Insertion {
  readonly path: string
  /** The complaint that it makes, or is written into. */
  readonly name: string
  readonly at: number
  readonly text: string
}

/** The text as an insertion, if the complaint makes sense with it and can be run. */
function tried({ workspace }: Act, snapshot: Snapshot, { path, name, at, text }: Insertion): ActAnswer {
  const file = snapshot.files.get(path)!
  const variant = workspace.variant(path, file.text.slice(0, at) + text + file.text.slice(at))
  const decl = variant?.ast.declarations.find((one) => one.name && sameName(one.name.text, name))
  const wrong =
    variant && decl && problemsOf(variant).find((one) => one.severity === 'error' && one.start < decl.end && one.end > decl.start)
  if (!variant || !decl || wrong) return { say: `This cannot be expected: ${wrong?.message ?? 'the file is gone.'}` }
  const { refused } = planFor(variant.checked.spec, [name], {})
  const later = refused.find((one) => sameName(one.name, name))
  if (later) return { say: `This cannot be expected: ${later.message}` }
  const { line, character } = positionAt(file, at)
  return { insert: { uri: snapshot.uri(path), line, character, text } }
}
