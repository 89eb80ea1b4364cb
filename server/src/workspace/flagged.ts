import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr } from '../../../grammar/src/printer.ts'
import { walk } from '../../../grammar/src/walker.ts'
import { sameName } from '../check/names.ts'
import type { AssertSpec, ComplaintSpec, Spec } from '../check/spec.ts'
import type { AssertResult, ComplaintResult, FlaggedRow, Json, Key, RankedRow, Result } from '../protocol/results.ts'
import { originOf, type RowOrigin } from './row-origin.ts'

/** What a result holds against rows, and where these come from: what is marked in a file of data, and told to other tools. */
export interface Flagged {
  readonly rule: AssertSpec | ComplaintSpec
  readonly result: AssertResult | ComplaintResult
  readonly level: 'error' | 'warning' | 'info'
  /** The source that the rows are of, as declared; and what it reads, where its rows can be traced to it. */
  readonly source: string
  readonly origin: RowOrigin | undefined
  /** All that are flagged; `rows` may hold fewer, the worst first. */
  readonly total: number
  readonly rows: readonly Flag[]
}

export interface Flag {
  readonly id: string
  /** Of the row to be marked; of a group, its first. */
  readonly key: Key
  /** The column that the rule speaks of most directly, as the source names it, if there is one. */
  readonly column?: string
  /** What the row is known to say, by the reading's columns. */
  readonly values: Readonly<Record<string, Json>>
  readonly about:
    | { readonly kind: 'row'; readonly row: FlaggedRow /** The part of the rule that fails, as written. */; readonly condition: string }
    | { readonly kind: 'group'; readonly row: FlaggedRow; readonly condition: string }
    | { readonly kind: 'suspect'; readonly row: RankedRow }
}

/** The rows that a result flags; undefined where it flags none: it is no assertion or complaint, it passes, or its rule is gone. */
export function flaggedBy(spec: Spec, result: Result): Flagged | undefined {
  const rule = spec.declarations.find((one) => sameName(one.name, result.name))
  if (rule?.kind === 'assert' && result.kind === 'assert') return flaggedRows(spec, rule, result)
  if (rule?.kind === 'complaint' && result.kind === 'complaint') return suspects(spec, rule, result)
  return undefined
}

function flaggedRows(spec: Spec, rule: AssertSpec, result: AssertResult): Flagged | undefined {
  const warns = result.status === 'ok' && result.level === 'warning' && rule.level !== 'warning'
  if ((result.status !== 'violated' && !warns) || !result.flagged?.length) return undefined
  const origin = originOf(spec, rule.on.source)
  const parts = rule.require.flatMap(conjuncts)
  const named = columnsIn(spec, [...rule.require, ...(rule.severity ? [rule.severity] : [])])
  const rows = result.flagged.map((row): Flag => {
    const values = Object.fromEntries(
      named.flatMap(({ written, name }) => {
        const own = origin?.column(name)
        return own === undefined || row.values[written] === undefined ? [] : [[own, row.values[written]]]
      }),
    )
    if (rule.each.kind === 'group') {
      const condition = rule.require.map(printExpr).join(' and ')
      return { id: JSON.stringify(['group', row.key]), key: row.rows[0] ?? row.key, values: {}, about: { kind: 'group', row, condition } }
    }
    const failing = parts.find((part) => holds(part, row.values) === false) ?? (parts.length === 1 ? parts[0] : undefined)
    const [column] = columnsIn(spec, failing ? [failing] : rule.require)
    const condition = failing ? printExpr(failing) : rule.require.map(printExpr).join(' and ')
    return { id: JSON.stringify(row.key), key: row.key, column: column?.name, values, about: { kind: 'row', row, condition } }
  })
  return { rule, result, level: result.level ?? rule.level, source: rule.on.source, origin, total: result.total ?? rows.length, rows }
}

function suspects(spec: Spec, rule: ComplaintSpec, result: ComplaintResult): Flagged | undefined {
  if (result.status !== 'violated' || !result.ranking?.length) return undefined
  const { source } = rule.blame.of
  const origin = originOf(spec, source)
  const model = spec.declarations.find((one) => one.kind === 'model' && sameName(one.name, rule.using[0] ?? ''))
  const target = model?.kind === 'model' ? model.target.name : undefined
  const rows = result.ranking.map((row): Flag => {
    const known = Object.entries({ ...row.values, ...(target === undefined ? {} : { [target]: row.label }) })
    const values = known.flatMap(([name, value]) => {
      const own = origin?.column(name)
      return own === undefined || value === undefined ? [] : [[own, value] as const]
    })
    return {
      id: JSON.stringify(row.key),
      key: row.key,
      column: target,
      values: Object.fromEntries(values),
      about: { kind: 'suspect', row },
    }
  })
  return { rule, result, level: 'info', source, origin, total: rows.length, rows }
}

function conjuncts(expr: ast.Expr): readonly ast.Expr[] {
  return expr.kind === 'logical' && expr.op === 'and' ? expr.operands.flatMap(conjuncts) : [expr]
}

function columnsIn(spec: Spec, exprs: readonly ast.Expr[]): readonly { readonly name: string; readonly written: string }[] {
  const found: { name: string; written: string }[] = []
  for (const expr of exprs)
    walk(expr, (inner) => {
      const meaning = spec.meanings.get(inner)
      if (meaning?.kind === 'column') found.push({ name: meaning.column.name, written: printExpr(inner) })
    })
  return found
}

/** Whether a simple condition holds for values by the names under which they are written; undefined where only the database could tell. */
function holds(expr: ast.Expr, values: Readonly<Record<string, Json>>): boolean | undefined {
  const value = (one: ast.Expr): Json | undefined => {
    if (one.kind === 'number' || one.kind === 'string' || one.kind === 'boolean') return one.value
    if (one.kind === 'unary' && one.op === '-' && one.operand.kind === 'number') return -one.operand.value
    return values[printExpr(one)]
  }
  const compare = (left: ast.Expr, right: ast.Expr): number | undefined => {
    const a = value(left)
    const b = value(right)
    if (typeof a === 'number' && typeof b === 'number') return a - b
    if (typeof a === 'string' && typeof b === 'string' && left.kind !== right.kind) return a === b ? 0 : a < b ? -1 : 1
    return undefined
  }
  if (expr.kind === 'is_null') {
    const found = value(expr.value)
    return found === undefined ? undefined : (found === null) !== expr.negated
  }
  if (expr.kind === 'between') {
    const low = compare(expr.value, expr.low)
    const high = compare(expr.value, expr.high)
    return low === undefined || high === undefined ? undefined : (low >= 0 && high <= 0) !== expr.negated
  }
  if (expr.kind !== 'binary') return undefined
  const order = compare(expr.left, expr.right)
  const test = order === undefined ? undefined : tests[expr.op]
  return test?.(order!)
}
const tests: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}
