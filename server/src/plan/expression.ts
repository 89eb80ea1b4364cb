import type * as ast from '../../../grammar/src/ast.ts'
import type { Meaning, Spec } from '../check/spec.ts'
import type { SqlExpr, SqlFrom, SqlOrder, SqlSelect } from '../sql/tree.ts'
import { KEY, ROW, SPLIT } from '../sql/tree.ts'
import { canonicalSlice, partitionExpression } from './predicates.ts'

/**
 * From checked expressions to SQL trees. What a column, `predict()` or `score()` becomes depends on where the expression stands (over a
 * source's rows, over a lineage, over a query's answer), so the place hands in a `Place`; everything else is the same everywhere.
 */
export interface Place {
  readonly spec: Spec
  /** SQL alias of the table that a meaning without a table speaks of, or of the table it names. */
  table(name: string | undefined): string | undefined
  predict(model: string, table: string | undefined): SqlExpr
  score(model: string, label: ast.Expr, table: string | undefined): SqlExpr
  output?(column: string): SqlExpr
  /** What an expression becomes where the place has a way of its own for it. */
  special?(expr: ast.Expr): SqlExpr | undefined
}

/** A place where no model may speak: views, slices, splits. */
export function dataPlace(spec: Spec, alias?: (name: string | undefined) => string | undefined): Place {
  const refuse = (): never => {
    throw new Error('a model was asked for where only data may be: check should have refused it')
  }
  return { spec, table: alias ?? (() => undefined), predict: refuse, score: refuse }
}

const column = (name: string, table?: string): SqlExpr => (table === undefined ? { kind: 'column', name } : { kind: 'column', table, name })

export function toSql(expr: ast.Expr, place: Place): SqlExpr {
  const special = place.special?.(expr)
  if (special) return special
  const sub = (e: ast.Expr) => toSql(e, place)
  switch (expr.kind) {
    case 'number':
      return { kind: 'literal', value: expr.value }
    case 'percent':
      return { kind: 'literal', value: expr.value }
    case 'duration':
      return { kind: 'interval', seconds: expr.value }
    case 'string':
    case 'boolean':
      return { kind: 'literal', value: expr.value }
    case 'null':
      return { kind: 'literal', value: null }
    case 'column':
      return named(place.spec.meanings.get(expr), expr.name.text, place)
    case 'star':
      return { kind: 'star' }
    case 'call':
      return call(expr, place)
    case 'unary':
      return { kind: 'unary', op: expr.op, operand: sub(expr.operand) }
    case 'binary':
      return { kind: 'binary', op: expr.op, left: sub(expr.left), right: sub(expr.right) }
    case 'logical':
      return { kind: 'logical', op: expr.op, operands: expr.operands.map(sub) }
    case 'between':
      return { kind: 'between', negated: expr.negated, value: sub(expr.value), low: sub(expr.low), high: sub(expr.high) }
    case 'in':
      return {
        kind: 'in',
        negated: expr.negated,
        value: sub(expr.value),
        list: expr.list?.map(sub),
        query: expr.query && selectToSql(expr.query, place),
      }
    case 'like':
      return { kind: 'like', negated: expr.negated, value: sub(expr.value), pattern: sub(expr.pattern) }
    case 'is_null':
      return { kind: 'is_null', negated: expr.negated, value: sub(expr.value) }
    case 'case':
      return {
        kind: 'case',
        subject: expr.subject && sub(expr.subject),
        whens: expr.whens.map((w) => ({ when: sub(w.when), then: sub(w.then) })),
        otherwise: expr.otherwise && sub(expr.otherwise),
      }
    case 'cast':
      return { kind: 'cast', value: sub(expr.value), type: expr.type.text }
    case 'exists':
      return { kind: 'exists', query: selectToSql(expr.query, place) }
    case 'list':
      return { kind: 'list', items: expr.items.map(sub) }
  }
}

function named(meaning: Meaning | undefined, written: string, place: Place): SqlExpr {
  switch (meaning?.kind) {
    case 'column':
      return column(meaning.column.name, place.table(meaning.table))
    case 'pseudo':
      return column(PSEUDO[meaning.column], place.table(meaning.table))
    case 'slice':
      return toSql(
        canonicalSlice(place.spec, meaning.slice).where,
        dataPlace(place.spec, () => place.table(meaning.table)),
      )
    case 'partition':
      return partitionExpression(place.spec, meaning.partition, (name) => column(name, place.table(meaning.table)))
    case 'output':
      return place.output ? place.output(meaning.column) : column(meaning.column)
    default:
      throw new Error(`\`${written}\` has no meaning: check should have refused it`)
  }
}

