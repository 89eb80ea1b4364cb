import type { Predicate } from './find-slices.ts'
import { rowsOfSlice } from './slice-rows.ts'

/**
 * For each slice the indices of earlier ones that it repeats: one contains the other's rows, or they share at least `jaccard` of their
 * union. A slice that repeats none represents its group. O(k · n · predicates + k² · n/32).
 */
export function overlapsOf(
  codes: readonly Int32Array[],
  slices: readonly { readonly predicates: readonly Predicate[] }[],
  { jaccard }: { readonly jaccard: number } = { jaccard: 0.5 },
): number[][] {
  const nRows = codes[0]?.length ?? 0
  const sets = slices.map((slice) => rowSet(rowsOfSlice(codes, slice.predicates, nRows), nRows))
  return sets.map((own, i) => {
    const repeated: number[] = []
    for (let j = 0; j < i; j++) {
      const other = sets[j]!
      const shared = nShared(own.bits, other.bits)
      const nested = shared === Math.min(own.size, other.size)
      if (nested || shared >= jaccard * (own.size + other.size - shared)) repeated.push(j)
    }
    return repeated
  })
}

/** Groups for display: each slice joins the group of the first slice that it repeats; groups and members keep the order of the list. */
export function groupsOf(overlaps: readonly (readonly number[])[]): number[][] {
  const groups: number[][] = []
  const groupOf: number[][] = []
  for (const [i, repeated] of overlaps.entries()) {
    const group = repeated.length === 0 ? [] : groupOf[repeated[0]!]!
    if (repeated.length === 0) groups.push(group)
    group.push(i)
    groupOf[i] = group
  }
  return groups
}

interface RowSet {
  readonly bits: Uint32Array
  readonly size: number
}

function rowSet(rows: Int32Array, nRows: number): RowSet {
  const bits = new Uint32Array((nRows + 31) >>> 5)
  for (const row of rows) bits[row >>> 5]! |= 1 << (row & 31)
  return { bits, size: rows.length }
}

function nShared(a: Uint32Array, b: Uint32Array): number {
  let count = 0
  for (let i = 0; i < a.length; i++) count += nBits(a[i]! & b[i]!)
  return count
}

function nBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
