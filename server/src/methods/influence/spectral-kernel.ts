import {
  add,
  addI32,
  anyTrue,
  constant,
  empty,
  f32,
  get,
  greater,
  i32,
  instance,
  load,
  loadSplat,
  maximum,
  multiply,
  multiplyI32,
  name,
  section,
  set,
  simd,
  splat,
  store,
  unsigned,
  v128,
} from '../wasm-code.ts'

/**
 * A few SIMD instructions of WebAssembly, written out by hand: sums over eigenvectors for 16 rows at a time, of which those above a threshold are
 * gathered. The numbers of 16 rows lie together, one eigenvector after the other, so that the index is read from its beginning to its end at about the speed of
 * memory: of k streams side by side a processor fetches few ahead, and a query that comes after other work finds nothing in its caches. Sums are in float32 and
 * only select; whoever calls sums the selected rows again in float64.
 */
export interface SpectralKernel {
  /**
   * Appends rows whose sum exceeds the threshold to the `held` ones, from a group of 16 rows on, until none is left or less than 16 more would fit
   * into `room`. Gives the group to go on with, if there is one.
   */
  gather(group: number, threshold: number, held: number, room: number): Gathered
  /** What is gathered: entry i has its sum at 2i, and its row at 2i + 1 of the same memory as integers; the last rows may lie beyond the end of the index. */
  readonly sums: Float32Array
  readonly rows: Int32Array
  /** The sums of all rows; they stand until the next call. */
  all(): Float32Array
  /** The sums of all rows, and what there is to know of each group of 16; they stand until the next call. */
  groups(): Groups
  /** A row's numbers, one for each eigenvector; they stand until the next call. O(k). */
  row(row: number): Float32Array
  /** The same kernel over the first eigenvectors alone. */
  first(k: number): SpectralKernel
  /** Coordinates of the query; set before all else. */
  readonly query: Float32Array
  /** max |b| of each eigenvector. */
  readonly largest: Float64Array
}

export interface Gathered {
  readonly held: number
  readonly group: number | undefined
}

/** Of group g at 3g: the sum of what is above 0, the largest, and, as an integer, how many are above 0. */
export interface Groups {
  readonly sums: Float32Array
  readonly numbers: Float32Array
  readonly counts: Int32Array
}

export interface ResidentIndex {
  readonly k: number
  readonly n: number
  /** As given. Not to be changed. */
  readonly b: Float32Array
  /** Absent where the platform has no SIMD, the index is not finite or too large: ranking then uses plain loops. */
  readonly kernel?: SpectralKernel
}

const queryAt = 0
const sumsAt = 4096
const heldAt = sumsAt + 128
const limitAt = heldAt + 4
const indexAt = 8192
const mostBytes = 1 << 30

