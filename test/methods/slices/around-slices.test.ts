import { describe, expect, it } from 'vitest'
import { breathe, Cancelled } from '../../../server/src/methods/cancel.ts'
import { codeNumbers, codeTexts, quantileEdges, valueCondition, valueText } from '../../../server/src/methods/slices/bins.ts'
import { worsening } from '../../../server/src/methods/slices/compare-errors.ts'
import { countSlices } from '../../../server/src/methods/slices/count-slices.ts'
import { discoverSlices } from '../../../server/src/methods/slices/discover-slices.ts'
import { entropyTree } from '../../../server/src/methods/slices/entropy-tree.ts'
import { findSlices } from '../../../server/src/methods/slices/find-slices.ts'
import { groupsOf, overlapsOf } from '../../../server/src/methods/slices/overlaps.ts'
import { partitionByColumns } from '../../../server/src/methods/slices/partition-by-columns.ts'
import { replicate } from '../../../server/src/methods/slices/replicate.ts'
import { slowness } from '../../support/slowness.ts'
import { plantedInput, randomInput, seeded } from './random.ts'

describe('bins', () => {
  const edges: [string, number[], number, number[]][] = [
    ['ranks ⌈i·n/k⌉', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5, [1, 2, 4, 6, 8, 10]],
    ['equal edges merge', [0, 0, 0, 0, 0, 0, 0, 0, 0, 9], 10, [0, 9]],
    ['one value', [3, 3, 3], 10, [3]],
    ['NULL is left out', [NaN, 2, 1, NaN], 2, [1, 2]],
    ['nothing', [NaN], 10, []],
  ]
  it.each(edges)('%s', (_, numbers, nBins, expected) => {
    expect([...quantileEdges(numbers, nBins)]).toEqual(expected)
  })

  const coded: [string, number[], number[], number[], string[]][] = [
    ['last bin closed', [25, 31, 32, 40], [25, 32, 40], [1, 1, 2, 2], ['[25, 32)', '[32, 40]']],
    ['outside and NULL', [0, 25, 41, NaN], [25, 40], [1, 2, 3, 4], ['< 25', '[25, 40]', '> 40', 'null']],
    ['one value', [3, 3], [3], [1, 1], ['[3, 3]']],
    ['no edges', [NaN, NaN], [], [1, 1], ['null']],
    ['bins that do not occur are not listed', [1, 30], [0, 10, 20, 30], [1, 2], ['[0, 10)', '[20, 30]']],
  ]
  it.each(coded)('%s', (_, numbers, edges, codes, texts) => {
    const found = codeNumbers(numbers, edges)
    expect([...found.codes]).toEqual(codes)
    expect(found.values.map(valueText)).toEqual(texts)
  })

  it('put every number into the bin whose condition it meets', () => {
    const rng = seeded(1)
    for (let trial = 0; trial < 200; trial++) {
      const numbers = Array.from({ length: 1 + Math.floor(rng() * 50) }, () => Math.round(rng() * 20) / 2)
      const { codes, values } = codeNumbers(numbers, quantileEdges(numbers, 1 + Math.floor(rng() * 12)))
      for (const [row, number] of numbers.entries()) {
        const value = values[codes[row]! - 1]!
        if (value.kind !== 'range') throw new Error(`${number} is outside its own quantiles`)
        const [low, high] = [Number(value.low), Number(value.high)]
        expect(number >= low && (value.closed ? number <= high : number < high)).toBe(true)
      }
    }
  })

  it('codes texts in order, NULL last', () => {
    const found = codeTexts(['b', undefined, 'a', 'b'])
    expect([...found.codes]).toEqual([2, 3, 1, 2])
    expect(found.values.map(valueText)).toEqual(['a', 'b', 'null'])
  })

  it('says conditions ready to paste', () => {
    expect(valueCondition('age', { kind: 'range', low: 25, high: 32, closed: false })).toBe('age >= 25 and age < 32')
    expect(valueCondition('age', { kind: 'range', low: 60, high: 90, closed: true })).toBe('age >= 60 and age <= 90')
    expect(valueCondition('gain', { kind: 'range', low: 0, high: 0, closed: true })).toBe('gain = 0')
    expect(valueCondition('name', { kind: 'text', text: "O'Neill" })).toBe("name = 'O''Neill'")
    expect(valueCondition('name', { kind: 'null' })).toBe('name is null')
  })

  it('refuses no bins', () => {
    expect(() => quantileEdges([1], 0)).toThrow(/0 bins/)
  })
})

