import { DataProblem } from '../data/tables.ts'
import type { Plan } from '../plan/plan.ts'
import type { ColumnFacts, SourceFacts } from '../protocol/facts.ts'
import { printExpr } from '../sql/print.ts'
import type { ColumnType } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'
import { lookAt } from './look.ts'

/**
 * Facts of a source's columns: NULLs, range, different values. One pass for the count and one for the facts, over at most `MOST_ROWS` rows: more are
 * sampled by whole vectors with a fixed seed. Different values are counted in full up to `EXACT_ROWS` rows and estimated above (HyperLogLog, about
 * 2 % off). O(rows looked at × columns), memory O(different values) below `EXACT_ROWS`.
 */
const MOST_ROWS = 2_000_000
const EXACT_ROWS = 200_000

export async function profileSource(ctx: RunContext, plan: Plan): Promise<SourceFacts> {
  if (plan.task.kind !== 'source') throw new DataProblem('no-profile', `\`${plan.name}\` is no source.`)
  await lookAt(ctx, plan)
  const source = plan.sources.find((one) => one.name === plan.name)!
  const from = quoted(source.name)
  const rows = numberAt(namedColumn(await ctx.tables.query(`select count(*) as n from ${from}`), 'n'), 0) ?? 0
  const percent = (100 * MOST_ROWS) / Math.max(rows, 1)
  const sampled = rows > MOST_ROWS ? ` tablesample system (${percent.toFixed(4)} percent) repeatable (7)` : ''
  const exact = rows <= EXACT_ROWS
  const items = source.columns.flatMap(({ name, type }, c) => {
    const value = quoted(name)
    const range = isRanged(type) ? [`min(${value}) as l${c}`, `max(${value}) as h${c}`] : []
    const distinct = isCounted(type) ? [`${exact ? `count(distinct ${value})` : `approx_count_distinct(${value})`} as d${c}`] : []
    return [`count(${value}) as n${c}`, ...range, ...distinct]
  })
  const found = await ctx.tables.query(`select count(*) as n, ${items.join(', ')} from (select * from ${from}${sampled})`)
  const at = (name: string) => namedColumn(found, name)
  const seen = numberAt(at('n'), 0) ?? 0
  const columns = source.columns.map(({ name, type }, c): ColumnFacts => {
    const distinct = isCounted(type) ? (numberAt(at(`d${c}`), 0) ?? undefined) : undefined
    const range = isRanged(type) ? { low: jsonAt(at(`l${c}`), 0), high: jsonAt(at(`h${c}`), 0) } : {}
    // An estimate may exceed what is there.
    const most = distinct === undefined ? undefined : Math.min(distinct, seen)
    return {
      name,
      nulls: seen > 0 ? 1 - (numberAt(at(`n${c}`), 0) ?? 0) / seen : 0,
      ...range,
      distinct: most,
      ...(exact ? {} : { about: true }),
    }
  })
  return { rows, seen, columns }
}

const isRanged = (type: ColumnType) => type === 'number' || type === 'date' || type === 'timestamp'
const isCounted = (type: ColumnType) => isRanged(type) || type === 'text' || type === 'boolean'
const quoted = (name: string) => printExpr({ kind: 'column', name })
