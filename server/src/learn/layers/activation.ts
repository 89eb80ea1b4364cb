import type { Ops } from '../ops.ts'
import type { Layer } from './layer.ts'

/** An elementwise function a = f(z), whose derivatives are written in terms of a: the layer's input is never needed again. */
interface Elementwise {
  value<T>(ops: Ops<T>, z: T): T
  /** f'(z) */
  slope<T>(ops: Ops<T>, a: T): T
  /** f''(z)/f'(z), absent where f'' is 0. */
  bend?<T>(ops: Ops<T>, a: T): T
}

const relu: Elementwise = {
  value: (ops, z) => ops.relu(z),
  slope: (ops, a) => ops.step(a),
}

const tanh: Elementwise = {
  value: (ops, z) => ops.tanh(z),
  slope: (ops, a) => ops.sub(ops.constant([1], [1, 1]), ops.mul(a, a)),
  bend: (ops, a) => ops.scale(a, -2),
}

const sigmoid: Elementwise = {
  value: (ops, z) => ops.sigmoid(z),
  slope: (ops, a) => ops.mul(a, ops.sub(ops.constant([1], [1, 1]), a)),
  bend: (ops, a) => ops.sub(ops.constant([1], [1, 1]), ops.scale(a, 2)),
}

export const activations = { relu: layer(relu), tanh: layer(tanh), sigmoid: layer(sigmoid) } as const

function layer(f: Elementwise): (width: number) => Layer {
  return (width) => ({
    parameters: 0,
    forward: (ops, { input }) => f.value(ops, input),

    jvp(ops, { output }, { input: inputTangent }) {
      if (inputTangent === undefined) throw new Error('An activation cannot be the first layer.')
      return ops.mul(inputTangent, ops.reshape(f.slope(ops, output), [-1, 1, width]))
    },

    backward: (ops, { output }, cotangent) => ({ parameters: [], input: ops.mul(cotangent, f.slope(ops, output)) }),

    // d(δ·f'(z)) = δ'·f'(z) + δ·f''(z)·z', and a' = f'(z)·z', so the last is δ·(f''/f')·a'.
    rop(ops, { output }, moved, cotangent, tangent) {
      const through = ops.mul(tangent, ops.reshape(f.slope(ops, output), [-1, 1, width]))
      if (f.bend === undefined) return { parameters: [], input: through }
      const bent = ops.reshape(ops.mul(cotangent, f.bend(ops, output)), [-1, 1, width])
      return { parameters: [], input: ops.add(through, ops.mul(moved.output, bent)) }
    },
  })
}
