import type { Breathe } from './session.ts'

/**
 * The lower Cholesky factor of a symmetric positive definite matrix (row-major, size²), in place of its lower triangle; undefined where it is not
 * definite. size³/3 operations, breathing between blocks of rows.
 */
export async function factorise(matrix: Float64Array, size: number, breathe: Breathe): Promise<Float64Array | undefined> {
  for (let i = 0; i < size; i++) {
    if (i % 32 === 0) await breathe()
    const row = matrix.subarray(i * size, i * size + i + 1)
    for (let j = 0; j <= i; j++) {
      const other = matrix.subarray(j * size, j * size + j + 1)
      const sum = row[j]! - dotFirst(row, other, j)
      if (i !== j) {
        row[j] = sum / other[j]!
        continue
      }
      if (!(sum > 0)) return undefined
      row[i] = Math.sqrt(sum)
    }
  }
  return matrix
}

/** Solves L·Lᵀ·X = B for `columns` right sides at once, B row-major [size, columns], in place. */
export function solveInPlace(factor: Float64Array, size: number, b: Float64Array, columns: number): void {
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) {
      const value = factor[i * size + k]!
      for (let c = 0; c < columns; c++) b[i * columns + c] = b[i * columns + c]! - value * b[k * columns + c]!
    }
    const diagonal = factor[i * size + i]!
    for (let c = 0; c < columns; c++) b[i * columns + c] = b[i * columns + c]! / diagonal
  }
  for (let i = size - 1; i >= 0; i--) {
    const diagonal = factor[i * size + i]!
    for (let c = 0; c < columns; c++) b[i * columns + c] = b[i * columns + c]! / diagonal
    // Row i of L is column i of Lᵀ: subtract as soon as x_i is known, reading the factor along its rows.
    for (let k = 0; k < i; k++) {
      const value = factor[i * size + k]!
      for (let c = 0; c < columns; c++) b[k * columns + c] = b[k * columns + c]! - value * b[i * columns + c]!
    }
  }
}

function dotFirst(a: Float64Array, b: Float64Array, count: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < count; i += 4) {
    first += a[i]! * b[i]!
    second += a[i + 1]! * b[i + 1]!
    third += a[i + 2]! * b[i + 2]!
    fourth += a[i + 3]! * b[i + 3]!
  }
  for (; i < count; i++) first += a[i]! * b[i]!
  return first + second + (third + fourth)
}
