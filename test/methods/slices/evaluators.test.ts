import { describe, expect, it } from 'vitest'
import { countSlices } from '../../../server/src/methods/slices/count-slices.ts'
import type { Evaluator } from '../../../server/src/methods/slices/evaluator.ts'
import { findSlices, searchSlices } from '../../../server/src/methods/slices/find-slices.ts'
import { type Aggregator, countGroups, type Groups, groupEvaluator } from '../../../server/src/methods/slices/group-evaluator.ts'
import { extendedEvaluator, recordingEvaluator } from '../../../server/src/methods/slices/lattice-store.ts'
import { rowEvaluator } from '../../../server/src/methods/slices/row-evaluator.ts'
import { plantedInput, randomInput, seeded } from './random.ts'

const options = { top: 8, alpha: 0.9, support: 2, depth: 4 }

describe('an evaluator may be anything that knows sizes and sums', () => {
  it('finds the same with candidates sharded over several evaluators', async () => {
    const { codes, errors } = plantedInput(seeded(1), { nRows: 3000, nColumns: 8, domain: 4, share: 0.1, continuous: true })
    const inner = rowEvaluator(codes, errors, 10)
    const search = { ...options, support: 10 }
    expect(await searchSlices(sharded(inner, 3), codes.length, search)).toEqual(await findSlices(codes, errors, search))
  })

  function sharded(inner: Evaluator, nShards: number): Evaluator {
    return {
      totals: inner.totals,
      atoms: () => inner.atoms(),
      async evaluate({ depth, count, atoms }) {
        const all = { sizes: new Float64Array(count), sums: new Float64Array(count), maxima: new Float64Array(count) }
        await Promise.all(
          Array.from({ length: nShards }, async (_, shard) => {
            const from = Math.floor((count * shard) / nShards)
            const to = Math.floor((count * (shard + 1)) / nShards)
            const part = await inner.evaluate({ depth, count: to - from, atoms: atoms.subarray(from * depth, to * depth) })
            all.sizes.set(part.sizes, from)
            all.sums.set(part.sums, from)
            all.maxima.set(part.maxima, from)
          }),
        )
        return all
      },
    }
  }
})

describe('grouped aggregates', () => {
  it('find the same as rows in memory, groups below the support being left out', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const rng = seeded(seed)
      const { codes, errors: drawn } = randomInput(rng)
      const errors = drawn.map((error) => Math.round(error * 8))
      const search = { ...options, support: 1 + Math.floor(rng() * 4) }
      const grouping = groupingOf(codes, errors, search.support)
      const found = await searchSlices(groupEvaluator(grouping), codes.length, search)
      const expected = await findSlices(codes, errors, search)
      expect(found.slices, `seed ${seed}`).toEqual(expected.slices)
      expect(found.meanError).toBe(expected.meanError)
      expect(await countGroups(grouping, search.depth, search.support)).toBe(await countSlices(codes, search))
    }
  })

  function groupingOf(codes: readonly Int32Array[], errors: Float64Array, support: number): Aggregator {
    const sumError = errors.reduce((sum, error) => sum + error, 0)
    return {
      totals: { nRows: errors.length, sumError, maxError: Math.max(...errors) },
      nColumns: codes.length,
      aggregate: async (sets) => sets.map((set) => groupsOver(set)),
    }

    function groupsOver(set: readonly number[]): Groups {
      const groups = new Map<string, number[]>()
      for (const [row] of errors.entries()) {
        const key = set.map((column) => codes[column]![row]!)
        if (key.every((code) => code > 0)) groups.set(key.join(), [...(groups.get(key.join()) ?? []), row])
      }
      const kept = [...groups.entries()].filter(([, rows]) => rows.length >= support).reverse()
      return {
        codes: set.map((_, j) => Int32Array.from(kept, ([key]) => Number(key.split(',')[j]))),
        statistics: {
          sizes: Float64Array.from(kept, ([, rows]) => rows.length),
          sums: Float64Array.from(kept, ([, rows]) => rows.reduce((sum, row) => sum + errors[row]!, 0)),
          maxima: Float64Array.from(kept, ([, rows]) => Math.max(...rows.map((row) => errors[row]!))),
        },
      }
    }
  }
})

describe('appended rows', () => {
  it('give the answer of a search over all rows, on random inputs', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const rng = seeded(seed)
      const { codes, errors: drawn } = randomInput(rng)
      const errors = drawn.map((error) => Math.round(error * 8))
      const before = Math.floor(rng() * errors.length)
      const search = { ...options, support: 1 + Math.floor(rng() * 3), top: 1 + Math.floor(rng() * 10) }
      const earlier = recordingEvaluator(
        rowEvaluator(
          codes.map((values) => values.subarray(0, before)),
          errors.subarray(0, before),
          search.support,
        ),
      )
      await searchSlices(earlier, codes.length, search)
      const extended = extendedEvaluator(earlier.lattice(), codes, errors, search.support)
      expect(await searchSlices(extended, codes.length, search), `seed ${seed}`).toEqual(await findSlices(codes, errors, search))
    }
  })

  it('are the only ones looked at where the lattice knows the slices', async () => {
    const { codes, errors } = plantedInput(seeded(2), { nRows: 4000, nColumns: 6, domain: 4, share: 0.1 })
    const before = 3900
    const first = recordingEvaluator(
      rowEvaluator(
        codes.map((values) => values.subarray(0, before)),
        errors.subarray(0, before),
        40,
      ),
    )
    const search = { ...options, support: 40 }
    await searchSlices(first, codes.length, search)
    const earlier = [...first.lattice().known.keys()]
    const second = recordingEvaluator(extendedEvaluator(first.lattice(), codes, errors, 40))
    expect(await searchSlices(second, codes.length, search)).toEqual(await findSlices(codes, errors, search))
    const known = [...second.lattice().known.keys()]
    expect(known.filter((name) => earlier.includes(name)).length / known.length).toBeGreaterThan(0.9)
  })

  it('may not be fewer than before', () => {
    const lattice = { nRows: 5, known: new Map([['0=1', [5, 1, 1] as const]]) }
    expect(() => extendedEvaluator(lattice, [Int32Array.of(1)], Float64Array.of(1), 1)).toThrow(/saw 5 rows, now there are 1/)
  })
})

describe('the number of slices of sufficient size', () => {
  it('is counted whatever the errors', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const rng = seeded(seed)
      const { codes } = randomInput(rng)
      const limits = { support: 1 + Math.floor(rng() * 4), depth: 1 + Math.floor(rng() * 5) }
      expect(await countSlices(codes, limits), `seed ${seed}`).toBe(countByHand(codes, limits))
    }
  })

  function countByHand(codes: readonly Int32Array[], { support, depth }: { support: number; depth: number }): number {
    const sizes = new Map<string, number>()
    for (let row = 0; row < codes[0]!.length; row++) {
      for (let set = 1; set < 1 << codes.length; set++) {
        const chosen = codes.map((values, column) => (set >> column) & 1 && `${column}=${values[row]}`).filter((part) => part !== 0)
        if (chosen.length > depth || chosen.some((part) => part.endsWith('=0'))) continue
        const name = chosen.join()
        sizes.set(name, (sizes.get(name) ?? 0) + 1)
      }
    }
    return [...sizes.values()].filter((size) => size >= support).length
  }
})
