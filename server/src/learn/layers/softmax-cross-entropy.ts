import type { Head } from './layer.ts'

/** Classes: ℓ = log Σ exp(z) − z_y with one-hot targets; predictions are probabilities. */
export function softmaxCrossEntropy(classes: number): Head {
  return {
    predict: (ops, outputs) => ops.softmax(outputs),
    losses: (ops, outputs, targets) => ops.sub(ops.logSumExp(outputs), ops.sum(ops.mul(outputs, targets), 1, 'keep')),
    cotangent: (ops, predictions, targets) => ops.sub(predictions, targets),
    // p∘(z' − Σ p∘z')
    cotangentTangent(ops, predictions, outputTangent) {
      const p = ops.reshape(predictions, [-1, 1, classes])
      const weighted = ops.mul(outputTangent, p)
      return ops.sub(weighted, ops.mul(ops.sum(weighted, 2, 'keep'), p))
    },
    pull(ops, predictions, weights) {
      const weighted = ops.mul(weights, predictions)
      return ops.sub(weighted, ops.mul(ops.sum(weighted, 1, 'keep'), predictions))
    },
  }
}
