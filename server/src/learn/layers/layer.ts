import type { Ops } from '../ops.ts'

/**
 * What a layer knows: its output, the tangent of that, the cotangents, and the tangents of the cotangents (the R-operator; Pearlmutter 1994,
 * Neural Computation 6). Nothing is taped: every derivative is a forward computation from the layer's input and output. A tensor [n, m] has its
 * t tangents beside it as [n, t, m]. An absent tangent or cotangent of an input means that nobody asks for it (the first layer) or that it is zero.
 */
export interface Layer {
  /** Number of parameter tensors. */
  readonly parameters: number
  forward<T>(ops: Ops<T>, at: Point<T>): T
  jvp<T>(ops: Ops<T>, at: Solved<T>, moving: Moving<T>): T
  backward<T>(ops: Ops<T>, at: Solved<T>, cotangent: T, wanted: Wanted): Cotangents<T>
  rop<T>(ops: Ops<T>, at: Solved<T>, moving: Moved<T>, cotangent: T, cotangentTangent: T, wanted: Wanted): Cotangents<T>
}

/** Which cotangents are computed at all. */
export type Wanted = 'both' | 'input' | 'parameters'

export interface Point<T> {
  readonly parameters: readonly T[]
  readonly input: T
}

export interface Solved<T> extends Point<T> {
  readonly output: T
}

export interface Moving<T> {
  /** How many tangents. */
  readonly count: number
  /** The directions of the parameters, [rows, t·columns] each. */
  readonly parameters: readonly T[]
  readonly input?: T | undefined
}

export interface Moved<T> extends Moving<T> {
  readonly output: T
}

export interface Cotangents<T> {
  readonly parameters: readonly T[]
  readonly input?: T | undefined
}

/** What ends a network: outputs before the link (logits, values) to a loss for each row. */
export interface Head {
  /** What is kept of the outputs: probabilities, or the values themselves. All but the loss comes from these. */
  predict<T>(ops: Ops<T>, outputs: T): T
  /** ℓ(z), [n, 1]. */
  losses<T>(ops: Ops<T>, outputs: T, targets: T): T
  /** ∂ℓ/∂outputs. */
  cotangent<T>(ops: Ops<T>, predictions: T, targets: T): T
  /** Its tangents, [n, t, m], given those of the outputs. */
  cotangentTangent<T>(ops: Ops<T>, predictions: T, outputTangent: T): T
  /** Σ_c weights_c · ∂prediction_c/∂outputs. */
  pull<T>(ops: Ops<T>, predictions: T, weights: T): T
}
