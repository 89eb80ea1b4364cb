/**
 * The few tensor operations that layers are written with. A backend implements them eagerly (tfjs, our float64 loops) or records them into a
 * graph (ONNX Runtime): layers are written once. Shapes are row-major; binary operations broadcast as numpy does; `-1` in `reshape` is the
 * rows of the batch, the one dimension that a recorded graph does not know.
 * Tangents: a tensor [n, m] with t tangents beside it is [n, t, m], so that t directions are one product (x·[V₁ … V_t]).
 */
export interface Ops<T> {
  constant(values: readonly number[], shape: readonly number[]): T
  /** Two-dimensional: [n, d] · [d, m]. */
  matMul(a: T, b: T): T
  /** aᵀ·b for [n, d] and [n, m]: the product that sums over the rows of a batch. A backend does it in the way that is fastest there. */
  transposedMatMul(a: T, b: T): T
  /** Two-dimensional, or by the order of axes given. */
  transpose(a: T, axes?: readonly number[]): T
  add(a: T, b: T): T
  sub(a: T, b: T): T
  mul(a: T, b: T): T
  div(a: T, b: T): T
  scale(a: T, factor: number): T
  sqrt(a: T): T
  relu(a: T): T
  /** 1 where a > 0, else 0. */
  step(a: T): T
  tanh(a: T): T
  sigmoid(a: T): T
  /** Over the last axis, stable. */
  softmax(a: T): T
  /** log Σ exp over the last axis, kept as size 1; stable. */
  logSumExp(a: T): T
  sum(a: T, axis: number, keep: 'keep' | 'drop'): T
  reshape(a: T, shape: readonly number[]): T
  /** Rows of a matrix by their numbers from 0, [n]. */
  rowsAt(a: T, numbers: T): T
}
