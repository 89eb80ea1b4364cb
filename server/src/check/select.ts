import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr } from '../../../grammar/src/printer.ts'
import type { ExprScope, Models, Output, TableScope } from './expression-scope.ts'
import { checkCondition, typeOf } from './expressions.ts'
import { checkGrouped, hasAggregate } from './grouping.ts'
import { fold, repeated } from './names.ts'
import { findRef, report, type Site, type SourceInfo } from './scope.ts'

/** A select that has been looked at. `query` has positions and aliases in `group by` and `order by` replaced by what they stand for. */
export interface CheckedSelect {
  readonly tables: readonly TableScope[]
  readonly outputs: readonly Output[]
  readonly query: ast.Select
  readonly scope: ExprScope
  /** Whether rows are put together: `group by`, or an aggregate. */
  readonly grouped: boolean
}

/** Checks a select: tables, joins, conditions, groups, names of outputs. */
export function checkSelect(select: ast.Select, site: Site, models: Models, parent?: ExprScope): CheckedSelect {
  const scope: ExprScope = { site, tables: tablesOf(select, site, parent), parent, models, query: subquery }
  const rows: ExprScope = { ...scope, noAggregates: '`where`' }
  for (const join of select.joins) checkCondition(join.on, { ...scope, noAggregates: '`on`' }, '`on`')
  checkCondition(select.where, rows, '`where`')

  const aggregates = select.items.some((item) => hasAggregate(item.value)) || (select.having !== undefined && hasAggregate(select.having))
  const outputs: Output[] = []
  for (const item of select.items) {
    if (item.value.kind === 'star') outputs.push(...starOutputs(item.value, scope))
    else outputs.push({ name: outputName(item), typed: typeOf(item.value, scope), value: item.value })
  }
  const aliases = aliasesOf(select, outputs)
  const withAliases: ExprScope = { ...scope, aliases }

  const groupBy = select.groupBy.map((group) => resolveGroup(group, select, withAliases))
  const grouped = groupBy.length > 0 || aggregates
  if (select.having) {
    checkCondition(select.having, withAliases, '`having`')
    if (!grouped) report(site, 'having-without-group', select.having, {})
  }
  const orderBy = select.orderBy.map((item) => ({ ...item, value: resolveOrder(item.value, select, withAliases, outputs.length) }))
  if (grouped) {
    const what = groupBy.length > 0 ? 'a group' : 'the result'
    for (const item of select.items) checkGrouped(item.value, groupBy, scope, what)
    if (select.having) checkGrouped(select.having, groupBy, scope, what)
    for (const item of orderBy) checkGrouped(item.value, groupBy, scope, what)
  }
  return { tables: scope.tables, outputs, query: { ...select, groupBy, orderBy }, scope, grouped }
}

/** The rows of one source, outside of any query. `noAggregates` names the place in words; undefined lets aggregates in. */
export const rowScope = (site: Site, source: SourceInfo | undefined, models: Models, noAggregates: string | undefined): ExprScope => ({
  site,
  tables: source ? [{ name: source.name, source }] : [],
  models,
  noAggregates,
  query: subquery,
})

const subquery = (select: ast.Select, scope: ExprScope): readonly Output[] =>
  checkSelect(select, scope.site, scope.models, { ...scope, aliases: undefined }).outputs

function tablesOf(select: ast.Select, site: Site, parent: ExprScope | undefined): TableScope[] {
  if (select.from === undefined) {
    report(site, 'no-table', select, {})
    return []
  }
  const tables: TableScope[] = []
  const taken = new Set<string>()
  for (let level = parent; level; level = level.parent) for (const table of level.tables) taken.add(fold(table.name))
  for (const { ref, alias } of [select.from, ...select.joins.map((join) => join.table)]) {
    const found = findRef(site, ref)
    if (found === undefined) continue
    const name = alias?.text ?? found.source.name
    if (taken.has(fold(name))) report(site, 'repeated-table', alias ?? ref, { name })
    taken.add(fold(name))
    tables.push({ name, mark: name, source: found.source })
  }
  return tables
}

