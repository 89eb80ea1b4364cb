import type { ColumnWeights } from '../methods/influence/projection-kernel.ts'
import { denseWeights, firstRows, rowWeights } from './column-weights.ts'
import type { Predictions } from './predictions.ts'

/** A table that the blamed model speaks of, with ∂q/∂p. */
export interface Part {
  readonly predictions: Predictions
  /** Rows × classes. */
  readonly weights: Float32Array
  /** The same by column, where it is known so. */
  readonly columns?: readonly ColumnWeights[]
}

/** ∂(one expectation)/∂p of a table: rows × classes, or what it says of whole columns. */
export type Slopes = Float64Array | readonly ColumnWeights[]

/** What is known by column, and written out only for those who read it. */
class ByColumns implements Part {
  readonly predictions: Predictions
  readonly columns: readonly ColumnWeights[]
  #weights: Float32Array | undefined

  constructor(predictions: Predictions, columns: readonly ColumnWeights[]) {
    this.predictions = predictions
    this.columns = columns
  }

  get weights(): Float32Array {
    this.#weights ??= new Float32Array(denseWeights(this.columns, this.predictions))
    return this.#weights
  }
}

export interface Weighed {
  readonly parts: readonly Part[]
  /** Whether an answer could change q. */
  readonly isMovable: boolean
}

/**
 * Several expectations' derivatives as one: each one's ∂q/∂(logits) is scaled to the length of the first one's. One that no answer can move is left out.
 * O(cells) for each; a single one is taken as it is, and by column mostly no more than one row of it is looked at.
 */
export function weighed(tables: readonly Predictions[], expectations: readonly (readonly Slopes[])[]): Weighed {
  const [single] = expectations
  if (single && expectations.length === 1 && single.some((slopes, p) => movesSoon(tables[p]!, slopes))) {
    return { parts: tables.map((predictions, p) => partOf(predictions, single[p]!)), isMovable: true }
  }
  const dense = expectations.map((own) => own.map((slopes, p) => asDense(tables[p]!, slopes)))
  const [only, ...others] = dense.filter((own) => own.some((weights, p) => squaredLength(tables[p]!, weights, 'some') > 0))
  if (only && others.length === 0) {
    const slopes = expectations[dense.indexOf(only)]!
    const parts = tables.map((predictions, p) => partOf(predictions, slopes[p]!))
    return { parts, isMovable: parts.some(isMovable) }
  }
  const parts = tables.map((predictions) => ({ predictions, weights: new Float32Array(predictions.rows * predictions.width) }))
  let scale = 0
  for (const own of only ? [only, ...others] : []) {
    const length = Math.sqrt(own.reduce((sum, weights, p) => sum + squaredLength(tables[p]!, weights, 'all'), 0))
    scale ||= length
    for (const [p, weights] of own.entries()) addScaled(parts[p]!.weights, weights, scale / length)
  }
  return { parts, isMovable: parts.some(isMovable) }
}

const isDense = (slopes: Slopes): slopes is Float64Array => slopes instanceof Float64Array
const asDense = (table: Predictions, slopes: Slopes): Float64Array => (isDense(slopes) ? slopes : denseWeights(slopes, table))
const partOf = (predictions: Predictions, slopes: Slopes): Part =>
  isDense(slopes) ? { predictions, weights: new Float32Array(slopes) } : new ByColumns(predictions, slopes)

/** Rows that are looked at before all of them are. */
const FIRST_ROWS = 16

/** Whether one of the first rows that are spoken of moves q, by itself: mostly it does, and nothing else need be read. */
function movesSoon(table: Predictions, slopes: Slopes): boolean {
  if (isDense(slopes)) return false
  const { width, values } = table
  const weights = new Float64Array(width)
  for (const slope of slopes) {
    for (const row of firstRows(slope, table.rows, FIRST_ROWS)) {
      rowWeights(slopes, row, weights)
      if (rowSquares(values, row * width, weights, 0, width) > 0 && varies(weights, 0, width)) return true
    }
  }
  return false
}

function addScaled(out: Float32Array, weights: Float64Array, factor: number): void {
  for (let cell = 0; cell < out.length; cell++) out[cell]! += weights[cell]! * factor
}

/** Of the derivative by the logits, ∂q/∂z_c = p_c(w_c − Σ p·w); for regression by the values. `some`: of a row that has any. */
function squaredLength({ values, rows, width }: Predictions, weights: Float64Array, of: 'all' | 'some'): number {
  let squares = 0
  for (let row = 0, at = 0; row < rows; row++, at += width) {
    if (of === 'some' && squares > 0) return squares
    squares += rowSquares(values, at, weights, at, width)
  }
  return squares
}

function rowSquares(values: Float32Array, from: number, weights: Float64Array, at: number, width: number): number {
  if (width === 1) return weights[at]! ** 2
  let mean = 0
  let squares = 0
  for (let c = 0; c < width; c++) mean += values[from + c]! * weights[at + c]!
  for (let c = 0; c < width; c++) {
    const away = weights[at + c]! - mean
    if (Math.abs(away) > ROUNDING * Math.abs(mean)) squares += (values[from + c]! * away) ** 2
  }
  return squares
}

/** Probabilities in single precision sum to one up to this. */
const ROUNDING = 1e-5

/** What is the same for all classes of a row moves nothing: their chances sum to one. */
function isMovable({ predictions: { rows, width }, weights }: Part): boolean {
  for (let row = 0, at = 0; row < rows; row++, at += width) if (varies(weights, at, width)) return true
  return false
}

function varies(weights: Float32Array | Float64Array, at: number, width: number): boolean {
  let sum = 0
  for (let c = 0; c < width; c++) sum += weights[at + c]!
  const mean = width === 1 ? 0 : sum / width
  for (let c = 0; c < width; c++) if (Math.abs(weights[at + c]! - mean) > ROUNDING * Math.abs(mean)) return true
  return false
}
