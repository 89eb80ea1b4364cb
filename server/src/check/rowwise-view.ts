import type * as ast from '../../../grammar/src/ast.ts'
import { some } from './expressions.ts'
import { hasAggregate } from './grouping.ts'

/** Whether every row of a view comes of one row of the table that it reads, whatever the others are: rows that come later make rows that come later. */
export function isRowwise(view: ast.Select): boolean {
  const { distinct, joins, groupBy, having, orderBy, limit, items, where } = view
  if (distinct || joins.length > 0 || groupBy.length > 0 || having || orderBy.length > 0 || limit || !view.from) return false
  const expressions = [...items.map((item) => item.value), ...(where ? [where] : [])]
  return !expressions.some(
    (expr) => hasAggregate(expr) || some(expr, (part) => part.kind === 'exists' || (part.kind === 'in' && part.query !== undefined)),
  )
}
