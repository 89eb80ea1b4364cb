import type { ColumnWeights } from '../methods/influence/projection-kernel.ts'
import type { Predictions } from './predictions.ts'
import type { RowSet } from './rowwise-lineage.ts'

/**
 * ∂q/∂p as a query gives it: of each column of predictions that it touches, one weight or one a row, of all rows or of some. A count of a class is one number;
 * written out as rows × classes it would cost more than all else that a complaint computes.
 */
export class ColumnSums {
  readonly #rows: number
  readonly #columns: (Held | undefined)[]

  constructor({ rows, width }: Pick<Predictions, 'rows' | 'width'>) {
    this.#rows = rows
    this.#columns = new Array(width).fill(undefined)
  }

  /** Of `n` rows (all, or those named, in rising order). Takes the weights over: they are not to be changed by anyone else. What is not finite counts as 0. O(n). */
  add(column: number, n: number, rows: RowSet | undefined, weights: number | Float64Array): void {
    if (typeof weights === 'number') {
      if (weights === 0 || !Number.isFinite(weights)) return
    } else for (let i = 0; i < n; i++) if (!Number.isFinite(weights[i]!)) weights[i] = 0
    const held = this.#columns[column]
    if (!held) {
      this.#columns[column] = { rows, weights }
      return
    }
    const sums = written(held, this.#rows)
    addTo(sums, n, rows?.list, weights)
    this.#columns[column] = { weights: sums }
  }

  columns(): ColumnWeights[] {
    return this.#columns.flatMap((held, column) => (held ? [told(column, held)] : []))
  }
}

interface Held {
  readonly rows?: RowSet
  readonly weights: number | Float64Array
}

/** Rows are listed when they are asked for: a projection may do without. */
function told(column: number, { rows, weights }: Held): ColumnWeights {
  if (!rows) return { column, weights }
  return {
    column,
    weights,
    others: typeof weights === 'number' ? rows.others : undefined,
    get rows() {
      return rows.list
    },
  }
}

/** One number a row. */
function written({ rows, weights }: Held, n: number): Float64Array {
  if (!rows && typeof weights !== 'number') return weights
  const out = new Float64Array(n)
  addTo(out, rows?.length ?? n, rows?.list, weights)
  return out
}

function addTo(out: Float64Array, n: number, rows: Int32Array | undefined, weights: number | Float64Array): void {
  for (let i = 0; i < n; i++) out[rows ? rows[i]! : i]! += typeof weights === 'number' ? weights : weights[i]!
}

/** The same as rows × classes. O(cells). */
export function denseWeights(columns: readonly ColumnWeights[], { rows, width }: Pick<Predictions, 'rows' | 'width'>): Float64Array {
  const out = new Float64Array(rows * width)
  for (const { column, rows: some, weights } of columns) {
    const n = some?.length ?? rows
    for (let i = 0; i < n; i++) out[(some ? some[i]! : i) * width + column]! += typeof weights === 'number' ? weights : weights[i]!
  }
  return out
}

/** The weights of one row, by column. O(width·log n). */
export function rowWeights(columns: readonly ColumnWeights[], row: number, out: Float64Array): void {
  out.fill(0)
  for (const slope of columns) {
    const { column, others, weights } = slope
    if (typeof weights === 'number' && others) {
      if (placeOf(others, row) < 0) out[column]! += weights
      continue
    }
    const at = slope.rows ? placeOf(slope.rows, row) : row
    if (at >= 0) out[column]! += typeof weights === 'number' ? weights : weights[at]!
  }
}

/** The first rows that a column speaks of with a weight, `most` of them. */
export function firstRows(slope: ColumnWeights, rows: number, most: number): number[] {
  const { others, weights } = slope
  const found: number[] = []
  if (typeof weights === 'number' && others) {
    for (let row = 0, next = 0; row < rows && found.length < most; row++) {
      if (others[next] === row) next++
      else found.push(row)
    }
    return found
  }
  const list = slope.rows
  const n = list?.length ?? rows
  for (let i = 0; i < n && found.length < most; i++) {
    if (typeof weights === 'number' || weights[i] !== 0) found.push(list ? list[i]! : i)
  }
  return found
}

function placeOf(rows: Int32Array, row: number): number {
  let low = 0
  let high = rows.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle]! < row) low = middle + 1
    else high = middle
  }
  return rows[low] === row ? low : -1
}
