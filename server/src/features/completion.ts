import { type CompletionItem, CompletionItemKind, InsertTextFormat, type TextEdit } from 'vscode-languageserver'
import type * as ast from '../../../grammar/src/ast.ts'
import { endOf, type Token } from '../../../grammar/src/lexer.ts'
import { printName } from '../../../grammar/src/printer.ts'
import { type OptionWord, settings } from '../../../grammar/src/setting-table.ts'
import { clausesOf, declarationWord, declarationWords } from '../../../grammar/src/tokens.ts'
import type { Reached } from '../check/check.ts'
import { clauseOf } from '../check/clauses.ts'
import { functionNamed, functionNames } from '../check/function-signatures.ts'
import { fold } from '../check/names.ts'
import type { ModelInfo, SourceInfo } from '../check/scope.ts'
import { outputName } from '../check/select.ts'
import { inert } from '../report/inert.ts'
import type { Position } from '../workspace/documents.ts'
import { offsetOf, rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { kindIcons, nounOf } from './kinds.ts'
import { type InClause, lower, nameText, placeAt, qualifier, typedAt } from './place.ts'
import { optionText, signatureTexts } from './signatures.ts'
import { type Want, wantsIn, wantsInHeader } from './wants.ts'

export interface CompletionOptions {
  /** Whether the editor understands `$1` in what it inserts. */
  readonly snippets: boolean
}

/** What may stand at a position, by the grammar: best first. O(tokens of the file + names in reach). */
export function complete(snapshot: Snapshot, at: Position, options: CompletionOptions): CompletionItem[] {
  const offset = offsetOf(snapshot, at)
  const place = placeAt(snapshot, offset)
  const items = new Map<string, CompletionItem>()
  const add = (some: readonly CompletionItem[]) => {
    for (const item of some) if (!items.has(item.label)) items.set(item.label, item)
  }
  const typed = typedAt(snapshot, offset)
  const around = aroundOf(snapshot, typed?.startOffset ?? offset)
  switch (place.kind) {
    case 'nowhere':
      return []
    case 'top':
      add(topItems(options))
      break
    case 'header':
      add(qualified(place.before, around, []) ?? wantsInHeader(place.decl, place.before).flatMap((want) => itemsOf(want, around, options)))
      break
    case 'clauses':
      add(clauseItems(place.decl, place.used))
      if (place.clause) add(inClause(place.clause, around, options).filter((item) => item.kind === CompletionItemKind.Keyword))
      break
    case 'clause':
      add(inClause(place, around, options))
  }
  const range = rangeOf(snapshot, { start: typed?.startOffset ?? offset, end: typed ? endOf(typed) : offset })
  return [...items.values()].map((item): CompletionItem => {
    const newText = item.insertText ?? item.label
    const textEdit: TextEdit = { range, newText }
    return { ...item, insertText: undefined, textEdit, filterText: newText.startsWith('"') ? newText : item.label }
  })
}

/** What the declaration around the cursor says in its header; that survives whatever is half-typed below it. */
interface Around {
  readonly snapshot: Snapshot
  readonly decl?: ast.Declaration
  readonly source?: SourceInfo
  readonly models: readonly ModelInfo[]
}

function aroundOf(snapshot: Snapshot, offset: number): Around {
  const { reached } = snapshot.checked
  const decl = snapshot.ast.declarations.findLast((one) => one.start <= offset)
  const info = (name: ast.Name | undefined) => (name ? reached.get(fold(name.text))?.info : undefined)
  if (decl === undefined) return { snapshot, models: [] }
  const on = 'on' in decl ? decl.on : undefined
  const named = on && info('source' in on ? on.source : on)
  let source = named?.kind === 'source' ? named : undefined
  if (decl.kind === 'source') {
    const own = info(decl.name)
    source = own?.kind === 'source' ? own : undefined
  }
  const using: readonly (ast.Name | undefined)[] =
    'using' in decl ? (Array.isArray(decl.using) ? decl.using : [decl.using as ast.Name | undefined]) : 'model' in decl ? [decl.model] : []
  let models = using.map(info).filter((one) => one?.kind === 'model')
  if (decl.kind === 'intervene') {
    const complaint = info(clauseOf(decl, 'for')?.complaint)
    if (complaint?.kind === 'complaint') models = [...complaint.models]
  }
  return { snapshot, decl, source: source ?? models[0]?.source, models }
}

function inClause(clause: InClause, around: Around, options: CompletionOptions): CompletionItem[] {
  const tables = tablesIn(clause.all, around)
  const behindDot = qualified(clause.before, around, tables)
  if (behindDot) return behindDot
  return wantsIn(clause).flatMap((want) => itemsOf(want, around, options, tables))
}

interface Table {
  readonly name: string
  readonly source: SourceInfo
}

/** Tables that a query in these tokens names, wherever the cursor stands in it. */
function tablesIn(tokens: readonly Token[], around: Around): Table[] {
  const tables: Table[] = []
  for (const [i, token] of tokens.entries()) {
    if (lower(token) !== 'from' && lower(token) !== 'join') continue
    const name = tokens[i + 1]
    const source = name && sourceNamed(around, nameText(name))
    if (name === undefined || source === undefined) continue
    const next = tokens[i + 2]?.image === '.' ? i + 4 : i + 2
    const alias = lower(tokens[next]) === 'as' ? tokens[next + 1] : undefined
    tables.push({ name: nameText(alias ?? name), source })
  }
  return tables
}

function sourceNamed(around: Around, name: string): SourceInfo | undefined {
  const info = around.snapshot.checked.reached.get(fold(name))?.info
  return info?.kind === 'source' ? info : undefined
}

/** Behind `x.`: the columns of a table of that name in a query, else the splits of that source. */
function qualified(before: readonly Token[], around: Around, tables: readonly Table[]): CompletionItem[] | undefined {
  const name = qualifier(before)
  if (name === undefined) return before.at(-1)?.image === '.' ? [] : undefined
  const position = lower(before.at(-3))
  const table = tables.find((one) => fold(one.name) === fold(nameText(name)))
  if (table && position !== 'from' && position !== 'join') return columnItems(table.source)
  const source = sourceNamed(around, nameText(name))
  return source ? splitItems(source) : []
}

function itemsOf(want: Want, around: Around, options: CompletionOptions, tables: readonly Table[] = []): CompletionItem[] {
  switch (want.kind) {
    case 'columns':
      return around.source ? columnItems(around.source) : []
    case 'splits':
      return around.source ? splitItems(around.source) : []
    case 'suspects': {
      const source = around.models[0]?.source ?? around.source
      return source ? [...splitItems(source), { label: source.name, kind: kindIcons.source, detail: 'source' }] : []
    }
    case 'outputs':
      return outputItems(around)
    case 'functions':
      return functionItems(options)
    case 'declarations':
      return reachedItems(around, (one) => want.kinds.includes(one.decl.kind))
    case 'settings':
      return settings[want.group].map((one, i) => ({
        label: one.name,
        kind: CompletionItemKind.EnumMember,
        detail: one.options.length > 0 ? `${one.name}(${one.options.map(optionText).join(', ')})` : want.group,
        documentation: one.says,
        sortText: `b${String(i).padStart(3, '0')}`,
      }))
    case 'options':
      return want.options
        .filter((one) => !want.used.includes(one.name) && !one.positional)
        .map((one) => ({
          label: one.name,
          kind: CompletionItemKind.Property,
          insertText: `${one.name}: `,
          detail: one.default === undefined ? one.type : `${one.type}, ${one.default} unless given`,
          documentation: one.says,
          sortText: one.required ? `a${one.name}` : `b${one.name}`,
        }))
    case 'values':
      return valueItems(want.option, around)
    case 'words':
      return want.words.map((label, i) => ({ label, kind: CompletionItemKind.Keyword, sortText: `c${String(i).padStart(2, '0')}` }))
    case 'operand':
      return operandItems(want.of, around, options, tables)
  }
}

function operandItems(
  of: 'rows' | 'query' | 'result' | 'words',
  around: Around,
  options: CompletionOptions,
  tables: readonly Table[],
): CompletionItem[] {
  if (of === 'result') return outputItems(around)
  if (of === 'words')
    return ['rounds', 'spent', 'loss', 'unfairness', 'imbalance'].map((label) => ({ label, kind: CompletionItemKind.Variable }))
  const inQuery = of === 'query' || tables.length > 0
  const sources = inQuery ? tables : around.source ? [{ name: around.source.name, source: around.source }] : []
  const items = sources.flatMap((table) => [...columnItems(table.source), ...pseudoItems(table.source)])
  if (inQuery)
    items.push(
      ...tables.map(
        (table): CompletionItem => ({ label: table.name, kind: kindIcons.source, detail: 'table', sortText: `d${table.name}` }),
      ),
    )
  const fitting = new Set(sources.flatMap((table) => [...table.source.over]))
  items.push(
    ...reachedItems(around, ({ decl, info }) => {
      if (decl.kind !== 'slice' && decl.kind !== 'partition') return false
      const source = info && 'source' in info ? info.source : undefined
      return source === undefined || fitting.has(fold(source.name))
    }),
  )
  for (const model of around.models) {
    if (model.targetName === '') continue
    const target = printName({ text: model.targetName })
    items.push(call(`predict(${target})`, 'predict', `What ${model.name} says`))
    if (model.task === 'classification') items.push(call(`score(${target}, )`, 'score', `The probability that ${model.name} gives a class`))
  }
  if (around.decl?.kind === 'find' || around.decl?.kind === 'estimate') {
    for (const { info } of around.snapshot.checked.reached.values())
      if (info?.kind === 'oracle')
        for (const column of info.columns) items.push(call(`ask(${info.name}, ${printName({ text: column })})`, 'ask', 'Costs an answer'))
  }
  const keywords = ['not', 'case', 'cast', 'exists', 'null', 'true', 'false', ...(inQuery ? ['distinct', '*'] : [])]
  items.push(...keywords.map((label) => ({ label, kind: CompletionItemKind.Keyword, sortText: `x${label}` })))
  return [...items, ...functionItems(options)]
}

const call = (label: string, filter: string, detail: string): CompletionItem => ({
  label,
  kind: CompletionItemKind.Function,
  detail,
  filterText: filter,
  sortText: `c${label}`,
})

function topItems(options: CompletionOptions): CompletionItem[] {
  const items = declarationWords.map((one): CompletionItem => {
    const snippet = options.snippets && { insertText: snippetOf(one.word), insertTextFormat: InsertTextFormat.Snippet }
    return { label: one.word, kind: CompletionItemKind.Keyword, detail: `${one.word} ${one.header}`, documentation: one.says, ...snippet }
  })
  return [...items, { label: 'import', kind: CompletionItemKind.Keyword, detail: "import { NAME, … } from 'FILE'" }]
}

/** The header and the clauses that must be there, each with a place to type. */
function snippetOf(kind: ast.DeclarationKind): string {
  const word = declarationWord(kind)!
  let place = 0
  const hole = (text: string) => `\${${++place}:${text.toLowerCase()}}`
  const holes = (text: string) => text.replace(/[A-Z]{3,}/g, hole)
  const header = holes(word.header.replace(/ ?\[[^\]]*(\[[^\]]*\])?[^\]]*\]/g, '').replace(/, …/g, ''))
  if (kind === 'slice') return `${kind} ${header}`
  const needed = word.clauses.filter((one) => one.times === '!' || one.times === '+').map((one) => one.word)
  for (const requirement of word.requires)
    needed.push(...(requirement.kind === 'one_of' ? requirement.groups[0]! : requirement.words.slice(0, 1)))
  const width = Math.max(...needed.map((one) => one.length), 0)
  const lines = [...new Set(needed)].map((one) => `  ${one.padEnd(width)}  \${${++place}}`)
  return `${kind} ${header} {\n${lines.join('\n')}\n}`
}

