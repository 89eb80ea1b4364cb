import { createRng, shuffle } from '../learn/rng.ts'
import type { Architecture } from '../learn/session.ts'
import { digest, type RunContext } from './context.ts'
import { type FittedModel, loadTrainingSet, type TrainingSet, train, validationOf } from './models.ts'

/**
 * Predictions for training rows by models that did not see them (`train … with (folds: n)`): the rows, in key order, are dealt into n folds by the
 * seed; each fold is predicted by a model trained on the others, starting from the fitted parameters where the objective is convex (the optimum is
 * the same, the way there shorter). Stored by the model's hash. Cost: n trainings.
 */
export async function outOfFold(
  ctx: RunContext,
  model: FittedModel,
): Promise<{ probabilities: Float32Array; y: Int32Array | Float32Array; width: number } | undefined> {
  const folds = model.plan.train?.folds
  const { trained } = model
  if (folds === undefined || !trained) return undefined
  const width = trained.architecture.outputs
  const hash = digest(model.hash, `folds ${folds}`)
  const stored = ctx.cache.read('folds', hash)
  if (stored) return { probabilities: stored.arrays.probabilities as Float32Array, y: trained.y, width }
  const set = await loadTrainingSet(ctx, model)
  const n = set.rows
  const order = Int32Array.from({ length: n }, (_, i) => i)
  shuffle(order, createRng(model.plan.train?.seed ?? 7))
  const probabilities = new Float32Array(n * width)
  const used = Math.min(folds, n)
  const validation = await validationOf(ctx, model)
  for (let fold = 0; fold < used; fold++) {
    ctx.step('out-of-fold predictions', fold, used)
    const held = order.filter((_, i) => i % used === fold)
    const rest = order.filter((_, i) => i % used !== fold)
    if (rest.length === 0) continue
    const convex = trained.architecture.hidden.length === 0
    const fitted = await train(ctx, model.plan, trained.architecture, subset(set, rest), validation, convex ? trained.theta : undefined)
    const predicted = await predictRows(ctx, trained.architecture, fitted.theta, subset(set, held))
    for (const [i, row] of held.entries()) probabilities.set(predicted.subarray(i * width, (i + 1) * width), row * width)
  }
  ctx.cache.write('folds', hash, {}, { probabilities })
  return { probabilities, y: set.y, width }
}

/** Chosen rows of a training set, copied. */
export function subset(set: TrainingSet, rows: Int32Array): TrainingSet {
  const width = set.x.length / Math.max(1, set.rows)
  const x = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) x.set(set.x.subarray(row * width, (row + 1) * width), i * width)
  const y = set.y instanceof Int32Array ? Int32Array.from(rows, (row) => set.y[row]!) : Float32Array.from(rows, (row) => set.y[row]!)
  return { rows: rows.length, x, y, positions: Float64Array.from(rows, (row) => set.positions[row]!) }
}

async function predictRows(ctx: RunContext, architecture: Architecture, theta: Float64Array, set: TrainingSet): Promise<Float32Array> {
  const session = await (await ctx.backend()).open(architecture, set)
  try {
    return await session.predict(theta, ctx.breathe)
  } finally {
    session.dispose()
  }
}
