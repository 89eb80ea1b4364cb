import { createRng } from '../learn/rng.ts'
import { Cancelled } from '../methods/cancel.ts'
import { countSlices } from '../methods/slices/count-slices.ts'
import type { Discovered } from '../methods/slices/discover-slices.ts'
import { newStatistics, type Totals } from '../methods/slices/evaluator.ts'
import { searchSlices } from '../methods/slices/find-slices.ts'
import { type Aggregator, type Groups, groupEvaluator } from '../methods/slices/group-evaluator.ts'
import { overlapsOf } from '../methods/slices/overlaps.ts'
import { replicate } from '../methods/slices/replicate.ts'
import { describeMoments, type Moments } from '../methods/slices/statistics.ts'
import { binary, call, column, literal, star } from '../sql/build.ts'
import { printSelect } from '../sql/print.ts'
import { createAs, drop } from '../sql/statements.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { namedColumn, numberAt, numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import type { DiscoverySetting } from './discovery.ts'
import { codedSelect } from './discovery-rows.ts'

/**
 * The search where rows stay in the database: they are coded once into a narrow table (a byte or two a column, which the database spills
 * to disk if it must), and every set of columns is one grouped aggregate over it. Errors are whole multiples of a quantum (2⁻³⁸ of the largest
 * for ten million rows; 1 where they are whole numbers), so that their sums do not depend on the order in which threads add; the answer is
 * that of a search in memory up to that.
 * Replication, overlaps and the number of hypotheses are judged on a sample. Memory: the groups, and the sample.
 */
export async function discoverInDatabase(ctx: RunContext, setting: DiscoverySetting): Promise<Discovered> {
  const { task, columns, rows, support } = setting
  const quantum = quantumOf(setting)
  const table = `assay coded ${task.on.source}`
  ctx.step('coding rows', 0, 0)
  const units: SqlExpr = {
    kind: 'cast',
    value: call('round', binary(column('assay error', 'r'), '/', literal(quantum))),
    type: quantum === 1 ? 'integer' : 'bigint',
  }
  const select = codedSelect(setting, units)
  const sampled = isSampled(rows)
  const items = select.items.map((item) => (item.alias === ROW ? { value: sampled, alias: 'sampled' } : item))
  await ctx.tables.execute(createAs('table', table, { ...select, items }))
  await ctx.breathe()
  const aggregator = await databaseAggregator(ctx, { table, quantum, hasRare: columns.map((c) => c.join !== undefined), support })
  const found = await searchSlices(
    groupEvaluator(aggregator),
    columns.length,
    { top: task.top, alpha: task.alpha, support, depth: task.depth, onLevel: setting.onLevel },
    ctx.token,
  )
  ctx.step('describing slices', 0, 0)
  const moments = await momentsOf(ctx, { table, quantum, slices: found.slices })
  const sample = await sampleOf(ctx, table, columns.length)
  await ctx.tables.execute(drop('table', table))
  const share = sample.errors.length / rows
  const options = { top: task.top, alpha: task.alpha, support: Math.max(1, Math.ceil(support * share)), depth: task.depth }
  const hypotheses = await countSlices(sample.codes, options, ctx.token)
  const statistics = describeMoments(moments.slices, moments.all, { hypotheses })
  const kept = found.slices
    .map((slice, i) => ({ ...slice, ...statistics[i]! }))
    .filter((slice) => task.fdr === undefined || slice.qValue <= task.fdr)
  ctx.step('replicating on a sample', 0, 0)
  const rng = createRng(setting.seed)
  const { replicated, rate } = await replicate(sample.codes, sample.errors, kept, options, () => rng.next(), ctx.token)
  const overlaps = overlapsOf(sample.codes, kept)
  return {
    ...found,
    slices: kept.map((slice, i) => ({ ...slice, replicated: replicated[i]!, overlaps: overlaps[i]! })),
    nFound: found.slices.length,
    hypotheses,
    replicationRate: rate,
    notes: [
      `The ${grouped(rows)} rows were searched where they are; how many slices are of sufficient size, and which replicate and overlap, was judged on a sample of ${grouped(sample.errors.length)}.`,
    ],
  }
}

/** As fine as lets the sum of all errors stay within 61 bits: the database adds such integers fastest. */
function quantumOf({ wholeErrors, largestError, rows }: DiscoverySetting): number {
  if (wholeErrors && largestError < 2 ** 31) return 1
  return 2 ** (Math.ceil(Math.log2(largestError)) - Math.min(44, 61 - Math.ceil(Math.log2(rows))))
}

// ---------------------------------------------------------------- aggregates

interface Coded {
  readonly table: string
  readonly quantum: number
}