describe('overlaps', () => {
  const codes = [Int32Array.of(1, 1, 1, 1, 2, 2, 2, 2), Int32Array.of(1, 1, 1, 2, 2, 2, 2, 2), Int32Array.of(1, 2, 1, 2, 1, 2, 1, 2)]
  const slice = (...predicates: [number, number][]) => ({ predicates: predicates.map(([column, code]) => ({ column, code })) })

  it('are nested slices and those that share half of their rows', () => {
    const slices = [slice([0, 1]), slice([1, 1]), slice([2, 1]), slice([1, 2]), slice([0, 1], [2, 1])]
    expect(overlapsOf(codes, slices)).toEqual([[], [0], [], [], [0, 1, 2]])
    expect(groupsOf(overlapsOf(codes, slices))).toEqual([[0, 1, 4], [2], [3]])
  })

  it('of no slices are none', () => {
    expect(overlapsOf(codes, [])).toEqual([])
  })
})

describe('comparison', () => {
  it('keeps what became worse', () => {
    expect([...worsening(Float64Array.of(0, 1, 0.5), Float64Array.of(1, 0, 0.75))]).toEqual([1, 0, 0.25])
    expect(() => worsening(Float64Array.of(0), Float64Array.of(0, 1))).toThrow(/same rows/)
  })
})

describe('replication', () => {
  const options = { top: 5, alpha: 0.95, support: 60, depth: 3 }

  it('confirms a planted slice, and seldom noise', async () => {
    const { codes, errors, planted } = plantedInput(seeded(1), { nRows: 6000, nColumns: 5, domain: 4, share: 0.08 })
    const { slices } = await findSlices(codes, errors, options)
    const { replicated, rate } = await replicate(codes, errors, slices, options, seeded(7))
    expect(replicated[slices.findIndex((slice) => JSON.stringify(slice.predicates) === JSON.stringify(planted))]).toBe(true)
    expect(rate).toBeGreaterThan(0.8)

    let nReplicated = 0
    let nSlices = 0
    for (let seed = 0; seed < 20; seed++) {
      const noise = plantedInput(seeded(100 + seed), { nRows: 2000, nColumns: 5, domain: 4, share: 0 })
      const found = await findSlices(noise.codes, noise.errors, options)
      const again = await replicate(noise.codes, noise.errors, found.slices, options, seeded(seed))
      nReplicated += again.replicated.filter((one) => one).length
      nSlices += found.slices.length
    }
    expect(nReplicated / nSlices).toBeLessThan(0.2)
  })

  it('answers the same for the same seed', async () => {
    const { codes, errors } = plantedInput(seeded(2), { nRows: 800, nColumns: 4, domain: 3, share: 0.1 })
    const { slices } = await findSlices(codes, errors, options)
    const run = () => replicate(codes, errors, slices, options, seeded(3))
    expect(await run()).toEqual(await run())
  })
})

describe('discovery', () => {
  const options = { top: 8, alpha: 0.95, support: 60, depth: 3 }

  it('says all there is to say of each slice', async () => {
    const { codes, errors, planted } = plantedInput(seeded(1), { nRows: 6000, nColumns: 5, domain: 4, share: 0.08 })
    const found = await discoverSlices(codes, errors, options, seeded(1))
    expect(found.slices).toHaveLength(8)
    expect(found.slices[0]).toMatchObject({ overlaps: [], replicated: true })
    expect(found.slices.find((slice) => JSON.stringify(slice.predicates) === JSON.stringify(planted))!.qValue).toBeLessThan(1e-9)
    expect(found.hypotheses).toBe(await countSlices(codes, options))
    expect(found.replicationRate).toBeGreaterThan(0.8)
    expect(found.notes).toEqual([])
  })

  it('keeps only what survives the false discovery rate, with overlaps by place in that list', async () => {
    const { codes, errors } = plantedInput(seeded(1), { nRows: 3000, nColumns: 5, domain: 4, share: 0.05 })
    const all = await discoverSlices(codes, errors, options, seeded(1))
    const kept = await discoverSlices(codes, errors, { ...options, falseDiscoveryRate: 0.05 }, seeded(1))
    expect(kept.slices.map(({ predicates }) => predicates)).toEqual(
      all.slices.filter(({ qValue }) => qValue <= 0.05).map(({ predicates }) => predicates),
    )
    for (const [i, { overlaps }] of kept.slices.entries()) for (const index of overlaps) expect(index).toBeLessThan(i)
  })

  it('is empty and well formed without errors, and notes that rows are few', async () => {
    const codes = [Int32Array.of(1, 2, 1, 2)]
    const none = await discoverSlices(codes, new Float64Array(4), { ...options, support: 1 }, seeded(1))
    expect(none).toMatchObject({ meanError: 0, slices: [], levels: [], notes: [] })
    const few = await discoverSlices(codes, Float64Array.of(1, 0, 0, 0), { ...options, support: 1 }, seeded(1))
    expect(few.notes[0]).toMatch(/^4 rows are few/)
  })
})

