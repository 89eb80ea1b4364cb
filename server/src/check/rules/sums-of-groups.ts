import type * as ast from '../../../../grammar/src/ast.ts'
import { printExpr } from '../../../../grammar/src/printer.ts'
import { childrenOf } from '../expressions.ts'
import { hasAggregate, isAggregate, sameExpr } from '../grouping.ts'
import { sameName } from '../names.ts'
import { report, type Site } from '../scope.ts'
import type { CheckedSelect } from '../select.ts'

/** What may be expected of a group: smooth functions of sums over its rows; and on what groups may be conditioned: linear ones beside a number. */
const SUMS =
  /^(count|count_star|count_if|countif|sum|fsum|kahan_sum|sumkahan|avg|mean|favg|var_pop|var_samp|variance|stddev|stddev_pop|stddev_samp)$/
const LINEAR = /^(count|count_star|count_if|countif|sum|fsum|kahan_sum|sumkahan|avg|mean|favg)$/
const COUNTS = /^(count|count_star|count_if|countif)$/

export const isSum = (expr: ast.Call): boolean => !expr.distinct && SUMS.test(expr.callee.text.toLowerCase())

export function refuse(expr: ast.Expr, why: string, site: Site): void {
  report(site, 'not-relaxable', expr, { what: printExpr(expr), why })
}

export function checkExpected(expectation: ast.Expectation, query: CheckedSelect, site: Site): void {
  if (!query.grouped) return
  if (expectation.kind === 'row' || expectation.kind === 'no_row') {
    checkGroupCondition(expectation.where, query, site)
    return
  }
  const visit = (expr: ast.Expr): void => {
    const meaning = site.meanings.get(expr)
    if (meaning?.kind === 'output') checkSmooth(itemOf(meaning.column, query), query, site)
    for (const child of childrenOf(expr)) visit(child)
  }
  if (expectation.kind === 'condition') visit(expectation.condition)
  else checkSmooth(itemOf(expectation.column.text, query), query, site)
}

const itemOf = (name: string, query: CheckedSelect): ast.Expr | undefined =>
  query.outputs.find((output) => sameName(output.name, name))?.value

const isGroup = (expr: ast.Expr, query: CheckedSelect, site: Site): boolean =>
  query.query.groupBy.some((group) => sameExpr(group, expr, site.meanings))

function checkSmooth(expr: ast.Expr | undefined, query: CheckedSelect, site: Site): void {
  if (expr === undefined || isGroup(expr, query, site)) return
  const output = site.meanings.get(expr)
  if (output?.kind === 'output') {
    checkSmooth(itemOf(output.column, query), query, site)
    return
  }
  if (!hasAggregate(expr)) return
  const why = jump(expr)
  if (why) refuse(expr, why, site)
  else if (!isAggregate(expr)) for (const child of childrenOf(expr)) checkSmooth(child, query, site)
}