const PSEUDO = { split: SPLIT, rowid: ROW, key: KEY } as const

function call(expr: ast.Call, place: Place): SqlExpr {
  const meaning = place.spec.meanings.get(expr)
  switch (meaning?.kind) {
    case 'predict':
      return place.predict(meaning.model, meaning.table)
    case 'score':
      return place.score(meaning.model, meaning.label, meaning.table)
    case 'assertion_aggregate':
      return agree(expr, place)
    default:
      return {
        kind: 'call',
        name: expr.callee.text.toLowerCase(),
        distinct: expr.distinct,
        args: expr.args.map((a) => toSql(a.value, place)),
      }
  }
}

/** `agree(x)`: all rows that have a value have the same one. */
function agree(expr: ast.Call, place: Place): SqlExpr {
  const args = expr.args.map((a) => toSql(a.value, place))
  return {
    kind: 'binary',
    op: '<=',
    left: { kind: 'call', name: 'count', distinct: true, args },
    right: { kind: 'literal', value: 1 },
  }
}

export const order = (items: readonly ast.OrderItem[], place: Place): SqlOrder[] =>
  items.map((i) => ({ value: toSql(i.value, place), descending: i.descending }))

/** The table that a FROM item reads; a split is the source's rows with that `split`. */
export function fromRef(spec: Spec, table: ast.TableRef): { from: SqlFrom; alias: string; source: string } {
  const source = sourceNamed(spec, table.ref.source.text).name
  const alias = table.alias?.text ?? source
  if (!table.ref.split) return { from: { kind: 'table', name: source, alias }, alias, source }
  const query: SqlSelect = {
    items: [{ value: { kind: 'star' } }],
    from: { kind: 'table', name: source },
    where: { kind: 'binary', op: '=', left: column(SPLIT), right: { kind: 'literal', value: table.ref.split.text } },
  }
  return { from: { kind: 'query', query, alias }, alias, source }
}

/** A select over sources, with stars written out (hidden columns never leak). `names` are the output columns in order, where they are known. */
export function selectToSql(select: ast.Select, outer: Place, names?: readonly string[]): SqlSelect {
  const spec = outer.spec
  const tables = [...(select.from ? [select.from] : []), ...select.joins.map((j) => j.table)].map((t) => fromRef(spec, t))
  const only = tables.length === 1 ? tables[0]?.alias : undefined
  const known = (name: string) => tables.find((t) => same(t.alias, name))?.alias
  const place: Place = { ...outer, table: (name) => (name === undefined ? only : (known(name) ?? outer.table(name))) }
  const items = select.items.flatMap((item): { value: SqlExpr; alias?: string }[] => {
    if (item.value.kind !== 'star') return [{ value: toSql(item.value, place), alias: item.alias?.text }]
    const wanted = item.value.table
    return tables
      .filter((t) => wanted === undefined || same(t.alias, wanted.text))
      .flatMap((t) => sourceNamed(spec, t.source).schema.map((c) => ({ value: column(c.name, t.alias), alias: c.name })))
  })
  return {
    distinct: select.distinct,
    items: names ? items.map((item, i) => ({ value: item.value, alias: names[i] ?? item.alias })) : items,
    from: tables[0]?.from,
    joins: select.joins.map((j, i) => ({
      side: j.side,
      from: tables[i + 1]!.from,
      on: toSql(j.on, place),
    })),
    where: select.where && toSql(select.where, place),
    groupBy: select.groupBy.map((g) => toSql(g, place)),
    having: select.having && toSql(select.having, place),
    orderBy: order(select.orderBy, place),
    limit: select.limit?.value,
  }
}

export const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

export function sourceNamed(spec: Spec, name: string) {
  const found = spec.declarations.find((d) => d.kind === 'source' && same(d.name, name))
  if (found?.kind !== 'source') throw new Error(`no source ${name}: check should have refused it`)
  return found
}
