import type * as ast from '../../../../grammar/src/ast.ts'
import { printExpr } from '../../../../grammar/src/printer.ts'
import { childrenOf, some } from '../expressions.ts'
import { hasAggregate, isAggregate, sameExpr } from '../grouping.ts'
import { sameName } from '../names.ts'
import { type ModelInfo, report, type Site } from '../scope.ts'
import type { CheckedSelect } from '../select.ts'

/** Does a model have a say in what this query gives? */
export function influences(select: ast.Select, site: Site): boolean {
  return partsOf(select).some((part) => isPredicted(part, site)) || subqueriesOf(select).some((query) => influences(query, site))
}

const partsOf = (select: ast.Select): ast.Expr[] => [
  ...select.items.map((item) => item.value),
  ...(select.where ? [select.where] : []),
  ...(select.having ? [select.having] : []),
  ...select.groupBy,
  ...select.joins.map((join) => join.on),
]

function subqueriesOf(select: ast.Select): ast.Select[] {
  const found: ast.Select[] = []
  const visit = (expr: ast.Expr): void => {
    if ((expr.kind === 'in' || expr.kind === 'exists') && expr.query) found.push(expr.query)
    for (const child of childrenOf(expr)) visit(child)
  }
  for (const part of partsOf(select)) visit(part)
  return found
}

export const isPredicted = (expr: ast.Expr, site: Site): boolean =>
  some(expr, (part) => {
    const kind = site.meanings.get(part)?.kind
    return kind === 'predict' || kind === 'score'
  })

/**
 * Queries whose influence can be told are sums over one source's rows: count, sum and avg, of and under predictions. What changes in jumps is
 * an error; the rest of SQL is answered with what of it this version cannot run, in words.
 */
export function beyondFirstForm(query: CheckedSelect, models: readonly ModelInfo[], site: Site): string | undefined {
  const select = query.query
  for (const item of select.items) refuseJumps(item.value, select, site)
  if (select.having) refuseJumps(select.having, select, site)
  if (select.joins.length > 0) return 'complaints about joins'
  if (select.distinct) return 'complaints about `select distinct`'
  if (select.having) return 'complaints with `having`'
  if (subqueriesOf(select).length > 0) return 'complaints with subqueries'
  const hasScore = partsOf(select).some((part) => some(part, (one) => site.meanings.get(one)?.kind === 'score'))
  if (hasScore) return '`score` in a complaint'
  if (!query.grouped) return 'complaints about single rows'
  for (const item of select.items) {
    if (select.groupBy.some((group) => sameExpr(group, item.value, site.meanings))) continue
    const odd = oddPart(item.value)
    if (odd) return `\`${odd}\` in a complaint`
  }
  const regression = models.some((model) => model.task === 'regression')
  if (!regression) return undefined
  const conditions = [...(select.where ? [select.where] : []), ...select.groupBy]
  if (conditions.some((part) => isPredicted(part, site))) return 'conditions on a predicted number in a complaint'
  if (select.items.some((item) => !isLinear(item.value, site))) return 'complaints about other than linear functions of a predicted number'
  return undefined
}

/** The part of an output that is neither a number, nor arithmetic, nor a sum over rows. */
function oddPart(expr: ast.Expr): string | undefined {
  if (expr.kind === 'number' || expr.kind === 'percent') return undefined
  if (expr.kind === 'unary' && expr.op !== 'not') return oddPart(expr.operand)
  if (expr.kind === 'binary' && /^[-+*/]$/.test(expr.op)) return oddPart(expr.left) ?? oddPart(expr.right)
  if (expr.kind === 'cast') return oddPart(expr.value)
  if (expr.kind === 'call' && /^(count|sum|avg|mean)$/i.test(expr.callee.text) && !expr.distinct) return undefined
  if (expr.kind === 'call' && expr.callee.text.toLowerCase() === 'count_star') return undefined
  return printExpr(expr)
}

function refuseJumps(expr: ast.Expr, select: ast.Select, site: Site): void {
  if (isAggregate(expr)) {
    const name = expr.callee.text.toLowerCase()
    const isSum = /^(count|sum|avg|mean|count_star)$/.test(name) && !(name === 'count' && expr.distinct)
    const jumps =
      /^(min|max|count|any_value|first|last|median|mode|arg_m(ax|in)\w*|argm(ax|in)|m(ax|in)_by|quantile\w*)$/.test(name) && !isSum
    const spoken = isPredicted(expr, site) || (select.where !== undefined && isPredicted(select.where, site))
    if (jumps && spoken) report(site, 'jumping-aggregate', expr, { name: expr.distinct ? `${name} distinct` : name })
    return
  }
  for (const child of childrenOf(expr)) refuseJumps(child, select, site)
}

/** `sum(predict(price) * weight)`: linear in the prediction, so its derivative is exact. */
function isLinear(expr: ast.Expr, site: Site): boolean {
  if (!isPredicted(expr, site)) return true
  const kind = site.meanings.get(expr)?.kind
  if (kind === 'predict') return true
  switch (expr.kind) {
    case 'unary':
      return expr.op !== 'not' && isLinear(expr.operand, site)
    case 'cast':
      return isLinear(expr.value, site)
    case 'binary': {
      const both = isPredicted(expr.left, site) && isPredicted(expr.right, site)
      if (expr.op === '+' || expr.op === '-') return isLinear(expr.left, site) && isLinear(expr.right, site)
      if (expr.op === '*') return (!both || hasAggregate(expr)) && isLinear(expr.left, site) && isLinear(expr.right, site)
      return (
        expr.op === '/' && (!isPredicted(expr.right, site) || hasAggregate(expr)) && isLinear(expr.left, site) && isLinear(expr.right, site)
      )
    }
    case 'case':
      return (
        !expr.whens.some(({ when }) => isPredicted(when, site)) &&
        expr.whens.every(({ then }) => isLinear(then, site)) &&
        (!expr.otherwise || isLinear(expr.otherwise, site))
      )
    case 'call':
      return /^(sum|avg|mean|count)$/i.test(expr.callee.text) && expr.args.every((argument) => isLinear(argument.value, site))
    default:
      return false
  }
}

/** Whether an output of a complaint's query names its groups. */
export const isGroupOutput = (name: string, query: CheckedSelect, site: Site): boolean =>
  query.outputs.some(
    (output) =>
      sameName(output.name, name) &&
      output.value !== undefined &&
      query.query.groupBy.some((group) => sameExpr(group, output.value!, site.meanings)),
  )
