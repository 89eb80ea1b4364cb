import type { Ranking, SpectralIndex } from './rank-by-spectrum.ts'
import { rankBySpectrum, spectralSums } from './rank-by-spectrum.ts'

/**
 * A ranking that also asks which confusion the blame concentrates on. Wrong labels that come from one cause share a pair (given class, class that the
 * model takes the row for); ambiguous rows spread over all pairs. A pair whose confident gains exceed twice the background of the others is lifted.
 * Ours; measured against Rain and Rain++ in test/bench/RESULTS.md.
 */
export interface ConfusionIndex extends SpectralIndex {
  readonly classes: number
  /** given·classes + alternative, of every row. */
  readonly pairs: Int32Array
  /** 1 where the model is at least as sure of the alternative as it is of rows that carry that label. */
  readonly confident: Uint8Array
}

export interface ConfusionRanking extends Ranking {
  /** The pair that stands out most, where one does. */
  readonly standsOut?: { readonly given: number; readonly alternative: number; readonly lift: number }
}

/**
 * `influence` is Σ_l query_l·b_l,z where the row's pair has the greatest lift, and less by the ratio of the lifts elsewhere: the order is that of
 * sum × lift, the unit that of the query. k·n + O(n) operations. Ties by row.
 */
export function rankByConfusion(index: ConfusionIndex, queryGradient: ArrayLike<number>, top: number): ConfusionRanking {
  const { n, pairs } = index
  const sums = sumsOf(index, queryGradient)
  const { lifts, most, standsOut } = confusionLifts(index, sums)
  for (let z = 0; z < n; z++) if (sums[z]! > 0) sums[z] = (sums[z]! * lifts[pairs[z]!]!) / most
  const ranking = rankBySpectrum({ k: 1, n, b: sums }, ONE, top)
  return standsOut ? { ...ranking, standsOut } : ranking
}

export interface Lifts {
  /** Of each pair, from 1. */
  readonly lifts: Float64Array
  readonly most: number
  readonly standsOut: ConfusionRanking['standsOut']
}

/** From the sums of all confident rows; others are not looked at. */
export function confusionLifts(
  { n, classes, pairs, confident }: Pick<ConfusionIndex, 'n' | 'classes' | 'pairs' | 'confident'>,
  sums: Float32Array,
): Lifts {
  const gains = new Float64Array(classes * classes)
  let rows = 0
  for (let z = 0; z < n; z++) {
    const gain = sums[z]!
    if (!(gain > 0) || confident[z] === 0) continue
    gains[pairs[z]!]! += gain
    rows++
  }
  return liftsOf(classes, gains, rows)
}

/** From what the confident rows of each pair gain together, and how many of all confident rows gain at all. O(classes²). */
export function liftsOf(classes: number, gains: Float64Array, rows: number): Lifts {
  const total = gains.reduce((sum, gain) => sum + gain, 0)
  // The background of a pair: what the others have on average (of one given class), and one average row more, so that a single lucky row lifts nothing.
  const lifts = gains.map((gain) => (total > 0 ? Math.max(1, gain / (2 * ((total - gain) / Math.max(1, classes - 1) + total / rows))) : 1))
  const most = lifts.reduce((highest, lift) => Math.max(highest, lift), 1)
  const pair = lifts.indexOf(most)
  const standsOut = most === 1 ? undefined : { given: Math.floor(pair / classes), alternative: pair % classes, lift: most }
  return { lifts, most, standsOut }
}

const ONE = Float32Array.of(1)

/** In float32 where the index is resident: off by at most (k + 2)·2⁻²⁴·Σ|q_l·b_l|, which the ranking below takes as it is. */
function sumsOf(index: ConfusionIndex, queryGradient: ArrayLike<number>): Float32Array {
  const { k, kernel } = index
  if (!kernel || queryGradient.length !== k) return spectralSums(index, queryGradient)
  for (let l = 0; l < k; l++) kernel.query[l] = queryGradient[l]!
  return kernel.all()
}
