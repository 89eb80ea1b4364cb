import type { Breathe } from './session.ts'

/**
 * Cholesky's factor and its inverse, in plain loops: four rows at a time, so that each number read is used four times, and by index, not by
 * `subarray`, which costs as much as the arithmetic.
 */

/**
 * The lower Cholesky factor of a symmetric positive definite matrix (row-major, size²), in place of its lower triangle; undefined where it is not
 * definite. size³/3 operations, breathing between blocks of rows.
 */
export async function factorise(matrix: Float64Array, size: number, breathe: Breathe): Promise<Float64Array | undefined> {
  const m = matrix
  for (let top = 0; top < size; top += 4) {
    if (top % 32 === 0) await breathe()
    const end = Math.min(size, top + 4)
    if (end - top === 4) fourRows(m, size, top)
    for (let i = top; i < end; i++) {
      const row = i * size
      for (let j = end - top === 4 ? top : 0; j <= i; j++) {
        const other = j * size
        let sum = m[row + j]!
        for (let k = 0; k < j; k++) sum -= m[row + k]! * m[other + k]!
        if (i !== j) m[row + j] = sum / m[other + j]!
        else if (sum > 0) m[row + i] = Math.sqrt(sum)
        else return undefined
      }
    }
  }
  return matrix
}

/** What rows `top` to `top + 3` have to the left of column `top`. */
function fourRows(m: Float64Array, size: number, top: number): void {
  const [a, b, c, d] = [top * size, (top + 1) * size, (top + 2) * size, (top + 3) * size]
  for (let j = 0; j < top; j++) {
    const other = j * size
    let [first, second, third, fourth] = [m[a + j]!, m[b + j]!, m[c + j]!, m[d + j]!]
    for (let k = 0; k < j; k++) {
      const value = m[other + k]!
      first -= value * m[a + k]!
      second -= value * m[b + k]!
      third -= value * m[c + k]!
      fourth -= value * m[d + k]!
    }
    const diagonal = m[other + j]!
    m[a + j] = first / diagonal
    m[b + j] = second / diagonal
    m[c + j] = third / diagonal
    m[d + j] = fourth / diagonal
  }
}

/** The inverse of a lower triangular matrix (row-major, size²), its upper triangle zero. size³/3 operations, breathing between blocks of rows. */
export async function invertLower(lower: Float64Array, size: number, breathe: Breathe): Promise<Float64Array> {
  const inverse = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    if (i % 32 === 0) await breathe()
    subtractRows(inverse, lower, size, i)
    const row = i * size
    inverse[row + i] = 1
    const diagonal = lower[row + i]!
    for (let k = 0; k <= i; k++) inverse[row + k] = inverse[row + k]! / diagonal
  }
  return inverse
}

/** Row i of the inverse, less its diagonal: −Σ_k L_ik · (row k). Beyond its diagonal a row is zero, so four rows may be read to the end of the last. */
function subtractRows(inverse: Float64Array, lower: Float64Array, size: number, i: number): void {
  const row = i * size
  let k = 0
  for (; k + 3 < i; k += 4) {
    const [a, b, c, d] = [k * size, (k + 1) * size, (k + 2) * size, (k + 3) * size]
    const [first, second, third, fourth] = [lower[row + k]!, lower[row + k + 1]!, lower[row + k + 2]!, lower[row + k + 3]!]
    for (let j = 0; j <= k + 3; j++) {
      const sum = first * inverse[a + j]! + second * inverse[b + j]! + third * inverse[c + j]! + fourth * inverse[d + j]!
      inverse[row + j] = inverse[row + j]! - sum
    }
  }
  for (; k < i; k++) {
    const factor = lower[row + k]!
    for (let j = 0; j <= k; j++) inverse[row + j] = inverse[row + j]! - factor * inverse[k * size + j]!
  }
}
