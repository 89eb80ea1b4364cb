import {
  addF64,
  addI32,
  belowI32,
  constant,
  empty,
  get,
  i32,
  instance,
  load,
  loadSplatF64,
  multiplyF64,
  name,
  section,
  set,
  store,
  unsigned,
  v128,
  zeroV128,
} from '../wasm-code.ts'

/**
 * Slabs of a few long vectors against slabs of a basis, in float64 and SIMD: WebAssembly written by hand, with eight pairs of sums in registers, so that what
 * is loaded serves several products. Slabs are copied in and out: vectors may lie anywhere, and the copy, which the second-level cache holds, is all that is
 * read of memory.
 */
export interface SlabKernel {
  /** Numbers of a slab at most. */
  readonly length: number
  /** Copies the numbers `from` … `to` of each vector of the basis: at most as many as were reserved. */
  hold(basis: readonly Float64Array[], from: number, to: number): void
  /** Copies the same numbers of up to `GROUP` vectors, or takes as many that are zero. */
  take(vectors: readonly Float64Array[]): void
  zero(count: number): void
  /** Adds what is held, times factors[j·w + v], v of the w vectors taken, j in the basis; fewer factors belong to the last of it. */
  combine(factors: Float64Array): void
  /** sums[j·w + v] += ⟨vector, basis[j]⟩ of the slab. */
  addDots(sums: Float64Array): void
  /** Copies the vectors taken back, or to others. */
  give(vectors: readonly Float64Array[]): void
}

/** Keeps its memory between calls: less than a megabyte for a basis of up to 800 vectors, then 1 KB for each. One that belongs to a run goes with it. */
export interface OrthogonalKernel {
  /**
   * For a basis of this size, and so many multiplications. Undefined where the platform has no SIMD, where slabs are not worth copying, and until there was enough
   * to do that making it was worth while. What was reserved before is no longer valid.
   */
  reserve(size: number, multiplications: number): SlabKernel | undefined
}

/** Vectors that are multiplied at once. */
export const GROUP = 4
/** What a second-level cache has room for, next to other things. */
const CACHE_BYTES = 900_000
const [LONGEST, SHORTEST] = [1024, 128]
/** Multiplications below which plain loops are as fast, and which they do in the 5 ms that making a kernel takes. */
const [LITTLE, PATIENCE] = [1 << 14, 1 << 21]
/** Between slabs, in numbers: without it all begin in the same sets of the first-level cache. */
const GAP = 8
/** Slabs are read in whole steps of so many numbers. */
const STEP = 8
/** Vectors of the basis are multiplied in so many at once, and as many pairs of numbers combined, if there are `width` vectors. */
const across = (width: number): number => (width < 3 ? 4 : 2)

export function orthogonalKernel(patience = PATIENCE): OrthogonalKernel {
  let capacity = 0
  let done = 0
  let kernel: SlabKernel | undefined
  return {
    reserve: (size, multiplications) => {
      done += multiplications
      if (multiplications < LITTLE || done < patience) return undefined
      if (size > capacity) {
        let length = LONGEST
        while (length > SHORTEST && roomFor(length) < size) length /= 2
        capacity = Math.max(roomFor(length), 4 * Math.ceil(size / 4))
        kernel = slabKernel(length, capacity)
      }
      return kernel
    },
  }
}

const bytesEach = (length: number) => 8 * (length + GAP + 3 * GROUP)
const roomFor = (length: number) => 4 * Math.floor((CACHE_BYTES / bytesEach(length) - GROUP) / 4)

/** Vectors, basis, factors and pairs of sums behind each other. */
function slabKernel(length: number, capacity: number): SlabKernel | undefined {
  const stride = length + GAP
  const factorsAt = (GROUP + capacity) * stride
  const sumsAt = factorsAt + GROUP * capacity
  const loaded = instance(moduleBytes(8 * stride, 8 * factorsAt), 8 * (sumsAt + 2 * GROUP * capacity))
  if (loaded === undefined) return undefined
  const memory = new Float64Array(loaded.buffer)
  const dots = widths.map((width) => loaded.exports[`dots${width}`] as (basisEnd: number, bytes: number, sums: number) => void)
  const combine = widths.map((width) => loaded.exports[`combine${width}`] as (basis: number, factorsEnd: number, bytes: number) => void)
  const whole = widths.map((_, v) => memory.subarray(v * stride, v * stride + length))
  let [from, to, padded, size, width] = [0, 0, 0, 0, 0]
  const copy = (vector: Float64Array, at: number) => {
    memory.set(from === 0 && to === vector.length ? vector : vector.subarray(from, to), at)
    if (padded > to - from) memory.fill(0, at + to - from, at + padded)
  }
  return {
    length,
    hold: (basis, first, end) => {
      from = first
      to = end
      size = basis.length
      padded = STEP * Math.ceil((end - first) / STEP)
      for (let j = 0, at = GROUP * stride; j < size; j++, at += stride) copy(basis[j]!, at)
    },
    take: (vectors) => {
      width = vectors.length
      for (let v = 0; v < width; v++) copy(vectors[v]!, v * stride)
    },
    zero: (count) => {
      width = count
      for (let v = 0; v < width; v++) memory.fill(0, v * stride, v * stride + padded)
    },
    combine: (factors) => {
      memory.set(factors, factorsAt)
      const first = size - factors.length / width
      combine[width - 1]!(8 * (GROUP + first) * stride, 8 * (factorsAt + factors.length), 8 * padded)
    },
    addDots: (sums) => {
      dots[width - 1]!(8 * (GROUP + size) * stride, 8 * padded, 8 * sumsAt)
      for (let i = 0, at = sumsAt; i < width * size; i++, at += 2) sums[i]! += memory[at]! + memory[at + 1]!
    },
    give: (vectors) => {
      for (let v = 0; v < width; v++) vectors[v]!.set(to - from === length ? whole[v]! : whole[v]!.subarray(0, to - from), from)
    },
  }
}

