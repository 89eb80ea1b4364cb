import { logChoose, normalUpper } from './distributions.ts'

/** All errors as distinct values and how often each occurs: what every permutation of them has in common. */
export interface ErrorPopulation {
  readonly nRows: number
  readonly values: Float64Array
  readonly counts: Float64Array
  readonly mean: number
  readonly deviation: number
}

/** Above this many rows, errors that agree to 1 in 256 are pooled at their mean; that keeps the mean and all but 1e-6 of the variance. */
const exactRows = 1 << 14

/** O(n), or O(n log n) for few rows. */
export function populationOf(errors: Float64Array): ErrorPopulation {
  const cells = new Map<number, { sum: number; count: number }>()
  const pooled = errors.length > exactRows
  for (const error of errors) {
    const key = pooled ? coarse(error) : error
    const cell = cells.get(key)
    if (cell === undefined) cells.set(key, { sum: error, count: 1 })
    else {
      cell.sum += error
      cell.count++
    }
  }
  const values = Float64Array.from(cells.values(), (cell) => cell.sum / cell.count)
  const counts = Float64Array.from(cells.values(), (cell) => cell.count)
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * counts[i]!
  const mean = sum / errors.length
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += counts[i]! * (values[i]! - mean) ** 2
  return { nRows: errors.length, values, counts, mean, deviation: Math.sqrt(squares / errors.length) }
}

/** Rounded to 8 bits after the leading one. */
function coarse(error: number): number {
  if (error === 0) return 0
  const unit = 2 ** (Math.floor(Math.log2(error)) - 8)
  return unit === 0 ? 0 : Math.round(error / unit) * unit
}

/**
 * P(mean error of `size` rows drawn without replacement ≥ `meanError`): the permutation test of a slice against the rest, without drawing.
 * The draw is Bernoulli sampling given its size, so the tail is the double saddlepoint approximation of Skovgaard (1987; for
 * permutation tests Booth & Butler, Biometrika 77, 1990) in Barndorff-Nielsen's form Φ(−w − ln(v/w)/w), good to a few percent far into
 * the tail, where t tests of skewed errors are not. Newton's method in two variables; O(20 · distinct errors).
 */
export function permutationUpper(population: ErrorPopulation, size: number, meanError: number): number {
  const { nRows, mean, deviation } = population
  if (size >= nRows || !(deviation > 0)) return 1
  const excess = (size * (meanError - mean)) / deviation
  const share = size / nRows
  const spread = Math.sqrt(nRows * share * (1 - share))
  if (Math.abs(excess) < 1e-2 * spread) return normalUpper(excess / spread)
  const { tilt, slope, at } = solve(population, share, size, excess)
  const exponent = Math.max(0, tilt * size + slope * excess - at.cumulant)
  const logOfSize = logChoose(nRows, size) + size * Math.log(share) + (nRows - size) * Math.log1p(-share)
  // No arrangement is rarer than the one that the data shows.
  const least = Math.exp(-logChoose(nRows, size))
  // Chernoff's bound given the size; it governs where the slice holds all of the largest errors and nothing is left to vary.
  const most = slope > 0 ? Math.min(1, Math.exp(-exponent - logOfSize) / Math.max(1, Math.sqrt(2 * Math.PI * at.sizeVariance))) : 1
  const determinant = Math.max(0, at.sizeVariance * at.sumVariance - at.covariance ** 2)
  const w = Math.sign(slope) * Math.sqrt(2 * exponent)
  const v = (slope * Math.sqrt(determinant)) / spread
  const tail = v / w > 0 ? normalUpper(w + Math.log(v / w) / w) : most
  return Math.max(least, Math.min(most, tail))
}

interface Saddlepoint {
  readonly tilt: number
  readonly slope: number
  readonly at: Cumulants
}

interface Cumulants {
  readonly cumulant: number
  readonly meanSize: number
  readonly meanSum: number
  readonly sizeVariance: number
  readonly covariance: number
  readonly sumVariance: number
}

/** Minimises K(t, u) − t·size − u·excess, K(t, u) = Σ ln(1 − share + share·e^(t + u·e)) over standardised errors e: convex. */
function solve({ values, counts, mean, deviation }: ErrorPopulation, share: number, size: number, excess: number): Saddlepoint {
  const standard = values.map((value) => (value - mean) / deviation)
  let t = 0
  let u = 0
  let at = cumulants(standard, counts, share, t, u)
  for (let step = 0; step < 60; step++) {
    const gradientT = at.meanSize - size
    const gradientU = at.meanSum - excess
    const determinant = at.sizeVariance * at.sumVariance - at.covariance ** 2
    const arrived = Math.abs(gradientT) < 1e-9 * (1 + size) && Math.abs(gradientU) < 1e-9 * (1 + Math.abs(excess))
    // The minimum lies at infinity where the slice holds all of the largest errors.
    if (arrived || !(determinant > 1e-14 * at.sizeVariance * at.sumVariance)) break
    const downT = -(at.sumVariance * gradientT - at.covariance * gradientU) / determinant
    const downU = -(at.sizeVariance * gradientU - at.covariance * gradientT) / determinant
    const before = at.cumulant - t * size - u * excess
    const fall = downT * gradientT + downU * gradientU
    let length = 1
    let next = cumulants(standard, counts, share, t + downT, u + downU)
    while (
      length > 1e-6 &&
      !(
        next.cumulant - (t + length * downT) * size - (u + length * downU) * excess <=
        before + 1e-4 * length * fall + 1e-12 * Math.abs(before)
      )
    ) {
      length /= 2
      next = cumulants(standard, counts, share, t + length * downT, u + length * downU)
    }
    t += length * downT
    u += length * downU
    at = next
  }
  return { tilt: t, slope: u, at }
}

function cumulants(standard: Float64Array, counts: Float64Array, share: number, t: number, u: number): Cumulants {
  const logOdds = Math.log(share / (1 - share))
  const logRest = Math.log1p(-share)
  let cumulant = 0
  let meanSize = 0
  let meanSum = 0
  let sizeVariance = 0
  let covariance = 0
  let sumVariance = 0
  for (let i = 0; i < standard.length; i++) {
    const error = standard[i]!
    const weight = counts[i]!
    const logit = logOdds + t + u * error
    const small = Math.exp(-Math.abs(logit))
    const chosen = logit >= 0 ? 1 / (1 + small) : small / (1 + small)
    cumulant += weight * (logRest + Math.max(0, logit) + Math.log1p(small))
    const variance = (weight * small) / (1 + small) ** 2
    meanSize += weight * chosen
    meanSum += weight * chosen * error
    sizeVariance += variance
    covariance += variance * error
    sumVariance += variance * error * error
  }
  return { cumulant, meanSize, meanSum, sizeVariance, covariance, sumVariance }
}