/** Copies an index to where the kernel can read it: once, k·n operations; rankings from it are exact and several times faster. */
export function residentIndex({ k, n, b }: { readonly k: number; readonly n: number; readonly b: Float32Array }): ResidentIndex {
  const plain = { k, n, b }
  const groups = Math.ceil(n / 16)
  const bytes = indexAt + 64 * k * groups
  if (k < 1 || n < 1 || 4 * k > sumsAt || bytes > mostBytes || b.length < k * n) return plain
  const largest = new Float64Array(k)
  for (let l = 0; l < k; l++) {
    let most = 0
    for (let i = l * n; i < (l + 1) * n; i++) {
      const size = Math.abs(b[i]!)
      if (!(size <= most)) most = size
    }
    // A comparison with NaN is false both ways, so NaN comes through as well.
    if (!Number.isFinite(most)) return plain
    largest[l] = most
  }
  const outAt = bytes
  const loaded = instance(moduleBytes(), outAt + 128 * groups)
  if (loaded === undefined) return plain
  const { buffer } = loaded
  const gather = loaded.exports.gather as (group: number, groups: number, stride: number, k: number, threshold: number) => number
  const fill = loaded.exports.all as (group: number, groups: number, stride: number, k: number, place: number) => void
  const judge = loaded.exports.judge as typeof fill
  const resident = new Float32Array(buffer, indexAt, 16 * k * groups)
  for (let l = 0; l < k; l++) {
    for (let z = 0, from = l * n, to = 16 * l; z < n; z += 16, from += 16, to += 16 * k) {
      for (let lane = 0; lane < 16 && z + lane < n; lane++) resident[to + lane] = b[from + lane]!
    }
  }
  const numbers = new Float32Array(k)
  const bounds = new Int32Array(buffer, heldAt, 2)
  const first = (some: number): SpectralKernel => ({
    gather: (group, threshold, held, room) => {
      bounds[0] = outAt + 8 * held
      // Beyond this place 16 more do not fit.
      bounds[1] = outAt + 8 * (room - 16)
      const next = gather(group, groups, 64 * k, some, threshold)
      return { held: (bounds[0]! - outAt) / 8, group: next < groups ? next : undefined }
    },
    all: () => {
      fill(0, groups, 64 * k, some, outAt)
      return new Float32Array(buffer, outAt, n)
    },
    groups: () => {
      judge(0, groups, 64 * k, some, outAt)
      const judged = outAt + 64 * groups
      return {
        sums: new Float32Array(buffer, outAt, n),
        numbers: new Float32Array(buffer, judged, 3 * groups),
        counts: new Int32Array(buffer, judged, 3 * groups),
      }
    },
    row: (row) => {
      for (let l = 0, at = 16 * k * (row >> 4) + (row & 15); l < some; l++, at += 16) numbers[l] = resident[at]!
      return numbers
    },
    first,
    query: new Float32Array(buffer, queryAt, some),
    sums: new Float32Array(buffer, outAt, 32 * groups),
    rows: new Int32Array(buffer, outAt, 32 * groups),
    largest: largest.subarray(0, some),
  })
  return { k, n, b, kernel: first(k) }
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const gather = [...[3, 3, i32, 5, v128, 1, i32], ...overGroups([...get(group), 0x0f], found), 0x00, 0x0b]
  const all = [...locals, ...overGroups([0x0f], stored), 0x0b]
  const judge = [...locals, ...overGroups([0x0f], [...stored, ...judged]), 0x0b]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 5, i32, i32, i32, i32, f32, 1, i32, 0x60, 5, i32, i32, i32, i32, i32, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [3, 0, 1, 1]),
    ...section(7, [3, ...name('gather'), 0, 0, ...name('all'), 0, 1, ...name('judge'), 0, 2]),
    ...section(10, [3, ...[gather, all, judge].flatMap((code) => [...unsigned(code.length), ...code])]),
  ])
}

const [group, groups, stride, k, last, place, query, end, factor, sum] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const
const locals = [2, 3, i32, 5, v128]
/** Of `gather` alone, behind the five sums and factors. */
const held = 13
const lanes = [0, 1, 2, 3]
const zero = simd(12, ...Array<number>(16).fill(0))

function loadI32(offset: number): number[] {
  return [0x28, 2, ...unsigned(offset)]
}
function loadF32(offset: number): number[] {
  return [0x2a, 2, ...unsigned(offset)]
}
function storeI32(offset: number): number[] {
  return [0x36, 2, ...unsigned(offset)]
}

