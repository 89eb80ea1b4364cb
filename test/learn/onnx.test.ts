import { afterAll, describe, expect, it } from 'vitest'
import { onnxDevice } from '../../server/src/learn/backends/onnx/device.ts'
import { loadOnnx } from '../../server/src/learn/backends/onnx.ts'
import { referenceDevice, referenceOps } from '../../server/src/learn/backends/reference.ts'
import { openSession } from '../../server/src/learn/open-session.ts'
import type { Ops } from '../../server/src/learn/ops.ts'
import type { Device, Pass, Values } from '../../server/src/learn/pass.ts'
import type { Architecture, Examples } from '../../server/src/learn/session.ts'
import { apart, architecture, everything, examplesFor, now, randomVector, silent } from './problems.ts'

// An optional package: where it is not installed, or has no binary, the ladder goes on, and so do the tests.
const loaded = await loadOnnx('cpu', 2).catch((failure: Error) => failure.message)
const absent = typeof loaded === 'string'
if (absent) console.warn(`Skipped: ${loaded}`)
const device = (absent ? referenceDevice : loaded.device) as Device<unknown>
afterAll(async () => (absent ? undefined : loaded.dispose()))

/** Operations one by one: what they are given, [3, 4] unless said otherwise, and what is made of it. */
const operations: readonly (readonly [string, <T>(ops: Ops<T>, a: T, b: T) => T])[] = [
  ['a product with a transpose', (ops, a, b) => ops.matMul(a, ops.transpose(b))],
  ['a transpose with a product', (ops, a, b) => ops.matMul(ops.transpose(a), b)],
  ['the product over rows', (ops, a, b) => ops.transposedMatMul(a, b)],
  [
    'the product over rows and a multiple of a matrix',
    (ops, a, b) => ops.add(ops.transposedMatMul(a, b), ops.scale(ops.transposedMatMul(b, b), -0.3)),
  ],
  ['the product over rows and a row', (ops, a, b) => ops.add(ops.transposedMatMul(a, b), ops.sum(a, 0, 'keep'))],
  ['transposes of three axes', (ops, a) => ops.reshape(ops.transpose(ops.reshape(a, [-1, 2, 2]), [2, 0, 1]), [-1, 4])],
  ['transposes that move nothing', (ops, a) => ops.reshape(ops.transpose(ops.reshape(a, [-1, 1, 4]), [1, 0, 2]), [-1, 4])],
  ['sums and differences with broadcasting', (ops, a, b) => ops.sub(ops.add(a, ops.constant([1, 2, 3, 4], [1, 4])), b)],
  ['products and quotients', (ops, a, b) => ops.div(ops.mul(a, b), ops.add(ops.mul(b, b), ops.constant([1], [1, 1])))],
  ['factors', (ops, a) => ops.scale(ops.scale(a, -2.5), 1)],
  ['square roots', (ops, a) => ops.sqrt(ops.mul(a, a))],
  ['relu and its step', (ops, a, b) => ops.add(ops.relu(a), ops.step(b))],
  ['the step of relu', (ops, a) => ops.step(ops.relu(a))],
  ['tanh and sigmoid', (ops, a, b) => ops.mul(ops.tanh(a), ops.sigmoid(b))],
  ['softmax', (ops, a) => ops.softmax(ops.scale(a, 100))],
  ['log-sum-exp of large numbers', (ops, a) => ops.logSumExp(ops.scale(a, 1000))],
  ['sums over columns', (ops, a) => ops.add(ops.sum(a, 1, 'keep'), ops.reshape(ops.sum(a, 1, 'drop'), [-1, 1]))],
  ['sums over rows', (ops, a) => ops.add(ops.sum(a, 0, 'keep'), ops.reshape(ops.sum(a, 0, 'drop'), [1, 4]))],
  ['sums of one', (ops, a) => ops.sum(ops.reshape(a, [-1, 1, 4]), 1, 'drop')],
  ['rows by their numbers', (ops, a) => ops.rowsAt(a, ops.constant([2, 0, 2, 1, 1], [5]))],
  ['what comes in', (_, a) => a],
  ['a constant', (ops) => ops.constant([1, 2], [1, 2])],
]

