import { expect, test } from 'vitest'
import { residentProjections } from '../../../server/src/methods/influence/projection-kernel.ts'
import { rankByConfusion } from '../../../server/src/methods/influence/rank-by-confusion.ts'
import { rankBySpectrum } from '../../../server/src/methods/influence/rank-by-spectrum.ts'
import { residentIndex } from '../../../server/src/methods/influence/spectral-kernel.ts'
import { sequence } from './matrices.ts'

test.each([
  [1, 1, 1],
  [7, 3, 2],
  [50, 10, 20],
  [33, 2, 25],
  [20, 4, 41],
  [9, 3, 0],
])('of %i rows × %i classes, k = %i, every projection is its sum', (rows, width, k) => {
  const next = sequence(rows + k)
  const cells = rows * width
  const table = Float32Array.from({ length: k * cells }, () => next() - 0.5)
  const resident = residentProjections({ rows, width, k, table })
  for (const share of [0, 0.1, 1]) {
    const weights = Float32Array.from({ length: cells }, () => (next() < share ? next() - 0.5 : 0))
    const found = resident.project(weights)
    expect(found.length).toBe(k)
    const added = new Float64Array(k + 3)
    for (let cell = 0; cell < cells; cell++) resident.add(Math.floor(cell / width), cell % width, weights[cell]!, added, 3)
    for (let l = 0; l < k; l++) {
      const sum = weights.reduce((total, w, cell) => total + w * table[l * cells + cell]!, 0)
      expect(Math.abs(found[l]! - sum)).toBeLessThan(1e-12 * cells)
      expect(Math.abs(added[3 + l]! - sum)).toBeLessThan(1e-12 * cells)
    }
  }
})

test('the first eigenvectors of a resident index rank as an index of them alone', () => {
  const [k, n] = [12, 5003]
  const next = sequence(3)
  const b = Float32Array.from({ length: k * n }, () => next() - 0.5)
  const { kernel, b: held } = residentIndex({ k, n, b })
  for (const some of [1, 5, 12]) {
    const q = Float64Array.from({ length: some }, () => next() - 0.5)
    const plain = { k: some, n, b: b.subarray(0, some * n) }
    const quick = { k: some, n, b: held.subarray(0, some * n), kernel: kernel!.first(some) }
    expect(rankBySpectrum(quick, q, 40)).toEqual(rankBySpectrum(plain, q, 40))
    const pairs = Int32Array.from({ length: n }, () => Math.floor(next() * 9))
    const confident = Uint8Array.from({ length: n }, () => Math.round(next()))
    const labelled = { classes: 3, pairs, confident }
    const [mine, its] = [rankByConfusion({ ...quick, ...labelled }, q, 40), rankByConfusion({ ...plain, ...labelled }, q, 40)]
    expect(mine.rows).toEqual(its.rows)
    for (const [i, influence] of its.influence.entries()) expect(Math.abs(mine.influence[i]! - influence)).toBeLessThan(1e-6)
  }
})
