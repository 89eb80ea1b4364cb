import type { Ranking, SpectralIndex } from './rank-by-spectrum.ts'
import { nthLargest, rankBySpectrum, spectralSums } from './rank-by-spectrum.ts'

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
  /** From `confidentRows`: those rows need not be looked for. */
  readonly sure?: ConfidentRows
}

/** The rows that the model is sure about, in rising order, and their pairs. */
export interface ConfidentRows {
  readonly rows: Int32Array
  readonly pairs: Int32Array
}

/** What depends on the index alone. O(n), once. */
export function confidentRows({ pairs, confident }: Pick<ConfusionIndex, 'pairs' | 'confident'>): ConfidentRows {
  const rows = new Int32Array(confident.length)
  let n = 0
  for (let z = 0; z < confident.length; z++) if (confident[z] !== 0) rows[n++] = z
  const own = rows.slice(0, n)
  return { rows: own, pairs: own.map((z) => pairs[z]!) }
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
  const sure = index.sure ?? confidentRows(index)
  const sums = sumsOf(index, queryGradient)
  const { lifts, most, standsOut } = liftsOf(index.classes, sums, sure)
  const lifted = (z: number, sum: number) => (sum > 0 ? Math.fround((sum * lifts[index.pairs[z]!]!) / most) : sum)
  const ranking = bestOf(sums, { sure, top, lifted }) ?? rankAll(sums, { top, lifted })
  return standsOut ? { ...ranking, standsOut } : ranking
}

interface Wanted {
  readonly top: number
  /** What a sum counts as: no more than itself. */
  readonly lifted: (row: number, sum: number) => number
}

function rankAll(sums: Float32Array, { top, lifted }: Wanted): Ranking {
  const b = sums.map((sum, z) => lifted(z, sum))
  return rankBySpectrum({ k: 1, n: b.length, b }, ONE, top)
}

/**
 * The same, from a threshold: no row below the last of the best confident ones can be among the best, and no sum rises by its lift, so that nearly all rows are
 * passed over at one comparison. Undefined where too few or too many remain.
 */
function bestOf(sums: Float32Array, { sure, top, lifted }: Wanted & { readonly sure: ConfidentRows }): Ranking | undefined {
  const wanted = Math.max(0, Math.min(sums.length, Math.trunc(top)))
  if (wanted === 0 || sure.rows.length < wanted) return undefined
  const own = new Float32Array(sure.rows.length)
  for (let i = 0; i < own.length; i++) {
    const value = lifted(sure.rows[i]!, sums[sure.rows[i]!]!)
    if (Number.isNaN(value)) return undefined
    own[i] = value
  }
  const threshold = nthLargest(own, wanted - 1)
  const most = 4 * wanted + 1024
  const best: { readonly row: number; readonly value: number }[] = []
  for (let z = 0; z < sums.length; z++) {
    if (!(sums[z]! >= threshold)) continue
    const value = lifted(z, sums[z]!)
    if (!(value >= threshold)) continue
    if (best.length === most) return undefined
    best.push({ row: z, value })
  }
  best.sort((a, b) => b.value - a.value || a.row - b.row)
  const ranking = { rows: new Int32Array(wanted), influence: new Float32Array(wanted) }
  for (let i = 0; i < wanted; i++) {
    ranking.rows[i] = best[i]!.row
    ranking.influence[i] = best[i]!.value
  }
  return ranking
}

export interface Lifts {
  /** Of each pair, from 1. */
  readonly lifts: Float64Array
  readonly most: number
  readonly standsOut: ConfusionRanking['standsOut']
}

/** From the sums of all confident rows; others are not looked at. */
export function confusionLifts(index: Pick<ConfusionIndex, 'n' | 'classes' | 'pairs' | 'confident'>, sums: Float32Array): Lifts {
  return liftsOf(index.classes, sums, confidentRows(index))
}

function liftsOf(classes: number, sums: Float32Array, sure: ConfidentRows): Lifts {
  const lifts = pairLifts(classes, sums, sure)
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

function pairLifts(classes: number, sums: Float32Array, { rows, pairs }: ConfidentRows): Float64Array {
  const gains = new Float64Array(classes * classes)
  let total = 0
  let n = 0
  for (let i = 0; i < rows.length; i++) {
    const gain = sums[rows[i]!]!
    if (!(gain > 0)) continue
    gains[pairs[i]!]! += gain
    total += gain
    n++
  }
  // The background of a pair: what the others have on average (of one given class), and one average row more, so that a single lucky row lifts nothing.
  return gains.map((gain) => (total > 0 ? Math.max(1, gain / (2 * ((total - gain) / Math.max(1, classes - 1) + total / n))) : 1))
}
