import { describe, expect, it } from 'vitest'
import { countSlices } from '../../../server/src/methods/slices/count-slices.ts'
import {
  betaQuantile,
  betaRegularized,
  hypergeometricUpper,
  logGamma,
  normalUpper,
  studentQuantile,
  studentUpper,
} from '../../../server/src/methods/slices/distributions.ts'
import { findSlices } from '../../../server/src/methods/slices/find-slices.ts'
import { permutationUpper, populationOf } from '../../../server/src/methods/slices/permutation-test.ts'
import { describeMoments, describeSlices, fewRowsNote, qValues, welchUpper } from '../../../server/src/methods/slices/statistics.ts'
import { plantedInput, seeded } from './random.ts'

describe('distributions', () => {
  // Closed forms, and values of scipy.stats 1.x (norm, t, beta).
  const values: [string, number, number][] = [
    ['normal 1.96', normalUpper(1.96), 0.024997895148220435],
    ['normal 6', normalUpper(6), 9.865876450376981e-10],
    ['normal -1', normalUpper(-1), 0.8413447460685429],
    ['t 2, 5 degrees', studentUpper(2, 5), 0.050969739414929174],
    ['t quantile 0.025, 10 degrees', studentQuantile(0.025, 10), 2.2281388519862753],
    ['beta 0.3 (2, 5)', betaRegularized(0.3, 2, 5), 0.579825],
    ['beta quantile 0.5 (3, 3)', betaQuantile(0.5, 3, 3), 0.5],
    ['hypergeometric: lady tasting tea, all four', hypergeometricUpper(4, 8, 4, 4), 1 / 70],
    ['hypergeometric: lady tasting tea, three or more', hypergeometricUpper(3, 8, 4, 4), 17 / 70],
    ['log gamma 0.5', logGamma(0.5), 0.5 * Math.log(Math.PI)],
    ['log gamma 101', logGamma(101), 363.73937555556347],
  ]
  it.each(values)('%s', (_, value, expected) => {
    expect(value / expected).toBeCloseTo(1, 11)
  })
})

describe('tests of a slice against the rest', () => {
  it('Welch agrees with hand arithmetic', () => {
    // Means 3 and 2, variances 1 and 2/3 over n = 3 and 4: t = 1/√(1/3 + 1/6), df = (1/2)²/((1/9)/2 + (1/36)/3).
    const slice = { size: 3, sum: 9, sumOfSquares: 29 }
    const rest = { size: 4, sum: 8, sumOfSquares: 18 }
    expect(welchUpper(slice, rest)).toBeCloseTo(studentUpper(Math.SQRT2, 0.25 / (1 / 18 + 1 / 108)), 12)
  })

  it('the saddlepoint agrees with all permutations, counted', () => {
    const errors = Float64Array.of(0.1, 0.4, 1.3, 2.2, 0.7, 3.1, 0.2, 0.9, 1.8, 0.05, 0.33, 4.2, 1.1, 0.6, 2.7, 0.15)
    const population = populationOf(errors)
    const sums = subsetSums(errors, 6)
    for (const share of [0.3, 0.1, 0.02, 0.003]) {
      const at = sums[Math.floor(share * sums.length)]!
      const exact = sums.filter((sum) => sum >= at - 1e-12).length / sums.length
      expect(permutationUpper(population, 6, at / 6) / exact, `tail ${exact}`).toBeGreaterThan(0.75)
      expect(permutationUpper(population, 6, at / 6) / exact, `tail ${exact}`).toBeLessThan(1.3)
    }
  })

  it('the saddlepoint is sound in the tail of skewed errors, where t is not', () => {
    // 0/1 errors of rate 0.9, jittered so little that the hypergeometric tail is the truth.
    const rng = seeded(1)
    const errors = Float64Array.from({ length: 5000 }, (_, row) => (row % 10 === 0 ? 0 : 1) + 1e-9 * rng())
    const truth = hypergeometricUpper(100, 5000, 4500, 100)
    const approximation = permutationUpper(populationOf(errors), 100, 1)
    expect(approximation / truth).toBeGreaterThan(0.4)
    expect(approximation / truth).toBeLessThan(2.5)
  })

  it('the most extreme slice has the p-value of one arrangement', () => {
    const errors = Float64Array.from({ length: 40 }, (_, row) => row + 1)
    const p = permutationUpper(populationOf(errors), 3, (40 + 39 + 38) / 3)
    expect(p).toBeGreaterThanOrEqual(1 / 9880 - 1e-12)
    expect(p).toBeLessThan(20 / 9880)
  })

  it('is nearly uniform when errors have nothing to do with the slice', () => {
    const rng = seeded(11)
    for (const kind of [(x: number) => x, (x: number) => -Math.log(1 - x), (x: number) => Math.sqrt(x), (x: number) => x ** 12]) {
      const errors = Float64Array.from({ length: 400 }, () => kind(rng()))
      const population = populationOf(errors)
      let below = 0
      const nDraws = 4000
      for (let draw = 0; draw < nDraws; draw++) {
        const picked = errors.slice()
        let sum = 0
        for (let i = 0; i < 32; i++) {
          const j = i + Math.floor(rng() * (400 - i))
          sum += picked[j]!
          picked[j] = picked[i]!
        }
        if (permutationUpper(population, 32, sum / 32) <= 0.05) below++
      }
      // Four standard deviations of a share of 0.05 in 4000 draws.
      expect(Math.abs(below / nDraws - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / nDraws))
    }
  })

  function subsetSums(errors: Float64Array, size: number): number[] {
    const sums: number[] = []
    const extend = (from: number, chosen: number, sum: number): void => {
      if (chosen === size) {
        sums.push(sum)
        return
      }
      for (let i = from; i < errors.length; i++) extend(i + 1, chosen + 1, sum + errors[i]!)
    }
    extend(0, 0, 0)
    return sums.sort((a, b) => b - a)
  }
})

