import type { CancelToken } from '../cancel.ts'
import { countSlices } from './count-slices.ts'
import type { Evaluator } from './evaluator.ts'
import { type FoundSlice, type FoundSlices, findSlices, type SliceOptions, searchSlices } from './find-slices.ts'
import { checkErrors } from './input.ts'
import { overlapsOf } from './overlaps.ts'
import { replicate } from './replicate.ts'
import { describeSlices, fewRowsNote, type SliceStatistics } from './statistics.ts'

export interface DiscoverOptions extends SliceOptions {
  /** Only slices with a q-value of at most this are kept; all of them unless given. */
  readonly falseDiscoveryRate?: number
  /** Of the same rows; one that records, or that knows an earlier lattice. In memory, from the codes, unless given. */
  readonly evaluator?: Evaluator
}

export interface DescribedSlice extends FoundSlice, SliceStatistics {
  /** Found on one half of the rows alone and confirmed on the other. */
  readonly replicated: boolean
  /** Indices of earlier slices of this list that it repeats: nested, or half of the union shared. */
  readonly overlaps: readonly number[]
}

export interface Discovered extends Omit<FoundSlices, 'slices'> {
  readonly slices: readonly DescribedSlice[]
  /** How many slices there were before false discoveries were controlled. */
  readonly nFound: number
  /** All slices of sufficient size: what the q-values are over. */
  readonly hypotheses: number
  /** Of the slices found on either half of the rows, the share that the other half confirms. */
  readonly replicationRate?: number
  /** Sentences for people, such as that rows are few. */
  readonly notes: readonly string[]
}

/**
 * `findSlices` (same codes, errors, order and exceptions) with all that one may say about its answer: p- and q-values, intervals and effect
 * sizes (`statistics.ts`), whether each slice holds on a half of the rows that did not choose it (`replicate.ts`), and which earlier ones it
 * repeats (`overlaps.ts`). `rng`, in [0, 1), draws the halves: hand the rows over in an order that does not depend on where they came
 * from, if the answer is not to. Costs about three searches, and one count of all slices of sufficient size.
 */
export async function discoverSlices(
  codes: readonly Int32Array[],
  errors: Float64Array,
  options: DiscoverOptions,
  rng: () => number,
  token?: CancelToken,
): Promise<Discovered> {
  const found = await search(codes, errors, options, token)
  const hypotheses = await countSlices(codes, options, token)
  const statistics = describeSlices(codes, errors, found.slices, { hypotheses })
  const rate = options.falseDiscoveryRate
  const kept = found.slices
    .map((slice, i) => ({ ...slice, ...statistics[i]! }))
    .filter((slice) => rate === undefined || slice.qValue <= rate)
  const { replicated, rate: replicationRate } = await replicate(codes, errors, kept, options, rng, token)
  const overlaps = overlapsOf(codes, kept)
  const note = found.meanError > 0 ? fewRowsNote(errors, { support: options.support, hypotheses, rate: rate ?? 0.05 }) : undefined
  return {
    ...found,
    slices: kept.map((slice, i) => ({ ...slice, replicated: replicated[i]!, overlaps: overlaps[i]! })),
    nFound: found.slices.length,
    hypotheses,
    replicationRate,
    notes: note === undefined ? [] : [note],
  }
}

function search(codes: readonly Int32Array[], errors: Float64Array, options: DiscoverOptions, token?: CancelToken): Promise<FoundSlices> {
  if (options.evaluator === undefined) return findSlices(codes, errors, options, token)
  checkErrors(codes, errors)
  return searchSlices(options.evaluator, codes.length, options, token)
}
