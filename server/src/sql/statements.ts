import { type Dialect, duckdbDialect } from './dialect.ts'
import { printExpr, printSelect } from './print.ts'
import type { SqlExpr, SqlSelect } from './tree.ts'

/** A value of a reader's option; a record becomes a struct. */
export type ReaderArgument = string | number | boolean | readonly string[] | Readonly<Record<string, string>>

/** `view`: computed each time it is asked for; `table`: once, in memory. Both replace a predecessor of the same sort. */
export function createAs(what: 'table' | 'view', name: string, query: SqlSelect | string, dialect: Dialect = duckdbDialect): string {
  const text = typeof query === 'string' ? query : printSelect(query, dialect)
  return `create or replace ${what} ${dialect.quoteName(name)} as\n${text}`
}

/** A function of columns written as an expression: it is put in place of its calls wherever these stand. Replaces a predecessor. */
export function createMacro(name: string, parameters: readonly string[], body: SqlExpr, dialect: Dialect = duckdbDialect): string {
  return `create or replace macro ${dialect.quoteName(name)}(${parameters.map(dialect.quoteName).join(', ')}) as (${printExpr(body, dialect)})`
}

export function drop(what: 'table' | 'view', name: string, dialect: Dialect = duckdbDialect): string {
  return `drop ${what} if exists ${dialect.quoteName(name)}`
}

/** A call of a table function over files, as it stands in `from`: `read_csv(['a.csv'], delim = ';')`. */
export function readerCall(
  reader: string,
  paths: readonly string[],
  options: Readonly<Record<string, ReaderArgument>>,
  dialect: Dialect = duckdbDialect,
): string {
  const args = Object.entries(options).map(([name, value]) => `${name} = ${argument(value, dialect)}`)
  return `${reader}(${[dialect.list(paths.map((path) => dialect.quoteText(path))), ...args].join(', ')})`
}

function argument(value: ReaderArgument, dialect: Dialect): string {
  if (typeof value === 'string') return dialect.quoteText(value)
  if (typeof value === 'number') return dialect.number(value)
  if (typeof value === 'boolean') return String(value)
  if (isList(value)) return dialect.list(value.map((item) => dialect.quoteText(item)))
  const members = Object.entries(value).map(([name, item]) => `${dialect.quoteText(name)}: ${dialect.quoteText(item)}`)
  return `{${members.join(', ')}}`
}

function isList(value: ReaderArgument): value is readonly string[] {
  return Array.isArray(value)
}