describe('q-values', () => {
  it('follow Benjamini and Hochberg, unknown p-values counting as 1', () => {
    expect(qValues([0.01, 0.04, 0.03, 0.005], 4)).toEqual([0.02, 0.04, 0.04, 0.02])
    expect(qValues([0.001, 0.5], 100)).toEqual([0.1, 1])
    expect(qValues([], 100)).toEqual([])
  })
})

describe('what is said of a slice', () => {
  it('with 0/1 errors: Fisher, Cohen h, Clopper–Pearson', () => {
    const codes = [Int32Array.from({ length: 40 }, (_, row) => (row < 10 ? 1 : 2))]
    const errors = Float64Array.from({ length: 40 }, (_, row) => (row < 8 || row === 20 || row === 30 ? 1 : 0))
    const [said] = describeSlices(codes, errors, [{ predicates: [{ column: 0, code: 1 }] }], { hypotheses: 2 })
    expect(said!.test).toBe("Fisher's exact test, one-sided")
    expect(said!.pValue).toBeCloseTo(hypergeometricUpper(8, 40, 10, 10), 15)
    expect(said!.qValue).toBeCloseTo(2 * said!.pValue, 15)
    expect(said!.effectSize).toBeCloseTo(2 * Math.asin(Math.sqrt(0.8)) - 2 * Math.asin(Math.sqrt(2 / 30)), 12)
    // binom.test(8, 10) of R.
    expect(said!.interval[0]).toBeCloseTo(0.4439045, 6)
    expect(said!.interval[1]).toBeCloseTo(0.9747893, 6)
  })

  it('with other errors: permutation, effect size of Slice Finder, t interval that covers', () => {
    const rng = seeded(4)
    let covered = 0
    const nTrials = 400
    for (let trial = 0; trial < nTrials; trial++) {
      const errors = Float64Array.from({ length: 120 }, (_, row) => (row < 40 ? 1 : 0.5) * (rng() + rng() + rng()))
      const codes = [Int32Array.from(errors, (_, row) => (row < 40 ? 1 : 2))]
      const [said] = describeSlices(codes, errors, [{ predicates: [{ column: 0, code: 1 }] }], { hypotheses: 2 })
      expect(said!.test).toBe('permutation test, one-sided')
      expect(said!.effectSize).toBeGreaterThan(0.5)
      if (said!.interval[0] <= 1.5 && 1.5 <= said!.interval[1]) covered++
    }
    // Four standard deviations below 95 %.
    expect(covered / nTrials).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.05 * 0.95) / nTrials))
  })

  it('from moments alone: Welch', () => {
    const [said] = describeMoments(
      [{ size: 50, sum: 50, sumOfSquares: 70 }],
      { size: 1000, sum: 500, sumOfSquares: 600 },
      { hypotheses: 10 },
    )
    expect(said!.test).toBe("Welch's t-test, one-sided")
    expect(said!.pValue).toBeLessThan(1e-4)
    expect(said!.interval[0]).toBeLessThan(1)
  })

  it('is finite and defined at the edges: all rows, one row, equal errors', () => {
    const codes = [Int32Array.of(1, 1, 1, 1), Int32Array.of(1, 2, 2, 2)]
    const slices = [{ predicates: [{ column: 0, code: 1 }] }, { predicates: [{ column: 1, code: 1 }] }]
    for (const errors of [Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 0, 0, 0), Float64Array.of(3, 1, 2, 0)]) {
      for (const said of describeSlices(codes, errors, slices, { hypotheses: 3 })) {
        for (const value of [said.pValue, said.qValue, said.effectSize, ...said.interval]) expect(Number.isFinite(value)).toBe(true)
        expect(said.pValue).toBeGreaterThan(0)
      }
    }
  })

  it('comes with a note when rows are too few', () => {
    const { errors } = plantedInput(seeded(9), { nRows: 200, nColumns: 3, domain: 3, share: 0 })
    expect(fewRowsNote(errors, { support: 32, hypotheses: 5000, rate: 0.05 })).toMatch(/^200 rows are few/)
    const many = plantedInput(seeded(9), { nRows: 50_000, nColumns: 3, domain: 3, share: 0 }).errors
    expect(fewRowsNote(many, { support: 500, hypotheses: 5000, rate: 0.05 })).toBeUndefined()
  })
})

