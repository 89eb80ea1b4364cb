/** The binary format of WebAssembly, as far as kernels here are written in it by hand (specification 2.0, §5), and how a module is loaded. */

/** What we use of WebAssembly; its types come with the DOM's, which the server does without. */
interface Wasm {
  validate(code: Uint8Array): boolean
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** Types and opcodes. */
export const [i32, f32, v128] = [0x7f, 0x7d, 0x7b]
export const empty = 0x40
export const get = (local: number): number[] => [0x20, local]
export const set = (local: number): number[] => [0x21, local]
export const constant = (value: number): number[] => [0x41, ...signed(value)]
export const simd = (code: number, ...rest: number[]): number[] => [0xfd, ...unsigned(code), ...rest]
/** Alignment is a hint only; 4 bytes are promised. */
export const load = (offset: number): number[] => simd(0, 2, ...unsigned(offset))
export const store = (offset: number): number[] => simd(11, 2, ...unsigned(offset))
export const loadSplat = simd(9, 2, 0)
export const splat = simd(19)
export const greater = simd(68)
export const anyTrue = simd(83)
export const add = simd(228)
export const multiply = simd(230)
export const maximum = simd(233)
/** Two float64. */
export const loadSplatF64 = (offset: number): number[] => simd(10, 2, ...unsigned(offset))
export const addF64 = simd(240)
export const multiplyF64 = simd(242)
export const zeroV128 = simd(12, ...Array<number>(16).fill(0))
export const belowI32 = 0x49
export const addI32 = 0x6a
export const multiplyI32 = 0x6c

export function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

export function name(text: string): number[] {
  return [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))]
}

/** LEB128. */
export function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

export function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}

/** A module over a memory of at least `bytes`, imported as `e.m`; undefined where the platform has no WebAssembly or not what the module needs. */
export function instance(
  code: Uint8Array,
  bytes: number,
): { readonly buffer: ArrayBuffer; readonly exports: Readonly<Record<string, unknown>> } | undefined {
  const wasm = (globalThis as unknown as { readonly WebAssembly?: Wasm }).WebAssembly
  if (wasm === undefined || !wasm.validate(code)) return undefined
  const memory = new wasm.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) })
  const { exports } = new wasm.Instance(new wasm.Module(code), { e: { m: memory } })
  return { buffer: memory.buffer, exports }
}

const PAGE_BYTES = 65536