async function databaseAggregator(
  ctx: RunContext,
  { table, quantum, hasRare, support }: Coded & { readonly hasRare: readonly boolean[]; readonly support: number },
): Promise<Aggregator> {
  const from = { kind: 'table' as const, name: table }
  const sum: SqlExpr = { kind: 'cast', value: call('sum', column('error')), type: 'double' }
  const figures = [
    { value: call('count', star), alias: 'n' },
    { value: sum, alias: 'total' },
    { value: call('max', column('error')), alias: 'largest' },
  ]
  const whole = await ctx.tables.query(printSelect({ items: figures, from }))
  const totals: Totals = {
    nRows: numberAt(namedColumn(whole, 'n'), 0) ?? 0,
    sumError: (numberAt(namedColumn(whole, 'total'), 0) ?? 0) * quantum,
    maxError: (numberAt(namedColumn(whole, 'largest'), 0) ?? 0) * quantum,
  }
  const groupsOver = async (set: readonly number[]): Promise<Groups> => {
    const names = set.map((c) => `c${c}`)
    const rare = set.filter((c) => hasRare[c]).map((c) => `c${c}`)
    const select: SqlSelect = {
      items: [...names.map((n) => ({ value: column(n), alias: n })), ...figures],
      from,
      where: rare.length === 0 ? undefined : { kind: 'logical', op: 'and', operands: rare.map((n) => binary(column(n), '>', literal(0))) },
      groupBy: names.map((n) => column(n)),
      having: binary(call('count', star), '>=', literal(support)),
    }
    const found = await ctx.tables.query(printSelect(select))
    const statistics = newStatistics(found.rows)
    statistics.sizes.set(numbersOf(found, 'n'))
    statistics.sums.set(numbersOf(found, 'total').map((units) => units * quantum))
    statistics.maxima.set(numbersOf(found, 'largest').map((units) => units * quantum))
    return { codes: names.map((n) => Int32Array.from(numbersOf(found, n))), statistics }
  }

  return {
    totals,
    nColumns: hasRare.length,
    async aggregate(sets) {
      const answers: Groups[] = []
      for (const [i, set] of sets.entries()) {
        if (ctx.token.cancelled) throw new Cancelled()
        answers.push(await groupsOver(set))
        if (sets.length > 1) ctx.step(`grouping by ${set.length} ${set.length === 1 ? 'column' : 'columns'}`, i + 1, sets.length)
        await ctx.breathe()
      }
      return answers
    },
  }
}

/** Count, sum and sum of squares of the slices found and of all rows, in one pass. */
async function momentsOf(
  ctx: RunContext,
  {
    table,
    quantum,
    slices,
  }: Coded & { readonly slices: Discovered['slices'] | readonly { predicates: readonly { column: number; code: number }[] }[] },
): Promise<{ readonly all: Moments; readonly slices: Moments[] }> {
  const error = column('error')
  const square: SqlExpr = binary({ kind: 'cast', value: error, type: 'hugeint' }, '*', error)
  const filters: (SqlExpr | undefined)[] = [
    undefined,
    ...slices.map(
      ({ predicates }): SqlExpr => ({
        kind: 'logical',
        op: 'and',
        operands: predicates.map((p) => binary(column(`c${p.column}`), '=', literal(p.code))),
      }),
    ),
  ]
  const summed = (value: SqlExpr, filter: SqlExpr | undefined): SqlExpr => ({
    kind: 'cast',
    value: { kind: 'call', name: 'sum', args: [value], filter },
    type: 'double',
  })
  const items = filters.flatMap((filter, i) => [
    { value: { kind: 'call', name: 'count', args: [star], filter } as SqlExpr, alias: `n${i}` },
    { value: summed(error, filter), alias: `s${i}` },
    { value: summed(square, filter), alias: `q${i}` },
  ])
  const found = await ctx.tables.query(printSelect({ items, from: { kind: 'table', name: table } }))
  const figure = (name: string) => numberAt(namedColumn(found, name), 0) ?? 0
  const moments = filters.map(
    (_, i): Moments => ({
      size: figure(`n${i}`),
      sum: figure(`s${i}`) * quantum,
      sumOfSquares: figure(`q${i}`) * quantum * quantum,
    }),
  )
  return { all: moments[0]!, slices: moments.slice(1) }
}

// ---------------------------------------------------------------- a sample

const SAMPLE_ROWS = 500_000

/** A row is drawn by a hash of its position (Knuth's multiplicative one), always the same rows of the same file. */
function isSampled(rows: number): SqlExpr {
  const hashed = binary(binary(column(ROW, 'r'), '*', literal(2654435761)), '%', literal(2 ** 32))
  return binary(hashed, '<', literal(Math.min(2 ** 32, Math.ceil((SAMPLE_ROWS / rows) * 2 ** 32))))
}

async function sampleOf(ctx: RunContext, table: string, nColumns: number): Promise<{ codes: Int32Array[]; errors: Float64Array }> {
  const fetched = async (name: string) =>
    numbersOf(
      await ctx.tables.query(
        printSelect({ items: [{ value: column(name), alias: name }], from: { kind: 'table', name: table }, where: column('sampled') }),
      ),
      name,
    )
  const codes: Int32Array[] = []
  for (let i = 0; i < nColumns; i++) codes.push(Int32Array.from(await fetched(`c${i}`)))
  return { codes, errors: await fetched('error') }
}

const grouped = (n: number) => n.toLocaleString('en-US').replaceAll(',', ' ')
