import type { Gathered, SpectralKernel } from './spectral-kernel.ts'

/** b_z of every row as k rows of n numbers: ⟨v_i, ∇ℓ(z)⟩/λ_i, one eigenvector after the other. */
export interface SpectralIndex {
  readonly k: number
  readonly n: number
  readonly b: Float32Array
  /** From `residentIndex`: the same ranking, faster. */
  readonly kernel?: SpectralKernel
}

export interface Ranking {
  readonly rows: Int32Array
  readonly influence: Float32Array
}

/**
 * The `top` rows by Σ_i query_i·b_i,z, largest first, ties by row, what is no number last. Sums are in float64 and rounded once. k·n operations, in blocks
 * that stay in the first-level cache, and about 2·n comparisons at most: candidates above the worst of the best so far are gathered, and cut down by quickselect
 * whenever the buffer is full.
 */
export function rankBySpectrum(index: SpectralIndex, queryGradient: ArrayLike<number>, top: number): Ranking {
  const { k, n, b } = index
  if (b.length < k * n) throw new RangeError(`An index of ${k} × ${n} has ${k * n} numbers, not ${b.length}.`)
  if (queryGradient.length !== k)
    throw new RangeError(`The query has ${queryGradient.length} coordinates; the index has ${k} eigenvectors.`)
  const wanted = Math.max(0, Math.min(n, Math.trunc(top)))
  const quick = index.kernel === undefined || wanted === 0 ? undefined : rankByKernel(index, index.kernel, queryGradient, wanted)
  if (quick !== undefined) return quick
  const candidates = new Candidates(wanted)
  const sums = new Float64Array(Math.min(n, blockRows))
  for (let start = 0; start < n && wanted > 0; start += blockRows) {
    const count = Math.min(blockRows, n - start)
    sumBlock(index, queryGradient, start, count, sums)
    candidates.offer(sums, start, count)
  }
  const { rows, values } = candidates.finish()
  if (rows.length < wanted) return appendUnranked(index, queryGradient, rows, values, wanted)
  return { rows, influence: Float32Array.from(values) }
}

/** The sums themselves, of all rows. k·n operations. */
export function spectralSums(index: SpectralIndex, queryGradient: ArrayLike<number>): Float32Array {
  const { n } = index
  const all = new Float32Array(n)
  const sums = new Float64Array(Math.min(n, blockRows))
  for (let start = 0; start < n; start += blockRows) {
    const count = Math.min(blockRows, n - start)
    sumBlock(index, queryGradient, start, count, sums)
    for (let i = 0; i < count; i++) all[start + i] = sums[i]!
  }
  return all
}

/**
 * The same by float32 sums that select and float64 sums that decide. A float32 sum of k products is off by at most (k + 2)·2⁻²⁴·Σ|q_l·b_l| (Higham, Accuracy and
 * Stability of Numerical Algorithms, §3.1), so no row is lost that lies within twice that of the worst of the best. Undefined where that leaves too many rows.
 */
