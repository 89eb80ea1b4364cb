import type { Ops } from '../ops.ts'
import type { Device, Named, Pass, Values } from '../pass.ts'

/**
 * Plain loops in float64: what every other backend is checked against. Slow, and right; itself checked against finite differences by tests.
 */
export interface Array64 {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export const referenceOps: Ops<Array64> = {
  constant: (values, shape) => ({ shape, data: Float64Array.from(values) }),

  matMul({ shape: [n = 0, d = 0], data: left }, { shape: [, m = 0], data: right }) {
    const data = new Float64Array(n * m)
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < d; k++) {
        const factor = left[i * d + k]!
        for (let j = 0; j < m; j++) data[i * m + j] = data[i * m + j]! + factor * right[k * m + j]!
      }
    }
    return { shape: [n, m], data }
  },

  transposedMatMul({ shape: [n = 0, d = 0], data: left }, { shape: [, m = 0], data: right }) {
    const data = new Float64Array(d * m)
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < d; k++) {
        const factor = left[i * d + k]!
        for (let j = 0; j < m; j++) data[k * m + j] = data[k * m + j]! + factor * right[i * m + j]!
      }
    }
    return { shape: [d, m], data }
  },

  transpose(a, axes = [1, 0]) {
    const shape = axes.map((axis) => a.shape[axis]!)
    const strides = stridesOf(a.shape)
    const turned = axes.map((axis) => strides[axis]!)
    return { shape, data: gather(a.data, shape, turned) }
  },

  add: (a, b) => binary(a, b, (x, y) => x + y),
  sub: (a, b) => binary(a, b, (x, y) => x - y),
  mul: (a, b) => binary(a, b, (x, y) => x * y),
  div: (a, b) => binary(a, b, (x, y) => x / y),
  scale: (a, factor) => unary(a, (x) => x * factor),
  sqrt: (a) => unary(a, Math.sqrt),
  relu: (a) => unary(a, (x) => (x > 0 || Number.isNaN(x) ? x : 0)),
  step: (a) => unary(a, (x) => (x > 0 ? 1 : 0)),
  tanh: (a) => unary(a, Math.tanh),
  sigmoid: (a) => unary(a, (x) => 1 / (1 + Math.exp(-x))),

  softmax(a) {
    const m = a.shape.at(-1)!
    const data = new Float64Array(a.data.length)
    for (let start = 0; start < data.length; start += m) {
      const highest = maximum(a.data, start, m)
      let total = 0
      for (let j = start; j < start + m; j++) total += data[j] = Math.exp(a.data[j]! - highest)
      for (let j = start; j < start + m; j++) data[j] = data[j]! / total
    }
    return { shape: a.shape, data }
  },

  logSumExp(a) {
    const m = a.shape.at(-1)!
    const data = new Float64Array(a.data.length / m)
    for (let row = 0; row < data.length; row++) {
      const highest = maximum(a.data, row * m, m)
      let total = 0
      for (let j = 0; j < m; j++) total += Math.exp(a.data[row * m + j]! - highest)
      data[row] = highest + Math.log(total)
    }
    return { shape: [...a.shape.slice(0, -1), 1], data }
  },

  rowsAt({ shape: [, width = 0], data }, { data: numbers }) {
    const made = new Float64Array(numbers.length * width)
    for (const [i, row] of numbers.entries()) made.set(data.subarray(row * width, (row + 1) * width), i * width)
    return { shape: [numbers.length, width], data: made }
  },

  sum(a, axis, keep) {
    const before = product(a.shape.slice(0, axis))
    const extent = a.shape[axis]!
    const after = product(a.shape.slice(axis + 1))
    const data = new Float64Array(before * after)
    for (let i = 0; i < before; i++) {
      for (let k = 0; k < extent; k++) {
        for (let j = 0; j < after; j++) data[i * after + j] = data[i * after + j]! + a.data[(i * extent + k) * after + j]!
      }
    }
    const shape = [...a.shape.slice(0, axis), ...(keep === 'keep' ? [1] : []), ...a.shape.slice(axis + 1)]
    return { shape, data }
  },

  reshape(a, shape) {
    const known = product(shape.filter((extent) => extent !== -1))
    return { shape: shape.map((extent) => (extent === -1 ? a.data.length / known : extent)), data: a.data }
  },
}

export const referenceDevice: Device<Array64> = {
  upload: (values: Values, shape) => ({ shape, data: Float64Array.from(values) }),
  read: async (handle) => handle.data,
  release: () => {},
  compile: async (pass: Pass) => async (inputs: Named<Array64>) => pass.build(referenceOps, inputs),
  batchWork: 2e7,
  memory: 1e9,
}

function unary(a: Array64, f: (x: number) => number): Array64 {
  return { shape: a.shape, data: a.data.map((x) => f(x)) }
}

function binary(a: Array64, b: Array64, f: (x: number, y: number) => number): Array64 {
  const rank = Math.max(a.shape.length, b.shape.length)
  const left = [...Array(rank - a.shape.length).fill(1), ...a.shape] as number[]
  const right = [...Array(rank - b.shape.length).fill(1), ...b.shape] as number[]
  const shape = left.map((extent, axis) => {
    const other = right[axis]!
    if (extent !== other && extent !== 1 && other !== 1) throw new Error(`Shapes [${a.shape}] and [${b.shape}] do not fit each other.`)
    return extent === 1 ? other : extent
  })
  const x = same(left, shape) ? a.data : gather(a.data, shape, spread(left))
  const y = same(right, shape) ? b.data : gather(b.data, shape, spread(right))
  const data = new Float64Array(x.length)
  for (let i = 0; i < data.length; i++) data[i] = f(x[i]!, y[i]!)
  return { shape, data }
}

/** Strides that stand still along axes of extent 1: broadcasting. */
function spread(shape: readonly number[]): number[] {
  return stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride))
}

function gather(data: Float64Array, shape: readonly number[], strides: readonly number[]): Float64Array {
  const result = new Float64Array(product(shape))
  const index = shape.map(() => 0)
  let at = 0
  for (let i = 0; i < result.length; i++) {
    result[i] = data[at]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1
      at += strides[axis]!
      if (index[axis]! < shape[axis]!) break
      at -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return result
}

function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = []
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides.unshift(stride)
    stride *= shape[axis]!
  }
  return strides
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.every((extent, axis) => extent === b[axis])
}

function product(extents: readonly number[]): number {
  return extents.reduce((total, extent) => total * extent, 1)
}

function maximum(data: Float64Array, start: number, count: number): number {
  let highest = data[start]!
  for (let j = start + 1; j < start + count; j++) highest = Math.max(highest, data[j]!)
  return highest
}
