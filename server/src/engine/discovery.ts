import { DataProblem } from '../data/tables.ts'
import { createRng } from '../learn/rng.ts'
import { valueCondition } from '../methods/slices/bins.ts'
import { type Discovered, discoverSlices } from '../methods/slices/discover-slices.ts'
import type { FoundSlice, FoundSlices } from '../methods/slices/find-slices.ts'
import type { DiscoverTask, Plan } from '../plan/plan.ts'
import type { DiscoveredSlice, DiscoverResult } from '../protocol/results.ts'
import { binary, call, column, literal, star } from '../sql/build.ts'
import { printSelect } from '../sql/print.ts'
import { createAs } from '../sql/statements.ts'
import { ROW, type SqlExpr } from '../sql/tree.ts'
import { namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'
import { discoverInDatabase } from './discovery-at-scale.ts'
import { discoveryRows } from './discovery-rows.ts'
import { registerLosses } from './losses.ts'
import type { FittedModel } from './models.ts'
import { predict, registerPredictions } from './predictions.ts'
import { type CodingColumn, codingColumns, shownValue } from './slice-columns.ts'

/**
 * Where a model is worst. The database finds bins and values and codes the rows (`slice-columns.ts`); rows that fit into memory are searched there
 * (`discovery-rows.ts`), others stay in the database, which answers with aggregates (`discovery-at-scale.ts`): the same slices with the same scores.
 */
export type DiscoverMembers = Pick<
  DiscoverResult,
  'meanError' | 'slices' | 'levels' | 'hypotheses' | 'replicationRate' | 'source' | 'error' | 'notes'
> & { readonly seen: number }

/** What a search works on, in memory or in the database. */
export interface DiscoverySetting {
  readonly task: DiscoverTask
  /** Views of the rows in scope: their columns; and their errors too. */
  readonly columnsView: string
  readonly rowsView: string
  readonly columns: readonly CodingColumn[]
  /** Rows that have an error. */
  readonly rows: number
  readonly largestError: number
  /** Whether all errors are whole numbers, as counts and 0/1 errors are. */
  readonly wholeErrors: boolean
  readonly support: number
  readonly seed: number
  readonly onLevel: (partial: FoundSlices) => void
}

/** `onPartial` is handed what is certain after each level, for whoever cancels. */
export async function runDiscovery(
  ctx: RunContext,
  plan: Plan,
  task: DiscoverTask,
  models: readonly FittedModel[],
  onPartial: (members: DiscoverMembers) => void,
): Promise<DiscoverMembers> {
  const model = (name: string) => models.find((m) => m.plan.name === name)!
  for (const asked of task.predictions)
    await registerPredictions(ctx, model(asked.model), await predict(ctx, model(asked.model), asked.source), asked.scores)
  for (const asked of task.losses) await registerLosses(ctx, model(asked.model), await predict(ctx, model(asked.model), asked.source))
  const columnsView = `assay columns ${plan.name}`
  const rowsView = `assay rows ${plan.name}`
  await ctx.tables.execute(createAs('view', columnsView, task.columnsSql))
  await ctx.tables.execute(createAs('view', rowsView, task.rowsSql))
  ctx.step('looking at errors', 0, 0)
  const errors = await errorsOf(ctx, task, rowsView)
  const notes = [...task.notes, ...errors.notes]
  const about = { source: task.writtenSource, error: task.error, seen: errors.rows }
  if (errors.largest === 0) {
    return { ...about, meanError: 0, slices: [], levels: [], notes: [...notes, 'Every error is 0: no row is worse than another.'] }
  }
  const support = supportOf(task, errors.rows)
  if (support > errors.rows)
    notes.push(`A slice is to have ${support} rows or more, and there are only ${errors.rows}: there can be none. Ask for less support.`)
  const coded = await codingColumns(ctx, task.columns, { view: columnsView, alias: 'r', rows: errors.rows, support })
  for (const { skipped } of coded) if (skipped !== undefined) notes.push(skipped)
  const columns = coded.filter((c) => c.skipped === undefined && c.values.length > 0)
  if (columns.length === 0 || support > errors.rows) return { ...about, meanError: errors.mean, slices: [], levels: [], notes }
  const setting: DiscoverySetting = {
    task,
    columnsView,
    rowsView,
    columns,
    rows: errors.rows,
    largestError: errors.largest,
    wholeErrors: errors.whole,
    support,
    seed: plan.seed,
    onLevel: (partial) => {
      const level = partial.levels.length
      ctx.step('searching slices', level, Math.min(task.depth, columns.length))
      onPartial({ ...about, ...partialMembers(partial, columns), notes })
    },
  }
  const found = await (fits(ctx, setting) ? inMemory(ctx, setting) : discoverInDatabase(ctx, setting))
  return {
    ...about,
    meanError: found.meanError,
    slices: found.slices.map((slice) => shownSlice(slice, columns)),
    levels: levelsOf(found, coded),
    hypotheses: found.hypotheses,
    replicationRate: found.replicationRate,
    notes: [...notes, ...emptyNotes(task, found), ...found.notes],
  }
}

/** Why nothing is listed, where that is so. */
function emptyNotes(task: DiscoverTask, { slices, nFound }: Discovered): string[] {
  if (slices.length > 0) return []
  if (nFound > 0)
    return [
      `${nFound === 1 ? 'One slice scores' : `${nFound} slices score`} above 0, and none has a q-value of at most ${task.fdr}: they may be chance.`,
    ]
  if (task.alpha >= 0.99) return ['No slice of sufficient size scores above 0: none has a mean error high enough for its size.']
  return [
    `No slice of sufficient size scores above 0: at alpha ${task.alpha} none has a mean error high enough for its size. A larger alpha (0.99) counts size for less and error for more.`,
  ]
}

async function inMemory(ctx: RunContext, setting: DiscoverySetting): Promise<Discovered> {
  const { task, support, seed, onLevel } = setting
  const { codes, errors } = await discoveryRows(ctx, setting)
  const rng = createRng(seed)
  const options = { top: task.top, alpha: task.alpha, support, depth: task.depth, falseDiscoveryRate: task.fdr, onLevel }
  return discoverSlices(codes, errors, options, () => rng.next(), ctx.token)
}

/** Codes and errors, what a search keeps beside them, and the rows in two halves to replicate on. */
const BYTES_A_CODE = 12
const BYTES_A_ROW = 96

function fits({ inMemory: limits }: RunContext, { rows, columns }: DiscoverySetting): boolean {
  return rows <= limits.rows && rows * (columns.length * BYTES_A_CODE + BYTES_A_ROW) <= limits.bytes
}

function supportOf({ support }: DiscoverTask, rows: number): number {
  if (support === undefined) return Math.max(32, Math.ceil(rows / 100))
  // 0.07 · 100 is 7.000000000000001: a share must not round up to one row more.
  return Math.max(1, support.unit === 'rows' ? support.value : Math.ceil(Math.round(support.value * rows * 1e6) / 1e6))
}

// ---------------------------------------------------------------- errors

interface Errors {
  readonly rows: number
  readonly largest: number
  readonly whole: boolean
  readonly mean: number
  readonly notes: readonly string[]
}

/** Errors must be finite and not negative; rows without one are left out. */
async function errorsOf(ctx: RunContext, task: DiscoverTask, view: string): Promise<Errors> {
  const error = column('assay error')
  const bad: SqlExpr = {
    kind: 'logical',
    op: 'or',
    operands: [binary(error, '<', literal(0)), binary(error, '>=', literal(Number.POSITIVE_INFINITY))],
  }
  const from = { kind: 'table' as const, name: view }
  const counted = await ctx.tables.query(
    printSelect({
      items: [
        { value: call('count', star), alias: 'all' },
        { value: call('count', error), alias: 'n' },
        { value: call('max', error), alias: 'largest' },
        { value: call('avg', error), alias: 'mean' },
        { value: { kind: 'call', name: 'count', args: [star], filter: bad }, alias: 'bad' },
        { value: { kind: 'call', name: 'count', args: [star], filter: binary(error, '<>', call('floor', error)) }, alias: 'fractional' },
      ],
      from,
    }),
  )
  const figure = (name: string) => numberAt(namedColumn(counted, name), 0) ?? 0
  const where = task.on.split === undefined ? `\`${task.on.source}\`` : `\`${task.on.source}.${task.on.split}\``
  if (figure('all') === 0)
    throw new DataProblem('no-rows', `${where} has no rows, so there is nothing to search. Check the split’s condition or share.`)
  if (figure('bad') > 0) {
    const found = await ctx.tables.query(
      printSelect({
        items: [
          { value: column(ROW), alias: 'row' },
          { value: { kind: 'cast', value: error, type: 'varchar' }, alias: 'error' },
        ],
        from,
        where: bad,
        orderBy: [{ value: column(ROW), descending: false }],
        limit: 1,
      }),
    )
    const value = namedColumn(found, 'error')
    const shown = value.kind === 'text' ? (value.dictionary[value.codes[0]!] ?? '') : ''
    const rows = figure('bad') === 1 ? 'One error is' : `${figure('bad')} errors are`
    throw new DataProblem(
      'unusable-errors',
      `${rows} negative or not a finite number: \`${task.error}\` is ${shown} in row ${numberAt(namedColumn(found, 'row'), 0)} of \`${task.on.source}\` (the first is row 0). Take abs() or a square of it, or leave such rows out in a view.`,
    )
  }
  const rows = figure('n')
  if (rows === 0)
    throw new DataProblem(
      'no-errors',
      `No row of ${where} has an error: \`${task.error}\` is NULL in all ${figure('all')}. Check that the target is known there.`,
    )
  const without = figure('all') - rows
  const notes =
    without === 0
      ? []
      : [`${without === 1 ? 'One row has' : `${without} rows have`} no error (NULL) and ${without === 1 ? 'was' : 'were'} left out.`]
  return { rows, largest: figure('largest'), whole: figure('fractional') === 0, mean: figure('mean'), notes }
}

// ---------------------------------------------------------------- what is shown

function shownSlice(slice: Discovered['slices'][number], columns: readonly CodingColumn[]): DiscoveredSlice {
  const { size, sumError, maxError, meanError, score, interval, effectSize, pValue, qValue, test, replicated, overlaps } = slice
  return {
    ...saidOf(slice, columns),
    ...{ size, sumError, maxError, meanError, interval, effectSize, score, pValue, qValue, test, replicated, overlaps },
  }
}

export function saidOf({ predicates }: Pick<FoundSlice, 'predicates'>, columns: readonly CodingColumn[]) {
  const said = predicates.map(({ column: c, code }) => ({ of: columns[c]!, value: columns[c]!.values[code - 1]! }))
  return {
    predicates: Object.fromEntries(said.map(({ of, value }) => [of.name, shownValue(value)])),
    where: said.map(({ of, value }) => valueCondition(of.written, value)).join(' and '),
  }
}

/** Before statistics were computed: nothing is claimed that was not looked at. */
function partialMembers(found: FoundSlices, columns: readonly CodingColumn[]) {
  const none = Number.NaN
  const untested = { interval: [none, none] as const, effectSize: none, pValue: none, qValue: none, test: 'not tested' }
  const slices = found.slices.map((slice): DiscoveredSlice => {
    const { size, sumError, maxError, meanError, score } = slice
    return { ...saidOf(slice, columns), ...untested, replicated: false, overlaps: [], size, sumError, maxError, meanError, score }
  })
  return { meanError: found.meanError, slices, levels: found.levels }
}

/** Values too rare to get a code were looked at too. */
function levelsOf(found: FoundSlices, coded: readonly CodingColumn[]): NonNullable<DiscoverResult['levels']> {
  const rare = coded.reduce((sum, c) => sum + Math.max(0, (c.distinct ?? 0) - c.values.length), 0)
  return found.levels.map((level) => (level.depth === 1 ? { ...level, evaluated: level.evaluated + rare } : level))
}
