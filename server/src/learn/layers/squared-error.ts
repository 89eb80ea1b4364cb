import type { Head } from './layer.ts'

/** Values: ℓ = ½ Σ (z − y)²; predictions are the outputs themselves. */
export const squaredError: Head = {
  predict: (_, outputs) => outputs,
  losses(ops, outputs, targets) {
    const difference = ops.sub(outputs, targets)
    return ops.scale(ops.sum(ops.mul(difference, difference), 1, 'keep'), 0.5)
  },
  cotangent: (ops, predictions, targets) => ops.sub(predictions, targets),
  cotangentTangent: (_, _predictions, outputTangent) => outputTangent,
  pull: (_, _predictions, weights) => weights,
}
