import { describe, expect, it } from 'vitest'
import { rankBySpectrum } from '../../../server/src/methods/influence/rank-by-spectrum.ts'
import { residentIndex } from '../../../server/src/methods/influence/spectral-kernel.ts'
import { sequence } from './matrices.ts'

/** Sorts everything: largest first, ties by row, −∞ and then NaN last. */
function bySorting(k: number, n: number, b: Float32Array, q: ArrayLike<number>, top: number): { rows: number[]; sums: number[] } {
  const sums = Array.from({ length: n }, (_, row) => {
    let sum = 0
    for (let l = 0; l < k; l++) sum += q[l]! * b[l * n + row]!
    return sum
  })
  const rank = (x: number): number => (Number.isNaN(x) ? 1 : 0)
  const rows = sums
    .map((_, row) => row)
    .sort((x, y) => rank(sums[x]!) - rank(sums[y]!) || (sums[x] === sums[y] ? 0 : sums[y]! - sums[x]!) || x - y)
    .slice(0, top)
  return { rows, sums }
}

describe('equals sorting every row', () => {
  it.each([
    [1, 1, 1],
    [3, 10, 4],
    [4, 1024, 10],
    [5, 1025, 1],
    [10, 3000, 100],
    [14, 5000, 5000],
    [20, 10_000, 100],
    [23, 2000, 1999],
    [2, 50, 80],
    [2, 50, 0],
    [0, 5, 3],
  ])('k = %i, n = %i, top %i', (k, n, top) => {
    const next = sequence(k * 1000 + n)
    const b = Float32Array.from({ length: k * n }, () => next() - 0.5)
    const q = Float32Array.from({ length: k }, () => next() - 0.5)
    const found = rankBySpectrum({ k, n, b }, q, top)
    const { rows, sums } = bySorting(k, n, b, q, top)
    const rounded = rows.map((row) => sums[row]!)
    expect(found.rows.length).toBe(Math.min(n, top))
    found.influence.forEach((value, i) => {
      expect(Math.abs(value - rounded[i]!)).toBeLessThanOrEqual(1e-6 * Math.abs(rounded[i]!) + 1e-12)
      expect(Math.abs(value - sums[found.rows[i]!]!)).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 1e-12)
    })
    expect(new Set(found.rows).size).toBe(found.rows.length)
    expect(rankBySpectrum(residentIndex({ k, n, b }), q, top)).toEqual(found)
  })
})

describe('orders', () => {
  const rank = (values: number[], top: number) =>
    rankBySpectrum({ k: 1, n: values.length, b: Float32Array.from(values) }, Float32Array.of(1), top)

  it('ties by row, also across blocks and full buffers', () => {
    const values = Array.from({ length: 5000 }, (_, i) => i % 3)
    expect(Array.from(rank(values, 4).rows)).toEqual([2, 5, 8, 11])
    expect(Array.from(rank(Array(5000).fill(7), 300).rows)).toEqual(Array.from({ length: 300 }, (_, i) => i))
  })

  it('rising and falling input, the worst for a threshold', () => {
    const rising = Array.from({ length: 4000 }, (_, i) => i)
    expect(Array.from(rank(rising, 3).rows)).toEqual([3999, 3998, 3997])
    expect(Array.from(rank(rising.reverse(), 3).rows)).toEqual([0, 1, 2])
  })

  it('what is no number last, never first', () => {
    const values = [Number.NaN, 1, Number.NEGATIVE_INFINITY, 3, Number.NaN, Number.POSITIVE_INFINITY]
    expect(Array.from(rank(values, 3).rows)).toEqual([5, 3, 1])
    expect(Array.from(rank(values, 9).rows)).toEqual([5, 3, 1, 2, 0, 4])
    expect(Number.isNaN(rank(values, 9).influence[5])).toBe(true)
    expect(Array.from(rank(Array(2000).fill(Number.NaN), 2).rows)).toEqual([0, 1])
  })
})

it('refuses an index or a query of another size', () => {
  expect(() => rankBySpectrum({ k: 2, n: 3, b: new Float32Array(5) }, Float32Array.of(1, 1), 1)).toThrow('6 numbers, not 5')
  expect(() => rankBySpectrum({ k: 2, n: 3, b: new Float32Array(6) }, Float32Array.of(1), 1)).toThrow('2 eigenvectors')
})

describe('an index in the kernel’s memory ranks the same', () => {
  const next = sequence(5)
  const [k, n] = [20, 20_000]
  const b = Float32Array.from({ length: k * n }, () => (next() - 0.5) ** 3)
  const resident = residentIndex({ k, n, b })

  it('has a kernel here, and holds the same numbers', () => {
    expect(resident.kernel).toBeDefined()
    // Not by toEqual, which takes seconds for as many.
    expect(resident.b.length === b.length && resident.b.every((value, i) => value === b[i])).toBe(true)
  })

  it.each([
    ['a query in float64', Array.from({ length: k }, () => next() - 0.5)],
    ['coordinates that cancel', Array.from({ length: k }, (_, l) => (l % 2 === 0 ? 1e6 : -1e6 - 1e-3))],
    ['a zero query: all rows tie', Array(k).fill(0)],
    ['huge coordinates', Array(k).fill(1e38)],
    ['no number in the query', [Number.NaN, ...Array(k - 1).fill(1)]],
  ])('%s', (_, q) => {
    for (const top of [1, 100, 3000]) expect(rankBySpectrum(resident, q, top)).toEqual(rankBySpectrum({ k, n, b }, q, top))
  })

  it('an index that is not finite, or empty, stays as it is', () => {
    expect(residentIndex({ k: 1, n: 2, b: Float32Array.of(1, Number.NaN) }).kernel).toBeUndefined()
    expect(residentIndex({ k: 1, n: 2, b: Float32Array.of(Number.POSITIVE_INFINITY, 1) }).kernel).toBeUndefined()
    expect(residentIndex({ k: 0, n: 2, b: new Float32Array(0) }).kernel).toBeUndefined()
  })
})
