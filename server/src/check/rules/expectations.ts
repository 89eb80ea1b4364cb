import type * as ast from '../../../../grammar/src/ast.ts'
import { nearest } from '../../../../grammar/src/nearest.ts'
import type { ExprScope, Output } from '../expression-scope.ts'
import { checkCondition, some } from '../expressions.ts'
import { fold } from '../names.ts'
import { report, type Site, spoil } from '../scope.ts'
import type { CheckedSelect } from '../select.ts'
import { isGroupOutput } from './influenced-query.ts'

/** An expectation compares what the query gives with a number: `n <= 100`, `a - b between 0 and 5`, `lower n`; `where` chooses among output rows. */
export function checkExpectation(expectation: ast.Expectation, query: CheckedSelect | undefined, site: Site): void {
  const outputs = new Map<string, Output>()
  for (const output of query?.outputs ?? []) outputs.set(fold(output.name), output)
  const scope: ExprScope = {
    site,
    tables: [],
    models: { kind: 'refused', where: '`expect`' },
    noAggregates: '`expect`',
    outputs,
    query: () => {
      report(site, 'expect-form', expectation, {})
      return []
    },
  }
  if (expectation.where) checkCondition(expectation.where, scope, 'The `where` of an expectation')
  if (expectation.kind === 'row' || expectation.kind === 'no_row') return
  if (expectation.kind === 'direction') {
    checkDirection(expectation.column, outputs, query, site)
    return
  }
  const { condition } = expectation
  const measured = measuredSide(condition)
  if (measured === undefined) {
    checkCondition(condition, scope, 'An expectation')
    report(site, 'expect-form', condition, {})
    return
  }
  checkCondition(condition, scope, 'An expectation')
  checkMeasured(measured, query, site)
}

/** The side that speaks of the result; undefined where the other is no constant. */
function measuredSide(condition: ast.Expr): ast.Expr | undefined {
  if (condition.kind === 'between')
    return !condition.negated && isConstant(condition.low) && isConstant(condition.high) && isMeasure(condition.value)
      ? condition.value
      : undefined
  if (condition.kind !== 'binary' || !/^(=|<|<=|>|>=)$/.test(condition.op)) return undefined
  if (isConstant(condition.right)) return isMeasure(condition.left) ? condition.left : undefined
  return isConstant(condition.left) && isMeasure(condition.right) ? condition.right : undefined
}

const isConstant = (expr: ast.Expr): boolean =>
  expr.kind === 'number' ||
  expr.kind === 'percent' ||
  (expr.kind === 'unary' && expr.op !== 'not' && isConstant(expr.operand)) ||
  (expr.kind === 'binary' && /^[-+*/]$/.test(expr.op) && isConstant(expr.left) && isConstant(expr.right))

const isMeasure = (expr: ast.Expr): boolean =>
  !isConstant(expr) &&
  !some(
    expr,
    (part) =>
      part.kind !== 'column' &&
      part.kind !== 'number' &&
      part.kind !== 'percent' &&
      !(part.kind === 'unary' && part.op === '-') &&
      !(part.kind === 'binary' && /^[-+*/]$/.test(part.op)),
  )

function checkMeasured(expr: ast.Expr, query: CheckedSelect | undefined, site: Site): void {
  if (query === undefined) return
  some(expr, (part) => {
    const meaning = site.meanings.get(part)
    if (part.kind === 'column' && meaning?.kind === 'output') checkNumeric(part, meaning.column, query, site)
    return false
  })
}

function checkNumeric(at: ast.Span, name: string, query: CheckedSelect, site: Site): void {
  if (isGroupOutput(name, query, site)) {
    report(site, 'expect-group', at, { column: name })
    return
  }
  const type = query.outputs.find((output) => output.name === name)?.typed.type ?? 'unknown'
  if (type !== 'number' && type !== 'unknown') report(site, 'expect-not-number', at, { column: name, type })
}

function checkDirection(column: ast.Name, outputs: ReadonlyMap<string, Output>, query: CheckedSelect | undefined, site: Site): void {
  if (query === undefined || outputs.size === 0) {
    spoil(site)
    return
  }
  const output = outputs.get(fold(column.text))
  if (output) {
    checkNumeric(column, output.name, query, site)
    return
  }
  const known = [...outputs.values()].map((one) => one.name)
  report(site, 'expect-output', column, { column: column.text, known, nearest: nearest(column.text, known) })
}
