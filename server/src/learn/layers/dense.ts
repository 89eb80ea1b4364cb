import type { Layer } from './layer.ts'

/** x·W + b. t directions of the weights are one product, [n, h]·[h, t·m]; so are the t tangents of their cotangent. */
export function dense(inputs: number, outputs: number): Layer {
  return {
    parameters: 2,
    forward: (ops, { parameters: [weights, bias], input }) => ops.add(ops.matMul(input, weights!), bias!),

    jvp(ops, { parameters: [weights], input }, { parameters: [weightTangents, biasTangents], input: inputTangent, count }) {
      const own = ops.reshape(ops.matMul(input, weightTangents!), [-1, count, outputs])
      const moved = ops.add(own, ops.reshape(biasTangents!, [1, count, outputs]))
      if (inputTangent === undefined) return moved
      const carried = ops.matMul(ops.reshape(inputTangent, [-1, inputs]), weights!)
      return ops.add(moved, ops.reshape(carried, [-1, count, outputs]))
    },

    backward: (ops, { parameters: [weights], input }, cotangent, wanted) => ({
      parameters: wanted === 'input' ? [] : [ops.transposedMatMul(input, cotangent), ops.sum(cotangent, 0, 'keep')],
      input: wanted === 'parameters' ? undefined : ops.matMul(cotangent, ops.transpose(weights!)),
    }),

    rop(ops, { parameters: [weights], input }, { parameters: [weightTangents], input: inputTangent, count }, cotangent, tangent, wanted) {
      let moved = ops.transposedMatMul(input, ops.reshape(tangent, [-1, count * outputs]))
      if (inputTangent !== undefined) {
        const carried = ops.transposedMatMul(ops.reshape(inputTangent, [-1, count * inputs]), cotangent)
        const sorted = ops.transpose(ops.reshape(carried, [count, inputs, outputs]), [1, 0, 2])
        moved = ops.add(moved, ops.reshape(sorted, [inputs, count * outputs]))
      }
      const bias = ops.reshape(ops.sum(tangent, 0, 'keep'), [1, count * outputs])
      if (wanted === 'parameters') return { parameters: [moved, bias] }
      const through = ops.matMul(ops.reshape(tangent, [-1, outputs]), ops.transpose(weights!))
      const turned = ops.transpose(ops.reshape(weightTangents!, [inputs, count, outputs]), [2, 1, 0])
      const own = ops.matMul(cotangent, ops.reshape(turned, [outputs, count * inputs]))
      return { parameters: [moved, bias], input: ops.add(ops.reshape(through, [-1, count, inputs]), ops.reshape(own, [-1, count, inputs])) }
    },
  }
}
