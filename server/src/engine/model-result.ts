import type { RefSpec } from '../check/spec.ts'
import { encodeLabels } from '../data/labels.ts'
import type { ModelResult } from '../protocol/results.ts'
import { printExpr } from '../sql/print.ts'
import { ROW, SPLIT } from '../sql/tree.ts'
import { jsonAt, namedColumn, numbersOf } from './columns.ts'
import { digest, type RunContext } from './context.ts'
import { handedNote } from './handed-model.ts'
import { classification, type Measured, regression } from './metrics.ts'
import type { FittedModel } from './models.ts'
import { type Predictions, predict } from './predictions.ts'

type Members = Pick<
  ModelResult,
  'rows' | 'parameters' | 'epochs' | 'origin' | 'loss' | 'gradientNorm' | 'metrics' | 'measuredOn' | 'perSlice' | 'notes'
>
const quoted = (name: string) => printExpr({ kind: 'column', name })

/** What a model is worth: on the validation split, else on the rows it was trained on, and says which; slice by slice too. */
export async function modelResult(ctx: RunContext, model: FittedModel): Promise<Members> {
  const { plan, trained } = model
  if (model.handed) return handedMembers(ctx, model)
  const on: RefSpec = { source: plan.source, split: plan.validate ?? plan.train?.split }
  const hash = digest(model.hash, JSON.stringify(plan.slices), JSON.stringify(on), 'measured')
  const stored = ctx.cache.read<Members>('measured', hash)
  if (stored) return stored.meta
  const predictions = await predict(ctx, model, plan.source)
  const measured = await measure(ctx, model, predictions, on)
  const perSlice = await measureSlices(ctx, model, predictions, on)
  const result: Members = {
    rows: trained?.rows.length ?? predictions.rows,
    parameters: trained?.theta.length ?? 0,
    epochs: trained?.fitted.epochs ?? 0,
    loss: finite(trained ? trained.fitted.loss : measured.loss),
    gradientNorm: trained?.fitted.gradientNorm,
    metrics: measured.metrics,
    origin: trained ? undefined : model.reading ? 'elsewhere' : 'brought',
    measuredOn: trained ? (plan.validate ?? 'training') : (on.split ?? 'all rows'),
    perSlice,
    notes: model.notes.length ? model.notes : undefined,
  }
  ctx.cache.write('measured', hash, result, {})
  return result
}

/** What is known of a model whose training rows are not here: it cannot be measured on them again. */
function handedMembers(ctx: RunContext, model: FittedModel): Members {
  const { theta, fitted } = model.trained!
  const { epochs, gradientNorm } = fitted
  const parameters = theta.length
  return {
    rows: model.handed!.rows,
    parameters,
    epochs,
    loss: finite(fitted.loss),
    gradientNorm,
    notes: [...model.notes, handedNote(ctx, model)!],
  }
}

const finite = (value: number) => (Number.isFinite(value) ? value : undefined)

/** A model's metrics over the rows of a source (or one of its splits) whose target is known. */
export async function measure(ctx: RunContext, model: FittedModel, predictions: Predictions, on: RefSpec): Promise<Measured> {
  const condition = on.split === undefined ? '' : ` where ${quoted(SPLIT)} = ${printExpr({ kind: 'literal', value: on.split })}`
  return measureRows(
    ctx,
    model,
    predictions,
    `select ${quoted(ROW)}, ${quoted(model.plan.target.name)} from ${quoted(on.source)}${condition} order by ${quoted(ROW)}`,
  )
}

async function measureRows(ctx: RunContext, model: FittedModel, predictions: Predictions, sql: string): Promise<Measured> {
  const columns = await ctx.tables.query(sql)
  const positions = numbersOf(columns, ROW)
  const { width } = predictions
  const values = new Float32Array(positions.length * width)
  for (const [i, position] of positions.entries())
    values.set(predictions.values.subarray(position * width, (position + 1) * width), i * width)
  if (!model.labels) return regression(values, numbersOf(columns, model.plan.target.name))
  const labels = encodeLabels(model.labels, namedColumn(columns, model.plan.target.name)).values
  return classification(values, width, Int32Array.from(labels))
}

async function measureSlices(
  ctx: RunContext,
  model: FittedModel,
  predictions: Predictions,
  on: RefSpec,
): Promise<NonNullable<Members['perSlice']>> {
  const source = quoted(model.plan.source)
  const scope = on.split === undefined ? 'true' : `${quoted(SPLIT)} = ${printExpr({ kind: 'literal', value: on.split })}`
  const target = quoted(model.plan.target.name)
  const result: { slice: string; rows: number; loss: number; metric: number }[] = []
  const add = async (slice: string, condition: string) => {
    const sql = `select ${quoted(ROW)}, ${target} from ${source} where ${scope} and ${condition} order by ${quoted(ROW)}`
    const { rows, loss, metrics } = await measureRows(ctx, model, predictions, sql)
    const metric = metrics.accuracy ?? metrics.rmse
    if (rows > 0 && metric !== undefined) result.push({ slice, rows, loss, metric })
  }
  for (const slice of model.plan.slices) {
    if (slice.kind === 'slice') {
      await add(slice.name, `(${slice.sql})`)
      continue
    }
    const names = await ctx.tables.query(`select distinct ${slice.sql} as name from ${source} where ${scope} order by 1 limit 200`)
    const data = namedColumn(names, 'name')
    for (let i = 0; i < names.rows; i++) {
      const value = String(jsonAt(data, i))
      await add(`${slice.name}: ${value}`, `(${slice.sql}) = ${printExpr({ kind: 'literal', value })}`)
    }
  }
  return result
}