function rankByKernel(index: SpectralIndex, kernel: SpectralKernel, q: ArrayLike<number>, wanted: number): Ranking | undefined {
  let size = 0
  for (let l = 0; l < index.k; l++) {
    kernel.query[l] = q[l]!
    size += Math.abs(q[l]!) * kernel.largest[l]!
  }
  // Beyond that float32 sums could overflow; and NaN in the query is for the plain loops as well.
  if (!(size < 1e37)) return undefined
  const slack = 2.1 * (index.k + 3) * 2 ** -24 * size + 1e-37
  const { sums, rows } = kernel
  const room = Math.min(2 * wanted + 512, sums.length / 2)
  const values = new Float32Array(room)
  let threshold = Number.NEGATIVE_INFINITY
  let held = 0
  for (let group: number | undefined = 0; group !== undefined; ) {
    const gathered: Gathered = kernel.gather(group, threshold, held, room)
    held = gathered.held
    group = gathered.group
    if (group === undefined) break
    threshold = nthLargestOf(sums, held, wanted, values) - slack
    let left = 0
    for (let i = 0; i < held; i++) {
      if (!(sums[2 * i]! >= threshold)) continue
      sums[2 * left] = sums[2 * i]!
      rows[2 * left++ + 1] = rows[2 * i + 1]!
    }
    held = left
    if (held + 128 > room) return undefined
    // The kernel rounds what it is given to float32, perhaps upwards.
    threshold -= Math.abs(threshold) * 2 ** -22 + 1e-37
  }
  while (held > 0 && rows[2 * held - 1]! >= index.n) held--
  const worst = held > wanted ? nthLargestOf(sums, held, wanted, values) - slack : Number.NEGATIVE_INFINITY
  const exact = new Float64Array(1)
  const { k } = index
  const best: { readonly row: number; readonly sum: number }[] = []
  for (let i = 0; i < held; i++) {
    if (sums[2 * i]! < worst) continue
    const row = rows[2 * i + 1]!
    sumBlock({ k, n: 1, b: kernel.row(row) }, q, 0, 1, exact)
    best.push({ row, sum: exact[0]! })
  }
  best.sort((a, b) => b.sum - a.sum || a.row - b.row)
  const found = { rows: new Int32Array(wanted), influence: new Float32Array(wanted) }
  for (let i = 0; i < wanted; i++) {
    found.rows[i] = best[i]!.row
    found.influence[i] = best[i]!.sum
  }
  return found
}

/** Of the sums among gathered entries. */
function nthLargestOf(entries: Float32Array, held: number, nth: number, values: Float32Array): number {
  for (let i = 0; i < held; i++) values[i] = entries[2 * i]!
  return nthLargest(values.subarray(0, held), nth - 1)
}

/** Counted from 0, by quickselect, which reorders; none may be NaN. */
export function nthLargest(values: Float32Array, nth: number): number {
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const pivot = values[(low + high) >> 1]!
    let i = low
    let j = high
    while (i <= j) {
      while (values[i]! > pivot) i++
      while (values[j]! < pivot) j--
      if (i > j) break
      const value = values[i]!
      values[i++] = values[j]!
      values[j--] = value
    }
    if (nth <= j) high = j
    else if (nth >= i) low = i
    else break
  }
  return values[nth]!
}

const blockRows = 1024

/** sums[i] = Σ_l q_l·b[l·n + start + i], ten eigenvectors at a time: every read and write of a sum that is saved counts. */
export function sumBlock({ k, n, b }: SpectralIndex, q: ArrayLike<number>, start: number, count: number, sums: Float64Array): void {
  sums.fill(0)
  let l = 0
  for (; l + 10 <= k; l += 10) addTen(b, l * n + start, n, q, l, sums, count)
  for (; l + 4 <= k; l += 4) addFour(b, l * n + start, n, q, l, sums, count)
  for (; l < k; l++) {
    const factor = q[l]!
    const at = l * n + start
    for (let i = 0; i < count; i++) sums[i] = sums[i]! + factor * b[at + i]!
  }
}

function addTen(b: Float32Array, a0: number, n: number, q: ArrayLike<number>, l: number, sums: Float64Array, count: number): void {
  // Destructuring an array here would go through its iterator, block after block.
  const q0 = q[l]!
  const q1 = q[l + 1]!
  const q2 = q[l + 2]!
  const q3 = q[l + 3]!
  const q4 = q[l + 4]!
  const q5 = q[l + 5]!
  const q6 = q[l + 6]!
  const q7 = q[l + 7]!
  const q8 = q[l + 8]!
  const q9 = q[l + 9]!
  const a1 = a0 + n
  const a2 = a1 + n
  const a3 = a2 + n
  const a4 = a3 + n
  const a5 = a4 + n
  const a6 = a5 + n
  const a7 = a6 + n
  const a8 = a7 + n
  const a9 = a8 + n
  for (let i = 0; i < count; i++) {
    const first = q0 * b[a0 + i]! + q1 * b[a1 + i]! + (q2 * b[a2 + i]! + q3 * b[a3 + i]!)
    const second = q4 * b[a4 + i]! + q5 * b[a5 + i]! + (q6 * b[a6 + i]! + q7 * b[a7 + i]!)
    sums[i] = sums[i]! + first + second + (q8 * b[a8 + i]! + q9 * b[a9 + i]!)
  }
}

