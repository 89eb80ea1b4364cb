import { betaQuantile, hypergeometricUpper, studentQuantile, studentUpper } from './distributions.ts'
import type { Predicate } from './find-slices.ts'
import { type ErrorPopulation, permutationUpper, populationOf } from './permutation-test.ts'
import { rowsOfSlice } from './slice-rows.ts'

export interface SliceStatistics {
  /** One-sided: how likely a mean error at least this high is, were the errors unrelated to the slice. */
  readonly pValue: number
  /** Benjamini–Hochberg over all hypotheses. */
  readonly qValue: number
  readonly effectSize: number
  /** Confidence interval of the slice's mean error, not widened for having been selected. */
  readonly interval: readonly [number, number]
  readonly test: TestName
}

export type TestName = "Fisher's exact test, one-sided" | 'permutation test, one-sided' | "Welch's t-test, one-sided"

export interface StatisticsOptions {
  /** m of Benjamini–Hochberg: all slices of sufficient size, by `countSlices`. */
  readonly hypotheses: number
  /** Of the intervals; 0.95 unless given. */
  readonly confidence?: number
}

/**
 * What one may say about each slice of one search. Errors of two values (0/1) get Fisher's exact test, Cohen's h as effect size and the
 * Clopper–Pearson interval; others the permutation test of the mean by saddlepoint, the effect size √2(μ − μ′)/√(σ² + σ′²) of Slice
 * Finder (Chung et al., ICDE 2019, §2.3) and Student's interval. Not Welch's t, which is too sure of small slices of skewed errors.
 * O(k · n · predicates).
 */
export function describeSlices(
  codes: readonly Int32Array[],
  errors: Float64Array,
  slices: readonly { readonly predicates: readonly Predicate[] }[],
  { hypotheses, confidence = 0.95 }: StatisticsOptions,
): SliceStatistics[] {
  const population = populationOf(errors)
  const levels = twoLevels(errors)
  const described = slices.map(({ predicates }) => {
    const rows = rowsOfSlice(codes, predicates, errors.length)
    return levels === undefined ? ofMeans(errors, rows, population, confidence) : ofShares(errors, rows, levels, confidence)
  })
  const q = qValues(
    described.map((one) => one.pValue),
    hypotheses,
  )
  return described.map((one, i) => ({ ...one, qValue: q[i]! }))
}

/** Count, sum and sum of squares of a set of rows' errors: all that a database need return for Welch's test. */
export interface Moments {
  readonly size: number
  readonly sum: number
  readonly sumOfSquares: number
}

/** The same from moments alone, by Welch's t; sound for the large slices of tables that only a database can hold. O(k). */
export function describeMoments(
  slices: readonly Moments[],
  all: Moments,
  { hypotheses, confidence = 0.95 }: StatisticsOptions,
): SliceStatistics[] {
  const described = slices.map((slice) => {
    const rest: Moments = { size: all.size - slice.size, sum: all.sum - slice.sum, sumOfSquares: all.sumOfSquares - slice.sumOfSquares }
    const pValue = welchUpper(slice, rest)
    const mean = slice.sum / slice.size
    const interval = meanInterval(mean, varianceOf(slice), slice.size, confidence, Number.MAX_VALUE)
    return { pValue, effectSize: effectOf(slice, rest), interval, test: "Welch's t-test, one-sided" as const }
  })
  const q = qValues(
    described.map((one) => one.pValue),
    hypotheses,
  )
  return described.map((one, i) => ({ ...one, qValue: q[i]! }))
}

/**
 * Benjamini & Hochberg 1995 over `hypotheses` tests, of which only these p-values are known; the others count as 1, which can only raise
 * a q-value. q of the i-th smallest is the minimum over j ≥ i of p_j · m / j.
 */
export function qValues(pValues: readonly number[], hypotheses: number): number[] {
  const m = Math.max(hypotheses, pValues.length)
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!)
  const q = new Array<number>(pValues.length).fill(1)
  let least = 1
  for (let rank = order.length; rank >= 1; rank--) {
    const i = order[rank - 1]!
    least = Math.min(least, (pValues[i]! * m) / rank)
    q[i] = least
  }
  return q
}

/** P(T ≥ t) for the slice's mean against the rest's, variances unequal (Welch 1947). */
export function welchUpper(slice: Moments, rest: Moments): number {
  if (slice.size < 2 || rest.size < 2) return 1
  const difference = slice.sum / slice.size - rest.sum / rest.size
  const own = varianceOf(slice) / slice.size
  const other = varianceOf(rest) / rest.size
  const total = own + other
  if (!(total > 0)) return difference > 0 ? 0 : 1
  const freedom = total ** 2 / (own ** 2 / (slice.size - 1) + other ** 2 / (rest.size - 1))
  return studentUpper(difference / Math.sqrt(total), freedom)
}

/** One-sided p-value of a set of rows having a higher mean error than the rest, by the test that suits the errors. */
export function pValueOf(errors: Float64Array, rows: Int32Array): number {
  if (rows.length === 0 || rows.length === errors.length) return 1
  const levels = twoLevels(errors)
  if (levels !== undefined) return fisherUpper(errors, rows, levels)
  return permutationUpper(populationOf(errors), rows.length, momentsOf(errors, rows).sum / rows.length)
}

