import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../../server/src/methods/cancel.ts'
import { lanczos } from '../../../server/src/methods/influence/lanczos.ts'
import { symmetricEigen } from '../../../server/src/methods/influence/symmetric-eigen.ts'
import { dot, jacobiValues, sequence, symmetricWith, times } from './matrices.ts'

const range = (count: number, f: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => f(i))

/** Name, eigenvalues, how many are wanted, block. */
const spectra: readonly (readonly [string, readonly number[], number, number])[] = [
  ['falling geometrically', range(60, (i) => 2 ** -i), 5, 1],
  ['evenly spaced', range(50, (i) => 50 - i), 6, 1],
  ['in blocks of 4', range(50, (i) => 50 - i), 6, 4],
  ['some negative, one of them the largest in size', [3, 2, 1, ...range(37, (i) => 0.5 - i * 0.01), -9], 4, 1],
  ['all negative', range(30, (i) => -1 - i), 3, 2],
  ['clustered at the top', [1, 1 - 1e-6, 1 - 2e-6, 0.9, ...range(40, (i) => 0.5 / (i + 1))], 4, 1],
  ['three times the same, blocks of 3', [5, 5, 5, 4, ...range(30, (i) => 1 / (i + 1))], 4, 3],
  ['all the same', range(12, () => 2), 5, 1],
  ['rank two', [7, 3, ...range(20, () => 0)], 5, 1],
  ['zero', range(9, () => 0), 4, 1],
  ['k the whole dimension', range(7, (i) => 3 - i), 7, 2],
  ['k beyond the dimension', [2, -1, 0.5], 10, 1],
  ['a single number', [4], 1, 1],
]

describe('eigenpairs equal those of the dense matrix', () => {
  it.each(spectra)('%s', async (_, values, k, block) => {
    const { matrix } = symmetricWith(values, 11)
    const size = values.length
    const found = await lanczos((v) => times(matrix, v), size, { k, block })
    const expected = jacobiValues(matrix, size).slice(0, k)
    expect(found.values.length).toBe(Math.min(k, size))
    expect(found.converged).toBe(true)
    expect(found.products).toBeLessThanOrEqual(size)
    const scale = Math.max(...values.map(Math.abs), 1e-12)
    expected.forEach((value, i) => {
      expect(Math.abs(found.values[i]! - value)).toBeLessThan(1e-9 * scale)
    })
    found.vectors.forEach((v, i) => {
      const off = times(matrix, v).map((x, j) => x - found.values[i]! * v[j]!)
      expect(Math.sqrt(dot(off, off))).toBeLessThan(1e-7 * scale)
      found.vectors.forEach((other, j) => {
        expect(dot(v, other)).toBeCloseTo(i === j ? 1 : 0, 9)
      })
    })
  })

  it.each(spectra)('%s, with a basis of as few vectors as may be', async (_, values, k, block) => {
    const { matrix } = symmetricWith(values, 11)
    const size = values.length
    let held = 0
    const found = await lanczos(undefined, size, {
      k,
      block,
      maxBasis: 1,
      maxProducts: 3000,
      hvpBlock: (vectors) => {
        held = Math.max(held, vectors.length)
        return vectors.map((v) => times(matrix, v))
      },
    })
    expect(found.converged).toBe(true)
    expect(held).toBeLessThanOrEqual(block)
    const scale = Math.max(...values.map(Math.abs), 1e-12)
    jacobiValues(matrix, size)
      .slice(0, k)
      .forEach((value, i) => {
        expect(Math.abs(found.values[i]! - value)).toBeLessThan(1e-7 * scale)
      })
    found.vectors.forEach((v, i) => {
      const off = times(matrix, v).map((x, j) => x - found.values[i]! * v[j]!)
      expect(Math.sqrt(dot(off, off))).toBeLessThan(1e-7 * scale)
      found.vectors.forEach((other, j) => {
        expect(dot(v, other)).toBeCloseTo(i === j ? 1 : 0, 9)
      })
    })
  })

  it('in a basis that is cut down, with somewhat more products', async () => {
    const values = range(300, (i) => 1 / (1 + i / 10))
    const { matrix } = symmetricWith(values, 7)
    const all = { k: 8, block: 2, hvpBlock: (vectors: readonly Float64Array[]) => vectors.map((v) => times(matrix, v)), tolerance: 1e-6 }
    const free = await lanczos(undefined, 300, all)
    const bounded = await lanczos(undefined, 300, { ...all, maxBasis: 30 })
    expect(free.products).toBeGreaterThan(40)
    expect(bounded.converged).toBe(true)
    expect(bounded.products).toBeLessThan(2 * free.products)
    bounded.values.forEach((value, i) => {
      expect(value).toBeCloseTo(values[i]!, 9)
    })
  })

  it('orthogonal to each other to the last digits, though products are rounded to float32 and so not quite symmetric', async () => {
    const { matrix } = symmetricWith(
      range(300, (i) => 0.9 ** i),
      9,
    )
    for (const maxBasis of [300, 40]) {
      const hvpBlock = (vectors: readonly Float64Array[]) => vectors.map((v) => Float64Array.from(Float32Array.from(times(matrix, v))))
      const found = await lanczos(undefined, 300, { k: 20, block: 4, hvpBlock, tolerance: 1e-5, maxBasis })
      expect(found.converged).toBe(true)
      found.vectors.forEach((v, i) => {
        found.vectors.forEach((other, j) => {
          expect(Math.abs(dot(v, other) - (i === j ? 1 : 0))).toBeLessThan(1e-12)
        })
      })
    }
  })

  it('as does the small dense solver', () => {
    for (const [, values] of spectra) {
      const { matrix } = symmetricWith(values, 5)
      const { values: found, vectors } = symmetricEigen(matrix, values.length)
      jacobiValues(matrix, values.length).forEach((value, i) => {
        expect(found[i]!).toBeCloseTo(value, 9)
      })
      vectors.forEach((v, i) => {
        const image = times(matrix, v)
        for (let j = 0; j < v.length; j++) expect(image[j]!).toBeCloseTo(found[i]! * v[j]!, 8)
      })
    }
  })
})

