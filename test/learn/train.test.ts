import { describe, expect, it } from 'vitest'
import { referenceDevice } from '../../server/src/learn/backends/reference.ts'
import { loadWasm } from '../../server/src/learn/backends/wasm.ts'
import { openSession } from '../../server/src/learn/open-session.ts'
import type { Architecture, Examples, Session, TrainOptions } from '../../server/src/learn/session.ts'
import { TrainingFailed } from '../../server/src/learn/training-failed.ts'
import { breathe, Cancelled } from '../../server/src/methods/cancel.ts'
import { slowness } from '../support/slowness.ts'
import { apart, architecture, examplesFor, now, silent } from './problems.ts'

const logistic = architecture({ l2: 1e-3 })
const linear = architecture({ task: 'regression', outputs: 1, l2: 1e-3 })
const mlp = architecture({ hidden: [8], activation: 'tanh', l2: 1e-4 })
const options: TrainOptions = { epochs: 20, batch: 32, seed: 3 }

async function open(shape: Architecture, examples: Examples, backend: 'wasm' | 'reference' = 'wasm'): Promise<Session> {
  if (backend === 'reference') return openSession(referenceDevice, shape, examples)
  const { device } = await loadWasm()
  return openSession(device, shape, examples)
}

describe.each([
  ['logistic', logistic],
  ['linear', linear],
  ['mlp', mlp],
] as const)('%s', (_, shape) => {
  it('same seed, same bits', async () => {
    const first = await (await open(shape, examplesFor(shape, 300))).train(options, now, silent)
    const second = await (await open(shape, examplesFor(shape, 300))).train(options, now, silent)
    expect(second.theta).toEqual(first.theta)
    expect(second.loss).toBe(first.loss)
  })

  it('stops within a second when cancelled', async () => {
    const token = { cancelled: false }
    const session = await open(shape, examplesFor(shape, 3000))
    const running = session.train({ ...options, epochs: 100_000, tolerance: 0 }, () => breathe(token), silent)
    await new Promise((resume) => setTimeout(resume, 200))
    const start = performance.now()
    token.cancelled = true
    const outcome = await running.then(
      () => 'finished',
      (reason) => reason,
    )
    expect(performance.now() - start).toBeLessThan(1000 * slowness())
    // A convex model may have come to float32's floor by itself.
    if (outcome !== 'finished') expect(outcome).toBeInstanceOf(Cancelled)
    session.dispose()
  })

  it('names the input that is no number', async () => {
    const examples = examplesFor(shape, 50)
    examples.x[7 * shape.inputs + 2] = Number.NaN
    const failure = await (await open(shape, examples)).train(options, now, silent).catch((reason) => reason)
    expect(failure).toBeInstanceOf(TrainingFailed)
    expect(failure.message).toContain('input 2 of row 7 is NaN')
  })
})

it.each([
  ['values', linear],
  ['a network for values', architecture({ task: 'regression', outputs: 1, hidden: [6], activation: 'relu' })],
  ['a network for classes', architecture({ hidden: [6], activation: 'relu' })],
] as const)('%s: where numbers leave their range, training stops and says at which step and why', async (_, shape) => {
  const examples = examplesFor(shape, 50)
  const huge = { ...examples, x: examples.x.map((value) => value * 1e38) }
  const failure = await (await open(shape, huge)).train(options, now, silent).catch((reason) => reason)
  expect(failure).toBeInstanceOf(TrainingFailed)
  expect(failure.message).toMatch(/^Training stopped at step \d+: the loss .* scale the inputs,? or raise l2\.$/)
})

