import { breathe, type CancelToken } from '../cancel.ts'
import { combineInPlace, dot, project } from './orthogonal.ts'
import { type OrthogonalKernel, orthogonalKernel } from './orthogonal-kernel.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/**
 * Influence by the spectrum of the Hessian: eigenpairs over a callback, solutions by conjugate gradients, ranking from a stored index. Numbers in,
 * numbers out; what the callback costs and where it runs is not known here. Complaints are put together from these in the engine.
 */
export type Product = (vector: Float64Array) => Float64Array | Promise<Float64Array>
export type BlockProduct = (vectors: readonly Float64Array[]) => readonly Float64Array[] | Promise<readonly Float64Array[]>

export interface LanczosOptions {
  /** How many eigenpairs, from the algebraically largest. */
  readonly k: number
  /**
   * Vectors a step; 1 unless `hvpBlock` is given, then at most 4. Copies of a multiple eigenvalue are only found up to this many. For ten pairs
   * of the Hessian of MNIST's digits to 1e-4, blocks of 1, 2, 4, 8 took 21, 26, 40, 64 products in 21, 13, 10, 8 passes.
   */
  readonly block?: number
  /** Products with several vectors at once; used instead of `hvp`. */
  readonly hvpBlock?: BlockProduct
  readonly maxProducts?: number
  /** Vectors of the basis to hold at most; as many as products are made unless given, and never fewer than k + 2 blocks. */
  readonly maxBasis?: number
  /** Residual ‖H·v − λ·v‖, relative to the largest |λ| seen, at which a pair has converged; 1e-8 unless given. */
  readonly tolerance?: number
  /** Uniform in [0, 1); a fixed sequence unless given. */
  readonly rng?: () => number
  readonly token?: CancelToken
}

export interface Eigenpairs {
  /** Falling. */
  readonly values: Float64Array
  /** Of length 1, orthogonal to each other. */
  readonly vectors: readonly Float64Array[]
  /** Bounds on ‖H·v − λ·v‖. */
  readonly residuals: Float64Array
  /** Products with a single vector. */
  readonly products: number
  readonly converged: boolean
}

/**
 * The k algebraically largest eigenpairs of a symmetric operator by block Lanczos (Golub & Underwood 1977; Parlett, The Symmetric Eigenvalue Problem, §13),
 * the recurrence over two blocks followed by full re-orthogonalisation. Residuals come from the recurrence at no further product. A basis that has grown to `maxBasis` is cut down to
 * the best of its eigenvectors and goes on from there (thick restart, Wu & Simon 2000): more products, less memory. For a basis of m vectors of dimension
 * d: 4·(m + 2·block)·d operations for each product, 8·(m + 2·block)·d bytes; nothing else grows with d. A dimension below k gives all pairs there are.
 */
export async function lanczos(hvp: Product | undefined, dimension: number, o: LanczosOptions): Promise<Eigenpairs> {
  if (!Number.isInteger(dimension) || dimension < 1) throw new RangeError(`A dimension is a whole number from 1, not ${dimension}.`)
  if (!Number.isInteger(o.k) || o.k < 1) throw new RangeError(`The number of eigenpairs is a whole number from 1, not ${o.k}.`)
  const multiply = blockProduct(hvp, o.hvpBlock)
  const k = Math.min(o.k, dimension)
  const width = Math.max(1, Math.min(dimension, o.block ?? (o.hvpBlock === undefined ? 1 : Math.min(4, k))))
  const tolerance = o.tolerance ?? 1e-8
  const most = Math.max(k, o.maxProducts ?? dimension)
  const held = Math.min(dimension, Math.max(k + 2 * width, o.maxBasis ?? most + width))
  const rng = o.rng ?? fixedSequence()
  const slabs = { kernel: orthogonalKernel() }

  const basis: Float64Array[] = []
  /** Rows of the projected operator, one entry for each vector up to the last multiplied one. */
  const projected: Float64Array[] = []
  let products = 0
  let block = freshVectors(Math.min(width, most), dimension, basis, rng, slabs)
  let nextCheck = k
  /** Vectors that images can have much along, by symmetry: the block before and the block itself; all of the basis at first and after it was cut down. */
  let before = Number.POSITIVE_INFINITY
  for (;;) {
    await breathe(o.token)
    const images = await multiply(block)
    products += block.length
    const first = basis.length
    basis.push(...block)
    const rest: Float64Array[] = []
    for (const image of images) {
      requireLength(image, dimension)
      rest.push(image.slice())
    }
    await breathe(o.token)
    const coordinates = project(rest, basis, { ...slabs, recent: before + block.length })
    // No coordinate along anything is finite where an entry is not.
    for (const [i, along] of coordinates.entries()) if (!along.every(Number.isFinite)) requireNumbers(images[i]!)
    projected.push(...coordinates)
    before = block.length
    const size = basis.length
    const coupling = orthonormalise(rest, basis, scaleOf(projected), slabs)
    const last = products >= most || size >= dimension
    // Whole blocks only: with a part of one, what the others would have told were lost.
    const full = held < dimension && size + width > held
    if (last || full || products >= nextCheck) {
      const { values, vectors } = symmetricEigen(assemble(projected, size), size)
      const largest = Math.max(Math.abs(values[0]!), Math.abs(values[size - 1]!))
      // ‖B·s‖, s the part of the pair's coordinates that belongs to the last block; nothing is left over once the basis spans the whole space.
      const residuals = Float64Array.from({ length: Math.min(k, size) }, (_, pair) =>
        size === dimension ? 0 : Math.hypot(...coupling.rows.map((row) => dot(row, vectors[pair]!.subarray(first)))),
      )
      const converged = residuals.length === k && residuals.every((residual) => residual <= tolerance * largest)
      if (converged || last) {
        combineInPlace(basis, vectors.slice(0, residuals.length), slabs)
        const found = basis.slice(0, residuals.length)
        for (const vector of found) divide(vector, lengthOf(vector))
        return { values: values.slice(0, residuals.length), vectors: found, residuals, products, converged }
      }
      nextCheck = Math.max(products + 1, Math.ceil(products * 1.05))
      if (full) {
        // Beyond k, what is kept brings the next ones nearer: half of the room that is left.
        const kept = Math.min(size - 1, held - width, k + Math.max(1, Math.floor((held - k - width) / 2)))
        combineInPlace(basis, vectors.slice(0, kept), slabs)
        basis.length = kept
        projected.length = 0
        before = Number.POSITIVE_INFINITY
        for (let pair = 0; pair < kept; pair++) {
          const row = new Float64Array(pair + 1)
          row[pair] = values[pair]!
          projected.push(row)
        }
      }
    }
    block = rest.slice(0, coupling.rank)
    const room = Math.min(width, most - products, dimension - basis.length)
    if (block.length > room) block = block.slice(0, room)
    // An invariant subspace has been found in some direction: go on in a new one.
    if (block.length < room) block.push(...freshVectors(room - block.length, dimension, [...basis, ...block], rng, slabs))
  }
}

