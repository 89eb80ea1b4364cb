import type { DebuggingIndex } from './debugging-index.ts'
import type { FittedModel } from './models.ts'

/**
 * How many eigenvectors a spectral ranking uses. Too few can miss a complaint's direction altogether, so beside the spectrum the share of ∇q that the
 * span holds is watched; too many reach where the penalty alone speaks (λ ≤ 1.05·n·l2) and 1/λ is noise.
 */
export const SPECTRAL_PAIRS = 30
const FEWEST_PAIRS = 10

/** `auto`: twice the classes, at least 20 and at most 40; its weights and its damping make it insensitive to more. */
export function autoPairs(model: FittedModel): number {
  return Math.max(20, Math.min(40, 2 * (model.labels?.values.length ?? 1)))
}

/** Eigenvalues that the data and not the penalty give. */
export function dataPairs(index: DebuggingIndex, model: FittedModel): number {
  const floor = 1.05 * index.n * (model.trained?.architecture.l2 ?? 0)
  const beyond = index.values.findIndex((value) => value <= floor)
  return beyond < 0 ? index.k : Math.max(1, beyond)
}

/**
 * `spectral` without k (R++ §4.3, made precise): begin at the number of classes, or at 10 if these are fewer, and stop where the falling spectrum flattens,
 * that is at the smallest k with λ_{k+3} ≥ 0.9³·λ_k. Of two classes the spectrum may flatten by chance at once, and the few directions before that held 95 % of ∇q
 * on Adult and yet ranked at 0.69 where all rank at 0.91 (docs/method-auto.md).
 */
export function flatteningPairs(index: DebuggingIndex, model: FittedModel): number {
  const classes = model.labels?.values.length ?? 1
  const most = dataPairs(index, model)
  for (let k = Math.max(FEWEST_PAIRS, classes); k + 3 <= index.k; k++) {
    if (index.values[k + 2]! >= 0.729 * index.values[k - 1]!) return Math.min(k, most)
  }
  return most
}

/** The first k at which the span of the eigenvectors holds the share of ∇q wanted; all of them where none does. */
export function pairsForShare(coefficients: Float64Array, squaredNorm: number, from: number, wanted: number): number {
  let held = 0
  for (let i = 0; i < coefficients.length; i++) {
    held += coefficients[i]! ** 2
    if (i + 1 >= from && held >= wanted * squaredNorm) return i + 1
  }
  return coefficients.length
}

export function shareHeld(coefficients: Float64Array, k: number, squaredNorm: number): number {
  let held = 0
  for (let i = 0; i < k; i++) held += coefficients[i]! ** 2
  return squaredNorm > 0 ? Math.min(1, held / squaredNorm) : 0
}

/**
 * How far the Hessian of n sampled rows is from the expected one, in operator norm: λ₁·√(r/n), r = Σλ/λ₁ its effective rank (Koltchinskii & Lounici
 * 2017, Theorem 4). Below that size 1/λ is noise, so `auto` uses 1/(λ + μ).
 */
export function samplingError(values: Float64Array, n: number): number {
  const sum = values.reduce((total, value) => total + value, 0)
  return values.length ? Math.sqrt((values[0]! * sum) / n) : 0
}