const widths = Array.from({ length: GROUP }, (_, i) => i + 1)
const counted = (count: number) => Array.from({ length: count }, (_, i) => i)

/** `dots1` … and `combine1` … for so many vectors, of slabs `stride` bytes after each other. Each loop runs at least once. */
function moduleBytes(stride: number, factorsAt: number): Uint8Array<ArrayBuffer> {
  const functions = [...widths.map((width) => dotsCode(width, stride)), ...widths.map((width) => combineCode(width, stride, factorsAt))]
  const names = ['dots', 'combine'].flatMap((kind) => widths.map((width) => `${kind}${width}`))
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, i32, i32, i32, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [functions.length, ...functions.map(() => 0)]),
    ...section(7, [names.length, ...names.flatMap((each, i) => [...name(each), 0, i])]),
    ...section(10, [functions.length, ...functions.flatMap((code) => [...unsigned(code.length), ...code])]),
  ])
}

const advance = (local: number, bytes: number): number[] => [...get(local), ...constant(bytes), addI32, ...set(local)]
/** Once more through the innermost loop while below. */
const whileBelow = (local: number, end: number): number[] => [...get(local), ...get(end), belowI32, 0x0d, 0, 0x0b]
const loop = [0x03, empty]

/** `dots(basisEnd, bytes, sums)`: pairs of sums for the vectors of the basis below the end, and in the last step for up to three that do not count. */
function dotsCode(width: number, stride: number): number[] {
  const [basisEnd, bytes, sums, basis, place, end, vector] = [0, 1, 2, 3, 4, 5, 6] as const
  const rows = counted(across(width))
  const columns = counted(width)
  const value = 7
  const row = value + 1
  const sum = row + rows.length
  const sumOf = (r: number, v: number) => sum + r * width + v
  const each = rows.flatMap((r) => columns.map((v) => [r, v] as const))
  return [
    ...[2, 4, i32, 1 + rows.length + each.length, v128],
    ...[...constant(GROUP * stride), ...set(basis)],
    ...loop,
    ...each.flatMap(([r, v]) => [...zeroV128, ...set(sumOf(r, v))]),
    ...[...get(basis), ...set(place), ...get(basis), ...get(bytes), addI32, ...set(end), ...constant(0), ...set(vector)],
    ...loop,
    ...rows.flatMap((r) => [...get(place), ...load(r * stride), ...set(row + r)]),
    ...columns.flatMap((v) => [
      ...[...get(vector), ...load(v * stride), ...set(value)],
      ...rows.flatMap((r) => [...get(sumOf(r, v)), ...get(value), ...get(row + r), ...multiplyF64, ...addF64, ...set(sumOf(r, v))]),
    ]),
    ...[...advance(vector, 16), ...advance(place, 16), ...whileBelow(place, end)],
    ...each.flatMap(([r, v]) => [...get(sums), ...get(sumOf(r, v)), ...store(16 * (r * width + v))]),
    ...[...advance(sums, 16 * each.length), ...advance(basis, rows.length * stride), ...whileBelow(basis, basisEnd)],
    0x0b,
  ]
}

/** `combine(basis, factorsEnd, bytes)`: from a vector of the basis on, as far as there are factors. */
function combineCode(width: number, stride: number, factorsAt: number): number[] {
  const [basis, factorsEnd, bytes, place, row, factor] = [0, 1, 2, 3, 4, 5] as const
  const pairs = counted(across(width))
  const columns = counted(width)
  const value = 6
  const held = value + 1
  const sum = held + pairs.length
  const sumOf = (p: number, v: number) => sum + p * width + v
  const each = columns.flatMap((v) => pairs.map((p) => [p, v] as const))
  return [
    ...[2, 3, i32, 1 + pairs.length + each.length, v128],
    ...loop,
    ...each.flatMap(([p, v]) => [...zeroV128, ...set(sumOf(p, v))]),
    ...[...get(place), ...get(basis), addI32, ...set(row), ...constant(factorsAt), ...set(factor)],
    ...loop,
    ...pairs.flatMap((p) => [...get(row), ...load(16 * p), ...set(held + p)]),
    ...columns.flatMap((v) => [
      ...[...get(factor), ...loadSplatF64(8 * v), ...set(value)],
      ...pairs.flatMap((p) => [...get(sumOf(p, v)), ...get(value), ...get(held + p), ...multiplyF64, ...addF64, ...set(sumOf(p, v))]),
    ]),
    ...[...advance(row, stride), ...advance(factor, 8 * width), ...whileBelow(factor, factorsEnd)],
    ...each.flatMap(([p, v]) => {
      const at = v * stride + 16 * p
      return [...get(place), ...get(place), ...load(at), ...get(sumOf(p, v)), ...addF64, ...store(at)]
    }),
    ...[...advance(place, 16 * pairs.length), ...whileBelow(place, bytes)],
    0x0b,
  ]
}