describe('false discoveries on pure noise', () => {
  // 5 % of 200 runs, with binomial tolerance: P(X ≥ 17 | 200, 0.05) < 0.03.
  const kinds: [string, (x: number) => number][] = [
    ['0/1', (x) => (x < 0.15 ? 1 : 0)],
    ['0/1, mostly wrong', (x) => (x < 0.8 ? 1 : 0)],
    ['uniform', (x) => x],
    ['exponential', (x) => -Math.log(1 - x)],
    ['heavy-tailed', (x) => x ** 16],
  ]
  it.each(kinds)('%s errors: at most 16 of 200 runs report a slice at fdr 5 %%', async (_, errorOf) => {
    let nAlarms = 0
    for (let seed = 0; seed < 200; seed++) {
      const rng = seeded(1000 + seed)
      const codes = Array.from({ length: 5 }, (_, column) => Int32Array.from({ length: 600 }, () => 1 + Math.floor(rng() * (2 + column))))
      const errors = Float64Array.from({ length: 600 }, () => errorOf(rng()))
      const limits = { support: 12, depth: 3 }
      const { slices } = await findSlices(codes, errors, { ...limits, top: 10, alpha: 0.95 })
      const hypotheses = await countSlices(codes, limits)
      const said = describeSlices(codes, errors, slices, { hypotheses })
      if (said.some((one) => one.qValue <= 0.05)) nAlarms++
    }
    expect(nAlarms).toBeLessThanOrEqual(16)
  })

  it('while a planted slice is reported', async () => {
    const { codes, errors, planted } = plantedInput(seeded(2), { nRows: 5000, nColumns: 6, domain: 4, share: 0.05 })
    const limits = { support: 50, depth: 3 }
    const { slices } = await findSlices(codes, errors, { ...limits, top: 10, alpha: 0.95 })
    const said = describeSlices(codes, errors, slices, { hypotheses: await countSlices(codes, limits) })
    const at = slices.findIndex((slice) => JSON.stringify(slice.predicates) === JSON.stringify(planted))
    expect(said[at]!.qValue).toBeLessThan(1e-6)
  })
})
