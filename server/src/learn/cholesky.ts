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

/** The inverse of a lower triangular matrix (row-major, size²), its upper triangle zero. size³/3 operations, breathing between blocks of rows. */
export async function invertLower(lower: Float64Array, size: number, breathe: Breathe): Promise<Float64Array> {
  const inverse = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    if (i % 32 === 0) await breathe()
    const row = inverse.subarray(i * size, i * size + i + 1)
    for (let k = 0; k < i; k++) subtractScaled(row, inverse.subarray(k * size, k * size + k + 1), lower[i * size + k]!)
    row[i] = 1
    const diagonal = lower[i * size + i]!
    for (let k = 0; k <= i; k++) row[k] = row[k]! / diagonal
  }
  return inverse
}

function subtractScaled(target: Float64Array, a: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) target[i] = target[i]! - factor * a[i]!
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
