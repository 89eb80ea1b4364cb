import { expect, it } from 'vitest'
import { createRng, shuffle } from '../../server/src/learn/rng.ts'

it('same seed same numbers, other seed others', () => {
  const draw = (seed: number): number[] => {
    const rng = createRng(seed)
    return Array.from({ length: 5 }, () => rng.next())
  }
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
  expect(new Set([0, 1, 2, -1, 0.5, 2 ** 40].map((seed) => draw(seed)[0])).size).toBeGreaterThanOrEqual(5)
})

it('is uniform and normal to the accuracy of 100 000 draws', () => {
  const rng = createRng(4)
  const n = 100_000
  const bins = new Int32Array(10)
  let [sum, square] = [0, 0]
  for (let i = 0; i < n; i++) {
    bins[rng.below(10)]!++
    const z = rng.normal()
    sum += z
    square += z * z
  }
  // Five standard deviations.
  for (const bin of bins) expect(Math.abs(bin - n / 10)).toBeLessThan(5 * Math.sqrt(n * 0.09))
  expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(n))
  expect(Math.abs(square / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
})

it('shuffles to a permutation', () => {
  const values = Int32Array.from({ length: 100 }, (_, i) => i)
  shuffle(values, createRng(1))
  expect(values).not.toEqual(Int32Array.from({ length: 100 }, (_, i) => i))
  expect(values.slice().sort()).toEqual(Int32Array.from({ length: 100 }, (_, i) => i))
})
