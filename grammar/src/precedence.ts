/** Operands and operators in the order of the text, and how precedence makes a tree of them. */
import type * as ast from './ast.ts'
import { endOf, spanOf, type Token } from './lexer.ts'
import { maxDepth, refuse } from './refusal.ts'

export type Part =
  | { readonly kind: 'operand'; readonly value: ast.Expr; readonly start: number; readonly end: number }
  | { readonly kind: 'prefix'; readonly op: '-' | '+' | 'not'; readonly token: Token }
  | { readonly kind: 'infix'; readonly op: Infix; readonly negated: boolean; readonly token: Token }
  | { readonly kind: 'is_null'; readonly negated: boolean; readonly token: Token; readonly end: number }
  | {
      readonly kind: 'in'
      readonly negated: boolean
      readonly token: Token
      readonly end: number
      readonly list?: readonly ast.Expr[]
      readonly query?: ast.Select
    }
export type Infix = ast.BinaryOp | 'and' | 'or' | 'like' | 'between'

/** SQL's order, loosest first (as PostgreSQL and DuckDB have it): or, and, not, is, comparisons, between in like, ||, + -, * / %, signs. */
const level: Readonly<Record<Infix | 'not' | 'is_null' | 'in' | 'sign', number>> = {
  or: 1,
  and: 2,
  not: 3,
  is_null: 4,
  '=': 5,
  '<>': 5,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  between: 6,
  in: 6,
  like: 6,
  '||': 7,
  '+': 8,
  '-': 8,
  '*': 9,
  '/': 9,
  '%': 9,
  sign: 10,
}
const comparison = level['=']
const aboveIn = level['||']
/** Longer chains would make trees too deep to walk. */
const maxChain = 500

/** How tightly an operator binds; also what decides on parentheses in print. */
export const bindingOf = (op: keyof typeof level): number => level[op]

interface Placed {
  readonly value: ast.Expr
  /** With the parentheses around it, which the value's own span leaves out. */
  readonly start: number
  readonly end: number
}

/** The tree of one expression; linear in the number of parts. Throws a `Refusal`. */
export const treeOf = (parts: readonly Part[]): ast.Expr => {
  if (parts.length === 1 && parts[0]!.kind === 'operand') return parts[0]!.value
  let at = 0
  let signs = 0

  const operand = (): Placed => {
    const part = parts[at++]!
    if (part.kind === 'operand') {
      if (part.value.kind === 'star') refuse('misplaced-star', part.value, {})
      return part
    }
    if (part.kind !== 'prefix') throw new Error('Two operators in a row')
    if (++signs > maxDepth) refuse('too-deep', spanOf(part.token), { limit: maxDepth })
    const { value, end } = climb(part.op === 'not' ? level.not : level.sign)
    signs--
    const start = part.token.startOffset
    return { value: { kind: 'unary', op: part.op, operand: value, start, end }, start, end }
  }

  const climb = (least: number): Placed => {
    let left = operand()
    let chained = 0
    let compared = false
    for (;;) {
      const part = parts[at]
      if (part === undefined || part.kind === 'operand' || part.kind === 'prefix') return left
      const binds = part.kind === 'infix' ? level[part.op] : level[part.kind]
      if (binds < least) return left
      const { start } = left
      if (part.kind === 'infix' && (part.op === 'and' || part.op === 'or')) {
        left = logical(part.op, left)
        continue
      }
      if (binds === comparison || binds === level.in) {
        if (compared) refuse('chained-comparison', spanOf(part.token), { operator: part.token.image })
        compared = binds === comparison
      }
      if (++chained > maxChain) refuse('too-long', spanOf(part.token), { limit: maxChain })
      at++
      const { value } = left
      if (part.kind === 'is_null') {
        left = placed({ kind: 'is_null', negated: part.negated, value, start, end: part.end })
        continue
      }
      if (part.kind === 'in') {
        const { negated, list, query, end } = part
        left = placed({ kind: 'in', negated, value, ...(list && { list }), ...(query && { query }), start, end })
        continue
      }
      if (part.op === 'between') {
        left = between(part, left)
        continue
      }
      const { value: right, end } = climb(part.op === 'like' ? aboveIn : binds + 1)
      if (part.op === 'like') left = placed({ kind: 'like', negated: part.negated, value, pattern: right, start, end })
      else left = placed({ kind: 'binary', op: part.op as ast.BinaryOp, left: value, right, start, end })
    }
  }

  const logical = (op: 'and' | 'or', first: Placed): Placed => {
    const operands = [first.value]
    let { end } = first
    for (let part = parts[at]; part?.kind === 'infix' && part.op === op; part = parts[at]) {
      at++
      const next = climb(level[op] + 1)
      operands.push(next.value)
      end = next.end
    }
    return placed({ kind: 'logical', op, operands, start: first.start, end })
  }

  const between = (part: Part & { kind: 'infix' }, { value, start }: Placed): Placed => {
    const low = climb(aboveIn).value
    const and = parts[at]
    if (and?.kind !== 'infix' || and.op !== 'and')
      return refuse('between-without-and', { start: part.token.startOffset, end: endOf(part.token) }, {})
    at++
    const { value: high, end } = climb(aboveIn)
    return placed({ kind: 'between', negated: part.negated, value, low, high, start, end })
  }

  return climb(0).value
}

const placed = (value: ast.Expr): Placed => ({ value, start: value.start, end: value.end })
