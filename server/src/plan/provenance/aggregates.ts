import type * as ast from '../../../../grammar/src/ast.ts'
import { printExpr as printWritten } from '../../../../grammar/src/printer.ts'
import { childrenOf } from '../../../../grammar/src/walker.ts'
import type { Spec } from '../../check/spec.ts'
import { binary, call, literal } from '../../sql/build.ts'
import type { SqlExpr } from '../../sql/tree.ts'
import { type Place, same, toSql } from '../expression.ts'
import { Later } from '../later.ts'
import type { OutputTree, SmoothCall } from '../plan.ts'
import { choose, product, type Slot, total } from './lineage.ts'
import { constantOf } from './query-tables.ts'

/**
 * Answers and conditions over groups as trees over slots. Sums and counts are slots; averages and variances are computed from them; a condition on a sum
 * (`having`, the `where` of an expectation of rows) is the chance that it holds, with the sum taken as normal with its mean and its variance over
 * independent rows, and half a row of continuity for counts: a step where the predictions are certain.
 */
export class Answers {
  readonly slots: Slot[] = []
  readonly #spec: Spec
  readonly #place: Place
  readonly #query: ast.Select
  readonly #groups: readonly ast.Expr[]

  constructor(spec: Spec, query: ast.Select, groups: readonly ast.Expr[], place: Place) {
    this.#spec = spec
    this.#query = query
    this.#groups = groups
    this.#place = { ...place, output: (name) => toSql(this.item(name), this.#place) }
  }

  /** The item that an output stands for. */
  item(name: string): ast.Expr {
    const found = this.#query.items.find((i) => same(outputName(i), name))
    if (!found) throw new Error(`no output ${name}: check should have refused it`)
    return found.value
  }

  slot(slot: Slot): OutputTree {
    const known = this.slots.findIndex((s) => JSON.stringify(s) === JSON.stringify(slot))
    if (known >= 0) return { kind: 'slot', slot: known }
    this.slots.push(slot)
    return { kind: 'slot', slot: this.slots.length - 1 }
  }

  sql(expr: ast.Expr): SqlExpr {
    return toSql(expr, this.#place)
  }

  sum(value: SqlExpr): OutputTree {
    return this.slot({ kind: 'sum', value })
  }

  #resolved(expr: ast.Expr): ast.Expr {
    const meaning = this.#spec.meanings.get(expr)
    return meaning?.kind === 'output' ? this.item(meaning.column) : expr
  }

  /** Whether it is the same for all rows of a group. */
  #isFixed(expr: ast.Expr): boolean {
    const e = this.#resolved(expr)
    if (this.#groups.some((g) => same(printWritten(g), printWritten(e)))) return true
    const meaning = this.#spec.meanings.get(e)
    if (meaning?.kind === 'function' ? meaning.aggregate : meaning !== undefined) return false
    return childrenOf(e).every((child) => this.#isFixed(child))
  }

  value(expr: ast.Expr): OutputTree {
    const e = this.#resolved(expr)
    const constant = constantOf(e)
    if (constant !== undefined) return { kind: 'number', value: constant }
    if (this.#isFixed(e)) return this.slot({ kind: 'fixed', value: number(this.sql(e)) })
    if (e.kind === 'unary' && e.op !== 'not') {
      const operand = this.value(e.operand)
      return e.op === '-' ? { kind: 'unary', op: '-', operand } : operand
    }
    if (e.kind === 'binary' && (e.op === '+' || e.op === '-' || e.op === '*' || e.op === '/')) {
      return divided(e.op, this.value(e.left), this.value(e.right))
    }
    if (e.kind === 'cast') return this.value(e.value)
    if (e.kind === 'call' && !e.distinct) {
      const found = this.#aggregate(e) ?? this.#scalar(e)
      if (found) return found
    }
    throw new Later(`\`${printWritten(e)}\` in what is expected of a complaint’s query`)
  }

  /** The values that a `count` or `sum` adds up. */
  #summand(e: ast.Call): SqlExpr | undefined {
    const name = e.callee.text.toLowerCase()
    const argument = e.args[0]?.value
    if (name === 'count_star' || (name === 'count' && (!argument || argument.kind === 'star'))) return literal(1)
    if (!argument) return undefined
    if (name === 'count') return counted(this.sql(argument))
    if (name === 'count_if' || name === 'countif') return choose(this.sql(argument), literal(1), literal(0))
    return /^(sum|fsum|kahan_sum|sumkahan)$/.test(name) ? number(this.sql(argument)) : undefined
  }

  #aggregate(e: ast.Call): OutputTree | undefined {
    const summand = this.#summand(e)
    if (summand) return this.sum(summand)
    const name = e.callee.text.toLowerCase()
    const argument = e.args[0]?.value
    if (!argument) return undefined
    const value = this.sql(argument)
    const n = () => this.sum(counted(value))
    if (/^(avg|mean|favg)$/.test(name)) return divided('/', this.sum(number(value)), n())
    if (!/^(var|stddev)(iance)?(_pop|_samp)?$/.test(name)) return undefined
    const sum = this.sum(number(value))
    const squares = this.sum(binary(number(value), '*', number(value)))
    const away = divided('-', squares, divided('/', divided('*', sum, sum), n()))
    const variance = divided('/', away, name.endsWith('_pop') ? n() : divided('-', n(), { kind: 'number', value: 1 }))
    return name.startsWith('var') ? variance : { kind: 'deviation', variance, square: divided('/', squares, n()) }
  }

