import { type ConfusionIndex, type ConfusionRanking, liftsOf } from './rank-by-confusion.ts'
import { nthLargest } from './rank-by-spectrum.ts'
import { residentIndex } from './spectral-kernel.ts'

/**
 * An index whose rows lie by pair of classes, and of each pair the confident ones together: of 16 rows that are read at once all have the same lift, so that a ranking
 * by confusions asks a group for its largest sum and for what it gains, and looks into those alone that hold one of the best.
 */
export interface ConfusionKernel {
  readonly bytes: number
  /**
   * As `rankByConfusion`, by the first eigenvectors, as many as the query has coordinates. k·n operations of the kernel, and O(n/16). Sums are in float32. Undefined
   * where there are too few groups above 0 or too many ties, or where sums could overflow.
   */
  rank(queryGradient: ArrayLike<number>, top: number): ConfusionRanking | undefined
}

/** More rows than this, for pairs that fill a group only in part, are not worth it. */
const MOST_PADDED = 1.5

/** O(k·n), once. Undefined where the platform has no SIMD or pairs are too small. */
export function confusionKernel({ k, n, b, classes, pairs, confident }: ConfusionIndex): ConfusionKernel | undefined {
  const kinds = 2 * classes * classes
  const kindOf = (z: number) => 2 * pairs[z]! + (confident[z] === 0 ? 0 : 1)
  const counts = new Int32Array(kinds)
  for (let z = 0; z < n; z++) counts[kindOf(z)]!++
  const nGroups = counts.reduce((sum, count) => sum + Math.ceil(count / 16), 0)
  if (16 * nGroups > MOST_PADDED * n) return undefined
  const next = new Int32Array(kinds)
  const kinded = new Int32Array(nGroups)
  for (let kind = 0, group = 0; kind < kinds; kind++) {
    next[kind] = 16 * group
    const end = group + Math.ceil(counts[kind]! / 16)
    kinded.fill(kind, group, end)
    group = end
  }
  /** The row at a place; −1 where there is none. */
  const rowAt = new Int32Array(16 * nGroups).fill(-1)
  const placeOf = new Int32Array(n)
  for (let z = 0; z < n; z++) {
    placeOf[z] = next[kindOf(z)]!++
    rowAt[placeOf[z]!] = z
  }
  const turned = new Float32Array(k * rowAt.length)
  for (let l = 0; l < k; l++) for (let z = 0; z < n; z++) turned[l * rowAt.length + placeOf[z]!] = b[l * n + z]!
  const { kernel } = residentIndex({ k, n: rowAt.length, b: turned })
  if (!kernel) return undefined
  const bests = new Float32Array(nGroups)
  return {
    bytes: 4 * (k + 3) * rowAt.length,
    rank: (q, top) => {
      const wanted = Math.max(0, Math.min(n, Math.trunc(top)))
      if (q.length === 0 || q.length > k || wanted === 0 || wanted > nGroups) return undefined
      const some = kernel.first(q.length)
      let size = 0
      for (let l = 0; l < q.length; l++) {
        some.query[l] = q[l]!
        size += Math.abs(q[l]!) * some.largest[l]!
      }
      if (!(size < 1e36)) return undefined
      const { sums, numbers, counts: above } = some.groups()
      const gains = new Float64Array(classes * classes)
      let rows = 0
      for (let g = 0; g < nGroups; g++) {
        const kind = kinded[g]!
        if ((kind & 1) === 0) continue
        gains[kind >> 1]! += numbers[3 * g]!
        rows += above[3 * g + 2]!
      }
      const { lifts, most, standsOut } = liftsOf(classes, gains, rows)
      for (let g = 0; g < nGroups; g++) bests[g] = (numbers[3 * g + 1]! * lifts[kinded[g]! >> 1]!) / most
      const threshold = nthLargest(bests.slice(), wanted - 1)
      // Below 0 lifts do not count, and places without a row are 0.
      if (!(threshold > 0)) return undefined
      const best: { readonly row: number; readonly value: number }[] = []
      for (let g = 0; g < nGroups; g++) {
        if (bests[g]! < threshold) continue
        if (best.length > 32 * wanted + 1024) return undefined
        const lift = lifts[kinded[g]! >> 1]!
        for (let place = 16 * g; place < 16 * g + 16; place++) {
          const value = Math.fround((sums[place]! * lift) / most)
          if (value >= threshold) best.push({ row: rowAt[place]!, value })
        }
      }
      best.sort((one, other) => other.value - one.value || one.row - other.row)
      const ranking = { rows: new Int32Array(wanted), influence: new Float32Array(wanted) }
      for (let i = 0; i < wanted; i++) {
        ranking.rows[i] = best[i]!.row
        ranking.influence[i] = best[i]!.value
      }
      return standsOut ? { ...ranking, standsOut } : ranking
    },
  }
}
