import type { Predicate } from './find-slices.ts'

/** The rows of a slice, ascending. O(n · predicates). */
export function rowsOfSlice(codes: readonly Int32Array[], predicates: readonly Predicate[], nRows: number): Int32Array {
  let rows = new Int32Array(nRows)
  for (let row = 0; row < nRows; row++) rows[row] = row
  for (const { column, code } of predicates) {
    const values = codes[column]!
    rows = rows.filter((row) => values[row] === code)
  }
  return rows
}

export function takeRows(values: Int32Array, rows: Int32Array): Int32Array
export function takeRows(values: Float64Array, rows: Int32Array): Float64Array
export function takeRows(values: Int32Array | Float64Array, rows: Int32Array): Int32Array | Float64Array {
  const taken = values instanceof Int32Array ? new Int32Array(rows.length) : new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]!]!
  return taken
}