/** Why an expression around sums is no smooth function of them. */
function jump(expr: ast.Expr): string | undefined {
  switch (expr.kind) {
    case 'unary':
      return expr.op === 'not' ? 'expect something of a number' : undefined
    case 'cast':
      return /int|bool|char|text|string|^(decimal|numeric)\s*\(/i.test(expr.type.text) ? 'a cast that rounds changes in jumps' : undefined
    case 'binary':
      return /^[-+*/]$/.test(expr.op) ? undefined : 'it changes in jumps'
    case 'call': {
      const name = expr.callee.text.toLowerCase()
      const { args } = expr
      if (isAggregate(expr)) return isSum(expr) ? undefined : 'no prediction has a say in it, so there is nothing to expect of the models'
      const isSmooth = args.length === 1 && /^(sqrt|ln|log|log10|log2|exp|abs)$/.test(name)
      return isSmooth || /^(coalesce|ifnull|nullif)$/.test(name)
        ? undefined
        : `\`${name}\` of a sum changes in jumps, or has no derivative here: expect something of the sum itself`
    }
    default:
      return 'what is expected must be computed from sums, counts and averages by arithmetic'
  }
}

/** Conditions on groups: on what groups are named by, or a comparison of sums, counts and averages with numbers or each other. */
export function checkGroupCondition(expr: ast.Expr, query: CheckedSelect, site: Site): void {
  if (!involvesAggregate(expr, query, site) || isGroup(expr, query, site)) return
  if (expr.kind === 'logical' || (expr.kind === 'unary' && expr.op === 'not')) {
    for (const child of childrenOf(expr)) checkGroupCondition(child, query, site)
    return
  }
  const sides = comparedSides(expr)
  if (!sides?.every((side) => isLinear(side, query, site))) {
    refuse(expr, 'a condition on groups compares sums, counts and averages with numbers, or each other', site)
    return
  }
  const isEqual = expr.kind === 'binary' && (expr.op === '=' || expr.op === '<>')
  if (isEqual && !sides.every((side) => isWhole(side, query, site)))
    refuse(expr, 'a sum equals a number by accident only: compare by `<` or `>`', site)
}

function comparedSides(expr: ast.Expr): readonly ast.Expr[] | undefined {
  if (expr.kind === 'between') return isConstant(expr.low) && isConstant(expr.high) ? [expr.value, expr.low, expr.high] : undefined
  if (expr.kind !== 'binary' || !/^(<|<=|>|>=|=|<>)$/.test(expr.op)) return undefined
  return [expr.left, expr.right]
}

function resolved(expr: ast.Expr, query: CheckedSelect, site: Site): ast.Expr {
  const meaning = site.meanings.get(expr)
  return meaning?.kind === 'output' ? (itemOf(meaning.column, query) ?? expr) : expr
}

function involvesAggregate(expr: ast.Expr, query: CheckedSelect, site: Site): boolean {
  const one = resolved(expr, query, site)
  return isAggregate(one) || childrenOf(one).some((child) => involvesAggregate(child, query, site))
}

/** Linear in sums, or an average, or a sum over a count: what a comparison with a number makes linear. */
function isLinear(expr: ast.Expr, query: CheckedSelect, site: Site): boolean {
  const one = resolved(expr, query, site)
  if (isConstant(one)) return true
  const linear = (part: ast.Expr) => isLinear(part, query, site)
  switch (one.kind) {
    case 'cast':
      return linear(one.value)
    case 'unary':
      return one.op !== 'not' && linear(one.operand)
    case 'binary':
      if (one.op === '+' || one.op === '-') return linear(one.left) && linear(one.right)
      if (one.op === '*') return (isConstant(one.left) && linear(one.right)) || (isConstant(one.right) && linear(one.left))
      return one.op === '/' && linear(one.left) && (isConstant(one.right) || isWhole(one.right, query, site))
    case 'call':
      return isAggregate(one) && !one.distinct && LINEAR.test(one.callee.text.toLowerCase())
    default:
      return false
  }
}

function isWhole(expr: ast.Expr, query: CheckedSelect, site: Site): boolean {
  const one = resolved(expr, query, site)
  if (one.kind === 'number') return Number.isInteger(one.value)
  if (one.kind === 'binary' && (one.op === '+' || one.op === '-')) return isWhole(one.left, query, site) && isWhole(one.right, query, site)
  return one.kind === 'call' && isAggregate(one) && !one.distinct && COUNTS.test(one.callee.text.toLowerCase())
}

export const isConstant = (expr: ast.Expr): boolean =>
  expr.kind === 'number' ||
  expr.kind === 'percent' ||
  (expr.kind === 'cast' && isConstant(expr.value)) ||
  (expr.kind === 'unary' && expr.op !== 'not' && isConstant(expr.operand)) ||
  (expr.kind === 'binary' && /^[-+*/]$/.test(expr.op) && isConstant(expr.left) && isConstant(expr.right))
