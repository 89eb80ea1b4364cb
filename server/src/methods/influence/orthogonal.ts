import { GROUP, type OrthogonalKernel, type SlabKernel } from './orthogonal-kernel.ts'

/**
 * Long vectors against a basis of them, in slabs that stay in the second-level cache, so that the basis is read from memory once a sweep, whatever the number
 * of vectors. With a kernel, several times faster: then reading memory takes about half of the time. Without one, or where there is little to do, plain loops.
 */
const SLAB = 1024
/** Multiplications below which plain loops are done before slabs are copied. */
const LITTLE = 1 << 12

/**
 * Takes the span of an orthonormal basis out of each vector, and gives the coordinates taken out. Gram–Schmidt by slabs, twice: that is enough (Giraud, Langou &
 * Rozložník 2005). 8·m·d operations a vector, m the size of the basis, d the dimension, and three sweeps over the basis for all of them: the second takes out
 * the first round's coordinates and sums the second's.
 */
export function project(vectors: readonly Float64Array[], basis: readonly Float64Array[], kernel?: OrthogonalKernel): Float64Array[] {
  const dimension = vectors[0]?.length ?? 0
  const slabs = vectors.length * basis.length * dimension < LITTLE ? undefined : kernel?.reserve(basis.length)
  if (slabs !== undefined) return projectBySlabs(vectors, basis, slabs)
  const coordinates = vectors.map(() => new Float64Array(basis.length))
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

/** Puts Σ_j factors[i][j]·basis[j] in place of basis[i], for every i there are factors of: at most as many as the basis has. 2·m·d operations for each, one sweep. */
export function combineInPlace(basis: readonly Float64Array[], factors: readonly Float64Array[], kernel?: OrthogonalKernel): void {
  const dimension = basis[0]?.length ?? 0
  const slabs = factors.length * basis.length * dimension < LITTLE ? undefined : kernel?.reserve(basis.length)
  if (slabs !== undefined) return combineBySlabs(basis, factors, slabs)
  const made = new Float64Array(SLAB * factors.length)
  for (let from = 0; from < dimension; from += SLAB) {
    const to = Math.min(dimension, from + SLAB)
    made.fill(0)
    for (const [i, own] of factors.entries()) addCombination(made.subarray(i * SLAB, i * SLAB + to - from), basis, own, 1, from, to, from)
    for (let i = 0; i < factors.length; i++) basis[i]!.set(made.subarray(i * SLAB, i * SLAB + to - from), from)
  }
}

function projectBySlabs(vectors: readonly Float64Array[], basis: readonly Float64Array[], slabs: SlabKernel): Float64Array[] {
  const coordinates = vectors.map(() => new Float64Array(basis.length))
  const groups = inGroups(vectors)
  const sums = groups.map((group) => new Float64Array(group.length * basis.length))
  const factors = groups.map((group) => new Float64Array(group.length * basis.length))
  for (let sweep = 0; sweep < 3; sweep++) {
    eachSlab(basis, slabs, () => {
      for (const [g, group] of groups.entries()) {
        slabs.take(group)
        if (sweep > 0) {
          slabs.combine(factors[g]!)
          slabs.give(group)
        }
        if (sweep < 2) slabs.addDots(sums[g]!)
      }
    })
    for (const [g, { length }] of groups.entries()) {
      for (const [i, along] of sums[g]!.entries()) {
        coordinates[g * GROUP + (i % length)]![Math.floor(i / length)]! += along
        factors[g]![i] = -along
      }
      sums[g]!.fill(0)
    }
  }
  return coordinates
}

function combineBySlabs(basis: readonly Float64Array[], factors: readonly Float64Array[], slabs: SlabKernel): void {
  const targets = inGroups(basis.slice(0, factors.length))
  const grouped = inGroups(factors).map((group) => Float64Array.from(basis.flatMap((_, j) => group.map((own) => own[j]!))))
  // The slab is held beside: writing over a vector of the basis changes no other target.
  eachSlab(basis, slabs, () => {
    for (const [g, group] of targets.entries()) {
      slabs.zero(group.length)
      slabs.combine(grouped[g]!)
      slabs.give(group)
    }
  })
}

function eachSlab(basis: readonly Float64Array[], slabs: SlabKernel, visit: () => void): void {
  const dimension = basis[0]!.length
  for (let from = 0; from < dimension; from += slabs.length) {
    slabs.hold(basis, from, Math.min(dimension, from + slabs.length))
    visit()
  }
}

function inGroups<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / GROUP) }, (_, g) => all.slice(g * GROUP, (g + 1) * GROUP))
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