describe.skipIf(absent)('operations agree with float64 loops', () => {
  it.each(operations)('%s', async (name, build) => {
    const [a, b] = [Float32Array.from(randomVector(12, 1)), Float32Array.from(randomVector(12, 2))]
    const input = { shape: [3, 4], data: Float64Array.from(a) }
    const expected = build(referenceOps, input, { shape: [3, 4], data: Float64Array.from(b) })
    const shape = [3, 4]
    const inputs = ['a', 'b'].map((each) => ({ name: each, shape }))
    const pass: Pass = {
      name: `test ${name}`,
      inputs,
      outputs: [{ name: 'out', shape: expected.shape, over: 'state' }],
      build: (ops, given) => ({ out: build(ops, given.a!, given.b!) }),
    }
    const run = await device.compile(pass)
    const { out } = await run({ a: device.upload(a, shape, 'passing'), b: device.upload(b, shape, 'passing') })
    expect(apart(await device.read(out), expected.data)).toBeLessThan(1e-5)
  })
})

const models: readonly (readonly [string, Architecture, number])[] = [
  ['logistic', architecture(), 50],
  ['logistic, one row', architecture(), 1],
  ['logistic, one class', architecture({ outputs: 1 }), 20],
  ['logistic, many classes', architecture({ outputs: 260 }), 520],
  ['linear, one feature', architecture({ task: 'regression', outputs: 1, inputs: 1 }), 50],
  ['mlp, relu', architecture({ hidden: [5] }), 40],
  ['mlp, three relu layers', architecture({ hidden: [5, 4, 7] }), 40],
  ['mlp, two tanh layers', architecture({ hidden: [8, 4], activation: 'tanh' }), 40],
  ['mlp, sigmoid', architecture({ hidden: [5], activation: 'sigmoid' }), 40],
  ['mlp for values', architecture({ task: 'regression', outputs: 1, hidden: [6], activation: 'tanh' }), 40],
  ['mlp of one unit', architecture({ hidden: [1], activation: 'tanh' }), 7],
  ['mlp of a wide layer', architecture({ hidden: [300] }), 100],
]

describe.skipIf(absent)('sessions agree with the float64 reference within 1e-4', () => {
  it.each(models)('%s', async (_, shape, rows) => {
    const examples = examplesFor(shape, rows)
    const tested = await openSession(device, shape, examples)
    const reference = await openSession(referenceDevice, shape, examples)
    const theta = randomVector(tested.parameters, 2, 0.5)
    const vectors = [0, 1, 2].map((t) => randomVector(tested.parameters, 10 + t))
    const found = await everything(tested, theta, vectors)
    for (const [name, values] of Object.entries(await everything(reference, theta, vectors))) {
      // One class has no loss and no derivatives, exactly or but for rounding.
      const zero = [values, found[name]!].every((each) => Array.prototype.every.call(each, (value: number) => Math.abs(value) < 1e-5))
      expect(zero ? 0 : apart(found[name]!, values), name).toBeLessThan(1e-4)
    }
    // The same again, bit by bit: activations are kept now, buffers used again.
    expect(await tested.hessianProducts(theta, vectors, now)).toEqual(await tested.hessianProducts(theta, vectors, now))
    tested.dispose()
  })
})

