/**
 * Long vectors against a basis of them, in slabs that stay in the second-level cache: each number of the basis is read from memory twice a round, whatever
 * the number of vectors, where one projection after the other reads it twice a round for each.
 */
const SLAB = 1024

/**
 * Takes the span of an orthonormal basis out of each vector, and gives the coordinates taken out. Gram–Schmidt by slabs, twice: that is enough (Giraud, Langou &
 * Rozložník 2005). 8·m·d operations a vector, m the size of the basis, d the dimension.
 */
export function project(vectors: readonly Float64Array[], basis: readonly Float64Array[]): Float64Array[] {
  const coordinates = vectors.map(() => new Float64Array(basis.length))
  const dimension = vectors[0]?.length ?? 0
  for (let round = 0; round < 2 && basis.length > 0; round++) {
    const along = vectors.map(() => new Float64Array(basis.length))
    for (let from = 0; from < dimension; from += SLAB) {
      const to = Math.min(dimension, from + SLAB)
      for (const [v, vector] of vectors.entries()) addDots(vector, basis, from, to, along[v]!)
    }
    for (let from = 0; from < dimension; from += SLAB) {
      const to = Math.min(dimension, from + SLAB)
      for (const [v, vector] of vectors.entries()) addCombination(vector, basis, along[v]!, -1, from, to)
    }
    for (const [v, own] of along.entries()) for (let j = 0; j < own.length; j++) coordinates[v]![j]! += own[j]!
  }
  return coordinates
}

/** Puts Σ_j factors[i][j]·basis[j] in place of basis[i], for every i there are factors of: at most as many as the basis has. 2·m·d operations for each. */
export function combineInPlace(basis: readonly Float64Array[], factors: readonly Float64Array[]): void {
  const dimension = basis[0]?.length ?? 0
  const made = new Float64Array(SLAB * factors.length)
  for (let from = 0; from < dimension; from += SLAB) {
    const to = Math.min(dimension, from + SLAB)
    made.fill(0)
    for (const [i, own] of factors.entries()) addCombination(made.subarray(i * SLAB, i * SLAB + to - from), basis, own, 1, from, to, from)
    for (let i = 0; i < factors.length; i++) basis[i]!.set(made.subarray(i * SLAB, i * SLAB + to - from), from)
  }
}

/** dots[j] += ⟨vector, basis[j]⟩ over a slab, four of the basis at a time. */
function addDots(vector: Float64Array, basis: readonly Float64Array[], from: number, to: number, dots: Float64Array): void {
  let j = 0
  for (; j + 4 <= basis.length; j += 4) {
    const a = basis[j]!
    const b = basis[j + 1]!
    const c = basis[j + 2]!
    const d = basis[j + 3]!
    let sumA = 0
    let sumB = 0
    let sumC = 0
    let sumD = 0
    for (let i = from; i < to; i++) {
      const value = vector[i]!
      sumA += value * a[i]!
      sumB += value * b[i]!
      sumC += value * c[i]!
      sumD += value * d[i]!
    }
    dots[j]! += sumA
    dots[j + 1]! += sumB
    dots[j + 2]! += sumC
    dots[j + 3]! += sumD
  }
  for (; j < basis.length; j++) {
    const a = basis[j]!
    let sum = 0
    for (let i = from; i < to; i++) sum += vector[i]! * a[i]!
    dots[j]! += sum
  }
}

/** target[i − shift] += sign·Σ_j factors[j]·basis[j][i] over a slab, four of the basis at a time. */
function addCombination(
  target: Float64Array,
  basis: readonly Float64Array[],
  factors: Float64Array,
  sign: 1 | -1,
  from: number,
  to: number,
  shift = 0,
): void {
  let j = 0
  for (; j + 4 <= basis.length; j += 4) {
    const a = basis[j]!
    const b = basis[j + 1]!
    const c = basis[j + 2]!
    const d = basis[j + 3]!
    const fa = sign * factors[j]!
    const fb = sign * factors[j + 1]!
    const fc = sign * factors[j + 2]!
    const fd = sign * factors[j + 3]!
    for (let i = from; i < to; i++) target[i - shift] = target[i - shift]! + (fa * a[i]! + fb * b[i]!) + (fc * c[i]! + fd * d[i]!)
  }
  for (; j < basis.length; j++) {
    const a = basis[j]!
    const factor = sign * factors[j]!
    for (let i = from; i < to; i++) target[i - shift] = target[i - shift]! + factor * a[i]!
  }
}