function clauseItems(decl: ast.DeclarationKind, used: readonly string[]): CompletionItem[] {
  return [...clausesOf(decl).values()]
    .filter((one) => one.times === '*' || one.times === '+' || !used.includes(one.word))
    .map((one, i) => {
      const missing = (one.times === '!' || one.times === '+') && !used.includes(one.word)
      return {
        label: one.word,
        kind: CompletionItemKind.Keyword,
        detail: one.syntax,
        documentation: one.says,
        sortText: `${missing ? 'a' : 'b'}${String(i).padStart(2, '0')}`,
      }
    })
}

function columnItems(source: SourceInfo): CompletionItem[] {
  return source.schema.map((column, i) => ({
    label: inert(column.name),
    kind: CompletionItemKind.Field,
    insertText: printName({ text: column.name }),
    detail: `${column.type} · ${inert(column.sqlType)}`,
    sortText: `a${String(i).padStart(5, '0')}`,
  }))
}

function pseudoItems(source: SourceInfo): CompletionItem[] {
  const names = ['key', ...(source.splits.length > 0 ? ['split'] : []), ...(source.hasRowid ? ['rowid'] : [])]
  return names
    .filter((name) => !source.columns.has(name))
    .map((label) => ({ label, kind: CompletionItemKind.Field, detail: 'pseudo-column', sortText: `b${label}` }))
}

