import { describe, expect, it } from 'vitest'
import { referenceDevice } from '../../server/src/learn/backends/reference.ts'
import { loadWasm } from '../../server/src/learn/backends/wasm.ts'
import { openSession } from '../../server/src/learn/open-session.ts'
import type { Architecture } from '../../server/src/learn/session.ts'
import { apart, architecture, dot, everything, examplesFor, now, randomVector } from './problems.ts'

const models: readonly (readonly [string, Architecture, number])[] = [
  ['logistic', architecture(), 50],
  ['logistic, two classes', architecture({ outputs: 2 }), 50],
  ['logistic, one class', architecture({ outputs: 1 }), 20],
  ['logistic, one feature', architecture({ inputs: 1 }), 20],
  ['logistic, one row', architecture(), 1],
  ['logistic without l2', architecture({ l2: 0 }), 20],
  ['linear', architecture({ task: 'regression', outputs: 1 }), 50],
  ['linear, one row and feature', architecture({ task: 'regression', outputs: 1, inputs: 1 }), 1],
  ['mlp, relu', architecture({ hidden: [5] }), 40],
  ['mlp, tanh', architecture({ hidden: [5], activation: 'tanh' }), 40],
  ['mlp, sigmoid', architecture({ hidden: [5], activation: 'sigmoid' }), 40],
  ['mlp, three relu layers', architecture({ hidden: [5, 4, 7] }), 40],
  ['mlp, two tanh layers', architecture({ hidden: [8, 4], activation: 'tanh' }), 40],
  ['mlp, two sigmoid layers', architecture({ hidden: [4, 8], activation: 'sigmoid' }), 40],
  ['mlp of one unit', architecture({ hidden: [1], activation: 'tanh' }), 7],
  ['mlp for values', architecture({ task: 'regression', outputs: 1, hidden: [6], activation: 'tanh' }), 40],
]

describe('the float64 reference agrees with finite differences', () => {
  it.each(models)('%s', async (_, shape, rows) => {
    const session = await openSession(referenceDevice, shape, examplesFor(shape, rows))
    const theta = randomVector(session.parameters, 2, 0.7)
    const vectors = [randomVector(session.parameters, 3), randomVector(session.parameters, 4)]
    const epsilon = 1e-6
    const moved = (v: Float64Array, sign: number): Float64Array => theta.map((value, i) => value + sign * epsilon * v[i]!)
    const { gradient } = await session.gradient(theta, now)
    const products = await session.hessianProducts(theta, vectors, now)
    for (const [t, v] of vectors.entries()) {
      const [up, down] = [await session.gradient(moved(v, 1), now), await session.gradient(moved(v, -1), now)]
      const slope = (up.loss - down.loss) / (2 * epsilon)
      expect(Math.abs(dot(gradient, v) - slope)).toBeLessThan(1e-7 * Math.max(1, Math.abs(slope)))
      expect(
        apart(
          products[t]!,
          up.gradient.map((g, i) => (g - down.gradient[i]!) / (2 * epsilon)),
        ),
      ).toBeLessThan(2e-7)
    }
    // Tangents add up to the gradient, l2 aside; and per row they are those of a session with that row alone.
    const tangents = await session.lossTangents(theta, vectors, now)
    for (const [t, v] of vectors.entries()) {
      const mean = tangents.subarray(t * rows, (t + 1) * rows).reduce((sum, value) => sum + value, 0) / rows
      expect(mean + shape.l2 * dot(theta, v)).toBeCloseTo(dot(gradient, v), 5)
    }
    // Predictions' gradient, by differences of Σ w·p.
    const weights = Float32Array.from(randomVector(rows * shape.outputs, 5))
    const pulled = await session.weightedGradient(theta, weights, now)
    const wide = 1e-3
    const at = async (sign: number): Promise<number> =>
      dot(
        await session.predict(
          theta.map((value, i) => value + sign * wide * vectors[0]![i]!),
          now,
        ),
        weights,
      )
    const difference = ((await at(1)) - (await at(-1))) / (2 * wide)
    expect(Math.abs(dot(pulled, vectors[0]!) - difference)).toBeLessThan(2e-3 * Math.max(1, Math.abs(difference)))
  })
})

describe('wasm agrees with the float64 reference within 1e-5', () => {
  it.each(models)('%s', async (_, shape, rows) => {
    const { device } = await loadWasm()
    const examples = examplesFor(shape, rows)
    const tested = await openSession(device, shape, examples)
    const reference = await openSession(referenceDevice, shape, examples)
    const theta = randomVector(tested.parameters, 2, 0.7)
    const vectors = Array.from({ length: 5 }, (_, t) => randomVector(tested.parameters, 10 + t))
    const found = await everything(tested, theta, vectors)
    const expected = await everything(reference, theta, vectors)
    for (const [name, values] of Object.entries(expected)) {
      // A single class has zero loss and zero derivatives, exactly or but for rounding.
      const off = apart(found[name]!, values)
      const small = Math.max(...Array.from(found[name]!, Math.abs), ...Array.from(values, Math.abs)) < 1e-6
      expect(small ? 0 : off, name).toBeLessThan(1e-5)
    }
    tested.dispose()
  })
})

describe('many directions in a pass equal one at a time', () => {
  it.each(models)('%s', async (_, shape, rows) => {
    const { device } = await loadWasm()
    const session = await openSession(device, shape, examplesFor(shape, rows))
    const theta = randomVector(session.parameters, 2, 0.7)
    // More than fit into a pass.
    const vectors = Array.from({ length: 19 }, (_, t) => randomVector(session.parameters, 10 + t))
    const products = await session.hessianProducts(theta, vectors, now)
    const lossTangents = await session.lossTangents(theta, vectors, now)
    const outputTangents = await session.outputTangents(theta, vectors, now)
    for (const t of [0, 7, 18]) {
      const alone = [vectors[t]!]
      const near = (found: ArrayLike<number>, expected: ArrayLike<number>): void => {
        const tiny = Math.max(...Array.from(expected, Math.abs)) < 1e-6
        expect(tiny ? 0 : apart(found, expected)).toBeLessThan(2e-6)
      }
      near(products[t]!, (await session.hessianProducts(theta, alone, now))[0]!)
      near(lossTangents.subarray(t * rows, (t + 1) * rows), await session.lossTangents(theta, alone, now))
      const width = rows * shape.outputs
      near(outputTangents.subarray(t * width, (t + 1) * width), await session.outputTangents(theta, alone, now))
    }
    session.dispose()
  })
})
