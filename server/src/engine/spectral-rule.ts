import type { ComplaintTask } from '../plan/plan.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import type { FittedModel } from './models.ts'

/** Which eigenvectors a spectral ranking uses, and how much each counts. */
export function spectralFilter(
  method: ComplaintTask['method'],
  index: DebuggingIndex,
  coefficients: Float64Array,
  model: FittedModel,
): { k: number; filtered: Float32Array; notes: string[] } {
  const asked = method.kind === 'spectral' && method.k !== undefined ? method.k : 10
  const k = Math.min(index.k, asked)
  void model
  return {
    k,
    filtered: Float32Array.from(coefficients.subarray(0, k)),
    notes: k < asked ? [`Only ${k} of ${asked} eigenvalues are positive.`] : [],
  }
}
