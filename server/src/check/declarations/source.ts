import type * as ast from '../../../../grammar/src/ast.ts'
import { nearest } from '../../../../grammar/src/nearest.ts'
import { readerOptions, settingOf, settings } from '../../../../grammar/src/setting-table.ts'
import type { Schema } from '../../sql/tree.ts'
import { columnTypeOf } from '../../sql/types.ts'
import { clauseOf } from '../clauses.ts'
import type { Output, TableScope } from '../expression-scope.ts'
import { typeOf } from '../expressions.ts'
import { lineageOfView, ownLineage } from '../lineage.ts'
import { fold } from '../names.ts'
import { directoryOf } from '../paths.ts'
import { readingOf, type SourceReading, typeText } from '../readings.ts'
import { usableColumns } from '../rules/columns.ts'
import { checkSplit } from '../rules/splits.ts'
import { add, findColumn, report, type Site, type SourceInfo, spoil } from '../scope.ts'
import { checkOutputNames, checkSelect, rowScope } from '../select.ts'
import { checkOptions, checkSetting } from '../settings.ts'
import { snakeColumns } from '../snake.ts'
import type { SourceColumn, SourceSpec } from '../spec.ts'

/** Schemas of what sources read, by the source's name; `problem` where a file could not be read. */
export type Schemas = ReadonlyMap<string, Schema | SchemaProblem>
export interface SchemaProblem {
  readonly problem: { readonly code: string; readonly message: string; readonly hint?: string }
}

export interface CheckedSource {
  readonly info: SourceInfo
  readonly spec: Omit<SourceSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>
}

interface Content {
  readonly schema: readonly SourceColumn[]
  readonly open: boolean
  readonly view?: ast.Select
  readonly outputs?: readonly Output[]
  readonly tables?: readonly TableScope[]
  readonly over: readonly SourceInfo[]
}

export function checkSource(decl: ast.SourceDecl, site: Site, schemas: Schemas): CheckedSource {
  const name = decl.name?.text ?? ''
  const from = clauseOf(decl, 'from')?.from
  const read = readingOf(decl, directoryOf(site.entry.module.path))
  const content = from?.kind === 'view' ? viewContent(from, site) : readContent(from, read, name, site, schemas)

  const names = clauseOf(decl, 'names')?.style ?? 'as_is'
  const schema = names === 'snake' ? snakeColumns(content.schema) : content.schema
  const columns = new Map(schema.map((column) => [fold(column.name), column]))
  const isFile = from?.kind !== 'view'
  const { outputs, tables = [] } = content
  const byName = outputs && new Map(outputs.map((output, i) => [fold(schema[i]!.name), output]))
  const lineage = byName ? lineageOfView(name, byName, tables, site.meanings) : ownLineage(name)
  const over = new Set([fold(name)])
  for (const source of content.over) for (const one of source.over) over.add(one)
  const splitClause = clauseOf(decl, 'split')
  const info: SourceInfo & { splits: readonly string[]; key: readonly string[]; label?: string } = {
    kind: 'source',
    name,
    columns,
    schema,
    open: content.open,
    splits: [],
    hasRowid: isFile && clauseOf(decl, 'key') === undefined,
    key: [],
    ordered: clauseOf(decl, 'order') !== undefined,
    lineage,
    over,
  }

  const key = checkKey(clauseOf(decl, 'key'), info, site)
  const orderBy = checkOrder(clauseOf(decl, 'order'), info, site)
  const labelClause = clauseOf(decl, 'label')
  const label = labelClause && findColumn(site, info, labelClause.column)
  if (label) usableColumns([{ column: label, at: labelClause.column }], 'label', site)
  const secret = clauseOf(decl, 'secret')
  const isDatabase = from?.kind === 'reader' && from.setting.name.text.toLowerCase() === 'database'
  if (secret && !isDatabase) report(site, 'secret-without-database', secret.keyword, {})
  const split = splitClause && checkSplit(splitClause, info, site)
  info.splits = split?.parts.map((part) => part.name) ?? []
  const hidden = splitClause && columns.has('split')
  if (hidden) report(site, 'split-hidden', splitClause.keyword, { source: name })

  info.key = key
  info.label = label?.name
  return {
    info,
    spec: {
      reading: read.kind === 'reading' ? read.reading : undefined,
      view: content.view,
      unsupported: read.kind === 'unsupported' ? read.what : undefined,
      schema,
      names,
      key: key.length > 0 ? key : undefined,
      orderBy,
      label: label?.name,
      split,
    },
  }
}

