import { memory } from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { referenceDevice } from '../../server/src/learn/backends/reference.ts'
import { loadWasm } from '../../server/src/learn/backends/wasm.ts'
import { openSession } from '../../server/src/learn/open-session.ts'
import type { Device } from '../../server/src/learn/pass.ts'
import type { Architecture } from '../../server/src/learn/session.ts'
import { Cancelled } from '../../server/src/methods/cancel.ts'
import { apart, architecture, everything, examplesFor, now, randomVector, silent } from './problems.ts'

const models: readonly (readonly [string, Architecture])[] = [
  ['logistic', architecture()],
  ['mlp', architecture({ hidden: [5, 4], activation: 'tanh' })],
]

/** The same device with less memory, or less work a batch. */
function limited<H>(device: Device<H>, limits: Partial<Pick<Device<H>, 'memory' | 'batchWork'>>): Device<H> {
  return { ...device, ...limits }
}

describe.each(models)('%s: batches', (_, shape) => {
  it.each([31, 32, 33, 64, 65, 100, 256, 300])('%i rows in batches of 32 equal one batch', async (rows) => {
    const { device } = await loadWasm()
    const examples = examplesFor(shape, rows)
    const whole = await openSession(device, shape, examples)
    const split = await openSession(limited(device, { batchWork: 1 }), shape, examples)
    const theta = randomVector(whole.parameters, 2)
    const vectors = [randomVector(whole.parameters, 3), randomVector(whole.parameters, 4)]
    const expected = await everything(whole, theta, vectors)
    for (const [name, values] of Object.entries(await everything(split, theta, vectors)))
      expect(apart(values, expected[name]!), name).toBeLessThan(2e-6)
    whole.dispose()
    split.dispose()
  })

  it('without memory for examples or activations the results are the same', async () => {
    const { device } = await loadWasm()
    const examples = examplesFor(shape, 100)
    const rich = await openSession(device, shape, examples)
    const poor = await openSession(limited(device, { memory: 0, batchWork: 1 }), shape, examples)
    const theta = randomVector(rich.parameters, 2)
    const vectors = [randomVector(rich.parameters, 3)]
    const expected = await everything(rich, theta, vectors)
    for (const [name, values] of Object.entries(await everything(poor, theta, vectors)))
      expect(apart(values, expected[name]!), name).toBeLessThan(2e-6)
    expect(poor.passes.forward).toBe(1)
    rich.dispose()
    poor.dispose()
  })

  it('leaks no tensor, not even when cancelled', async () => {
    const { device } = await loadWasm()
    const before = memory().numTensors
    const session = await openSession(limited(device, { batchWork: 1 }), shape, examplesFor(shape, 300))
    const theta = randomVector(session.parameters, 2)
    const vectors = [randomVector(session.parameters, 3)]
    await everything(session, theta, vectors)
    const steady = memory().numTensors
    await everything(session, theta, vectors)
    await session.train({ epochs: 2, batch: 16, seed: 1 }, now, silent)
    await everything(session, theta, vectors)
    expect(memory().numTensors).toBe(steady)
    for (let after = 0; after < 12; after++) {
      let calls = 0
      const stop = (): void => {
        if (calls++ === after) throw new Cancelled()
      }
      const cancelled = (reason: unknown): void => expect(reason).toBeInstanceOf(Cancelled)
      await session.hessianProducts(randomVector(session.parameters, 50 + after), vectors, stop).catch(cancelled)
      calls = 0
      await session.train({ epochs: 1, batch: 16, seed: 1 }, stop, silent).catch(cancelled)
    }
    await everything(session, theta, vectors)
    expect(memory().numTensors).toBe(steady)
    session.dispose()
    expect(memory().numTensors).toBe(before)
  })
})

