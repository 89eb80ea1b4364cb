/**
 * What the engine asks of a learner: a model's architecture bound to one table of examples on one backend. Everything is exact up to float32
 * sums; sums over rows are accumulated in float64 in a fixed order. Parameters cross as one flat Float64Array, layer by layer, weights
 * (row-major, inputs × outputs) before biases. ℓ(z) is the loss of one example *without* the regulariser.
 * The objective is (1/n) Σ ℓ(z) + l2/2·‖θ‖² over all parameters, biases included (cross-entropy; ½ squared error).
 */
export interface Architecture {
  readonly task: 'classification' | 'regression'
  readonly inputs: number
  /** Widths of the hidden layers; none: linear or logistic. */
  readonly hidden: readonly number[]
  readonly activation: 'relu' | 'tanh' | 'sigmoid'
  /** Number of classes, or 1. */
  readonly outputs: number
  readonly l2: number
}

export interface Examples {
  readonly rows: number
  /** Row-major rows × inputs. */
  readonly x: Float32Array
  /** Class indices, or values; absent where only predictions are asked for. */
  readonly y?: Int32Array | Float32Array
}

export interface TrainOptions {
  readonly epochs: number
  readonly batch: number
  readonly seed: number
  /** Epochs without improvement on `validation` before training stops. */
  readonly patience?: number
  readonly validation?: Examples
  /** Start here (convex models) instead of at zero. */
  readonly from?: Float64Array
  /** Gradient norm at which a convex model has converged; 1e-4 unless given. */
  readonly tolerance?: number
}

export interface Fitted {
  readonly theta: Float64Array
  /** The objective's value, regulariser included. */
  readonly loss: number
  readonly gradientNorm: number
  /** Epochs (Adam) or iterations (L-BFGS). */
  readonly epochs: number
  /** Passes over the data: evaluations of the gradient. */
  readonly passes: number
  readonly converged: boolean
}

/** Called between batches; throws `Cancelled` to stop. */
export type Breathe = () => Promise<void> | void
export type Progress = (stage: string, done: number, of: number) => void

export interface Session {
  readonly architecture: Architecture
  readonly rows: number
  readonly parameters: number
  train(options: TrainOptions, breathe: Breathe, progress: Progress): Promise<Fitted>
  /** The mean objective and its gradient. */
  gradient(theta: Float64Array, breathe: Breathe): Promise<{ loss: number; gradient: Float64Array }>
  /** H·v of the mean objective (l2 included) for each v, one pass over the data for the whole block. Activations at the same θ are kept between calls where memory allows. */
  hessianProducts(theta: Float64Array, vectors: readonly Float64Array[], breathe: Breathe): Promise<Float64Array[]>
  /** ⟨v_t, ∇ℓ(z)⟩ for every row: t × rows, one row per vector. */
  lossTangents(theta: Float64Array, vectors: readonly Float64Array[], breathe: Breathe): Promise<Float32Array>
  /** ⟨v_t, ∇ output_c(z)⟩ before the softmax: t × rows × outputs. */
  outputTangents(theta: Float64Array, vectors: readonly Float64Array[], breathe: Breathe): Promise<Float32Array>
  /** Probabilities (rows × classes), or values (rows × 1). */
  predict(theta: Float64Array, breathe: Breathe): Promise<Float32Array>
  /** ℓ(z) of every row. */
  losses(theta: Float64Array, breathe: Breathe): Promise<Float32Array>
  /** Σ_z Σ_c weights[z·outputs + c]·∇ p_c(z) (probabilities; values for regression): the gradient of a relaxed query. */
  weightedGradient(theta: Float64Array, weights: Float32Array, breathe: Breathe): Promise<Float64Array>
  /** Passes over the data so far, by kind; for tests and benchmarks. */
  readonly passes: Readonly<Record<string, number>>
  dispose(): void
}

/** A rung of the ladder, loaded and tested. */
export interface Backend {
  readonly name: string
  readonly device: string
  /** "passed", or the capability that failed. */
  readonly selfTest: string
  open(architecture: Architecture, examples: Examples): Promise<Session>
  dispose(): Promise<void>
}
