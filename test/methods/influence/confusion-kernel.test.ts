import { expect, test } from 'vitest'
import { confusionKernel } from '../../../server/src/methods/influence/confusion-kernel.ts'
import { rankByConfusion } from '../../../server/src/methods/influence/rank-by-confusion.ts'
import { sequence } from './matrices.ts'

interface Shape {
  readonly n: number
  readonly k: number
  readonly classes: number
  /** Of the rows of pair 1, more influence. */
  readonly raised: number
}

function indexOf({ n, k, classes, raised }: Shape) {
  const next = sequence(n + k)
  const pairs = Int32Array.from({ length: n }, () => Math.floor(next() * classes * classes))
  const confident = Uint8Array.from({ length: n }, () => Math.round(next()))
  const b = Float32Array.from({ length: k * n }, (_, at) => next() - 0.5 + (pairs[at % n] === 1 ? raised : 0))
  return { k, n, b, classes, pairs, confident }
}

test.each([
  [{ n: 5003, k: 12, classes: 3, raised: 0 }, 40],
  [{ n: 5003, k: 12, classes: 3, raised: 0.5 }, 100],
  [{ n: 4000, k: 20, classes: 2, raised: 0.2 }, 1],
  [{ n: 20_000, k: 5, classes: 10, raised: 0.7 }, 100],
  [{ n: 1000, k: 1, classes: 1, raised: 0 }, 10],
])('rows by pair of classes rank as rows in their order do: %o, top %i', (shape, top) => {
  const index = indexOf(shape)
  const kernel = confusionKernel(index)!
  for (const some of new Set([1, Math.ceil(shape.k / 2), shape.k])) {
    const q = Float64Array.from({ length: some }, (_, l) => 1 / (l + 1))
    const [mine, its] = [kernel.rank(q, top)!, rankByConfusion({ ...index, k: some, b: index.b.subarray(0, some * shape.n) }, q, top)]
    expect(mine.rows).toEqual(its.rows)
    for (const [i, influence] of its.influence.entries()) expect(Math.abs(mine.influence[i]! - influence)).toBeLessThan(2e-6)
    expect(mine.standsOut?.given).toBe(its.standsOut?.given)
    expect(mine.standsOut?.alternative).toBe(its.standsOut?.alternative)
    expect(mine.standsOut?.lift ?? 1).toBeCloseTo(its.standsOut?.lift ?? 1, 5)
  }
})

test('ties go to the row that comes first', () => {
  const index = indexOf({ n: 1500, k: 2, classes: 2, raised: 0 })
  index.b.fill(0.25)
  const found = confusionKernel(index)!.rank([1, 1], 30)!
  expect(found.rows).toEqual(rankByConfusion(index, [1, 1], 30).rows)
})

test('what it does not rank is left to plain loops', () => {
  const index = indexOf({ n: 3000, k: 2, classes: 2, raised: 0 })
  const kernel = confusionKernel(index)!
  expect(kernel.rank([0, 0], 30)).toBeUndefined()
  expect(kernel.rank([1, 1], 1000)).toBeUndefined()
  expect(kernel.rank([Number.NaN, 1], 30)).toBeUndefined()
  expect(kernel.rank([1e38, 1], 30)).toBeUndefined()
  expect(kernel.rank([1, 1], 0)).toBeUndefined()
  expect(confusionKernel(indexOf({ n: 60, k: 2, classes: 9, raised: 0 }))).toBeUndefined()
})
