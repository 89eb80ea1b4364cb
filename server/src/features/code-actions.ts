import { type CodeAction, CodeActionKind, type Diagnostic, type TextEdit } from 'vscode-languageserver'
import type * as ast from '../../../grammar/src/ast.ts'
import { printName, printText } from '../../../grammar/src/printer.ts'
import { clausesOf, declarationWord } from '../../../grammar/src/tokens.ts'
import { fold } from '../check/names.ts'
import { commands } from '../protocol/messages.ts'
import { inert } from '../report/inert.ts'
import type { Range } from '../workspace/documents.ts'
import { flaggedBy } from '../workspace/flagged.ts'
import { declarationAt, offsetOf, problemsOf, rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { diagnosticsOf } from './diagnostics.ts'
import { excludeActions } from './marks-exclude.ts'
import { freeName, sliceText } from './written.ts'

const mostSlices = 25

/** What mends the problems in a range, and what a stored result of the declaration there invites to. Files of data are never edited. */
export function codeActions(snapshot: Snapshot, range: Range): CodeAction[] {
  const from = offsetOf(snapshot, range.start)
  const to = offsetOf(snapshot, range.end)
  const diagnostics = diagnosticsOf(snapshot)
  const actions = problemsOf(snapshot).flatMap((problem, i) => {
    if (problem.end < from || problem.start > to) return []
    const diagnostic = diagnostics[i]
    return [...meant(snapshot, problem, diagnostic), ...missingClauses(snapshot, problem, diagnostic)]
  })
  const decl = declarationAt(snapshot, from)
  return [...actions, ...(decl ? fromResult(snapshot, decl) : [])]
}

const edit = (snapshot: Snapshot, edits: TextEdit[]) => ({ changes: { [snapshot.uri(snapshot.path)]: edits } })

/** `Did you mean`: the hint in place of what the problem marks, in the quotes that stand there. */
function meant(snapshot: Snapshot, problem: ast.Problem, diagnostic: Diagnostic | undefined): CodeAction[] {
  const { hint } = problem
  if (hint === undefined || /[.!?]$/.test(hint)) return []
  const written = snapshot.text.slice(problem.start, problem.end)
  const newText = replacement(written, hint, problem.code)
  return [
    {
      title: `Write \`${inert(newText, 80)}\``,
      kind: CodeActionKind.QuickFix,
      isPreferred: true,
      diagnostics: diagnostic ? [diagnostic] : undefined,
      edit: edit(snapshot, [{ range: rangeOf(snapshot, problem), newText }]),
    },
  ]
}

function replacement(written: string, hint: string, code: string): string {
  if (written.startsWith("'")) {
    const folder = /^'(.*[\\/])?/.exec(written)?.[1] ?? ''
    return printText(hint.includes('/') || hint.includes('\\') || code !== 'missing-file' ? hint : folder + hint)
  }
  return names.has(code) ? printName({ text: hint }) : hint
}
const names = new Set([
  'unknown-column',
  'unknown-name',
  'unknown-table',
  'expect-output',
  'predict-target',
  'oracle-column',
  'import-unknown',
  'blame-unknown',
  'unknown-measure',
])

/** The clauses without which a declaration says too little, as its own text would have them. */
function missingClauses(snapshot: Snapshot, problem: ast.Problem, diagnostic: Diagnostic | undefined): CodeAction[] {
  if (!/^(missing-clause|missing-one-of|missing-some-of|train-missing)$/.test(problem.code)) return []
  const decl = declarationAt(snapshot, problem.start)
  if (decl === undefined || decl.kind === 'slice') return []
  const words = problem.code === 'train-missing' ? ['train'] : missingWords(decl, problem)
  return words.map((word, i) => ({
    title: `Add \`${word}\``,
    kind: CodeActionKind.QuickFix,
    isPreferred: i === 0 && words.length === 1,
    diagnostics: diagnostic ? [diagnostic] : undefined,
    edit: edit(snapshot, [clauseEdit(snapshot, decl, word)]),
  }))
}

function missingWords(decl: ast.Declaration, problem: ast.Problem): string[] {
  const present = new Set((decl.clauses as readonly ast.AnyClause[]).map((clause) => clause.word))
  const table = [...clausesOf(decl.kind).values()]
  if (problem.code === 'missing-clause')
    return table
      .filter((one) => !present.has(one.word as ast.AnyClause['word']) && problem.message.includes(`\`${one.word}\``))
      .map((one) => one.word)
      .slice(0, 1)
  const requires = declarationWord(decl.kind)?.requires ?? []
  return requires
    .flatMap((one) => (one.kind === 'one_of' ? one.groups.map((group) => group[0]!) : one.words))
    .filter((word) => !present.has(word as ast.AnyClause['word']))
}

/** A line before the closing brace, its word in the column of its neighbours. */
function clauseEdit(snapshot: Snapshot, decl: ast.Declaration, word: string): TextEdit {
  const clauses = decl.clauses as readonly ast.AnyClause[]
  const text = snapshot.text.slice(decl.start, decl.end)
  const close = text.endsWith('}') ? decl.end - 1 : decl.end
  const widest = Math.max(word.length, ...clauses.map((one) => one.word.length))
  const line = `  ${word.padEnd(widest)} ${startOf(snapshot, decl, word)}`
  const oneLine = !text.includes('\n')
  const lead = snapshot.text.slice(0, close).search(/\s*$/)
  const newText = oneLine && clauses.length > 0 ? `; ${word} ${startOf(snapshot, decl, word)} ` : `\n${line}\n`
  return { range: rangeOf(snapshot, { start: lead, end: close }), newText }
}

/** What the clause most likely says: the first thing in reach that fits, else a word to write over. */
function startOf(snapshot: Snapshot, decl: ast.Declaration, word: string): string {
  const { reached } = snapshot.checked
  const on = 'on' in decl && decl.on ? ('source' in decl.on ? decl.on.source : decl.on) : undefined
  const info = on && reached.get(fold(on.text))?.info
  const source = info?.kind === 'source' ? info : undefined
  const first = (...kinds: readonly ast.DeclarationKind[]) => [...reached.values()].find((one) => kinds.includes(one.decl.kind))?.name
  const named = (text: string | undefined, otherwise: string) => (text === undefined ? otherwise : printName({ text }))
  const label = source?.label ?? source?.schema.at(-1)?.name
  const columns = (source?.schema ?? []).filter((one) => one.name !== label && !source?.key.includes(one.name))
  switch (`${decl.kind} ${word}`) {
    case 'source from':
      return "'data.csv'"
    case 'oracle ask':
    case 'model predict':
      return named(label, 'label')
    case 'model from':
      return columns.length > 0 ? columns.map((one) => printName({ text: one.name })).join(', ') : 'inputs'
    case 'model kind':
      return 'logistic'
    case 'model train':
      return `on ${named(source?.splits[0], 'train')}`
    case 'partition by':
    case 'discover over':
      return named(columns[0]?.name, 'column')
    case 'assert each':
      return 'row'
    case 'complaint query':
      return `select count(*) as n from ${named(first('source'), 'data')}`
    case 'complaint expect':
      return 'n = 0'
    case 'complaint blame':
      return 'top 25 rows of train by influence'
    case 'intervene for':
      return named(first('complaint'), 'complaint')
    case 'intervene remove':
      return 'top 100 rows of train by influence'
    case 'intervene retrain':
      return named(first('model'), 'model')
    case 'acquire slices':
      return named(first('partition', 'slice', 'discover'), 'slices')
    case 'acquire from':
      return `${named(first('source'), 'source')} cost 1 per row`
    case 'cycle discover':
    case 'cycle acquire':
      return named(first(word as 'discover' | 'acquire'), word)
    case 'cycle rounds':
      return '3'
    default:
      if (word === 'budget') return decl.kind === 'acquire' ? '100' : '100 labels'
      if (/^(recall|precision)$/.test(word)) return '>= 90% with confidence 95%'
      if (word === 'error' && decl.kind !== 'discover') return '<= 5% with confidence 95%'
      return 'true'
  }
}

/** Slices that were found, as declarations; rows that were flagged, left out of a view or shown. */
function fromResult(snapshot: Snapshot, decl: ast.Declaration): CodeAction[] {
  const last = decl.name && snapshot.last(decl.name.text)
  if (last === undefined || !decl.name) return []
  const { result } = last
  const { name } = decl
  if (result.kind === 'discover' && decl.kind === 'discover' && decl.on) {
    const source = printName(decl.on.source)
    const behind = rangeOf(snapshot, { start: decl.end, end: decl.end })
    return (result.slices ?? []).slice(0, mostSlices).flatMap(({ where }, i) => {
      if (where === undefined || where === '') return []
      const text = sliceText(freeName(snapshot, `${name.text}_${i + 1}`), source, where).trimEnd()
      const title = `Keep slice ${i + 1} as a declaration: ${inert(where, 80)}`
      return [{ title, kind: CodeActionKind.RefactorExtract, edit: edit(snapshot, [{ range: behind, newText: `\n\n${text}` }]) }]
    })
  }
  if (flaggedBy(snapshot.checked.spec, result) === undefined) return []
  const argument = { uri: snapshot.uri(snapshot.path), name: name.text }
  const title = 'Show rows'
  const show = { title, kind: CodeActionKind.QuickFix, command: { title, command: commands.result, arguments: [argument] } }
  return [show, ...excludeActions(snapshot, name.text)]
}