describe('products', () => {
  const { matrix } = symmetricWith(
    range(80, (i) => 0.8 ** i),
    3,
  )
  const hvp = (v: Float64Array): Float64Array => times(matrix, v)

  it('are counted, limited, and may come in blocks or as promises', async () => {
    let calls = 0
    const found = await lanczos(undefined, 80, {
      k: 4,
      block: 4,
      hvpBlock: async (vectors) => {
        calls += vectors.length
        return vectors.map(hvp)
      },
    })
    expect(found.products).toBe(calls)
    expect(found.converged).toBe(true)
    const limited = await lanczos(async (v) => hvp(v), 80, { k: 4, maxProducts: 6 })
    expect(limited.products).toBe(6)
    expect(limited.converged).toBe(false)
    expect(limited.values.length).toBe(4)
    expect(Math.max(...limited.residuals)).toBeGreaterThan(1e-8)
    const rough = await lanczos(hvp, 80, { k: 4, tolerance: 1e-2 })
    expect(rough.products).toBeLessThan(found.products)
  })

  it('residual bounds are the residuals', async () => {
    const found = await lanczos(hvp, 80, { k: 5, maxProducts: 15 })
    found.vectors.forEach((v, i) => {
      const off = hvp(v).map((x, j) => x - found.values[i]! * v[j]!)
      expect(found.residuals[i]!).toBeCloseTo(Math.sqrt(dot(off, off)), 10)
    })
  })

  it('same start, same answer; other random numbers, the same pairs', async () => {
    const first = await lanczos(hvp, 80, { k: 3 })
    expect(await lanczos(hvp, 80, { k: 3 })).toEqual(first)
    const other = await lanczos(hvp, 80, { k: 3, rng: sequence(77) })
    other.values.forEach((value, i) => {
      expect(value).toBeCloseTo(first.values[i]!, 9)
    })
  })
})

it('stops when cancelled and refuses nonsense', async () => {
  const token = { cancelled: false }
  const running = lanczos(
    async (v) => {
      await new Promise((resume) => setTimeout(resume, 5))
      return v.map((x, i) => x * i)
    },
    500,
    { k: 50, token },
  )
  setTimeout(() => {
    token.cancelled = true
  }, 30)
  await expect(running).rejects.toBeInstanceOf(Cancelled)
  await expect(lanczos((v) => v.map(() => Number.NaN), 5, { k: 1 })).rejects.toThrow('not finite')
  await expect(lanczos((v) => v.slice(1), 5, { k: 1 })).rejects.toThrow('4 entries where 5')
  await expect(lanczos((v) => v, 0, { k: 1 })).rejects.toThrow('dimension')
  await expect(lanczos((v) => v, 5, { k: 0 })).rejects.toThrow('eigenpairs')
  await expect(lanczos(undefined, 5, { k: 1 })).rejects.toThrow('hvp')
  await expect(lanczos((v) => v, 5, { k: 1, rng: () => 0.5 })).rejects.toThrow('do not vary')
})
