import { existsSync } from 'node:fs'
import { type GroupRows, type GroupStep, groupStep } from '../methods/influence/group-step.ts'
import type { ComplaintTask } from '../plan/plan.ts'
import type { GroupEffect } from '../protocol/results.ts'
import { askModels, type Evaluated, evaluateComplaint } from './complaint.ts'
import type { RunContext } from './context.ts'
import { type DebuggingIndex, debuggingIndex, indexHash } from './debugging-index.ts'
import { type FittedModel, loadTrainingSet, type TrainingSet } from './models.ts'
import { subset } from './out-of-fold.ts'
import { predict } from './predictions.ts'
import { queryProjections } from './projections.ts'
import type { Ranking } from './ranking.ts'
import type { Asked } from './relaxed.ts'
import { autoPairs, SPECTRAL_PAIRS } from './spectral-rule.ts'
import { changesInputs, type Treatment } from './treatments.ts'

/**
 * What treating all suspects at once would come to: θ after one Newton step in the span of the index (`methods/influence/group-step.ts`), and the query asked
 * again of the model with that θ, hard and relaxed. A prediction: `intervene` trains again, and its result has both side by side.
 */
export interface GroupAsked {
  readonly task: ComplaintTask
  readonly model: FittedModel
  readonly models: readonly FittedModel[]
  readonly asked: readonly Asked[]
  readonly evaluated: Evaluated
  readonly ranking: Ranking
}

/** Answers are asked for again of tables up to this many rows × classes; beyond, only the step itself is told. */
const MOST_CELLS = 4e6

/**
 * `undefined` where the ranking is not by the spectrum, its rows are not here, or its treatment changes inputs. Cost, for N suspects: a forward-mode pass of k
 * tangents over them, O(N·C·k²), and the query's predictions and evaluation once more.
 */
export async function groupEffect(ctx: RunContext, request: GroupAsked): Promise<GroupEffect | undefined> {
  const { model, ranking, asked } = request
  const { spectrum, coordinates, treatment, rows } = ranking
  if (!spectrum || !coordinates || treatment === undefined || model.handed || rows.length === 0 || changesInputs(treatment))
    return undefined
  const set = await loadTrainingSet(ctx, model)
  const gone = subset(set, rows)
  const to = relabelled(model, spectrum.index, treatment, rows)
  if (rows.length === set.rows && !to) return undefined
  ctx.step('what the suspects do together', 0, 0)
  const { theta, step } = await stepTogether(
    ctx,
    model,
    { index: spectrum.index, k: coordinates.k },
    { gone, came: to && { ...gone, y: to } },
  )
  const predicted = coordinates.values.reduce((total, g, l) => total + g * step.step[l]!, 0)
  const sum = ranking.influence.reduce((total, influence) => total + influence, 0)
  if (!Number.isFinite(predicted)) return undefined
  const told = { rows: rows.length, sum, predicted }
  if (asked.reduce((cells, { predictions }) => cells + predictions.rows * predictions.width, 0) > MOST_CELLS) return told
  const { evaluated: there } = await askedThere(ctx, request, { theta: model.trained!.theta, direction: theta, predicted })
  return {
    ...told,
    expectations: there.expectations.slice(0, MOST_EXPECTATIONS).map(({ actual, relaxed, satisfied }) => ({ actual, relaxed, satisfied })),
  }
}

/**
 * The query asked again along the step. Sums of probabilities move with the labels as the linear prediction says, for at an optimum their moments are those of the labels;
 * logits do not, for where probabilities saturate, curvature does too, and the optimum lies further out. So the place to ask is where the relaxed value
 * has moved as far as was predicted: two steps of the secant rule, from one whole step.
 */
async function askedThere(
  ctx: RunContext,
  { task, model, models, asked, evaluated }: Omit<GroupAsked, 'ranking'>,
  { theta, direction, predicted }: { readonly theta: Float64Array; readonly direction: Float64Array; readonly predicted: number },
): Promise<{ readonly theta: Float64Array; readonly evaluated: Evaluated }> {
  const at = async (t: number) => {
    const moved = theta.map((x, i) => x + t * (direction[i]! - x))
    const again = await askModels(ctx, task, models, (one, source) =>
      one === model
        ? predict(ctx, one, source, moved)
        : Promise.resolve(asked.find((a) => a.model === one && a.predictions.source === source)!.predictions),
    )
    return { theta: moved, evaluated: await evaluateComplaint(ctx, task, again) }
  }
  const unmet = evaluated.expectations.findIndex((e) => !e.satisfied)
  const before = evaluated.expectations[unmet]?.relaxed
  let t = 1
  let there = await at(t)
  for (let round = 0; round < 2; round++) {
    const after = there.evaluated.expectations[unmet]?.relaxed
    if (before === undefined || before === null || after === undefined || after === null) return there
    const ratio = Math.abs(predicted) / Math.abs(after - before)
    if (!Number.isFinite(ratio) || Math.abs(ratio - 1) < 0.02) return there
    t = Math.min(MOST_STEPS, t * ratio)
    there = await at(t)
  }
  return there
}
const MOST_STEPS = 4
const MOST_EXPECTATIONS = 100

/** The labels that a treatment would give; `undefined` where it removes the rows. */
function relabelled({ labels }: FittedModel, index: DebuggingIndex, treatment: Treatment, rows: Int32Array): Int32Array | undefined {
  if (!labels || treatment === 'remove' || !index.confusions || changesInputs(treatment)) return undefined
  const { pairs } = index.confusions
  return rows.map((row) => (typeof treatment === 'object' ? treatment.to : pairs[row]! % labels.values.length))
}

