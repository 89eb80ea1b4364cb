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
  outputs: readonly Output[],
  tables: readonly TableScope[],
  meanings: ReadonlyMap<ast.Expr, Meaning>,
): Map<string, Lineage> {
  const result = new Map<string, Lineage>()
  for (const output of outputs) {
    const own = `${fold(view)}.${fold(output.name)}`
    const from = new Set([own])
    const copied = new Set([own])
    if (output.value) {
      collect(output.value, from, 'from', tables, meanings)
      collectCopied(output.value, copied, tables, meanings)
    } else {
      const table = tables.find((one) => one.source.columns.has(fold(output.name)))
      const found = table?.source.lineage.get(fold(output.name))
      for (const name of found?.from ?? []) from.add(name)
      for (const name of found?.copied ?? []) copied.add(name)
    }
    result.set(fold(output.name), { from, copied })
  }
  return result
}

export const ownLineage = (source: string, columns: Iterable<string>): Map<string, Lineage> => {
  const result = new Map<string, Lineage>()
  for (const column of columns) {
    const own: ReadonlySet<string> = new Set([`${fold(source)}.${column}`])
    result.set(column, { from: own, copied: own })
  }
  return result
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
    for (const name of table?.source.lineage.get(fold(meaning.column.name))?.[which] ?? []) into.add(name)
  }
  for (const child of childrenOf(expr)) collect(child, into, which, tables, meanings)
}

function collectCopied(expr: ast.Expr, into: Set<string>, tables: readonly TableScope[], meanings: ReadonlyMap<ast.Expr, Meaning>): void {
  switch (expr.kind) {
    case 'column':
      return collect(expr, into, 'copied', tables, meanings)
    case 'cast':
      return collectCopied(expr.value, into, tables, meanings)
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
