import { trainByAdam } from './adam.ts'
import { minimise } from './lbfgs.ts'
import type { Device, Pass, Run } from './pass.ts'
import { type Held, preconditionerAt } from './precondition.ts'
import type { Breathe, Examples, Fitted, Progress, Session, TrainOptions } from './session.ts'
import { requireFinite, TrainingFailed } from './training-failed.ts'

/** What training needs of a session besides its public face. */
export interface Trainable<H> {
  readonly device: Device<H>
  readonly session: Session
  readonly examples: Examples
  compile(pass: Pass): Promise<Run<H>>
}

/**
 * Models without hidden layers are convex and trained by L-BFGS on all rows, in float64 on top of float32 passes; others by Adam on batches. Same
 * seed, backend and threads, same bits. Throws `TrainingFailed` where numbers stop being numbers.
 */
export async function train<H>(trainable: Trainable<H>, options: TrainOptions, breathe: Breathe, progress: Progress): Promise<Fitted> {
  if (options.epochs < 1) throw new RangeError('Training needs at least one epoch.')
  if (trainable.session.architecture.hidden.length > 0) return trainByAdam(trainable, options, breathe, progress)
  return trainConvex(trainable, options, breathe, progress)
}

async function trainConvex<H>(trainable: Trainable<H>, options: TrainOptions, breathe: Breathe, progress: Progress): Promise<Fitted> {
  const { session, examples, device, compile } = trainable
  const { architecture, parameters } = session
  const tolerance = options.tolerance ?? 1e-4
  const limit = options.epochs * 10
  // The preconditioner is made anew after ten iterations: the weight of rows changes quickly at first. From fitted parameters it is what it was.
  const renewals = options.from === undefined ? [0, 10] : [0]
  let highest: number | undefined
  let held: Held | undefined
  const minimum = await minimise((theta) => session.gradient(theta, breathe), options.from ?? new Float64Array(parameters), {
    tolerance,
    iterations: limit,
    memory: 20,
    precondition: async (theta, iteration) => {
      if (!renewals.includes(iteration)) return undefined
      const fresh = await preconditionerAt({ device, architecture, examples, compile }, theta, breathe)
      if (fresh === undefined) return undefined
      held?.release()
      held = fresh
      return fresh.precondition
    },
    progress(_, norm) {
      // How far the logarithm of the gradient norm has come: iterations left are anybody's guess, this is nearly linear.
      highest ??= Math.log(norm)
      const share = Math.max(0, Math.min(1, (highest - Math.log(norm)) / Math.max(1e-9, highest - Math.log(tolerance))))
      progress('train', Math.round(share * 100), 100)
    },
  }).finally(() => held?.release())
  if (minimum.end === 'not-finite') {
    requireFinite(examples, architecture)
    throw new TrainingFailed(minimum.iterations, 'the loss left the range of numbers; scale the inputs or raise l2')
  }
  return {
    theta: minimum.theta,
    loss: minimum.loss,
    gradientNorm: minimum.gradientNorm,
    epochs: minimum.iterations,
    passes: minimum.evaluations,
    converged: minimum.gradientNorm <= tolerance,
  }
}
