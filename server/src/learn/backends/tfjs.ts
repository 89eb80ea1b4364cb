import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import type { Ops } from '../ops.ts'
import type { Device, Named, Pass } from '../pass.ts'

export type Tfjs = typeof import('@tensorflow/tfjs-core')

/** How a tfjs backend wants to be used. */
export interface TfjsTraits {
  /** `explicit`: products with transposed operands are slow there (wasm: 10 to 40 times), so transposes are made. `flags`: they are free. */
  readonly transposes: 'explicit' | 'flags'
  /** `sync`: results are in this process's memory. */
  readonly reads: 'sync' | 'async'
  readonly batchWork: number
  readonly memory: number
}

/**
 * The layers' operations on a backend of TensorFlow.js, one call after the other. Only functions of tfjs-core: it registers neither gradients nor
 * chained operations, and we need neither.
 */
export function tfjsDevice(tf: Tfjs, backend: string, traits: TfjsTraits): Device<Tensor> {
  /** Transposes of resident tensors, made when first needed. */
  const turned = new WeakMap<Tensor, Tensor>()
  const resident = new WeakSet<Tensor>()
  const ops = tfjsOps(tf, traits, (a) => {
    if (!resident.has(a)) return undefined
    const known = turned.get(a)
    if (known !== undefined) return known
    const made = tf.keep(tf.transpose(a))
    turned.set(a, made)
    return made
  })
  const select = (): void => {
    if (tf.getBackend() !== backend) tf.setBackend(backend)
  }
  return {
    upload(values, shape, use) {
      select()
      const floats = values instanceof Float32Array ? values : Float32Array.from(values)
      const handle = tf.tensor(floats, [...shape], 'float32')
      if (use === 'resident' && traits.transposes === 'explicit') resident.add(handle)
      return handle
    },
    read: async (handle) => (traits.reads === 'sync' ? handle.dataSync<'float32'>() : await handle.data<'float32'>()),
    release(handle) {
      turned.get(handle)?.dispose()
      turned.delete(handle)
      handle.dispose()
    },
    async compile(pass: Pass) {
      return async (inputs: Named<Tensor>) => {
        select()
        return tf.tidy(() => owned(tf, inputs, pass.build(ops, inputs)))
      }
    },
    batchWork: traits.batchWork,
    memory: traits.memory,
  }
}

/** An output that is also an input, or is given twice, gets a handle of its own: the caller releases each. */
function owned(tf: Tfjs, inputs: Named<Tensor>, outputs: Record<string, Tensor>): Record<string, Tensor> {
  const seen = new Set(Object.values(inputs))
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => {
      const own = seen.has(tensor) ? tf.clone(tensor) : tensor
      seen.add(tensor)
      return [name, own]
    }),
  )
}

function tfjsOps(tf: Tfjs, traits: TfjsTraits, residentTranspose: (a: Tensor) => Tensor | undefined): Ops<Tensor> {
  const matMul = (a: Tensor, b: Tensor): Tensor => tf.matMul(a as Tensor2D, b as Tensor2D)
  return {
    constant: (values, shape) => tf.tensor([...values], [...shape], 'float32'),
    matMul,
    transposedMatMul(a, b) {
      if (traits.transposes === 'flags') return tf.matMul(a as Tensor2D, b as Tensor2D, true, false)
      const kept = residentTranspose(a)
      if (kept !== undefined) return matMul(kept, b)
      // aᵀ·b = (bᵀ·a)ᵀ: whichever is narrower is turned.
      if (a.shape[1]! <= b.shape[1]!) return matMul(tf.transpose(a), b)
      return tf.transpose(matMul(tf.transpose(b), a))
    },
    transpose: (a, axes) => tf.transpose(a, axes === undefined ? undefined : [...axes]),
    add: (a, b) => tf.add(a, b),
    sub: (a, b) => tf.sub(a, b),
    mul: (a, b) => tf.mul(a, b),
    div: (a, b) => tf.div(a, b),
    scale: (a, factor) => tf.mul(a, factor),
    sqrt: (a) => tf.sqrt(a),
    relu: (a) => tf.relu(a),
    step: (a) => tf.cast(tf.greater(a, 0), 'float32'),
    tanh: (a) => tf.tanh(a),
    sigmoid: (a) => tf.sigmoid(a),
    softmax: (a) => tf.softmax(a),
    logSumExp(a) {
      const axis = a.shape.length - 1
      const highest = tf.max(a, axis, true)
      return tf.add(highest, tf.log(tf.sum(tf.exp(tf.sub(a, highest)), axis, true)))
    },
    sum: (a, axis, keep) => tf.sum(a, axis, keep === 'keep'),
    reshape: (a, shape) => tf.reshape(a, [...shape]),
    rowsAt: (a, numbers) => tf.gather(a, tf.cast(numbers, 'int32')),
  }
}
