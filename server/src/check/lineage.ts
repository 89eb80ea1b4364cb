import type * as ast from '../../../grammar/src/ast.ts'
import type { Output, TableScope } from './expression-scope.ts'
import { childrenOf } from './expressions.ts'
import { fold } from './names.ts'
import type { Lineage } from './scope.ts'
import type { Meaning } from './spec.ts'

/**
 * From which columns a view's columns are computed: enough to see that an input gives the target away. `copied` are those whose values can
 * arrive unchanged (plain columns, branches of a case, casts, coalesce); what only decides between branches does not count there.
 */
export function lineageOfView(
  view: string,
  outputs: ReadonlyMap<string, Output>,
  tables: readonly TableScope[],
  meanings: ReadonlyMap<ast.Expr, Meaning>,
): (column: string) => Lineage | undefined {
  const known = new Map<string, Lineage>()
  return (column) => {
    const output = outputs.get(column)
    const found = known.get(column)
    if (output === undefined || found) return found
    const own = `${fold(view)}.${column}`
    const from = new Set([own])
    const copied = new Set([own])
    if (output.value) {
      collect(output.value, from, 'from', tables, meanings)
      collectCopied(output.value, copied, tables, meanings)
    } else {
      const name = fold(output.name)
      const below = tables.find((one) => one.source.columns.has(name))?.source.lineage(name)
      for (const one of below?.from ?? []) from.add(one)
      for (const one of below?.copied ?? []) copied.add(one)
    }
    const lineage = { from, copied }
    known.set(column, lineage)
    return lineage
  }
}

export const ownLineage =
  (source: string) =>
  (column: string): Lineage => {
    const own: ReadonlySet<string> = new Set([`${fold(source)}.${column}`])
    return { from: own, copied: own }
  }

function collect(
  expr: ast.Expr,
  into: Set<string>,
  which: keyof Lineage,
  tables: readonly TableScope[],
  meanings: ReadonlyMap<ast.Expr, Meaning>,
): void {
  const meaning = meanings.get(expr)
  if (meaning?.kind === 'column') {
    const table = tables.find((one) => one.mark === meaning.table)
    for (const name of table?.source.lineage(fold(meaning.column.name))?.[which] ?? []) into.add(name)
  }
  for (const child of childrenOf(expr)) collect(child, into, which, tables, meanings)
}

function collectCopied(expr: ast.Expr, into: Set<string>, tables: readonly TableScope[], meanings: ReadonlyMap<ast.Expr, Meaning>): void {
  switch (expr.kind) {
    case 'column':
      collect(expr, into, 'copied', tables, meanings)
      return
    case 'cast':
      collectCopied(expr.value, into, tables, meanings)
      return
    case 'case':
      for (const { then } of expr.whens) collectCopied(then, into, tables, meanings)
      if (expr.otherwise) collectCopied(expr.otherwise, into, tables, meanings)
      return
    case 'call':
      if (!/^(coalesce|ifnull|nullif|if|any_value|first|min|max|lower|upper|trim)$/i.test(expr.callee.text)) return
      for (const { value } of expr.args) collectCopied(value, into, tables, meanings)
      return
    default:
      return
  }
}