/**
 * A sentence when so few rows cannot tell: a slice of the smallest size that is allowed would need more than three times the mean error to be
 * told from chance among so many hypotheses. By the normal approximation.
 */
export function fewRowsNote(
  errors: Float64Array,
  { support, hypotheses, rate }: { readonly support: number; readonly hypotheses: number; readonly rate: number },
): string | undefined {
  const { mean, deviation, nRows } = populationOf(errors)
  const tail = rate / Math.max(1, hypotheses)
  const needed = mean + (studentQuantile(tail, 1e6) * deviation) / Math.sqrt(support)
  if (support <= nRows && needed <= 3 * mean) return undefined
  const among = `among ${hypotheses} slices of at least ${support} rows`
  return `${nRows} rows are few to tell weak slices from chance: ${among}, one of ${support} rows needs a mean error near ${Number(needed.toPrecision(2))} (overall ${Number(mean.toPrecision(2))}). Add validation rows, ask for larger support or less depth.`
}

interface Levels {
  readonly low: number
  readonly high: number
  readonly nHigh: number
}

function twoLevels(errors: Float64Array): Levels | undefined {
  const first = errors[0]!
  let second: number | undefined
  let nFirst = 0
  for (const error of errors) {
    if (error === first) nFirst++
    else if (second === undefined) second = error
    else if (error !== second) return undefined
  }
  if (second === undefined) return { low: first, high: first, nHigh: 0 }
  const nSecond = errors.length - nFirst
  return first < second ? { low: first, high: second, nHigh: nSecond } : { low: second, high: first, nHigh: nFirst }
}

function nHighIn(errors: Float64Array, rows: Int32Array, { low, high }: Levels): number {
  if (low === high) return 0
  let count = 0
  for (const row of rows) if (errors[row] === high) count++
  return count
}

function fisherUpper(errors: Float64Array, rows: Int32Array, levels: Levels): number {
  return hypergeometricUpper(nHighIn(errors, rows, levels), errors.length, levels.nHigh, rows.length)
}

function ofShares(errors: Float64Array, rows: Int32Array, levels: Levels, confidence: number): Omit<SliceStatistics, 'qValue'> {
  const { low, high, nHigh } = levels
  const size = rows.length
  const own = nHighIn(errors, rows, levels)
  const rest = errors.length - size
  const tail = (1 - confidence) / 2
  const least = own === 0 ? 0 : betaQuantile(tail, own, size - own + 1)
  const most = own === size ? 1 : betaQuantile(1 - tail, own + 1, size - own)
  return {
    pValue: fisherUpper(errors, rows, levels),
    effectSize: size === 0 || rest === 0 ? 0 : angle(own / size) - angle((nHigh - own) / rest),
    interval: [low + (high - low) * least, low + (high - low) * most],
    test: "Fisher's exact test, one-sided",
  }
}

/** Cohen 1988, §6.2: h is the difference of these. */
function angle(share: number): number {
  return 2 * Math.asin(Math.sqrt(Math.min(1, share)))
}

function ofMeans(errors: Float64Array, rows: Int32Array, population: ErrorPopulation, confidence: number): Omit<SliceStatistics, 'qValue'> {
  const slice = momentsOf(errors, rows)
  const { nRows, mean, deviation } = population
  const rest: Moments = {
    size: nRows - slice.size,
    sum: mean * nRows - slice.sum,
    sumOfSquares: (deviation ** 2 + mean ** 2) * nRows - slice.sumOfSquares,
  }
  const ownMean = slice.sum / slice.size
  const largest = errors.reduce((most, error) => Math.max(most, error), 0)
  return {
    pValue: rest.size === 0 ? 1 : permutationUpper(population, slice.size, ownMean),
    effectSize: effectOf(slice, rest),
    interval: meanInterval(ownMean, varianceAround(errors, rows, ownMean), slice.size, confidence, largest),
    test: 'permutation test, one-sided',
  }
}

function effectOf(slice: Moments, rest: Moments): number {
  if (slice.size === 0 || rest.size === 0) return 0
  const difference = slice.sum / slice.size - rest.sum / rest.size
  const spread = Math.sqrt(varianceOf(slice) + varianceOf(rest))
  return spread > 0 ? (Math.SQRT2 * difference) / spread : 0
}

/** Student's interval, cut at 0; one row says nothing of the spread, so its interval is all that errors can be. */
function meanInterval(mean: number, variance: number, size: number, confidence: number, largest: number): readonly [number, number] {
  if (size < 2) return [0, largest]
  const half = studentQuantile((1 - confidence) / 2, size - 1) * Math.sqrt(variance / size)
  return [Math.max(0, mean - half), mean + half]
}

function momentsOf(errors: Float64Array, rows: Int32Array): Moments {
  let sum = 0
  let sumOfSquares = 0
  for (const row of rows) {
    const error = errors[row]!
    sum += error
    sumOfSquares += error * error
  }
  return { size: rows.length, sum, sumOfSquares }
}

function varianceOf({ size, sum, sumOfSquares }: Moments): number {
  return size < 2 ? 0 : Math.max(0, (sumOfSquares - (sum * sum) / size) / (size - 1))
}

function varianceAround(errors: Float64Array, rows: Int32Array, mean: number): number {
  if (rows.length < 2) return 0
  let squares = 0
  for (const row of rows) squares += (errors[row]! - mean) ** 2
  return squares / (rows.length - 1)
}
