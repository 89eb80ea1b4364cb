import { encode } from '../data/encode.ts'
import { encodeLabels, UNKNOWN_CLASS } from '../data/labels.ts'
import { DataProblem } from '../data/tables.ts'
import type { FixPlan, InterveneTask, Plan } from '../plan/plan.ts'
import type { InterveneResult } from '../protocol/results.ts'
import { jsonAt, namedColumn } from './columns.ts'
import { askModels, evaluateComplaint } from './complaint.ts'
import { digest, type RunContext } from './context.ts'
import { predictedTheta } from './group-effect.ts'
import { withoutInput } from './inputs.ts'
import { positionsWhere } from './membership.ts'
import { MendedRows } from './mended-rows.ts'
import { measure } from './model-result.ts'
import { type FittedModel, fitModel, loadTrainingSet, type TrainingSet, train, validationOf } from './models.ts'
import { subset } from './out-of-fold.ts'
import { type Predictions, predict } from './predictions.ts'
import { rankSuspects, trainingPredictions } from './ranking.ts'
import { alternative } from './treatments.ts'
import { unknownClass } from './unknown-class.ts'

/**
 * A repair on a copy of the training rows: the encoded rows change, the model is trained again (a convex one from where it stood: the optimum is
 * the same), and the measures are taken before and after. The encoding stays as fitted, so that both models speak of the same inputs; no file is touched.
 */
export async function runIntervention(
  ctx: RunContext,
  plan: Plan,
  task: InterveneTask,
  models: readonly FittedModel[],
): Promise<Pick<InterveneResult, 'before' | 'after' | 'predicted' | 'changedRows' | 'notes'>> {
  const model = models.find((m) => m.plan.name === task.complaint.model)!
  if (!model.trained) {
    throw new DataProblem(
      'no-parameters',
      `\`${model.plan.name}\` was not trained here, so it cannot be trained again. Measure its complaint alone, or train a head on its embeddings.`,
    )
  }
  const notes: string[] = []
  const { set, changed, inputs } = await repaired(ctx, plan, task, model, notes)
  const expected =
    changed === 0
      ? undefined
      : await predictedTheta(ctx, { task: task.complaint, model, models }, { original: await loadTrainingSet(ctx, model), mended: set })
  const theta = changed === 0 ? model.trained.theta : await trainedAgain(ctx, model, set, inputs)
  const cached = new Map<string, Predictions>()
  const predicted = async (source: string, parameters: Float64Array, when: string) => {
    const known = cached.get(`${when} ${source}`) ?? (await predict(ctx, model, source, parameters))
    cached.set(`${when} ${source}`, known)
    return known
  }
  const measured = async (when: 'before' | 'after' | 'predicted') => {
    const parameters = { before: model.trained!.theta, after: theta, predicted: expected ?? theta }[when]
    const values: Record<string, number | null> = {}
    for (const m of task.compare) {
      if (m.kind === 'complaint') {
        const asked = await askModels(ctx, m.task, models, (one, source) =>
          one === model ? predicted(source, parameters, when) : predict(ctx, one, source),
        )
        const evaluated = await evaluateComplaint(ctx, m.task, asked)
        values[m.text] = evaluated.expectations[0]?.actual ?? null
        continue
      }
      const on = m.on ?? { source: model.plan.source, split: model.plan.validate ?? model.plan.train?.split }
      const { metrics, loss } = await measure(ctx, model, await predicted(on.source, parameters, when), on)
      const value = m.metric === 'loss' ? loss : metrics[m.metric]
      values[m.text] = value === undefined || !Number.isFinite(value) ? null : value
      if (value === undefined) notes.push(`\`${m.metric}\` is not defined for \`${model.plan.name}\` on these rows.`)
    }
    return values
  }
  const before = await measured('before')
  const after = await measured('after')
  const predictions = expected && (await measured('predicted'))
  return { before, after, predicted: predictions, changedRows: changed, notes: notes.length ? [...new Set(notes)] : undefined }
}

async function repaired(
  ctx: RunContext,
  plan: Plan,
  task: InterveneTask,
  model: FittedModel,
  notes: string[],
): Promise<{ set: TrainingSet; changed: number; inputs: 'as fitted' | 'mended' }> {
  const original = await loadTrainingSet(ctx, model)
  const mended = new MendedRows(ctx, model)
  const touched = new Uint8Array(original.rows)
  const gone = new Uint8Array(original.rows)
  let { x } = original
  const y = original.y.slice()
  for (const fix of task.fixes) {
    const rows = await targeted(ctx, plan, task, model, fix, notes)
    if (rows.length === 0) continue
    if (fix.kind === 'denoise' || fix.kind === 'replace') {
      const changed = await mended.change(fix, rows, { ...original, x, y })
      notes.push(...changed.notes)
      if (x === original.x) x = x.slice()
      const width = x.length / Math.max(1, original.rows)
      for (const [i, row] of changed.rows.entries()) {
        x.set(changed.x.subarray(i * width, (i + 1) * width), row * width)
        y[row] = changed.y[i]!
        touched[row] = 1
      }
      for (const row of changed.leaving) touched[row] = gone[row] = 1
      continue
    }
    for (const row of rows) touched[row] = 1
    if (fix.kind === 'remove') for (const row of rows) gone[row] = 1
    if (fix.kind === 'relabel') await relabel(ctx, model, fix, rows, y)
    if (fix.kind === 'set') x = await setColumn(mended, fix, rows, { ...original, x, y }, gone)
  }
  const changed = touched.reduce((sum, t) => sum + t, 0)
  if (changed === 0) notes.push('No training row was changed, so before and after are the same.')
  const set = { ...original, x, y }
  const inputs = x === original.x ? 'as fitted' : 'mended'
  if (!gone.includes(1)) return { set, changed, inputs }
  if (!gone.includes(0)) {
    throw new DataProblem(
      'no-training-rows',
      `The fixes of \`${plan.name}\` leave no training row, so \`${model.plan.name}\` cannot be trained again. Narrow them.`,
    )
  }
  return {
    set: subset(
      set,
      Int32Array.from({ length: original.rows }, (_, i) => i).filter((i) => gone[i] === 0),
    ),
    changed,
    inputs,
  }
}

