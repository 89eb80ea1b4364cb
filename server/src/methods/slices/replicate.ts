import type { CancelToken } from '../cancel.ts'
import { type FoundSlice, findSlices, type Predicate, type SliceOptions } from './find-slices.ts'
import { rowsOfSlice, takeRows } from './slice-rows.ts'
import { pValueOf } from './statistics.ts'

export interface Replication {
  /** For each slice given: found again by searching one half of the rows alone, and confirmed on the other half. */
  readonly replicated: readonly boolean[]
  /** Of all slices found on either half, the share that the other half confirms; undefined if none was found. */
  readonly rate: number | undefined
}

/**
 * Do the slices hold on rows that had no say in choosing them? The rows are split at random into halves; each half is searched with half
 * the support, and what it finds is tested on the other, where it is confirmed if p ≤ 0.05 for a higher mean error than the rest's.
 * (Testing slices chosen on all rows on a part of these would confirm noise too.) Costs about one search more.
 */
export async function replicate(
  codes: readonly Int32Array[],
  errors: Float64Array,
  slices: readonly { readonly predicates: readonly Predicate[] }[],
  options: SliceOptions,
  rng: () => number,
  token?: CancelToken,
): Promise<Replication> {
  if (errors.length < 2) return { replicated: slices.map(() => false), rate: undefined }
  const [first, second] = halves(errors.length, rng)
  const parts = [partOf(codes, errors, first), partOf(codes, errors, second)] as const
  const search = { ...options, support: Math.max(1, Math.ceil(options.support / 2)), onLevel: undefined }
  const confirmed = new Set<string>()
  let nFound = 0
  let nConfirmed = 0
  for (const [here, there] of [parts, [parts[1], parts[0]]] as const) {
    const found = await findSlices(here.codes, here.errors, search, token)
    for (const slice of found.slices) {
      nFound++
      if (!holds(slice, there)) continue
      nConfirmed++
      confirmed.add(keyOf(slice))
    }
  }
  return { replicated: slices.map((slice) => confirmed.has(keyOf(slice))), rate: nFound === 0 ? undefined : nConfirmed / nFound }
}

/** Two disjoint random sets of rows, ascending, that differ by at most one in size. */
export function halves(nRows: number, rng: () => number): [Int32Array, Int32Array] {
  const shuffled = Int32Array.from({ length: nRows }, (_, row) => row)
  for (let i = nRows - 1; i > 0; i--) {
    const j = Math.floor(rng() * (i + 1))
    const held = shuffled[i]!
    shuffled[i] = shuffled[j]!
    shuffled[j] = held
  }
  return [shuffled.slice(0, nRows >> 1).sort(), shuffled.slice(nRows >> 1).sort()]
}

interface Half {
  readonly codes: readonly Int32Array[]
  readonly errors: Float64Array
}

function partOf(codes: readonly Int32Array[], errors: Float64Array, rows: Int32Array): Half {
  return { codes: codes.map((values) => takeRows(values, rows)), errors: takeRows(errors, rows) }
}

function holds(slice: FoundSlice, { codes, errors }: Half): boolean {
  return pValueOf(errors, rowsOfSlice(codes, slice.predicates, errors.length)) <= 0.05
}

function keyOf({ predicates }: { readonly predicates: readonly Predicate[] }): string {
  return predicates.map(({ column, code }) => `${column}=${code}`).join()
}
