/**
 * A few SIMD instructions of WebAssembly, written out by hand: sums over eigenvectors for 16 rows at a time, passing over groups of rows in which
 * nothing exceeds a threshold. It reads the index at about the speed of memory. Sums are in float32 and only select; whoever calls sums the
 * selected rows again in float64.
 */
export interface SpectralKernel {
  /** The first group from `group` with a sum above the threshold, whose sums are then in `sums`; −1 if there is none. */
  next(group: number, threshold: number): number
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
const pageBytes = 65536
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
  const code = moduleBytes()
  const wasm = (globalThis as unknown as { readonly WebAssembly?: Wasm }).WebAssembly
  if (wasm === undefined || !wasm.validate(code)) return plain
  const memory = new wasm.Memory({ initial: Math.ceil(bytes / pageBytes) })
  const instance = new wasm.Instance(new wasm.Module(code), { e: { m: memory } })
  const scan = instance.exports.next as (group: number, groups: number, stride: number, k: number, threshold: number) => number
  const resident = new Float32Array(memory.buffer, indexAt, k * n)
  resident.set(b.subarray(0, k * n))
  const groups = Math.ceil(n / 16)
  const kernel: SpectralKernel = {
    next: (group, threshold) => scan(group, groups, 4 * n, k, threshold),
    query: new Float32Array(memory.buffer, queryAt, k),
    sums: new Float32Array(memory.buffer, sumsAt, 16),
    largest,
  }
  return { k, n, b: resident, kernel }
}

/** What we use of WebAssembly; its types come with the DOM's, which the server does without. */
interface Wasm {
  validate(code: Uint8Array): boolean
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** Types and opcodes of the binary format, WebAssembly specification 2.0, §5. */
const [i32, f32, v128] = [0x7f, 0x7d, 0x7b]
const empty = 0x40
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const constant = (value: number): number[] => [0x41, ...signed(value)]
const simd = (code: number, ...rest: number[]): number[] => [0xfd, ...unsigned(code), ...rest]
/** Alignment is a hint only; 4 bytes are promised. */
const load = (offset: number): number[] => simd(0, 2, ...unsigned(offset))
const store = (offset: number): number[] => simd(11, 2, ...unsigned(offset))
const loadSplat = simd(9, 2, 0)
const splat = simd(19)
const greater = simd(68)
const anyTrue = simd(83)
const add = simd(228)
const multiply = simd(230)
const maximum = simd(233)
const addI32 = 0x6a
const multiplyI32 = 0x6c

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const [group, groups, stride, k, threshold, place, query, end, factor, sum] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const
  const lanes = [0, 1, 2, 3]
  const zero = simd(12, ...Array<number>(16).fill(0))
  const body = [
    ...[...get(k), ...constant(4), multiplyI32, ...set(end)],
    ...[0x03, empty], // loop over groups
    ...[...get(group), ...get(groups), 0x4e, 0x04, empty, ...constant(-1), 0x0f, 0x0b], // past the last: −1
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
    ...[...get(sum), ...get(sum + 1), ...maximum, ...get(sum + 2), ...get(sum + 3), ...maximum, ...maximum],
    ...[...get(threshold), ...splat, ...greater, ...anyTrue, 0x04, empty],
    ...lanes.flatMap((lane) => [...constant(0), ...get(sum + lane), ...store(sumsAt + 16 * lane)]),
    ...[...get(group), 0x0f, 0x0b],
    ...[...get(group), ...constant(1), addI32, ...set(group), 0x0c, 0],
    0x0b,
    0x00, // not reached
    0x0b,
  ]
  const locals = [2, 3, i32, 5, v128]
  const code = [...locals, ...body]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 5, i32, i32, i32, i32, f32, 1, i32]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('next'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function name(text: string): number[] {
  return [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}
