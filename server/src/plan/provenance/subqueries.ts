import type * as ast from '../../../../grammar/src/ast.ts'
import type { Spec } from '../../check/spec.ts'
import { binary, call, column, literal, star } from '../../sql/build.ts'
import { ROW, type SqlExpr, type SqlFrom, type SqlSelect } from '../../sql/tree.ts'
import { selectToSql, toSql } from '../expression.ts'
import type { Chances } from './chances.ts'
import { choose, isSameDraw, product, type Query } from './lineage.ts'
import { chanceOf, chosen, QueryTables, speaks, type Variable } from './query-tables.ts'

/**
 * `exists` and `in` over rows that models speak of. Hard, a nested query. Relaxed, an event that is true or not beside every row of the query around,
 * with the chance 1 − Π(1 − chance of a match) over the rows of the subquery, independent of each other; a row that stands in the query around
 * too is there what it is here.
 */
export interface Event {
  readonly from: SqlFrom
  readonly value: SqlExpr
  readonly variables: readonly Variable[]
  chance(around: Query): SqlExpr
  /** For each row of the lineage around, and each row and choice of the subquery, how the chance of the event moves with that choice's. */
  partners(
    around: Query,
    variable: number,
    identity: readonly { value: SqlExpr; alias: string }[],
  ): {
    readonly with: NonNullable<SqlSelect['with']>
    readonly moves: SqlSelect
  }
}

interface Nested {
  readonly select: ast.Select
  readonly tables: QueryTables
  readonly on: readonly SqlExpr[]
  /** Its own conditions, and that of `in`. */
  readonly where: readonly SqlExpr[]
}

/** The subquery of an expression, where models speak in it. */
export function predictedSubquery(spec: Spec, expr: ast.Expr): ast.Select | undefined {
  const query = expr.kind === 'exists' ? expr.query : expr.kind === 'in' ? expr.query : undefined
  if (!query) return undefined
  return speaks(spec, { kind: 'exists', query, start: 0, end: 0 }) ? query : undefined
}

export function hardSubquery(spec: Spec, expr: ast.Exists | ast.In, around: QueryTables, chances: Chances): SqlExpr {
  const select = expr.query!
  const tables = new QueryTables(spec, select, chances, around)
  const place = tables.place((e) =>
    (e.kind === 'exists' || e.kind === 'in') && predictedSubquery(spec, e) ? hardSubquery(spec, e, tables, chances) : undefined,
  )
  // The items and conditions as everywhere; only what stands in `from` differs, and it can be made once all is compiled.
  const plain = selectToSql(select, place)
  const on = select.joins.map((join) => toSql(join.on, place))
  const query: SqlSelect = { ...plain, ...tables.joined(select, 'hard', on) }
  if (expr.kind === 'exists') return { kind: 'exists', query }
  return { kind: 'in', negated: expr.negated, value: toSql(expr.value, aroundPlace(spec, around, chances)), query }
}

const aroundPlace = (spec: Spec, around: QueryTables, chances: Chances) =>
  around.place((e) =>
    (e.kind === 'exists' || e.kind === 'in') && predictedSubquery(spec, e) ? hardSubquery(spec, e, around, chances) : undefined,
  )

/** The event of a subquery, or the subquery itself where models speak in it of rows around only: these are enumerated already. */
export function relaxedSubquery(
  spec: Spec,
  expr: ast.Exists | ast.In,
  around: QueryTables,
  chances: Chances,
  index: number,
): Event | SqlExpr {
  const select = expr.query!
  const tables = new QueryTables(spec, select, chances, around)
  const place = tables.place()
  const on = select.joins.map((join) => toSql(join.on, place))
  const where = select.where ? [toSql(select.where, place)] : []
  if (expr.kind === 'in') where.push(binary(toSql(expr.value, around.place()), '=', toSql(select.items[0]!.value, place)))
  const variables = tables.variables()
  if (variables.length === 0)
    return { kind: 'exists', query: { items: [{ value: literal(1) }], ...tables.joined(select, 'relaxed', on), where: conjunction(where) } }
  const nested: Nested = { select, tables, on, where }
  const alias = `assay event ${index}`
  return {
    from: { kind: 'values', rows: [[literal(true)], [literal(false)]], alias, columns: ['value'] },
    value: column('value', alias),
    variables,
    chance: (query) => anyMatch(nested, variables, query),
    partners: (query, variable, identity) => partners(nested, variables, query, variable, identity),
  }
}

function anyMatch({ select, tables, on, where }: Nested, variables: readonly Variable[], around: Query): SqlExpr {
  const rows = tables.tables.map((t) => column(ROW, t.alias))
  const matched: SqlSelect = {
    items: [{ value: call('sum', product(factors(variables, around))), alias: 'q' }],
    ...tables.joined(select, 'relaxed', on),
    where: conjunction([...where, ...agreeing(variables)]),
    groupBy: rows,
  }
  const none = call('product', call('greatest', literal(0), binary(literal(1), '-', column('q', 'matched'))))
  const query: SqlSelect = { items: [{ value: none }], from: { kind: 'query', query: matched, alias: 'matched' } }
  return binary(literal(1), '-', call('coalesce', { kind: 'subquery', query }, literal(1)))
}

