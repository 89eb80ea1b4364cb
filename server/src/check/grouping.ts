import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr } from '../../../grammar/src/printer.ts'
import type { ExprScope } from './expression-scope.ts'
import { childrenOf, some } from './expressions.ts'
import { isAggregateName } from './function-signatures.ts'
import { fold } from './names.ts'
import { report } from './scope.ts'
import type { Meaning } from './spec.ts'

/** An aggregate of the database or of assertions, by its name: meanings need not be known yet. */
export const isAggregate = (expr: ast.Expr): expr is ast.Call => {
  if (expr.kind !== 'call') return false
  const name = expr.callee.text.toLowerCase()
  return /^(agree|transitions|gap|blips)$/.test(name) || isAggregateName(name)
}
export const hasAggregate = (expr: ast.Expr): boolean => some(expr, isAggregate)

/** Outside of aggregates, only what is grouped by may be named: everything else differs within a group. */
export function checkGrouped(expr: ast.Expr, groups: readonly ast.Expr[], scope: ExprScope, what: string): void {
  if (groups.some((group) => sameExpr(group, expr, scope.site.meanings))) return
  if (isAggregate(expr)) return
  if (expr.kind === 'star') {
    report(scope.site, 'not-grouped', expr, { what: '`*`', scope: what })
    return
  }
  const meaning = scope.site.meanings.get(expr)
  if (meaning && speaksOfRow(meaning)) {
    if (isOwn(meaning, scope)) report(scope.site, 'not-grouped', expr, { what: `\`${printExpr(expr)}\``, scope: what })
    return
  }
  for (const child of childrenOf(expr)) checkGrouped(child, groups, scope, what)
}

const speaksOfRow = (meaning: Meaning): boolean =>
  meaning.kind !== 'function' && meaning.kind !== 'output' && meaning.kind !== 'assertion_aggregate'

/** A name of the query around has one value for all rows of this one. */
function isOwn(meaning: Meaning, scope: ExprScope): boolean {
  const table = 'table' in meaning ? meaning.table : undefined
  return table === undefined || scope.tables.some((one) => one.mark === table)
}

/** Equal in structure and in meaning. */
export function sameExpr(a: ast.Expr, b: ast.Expr, meanings: ReadonlyMap<ast.Expr, Meaning>): boolean {
  if (a === b) return true
  if (a.kind !== b.kind) return false
  if (a.kind === 'column') {
    const left = meanings.get(a)
    const right = meanings.get(b)
    return left !== undefined && right !== undefined && sameMeaning(left, right)
  }
  const asked = meanings.get(a)
  if (asked?.kind === 'predict' || asked?.kind === 'ask') {
    const other = meanings.get(b)
    return other !== undefined && sameMeaning(asked, other)
  }
  if (asked?.kind === 'score') {
    const other = meanings.get(b)
    const isSame = other?.kind === 'score' && asked.model === other.model && asked.table === other.table
    return isSame && sameExpr(asked.label, other.label, meanings)
  }
  if (shape(a) !== shape(b)) return false
  const left = childrenOf(a)
  const right = childrenOf(b)
  return left.length === right.length && left.every((child, i) => sameExpr(child, right[i]!, meanings))
}

function sameMeaning(a: Meaning, b: Meaning): boolean {
  if (a.kind === 'column' && b.kind === 'column') return a.table === b.table && a.column.name === b.column.name
  return JSON.stringify(a) === JSON.stringify(b)
}

/** What of an expression is not in its children. */
function shape(expr: ast.Expr): string {
  switch (expr.kind) {
    case 'number':
    case 'percent':
    case 'duration':
    case 'string':
    case 'boolean':
      return String(expr.value)
    case 'call':
      return `${fold(expr.callee.text)} ${expr.distinct} ${expr.args.map((argument) => argument.label?.text ?? '').join()}`
    case 'unary':
    case 'binary':
    case 'logical':
      return expr.op
    case 'between':
    case 'like':
    case 'is_null':
      return String(expr.negated)
    case 'in':
      return expr.query ? `query ${expr.start}` : String(expr.negated)
    case 'case':
      return `${expr.subject !== undefined} ${expr.whens.length} ${expr.otherwise !== undefined}`
    case 'cast':
      return expr.type.text.toLowerCase()
    case 'exists':
      return `query ${expr.start}`
    default:
      return ''
  }
}
