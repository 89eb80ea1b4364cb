import {
  addI32,
  empty,
  f32,
  get,
  i32,
  instance,
  load,
  multiply,
  name,
  add as plus,
  section,
  set,
  simd,
  splat,
  store,
  unsigned,
  v128,
} from '../methods/wasm-code.ts'

/**
 * Parameters, slopes and moments of Adam in memory, and its update as one sweep over them: as a dozen operations of a graph it takes as long as the products of
 * a step. WebAssembly written by hand, four numbers at a time; plain loops where the platform has none, or the model is larger than its memory.
 */
export interface AdamMemory {
  /** Tensors of a device may be views of these. */
  readonly parameters: Float32Array
  /** To be filled before each update. */
  readonly slopes: Float32Array
  update(rate: number): void
}

export interface AdamFactors {
  readonly l2: number
  readonly beta1: number
  readonly beta2: number
  /** Added to √s, s = v/(1 − β₂) of the paper. */
  readonly epsilon: number
}

/**
 * m ← β₁·m + g, s ← β₂·s + g², θ ← θ − rate·m/(√s + ε), g with l2·θ: Kingma & Ba 2015, Alg. 1, with m and s divided by 1 − β once and for all, which `rate`
 * makes up for. O(d), 28 bytes a parameter and step.
 */
export function adamMemory(theta: Float64Array, factors: AdamFactors): AdamMemory {
  const stride = 16 * Math.ceil(theta.length / 4)
  const { l2, beta1, beta2, epsilon } = factors
  const loaded = 4 * stride <= MOST_BYTES ? instance(moduleBytes(), 4 * stride) : undefined
  const buffer = loaded?.buffer ?? new ArrayBuffer(4 * stride)
  const [parameters, slopes, means, squares] = [0, 1, 2, 3].map((part) => new Float32Array(buffer, part * stride, theta.length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  parameters.set(theta)
  const sweep = loaded?.exports.sweep as
    | ((bytes: number, stride: number, rate: number, l2: number, beta1: number, beta2: number, epsilon: number) => void)
    | undefined
  if (sweep !== undefined) return { parameters, slopes, update: (rate) => sweep(stride, stride, rate, l2, beta1, beta2, epsilon) }
  return {
    parameters,
    slopes,
    update: (rate) => {
      for (let i = 0; i < theta.length; i++) {
        const slope = slopes[i]! + l2 * parameters[i]!
        means[i] = beta1 * means[i]! + slope
        squares[i] = beta2 * squares[i]! + slope * slope
        parameters[i] = parameters[i]! - (rate * means[i]!) / (Math.sqrt(squares[i]!) + epsilon)
      }
    },
  }
}

const MOST_BYTES = 1 << 30

/** `sweep(bytes, stride, rate, l2, β₁, β₂, ε)`: parameters from 0, slopes, means and squares `stride` bytes after each other. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const [end, stride] = [0, 1] as const
  const given = [2, 3, 4, 5, 6]
  const [place, slopeAt, meanAt, squareAt] = [7, 8, 9, 10] as const
  const [rate, l2, beta1, beta2, epsilon] = [11, 12, 13, 14, 15] as const
  const [value, slope, mean, square] = [16, 17, 18, 19] as const
  const [root, minus, over] = [simd(227), simd(229), simd(231)]
  const places = [place, slopeAt, meanAt, squareAt]
  const body = [
    ...given.flatMap((factor, i) => [...get(factor), ...splat, ...set(rate + i)]),
    ...[...get(stride), ...set(slopeAt), ...get(slopeAt), ...get(stride), addI32, ...set(meanAt)],
    ...[...get(meanAt), ...get(stride), addI32, ...set(squareAt)],
    ...[0x02, empty, 0x03, empty],
    ...[...get(place), ...get(end), 0x4e, 0x0d, 1],
    ...[...get(place), ...load(0), ...set(value)],
    ...[...get(slopeAt), ...load(0), ...get(l2), ...get(value), ...multiply, ...plus, ...set(slope)],
    ...[...get(meanAt), ...load(0), ...get(beta1), ...multiply, ...get(slope), ...plus, ...set(mean)],
    ...[...get(squareAt), ...load(0), ...get(beta2), ...multiply, ...get(slope), ...get(slope), ...multiply, ...plus, ...set(square)],
    ...[...get(meanAt), ...get(mean), ...store(0), ...get(squareAt), ...get(square), ...store(0)],
    ...[...get(place), ...get(value), ...get(rate), ...get(mean), ...multiply],
    ...[...get(square), ...root, ...get(epsilon), ...plus, ...over, ...minus, ...store(0)],
    ...places.flatMap((at) => [...get(at), 0x41, 16, addI32, ...set(at)]),
    ...[0x0c, 0, 0x0b, 0x0b, 0x0b],
  ]
  const code = [...[2, 4, i32, 9, v128], ...body]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 7, i32, i32, f32, f32, f32, f32, f32, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('sweep'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}
