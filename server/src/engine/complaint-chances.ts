import { type Columns, DataProblem } from '../data/tables.ts'
import { normalUpper } from '../methods/slices/distributions.ts'
import type { ChancePlan } from '../plan/plan.ts'
import { chanceTable, choiceTable } from '../plan/provenance/chances.ts'
import { predictionTable, scoreColumn } from '../plan/tables.ts'
import { column, literal } from '../sql/build.ts'
import { printExpr } from '../sql/print.ts'
import { createAs } from '../sql/statements.ts'
import { ROW, SPLIT, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { isAnswered } from './metrics.ts'
import type { FittedModel } from './models.ts'
import { type Predictions, predict } from './predictions.ts'
import { unknownClass } from './unknown-class.ts'

/**
 * The chances that a relaxed query draws from, as tables of the run's database, and their derivatives by the model's answers.
 *
 * Classes have their probabilities; a row without an answer has a choice of its own, NULL, which is sure. A predicted number ŷ that is compared with t is
 * above it with the chance Φ((ŷ − t)/σ̂), σ̂ the model's residual deviation on the rows it learned from (METHODS §4). A probability p that is compared
 * with t in (0, 1) is above it with a chance that rises from 0 at p = 0 to ½ at p = t and to 1 at p = 1, in two straight lines: for t = ½ p itself.
 * Several thresholds make a distribution over the intervals between them.
 */
export interface ChanceSource {
  readonly plan: ChancePlan
  readonly model: FittedModel
  readonly predictions: Predictions
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

/** The table of a model's predictions must be there, with the probability of every class. O(rows × choices). */
export async function registerChances(ctx: RunContext, source: ChanceSource): Promise<Intervals | undefined> {
  const { plan, model, predictions } = source
  const { rows } = predictions
  const predicted = predictionTable(plan)
  const missing = someUnanswered(predictions) ? [cast({ kind: 'is_null', negated: false, value: column('prediction') }, 'double')] : []
  if (plan.kind === 'class') {
    const labels = model.labels!.values
    await offer(ctx, plan, predicted, [...labels.map((label) => column(scoreColumn(label))), ...missing], labels)
    return undefined
  }
  const intervals = await intervalsOf(ctx, source)
  const { choices, columns, absent } = intervalChances(source, intervals)
  const named = [...columns, ...(absent ? [absent] : [])].map((data, c) => ({ name: `p${c}`, data: number(data, 'any') }))
  const wide = `${chanceTable(plan.name)} wide`
  await ctx.tables.create(wide, {
    rows,
    columns: [
      {
        name: ROW,
        data: number(
          Float64Array.from({ length: rows }, (_, i) => i),
          'whole',
        ),
      },
      ...named,
    ],
  })
  await offer(
    ctx,
    plan,
    wide,
    named.map(({ name }) => column(name)),
    choices,
  )
  return intervals
}

export function someUnanswered({ rows, width, values }: Predictions): boolean {
  for (let i = 0; i < rows; i++) if (!isAnswered(values, i, width)) return true
  return false
}

/** The choices among intervals, and for each the chances of all rows; `absent` is 1 where a row has no answer. O(rows × choices). */
export function intervalChances(
  { plan: { thresholds }, predictions: { rows, width, values } }: ChanceSource,
  intervals: Intervals,
): { readonly choices: readonly number[]; readonly columns: readonly Float64Array[]; readonly absent?: Float64Array } {
  const last = thresholds.length
  const between = (j: number) =>
    j === 0 ? thresholds[0]! - 1 : j === last ? thresholds[last - 1]! + 1 : (thresholds[j - 1]! + thresholds[j]!) / 2
  const choices = Array.from({ length: 2 * last + 1 }, (_, c) => (c % 2 === 0 ? between(c / 2) : thresholds[(c - 1) / 2]!))
  const chances = new Float64Array(choices.length)
  const columns = choices.map(() => new Float64Array(rows))
  let absent: Float64Array | undefined
  for (let i = 0; i < rows; i++) {
    const answered = isAnswered(values, i, width)
    if (answered) intervals.chances(i, chances)
    else {
      absent ??= new Float64Array(rows)
      absent[i] = 1
    }
    for (let c = 0; c < choices.length; c++) columns[c]![i] = answered ? chances[c]! : 0
  }
  return { choices, columns, absent }
}

/** A row's chances as a list, and the choices that they are of; one more choice, NULL, for rows without an answer. */
async function offer(
  ctx: RunContext,
  { name }: ChancePlan,
  table: string,
  chances: readonly SqlExpr[],
  choices: readonly (string | number | boolean)[],
): Promise<void> {
  const list: SqlSelect = {
    items: [{ value: column(ROW) }, { value: cast({ kind: 'list', items: chances }, 'double[]'), alias: 'p' }],
    from: { kind: 'table', name: table },
  }
  await ctx.tables.execute(createAs('view', chanceTable(name), list))
  const rows = chances.map((_, c) => [literal(c), literal(choices[c] ?? null)])
  const values: SqlSelect = {
    items: [{ value: { kind: 'star' } }],
    from: { kind: 'values', rows, alias: 'v', columns: ['assay class', 'assay value'] },
  }
  await ctx.tables.execute(createAs('view', choiceTable(name), values))
}

const cast = (value: SqlExpr, type: string): SqlExpr => ({ kind: 'cast', value, type })
const number = (values: Float64Array, numbers: 'whole' | 'any') => ({ kind: 'number' as const, values, integer: numbers === 'whole' })

/** A predicted number or a probability among thresholds: the chance of each interval and point, and how it moves with the answer. */
export interface Intervals {
  /** The column of the answer among the predictions. */
  readonly column: number
  /** Its place among their cells. */
  cell(row: number): number
  chances(row: number, out: Float64Array): void
  slope(row: number, choice: number): number
}

export async function intervalsOf(ctx: RunContext, { plan, model, predictions }: ChanceSource): Promise<Intervals> {
  const { width, values } = predictions
  const { thresholds } = plan
  const m = thresholds.length
  const label = plan.kind === 'score' ? classOf(model, plan.label!) : 0
  const deviation = plan.kind === 'number' ? await residualDeviation(ctx, model) : 0
  const above =
    plan.kind === 'score' ? scoreAbove : (x: number, t: number) => (deviation > 0 ? normalUpper((t - x) / deviation) : x > t ? 1 : 0)
  const rise =
    plan.kind === 'score'
      ? scoreRise
      : (x: number, t: number) => (deviation > 0 ? Math.exp(-(((x - t) / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI)) : 0)
  const isPoint = (x: number, t: number) => x === t && (plan.kind === 'score' ? t <= 0 || t >= 1 : deviation === 0)
  const cell = (row: number) => row * width + label
  return {
    column: label,
    cell,
    chances: (row, out) => {
      const x = values[cell(row)]!
      let beyond = 1
      for (let j = 0; j <= m; j++) {
        const over = j < m ? above(x, thresholds[j]!) : 0
        const at = j < m && isPoint(x, thresholds[j]!) ? 1 : 0
        out[2 * j] = Math.max(0, beyond - over - at)
        if (j < m) out[2 * j + 1] = at
        beyond = over
      }
    },
    slope: (row, choice) => {
      if (choice % 2 === 1) return 0
      const x = values[cell(row)]!
      // A row without an answer has none that training could move.
      if (Number.isNaN(x)) return 0
      const j = choice / 2
      return (j > 0 ? rise(x, thresholds[j - 1]!) : 0) - (j < m ? rise(x, thresholds[j]!) : 0)
    },
  }
}

function scoreAbove(p: number, t: number): number {
  if (t <= 0 || t >= 1) return p > t ? 1 : 0
  return p <= t ? p / (2 * t) : 0.5 + (p - t) / (2 * (1 - t))
}

function scoreRise(p: number, t: number): number {
  if (t <= 0 || t >= 1) return 0
  return p <= t ? 1 / (2 * t) : 1 / (2 * (1 - t))
}

export function classOf(model: FittedModel, label: string | number | boolean): number {
  const found = model.labels?.values.findIndex((value) => String(value) === String(label)) ?? -1
  if (found < 0) throw unknownClass(model, label)
  return found
}

/** The root of the mean squared difference between prediction and target over the rows that the model learned from. One pass over its source. */
async function residualDeviation(ctx: RunContext, model: FittedModel): Promise<number> {
  const key = `deviation ${model.hash}`
  return ctx.resident.get<number>(key) ?? ctx.resident.keep(key, await measuredDeviation(ctx, model), 64)
}

async function measuredDeviation(ctx: RunContext, model: FittedModel): Promise<number> {
  const { plan } = model
  const where = plan.train === undefined ? '' : ` where ${quoted(SPLIT)} = ${printExpr({ kind: 'literal', value: plan.train.split })}`
  const known: Columns = await ctx.tables.query(
    `select ${quoted(ROW)}, ${quoted(plan.target.name)} as y from ${quoted(plan.source)}${where}`,
  )
  const { values } = await predict(ctx, model, plan.source)
  const [rows, y] = [numbersOf(known, ROW), numbersOf(known, 'y')]
  let squares = 0
  let n = 0
  for (const [i, row] of rows.entries()) {
    const away = values[row]! - y[i]!
    if (!Number.isFinite(away)) continue
    squares += away * away
    n++
  }
  if (n > 0) return Math.sqrt(squares / n)
  throw new DataProblem(
    'no-residuals',
    `No row of \`${plan.source}\` has both a \`${plan.target.name}\` and a prediction, so it is not known how far \`${plan.name}\` errs, and a comparison of its predictions cannot be relaxed.`,
  )
}