/** Indices, in training order, of the rows that a fix speaks of. */
async function targeted(
  ctx: RunContext,
  plan: Plan,
  task: InterveneTask,
  model: FittedModel,
  fix: FixPlan,
  notes: string[],
): Promise<Int32Array> {
  if (fix.target.kind === 'where') {
    const chosen = await positionsWhere(ctx, model.plan.source, fix.target.sql)
    return indicesWhere(model.trained!.rows, (position) => chosen.has(position))
  }
  const models: FittedModel[] = []
  for (const one of plan.models) models.push({ ...(await fitModel(ctx, one)), plan: one })
  const asked = await askModels(ctx, task.complaint, models)
  const { predictions } = asked[0]!
  const evaluated = await evaluateComplaint(ctx, task.complaint, asked)
  const ranking = await rankSuspects(ctx, {
    task: task.complaint,
    model,
    predictions,
    evaluated,
    suspects: fix.target.suspects,
    seed: plan.seed,
  })
  notes.push(...ranking.notes)
  return ranking.rows
}

function indicesWhere(positions: Float64Array, chosen: (position: number) => boolean): Int32Array {
  const found: number[] = []
  for (const [i, position] of positions.entries()) if (chosen(position)) found.push(i)
  return Int32Array.from(found)
}

/** To the class named, or each row to the class that the model finds most probable beside the given one. */
async function relabel(
  ctx: RunContext,
  model: FittedModel,
  fix: Extract<FixPlan, { kind: 'relabel' }>,
  rows: Int32Array,
  y: Int32Array | Float32Array,
): Promise<void> {
  if (!model.labels) {
    for (const row of rows) if (typeof fix.to === 'number') y[row] = fix.to
    return
  }
  if (fix.to !== undefined) {
    const to = model.labels.values.findIndex((value) => String(value) === String(fix.to))
    if (to < 0) throw unknownClass(model, fix.to)
    for (const row of rows) y[row] = to
    return
  }
  const { probabilities, width } = await trainingPredictions(ctx, model)
  for (const row of rows) y[row] = alternative(probabilities, row * width, width, y[row]!)
}

/** `set c = expr`: the target's new value, or the inputs encoded again with the new one. A row whose target becomes NULL leaves. */
async function setColumn(
  mended: MendedRows,
  fix: Extract<FixPlan, { kind: 'set' }>,
  rows: Int32Array,
  set: TrainingSet,
  gone: Uint8Array,
): Promise<Float32Array> {
  const { model } = mended
  const { plan } = model
  const columns = await mended.set(fix, rows, set.positions)
  if (fix.column === plan.target.name) {
    const target = model.labels ?? { kind: 'number' as const, name: plan.target.name }
    const data = namedColumn(columns, plan.target.name)
    const values = encodeLabels(target, data).values
    for (const [i, row] of rows.entries()) {
      if (values[i] === UNKNOWN_CLASS) throw unknownClass(model, jsonAt(data, i) as string | number | boolean)
      if (Number.isNaN(values[i]!) || values[i]! < 0) gone[row] = 1
      else set.y[row] = values[i]!
    }
    return set.x
  }
  const { values, width } = encode(model.trained!.encoding, columns.columns)
  const input = withoutInput(plan, columns)
  const x = set.x.slice()
  for (const [i, row] of rows.entries()) {
    x.set(values.subarray(i * width, (i + 1) * width), row * width)
    if (input?.[i] === 0) gone[row] = 1
  }
  return x
}

async function trainedAgain(ctx: RunContext, model: FittedModel, set: TrainingSet, inputs: 'as fitted' | 'mended'): Promise<Float64Array> {
  const { theta, architecture } = model.trained!
  const bytes = (a: Float32Array | Float64Array | Int32Array) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength)
  const hash = digest(model.hash, bytes(set.positions), bytes(set.y), ...(inputs === 'mended' ? [bytes(set.x)] : []))
  const stored = ctx.cache.read('repaired', hash)
  if (stored) return stored.arrays.theta as Float64Array
  const convex = architecture.hidden.length === 0
  const fitted = await train(ctx, model.plan, architecture, set, await validationOf(ctx, model), convex ? theta : undefined)
  ctx.cache.write('repaired', hash, {}, { theta: fitted.theta })
  return fitted.theta
}
