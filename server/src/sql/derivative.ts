import { binary, call, literal } from './build.ts'
import type { SqlExpr } from './tree.ts'

/**
 * Forward differentiation of an expression by one of its columns, as another expression: how a value computed from a predicted number or a
 * probability moves with it. `undefined` is zero. Conditions of a `case` are taken as constant.
 */
export class NotSmooth extends Error {}

type Chain = (of: readonly SqlExpr[]) => readonly SqlExpr[]
const one = literal(1)

/** Functions with a derivative, by name: partial derivatives by each argument. */
const CHAIN: Readonly<Record<string, Chain>> = {
  ln: ([x]) => [binary(one, '/', x!)],
  log10: ([x]) => [binary(literal(Math.LOG10E), '/', x!)],
  log2: ([x]) => [binary(literal(Math.LOG2E), '/', x!)],
  exp: ([x]) => [call('exp', x!)],
  sqrt: ([x]) => [binary(literal(0.5), '/', call('sqrt', x!))],
  abs: ([x]) => [call('sign', x!)],
  sin: ([x]) => [call('cos', x!)],
  cos: ([x]) => [{ kind: 'unary', op: '-', operand: call('sin', x!) }],
  pow: ([x, n]) => [binary(n!, '*', call('pow', x!, binary(n!, '-', one))), binary(call('pow', x!, n!), '*', call('ln', x!))],
}
const ALIAS: Readonly<Record<string, string>> = { log: 'log10', power: 'pow' }

/** Names that `derivative` knows, `greatest`, `least` and `coalesce` among them. */
export const isSmooth = (name: string): boolean =>
  (ALIAS[name] ?? name) in CHAIN || name === 'greatest' || name === 'least' || name === 'coalesce'

export const mentions = (expr: SqlExpr, by: (column: SqlExpr) => boolean): boolean =>
  by(expr) || operandsOf(expr).some((operand) => mentions(operand, by))

/** O(size²) in the depth of products. Throws `NotSmooth` where an operation that depends on the column has no derivative. */
export function derivative(expr: SqlExpr, by: (column: SqlExpr) => boolean): SqlExpr | undefined {
  if (by(expr)) return one
  if (!mentions(expr, by)) return undefined
  const d = (e: SqlExpr) => derivative(e, by)
  switch (expr.kind) {
    case 'unary':
      return expr.op === 'not' ? smoothless() : negated(expr.op, d(expr.operand))
    case 'cast':
      return d(expr.value)
    case 'case': {
      const whens = expr.whens.map((w) => ({ when: w.when, then: d(w.then) ?? literal(0) }))
      return { kind: 'case', subject: expr.subject, whens, otherwise: (expr.otherwise && d(expr.otherwise)) ?? literal(0) }
    }
    case 'binary': {
      const { op, left, right } = expr
      const [l, r] = [d(left), d(right)]
      if (op === '+') return sum(l, r)
      if (op === '-') return sum(l, negated('-', r))
      if (op === '*') return sum(l && binary(l, '*', right), r && binary(left, '*', r))
      if (op !== '/') return smoothless()
      return sum(l && binary(l, '/', right), r && negated('-', binary(binary(left, '*', r), '/', binary(right, '*', right))))
    }
    case 'call':
      return ofCall(expr.name, expr.args, d)
    default:
      return smoothless()
  }
}

function ofCall(name: string, args: readonly SqlExpr[], d: (e: SqlExpr) => SqlExpr | undefined): SqlExpr | undefined {
  const slopes = args.map(d)
  if (name === 'greatest' || name === 'least') {
    const whole = call(name, ...args)
    const whens = args.map((arg, i) => ({ when: binary(arg, '=', whole), then: slopes[i] ?? literal(0) }))
    return { kind: 'case', whens, otherwise: literal(0) }
  }
  if (name === 'coalesce') {
    const whens = args.map((value, i) => ({ when: { kind: 'is_null', negated: true, value } as const, then: slopes[i] ?? literal(0) }))
    return { kind: 'case', whens, otherwise: literal(0) }
  }
  const chain = CHAIN[ALIAS[name] ?? name]
  if (!chain) return smoothless()
  const partial = chain(args)
  return slopes.reduce((total, slope, i) => sum(total, slope && binary(partial[i] ?? smoothless(), '*', slope)), undefined)
}

const sum = (left: SqlExpr | undefined, right: SqlExpr | undefined) => (left && right ? binary(left, '+', right) : (left ?? right))
const negated = (op: '-' | '+', e: SqlExpr | undefined): SqlExpr | undefined =>
  op === '+' || !e ? e : { kind: 'unary', op: '-', operand: e }
const smoothless = (): never => {
  throw new NotSmooth('an operation without a derivative')
}

function operandsOf(expr: SqlExpr): readonly SqlExpr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args
    case 'unary':
      return [expr.operand]
    case 'binary':
      return [expr.left, expr.right]
    case 'logical':
      return expr.operands
    case 'between':
      return [expr.value, expr.low, expr.high]
    case 'in':
      return [expr.value, ...(expr.list ?? [])]
    case 'like':
      return [expr.value, expr.pattern]
    case 'is_null':
    case 'cast':
      return [expr.value]
    case 'case':
      return [
        ...(expr.subject ? [expr.subject] : []),
        ...expr.whens.flatMap((w) => [w.when, w.then]),
        ...(expr.otherwise ? [expr.otherwise] : []),
      ]
    case 'list':
      return expr.items
    default:
      return []
  }
}
