import type { Ops } from '../../ops.ts'
import type { Attribute, Initializer } from './model.ts'

/**
 * The layers' operations, recorded instead of carried out. A value knows its shape, in which −k stands for k times the rows of the batch (the
 * only extent that is unknown), and the operator that makes it. What an operator costs nothing to know is used at once: reshapes to the same
 * shape vanish, factors of 1 too, and a transposed operand of a product becomes a flag of Gemm.
 */
export interface Value {
  readonly name: string
  readonly shape: readonly number[]
  /** Absent: an input of the graph, or a constant. */
  readonly step?: Step
  /** Does not depend on the rows of the batch. */
  readonly fixed: boolean
  /** The factor of a `scale`. */
  readonly constant?: number
}

export interface Step {
  readonly op: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

export interface Recorder {
  readonly ops: Ops<Value>
  input(name: string, shape: readonly number[]): Value
  /** Any operator with one output, of a shape that is known. */
  add(op: string, inputs: readonly Value[], shape: readonly number[], attributes?: Step['attributes']): Value
  /** Any operator with several outputs. */
  addMany(op: string, inputs: readonly Value[], shapes: readonly (readonly number[])[], attributes?: Step['attributes']): Value[]
  integers(values: readonly number[]): Value
  readonly initializers: ReadonlyMap<string, Initializer>
}

/** `transposed` gives a value that holds the transpose of another already, if there is one: an input that the device keeps turned. */
export function createRecorder(transposed: (value: Value, columns: number) => Value | undefined): Recorder {
  const initializers = new Map<string, Initializer>()
  let serial = 0

  const addMany: Recorder['addMany'] = (op, inputs, shapes, attributes = {}) => {
    const outputs = shapes.map(() => `t${serial++}`)
    const step: Step = { op, inputs, outputs, attributes }
    // A sum over the batch has a shape without rows and depends on them all the same.
    const fixed = inputs.every((input) => input.fixed)
    return shapes.map((shape, index) => ({ name: outputs[index]!, shape, step, fixed }))
  }
  const add: Recorder['add'] = (op, inputs, shape, attributes) => addMany(op, inputs, [shape], attributes)[0]!

  const known = (key: string, shape: readonly number[], values: Initializer['values']): Value => {
    const name = `c:${key}`
    if (!initializers.has(name)) initializers.set(name, { name, shape, values })
    return { name, shape, fixed: true }
  }
  const constant = (values: readonly number[], shape: readonly number[]): Value =>
    known(`${values.join(',')}[${shape.join(',')}]`, shape, Float32Array.from(values))
  const integers = (values: readonly number[]): Value =>
    known(`int ${values.join(',')}`, [values.length], BigInt64Array.from(values.map(BigInt)))

  const unary =
    (op: string) =>
    (a: Value): Value =>
      add(op, [a], a.shape)
  const binary =
    (op: string) =>
    (a: Value, b: Value): Value =>
      add(op, [a, b], broadcast(a.shape, b.shape))

  /** A·B + f·C as one product, where A·B has an operator of its own and C its shape. Layers need A·B for nothing else. */
  const withBias = (a: Value, b: Value): Value | undefined => {
    const { step } = a
    if (step?.op !== 'Gemm' || step.inputs.length !== 2 || a.shape.join() !== b.shape.join()) return undefined
    const [bias, factor] = b.step?.op === 'Mul' ? b.step.inputs : []
    const scaled = factor?.constant !== undefined
    const beta = { beta: { float: scaled ? factor.constant! : 1 } }
    return add('Gemm', [...step.inputs, scaled ? bias! : b], a.shape, { ...step.attributes, ...beta })
  }

  const ops: Ops<Value> = {
    constant,
    matMul(a, b) {
      const shape = [a.shape[0]!, b.shape[1]!]
      const [left, right] = [turnedOf(a), turnedOf(b)]
      if (left === undefined && right === undefined) return add('MatMul', [a, b], shape)
      const flags = { ...(left && { transA: 1 }), ...(right && { transB: 1 }) }
      return add('Gemm', [left ?? a, right ?? b], shape, flags)
    },
    transposedMatMul(a, b) {
      const shape = [a.shape[1]!, b.shape[1]!]
      const ready = transposed(a, b.shape[1]!)
      if (process.env.FORM === 'tr' && b.shape[1]! <= 256 && a.step === undefined)
        return ops.transpose(ops.matMul(add('Transpose', [b], [b.shape[1]!, b.shape[0]!], { perm: { ints: [1, 0] } }), a))
      return ready === undefined ? add('Gemm', [a, b], shape, { transA: 1 }) : add('MatMul', [ready, b], shape)
    },
    transpose(a, axes = [1, 0]) {
      const shape = axes.map((axis) => a.shape[axis]!)
      // Moving axes of extent 1 about moves no number.
      const moving = axes.filter((axis) => a.shape[axis] !== 1)
      if (moving.every((axis, index) => index === 0 || moving[index - 1]! < axis)) return ops.reshape(a, shape)
      return add('Transpose', [a], shape, { perm: { ints: axes } })
    },
    add: (a, b) => withBias(a, b) ?? add('Add', [a, b], broadcast(a.shape, b.shape)),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('Div'),
    scale: (a, factor) => (factor === 1 ? a : add('Mul', [a, { ...constant([factor], []), constant: factor }], a.shape)),
    sqrt: unary('Sqrt'),
    relu: unary('Relu'),
    step(a) {
      return add('Cast', [add('Greater', [a, constant([0], [])], a.shape)], a.shape, { to: 1 })
    },
    tanh: unary('Tanh'),
    sigmoid: unary('Sigmoid'),
    softmax: (a) => add('Softmax', [a], a.shape, { axis: -1 }),
    logSumExp: (a) => add('ReduceLogSumExp', [a], [...a.shape.slice(0, -1), 1], { axes: { ints: [a.shape.length - 1] }, keepdims: 1 }),
    sum(a, axis, keep) {
      const shape = [...a.shape.slice(0, axis), ...(keep === 'keep' ? [1] : []), ...a.shape.slice(axis + 1)]
      if (a.shape[axis] === 1) return ops.reshape(a, shape)
      return add('ReduceSum', [a, integers([axis])], shape, { keepdims: keep === 'keep' ? 1 : 0 })
    },
    reshape(a, shape) {
      const source = a.step?.op === 'Reshape' ? a.step.inputs[0]! : a
      const target = resolve(source.shape, shape)
      if (same(source.shape, target)) return source
      return add('Reshape', [source, integers(target.map((extent) => Math.max(extent, -1)))], target)
    },
  }
  return { ops, input: (name, shape) => ({ name, shape, fixed: !shape.includes(-1) }), add, addMany, integers, initializers }
}

/** What a transposed matrix was before. */
function turnedOf(value: Value): Value | undefined {
  return value.step?.op === 'Transpose' && value.shape.length === 2 ? value.step.inputs[0]! : undefined
}

/** The extent that −1 stands for in a new shape: a number, or −k for k times the rows of the batch. */
function resolve(from: readonly number[], to: readonly number[]): readonly number[] {
  const total = product(from)
  const rest = product(to.filter((extent) => extent !== -1))
  return to.map((extent) => {
    if (extent !== -1) return extent
    const missing = total / rest
    if (!Number.isInteger(missing)) throw new Error(`The shape [${from}] cannot become [${to}].`)
    return missing
  })
}

/** Negative where one of the extents is a multiple of the rows. */
function product(shape: readonly number[]): number {
  return shape.reduce((total, extent) => total * extent, 1)
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

function broadcast(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) throw new Error(`Shapes [${a}] and [${b}] do not fit each other.`)
    return left === 1 ? right : left
  })
}