it.each(models)('%s: a device that is lost in the middle of a run leaves nothing behind, and the next run works', async (_, shape) => {
  const { device } = await loadWasm()
  let runs = 0
  let lost = Number.POSITIVE_INFINITY
  const fragile: typeof device = {
    ...limited(device, { batchWork: 1 }),
    async compile(pass) {
      const run = await device.compile(pass)
      return async (inputs) => {
        if (++runs === lost) throw new Error('The device is lost.')
        return run(inputs)
      }
    },
  }
  const session = await openSession(fragile, shape, examplesFor(shape, 100))
  const theta = randomVector(session.parameters, 2)
  const vectors = [randomVector(session.parameters, 3)]
  const expected = await session.hessianProducts(theta, vectors, now)
  const steady = memory().numTensors
  for (const work of [
    () => session.hessianProducts(theta, vectors, now),
    () => session.gradient(theta, now),
    () => session.train({ epochs: 2, batch: 16, seed: 1 }, now, silent),
  ]) {
    lost = runs + 3
    await expect(work()).rejects.toThrow('The device is lost.')
    expect(memory().numTensors).toBe(steady)
    expect(await session.hessianProducts(theta, vectors, now)).toEqual(expected)
  }
  session.dispose()
})

it('makes batches smaller where memory is short', async () => {
  const shape = architecture({ hidden: [500] })
  const { device } = await loadWasm()
  const examples = examplesFor(shape, 400)
  const batches = async (bytes: number): Promise<number> => {
    let count = 0
    const session = await openSession(limited(device, { memory: bytes }), shape, examples)
    await session.gradient(randomVector(session.parameters, 2), () => {
      count++
    })
    session.dispose()
    return count
  }
  expect([await batches(1e9), await batches(2e7), await batches(0)]).toEqual([1, 2, 13])
})

it('keeps activations at the same θ: products hand them on, and no forward pass is made', async () => {
  const shape = architecture({ hidden: [5] })
  const { device } = await loadWasm()
  const session = await openSession(device, shape, examplesFor(shape, 50))
  const theta = randomVector(session.parameters, 2)
  const vectors = [randomVector(session.parameters, 3)]
  await session.hessianProducts(theta, vectors, now)
  await session.hessianProducts(theta.slice(), vectors, now)
  await session.lossTangents(theta, vectors, now)
  await session.predict(theta, now)
  expect(session.passes).toEqual({ hessian: 2, lossTangents: 1 })
  await session.hessianProducts(randomVector(session.parameters, 9), vectors, now)
  await session.predict(theta, now)
  expect(session.passes.forward).toBe(1)
  session.dispose()
})

it('skips batches whose weights are all zero', async () => {
  const shape = architecture()
  const session = await openSession(referenceDevice, shape, examplesFor(shape, 10))
  const sum = await session.weightedGradient(randomVector(session.parameters, 1), new Float32Array(30), now)
  expect(sum.every((value) => value === 0)).toBe(true)
})

describe('refuses', () => {
  const shape = architecture()
  const good = examplesFor(shape, 4)
  it.each([
    ['no rows', { rows: 0, x: new Float32Array(0) }, 'at least one row'],
    ['x of another size', { ...good, x: new Float32Array(5) }, '24 numbers, not 5'],
    ['labels of another number', { ...good, y: Int32Array.of(1) }, 'as many labels'],
    ['a class that does not exist', { ...good, y: Int32Array.of(0, 1, 3, 2) }, 'label of row 2 is 3'],
  ])('%s', async (_, examples, message) => {
    await expect(openSession(referenceDevice, shape, examples)).rejects.toThrow(message)
  })

  it('parameters and directions of another length, and losses without labels', async () => {
    const session = await openSession(referenceDevice, shape, { rows: good.rows, x: good.x })
    const theta = new Float64Array(session.parameters)
    await expect(session.predict(new Float64Array(3), now)).rejects.toThrow('21 parameters')
    await expect(session.outputTangents(theta, [new Float64Array(3)], now)).rejects.toThrow('21 parameters')
    await expect(session.losses(theta, now)).rejects.toThrow('no labels')
    expect((await session.predict(theta, now)).every((p) => Math.abs(p - 1 / 3) < 1e-6)).toBe(true)
  })
})