/** θ when rows leave the training set and others come in. */
export async function stepTogether(
  ctx: RunContext,
  model: FittedModel,
  { index, k }: { readonly index: DebuggingIndex; readonly k: number },
  { gone, came }: { readonly gone: TrainingSet; readonly came?: TrainingSet },
): Promise<{ readonly theta: Float64Array; readonly step: GroupStep }> {
  const { theta, architecture } = model.trained!
  const vectors = Array.from({ length: k }, (_, l) => index.vectors.subarray(l * index.dimension, (l + 1) * index.dimension))
  const along = vectors.map((vector) => vector.reduce((sum, v, i) => sum + v * theta[i]!, 0))
  const left = await projected(ctx, model, vectors, gone)
  const entered =
    came &&
    (came.x === gone.x
      ? left.map((group) => ({ ...group, y: came.y.subarray(group.from, group.from + group.rows) }))
      : await projected(ctx, model, vectors, came))
  const step = groupStep({
    values: index.values.subarray(0, k),
    gone: left,
    came: entered ?? [],
    penalty: { l2: architecture.l2, along },
  })
  const moved = theta.slice()
  for (const [l, vector] of vectors.entries()) for (let i = 0; i < moved.length; i++) moved[i]! += step.step[l]! * vector[i]!
  return { theta: moved, step }
}

/** Tangents in pieces of at most 128 MB. */
const MOST_TANGENTS = 32e6

async function projected(
  ctx: RunContext,
  model: FittedModel,
  vectors: readonly Float64Array[],
  set: TrainingSet,
): Promise<(GroupRows & { readonly from: number })[]> {
  const { theta, architecture } = model.trained!
  const classes = architecture.outputs
  const most = Math.max(1, Math.floor(MOST_TANGENTS / (vectors.length * classes)))
  const width = set.x.length / Math.max(1, set.rows)
  const backend = await ctx.backend()
  const groups: (GroupRows & { readonly from: number })[] = []
  for (let from = 0; from < set.rows; from += most) {
    const rows = Math.min(most, set.rows - from)
    const y = set.y.subarray(from, from + rows)
    const session = await backend.open(architecture, { rows, x: set.x.subarray(from * width, (from + rows) * width), y })
    try {
      const p = await session.predict(theta, ctx.breathe)
      groups.push({ from, rows, p, y, classes, tangents: await session.outputTangents(theta, vectors, ctx.breathe) })
    } finally {
      session.dispose()
    }
  }
  return groups
}

/**
 * θ as the index predicts it for a mended training set; `undefined` where no index is stored, for it is not worth computing for this alone. Where the complaint
 * stands, it is the place along the step where its query has moved as predicted. O(n·d) to compare, and what `groupEffect` costs.
 */
export async function predictedTheta(
  ctx: RunContext,
  { task, model, models }: Pick<GroupAsked, 'task' | 'model' | 'models'>,
  { original, mended }: { readonly original: TrainingSet; readonly mended: TrainingSet },
): Promise<Float64Array | undefined> {
  const pairs = [autoPairs(model), SPECTRAL_PAIRS].find((k) => existsSync(ctx.cache.path('index', indexHash(model.hash, k))))
  if (pairs === undefined) return undefined
  const index = await debuggingIndex(ctx, model, pairs)
  if (index.k === 0) return undefined
  const { gone, came } = difference(original, mended)
  if (gone.length === 0 && came.length === 0) return undefined
  const { theta, step } = await stepTogether(
    ctx,
    model,
    { index, k: index.k },
    { gone: subset(original, gone), came: subset(mended, came) },
  )
  if (!theta.every(Number.isFinite)) return undefined
  const asked = await askModels(ctx, task, models)
  const evaluated = await evaluateComplaint(ctx, task, asked)
  if (evaluated.weight === 0) return theta
  let predicted = 0
  for (const { predictions, weights } of [{ predictions: asked[0]!.predictions, weights: evaluated.weights }, ...evaluated.more]) {
    const some = await (await queryProjections(ctx, model, predictions, index)).coefficients(weights)
    predicted += some.reduce((sum, g, l) => sum + g * step.step[l]!, 0)
  }
  const there = await askedThere(
    ctx,
    { task, model, models, asked, evaluated },
    { theta: model.trained!.theta, direction: theta, predicted },
  )
  return there.theta
}

/** Places in either set of the rows that are not the same in both. Both are in training order. */
function difference(original: TrainingSet, mended: TrainingSet): { gone: Int32Array; came: Int32Array } {
  const gone: number[] = []
  const came: number[] = []
  const width = original.x.length / Math.max(1, original.rows)
  for (let i = 0, j = 0; i < original.rows; i++) {
    if (j < mended.rows && mended.positions[j] === original.positions[i]) {
      if (original.y[i] !== mended.y[j] || !sameRow(original.x, i * width, mended.x, j * width, width)) {
        gone.push(i)
        came.push(j)
      }
      j++
    } else gone.push(i)
  }
  return { gone: Int32Array.from(gone), came: Int32Array.from(came) }
}

function sameRow(a: Float32Array, at: number, b: Float32Array, other: number, width: number): boolean {
  if (a === b && at === other) return true
  for (let c = 0; c < width; c++) if (a[at + c] !== b[other + c]) return false
  return true
}
