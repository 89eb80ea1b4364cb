import { GROUP, type OrthogonalKernel, type SlabKernel } from './orthogonal-kernel.ts'

/**
 * Long vectors against a basis of them, in slabs that stay in the second-level cache, so that the basis is read from memory once a sweep, whatever the number
 * of vectors. With a kernel, several times faster: then reading memory takes about half of the time. Without one, or where there is little to do, plain loops.
 */
const SLAB = 1024

export interface Projecting {
  readonly kernel?: OrthogonalKernel
  /** The first round is against so many (one at least) of the last of the basis alone, for vectors that have little along the others; all unless given. */
  readonly recent?: number
}

/**
 * Takes the span of an orthonormal basis out of each vector, and gives the coordinates taken out. Gram–Schmidt by slabs, twice: that is enough (Giraud, Langou &
 * Rozložník 2005). What is left is orthogonal to the basis relative to its own length: where the first round saw only a part of the basis and the second took
 * out more than it left (Kahan's criterion; Parlett, §6.9), two more follow. 4·(r + m)·d operations a vector, m the size of the basis, r ≤ m the recent ones,
 * d the dimension; r + 2·m vectors are read for all of them, for the second round's sums are made while the first's coordinates are taken out.
 */
export function project(
  vectors: readonly Float64Array[],
  basis: readonly Float64Array[],
  { kernel, recent = basis.length }: Projecting = {},
): Float64Array[] {
  const dimension = vectors[0]?.length ?? 0
  if (basis.length === 0) return vectors.map(() => new Float64Array())
  const last = recent < basis.length ? basis.slice(-Math.max(1, recent)) : basis
  const slabs = kernel?.reserve(basis.length, 2 * vectors.length * (last.length + basis.length) * dimension)
  const [first, second] = slabs === undefined ? projectPlainly(vectors, basis, last) : projectBySlabs(vectors, basis, last, slabs)
  const apart = last === basis ? [] : [...vectors.keys()].filter((v) => dot(second[v]!, second[v]!) > dot(vectors[v]!, vectors[v]!))
  for (const [v, own] of second.entries()) for (const [j, along] of first[v]!.entries()) own[basis.length - last.length + j]! += along
  if (apart.length === 0) return second
  const rest = project(
    apart.map((v) => vectors[v]!),
    basis,
    { kernel },
  )
  for (const [i, v] of apart.entries()) for (const [j, along] of rest[i]!.entries()) second[v]![j]! += along
  return second
}

/** Puts Σ_j factors[i][j]·basis[j] in place of basis[i], for every i there are factors of: at most as many as the basis has. 2·m·d operations for each, one sweep. */
export function combineInPlace(
  basis: readonly Float64Array[],
  factors: readonly Float64Array[],
  { kernel }: Pick<Projecting, 'kernel'> = {},
): void {
  const dimension = basis[0]?.length ?? 0
  const slabs = kernel?.reserve(basis.length, factors.length * basis.length * dimension)
  if (slabs !== undefined) {
    combineBySlabs(basis, factors, slabs)
    return
  }
  const made = new Float64Array(SLAB * factors.length)
  for (let from = 0; from < dimension; from += SLAB) {
    const to = Math.min(dimension, from + SLAB)
    made.fill(0)
    for (const [i, own] of factors.entries()) addCombination(made.subarray(i * SLAB, i * SLAB + to - from), basis, own, 1, from, to, from)
    for (let i = 0; i < factors.length; i++) basis[i]!.set(made.subarray(i * SLAB, i * SLAB + to - from), from)
  }
}

type Rounds = readonly [first: Float64Array[], second: Float64Array[]]

function projectPlainly(vectors: readonly Float64Array[], basis: readonly Float64Array[], last: readonly Float64Array[]): Rounds {
  const dimension = vectors[0]?.length ?? 0
  const round = (against: readonly Float64Array[]) => {
    const along = vectors.map(() => new Float64Array(against.length))
    for (let from = 0; from < dimension; from += SLAB) {
      const to = Math.min(dimension, from + SLAB)
      for (const [v, vector] of vectors.entries()) addDots(vector, against, from, to, along[v]!)
    }
    for (let from = 0; from < dimension; from += SLAB) {
      const to = Math.min(dimension, from + SLAB)
      for (const [v, vector] of vectors.entries()) addCombination(vector, against, along[v]!, -1, from, to)
    }
    return along
  }
  return [round(last), round(basis)]
}

function projectBySlabs(
  vectors: readonly Float64Array[],
  basis: readonly Float64Array[],
  last: readonly Float64Array[],
  slabs: SlabKernel,
): Rounds {
  const groups = inGroups(vectors)
  const sumsFor = (against: readonly Float64Array[]) => groups.map((group) => new Float64Array(group.length * against.length))
  const [first, second] = [sumsFor(last), sumsFor(basis)]
  eachSlab(last, slabs, () => {
    for (const [g, group] of groups.entries()) {
      slabs.take(group)
      slabs.addDots(first[g]!)
    }
  })
  const takeOut = (factors: Float64Array, group: readonly Float64Array[]) => {
    slabs.take(group)
    slabs.combine(factors)
    slabs.give(group)
  }
  const firstOut = first.map(negative)
  eachSlab(basis, slabs, () => {
    for (const [g, group] of groups.entries()) {
      takeOut(firstOut[g]!, group)
      slabs.addDots(second[g]!)
    }
  })
  const secondOut = second.map(negative)
  eachSlab(basis, slabs, () => {
    for (const [g, group] of groups.entries()) takeOut(secondOut[g]!, group)
  })
  const byVector = (sums: readonly Float64Array[], size: number) =>
    groups.flatMap((group, g) => group.map((_, v) => Float64Array.from({ length: size }, (_, j) => sums[g]![j * group.length + v]!)))
  return [byVector(first, last.length), byVector(second, basis.length)]
}

const negative = (values: Float64Array) => values.map((value) => -value)

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

/** By slabs of four sums each: plain sums over millions of numbers would be off by 1e-11, and wait for one addition after the other. */
export function dot(a: Float64Array, b: Float64Array): number {
  let total = 0
  for (let from = 0; from < a.length; from += SLAB) {
    const to = Math.min(a.length, from + SLAB)
    let sumA = 0
    let sumB = 0
    let sumC = 0
    let sumD = 0
    let i = from
    for (; i + 4 <= to; i += 4) {
      sumA += a[i]! * b[i]!
      sumB += a[i + 1]! * b[i + 1]!
      sumC += a[i + 2]! * b[i + 2]!
      sumD += a[i + 3]! * b[i + 3]!
    }
    for (; i < to; i++) sumA += a[i]! * b[i]!
    total += sumA + sumB + (sumC + sumD)
  }
  return total
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
