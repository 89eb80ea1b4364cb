import type * as ast from '../../../../grammar/src/ast.ts'
import { printExpr } from '../../../../grammar/src/printer.ts'
import { childrenOf as deepChildrenOf, expressionsOfSelect } from '../../../../grammar/src/walker.ts'
import { isSmooth } from '../../sql/derivative.ts'
import { childrenOf } from '../expressions.ts'
import { hasAggregate, isAggregate, sameExpr } from '../grouping.ts'
import { fold, sameName } from '../names.ts'
import { report, type Site } from '../scope.ts'
import type { CheckedSelect } from '../select.ts'
import { checkExpected, checkGroupCondition, isConstant, isSum, refuse } from './sums-of-groups.ts'

/** Does a model (that model) have a say in what this query gives? */
export const influences = (select: ast.Select, site: Site, model?: string): boolean =>
  expressionsOfSelect(select).some((part) => speaks(part, site, model))

/** A model speaks in the expression or in a subquery of it. */
const speaks = (expr: ast.Expr, site: Site, model?: string): boolean =>
  isModelCall(expr, site, model) || deepChildrenOf(expr).some((child) => speaks(child, site, model))

const isModelCall = (expr: ast.Expr, site: Site, model: string | undefined): boolean => {
  const meaning = site.meanings.get(expr)
  return (meaning?.kind === 'predict' || meaning?.kind === 'score') && (model === undefined || sameName(meaning.model, model))
}

/** A predicted number, or a probability: what changes without jumps, and equals a number by accident only. */
const isContinuous = (expr: ast.Expr, site: Site): boolean => {
  const meaning = site.meanings.get(expr)
  if (meaning?.kind !== 'predict') return meaning?.kind === 'score'
  const entry = site.entry.module.scope.get(fold(meaning.model))
  return entry?.info?.kind === 'model' && entry.info.task === 'regression'
}
const hasContinuous = (expr: ast.Expr, site: Site): boolean =>
  isContinuous(expr, site) || deepChildrenOf(expr).some((child) => hasContinuous(child, site))

/**
 * Says at its place what of a complaint's query has no relaxation. Rows are put together by sums over what each row might be predicted as, so conditions,
 * groups and joins on predicted classes are exact; predicted numbers and probabilities need a derivative where they are values, and a threshold where
 * they are conditions; what picks one row, or orders rows, jumps.
 */
export function checkRelaxable(query: CheckedSelect, expectations: readonly ast.Expectation[], site: Site): void {
  const { query: select } = query
  for (const item of select.items) {
    refuseJumps(item.value, select, site)
    checkRole(item.value, 'value', site)
  }
  if (select.having) refuseJumps(select.having, select, site)
  for (const part of conditionsOf(select)) checkRole(part, 'condition', site)
  for (const group of select.groupBy) checkRole(group, 'group', site)
  checkOuterJoins(select, site)
  for (const part of expressionsOfSelect(select)) checkSubqueries(part, 'plain', site)
  if (select.distinct) checkDistinct(select, site)
  if (select.having) checkGroupCondition(select.having, query, site)
  if (site.entry.broken) return
  for (const expectation of expectations) checkExpected(expectation, query, site)
}

const conditionsOf = (select: ast.Select): readonly ast.Expr[] => [
  ...select.joins.map((join) => join.on),
  ...(select.where ? [select.where] : []),
  ...(select.having ? [select.having] : []),
]

const JUMPS =
  /^(min|max|count|any_value|first|last|median|mode|arg_m(ax|in)\w*|argm(ax|in)|m(ax|in)_by|quantile\w*|bool_(and|or)|list|array_agg|string_agg|group_concat|approx_\w+)$/

function refuseJumps(expr: ast.Expr, select: ast.Select, site: Site): void {
  if (!isAggregate(expr)) {
    for (const child of childrenOf(expr)) refuseJumps(child, select, site)
    return
  }
  if (isSum(expr)) return
  const name = expr.callee.text.toLowerCase()
  const rows = [...select.joins.map((join) => join.on), ...(select.where ? [select.where] : []), ...select.groupBy]
  if (![expr, ...rows].some((part) => speaks(part, site))) return
  if (JUMPS.test(name) || expr.distinct) report(site, 'jumping-aggregate', expr, { name: expr.distinct ? `${name} distinct` : name })
  else refuse(expr, 'it is no sum over rows, as `count`, `sum`, `avg`, `variance` and `stddev` are', site)
}

type Role = 'value' | 'condition' | 'group'
const THRESHOLD = 'compare a predicted number, or a probability, with a constant by `<`, `<=`, `>`, `>=` or `between`'
const ACCIDENT = 'a predicted number equals another by accident only: compare by `<` or `>`'

