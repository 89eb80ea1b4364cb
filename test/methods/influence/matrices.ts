/** Numbers for tests from a fixed sequence (Lehmer's generator with Park & Miller's constants). */
export function sequence(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48271) % 2147483647) / 2147483647
}

/** Q·diag(values)·Qᵀ for a random orthogonal Q, with its columns. */
export function symmetricWith(values: readonly number[], seed: number): { matrix: Float64Array; vectors: Float64Array[] } {
  const size = values.length
  const next = sequence(seed)
  const vectors: Float64Array[] = []
  for (let i = 0; i < size; i++) {
    const v = Float64Array.from({ length: size }, () => next() - 0.5)
    for (let round = 0; round < 2; round++) {
      for (const other of vectors) {
        const along = dot(v, other)
        for (let j = 0; j < size; j++) v[j] = v[j]! - along * other[j]!
      }
    }
    const length = Math.sqrt(dot(v, v))
    vectors.push(v.map((x) => x / length))
  }
  const matrix = new Float64Array(size * size)
  vectors.forEach((v, l) => {
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) matrix[i * size + j] = matrix[i * size + j]! + values[l]! * v[i]! * v[j]!
  })
  return { matrix, vectors }
}

export function times(matrix: Float64Array, v: Float64Array): Float64Array {
  const size = v.length
  return Float64Array.from({ length: size }, (_, i) => dot(matrix.subarray(i * size, (i + 1) * size), v))
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** All eigenvalues by Jacobi's rotations, falling: nothing that the code under test uses. */
export function jacobiValues(matrix: Float64Array, size: number): number[] {
  const a = matrix.slice()
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = a[p * size + q]!
        if (off === 0) continue
        const half = (a[q * size + q]! - a[p * size + p]!) / (2 * off)
        const t = Math.sign(half || 1) / (Math.abs(half) + Math.hypot(half, 1))
        const c = 1 / Math.hypot(t, 1)
        const s = t * c
        for (let k = 0; k < size; k++) {
          const [x, y] = [a[k * size + p]!, a[k * size + q]!]
          a[k * size + p] = c * x - s * y
          a[k * size + q] = s * x + c * y
        }
        for (let k = 0; k < size; k++) {
          const [x, y] = [a[p * size + k]!, a[q * size + k]!]
          a[p * size + k] = c * x - s * y
          a[q * size + k] = s * x + c * y
        }
      }
    }
  }
  return Array.from({ length: size }, (_, i) => a[i * size + i]!).sort((x, y) => y - x)
}