function viewContent(from: ast.ViewFrom, site: Site): Content {
  const checked = checkSelect(from.select, site, { kind: 'refused', where: 'a view' })
  checkOutputNames(from.select, checked.outputs, site)
  for (const item of from.select.items) {
    if (item.value.kind !== 'star' && item.value.kind !== 'column' && !item.alias) report(site, 'output-needs-name', item, {})
  }
  const over = checked.tables.map((table) => table.source)
  return {
    schema: checked.outputs.map((output) => ({ name: output.name, type: output.typed.type, sqlType: output.typed.sqlType })),
    open: over.length === 0 || (over.some((source) => source.open) && from.select.items.some((item) => item.value.kind === 'star')),
    view: checked.query,
    outputs: checked.outputs,
    tables: checked.tables,
    over,
  }
}

function readContent(from: ast.FromClause['from'] | undefined, read: SourceReading, name: string, site: Site, schemas: Schemas): Content {
  const unknown: Content = { schema: [], open: true, over: [] }
  if (from?.kind === 'reader') checkReader(from.setting, site)
  if (from?.kind === 'file') checkFile(from, read, site)
  if (from === undefined) return unknown
  if (read.kind !== 'reading') return unknown
  const schema = schemas.get(name) ?? (read.reading.kind === 'idx' ? idxSchema(read.reading.labels !== undefined) : undefined)
  if (schema === undefined) return unknown
  if (!('problem' in schema)) return { schema, open: false, over: [] }
  const at = from.kind === 'file' ? from.path : from
  add(site, { ...schema.problem, severity: 'error', start: at.start, end: at.end })
  return unknown
}

function idxSchema(hasLabels: boolean): Schema {
  const columns: Schema = [
    { name: 'index', type: 'number', sqlType: 'BIGINT' },
    { name: 'image', type: 'image', sqlType: 'BLOB' },
  ]
  return hasLabels ? [...columns, { name: 'label', type: 'number', sqlType: 'UTINYINT' }] : columns
}

function checkReader(setting: ast.Setting, site: Site): void {
  // A file in double quotes: the parser has said so.
  if (setting.name.quoted) spoil(site)
  else if (settingOf('reader', setting.name.text)) checkSetting(setting, 'reader', site)
  else {
    const known = settings.reader.map((one) => one.name)
    report(site, 'unknown-reader', setting.name, { name: setting.name.text, nearest: nearest(setting.name.text, known) })
  }
}

const CSV_ONLY = new Set(['delim', 'header', 'quote', 'escape', 'nullstr', 'skip', 'types', 'decimal_separator'])

function checkFile(from: ast.FileFrom, read: SourceReading, site: Site): void {
  const options = from.options ? checkOptions(from.options.args, from.options, readerOptions, 'from', site) : undefined
  if (read.kind === 'unreadable') {
    if (!options || !from.options?.args.some((arg) => arg.label?.text.toLowerCase() === 'format')) {
      report(site, 'unknown-format', from.path, { path: from.path.value })
    } else spoil(site)
    return
  }
  if (read.kind !== 'reading' || read.reading.kind !== 'file') return
  const { format } = read.reading
  for (const arg of from.options?.args ?? []) {
    const option = arg.label?.text.toLowerCase() ?? ''
    const isText = format === 'csv' || format === 'tsv'
    if (CSV_ONLY.has(option) && !isText) report(site, 'option-not-for-format', arg, { option, format })
    if (option === 'types' && arg.value.kind === 'values') checkTypes(arg.value, site)
  }
}

function checkTypes(types: ast.ValueList, site: Site): void {
  for (const item of types.items) {
    const text = typeText(item.value)
    const plain = text !== undefined && /^[a-z][a-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\])?$/i.test(text.trim())
    if (!plain || columnTypeOf(text) === 'unknown') report(site, 'unknown-type', item, { type: text ?? '…' })
  }
}

function checkKey(clause: ast.KeyClause | undefined, source: SourceInfo, site: Site): string[] {
  const key: string[] = []
  for (const name of clause?.columns ?? []) {
    const column = findColumn(site, source, name)
    if (column === undefined) continue
    if (key.includes(column.name)) report(site, 'repeated-column', name, { column: column.name })
    else if (/^(image|list|struct|blob)$/.test(column.type)) report(site, 'not-a-key', name, { column: column.name, type: column.type })
    else key.push(column.name)
  }
  return key
}

function checkOrder(clause: ast.SourceOrderClause | undefined, source: SourceInfo, site: Site): readonly ast.OrderItem[] {
  const scope = rowScope(site, source, { kind: 'refused', where: 'a source' }, 'an order of rows')
  for (const item of clause?.items ?? []) typeOf(item.value, scope)
  return clause?.items ?? []
}