/** Predicted numbers and probabilities: differentiable as values, beside a constant threshold in conditions. */
function checkRole(expr: ast.Expr, role: Role, site: Site): void {
  if (!hasContinuous(expr, site)) return
  if (isContinuous(expr, site)) {
    if (role === 'condition') refuse(expr, THRESHOLD, site)
    if (role === 'group') refuse(expr, 'groups by a predicted number have one row each: group by a `case` over thresholds', site)
    return
  }
  const inside = (children: readonly ast.Expr[], as: Role) => {
    for (const child of children) checkRole(child, as, site)
  }
  switch (expr.kind) {
    case 'logical':
      inside(expr.operands, 'condition')
      return
    case 'unary':
      inside([expr.operand], expr.op === 'not' ? 'condition' : role)
      return
    case 'cast':
      if (isRounding(expr)) refuse(expr, 'a cast that rounds changes in jumps', site)
      inside([expr.value], role)
      return
    case 'exists':
      return
    case 'case':
      if (expr.subject && hasContinuous(expr.subject, site)) refuse(expr.subject, THRESHOLD, site)
      for (const { when, then } of expr.whens) {
        inside([when], 'condition')
        inside([then], role)
      }
      if (expr.otherwise) inside([expr.otherwise], role)
      return
    case 'between':
      if (!isThreshold(expr.value, [expr.low, expr.high], site) && !hasAggregate(expr)) refuse(expr, THRESHOLD, site)
      return
    case 'binary':
      checkBinary(expr, role, site)
      return
    case 'call': {
      const name = expr.callee.text.toLowerCase()
      const values = expr.args.map((argument) => argument.value)
      if (isAggregate(expr)) inside(values, /^count_?if$/.test(name) ? 'condition' : 'value')
      else if (isSmooth(name) && role !== 'group') inside(values, role)
      else refuse(expr, `\`${name}\` has no derivative here`, site)
      return
    }
    case 'in':
      if (hasContinuous(expr.value, site) || (expr.list ?? []).some((item) => hasContinuous(item, site))) refuse(expr, ACCIDENT, site)
      return
    default:
      refuse(expr, THRESHOLD, site)
  }
}

function checkBinary(expr: ast.Binary, role: Role, site: Site): void {
  const { op, left, right } = expr
  if (/^[-+*/]$/.test(op)) {
    if (role === 'group') refuse(expr, THRESHOLD, site)
    else for (const side of [left, right]) checkRole(side, 'value', site)
    return
  }
  if (hasAggregate(expr)) return
  if (!/^(<|<=|>|>=)$/.test(op)) refuse(expr, op === '%' || op === '||' ? 'it changes in jumps' : ACCIDENT, site)
  else if (!isThreshold(left, [right], site) && !isThreshold(right, [left], site)) refuse(expr, THRESHOLD, site)
}

export const isRounding = ({ type }: ast.Cast): boolean => /int|bool|char|text|string|^(decimal|numeric)\s*\(/i.test(type.text)

const isThreshold = (expr: ast.Expr, others: readonly ast.Expr[], site: Site): boolean =>
  isContinuous(expr, site) && others.every((other) => isConstant(other))

/** Whether a row has a partner may not depend on the partner's prediction: the row without one would have to be told from all of them. */
function checkOuterJoins(select: ast.Select, site: Site): void {
  for (const join of select.joins) {
    if (join.side !== 'left') continue
    const name = join.table.alias?.text ?? join.table.ref.source.text
    const own = (expr: ast.Expr): boolean => {
      const meaning = site.meanings.get(expr)
      const isOwn =
        (meaning?.kind === 'predict' || meaning?.kind === 'score') && meaning.table !== undefined && sameName(meaning.table, name)
      return isOwn || deepChildrenOf(expr).some(own)
    }
    if (own(join.on))
      refuse(join.on, `a \`left join\` on a prediction of \`${name}\` itself: use \`join\`, or put the condition into \`where\``, site)
  }
}

function checkSubqueries(expr: ast.Expr, around: 'plain' | 'negated' | 'nested', site: Site): void {
  const query = expr.kind === 'exists' || expr.kind === 'in' ? expr.query : undefined
  if (query && influences(query, site)) {
    checkSubquery(expr, query, around, site)
    return
  }
  if (query) {
    for (const part of expressionsOfSelect(query)) checkSubqueries(part, 'nested', site)
  }
  const negates = expr.kind === 'unary' && expr.op === 'not' && around === 'plain' ? 'negated' : around
  for (const child of childrenOf(expr)) checkSubqueries(child, negates, site)
}

function checkSubquery(expr: ast.Expr, query: ast.Select, around: 'plain' | 'negated' | 'nested', site: Site): void {
  if (around === 'nested') refuse(expr, 'models speak in a subquery of a subquery: flatten one into a join', site)
  if (expr.kind === 'in' && (expr.negated || around === 'negated')) refuse(expr, '`not in` depends on NULLs: write `not exists`', site)
  if (query.groupBy.length > 0 || query.having || query.items.some((item) => hasAggregate(item.value)))
    refuse(expr, 'models speak in a subquery with groups: ask for them in a query of its own', site)
  if (query.limit) report(site, 'order-in-complaint', query.limit, { word: 'limit' })
  const [item] = query.items
  if (expr.kind === 'in' && item && hasContinuous(item.value, site)) refuse(item.value, ACCIDENT, site)
  for (const part of conditionsOf(query)) checkRole(part, 'condition', site)
  checkOuterJoins(query, site)
  for (const part of expressionsOfSelect(query)) checkSubqueries(part, 'nested', site)
  if (expr.kind === 'in') checkSubqueries(expr.value, around, site)
}

/** Distinct rows of groups that are all named are the groups; distinct rows without groups are groups by all that is named. */
function checkDistinct(select: ast.Select, site: Site): void {
  const isNamed = (group: ast.Expr) => select.items.some((item) => sameExpr(item.value, group, site.meanings))
  const missing = select.groupBy.find((group) => !isNamed(group))
  const [first] = select.items
  if (!missing || !first) return
  refuse(
    first.value,
    `\`distinct\` over groups that it does not name changes in jumps: add \`${printExpr(missing)}\`, or leave \`distinct\` out`,
    site,
  )
}

/** Whether an output of a complaint's query names its groups. */
export const isGroupOutput = (name: string, query: CheckedSelect, site: Site): boolean =>
  query.outputs.some(
    (output) =>
      sameName(output.name, name) &&
      output.value !== undefined &&
      ((query.query.distinct && !query.grouped) || query.query.groupBy.some((group) => sameExpr(group, output.value!, site.meanings))),
  )