describe.skipIf(absent)('the device', () => {
  it('in batches of other sizes gives the same', async () => {
    const shape = architecture({ hidden: [5], activation: 'tanh' })
    const examples = examplesFor(shape, 101)
    const whole = await openSession(device, shape, examples)
    const split = await openSession({ ...device, batchWork: 1 }, shape, examples)
    const theta = randomVector(whole.parameters, 2)
    const vectors = [randomVector(whole.parameters, 3), randomVector(whole.parameters, 4)]
    const expected = await everything(whole, theta, vectors)
    for (const [name, values] of Object.entries(await everything(split, theta, vectors)))
      expect(apart(values, expected[name]!), name).toBeLessThan(2e-6)
  })

  it.each([
    ['classes', architecture({ hidden: [5] })],
    ['values', architecture({ task: 'regression', outputs: 1, hidden: [6], activation: 'tanh' })],
  ])('picks the rows of a step of Adam itself, or takes copies of them: the same bits (%s)', async (_, shape) => {
    const examples = examplesFor(shape, 50)
    const trained = async (own: typeof device) =>
      (await openSession(own, shape, examples)).train({ epochs: 3, batch: 8, seed: 4 }, now, silent).then(({ theta }) => theta)
    expect(device.readsInPlace).toBe(true)
    const picked = await trained(device)
    expect(await trained({ ...device, readsInPlace: undefined })).toEqual(picked)
    expect(apart(await trained({ ...device, inPlace: undefined }), picked)).toBeLessThan(1e-4)
  })

  it('reads views, shared memory and float64', async () => {
    const shape = architecture()
    const examples = examplesFor(shape, 30)
    const shared = new Float32Array(new SharedArrayBuffer(4 * examples.x.length))
    shared.set(examples.x)
    const padded = new Float32Array(examples.x.length + 7)
    padded.set(examples.x, 7)
    const theta = randomVector(21, 2)
    const gradients = [examples.x, shared, padded.subarray(7)].map(async (x) => {
      const session = await openSession(device, shape, { ...examples, x })
      return (await session.gradient(theta, now)).gradient
    })
    const [plain, ...others] = await Promise.all(gradients)
    for (const other of others) expect(other).toEqual(plain)
  })

  it('hands out numbers that stay what they are when buffers are used again', async () => {
    const run = await device.compile(doubling)
    const twice = async (value: number): Promise<Values> => {
      const input = device.upload(Float64Array.of(value), [1, 1], 'passing')
      const { b } = await run({ a: input })
      const read = await device.read(b)
      device.release(b)
      device.release(input)
      return read
    }
    const first = await twice(1)
    await twice(5)
    expect([...first]).toEqual([2])
  })

  it('keeps NaN where it is', async () => {
    const run = await device.compile(doubling)
    const { b } = await run({ a: device.upload(Float32Array.of(Number.NaN), [1, 1], 'passing') })
    expect((await device.read(b))[0]).toBeNaN()
  })

  it('says which pass failed', async () => {
    const run = await device.compile(doubling)
    await expect(run({ a: device.upload(new Float32Array(6), [2, 3], 'passing') })).rejects.toThrow(/failed in the pass "double": /)
  })

  it('tells apart what cannot be compiled, and compiles it when it is asked for again', async () => {
    const onnx = await import('onnxruntime-node')
    let short = true
    const create = (...given: Parameters<typeof onnx.InferenceSession.create>): Promise<unknown> =>
      short ? Promise.reject(new Error('Failed to allocate memory\nat …')) : onnx.InferenceSession.create(...given)
    const own = onnxDevice({ ...onnx, InferenceSession: { create } } as never, {})
    const run = await own.compile(doubling)
    const twice = () => run({ a: own.upload(Float32Array.of(2), [1, 1], 'passing') })
    await expect(twice()).rejects.toThrow('ONNX Runtime failed in the pass "double": Failed to allocate memory')
    short = false
    expect([...(await own.read((await twice()).b!))]).toEqual([4])
    await own.dispose()
  })

  it('finds NaN in training where relu swallows it', async () => {
    const shape = architecture({ hidden: [7], activation: 'relu' })
    const examples = examplesFor(shape, 60)
    examples.x[7 * shape.inputs + 2] = Number.NaN
    const training = (await openSession(device, shape, examples)).train({ epochs: 2, batch: 16, seed: 3 }, now, silent)
    await expect(training).rejects.toThrow('input 2 of row 7 is NaN')
  })

  it('trains, with the same bits each time', async () => {
    for (const shape of [architecture({ hidden: [7] }), architecture()]) {
      const examples: Examples = examplesFor(shape, 300)
      const fitted = async (epochs: number) => {
        const session = await openSession(device, shape, examples)
        const result = await session.train({ epochs, batch: 64, seed: 3 }, now, silent)
        session.dispose()
        return result
      }
      const [one, two] = [await fitted(20), await fitted(20)]
      expect(one.theta).toEqual(two.theta)
      expect(one.loss).toBeLessThanOrEqual((await fitted(1)).loss)
    }
  })

  it('is refused with a sentence where a provider is not there', async () => {
    for (const provider of ['webgpu', 'cuda'] as const) {
      const outcome = await loadOnnx(provider, 1, 'quiet').catch((failure: Error) => failure)
      if (outcome instanceof Error) expect(outcome.message).toMatch(/^(ONNX Runtime finds no|The Vulkan loader) .*\.$/)
      else await outcome.dispose()
    }
  })
})

const doubling: Pass = {
  name: 'double',
  inputs: [{ name: 'a', shape: [1, 1] }],
  outputs: [{ name: 'b', shape: [1, 1], over: 'state' }],
  build: (ops, { a }) => ({ b: ops.scale(a!, 2) }),
}
