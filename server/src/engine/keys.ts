import type { Columns, QueryOptions } from '../data/tables.ts'
import type { SourcePlan } from '../plan/plan.ts'
import type { Key } from '../protocol/results.ts'
import { printExpr } from '../sql/print.ts'
import { KEY, ROW } from '../sql/tree.ts'
import { jsonAt } from './columns.ts'
import type { RunContext } from './context.ts'

/** Keys of rows by their position. A key is the declared column's value, an array for several columns, or our content hash. */
export function keyColumns(plan: SourcePlan): readonly string[] {
  return plan.key.length ? plan.key : [KEY]
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

/** SQL that puts a source's rows into the order of their keys, so that the order in a file never matters. */
export const rowOrder = (plan: SourcePlan): string => keyColumns(plan).map(quoted).join(', ')

export function keyAt(columns: Columns, names: readonly string[], row: number): Key {
  const values = names.map((name) => jsonAt(columns.columns.find((c) => c.name === name)!.data, row) as string | number | boolean | null)
  return values.length === 1 ? (values[0] ?? 'null') : values
}

/** Columns of chosen rows (by position), in the order asked for; `more` is SQL over the source as `s`. Cost: one scan. */
export async function rowsAt(
  ctx: RunContext,
  source: SourcePlan,
  positions: readonly number[],
  names: readonly string[],
  more: QueryOptions & { readonly items?: readonly string[] } = {},
): Promise<Columns> {
  const own = [ROW, ...keyColumns(source), ...names].map((name) => printExpr({ kind: 'column', name, table: 's' }))
  const wanted = [...new Set([...own, ...(more.items ?? [])])]
  if (positions.length === 0) return { rows: 0, columns: [] }
  const list = positions.map((position, i) => `(${position}, ${i})`).join(', ')
  return ctx.tables.query(
    `select ${wanted.join(', ')} from ${quoted(source.name)} s join (values ${list}) as w(position, place) on s.${quoted(ROW)} = w.position order by w.place`,
    more,
  )
}
