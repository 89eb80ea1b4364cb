import type { CancelToken } from '../cancel.ts'
import { countSlices } from './count-slices.ts'
import { hypergeometricUpper } from './distributions.ts'
import { type Objective, type Predicate, searchBest } from './find-slices.ts'
import { checkErrors, checkOptions } from './input.ts'
import { rowEvaluator } from './row-evaluator.ts'
import { rowsOfSlice, takeRows } from './slice-rows.ts'
import { qValues } from './statistics.ts'

export interface DescribeOptions {
  /** At most this many descriptions. */
  readonly top: number
  /** A description matches at least this many marked rows. */
  readonly support: number
  /** Largest number of conditions of one. */
  readonly depth: number
  /** Largest q-value. */
  readonly falseDiscoveryRate: number
}

export interface Description {
  readonly predicates: readonly Predicate[]
  /** Rows that match, and how many of these are marked. */
  readonly rows: number
  readonly marked: number
  /** Marked rows that no description before this one matches: half of its own, or more. */
  readonly adds: number
  /** marked / rows, and marked / all that are marked. */
  readonly precision: number
  readonly coverage: number
  /** The information that matching gives, less what the conditions take to write down, as a share of that of a perfect description: at most 1. */
  readonly score: number
  /** One-sided: at least as many marked rows among so many drawn at random. */
  readonly pValue: number
  /** Benjamini–Hochberg over all `hypotheses`. */
  readonly qValue: number
}

export interface Described {
  readonly descriptions: readonly Description[]
  /** All conjunctions of sufficient size. */
  readonly hypotheses: number
}

/**
 * Short conjunctions of `column = code` that tell marked rows from the others. The score is the information of the rule "what matches is marked" (the
 * J-measure: Smyth & Goodman, IEEE TKDE 4(4), 1992, §III) less ln(number of conditions to choose from) nats for each of its conditions, as a share of the
 * information of a perfect rule: so there is no weight between precision and coverage to set, few marked rows among many do not favour tiny sets,
 * and a condition has to tell more than naming it takes (minimum description length). The best is found exactly; the next one among the rows that
 * those before leave (a sequential cover: Fürnkranz 1999). It must have a q-value of at most the rate there as among all rows, and half of its marked rows
 * must be new, so none repeats another. All figures of a description are over all rows; the list is by score. Does not depend on the order of rows.
 *
 * `codes` as for `findSlices`; `marked` is 1 or 0 a row. Throws RangeError with a sentence on unusable input, `Cancelled` when the token says so. Cost: at most `top` + 1
 * searches, each O(n · Σ_{l ≤ depth} C(d, l)) before pruning, and one count of all conjunctions.
 */
export async function describeRows(
  codes: readonly Int32Array[],
  marked: Uint8Array,
  options: DescribeOptions,
  token?: CancelToken,
): Promise<Described> {
  checkOptions({ ...options, alpha: 1 })
  const marks = Float64Array.from(marked)
  checkErrors(codes, marks)
  const nRows = marks.length
  const nMarked = marked.reduce((sum, m) => sum + m, 0)
  if (nMarked === 0 || nMarked === nRows) return { descriptions: [], hypotheses: 0 }
  const hypotheses = await countSlices(codes, options, token)
  const evaluator = rowEvaluator(codes, marks, options.support)
  const perCondition = Math.log(Math.max(1, countAtLeast((await evaluator.atoms(token)).statistics.sizes, options.support)))
  const found: Found[] = []
  let left = Int32Array.from(marks, (_, row) => row)
  while (found.length < options.top) {
    const leftMarks = takeRows(marks, left)
    const whole: Counts = { nRows: left.length, nMarked: leftMarks.reduce((sum, m) => sum + m, 0) }
    if (whole.nMarked < options.support || whole.nMarked === whole.nRows) break
    const leftCodes = codes.map((values) => takeRows(values, left))
    const among = left.length === nRows ? evaluator : rowEvaluator(leftCodes, leftMarks, options.support)
    const { slices } = await searchBest(among, codes.length, telling(whole, perCondition, options.support), { ...options, top: 1 }, token)
    const best = slices[0]
    if (best === undefined) break
    const pValueThere = hypergeometricUpper(best.sumError, whole.nRows, whole.nMarked, best.size)
    const rows = rowsOfSlice(codes, best.predicates, nRows)
    const own = rows.reduce((sum, row) => sum + marked[row]!, 0)
    const pValue = hypergeometricUpper(own, nRows, nMarked, rows.length)
    const one: Found = { predicates: best.predicates, rows, own, pValue, pValueThere }
    const q = (p: 'pValue' | 'pValueThere') =>
      qValues(
        [...found, one].map((each) => each[p]),
        hypotheses,
      ).at(-1)!
    if (Math.max(q('pValue'), q('pValueThere')) > options.falseDiscoveryRate) break
    found.push(one)
    const matched = new Uint8Array(nRows)
    for (const row of rows) matched[row] = 1
    left = left.filter((row) => matched[row] === 0)
  }
  return { descriptions: described(found, { nRows, nMarked }, { marked, perCondition, hypotheses }), hypotheses }
}

