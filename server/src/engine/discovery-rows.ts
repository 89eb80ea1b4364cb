import { column } from '../sql/build.ts'
import { printExpr } from '../sql/print.ts'
import { createAs, drop } from '../sql/statements.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import type { DiscoverySetting } from './discovery.ts'

export interface DiscoveryRows {
  /** codes[column][row], 0 where the value is in no slice. */
  readonly codes: readonly Int32Array[]
  readonly errors: Float64Array
}

/** A view of rows with `c0`, `c1`, …, their position and their `assay error`, and how to code them. */
export type Codable = Pick<DiscoverySetting, 'columns' | 'rowsView'>

/** The coded rows: a narrow integer a column, and the error. */
export function codedSelect({ columns, rowsView }: Codable, error: SqlExpr): SqlSelect {
  const type = (n: number) => (n < 256 ? 'utinyint' : n < 65536 ? 'usmallint' : 'integer')
  return {
    items: [
      ...columns.map((c, i) => ({ value: { kind: 'cast', value: c.code, type: type(c.values.length) } as SqlExpr, alias: `c${i}` })),
      { value: error, alias: 'error' },
      { value: column(ROW, 'r'), alias: ROW },
    ],
    from: { kind: 'table', name: rowsView, alias: 'r' },
    joins: columns.flatMap((c) => (c.join ? [c.join] : [])),
    where: { kind: 'is_null', negated: true, value: column('assay error', 'r') },
  }
}

/**
 * Codes and errors as typed arrays, in an order that the rows' content alone decides: whatever halves or samples are drawn from them
 * do not depend on the order in a file. O(n log n) in the database; one column at a time crosses over.
 */
export async function discoveryRows(ctx: RunContext, setting: Codable): Promise<DiscoveryRows> {
  const { columns, rowsView } = setting
  ctx.step('coding rows', 0, columns.length)
  const table = `${rowsView} coded`
  const select = codedSelect(setting, column('assay error', 'r'))
  const inOrder = [...columns.map((_, i) => `c${i}`), 'error', ROW].map((name) => ({ value: column(name), descending: false }))
  await ctx.tables.execute(createAs('table', table, { ...select, orderBy: inOrder }))
  const codes: Int32Array[] = []
  for (let i = 0; i < columns.length; i++) {
    ctx.step('coding rows', i, columns.length)
    codes.push(Int32Array.from(numbersOf(await ctx.tables.query(`select ${name(`c${i}`)} from ${name(table)}`), `c${i}`)))
    await ctx.breathe()
  }
  const errors = numbersOf(await ctx.tables.query(`select error from ${name(table)}`), 'error')
  await ctx.tables.execute(drop('table', table))
  return { codes, errors }
}

const name = (text: string) => printExpr(column(text))
