import type { Layer } from './layer.ts'

/** [n, …shape] → [n, size]: pictures to rows. */
export function flatten(shape: readonly number[]): Layer {
  const size = shape.reduce((product, extent) => product * extent, 1)
  return {
    parameters: 0,
    forward: (ops, { input }) => ops.reshape(input, [-1, size]),
    jvp(ops, _, { input: inputTangent, count }) {
      if (inputTangent === undefined) throw new Error('The tangent of constant pictures is zero and is never asked for.')
      return ops.reshape(inputTangent, [-1, count, size])
    },
    backward: (ops, _, cotangent, wanted) => ({
      parameters: [],
      input: wanted === 'parameters' ? undefined : ops.reshape(cotangent, [-1, ...shape]),
    }),
    rop: (ops, _, { count }, _cotangent, tangent, wanted) => ({
      parameters: [],
      input: wanted === 'parameters' ? undefined : ops.reshape(tangent, [-1, count, ...shape]),
    }),
  }
}