  #scalar(e: ast.Call): OutputTree | undefined {
    const name = e.callee.text.toLowerCase()
    const args = e.args.map((a) => a.value)
    if (name === 'coalesce' || name === 'ifnull') return { kind: 'coalesce', operands: args.map((a) => this.value(a)) }
    if (name === 'nullif') return { kind: 'nullif', left: this.value(args[0]!), right: this.value(args[1]!) }
    const smooth = name === 'log' ? 'log10' : name
    if (args.length === 1 && /^(sqrt|ln|log10|log2|exp|abs)$/.test(smooth)) {
      return { kind: 'call', name: smooth as SmoothCall, operand: this.value(args[0]!) }
    }
    return undefined
  }

  /** The chance that a condition on a group holds. */
  condition(expr: ast.Expr): OutputTree {
    const e = this.#resolved(expr)
    if (this.#isFixed(e)) return this.slot({ kind: 'fixed', value: choose(this.sql(e), literal(1), literal(0)) })
    if (e.kind === 'logical') return { kind: e.op === 'and' ? 'all' : 'any', operands: e.operands.map((o) => this.condition(o)) }
    if (e.kind === 'unary' && e.op === 'not') return inverse(this.condition(e.operand))
    if (e.kind === 'between') {
      const [low, high] = [this.#compared('>=', e.value, e.low), this.#compared('<=', e.value, e.high)]
      // P(low ≤ X ≤ high) = P(X ≥ low) + P(X ≤ high) − 1: one sum, not two independent ones.
      const both = low && high && divided('-', divided('+', low, high), { kind: 'number', value: 1 })
      if (both) return e.negated ? inverse(both) : both
    }
    if (e.kind === 'binary') {
      const found = this.#compared(e.op, e.left, e.right)
      if (found) return found
    }
    throw new Later(`\`${printWritten(e)}\` as a condition on groups in a complaint`)
  }

  #compared(op: string, left: ast.Expr, right: ast.Expr): OutputTree | undefined {
    const [l, r] = [this.#ratio(left), this.#ratio(right)]
    if (!l || !r || (l.below && r.terms.length > 0) || (r.below && l.terms.length > 0)) return undefined
    if (r.below && !l.below) return this.#compared(FLIPPED[op] ?? op, right, left)
    if (r.below) return undefined
    // a/b > t is a − t·b > 0, for a count b that is not zero.
    const shifted = l.below ? minus(l, { terms: l.below.map((t) => ({ ...t, by: t.by * r.constant })), constant: 0 }) : minus(l, r)
    if (shifted.terms.length === 0) return undefined
    const u = total(shifted.terms.map((t) => (t.by === 1 ? t.value : product([literal(t.by), t.value]))))
    const mean = this.sum(u)
    const variance = this.slot({ kind: 'variance', of: mean.kind === 'slot' ? mean.slot : 0 })
    const at = shifted.constant === 0 ? 0 : -shifted.constant
    const whole = Number.isInteger(at) && shifted.terms.every((t) => t.whole && Number.isInteger(t.by))
    const above = (closed: boolean): OutputTree => ({
      kind: 'tail',
      mean,
      variance,
      at: whole ? at + (closed ? -0.5 : 0.5) : at,
      closed,
    })
    switch (op) {
      case '>':
        return above(false)
      case '>=':
        return above(true)
      case '<':
        return inverse(above(true))
      case '<=':
        return inverse(above(false))
      case '=':
        return whole ? divided('-', above(true), above(false)) : undefined
      case '<>':
        return whole ? inverse(divided('-', above(true), above(false))) : undefined
      default:
        return undefined
    }
  }

  #ratio(expr: ast.Expr): Ratio | undefined {
    const e = this.#resolved(expr)
    if (e.kind === 'call' && !e.distinct && /^(avg|mean|favg)$/i.test(e.callee.text) && e.args[0]) {
      const value = this.sql(e.args[0].value)
      return { ...term(number(value)), below: term(counted(value), 'whole').terms }
    }
    if (e.kind === 'binary' && e.op === '/' && constantOf(e.right) === undefined) {
      const [above, below] = [this.#linear(e.left), this.#linear(e.right)]
      const isCount = below?.constant === 0 && below.terms.every((t) => t.whole && t.by > 0)
      return above && above.constant === 0 && isCount ? { ...above, below: below.terms } : undefined
    }
    return this.#linear(e)
  }

  #linear(expr: ast.Expr): Linear | undefined {
    const e = this.#resolved(expr)
    const constant = constantOf(e)
    if (constant !== undefined) return { terms: [], constant }
    if (e.kind === 'cast') return this.#linear(e.value)
    if (e.kind === 'unary' && e.op !== 'not') {
      const operand = this.#linear(e.operand)
      return operand && (e.op === '-' ? scaled(operand, -1) : operand)
    }
    if (e.kind === 'binary') {
      const [left, right] = [this.#linear(e.left), this.#linear(e.right)]
      if (!left || !right) return undefined
      if (e.op === '+') return minus(left, scaled(right, -1))
      if (e.op === '-') return minus(left, right)
      if (e.op === '*' && left.terms.length === 0) return scaled(right, left.constant)
      if (e.op === '*' && right.terms.length === 0) return scaled(left, right.constant)
      return e.op === '/' && right.terms.length === 0 ? scaled(left, 1 / right.constant) : undefined
    }
    if (e.kind !== 'call' || e.distinct) return undefined
    const summand = this.#summand(e)
    return summand && term(summand, /^count/i.test(e.callee.text) ? 'whole' : 'any')
  }
}

interface Linear {
  readonly terms: readonly { readonly value: SqlExpr; readonly by: number; readonly whole: boolean }[]
  readonly constant: number
}
interface Ratio extends Linear {
  readonly below?: Linear['terms']
}
const FLIPPED: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' }
const term = (value: SqlExpr, numbers: 'whole' | 'any' = 'any'): Linear => ({
  terms: [{ value, by: 1, whole: numbers === 'whole' }],
  constant: 0,
})
const scaled = ({ terms, constant }: Linear, by: number): Linear => ({
  terms: terms.map((t) => ({ ...t, by: t.by * by })),
  constant: constant * by,
})
const minus = (left: Linear, right: Linear): Linear => ({
  terms: [...left.terms, ...scaled(right, -1).terms],
  constant: left.constant - right.constant,
})
const divided = (op: '+' | '-' | '*' | '/', left: OutputTree, right: OutputTree): OutputTree => ({ kind: 'binary', op, left, right })
const inverse = (tree: OutputTree): OutputTree => divided('-', { kind: 'number', value: 1 }, tree)

export const number = (value: SqlExpr): SqlExpr => call('coalesce', { kind: 'cast', value, type: 'double' }, literal(0))
const counted = (value: SqlExpr): SqlExpr => choose({ kind: 'is_null', negated: true, value }, literal(1), literal(0))

export function outputName(item: ast.SelectItem): string {
  if (item.alias) return item.alias.text
  return item.value.kind === 'column' ? item.value.name.text : printWritten(item.value)
}
