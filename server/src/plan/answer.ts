import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr as printWritten, printSelect as printWrittenSelect } from '../../../grammar/src/printer.ts'
import { childrenOf } from '../../../grammar/src/walker.ts'
import type { ComplaintSpec, SourceSpec, Spec } from '../check/spec.ts'
import type { Answer, AnswerColumn } from '../protocol/results.ts'
import { column } from '../sql/build.ts'
import { printSelect } from '../sql/print.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { type Place, same, sourceNamed, toSql } from './expression.ts'
import type { PredictionPlan } from './plan.ts'
import { outputName } from './provenance/aggregates.ts'
import { Chances } from './provenance/chances.ts'
import { groupColumn } from './provenance/lineage.ts'
import { QueryTables, speaks } from './provenance/query-tables.ts'
import { hardSubquery, predictedSubquery } from './provenance/subqueries.ts'

/** How the engine is asked for an `Answer`: SQL that gives `assay group i` for the row's key, then the columns. */
export interface AnswerPlan extends Pick<Answer, 'shape' | 'unnamed' | 'using'> {
  readonly sql: string
  readonly keys: number
  readonly predictions: readonly PredictionPlan[]
  readonly queryText: string
  readonly columns: readonly Omit<AnswerColumn, 'type'>[]
}

/**
 * A complaint's query as a question of its own: every row that it gives over hard predictions, whatever is expected of it, and what of a row says which row it
 * is. So that a complaint can be written from what is seen.
 */
export function answerPlan(spec: Spec, complaint: ComplaintSpec): AnswerPlan {
  const { query } = complaint
  const chances = new Chances()
  const tables = new QueryTables(spec, query, chances)
  const place: Place = {
    ...tables.place((e) =>
      (e.kind === 'exists' || e.kind === 'in') && predictedSubquery(spec, e) ? hardSubquery(spec, e, tables, chances) : undefined,
    ),
    output: (name) => column(name),
  }
  const aggregated = query.groupBy.length > 0 || query.having !== undefined || query.items.some((item) => aggregates(spec, item.value))
  const byItems = query.distinct === true && !aggregated
  const sources = tables.tables.map((table) => ({ alias: table.alias, source: sourceNamed(spec, table.source) }))
  const outputs = query.items.flatMap((item) => outputsOf(item, sources, place))
  const groups = byItems ? query.items.map((item) => item.value) : query.groupBy
  const shape = aggregated && groups.length === 0 ? 'one' : aggregated || byItems ? 'groups' : 'each'
  const positions = shape === 'each' ? tables.tables.map((table) => column(ROW, table.alias)) : groups.map((group) => toSql(group, place))
  const keys = positions.map((value, i) => ({ value, alias: groupColumn(i) }))
  const on = query.joins.map((join) => toSql(join.on, place))
  const select: SqlSelect = {
    items: [...keys, ...outputs.map(({ sql, name }) => ({ value: sql, alias: name }))],
    where: query.where && toSql(query.where, place),
    groupBy: shape === 'groups' ? positions : undefined,
    having: query.having && toSql(query.having, place),
    // Last: what is asked of models stands in `from`.
    ...tables.joined(query, 'hard', on),
  }
  const grouped = new Set(positions.map((sql) => JSON.stringify(sql)))
  const named = new Set(outputs.map(({ sql }) => JSON.stringify(sql)))
  const missing = shape === 'groups' ? groups.find((_, i) => !named.has(JSON.stringify(positions[i]))) : undefined
  return {
    sql: printSelect(select),
    keys: keys.length,
    predictions: chances.predictions(),
    queryText: printWrittenSelect(query),
    using: complaint.using,
    shape,
    columns:
      shape === 'each'
        ? rolesInRows(spec, outputs, sources)
        : outputs.map(({ name, sql }) => ({ name, role: grouped.has(JSON.stringify(sql)) ? 'names' : 'measured' })),
    ...(missing ? { unnamed: printWritten(missing) } : {}),
  }
}

interface Output {
  readonly name: string
  readonly sql: SqlExpr
  /** As written; a star's columns have none. */
  readonly value?: ast.Expr
  /** The column of a source that it is. */
  readonly of?: { readonly alias: string; readonly column: string }
}
interface Table {
  readonly alias: string
  readonly source: SourceSpec
}

function outputsOf(item: ast.SelectItem, tables: readonly Table[], place: Place): Output[] {
  const { value } = item
  if (value.kind !== 'star') {
    const meaning = place.spec.meanings.get(value)
    const of = meaning?.kind === 'column' ? { alias: meaning.table ?? tables[0]!.alias, column: meaning.column.name } : undefined
    return [{ name: outputName(item), sql: toSql(value, place), value, of }]
  }
  const wanted = tables.filter((table) => value.table === undefined || same(table.alias, value.table.text))
  return wanted.flatMap(({ alias, source }) =>
    source.schema.map(({ name }) => ({ name, sql: column(name, alias), of: { alias, column: name } })),
  )
}

/** A row is named by its key where the query gives it, else by everything that no model has a say in. What models say is what something can be expected of. */
function rolesInRows(spec: Spec, outputs: readonly Output[], sources: readonly Table[]): AnswerPlan['columns'] {
  const isKey = ({ of }: Output) =>
    of !== undefined && sources.some(({ alias, source }) => same(alias, of.alias) && (source.key ?? []).some((key) => same(key, of.column)))
  const keyed = sources.every(({ alias, source }) => {
    const keys = source.key ?? []
    return keys.length > 0 && keys.every((key) => outputs.some(({ of }) => of && same(of.alias, alias) && same(of.column, key)))
  })
  return outputs.map((output) => {
    const measured = output.value !== undefined && speaks(spec, output.value)
    return { name: output.name, role: measured ? 'measured' : !keyed || isKey(output) ? 'names' : 'beside' }
  })
}

function aggregates(spec: Spec, expr: ast.Expr): boolean {
  const meaning = spec.meanings.get(expr)
  if (meaning?.kind === 'function' && meaning.aggregate) return true
  return expr.kind !== 'exists' && childrenOf(expr).some((child) => aggregates(spec, child))
}
