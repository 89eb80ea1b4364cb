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

/**
 * An axis of at most this many entries is too short to be broadcast along, or summed over, number by number: the runtime takes nanoseconds for each.
 * As products with constants of zeros and ones such steps go through its fast kernel; copies stay exact.
 */
const shortest = 16

/**
 * `transposed` gives the transpose of a value, with a row of ones under it, if there is one: an input that the device keeps turned. A product with it has
 * the sums over the rows of the batch as its last row.
 */
export function createRecorder(transposed: (value: Value) => Value | undefined): Recorder {
  const initializers = new Map<string, Initializer>()
  /** What has been repeated or spread, by name and extents. */
  const copies = new Map<string, Value>()
  /** Sums over the rows of the batch that products have made beside them, by what was summed. */
  const rowSums = new Map<string, Value>()
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
    (a: Value, b: Value): Value => {
      const shape = broadcast(a.shape, b.shape)
      const [left, right] = same(a.shape, b.shape) ? [] : [flattened(a, shape), flattened(b, shape)]
      if (left === undefined || right === undefined) return add(op, [a, b], shape)
      return ops.reshape(add(op, [left, right], left.shape), shape)
    }

  /** An operand of a step whose result is [n, t, c] with a short last axis, as [n, t·c]: [n, t, c] itself, [n, 1, c] repeated, [n, t, 1] spread. */
  const flattened = (value: Value, shape: readonly number[]): Value | undefined => {
    const [rows, tangents, columns] = shape as [number, number, number]
    if (shape.length !== 3 || rows > 0 || columns > shortest || value.shape.length !== 3 || value.shape[0] !== rows) return undefined
    if (same(value.shape, shape)) return ops.reshape(value, [-1, tangents * columns])
    const key = `${value.name} ${tangents} ${columns}`
    const known = copies.get(key)
    if (known !== undefined) return known
    const copied = value.shape[2] === columns ? repeating(tangents, columns) : spreading(tangents, columns)
    const made = ops.matMul(ops.reshape(value, [-1, copied.shape[0]!]), copied)
    copies.set(key, made)
    return made
  }

  /** [c, t·c], t identities side by side. */
  const repeating = (tangents: number, columns: number): Value =>
    selection(`repeat ${tangents} ${columns}`, [columns, tangents * columns], (row, column) => column % columns === row)

  /** [t, t·c], c ones a row, each where the row before has ended. */
  const spreading = (tangents: number, columns: number): Value =>
    selection(`spread ${tangents} ${columns}`, [tangents, tangents * columns], (row, column) => Math.floor(column / columns) === row)

  /** [t·c, t], its transpose. */
  const gathering = (tangents: number, columns: number): Value =>
    selection(`gather ${tangents} ${columns}`, [tangents * columns, tangents], (row, column) => Math.floor(row / columns) === column)

  const selection = (key: string, [rows, columns]: readonly [number, number], chosen: (row: number, column: number) => boolean): Value =>
    known(
      key,
      [rows, columns],
      Float32Array.from({ length: rows * columns }, (_, i) => (chosen(Math.floor(i / columns), i % columns) ? 1 : 0)),
    )

  /** A·B + f·C as one product, where A·B has an operator of its own and C its shape. Layers need A·B for nothing else. */
  const withBias = (a: Value, b: Value): Value | undefined => {
    const { step } = a
    if (step?.op !== 'Gemm' || step.inputs.length !== 2 || a.shape.join() !== b.shape.join()) return undefined
    const [bias, factor] = b.step?.op === 'Mul' ? b.step.inputs : []
    const scaled = factor?.constant !== undefined
    const beta = { beta: { float: scaled ? factor.constant! : 1 } }
    return add('Gemm', [...step.inputs, scaled ? bias! : b], a.shape, { ...step.attributes, ...beta })
  }

  /** Aᵀ + Bᵀ as (A + B)ᵀ. */
  const withTurned = (a: Value, b: Value): Value | undefined => {
    const [left, right] = [turnedOf(a), turnedOf(b)]
    return left && right && same(left.shape, right.shape) ? ops.transpose(ops.add(left, right)) : undefined
  }

  /** s·A + t·B for narrow s and t of the batch as [s | t]·[A over B]: one wide result is written instead of three. */
  const asOneProduct = (a: Value, b: Value): Value | undefined => {
    const [first, second] = [narrowProduct(a), narrowProduct(b)]
    if (first === undefined || second === undefined || !same(unshaped(a).shape, unshaped(b).shape)) return undefined
    const inner = first.left.shape[1]! + second.left.shape[1]!
    const lefts = add('Concat', [first.left, second.left], [first.left.shape[0]!, inner], { axis: 1 })
    const rights = add('Concat', [first.right, second.right], [inner, first.right.shape[1]!], { axis: 0 })
    return ops.reshape(add('MatMul', [lefts, rights], unshaped(a).shape), a.shape.with(0, -1))
  }

  const narrowProduct = (value: Value): { readonly left: Value; readonly right: Value } | undefined => {
    const { step, shape } = unshaped(value)
    const isPlain = step?.op === 'MatMul' || (step?.op === 'Gemm' && step.inputs.length === 2 && step.attributes.transA === undefined)
    if (!isPlain || shape.length !== 2 || shape[0]! > 0) return undefined
    const [left, right] = step!.inputs as [Value, Value]
    if (!right.fixed || left.shape[1]! > shortest || shape[1]! <= shortest) return undefined
    return { left, right: step!.attributes.transB === undefined ? right : add('Transpose', [right], right.shape.toReversed()) }
  }

  /** x·A + b as one product, where b is a row that every row of x·A gets. */
  const withRow = (a: Value, b: Value): Value | undefined => {
    const made = unshaped(a)
    const isRow = b.fixed && same(b.shape, [1, ...a.shape.slice(1)])
    if (!isRow || made.step?.op !== 'MatMul' || made.shape.length !== 2 || made.shape[0]! > 0 || made.shape[0] !== a.shape[0])
      return undefined
    const biased = add('Gemm', [...made.step.inputs, ops.reshape(b, [1, made.shape[1]!])], made.shape)
    return ops.reshape(biased, a.shape.with(0, -1))
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
      const ready = transposed(a)
      if (ready === undefined && b.shape[1]! <= shortest && a.shape[1]! > shortest) return ops.transpose(ops.transposedMatMul(b, a))
      if (ready === undefined) return add('Gemm', [a, b], shape, { transA: 1 })
      const product = add('MatMul', [ready, b], [shape[0]! + 1, shape[1]!])
      const [products, sums] = addMany('Split', [product, integers([shape[0]!, 1])], [shape, [1, shape[1]!]], { axis: 0 })
      rowSums.set(unshaped(b).name, sums!)
      return products!
    },
    transpose(a, axes = [1, 0]) {
      const shape = axes.map((axis) => a.shape[axis]!)
      // Moving axes of extent 1 about moves no number.
      const moving = axes.filter((axis) => a.shape[axis] !== 1)
      if (moving.every((axis, index) => index === 0 || moving[index - 1]! < axis)) return ops.reshape(a, shape)
      return add('Transpose', [a], shape, { perm: { ints: axes } })
    },
    add: (a, b) => withBias(a, b) ?? withTurned(a, b) ?? withRow(a, b) ?? asOneProduct(a, b) ?? binary('Add')(a, b),
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
      const summed = axis === 0 ? rowSums.get(unshaped(a).name) : undefined
      if (summed !== undefined) return ops.reshape(summed, shape)
      const [columns, tangents] = [a.shape[axis]!, a.shape.length === 3 ? a.shape[1]! : 1]
      if (a.shape[0]! < 0 && axis > 0 && axis === a.shape.length - 1 && columns <= shortest) {
        const made = ops.matMul(ops.reshape(a, [-1, tangents * columns]), gathering(tangents, columns))
        return ops.reshape(made, shape.with(0, -1))
      }
      return add('ReduceSum', [a, integers([axis])], shape, { keepdims: keep === 'keep' ? 1 : 0 })
    },
    rowsAt: (a, numbers) =>
      add('Gather', [a, add('Cast', [numbers], numbers.shape, { to: 7 })], [numbers.shape[0]!, a.shape[1]!], { axis: 0 }),
    reshape(a, shape) {
      const source = unshaped(a)
      const target = resolve(source.shape, shape)
      if (same(source.shape, target)) return source
      return add('Reshape', [source, integers(target.map((extent) => Math.max(extent, -1)))], target)
    },
  }
  return { ops, input: (name, shape) => ({ name, shape, fixed: !shape.includes(-1) }), add, addMany, integers, initializers }
}

function unshaped(value: Value): Value {
  return value.step?.op === 'Reshape' ? value.step.inputs[0]! : value
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