function blockProduct(hvp: Product | undefined, hvpBlock: BlockProduct | undefined): BlockProduct {
  if (hvpBlock !== undefined) return hvpBlock
  if (hvp === undefined) throw new TypeError('Lanczos needs `hvp` or `hvpBlock`.')
  return async (vectors) => {
    const images: Float64Array[] = []
    for (const vector of vectors) images.push(await hvp(vector))
    return images
  }
}

function requireLength(values: Float64Array, dimension: number): void {
  if (values.length !== dimension) throw new RangeError(`A product has ${values.length} entries where ${dimension} were expected.`)
}

function requireNumbers(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!))
      throw new RangeError(`Entry ${i} of a Hessian product is ${values[i]}: the model or its data is not finite.`)
  }
}

/**
 * Orthonormal vectors in place of those given, which are orthogonal to the basis (the independent ones first), and their coordinates: row i belongs to new
 * vector i, column j to old vector j. What is smaller than rounding at this scale counts as nothing.
 */
function orthonormalise(
  vectors: Float64Array[],
  basis: readonly Float64Array[],
  scale: number,
  slabs: Slabs,
): { rank: number; rows: Float64Array[] } {
  const rows: Float64Array[] = []
  const kept: Float64Array[] = []
  vectors.forEach((vector, column) => {
    const [along] = project([vector], kept, slabs)
    for (const [row, coordinate] of along!.entries()) rows[row]![column] = coordinate
    const size = lengthOf(vector)
    if (!(size > 1e-13 * scale)) return
    divide(vector, size)
    // A small remainder is mostly rounding, and that need not be orthogonal to anything.
    if (size < 1e-3 * Math.hypot(size, ...along!)) {
      project([vector], basis, slabs)
      project([vector], kept, slabs)
      const again = lengthOf(vector)
      if (!(again > 0.1)) return
      divide(vector, again)
    }
    const row = new Float64Array(vectors.length)
    row[column] = size
    rows.push(row)
    kept.push(vector)
  })
  kept.forEach((vector, index) => {
    vectors[index] = vector
  })
  return { rank: kept.length, rows }
}

type Slabs = { readonly kernel: OrthogonalKernel }

function freshVectors(count: number, dimension: number, basis: readonly Float64Array[], rng: () => number, slabs: Slabs): Float64Array[] {
  const made: Float64Array[] = []
  const all = [...basis]
  for (let tries = 0; made.length < count && tries < 20 * count; tries++) {
    const vector = new Float64Array(dimension)
    for (let i = 0; i < dimension; i++) vector[i] = rng() - 0.5
    project([vector], all, slabs)
    const size = lengthOf(vector)
    if (!(size > 1e-10)) continue
    divide(vector, size)
    project([vector], all, slabs)
    divide(vector, lengthOf(vector))
    made.push(vector)
    all.push(vector)
  }
  if (made.length < count) throw new RangeError('The random numbers given do not vary: Lanczos cannot start from them.')
  return made
}

/** Coordinates are exact for a vector and those before it; symmetry gives the rest. */
function assemble(projected: readonly Float64Array[], size: number): Float64Array {
  const matrix = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    const row = projected[i]!
    for (let j = 0; j < row.length; j++) {
      const other = projected[j]!
      const value = i < other.length ? (row[j]! + other[i]!) / 2 : row[j]!
      matrix[i * size + j] = value
      matrix[j * size + i] = value
    }
  }
  return matrix
}

function scaleOf(projected: readonly Float64Array[]): number {
  let largest = 0
  for (const [index, row] of projected.entries()) largest = Math.max(largest, Math.abs(row[index]!))
  return Math.max(largest, Number.MIN_VALUE)
}

function lengthOf(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector))
}

function divide(vector: Float64Array, by: number): void {
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / by
}

/** SplitMix32 from a fixed seed. */
function fixedSequence(): () => number {
  let state = 0x2545f491
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
  }
}
