import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr as printWritten } from '../../../grammar/src/printer.ts'
import { walk } from '../../../grammar/src/walker.ts'
import type { AssertSpec, Spec } from '../check/spec.ts'
import { printSelect } from '../sql/print.ts'
import { SPLIT, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { sourceNamed, toSql } from './expression.ts'
import { keyExpression } from './keys.ts'
import type { AssertTask, PredictionPlan } from './plan.ts'
import { predictedPlace } from './predicted.ts'

/**
 * An assertion as one SQL query: every row (or group) judged, counted, and the failing ones beside the counts, worst first.
 * A `require` that is NULL is unknown; severity 0 abstains. Ties are broken by key, so that the order of rows does not matter.
 */
export const FLAGGED_LIMIT = 1000
const ROWS_PER_GROUP = 100

const S = 's'
const own = (name: string): SqlExpr => ({ kind: 'column', name })
const number = (value: number): SqlExpr => ({ kind: 'literal', value })

export function assertTask(spec: Spec, assertion: AssertSpec): AssertTask {
  if (assertion.each.kind === 'later') throw new Error('check marks this as later')
  const source = sourceNamed(spec, assertion.on.source)
  const place = predictedPlace(spec, source.name, S)
  const holds: SqlExpr = { kind: 'logical', op: 'and', operands: assertion.require.map((r) => toSql(r, place)) }
  const severity: SqlExpr = assertion.severity
    ? { kind: 'cast', value: toSql(assertion.severity, place), type: 'double' }
    : { kind: 'literal', value: 1 }
  const shown = shownValues(assertion, spec).map((e) => ({ name: printWritten(e), sql: toSql(e, place) }))
  const groups = assertion.each.kind === 'group' ? assertion.each.by.map((g) => ({ name: printWritten(g), sql: toSql(g, place) })) : []
  const key = keyExpression(source, S)
  const identity =
    assertion.each.kind === 'group'
      ? [...groups.map((g, i) => ({ value: g.sql, alias: `assay group ${i}` })), { value: firstKeys(key), alias: 'assay rows' }]
      : [{ value: key, alias: 'assay rows' }]
  const judged: SqlSelect = {
    items: [
      ...identity,
      { value: holds, alias: 'assay holds' },
      { value: { kind: 'call', name: 'coalesce', args: [severity, number(1)] }, alias: 'assay severity' },
      ...shown.map((v, i) => ({ value: v.sql, alias: `assay value ${i}` })),
    ],
    from: { kind: 'table', name: source.name, alias: S },
    joins: place.joins(),
    where: assertion.on.split === undefined ? undefined : inSplit(assertion.on.split),
    groupBy: groups.map((g) => g.sql),
  }
  return {
    kind: 'assert',
    on: { source: source.name, split: assertion.on.split },
    scope: assertion.each.kind,
    predictions: place.predictions() as PredictionPlan[],
    sql: printSelect(countsBesideFlagged(judged, groups.length)),
    groupColumns: groups.map((g) => g.name),
    valueColumns: shown.map((v) => v.name),
    level: assertion.level,
    warnAbove: assertion.warnAbove,
    failAbove: assertion.failAbove,
  }
}

export const inSplit = (split: string, alias: string = S): SqlExpr => ({
  kind: 'binary',
  op: '=',
  left: { kind: 'column', table: alias, name: SPLIT },
  right: { kind: 'literal', value: split },
})

function firstKeys(key: SqlExpr): SqlExpr {
  const all: SqlExpr = { kind: 'call', name: 'list', args: [key], orderBy: [{ value: key, descending: false }] }
  const cut: SqlExpr = { kind: 'call', name: 'list_slice', args: [all, number(1), number(ROWS_PER_GROUP)] }
  return { kind: 'cast', value: { kind: 'call', name: 'to_json', args: [cut] }, type: 'varchar' }
}

function countsBesideFlagged(judged: SqlSelect, groups: number): SqlSelect {
  const fails: SqlExpr = {
    kind: 'logical',
    op: 'and',
    operands: [
      { kind: 'unary', op: 'not', operand: own('assay holds') },
      { kind: 'binary', op: '<>', left: own('assay severity'), right: number(0) },
    ],
  }
  const counting = (filter?: SqlExpr): SqlExpr => ({ kind: 'call', name: 'count', args: [{ kind: 'star' }], filter })
  const ties = groups === 0 ? [own('assay rows')] : Array.from({ length: groups }, (_, i) => own(`assay group ${i}`))
  const worstFirst = [{ value: own('assay severity'), descending: true }, ...ties.map((value) => ({ value, descending: false }))]
  return {
    with: [
      { name: 'assay judged', query: judged },
      {
        name: 'assay counts',
        query: {
          items: [
            { value: counting(), alias: 'assay checked' },
            { value: counting(fails), alias: 'assay failed' },
            { value: counting({ kind: 'is_null', negated: false, value: own('assay holds') }), alias: 'assay unknown' },
          ],
          from: { kind: 'table', name: 'assay judged' },
        },
      },
      {
        name: 'assay flagged',
        query: {
          items: [{ value: { kind: 'star' } }],
          from: { kind: 'table', name: 'assay judged' },
          where: fails,
          orderBy: worstFirst,
          limit: FLAGGED_LIMIT,
        },
      },
    ],
    items: [{ value: { kind: 'star' } }],
    from: { kind: 'table', name: 'assay counts' },
    joins: [{ side: 'left', from: { kind: 'table', name: 'assay flagged' }, on: { kind: 'literal', value: true } }],
    orderBy: worstFirst,
  }
}

/** What a person needs to see of a flagged row: columns and predictions that its rule speaks of; for groups the aggregates. */
function shownValues(assertion: AssertSpec, spec: Spec): ast.Expr[] {
  const found = new Map<string, ast.Expr>()
  const add = (e: ast.Expr) => found.set(printWritten(e), e)
  const visit = (root: ast.Expr) =>
    walk(root, (e) => {
      const meaning = spec.meanings.get(e)
      if (e.kind === 'call') {
        const own = meaning?.kind === 'predict' || meaning?.kind === 'score'
        const aggregate = meaning?.kind === 'function' && meaning.aggregate
        if (own && assertion.each.kind === 'row') add(e)
        if (aggregate && assertion.each.kind === 'group') add(e)
        return own || aggregate ? 'skip' : undefined
      }
      if (e.kind !== 'column' || assertion.each.kind !== 'row') return undefined
      if (meaning?.kind === 'column' && meaning.column.type !== 'image' && meaning.column.type !== 'blob') add(e)
      if (meaning?.kind === 'partition') add(e)
      if (meaning?.kind === 'slice') {
        const slice = spec.declarations.find((d) => d.kind === 'slice' && d.name.toLowerCase() === meaning.slice.toLowerCase())
        if (slice?.kind === 'slice') visit(slice.where)
      }
      return undefined
    })
  for (const e of assertion.require) visit(e)
  if (assertion.severity) visit(assertion.severity)
  return [...found.values()]
}
