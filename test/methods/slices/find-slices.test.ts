import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../../server/src/methods/cancel.ts'
import { type FoundSlice, type FoundSlices, findSlices, type SliceOptions } from '../../../server/src/methods/slices/find-slices.ts'
import { slowness } from '../../support/slowness.ts'
import { bruteForce } from './brute-force.ts'
import { type Input, plantedInput, randomInput, seeded, shuffled } from './random.ts'

const usual: SliceOptions = { top: 10, alpha: 0.95, support: 1, depth: 3 }

function randomOptions(rng: () => number): SliceOptions {
  return {
    top: 1 + Math.floor(rng() * (rng() < 0.2 ? 200 : 8)),
    alpha: [0.5, 0.8, 0.9, 0.95, 1][Math.floor(rng() * 5)]!,
    support: 1 + Math.floor(rng() * 5),
    depth: 1 + Math.floor(rng() * 6),
  }
}

describe('equals brute force', () => {
  it.each([0, 1, 2, 3])('on 1000 random inputs, block %i', async (block) => {
    for (let seed = block * 1000; seed < block * 1000 + 1000; seed++) {
      const rng = seeded(seed)
      const { codes, errors } = randomInput(rng)
      const options = randomOptions(rng)
      const { slices } = await findSlices(codes, errors, options)
      expect(slices, `seed ${seed}`).toEqual(bruteForce(codes, errors, options))
    }
  })

  it('on tables of some thousand rows, where pruning bites', async () => {
    let nPruned = 0
    for (let seed = 0; seed < 8; seed++) {
      const { codes, errors } = plantedInput(seeded(seed), { nRows: 2000, nColumns: 6, domain: 4, share: 0.1, continuous: seed % 2 === 1 })
      const options = { top: 5, alpha: 0.9, support: 20, depth: 4 }
      const found = await findSlices(codes, errors, options)
      expect(found.slices).toEqual(bruteForce(codes, errors, options))
      for (const level of found.levels) nPruned += level.pruned
    }
    expect(nPruned).toBeGreaterThan(0)
  })
})

interface Vector {
  readonly X: number[][]
  readonly e: number[]
  readonly alpha: number
  readonly minSup: number
  readonly k: number
  readonly maxL?: number
}
interface VectorSlice {
  readonly score: number
  readonly sumError: number
  readonly maxError: number
  readonly size: number
  readonly predicates: Readonly<Record<string, number>>
}

const vectors = new URL('../../../../shared/vectors/', import.meta.url)

// The vectors lie beside the checkout, not in it.
describe.skipIf(!existsSync(fileURLToPath(vectors)))('exact answers in ../shared/vectors', () => {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`sliceline_${name}.json`, vectors), 'utf8'))

  it.each(['custom1', 'salaries'])('%s', async (name) => {
    const vector = read(name) as Vector & { exactTopK: VectorSlice[] }
    // The vector's list is longer than k where ties are named.
    await expectVector(vector, vector.exactTopK.slice(0, vector.k))
  })

  it.each(['threshold_before_topk_full', 'unsound_ub_n_columns'])('%s, on which published code errs', async (name) => {
    const vector = read('counterexamples')[name] as Vector & { exact: VectorSlice[] }
    await expectVector(vector, vector.exact)
  })

  async function expectVector(vector: Vector, expected: readonly VectorSlice[]): Promise<void> {
    const codes = vector.X[0]!.map((_, column) => Int32Array.from(vector.X, (row) => row[column]!))
    const options = { top: vector.k, alpha: vector.alpha, support: vector.minSup, depth: vector.maxL ?? codes.length }
    const { slices } = await findSlices(codes, Float64Array.from(vector.e), options)
    expect(slices.map(predicatesOf)).toEqual(expected.map((slice) => slice.predicates))
    for (const [i, slice] of slices.entries()) {
      expect(slice.size).toBe(expected[i]!.size)
      expect(slice.maxError).toBe(expected[i]!.maxError)
      expect(slice.score).toBeCloseTo(expected[i]!.score, 9)
      expect(slice.sumError / expected[i]!.sumError).toBeCloseTo(1, 12)
    }
  }
})