describe('convex models', () => {
  it.each([
    ['logistic', logistic, 2000],
    ['linear', linear, 2000],
    ['logistic, badly scaled', architecture({ l2: 1e-4 }), 500],
    ['logistic without l2, but noisy', architecture({ l2: 0 }), 500],
  ] as const)('%s: reaches the optimum that float64 reaches', async (name, shape, rows) => {
    const examples = examplesFor(shape, rows)
    if (name.includes('scaled'))
      for (let i = 0; i < examples.x.length; i++) examples.x[i] = examples.x[i]! * (i % shape.inputs === 0 ? 100 : 0.1)
    const found = await (await open(shape, examples)).train({ ...options, epochs: 50 }, now, silent)
    const reference = await open(shape, examples, 'reference')
    const exact = await reference.train({ ...options, epochs: 200, tolerance: 1e-9 }, now, silent)
    expect(exact.gradientNorm).toBeLessThan(1e-9)
    expect(found.gradientNorm).toBeLessThan(1e-4)
    expect(found.converged).toBe(true)
    expect(found.loss - exact.loss).toBeLessThan(1e-5 * exact.loss)
    expect((await reference.gradient(found.theta, now)).loss).toBeCloseTo(found.loss, 5)
  })

  it('from the fitted parameters takes next to no passes', async () => {
    const session = await open(logistic, examplesFor(logistic, 1000))
    const first = await session.train(options, now, silent)
    const again = await session.train({ ...options, from: first.theta }, now, silent)
    expect(again.passes).toBe(1)
    expect(first.passes).toBeLessThan(40)
  })

  it('linear regression equals its closed form', async () => {
    // y = 3x − 1 on −1, 0, 1 without l2.
    const shape = architecture({ task: 'regression', inputs: 1, outputs: 1, l2: 0 })
    const examples = { rows: 3, x: Float32Array.of(-1, 0, 1), y: Float32Array.of(-4, -1, 2) }
    const fitted = await (await open(shape, examples, 'reference')).train({ ...options, tolerance: 1e-10 }, now, silent)
    expect(apart(fitted.theta, [3, -1])).toBeLessThan(1e-8)
  })

  it('one class, one row, constant features: an answer, not a crash', async () => {
    const one = architecture({ outputs: 1 })
    expect((await (await open(one, { rows: 5, x: new Float32Array(30), y: new Int32Array(5) })).train(options, now, silent)).loss).toBe(0)
    const single = await (await open(logistic, examplesFor(logistic, 1))).train(options, now, silent)
    expect(single.gradientNorm).toBeLessThan(1e-4)
    const flat = await (await open(logistic, { rows: 6, x: new Float32Array(36), y: Int32Array.of(0, 0, 0, 1, 1, 2) })).train(
      options,
      now,
      silent,
    )
    expect(flat.gradientNorm).toBeLessThan(1e-4)
  })
})

describe('networks', () => {
  it('learn: the loss falls well below that of a guess', async () => {
    const shape = architecture({ hidden: [16], activation: 'relu', l2: 0 })
    const fitted = await (await open(shape, examplesFor(shape, 300))).train({ epochs: 25, batch: 16, seed: 1 }, now, silent)
    // A guess has ln 3 = 1.1.
    expect(fitted.loss).toBeLessThan(0.8)
    expect(fitted.epochs).toBe(25)
  })

  it('agree with the float64 reference after a few steps', async () => {
    const few = { epochs: 2, batch: 32, seed: 5 }
    const examples = examplesFor(mlp, 100)
    const found = await (await open(mlp, examples)).train(few, now, silent)
    const exact = await (await open(mlp, examples, 'reference')).train(few, now, silent)
    expect(apart(found.theta, exact.theta)).toBeLessThan(1e-4)
  })

  it('stop when validation no longer improves, with the best parameters', async () => {
    const shape = architecture({ hidden: [32], l2: 0 })
    const validation = examplesFor(shape, 60, 77)
    const session = await open(shape, examplesFor(shape, 60))
    const fitted = await session.train({ epochs: 400, batch: 8, seed: 1, patience: 3, validation }, now, silent)
    expect(fitted.epochs).toBeLessThan(400)
    expect(fitted.converged).toBe(true)
  })
})