function addFour(b: Float32Array, a0: number, n: number, q: ArrayLike<number>, l: number, sums: Float64Array, count: number): void {
  const q0 = q[l]!
  const q1 = q[l + 1]!
  const q2 = q[l + 2]!
  const q3 = q[l + 3]!
  const a1 = a0 + n
  const a2 = a1 + n
  const a3 = a2 + n
  for (let i = 0; i < count; i++) sums[i] = sums[i]! + (q0 * b[a0 + i]! + q1 * b[a1 + i]!) + (q2 * b[a2 + i]! + q3 * b[a3 + i]!)
}

/** The best `wanted` of what was offered; rows come in rising order. */
class Candidates {
  private readonly wanted: number
  private readonly values: Float64Array
  private readonly rows: Int32Array
  private count = 0
  /** No row at or below this can still be among the best: later rows lose ties. */
  private threshold = Number.NEGATIVE_INFINITY

  constructor(wanted: number) {
    this.wanted = wanted
    this.values = new Float64Array(wanted * 2 + 256)
    this.rows = new Int32Array(wanted * 2 + 256)
  }

  offer(sums: Float64Array, start: number, count: number): void {
    const { values, rows } = this
    let held = this.count
    let threshold = this.threshold
    for (let i = 0; i < count; i++) {
      const value = sums[i]!
      if (!(value > threshold)) continue
      values[held] = value
      rows[held] = start + i
      held++
      if (held < values.length) continue
      this.count = held
      this.cut()
      held = this.count
      threshold = this.threshold
    }
    this.count = held
  }

  finish(): { rows: Int32Array; values: Float64Array } {
    if (this.count > this.wanted) this.cut()
    const order = Array.from({ length: this.count }, (_, i) => i).sort(
      (a, b) => this.values[b]! - this.values[a]! || this.rows[a]! - this.rows[b]!,
    )
    return { rows: Int32Array.from(order, (i) => this.rows[i]!), values: Float64Array.from(order, (i) => this.values[i]!) }
  }

  private cut(): void {
    const { values, rows, wanted } = this
    let low = 0
    let high = this.count - 1
    while (low < high) {
      // The pivot from the middle; rows differ, so there are no equal elements.
      const middle = (low + high) >> 1
      const pivot = values[middle]!
      const pivotRow = rows[middle]!
      let i = low
      let j = high
      while (i <= j) {
        while (values[i]! > pivot || (values[i] === pivot && rows[i]! < pivotRow)) i++
        while (values[j]! < pivot || (values[j] === pivot && rows[j]! > pivotRow)) j--
        if (i > j) break
        const value = values[i]!
        const row = rows[i]!
        values[i] = values[j]!
        rows[i] = rows[j]!
        values[j] = value
        rows[j] = row
        i++
        j--
      }
      if (wanted - 1 <= j) high = j
      else if (wanted - 1 >= i) low = i
      else break
    }
    this.count = wanted
    let worst = values[0]!
    for (let i = 1; i < wanted; i++) worst = Math.min(worst, values[i]!)
    this.threshold = worst
  }
}

/** Rows whose sum is −∞, then those that are no number: only where too few others are left. */
function appendUnranked(index: SpectralIndex, q: ArrayLike<number>, ranked: Int32Array, values: Float64Array, wanted: number): Ranking {
  const rows = new Int32Array(wanted)
  const influence = new Float32Array(wanted)
  rows.set(ranked)
  influence.set(values)
  let at = ranked.length
  const sums = new Float64Array(blockRows)
  for (const bad of [Number.NEGATIVE_INFINITY, Number.NaN]) {
    for (let start = 0; start < index.n && at < wanted; start += blockRows) {
      const count = Math.min(blockRows, index.n - start)
      sumBlock(index, q, start, count, sums)
      for (let i = 0; i < count && at < wanted; i++) {
        if (!Object.is(sums[i], bad)) continue
        rows[at] = start + i
        influence[at++] = bad
      }
    }
  }
  return { rows, influence }
}