interface Found {
  readonly predicates: readonly Predicate[]
  readonly rows: Int32Array
  readonly own: number
  readonly pValue: number
  /** Among the rows that those before it leave. */
  readonly pValueThere: number
}

interface Counts {
  readonly nRows: number
  readonly nMarked: number
}

function described(
  found: readonly Found[],
  whole: Counts,
  { marked, perCondition, hypotheses }: { readonly marked: Uint8Array; readonly perCondition: number; readonly hypotheses: number },
): Description[] {
  const q = qValues(
    found.map((one) => one.pValue),
    hypotheses,
  )
  const most = mostTold(whole)
  const score = ({ rows, own, predicates }: Found) => (toldBy(whole, rows.length, own) - perCondition * predicates.length) / most
  const ranked = found.map((one, i) => ({ ...one, qValue: q[i]!, score: score(one) })).sort((a, b) => b.score - a.score)
  const seen = new Uint8Array(whole.nRows)
  return ranked.flatMap(({ predicates, rows, own, pValue, qValue, score }) => {
    const blamed = rows.filter((row) => marked[row] === 1)
    const adds = blamed.reduce((count, row) => count + (seen[row] === 0 ? 1 : 0), 0)
    if (2 * adds < own) return []
    for (const row of blamed) seen[row] = 1
    const [precision, coverage] = [own / rows.length, own / whole.nMarked]
    return [{ predicates, rows: rows.length, marked: own, adds, precision, coverage, score, pValue, qValue }]
  })
}

/** The information is convex in the counts, so no smaller set tells more than one that drops nothing but unmarked rows (ibid., §IV). */
function telling(whole: Counts, perCondition: number, support: number): Objective {
  const most = mostTold(whole)
  return {
    score: (size, own, predicates) => (own < support ? 0 : (toldBy(whole, size, own) - perCondition * predicates) / most),
    bound: (size, own) => {
      const pure = Math.min(own, size)
      return pure < support ? Number.NEGATIVE_INFINITY : (toldBy(whole, pure, pure) - perCondition) / most
    },
  }
}

/** n·J in nats: size times the divergence of the share of marked rows among those that match from the share among all; 0 where it is no higher. */
function toldBy({ nRows, nMarked }: Counts, size: number, own: number): number {
  if (own * nRows <= size * nMarked) return 0
  const part = (observed: number, of: number) => (observed === 0 ? 0 : observed * Math.log((observed * nRows) / (size * of)))
  return part(own, nMarked) + part(size - own, nRows - nMarked)
}

/** Of a condition that matches the marked rows and no other. */
const mostTold = (whole: Counts): number => toldBy(whole, whole.nMarked, whole.nMarked)

function countAtLeast(sizes: Float64Array, support: number): number {
  return sizes.reduce((count, size) => count + (size >= support ? 1 : 0), 0)
}