/** Sums of one group of 16 rows after the other, each handed to `then`; `done` after the last. */
function overGroups(done: readonly number[], then: readonly number[]): number[] {
  return [
    ...[...get(k), ...constant(4), multiplyI32, ...set(end)],
    ...[0x03, empty], // loop over groups
    ...[...get(group), ...get(groups), 0x4e, 0x04, empty, ...done, 0x0b],
    ...[...get(group), ...get(stride), multiplyI32, ...set(place)],
    ...[...constant(queryAt), ...set(query)],
    ...lanes.flatMap((lane) => [...zero, ...set(sum + lane)]),
    ...[0x03, empty], // loop over eigenvectors
    ...[...get(query), ...loadSplat, ...set(factor)],
    ...lanes.flatMap((lane) => [
      ...[...get(sum + lane), ...get(factor), ...get(place), ...load(indexAt + 16 * lane)],
      ...[...multiply, ...add, ...set(sum + lane)],
    ]),
    ...[...get(place), ...constant(64), addI32, ...set(place)],
    ...[...get(query), ...constant(4), addI32, 0x22, query, ...get(end), 0x48, 0x0d, 0], // next, while below the end
    0x0b,
    ...then,
    ...[...get(group), ...constant(1), addI32, ...set(group), 0x0c, 0],
    0x0b,
  ]
}

/** Appends the rows of a group in which a sum exceeds the threshold: every one is written, and the place moves on behind those that do. */
const found = [
  ...[...get(sum), ...get(sum + 1), ...maximum, ...get(sum + 2), ...get(sum + 3), ...maximum, ...maximum],
  ...[...get(last), ...splat, ...greater, ...anyTrue, 0x04, empty],
  ...lanes.flatMap((lane) => [...constant(0), ...get(sum + lane), ...store(sumsAt + 16 * lane)]),
  ...[...constant(0), ...loadI32(heldAt), ...set(held)],
  ...Array.from({ length: 16 }, (_, row) => [
    ...[...get(held), ...constant(0), ...loadF32(sumsAt + 4 * row), 0x38, 2, 0],
    ...[...get(held), ...get(group), ...constant(16), multiplyI32, ...constant(row), addI32, ...storeI32(4)],
    // f32.gt is 1 or 0, and an entry has 8 bytes.
    ...[...get(held), ...constant(0), ...loadF32(sumsAt + 4 * row), ...get(last), 0x5e, ...constant(3), 0x74, addI32, ...set(held)],
  ]).flat(),
  ...[...constant(0), ...get(held), ...storeI32(heldAt)],
  ...[...get(held), ...constant(0), ...loadI32(limitAt), 0x4a, 0x04, empty],
  ...[...get(group), ...constant(1), addI32, 0x0f],
  ...[0x0b, 0x0b],
]
/** Writes the sums at their place. */
const stored = lanes.flatMap((lane) => [
  ...[...get(last), ...get(group), ...constant(64), multiplyI32, addI32],
  ...[...get(sum + lane), ...store(16 * lane)],
])
/** Of four numbers one, folded from all. */
const folded = (by: number) => lanes.flatMap((lane) => [...get(factor), ...simd(31, lane), ...(lane > 0 ? [by] : [])])
const [addF32, maxF32] = [0x92, 0x97]
/** Writes what there is to know of the group behind all sums; the place of the query is free by then, and so is the factor. */
const judged = [
  ...[
    ...get(last),
    ...get(groups),
    ...constant(64),
    multiplyI32,
    addI32,
    ...get(group),
    ...constant(12),
    multiplyI32,
    addI32,
    ...set(query),
  ],
  ...lanes.flatMap((lane) => [...get(sum + lane), ...zero, ...maximum, ...(lane > 0 ? add : [])]),
  ...[...set(factor), ...get(query), ...folded(addF32), 0x38, 2, 0],
  ...[...get(sum), ...get(sum + 1), ...maximum, ...get(sum + 2), ...get(sum + 3), ...maximum, ...maximum],
  ...[...set(factor), ...get(query), ...folded(maxF32), 0x38, 2, 4],
  // A bit for each lane that is above 0.
  ...[
    ...get(query),
    ...lanes.flatMap((lane) => [...get(sum + lane), ...zero, ...greater, ...simd(164), 0x69, ...(lane > 0 ? [addI32] : [])]),
  ],
  ...storeI32(8),
]
