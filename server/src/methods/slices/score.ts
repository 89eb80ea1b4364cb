import type { Totals } from './evaluator.ts'

/** How SliceLine weighs a slice: `alpha` for its error against the mean, 1 − `alpha` for its size (Sagadeeva & Boehm 2021, §2.2). */
export interface Scoring {
  readonly alpha: number
  readonly support: number
  readonly nRows: number
  readonly meanError: number
}

export function scoringOf(totals: Totals, alpha: number, support: number): Scoring {
  return { alpha, support, nRows: totals.nRows, meanError: totals.sumError / totals.nRows }
}

/** score = α((se/ss)/ē − 1) − (1 − α)(n/ss − 1) (ibid., Definition 1). */
export function scoreOf(scoring: Scoring, size: number, sumError: number): number {
  const { alpha, nRows, meanError } = scoring
  return alpha * (sumError / size / meanError - 1) - (1 - alpha) * (nRows / size - 1)
}

/**
 * The best score of any slice with at most `size` rows, `sumError` and `maxError`, and at least `support` rows (ibid., §3.2). Below
 * s = sumError/maxError the score rises with s, above it is monotone, so one of three sizes is the best. n is the number of *rows*:
 * with the number of one-hot columns, as published code has it, true answers are lost when columns outnumber rows.
 */
export function boundOf(scoring: Scoring, size: number, sumError: number, maxError: number): number {
  const { support } = scoring
  const kink = Math.min(Math.max(sumError / maxError, support), size)
  return Math.max(
    optimisticScore(scoring, support, sumError, maxError),
    optimisticScore(scoring, kink, sumError, maxError),
    optimisticScore(scoring, size, sumError, maxError),
  )
}

function optimisticScore(scoring: Scoring, size: number, sumError: number, maxError: number): number {
  return scoreOf(scoring, size, Math.min(size * maxError, sumError))
}
