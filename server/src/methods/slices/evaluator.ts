import type { CancelToken } from '../cancel.ts'

/** Size, summed error and largest error of a list of slices, one entry a slice, in the order of the list. */
export interface Statistics {
  readonly sizes: Float64Array
  readonly sums: Float64Array
  readonly maxima: Float64Array
}

/** Level 1 of the lattice: every value of every column, ascending by column, then code. An atom is named by its index here. */
export interface Atoms {
  readonly columns: Int32Array
  readonly codes: Int32Array
  readonly statistics: Statistics
}

/**
 * A list of slices of `depth` predicates each: slice i is the conjunction of atoms[i·depth … i·depth + depth − 1], ascending, and the
 * list is sorted lexicographically, so that neighbours share prefixes. Any contiguous part of a list is a list again (shards).
 */
export interface Candidates {
  readonly depth: number
  readonly count: number
  readonly atoms: Int32Array
}

export interface Totals {
  readonly nRows: number
  readonly sumError: number
  readonly maxError: number
}

/**
 * The only thing that looks at rows. The search asks for the atoms once, then for the statistics of lists of candidates, level by level;
 * so rows may lie in typed arrays, be spread over workers, or stay in a database that answers with aggregates.
 */
export interface Evaluator {
  readonly totals: Totals
  atoms(token?: CancelToken): Promise<Atoms>
  /** Candidates name only atoms of at least the support that the search was given. */
  evaluate(candidates: Candidates, token?: CancelToken): Promise<Statistics>
}

export function newStatistics(count: number): Statistics {
  return { sizes: new Float64Array(count), sums: new Float64Array(count), maxima: new Float64Array(count) }
}