function starOutputs(star: ast.Star, scope: ExprScope): Output[] {
  const wanted = star.table && fold(star.table.text)
  const tables = wanted === undefined ? scope.tables : scope.tables.filter((table) => fold(table.name) === wanted)
  if (star.table && tables.length === 0 && scope.tables.length > 0) {
    report(scope.site, 'unknown-table', star.table, { table: star.table.text, known: scope.tables.map((table) => table.name) })
  }
  return tables.flatMap((table) => table.source.schema.map((column) => ({ name: column.name, typed: column })))
}

/** The alias, the column's own name as written, or the expression as written. */
export function outputName(item: ast.SelectItem): string {
  if (item.alias) return item.alias.text
  return item.value.kind === 'column' ? item.value.name.text : printExpr(item.value)
}

function aliasesOf(select: ast.Select, outputs: readonly Output[]): Map<string, Output> {
  const aliases = new Map<string, Output>()
  const named = new Set(select.items.filter((item) => item.alias).map((item) => item.value))
  for (const output of outputs) if (output.value && named.has(output.value)) aliases.set(fold(output.name), output)
  return aliases
}

/** `group by 1`, `group by alias`: the expression meant. Columns go before aliases. */
function resolveGroup(group: ast.Expr, select: ast.Select, scope: ExprScope): ast.Expr {
  const inGroup: ExprScope = { ...scope, noAggregates: '`group by`', aliases: undefined }
  const meant = positioned(group, select, scope) ?? aliased(group, scope)
  if (meant && hasAggregate(meant)) report(scope.site, 'misplaced-aggregate', group, { name: printExpr(meant), where: '`group by`' })
  if (meant) return meant
  typeOf(group, inGroup)
  return group
}

function resolveOrder(value: ast.Expr, select: ast.Select, scope: ExprScope, nOutputs: number): ast.Expr {
  // Behind a `*`, positions count its columns: the number stays, as the database reads it.
  const isPosition = value.kind === 'number' && Number.isInteger(value.value) && value.value >= 1 && value.value <= nOutputs
  if (isPosition && select.items.some((item) => item.value.kind === 'star')) return value
  const meant = positioned(value, select, scope) ?? aliased(value, scope, 'aliases first')
  if (meant) return meant
  typeOf(value, scope)
  return value
}

function positioned(value: ast.Expr, select: ast.Select, scope: ExprScope): ast.Expr | undefined {
  if (value.kind !== 'number') return undefined
  const item = select.items[value.value - 1]
  if (item && item.value.kind !== 'star' && !select.items.slice(0, value.value).some((one) => one.value.kind === 'star')) return item.value
  report(scope.site, 'bad-position', value, { position: value.value, items: select.items.length })
  return undefined
}

function aliased(value: ast.Expr, scope: ExprScope, order?: 'aliases first'): ast.Expr | undefined {
  if (value.kind !== 'column' || value.table) return undefined
  const alias = scope.aliases?.get(fold(value.name.text))
  if (alias?.value === undefined) return undefined
  const isColumn = scope.tables.some((table) => table.source.columns.has(fold(value.name.text)))
  return isColumn && order === undefined ? undefined : alias.value
}

/** Outputs of a view or of a complaint's query: no two of a name. A `*` is blamed once. */
export function checkOutputNames(select: ast.Select, outputs: readonly Output[], site: Site): void {
  const blamed = new Set<ast.Span>()
  for (const { first, again } of repeated(outputs, (output) => output.name)) {
    const isItem = (output: Output) => (item: ast.SelectItem) => item.value === output.value
    const item =
      select.items.find(isItem(again)) ?? select.items.find(isItem(first)) ?? select.items.find((one) => one.value.kind === 'star')
    const at = item?.alias ?? item ?? select
    if (!blamed.has(at)) report(site, 'repeated-output', at, { name: again.name })
    blamed.add(at)
  }
}
