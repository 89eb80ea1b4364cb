import type { Predictions } from './predictions.ts'

/** A table that the blamed model speaks of, with ∂q/∂p, rows × classes. */
export interface Part {
  readonly predictions: Predictions
  readonly weights: Float32Array
}

/**
 * Several expectations' derivatives as one: each one's ∂q/∂(logits) is scaled to the length of the first one's. One that no answer can move is left out.
 * O(cells) for each; a single one is taken as it is.
 */
export function weighed(tables: readonly Predictions[], expectations: readonly (readonly Float64Array[])[]): Part[] {
  const [only, ...others] = expectations.filter((own) => own.some((weights, p) => squaredLength(tables[p]!, weights, 'some') > 0))
  if (only && others.length === 0) return tables.map((predictions, p) => ({ predictions, weights: new Float32Array(only[p]!) }))
  const parts = tables.map((predictions) => ({ predictions, weights: new Float32Array(predictions.rows * predictions.width) }))
  let scale = 0
  for (const own of only ? [only, ...others] : []) {
    const length = Math.sqrt(own.reduce((sum, weights, p) => sum + squaredLength(tables[p]!, weights, 'all'), 0))
    scale ||= length
    for (const [p, weights] of own.entries()) addScaled(parts[p]!.weights, weights, scale / length)
  }
  return parts
}

function addScaled(out: Float32Array, weights: Float64Array, factor: number): void {
  for (let cell = 0; cell < out.length; cell++) out[cell]! += weights[cell]! * factor
}

/** Of the derivative by the logits, ∂q/∂z_c = p_c(w_c − Σ p·w); for regression by the values. `some`: of a row that has any. */
function squaredLength({ values, rows, width }: Predictions, weights: Float64Array, of: 'all' | 'some'): number {
  let squares = 0
  for (let row = 0, at = 0; row < rows; row++, at += width) {
    if (of === 'some' && squares > 0) return squares
    if (width === 1) {
      squares += weights[at]! ** 2
      continue
    }
    let mean = 0
    for (let c = 0; c < width; c++) mean += values[at + c]! * weights[at + c]!
    for (let c = 0; c < width; c++) {
      const away = weights[at + c]! - mean
      if (Math.abs(away) > ROUNDING * Math.abs(mean)) squares += (values[at + c]! * away) ** 2
    }
  }
  return squares
}

/** Probabilities in single precision sum to one up to this. */
const ROUNDING = 1e-5

/** What is the same for all classes of a row moves nothing: their chances sum to one. */
export function isMovable({ predictions: { rows, width }, weights }: Part): boolean {
  for (let row = 0, at = 0; row < rows; row++, at += width) {
    let sum = 0
    for (let c = 0; c < width; c++) sum += weights[at + c]!
    const mean = width === 1 ? 0 : sum / width
    for (let c = 0; c < width; c++) if (Math.abs(weights[at + c]! - mean) > ROUNDING * Math.abs(mean)) return true
  }
  return false
}
