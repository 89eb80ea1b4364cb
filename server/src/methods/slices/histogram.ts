import type { CodedColumn, LocalCodes } from './coded-column.ts'
import type { Statistics } from './evaluator.ts'
import type { SplitErrors } from './exact-sum.ts'

/** Statistics of a list of rows, by the values of one column after another. */
export interface Histogram {
  take(rows: Int32Array, start: number, end: number): void
  fill(column: CodedColumn): void
  read(local: number, into: Statistics, at: number): void
  /** Must follow the reads of each `fill`, before its rows change. A column of very many values does not cost its whole domain. */
  clear(): void
}

export function histogramOf(columns: readonly CodedColumn[], errors: SplitErrors): Histogram {
  const domain = columns.reduce((most, column) => Math.max(most, column.domain), 0)
  return errors.constant === undefined ? new SumHistogram(domain, errors) : new CountHistogram(domain, errors, errors.constant)
}

/** For 0/1 errors: two counters a value, one step a row. */
class CountHistogram implements Histogram {
  private readonly counts: Int32Array
  private readonly wrong: Uint8Array
  private readonly constant: number
  /** The rows, each doubled, plus one where its error is not zero. */
  private marked = new Int32Array(0)
  private length = 0
  private filled: CodedColumn | undefined

  constructor(domain: number, { errors }: SplitErrors, constant: number) {
    this.counts = new Int32Array(2 * (domain + 1))
    this.wrong = new Uint8Array(errors.length)
    for (let row = 0; row < errors.length; row++) if (errors[row]! > 0) this.wrong[row] = 1
    this.constant = constant
  }

  take(rows: Int32Array, start: number, end: number): void {
    this.length = end - start
    if (this.marked.length < this.length) this.marked = new Int32Array(this.length)
    markRows(rows, start, end, this.wrong, this.marked)
  }

  fill(column: CodedColumn): void {
    this.filled = column
    countRows(this.counts, column.local, this.marked, this.length)
  }

  read(local: number, into: Statistics, at: number): void {
    const wrong = this.counts[2 * local + 1]!
    into.sizes[at] = this.counts[2 * local]! + wrong
    into.sums[at] = wrong * this.constant
    into.maxima[at] = wrong > 0 ? this.constant : 0
  }

  clear(): void {
    if (this.filled === undefined) return
    const { local, domain } = this.filled
    this.filled = undefined
    const { counts, marked, length } = this
    if (domain < 4 * length) {
      counts.fill(0, 0, 2 * domain + 2)
      return
    }
    for (let i = 0; i < length; i++) {
      const code = local[marked[i]! >> 1]!
      counts[2 * code] = 0
      counts[2 * code + 1] = 0
    }
  }
}

function markRows(rows: Int32Array, start: number, end: number, wrong: Uint8Array, marked: Int32Array): void {
  for (let i = start; i < end; i++) marked[i - start] = (rows[i]! << 1) | wrong[rows[i]!]!
}

function countRows(counts: Int32Array, local: LocalCodes, marked: Int32Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const mark = marked[i]!
    counts[(local[mark >> 1]! << 1) | (mark & 1)]!++
  }
}

/** For any errors: size, high and low part of the sum, and maximum of each value. */
class SumHistogram implements Histogram {
  private readonly errors: SplitErrors
  private readonly sizes: Int32Array
  private readonly highs: Float64Array
  private readonly lows: Float64Array
  private readonly maxima: Float64Array
  private rows: Int32Array = new Int32Array(0)
  /** Errors of the rows, with high and low part, so that each column reads them in order. */
  private error = new Float64Array(0)
  private high = new Float64Array(0)
  private low = new Float64Array(0)
  private filled: CodedColumn | undefined

  constructor(domain: number, errors: SplitErrors) {
    this.errors = errors
    this.sizes = new Int32Array(domain + 1)
    this.highs = new Float64Array(domain + 1)
    this.lows = new Float64Array(domain + 1)
    this.maxima = new Float64Array(domain + 1)
  }

  take(rows: Int32Array, start: number, end: number): void {
    this.rows = rows.subarray(start, end)
    const { errors, high, low } = this.errors
    const length = end - start
    if (this.error.length < length) {
      this.error = new Float64Array(length)
      this.high = new Float64Array(length)
      this.low = new Float64Array(length)
    }
    gather(errors, this.rows, this.error)
    gather(high, this.rows, this.high)
    if (low !== undefined) gather(low, this.rows, this.low)
  }

  fill(column: CodedColumn): void {
    this.filled = column
    sumRows(this.sizes, this.highs, this.maxima, column.local, this.rows, this.high, this.error)
    if (this.errors.low !== undefined) addRows(this.lows, column.local, this.rows, this.low)
  }

  read(local: number, into: Statistics, at: number): void {
    into.sizes[at] = this.sizes[local]!
    into.sums[at] = this.highs[local]! + this.lows[local]!
    into.maxima[at] = this.maxima[local]!
  }

  clear(): void {
    if (this.filled === undefined) return
    const { local, domain } = this.filled
    this.filled = undefined
    const { sizes, highs, lows, maxima, rows } = this
    if (domain < 4 * rows.length) {
      for (const counters of [sizes, highs, lows, maxima]) counters.fill(0, 0, domain + 1)
      return
    }
    for (let i = 0; i < rows.length; i++) {
      const code = local[rows[i]!]!
      sizes[code] = 0
      highs[code] = 0
      lows[code] = 0
      maxima[code] = 0
    }
  }
}

function gather(from: Float64Array, rows: Int32Array, into: Float64Array): void {
  for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!
}

function sumRows(
  sizes: Int32Array,
  highs: Float64Array,
  maxima: Float64Array,
  local: LocalCodes,
  rows: Int32Array,
  high: Float64Array,
  error: Float64Array,
): void {
  for (let i = 0; i < rows.length; i++) {
    const code = local[rows[i]!]!
    sizes[code]!++
    highs[code]! += high[i]!
    if (error[i]! > maxima[code]!) maxima[code] = error[i]!
  }
}

function addRows(lows: Float64Array, local: LocalCodes, rows: Int32Array, low: Float64Array): void {
  for (let i = 0; i < rows.length; i++) lows[local[rows[i]!]!]! += low[i]!
}
