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
} from './wasm-code.ts'

/**
 * A few SIMD instructions of WebAssembly, written out by hand: sums over eigenvectors for 16 rows at a time, passing over groups of rows in which
 * nothing exceeds a threshold. It reads the index at about the speed of memory. Sums are in float32 and only select; whoever calls sums the
 * selected rows again in float64.
 */
export interface SpectralKernel {
  /** The first group from `group` with a sum above the threshold, whose sums are then in `sums`; −1 if there is none. */
  next(group: number, threshold: number): number
  /** The sums of all rows; they stand until the next call. */
  all(): Float32Array
  /** The same kernel over the first eigenvectors alone. */
  first(k: number): SpectralKernel
  /** Coordinates of the query; set before `next`. */
  readonly query: Float32Array
  /** 16 sums. Rows beyond the last hold anything. */
  readonly sums: Float32Array
  /** max |b| of each eigenvector. */
  readonly largest: Float64Array
}

export interface ResidentIndex {
  readonly k: number
  readonly n: number
  /** The same numbers, in the kernel's memory. Not to be changed. */
  readonly b: Float32Array
  /** Absent where the platform has no SIMD, the index is not finite or too large: ranking then uses plain loops. */
  readonly kernel?: SpectralKernel
}

const queryAt = 0
const sumsAt = 4096
const indexAt = 8192
const mostBytes = 1 << 30

/** Copies an index to where the kernel can read it: once, k·n operations; rankings from it are exact and several times faster. */
export function residentIndex({ k, n, b }: { readonly k: number; readonly n: number; readonly b: Float32Array }): ResidentIndex {
  const plain = { k, n, b }
  const bytes = indexAt + 4 * k * n + 64
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
  const groups = Math.ceil(n / 16)
  const outAt = Math.ceil(bytes / 16) * 16
  const loaded = instance(moduleBytes(), outAt + 64 * groups)
  if (loaded === undefined) return plain
  const { buffer } = loaded
  const scan = loaded.exports.next as (group: number, groups: number, stride: number, k: number, threshold: number) => number
  const fill = loaded.exports.all as (group: number, groups: number, stride: number, k: number, place: number) => void
  const resident = new Float32Array(buffer, indexAt, k * n)
  resident.set(b.subarray(0, k * n))
  const first = (some: number): SpectralKernel => ({
    next: (group, threshold) => scan(group, groups, 4 * n, some, threshold),
    all: () => {
      fill(0, groups, 4 * n, some, outAt)
      return new Float32Array(buffer, outAt, n)
    },
    first,
    query: new Float32Array(buffer, queryAt, some),
    sums: new Float32Array(buffer, sumsAt, 16),
    largest: largest.subarray(0, some),
  })
  return { k, n, b: resident, kernel: first(k) }
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const next = [...locals, ...overGroups([...constant(-1), 0x0f], found), 0x00, 0x0b]
  const all = [...locals, ...overGroups([0x0f], stored), 0x0b]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 5, i32, i32, i32, i32, f32, 1, i32, 0x60, 5, i32, i32, i32, i32, i32, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [2, 0, 1]),
    ...section(7, [2, ...name('next'), 0, 0, ...name('all'), 0, 1]),
    ...section(10, [2, ...unsigned(next.length), ...next, ...unsigned(all.length), ...all]),
  ])
}

const [group, groups, stride, k, last, place, query, end, factor, sum] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const
const locals = [2, 3, i32, 5, v128]
const lanes = [0, 1, 2, 3]
const zero = simd(12, ...Array<number>(16).fill(0))

/** Sums of one group of 16 rows after the other, each handed to `then`; `done` after the last. */
function overGroups(done: readonly number[], then: readonly number[]): number[] {
  return [
    ...[...get(k), ...constant(4), multiplyI32, ...set(end)],
    ...[0x03, empty], // loop over groups
    ...[...get(group), ...get(groups), 0x4e, 0x04, empty, ...done, 0x0b],
    ...[...get(group), ...constant(64), multiplyI32, ...set(place)],
    ...[...constant(queryAt), ...set(query)],
    ...lanes.flatMap((lane) => [...zero, ...set(sum + lane)]),
    ...[0x03, empty], // loop over eigenvectors
    ...[...get(query), ...loadSplat, ...set(factor)],
    ...lanes.flatMap((lane) => [
      ...[...get(sum + lane), ...get(factor), ...get(place), ...load(indexAt + 16 * lane)],
      ...[...multiply, ...add, ...set(sum + lane)],
    ]),
    ...[...get(place), ...get(stride), addI32, ...set(place)],
    ...[...get(query), ...constant(4), addI32, 0x22, query, ...get(end), 0x48, 0x0d, 0], // next, while below the end
    0x0b,
    ...then,
    ...[...get(group), ...constant(1), addI32, ...set(group), 0x0c, 0],
    0x0b,
  ]
}

/** Returns the group if one of its sums exceeds the threshold. */
const found = [
  ...[...get(sum), ...get(sum + 1), ...maximum, ...get(sum + 2), ...get(sum + 3), ...maximum, ...maximum],
  ...[...get(last), ...splat, ...greater, ...anyTrue, 0x04, empty],
  ...lanes.flatMap((lane) => [...constant(0), ...get(sum + lane), ...store(sumsAt + 16 * lane)]),
  ...[...get(group), 0x0f, 0x0b],
]
/** Writes the sums at their place. */
const stored = lanes.flatMap((lane) => [
  ...[...get(last), ...get(group), ...constant(64), multiplyI32, addI32],
  ...[...get(sum + lane), ...store(16 * lane)],
])
