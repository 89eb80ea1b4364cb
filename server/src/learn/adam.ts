import { descend } from './descent.ts'
import { countParameters, parameterShapes } from './parameters.ts'
import type { Named } from './pass.ts'
import { lossPass } from './passes.ts'
import { createRng, shuffle } from './rng.ts'
import type { Architecture, Breathe, Examples, Fitted, Progress, TrainOptions } from './session.ts'
import { targetsOf } from './targets.ts'
import type { Trainable } from './train.ts'
import { requireFinite, TrainingFailed } from './training-failed.ts'

/**
 * Adam on shuffled batches (rates in passes.ts), parameters and moments staying on the device. Weights start uniform in ±√(6/(in + out)) (Glorot &
 * Bengio 2010, eq. 16) and biases at 0, both from the seed, as is the order of rows. With `patience`, the parameters of the best epoch on
 * the validation rows are what is returned; `converged` says that patience ended the training.
 */
export async function trainByAdam<H>(
  trainable: Trainable<H>,
  options: TrainOptions,
  breathe: Breathe,
  progress: Progress,
): Promise<Fitted> {
  const { session, examples } = trainable
  const { architecture } = session
  if (options.batch < 1) throw new RangeError('A batch needs at least one row.')
  if (examples.y === undefined) throw new RangeError('Training needs labels.')
  const { rows } = examples
  const targets = targetsOf(architecture, examples.y, rows)
  const rng = createRng(options.seed)
  const theta = options.from?.slice() ?? initial(architecture, options.seed)
  const batch = Math.min(options.batch, rows)
  const descent = await descend(trainable, targets, theta, batch)
  const order = Int32Array.from({ length: rows }, (_, row) => row)
  const stepsPerEpoch = Math.ceil(rows / batch)
  let best: { loss: number; theta: Float64Array; epoch: number } | undefined
  let steps = 0
  let epochs = 0
  try {
    while (epochs < options.epochs) {
      shuffle(order, rng)
      for (let start = 0; start < rows; start += batch) {
        await breathe()
        steps++
        if (!(await descent.step(order.subarray(start, start + batch), steps))) {
          requireFinite(examples, architecture)
          throw new TrainingFailed(steps, noNumber)
        }
        progress('train', steps, options.epochs * stepsPerEpoch)
      }
      epochs++
      if (options.validation === undefined || options.patience === undefined) continue
      const held = await meanLoss(trainable, options.validation, descent.parameters, breathe)
      if (best === undefined || held < best.loss) best = { loss: held, theta: await descent.theta(), epoch: epochs }
      if (epochs - best.epoch >= options.patience) break
    }
    const final = best?.theta ?? (await descent.theta())
    const { loss, gradient } = await session.gradient(final, breathe)
    if (!Number.isFinite(loss)) {
      requireFinite(examples, architecture)
      throw new TrainingFailed(steps, noNumber)
    }
    return {
      theta: final,
      loss,
      gradientNorm: Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0)),
      epochs,
      passes: epochs + 1,
      converged: best !== undefined && epochs < options.epochs,
    }
  } finally {
    descent.release()
  }
}

/** Glorot-uniform weights and zero biases, a function of the seed alone. */
export function initial(architecture: Architecture, seed: number): Float64Array {
  const shapes = parameterShapes(architecture)
  const theta = new Float64Array(countParameters(shapes))
  // Not the stream that shuffles: the order of rows must not depend on the size of the model.
  const rng = createRng(seed + 0x5eed)
  for (const { name, rows, columns, offset } of shapes) {
    if (name.startsWith('b')) continue
    const limit = Math.sqrt(6 / (rows + columns))
    for (let i = 0; i < rows * columns; i++) theta[offset + i] = Math.fround((2 * rng.next() - 1) * limit)
  }
  return theta
}

async function meanLoss<H>(trainable: Trainable<H>, validation: Examples, state: Named<H>, breathe: Breathe): Promise<number> {
  const { device, session } = trainable
  const { architecture } = session
  const { inputs, outputs } = architecture
  if (validation.y === undefined || validation.rows < 1) throw new RangeError('Validation needs rows with labels.')
  const run = await trainable.compile(lossPass(architecture))
  const targets = targetsOf(architecture, validation.y, validation.rows)
  const perBatch = 512
  let sum = 0
  for (let start = 0; start < validation.rows; start += perBatch) {
    await breathe()
    const end = Math.min(validation.rows, start + perBatch)
    const given = {
      x: device.upload(validation.x.subarray(start * inputs, end * inputs), [end - start, inputs], 'passing'),
      y: device.upload(targets.subarray(start * outputs, end * outputs), [end - start, outputs], 'passing'),
    }
    let made: Named<H> = {}
    try {
      made = await run({ ...state, ...given })
      for (const value of await device.read(made.loss!)) sum += value
    } finally {
      for (const handle of [...Object.values(given), ...Object.values(made)]) device.release(handle)
    }
  }
  return sum / validation.rows
}

const noNumber = 'the loss is no number; scale the inputs, or raise l2'