describe('breathing', () => {
  it('lets timers run within a tenth of a second, and throws what is not an Error', async () => {
    const token = { cancelled: false }
    setTimeout(() => {
      token.cancelled = true
    }, 20)
    const start = performance.now()
    const work = async (): Promise<void> => {
      for (;;) await breathe(token)
    }
    const thrown = await work().catch((reason: unknown) => reason)
    expect(thrown).toBeInstanceOf(Cancelled)
    expect(thrown).not.toBeInstanceOf(Error)
    expect(performance.now() - start).toBeLessThan(500 * slowness())
  })
})

describe('partitions', () => {
  it('by columns and by tree are disjoint, complete, and keep to the minimum', () => {
    for (let seed = 0; seed < 200; seed++) {
      const rng = seeded(seed)
      const { codes, errors } = randomInput(rng)
      const minimum = 1 + Math.floor(rng() * 6)
      const byColumns = partitionByColumns(codes, { minimum })
      const byTree = entropyTree(codes, { threshold: rng(), minimum })
      for (const { parts, partOf } of [byColumns, byTree]) {
        const sizes = parts.map(() => 0)
        for (const [row, part] of partOf.entries()) {
          sizes[part]!++
          for (const { column, code } of parts[part]!.predicates) expect(codes[column]![row]).toBe(code)
        }
        expect(sizes).toEqual(parts.map((part) => part.size))
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(errors.length)
      }
      for (const part of byTree.parts) if (byTree.parts.length > 1) expect(part.size).toBeGreaterThanOrEqual(minimum)
      for (const part of byColumns.parts.filter((one) => one.predicates.length > 0)) expect(part.size).toBeGreaterThanOrEqual(minimum)
    }
  })

  it('split the most biased attribute first, and stop once unbiased', () => {
    // Column 0 is 6 : 2 (entropy 0.811), column 1 is 4 : 4 within each of its values.
    const codes = [Int32Array.of(1, 1, 1, 1, 1, 1, 2, 2), Int32Array.of(1, 2, 1, 2, 1, 2, 1, 2)]
    const whole = entropyTree(codes, { threshold: 0.8, minimum: 1 })
    expect(whole.parts).toEqual([{ predicates: [], size: 8 }])
    expect(whole.entropy).toBeCloseTo((0.8112781244591328 + 1) / 2, 12)
    const split = entropyTree(codes, { threshold: 0.95, minimum: 1 })
    expect(split.parts).toEqual([
      { predicates: [{ column: 0, code: 1 }], size: 6 },
      { predicates: [{ column: 0, code: 2 }], size: 2 },
    ])
    expect(entropyTree(codes, { threshold: 0.95, minimum: 3 }).parts).toEqual([
      { predicates: [{ column: 1, code: 1 }], size: 4 },
      { predicates: [{ column: 1, code: 2 }], size: 4 },
    ])
  })

  it('refuse empty input with a sentence', () => {
    expect(() => entropyTree([], { threshold: 0.5, minimum: 1 })).toThrow(/no columns/)
    expect(() => entropyTree([new Int32Array(0)], { threshold: 0.5, minimum: 1 })).toThrow(/no rows/)
    expect(() => entropyTree([Int32Array.of(1)], { threshold: 2, minimum: 1 })).toThrow(/threshold is 2/)
    expect(() => partitionByColumns([], { minimum: 1 })).toThrow(/no columns/)
  })
})