/** The chance of each variable's choice, given what the query around has chosen for the same row; `without` one of them: its derivative. */
function factors(variables: readonly Variable[], around: Query, without?: number): SqlExpr[] {
  return variables.flatMap((variable, v): SqlExpr[] => {
    const { alias } = variable.table
    const twins = around.tables.variables().filter((u) => isSameDraw(u, variable))
    const again = variables.slice(0, v).filter((u) => isSameDraw(u, variable))
    const known = column(chanceOf(variable.column), alias)
    const chance = variable.table.optional ? call('coalesce', known, literal(1)) : known
    let factor: SqlExpr = v === without ? literal(1) : chance
    const sameRow = (u: Variable) => binary(column(ROW, u.table.alias), '=', column(ROW, alias))
    for (const u of again) factor = choose(sameRow(u), literal(v === without ? 0 : 1), factor)
    for (const u of twins) {
      const agrees = binary(column(chosen(u.column), u.table.alias), '=', column(chosen(variable.column), alias))
      factor = choose(sameRow(u), v === without ? literal(0) : choose(agrees, literal(1), literal(0)), factor)
    }
    return [factor]
  })
}

function agreeing(variables: readonly Variable[]): SqlExpr[] {
  return variables.flatMap((b, v) =>
    variables.slice(0, v).flatMap((a): SqlExpr[] => {
      if (!isSameDraw(a, b)) return []
      const other = binary(column(ROW, a.table.alias), 'is distinct from', column(ROW, b.table.alias))
      const same = binary(column(chosen(a.column), a.table.alias), '=', column(chosen(b.column), b.table.alias))
      return [{ kind: 'logical', op: 'or', operands: [other, same] }]
    }),
  )
}

function partners(
  nested: Nested,
  variables: readonly Variable[],
  around: Query,
  variable: number,
  identity: readonly { value: SqlExpr; alias: string }[],
) {
  const outer = around.tables.joined(around.select, 'relaxed', around.on)
  const inner = nested.tables.joined(nested.select, 'relaxed', nested.on)
  const names = identity.map((i) => i.alias)
  const rows = nested.tables.tables.map((_, i) => `s${i}`)
  const own = (name: string) => column(name)
  const moving = variables[variable]!
  const pairs: SqlSelect = {
    items: [
      ...identity,
      ...nested.tables.tables.map((t, i) => ({ value: column(ROW, t.alias), alias: `s${i}` })),
      { value: column(chosen(moving.column), moving.table.alias), alias: 'class' },
      { value: product(factors(variables, around)), alias: 'p' },
      { value: product(factors(variables, around, variable)), alias: 'slope' },
    ],
    from: outer.from,
    joins: [...(outer.joins ?? []), { side: 'cross', from: inner.from! }, ...(inner.joins ?? [])],
    where: conjunction([...nested.where, ...agreeing(variables)]),
  }
  const unit = [...names, ...rows].map(own)
  const matched: SqlSelect = {
    items: [
      { value: star },
      { value: { kind: 'window', call: call('sum', own('p')), partitionBy: unit, orderBy: [] }, alias: 'q' },
      { value: { kind: 'window', call: call('row_number'), partitionBy: unit, orderBy: [] }, alias: 'n' },
    ],
    from: { kind: 'table', name: 'assay pairs' },
  }
  const around1 = names.map(own)
  const first = binary(own('n'), '=', literal(1))
  const when = (condition: SqlExpr): SqlExpr => ({ kind: 'logical', op: 'and', operands: [first, condition] })
  const open = choose(when(binary(own('q'), '<', literal(1))), binary(literal(1), '-', own('q')), literal(1))
  const sure = choose(when(binary(own('q'), '>=', literal(1))), literal(1), literal(0))
  const weighed: SqlSelect = {
    items: [
      { value: star },
      { value: { kind: 'window', call: call('product', open), partitionBy: around1, orderBy: [] }, alias: 'others' },
      { value: { kind: 'window', call: call('sum', sure), partitionBy: around1, orderBy: [] }, alias: 'sure' },
    ],
    from: { kind: 'table', name: 'assay matched' },
  }
  const certain = choose(binary(own('sure'), '=', literal(1)), own('others'), literal(0))
  const loose = choose(binary(own('sure'), '=', literal(0)), binary(own('others'), '/', binary(literal(1), '-', own('q'))), literal(0))
  const without = choose(binary(own('q'), '>=', literal(1)), certain, loose)
  const row = `s${moving.tableIndex}`
  return {
    with: [
      { name: 'assay pairs', query: pairs },
      { name: 'assay matched', query: matched },
      { name: 'assay weighed', query: weighed },
    ],
    moves: {
      items: [
        ...names.map((name) => ({ value: own(name), alias: `at ${name}` })),
        { value: own(row), alias: 'row' },
        { value: own('class'), alias: 'class' },
        { value: call('sum', binary(without, '*', own('slope'))), alias: 'w' },
      ],
      from: { kind: 'table' as const, name: 'assay weighed' },
      groupBy: [...names, row, 'class'].map(own),
    },
  }
}

const conjunction = (operands: readonly SqlExpr[]): SqlExpr | undefined =>
  operands.length === 0 ? undefined : { kind: 'logical', op: 'and', operands }