function predicatesOf(slice: FoundSlice): Record<string, number> {
  return Object.fromEntries(slice.predicates.map(({ column, code }) => [column, code]))
}

describe('wide data', () => {
  it('finds the planted slice among 30 columns of 15 values', async () => {
    const { codes, errors, planted } = plantedInput(seeded(3), { nRows: 20_000, nColumns: 30, domain: 15, share: 0.03 })
    const { slices } = await findSlices(codes, errors, { top: 3, alpha: 0.95, support: 200, depth: 3 })
    expect(slices[0]!.predicates).toEqual(planted)
  })
})

describe('laws', () => {
  it('does not depend on the order of rows, to the last bit', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const rng = seeded(seed)
      const input = randomInput(rng)
      const options = randomOptions(rng)
      const order = shuffled(input.errors.length, rng)
      const again = {
        codes: input.codes.map((values) => values.map((_, i) => values[order[i]!]!)),
        errors: input.errors.map((_, i) => input.errors[order[i]!]!),
      }
      expect(await findSlices(again.codes, again.errors, options)).toEqual(await findSlices(input.codes, input.errors, options))
    }
  })

  it('does not depend on the order of columns, up to ties', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const rng = seeded(seed)
      const { codes, errors } = randomInput(rng)
      const options = randomOptions(rng)
      const scores = async (columns: Int32Array[]) =>
        (await findSlices(columns, errors, options)).slices.map(({ score, size }) => [score, size])
      expect(await scores(codes.toReversed())).toEqual(await scores(codes))
    }
  })

  it('does not depend on the scale of the errors', async () => {
    const { codes, errors } = plantedInput(seeded(5), { nRows: 500, nColumns: 4, domain: 3, share: 0.2, continuous: true })
    const scaled = await findSlices(
      codes,
      errors.map((error) => error * 2 ** 40),
      usual,
    )
    const { slices } = await findSlices(codes, errors, usual)
    expect(scaled.slices.map(({ predicates, score }) => ({ predicates, score }))).toEqual(
      slices.map(({ predicates, score }) => ({ predicates, score })),
    )
  })

  it('stops within a second of being cancelled, and has shown what it had', async () => {
    const { codes, errors } = plantedInput(seeded(6), { nRows: 60_000, nColumns: 30, domain: 6, share: 0.1, continuous: true })
    const token = { cancelled: false }
    const partial: FoundSlices[] = []
    let cancelledAt = 0
    const cancel = (): void => {
      token.cancelled = true
      cancelledAt = performance.now()
    }
    const onLevel = (found: FoundSlices): void => {
      if (partial.push(found) === 1) setTimeout(cancel, 100)
    }
    const run = findSlices(codes, errors, { top: 2000, alpha: 1, support: 1, depth: 6, onLevel }, token)
    await expect(run).rejects.toBeInstanceOf(Cancelled)
    expect(performance.now() - cancelledAt).toBeLessThan(1000 * slowness())
    expect(partial.length).toBeGreaterThan(0)
    expect(partial[0]!.slices.every((slice) => slice.predicates.length === 1)).toBe(true)
  })

  it('reports each level as it is done, the last report being the answer', async () => {
    const { codes, errors } = plantedInput(seeded(7), { nRows: 500, nColumns: 4, domain: 3, share: 0.2 })
    const partial: FoundSlices[] = []
    const found = await findSlices(codes, errors, { ...usual, onLevel: (one) => partial.push(one) })
    expect(partial.map((one) => one.levels.length)).toEqual(found.levels.map((level) => level.depth))
    expect(partial.at(-1)).toEqual(found)
  })
})