const splitItems = (source: SourceInfo): CompletionItem[] =>
  source.splits.map((name, i) => ({
    label: inert(name),
    insertText: printName({ text: name }),
    kind: CompletionItemKind.EnumMember,
    detail: `split of ${inert(source.name)}`,
    sortText: `a${i}`,
  }))

function outputItems({ decl }: Around): CompletionItem[] {
  const select = decl?.kind === 'complaint' ? clauseOf(decl, 'query')?.select : undefined
  return (select?.items ?? [])
    .filter((item) => item.value.kind !== 'star')
    .map((item, i) => {
      const label = outputName(item)
      return {
        label,
        kind: CompletionItemKind.Field,
        insertText: item.alias || item.value.kind === 'column' ? printName({ text: label }) : label,
        detail: 'column of the result',
        sortText: `a${i}`,
      }
    })
}

function reachedItems(around: Around, fits: (one: Reached) => boolean): CompletionItem[] {
  return [...around.snapshot.checked.reached.values()]
    .filter((one) => one.decl !== around.decl && fits(one))
    .map((one) => ({
      label: inert(one.name),
      kind: kindIcons[one.decl.kind],
      insertText: printName({ text: one.name }),
      detail: nounOf(one.decl.kind),
      documentation: one.decl.doc
        ?.split('\n')
        .map((line) => inert(line, 500))
        .join('\n'),
      sortText: `b${one.name}`,
    }))
}

function valueItems(option: OptionWord, around: Around): CompletionItem[] {
  if (option.type === 'source') return reachedItems(around, (one) => one.decl.kind === 'source')
  const words = [
    ...(option.words ?? []),
    ...(option.default === undefined ? [] : [option.default]),
    ...(option.type === 'boolean' ? ['true', 'false'] : []),
  ]
  return [...new Set(words)].map((label) => ({
    label,
    kind: CompletionItemKind.Value,
    detail: label === option.default ? 'the default' : undefined,
  }))
}

function functionItems(options: CompletionOptions): CompletionItem[] {
  return [...functionNames()].map((name): CompletionItem => {
    const known = functionNamed(name)!
    const snippet = options.snippets && { insertText: `${name}($1)`, insertTextFormat: InsertTextFormat.Snippet }
    const detail = signatureTexts(known)[0]
    return { label: name, kind: CompletionItemKind.Function, detail, sortText: `${known.aggregate ? 'y' : 'z'}${name}`, ...snippet }
  })
}
