import type { Ops } from './ops.ts'

/**
 * A pass is a pure function from named tensors to named tensors, over one batch of rows, written against `Ops` and nothing else. It declares
 * the shapes of both (−1: the rows of the batch), so that a backend may run it call by call or record it once into a graph.
 */
export interface Pass {
  /** Unique for what the pass computes: backends cache what they compile under it. */
  readonly name: string
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly OutputSpec[]
  build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T>
}

export interface TensorSpec {
  readonly name: string
  readonly shape: readonly number[]
}

export interface OutputSpec extends TensorSpec {
  /** `rows`: one entry for each row of the batch. `sum`: summed over the batch; add up over batches. `state`: replaces what it was made from. */
  readonly over: 'rows' | 'sum' | 'state'
}

export type Values = Float32Array | Float64Array
export type Named<H> = Readonly<Record<string, H>>

/** A pass made runnable. Where a device works in place, `into` are tensors that results of these names are written to; they stay the caller's. */
export type Run<H> = (inputs: Named<H>, into?: Named<H>) => Promise<Named<H>>

/**
 * What a backend provides: tensors by handle, and passes made runnable. A session is written once on top of this. Handles live until released;
 * `run` takes inputs without consuming them and gives outputs that the caller owns.
 */
export interface Device<H> {
  /** `resident`: will be an input of many passes, so a device may prepare it (keep its transpose, say). The values must not change before it is released. */
  upload(values: Values, shape: readonly number[], use: 'resident' | 'passing'): H
  read(handle: H): Promise<Values>
  release(handle: H): void
  compile(pass: Pass): Promise<Run<H>>
  /** What is uploaded is not copied: who writes to a `Float32Array` changes what the next pass reads, and results may be asked to go into what was uploaded. */
  readonly inPlace?: true
  /** Inputs are read where they lie: a large one of which a pass reads little costs no more than that. */
  readonly readsInPlace?: true
  /** Multiplications and additions that take about 50 ms: the work of one batch. */
  readonly batchWork: number
  /** Bytes that examples and activations may occupy between passes. */
  readonly memory: number
}
