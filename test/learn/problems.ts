import { createRng } from '../../server/src/learn/rng.ts'
import type { Architecture, Examples, Session } from '../../server/src/learn/session.ts'

export const now = (): void => {}
export const silent = (): void => {}

export function architecture(over: Partial<Architecture> = {}): Architecture {
  return { task: 'classification', inputs: 6, hidden: [], activation: 'relu', outputs: 3, l2: 1e-2, ...over }
}

/** Random rows of a kind that can be learnt: labels follow a random linear rule, with noise. */
export function examplesFor({ task, inputs, outputs }: Architecture, rows: number, seed = 1): Examples {
  const rng = createRng(seed)
  const x = Float32Array.from({ length: rows * inputs }, () => rng.normal())
  const rule = Float64Array.from({ length: inputs * outputs }, () => rng.normal())
  const scores = (row: number): number[] =>
    Array.from({ length: outputs }, (_, c) => {
      let sum = rng.normal()
      for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * rule[i * outputs + c]!
      return sum
    })
  if (task === 'regression') return { rows, x, y: Float32Array.from({ length: rows }, (_, row) => scores(row)[0]!) }
  const y = Int32Array.from({ length: rows }, (_, row) => {
    const all = scores(row)
    return all.indexOf(Math.max(...all))
  })
  return { rows, x, y }
}

export function randomVector(length: number, seed: number, scale = 1): Float64Array {
  const rng = createRng(seed)
  return Float64Array.from({ length }, () => rng.normal() * scale)
}

/** The largest difference, relative to the largest entry of what is expected. */
export function apart(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  let worst = 0
  let largest = Number.MIN_VALUE
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i]! - expected[i]!)
    worst = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(worst, off)
    largest = Math.max(largest, Math.abs(expected[i]!))
  }
  return worst / largest
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Everything a session computes at one θ, named. */
export async function everything(
  session: Session,
  theta: Float64Array,
  vectors: readonly Float64Array[],
): Promise<Record<string, ArrayLike<number>>> {
  const { rows, architecture: shape } = session
  const weights = Float32Array.from(randomVector(rows * shape.outputs, 99))
  const { loss, gradient } = await session.gradient(theta, now)
  const products = await session.hessianProducts(theta, vectors, now)
  return {
    loss: [loss],
    gradient,
    ...Object.fromEntries(products.map((product, t) => [`product ${t}`, product])),
    lossTangents: await session.lossTangents(theta, vectors, now),
    outputTangents: await session.outputTangents(theta, vectors, now),
    predictions: await session.predict(theta, now),
    losses: await session.losses(theta, now),
    weightedGradient: await session.weightedGradient(theta, weights, now),
  }
}