describe('awkward input', () => {
  const codes = [Int32Array.of(1, 2, 1, 2), Int32Array.of(1, 1, 2, 0)]
  const errors = Float64Array.of(0, 1, 0, 2)

  const refused: [string, Input, Partial<SliceOptions>, RegExp][] = [
    ['no rows', { codes: [new Int32Array(0)], errors: new Float64Array(0) }, {}, /no rows/],
    ['no columns', { codes: [], errors }, {}, /no columns/],
    ['a negative error', { codes, errors: Float64Array.of(0, -1, 0, 2) }, {}, /error of row 1 is -1.*must be finite and not negative/],
    ['a NaN error', { codes, errors: Float64Array.of(0, 1, NaN, 2) }, {}, /error of row 2 is NaN/],
    ['an infinite error', { codes, errors: Float64Array.of(0, 1, 0, Infinity) }, {}, /error of row 3 is Infinity/],
    ['errors whose sum overflows', { codes, errors: Float64Array.of(1.7e308, 1.7e308, 0, 0) }, {}, /sums of them overflow/],
    ['a short column', { codes: [codes[0]!, Int32Array.of(1)], errors }, {}, /Column 1 has 1 codes for 4 rows/],
    ['a negative code', { codes: [Int32Array.of(1, -2, 1, 1)], errors }, {}, /code -2 in row 1/],
    ['top 0', { codes, errors }, { top: 0 }, /top is 0/],
    ['alpha 0', { codes, errors }, { alpha: 0 }, /alpha is 0/],
    ['alpha 2', { codes, errors }, { alpha: 2 }, /alpha is 2/],
    ['support 0', { codes, errors }, { support: 0 }, /support is 0/],
    ['depth 1.5', { codes, errors }, { depth: 1.5 }, /depth is 1.5/],
  ]
  it.each(refused)('%s is refused with a sentence', async (_, input, options, sentence) => {
    await expect(findSlices(input.codes, input.errors, { ...usual, ...options })).rejects.toThrow(sentence)
  })

  it('answers errors that are all zero with no slices', async () => {
    expect(await findSlices(codes, new Float64Array(4), usual)).toEqual({ meanError: 0, slices: [], levels: [], skipped: [] })
  })

  it('answers a support above the number of rows with no slices', async () => {
    const found = await findSlices(codes, errors, { ...usual, support: 5 })
    expect(found.slices).toEqual([])
    expect(found.skipped.map(({ reason }) => reason)).toEqual(['rare', 'rare'])
  })

  it('returns all slices where fewer than asked for exist', async () => {
    const found = await findSlices(codes, errors, { ...usual, top: 1000 })
    expect(found.slices).toEqual(bruteForce(codes, errors, { ...usual, top: 1000 }))
    expect(found.slices.length).toBeLessThan(10)
  })

  it('skips an identifier and says so, without harm to the rest', async () => {
    const { codes, errors } = plantedInput(seeded(8), { nRows: 3000, nColumns: 4, domain: 3, share: 0.1 })
    const identifier = Int32Array.from(errors, (_, row) => row + 1)
    const without = await findSlices(codes, errors, { ...usual, support: 30 })
    const found = await findSlices([...codes, identifier], errors, { ...usual, support: 30 })
    expect(found.skipped).toEqual([{ column: 4, distinct: 3000, reason: 'identifier' }])
    expect(found.slices).toEqual(without.slices)
  })

  it('takes a column of 100 000 values, and codes of two thousand million', async () => {
    const nRows = 200_000
    const errors = Float64Array.from({ length: nRows }, (_, row) => (row % 10 === 0 || row % 7 === 3 ? 1 : 0))
    const many = Int32Array.from(errors, (_, row) => 1 + (row >> 1))
    const far = Int32Array.from(errors, (_, row) => (row % 7 === 3 ? 2_000_000_000 : 5))
    const found = await findSlices([many, far], errors, { ...usual, top: 1, support: 100 })
    expect(found.slices[0]!.predicates).toEqual([{ column: 1, code: 2_000_000_000 }])
    expect(found.skipped).toEqual([{ column: 0, distinct: 100_000, reason: 'rare' }])
    const deep = await findSlices([many, far], errors, { ...usual, top: 1, support: 1 })
    expect(deep.slices[0]!.predicates).toEqual([{ column: 1, code: 2_000_000_000 }])
  })
})
