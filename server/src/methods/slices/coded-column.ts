import { newStatistics, type Statistics } from './evaluator.ts'
import type { SplitErrors } from './exact-sum.ts'

export type LocalCodes = Uint16Array | Int32Array

/** A column with its values renumbered: those of at least the support are 1 … domain, all others and missing ones 0. */
export interface CodedColumn {
  readonly local: LocalCodes
  readonly domain: number
  /** The distinct values present, ascending, their statistics, and their renumbered codes (0 below the support). */
  readonly codes: Int32Array
  readonly statistics: Statistics
  readonly locals: Int32Array
}

export function codeColumn(values: Int32Array, errors: SplitErrors, support: number): CodedColumn {
  const codes = distinctCodes(values)
  const rankOf = ranks(codes, values.length)
  const ranked = new Int32Array(values.length)
  for (let row = 0; row < values.length; row++) ranked[row] = rankOf(values[row]!)
  const statistics = statisticsOf(ranked, codes.length, errors)
  let domain = 0
  const locals = new Int32Array(codes.length)
  for (let rank = 0; rank < codes.length; rank++) if (statistics.sizes[rank]! >= support) locals[rank] = ++domain
  const local: LocalCodes = domain < 1 << 16 ? new Uint16Array(values.length) : new Int32Array(values.length)
  for (let row = 0; row < values.length; row++) if (ranked[row]! >= 0) local[row] = locals[ranked[row]!]!
  return { local, domain, codes, statistics, locals }
}

function distinctCodes(values: Int32Array): Int32Array {
  let largest = 0
  for (let row = 0; row < values.length; row++) if (values[row]! > largest) largest = values[row]!
  if (largest > directLimit(values.length)) return Int32Array.from(new Set(values.filter((code) => code > 0))).sort()
  const present = new Uint8Array(largest + 1)
  for (let row = 0; row < values.length; row++) present[values[row]!] = 1
  const codes: number[] = []
  for (let code = 1; code <= largest; code++) if (present[code] === 1) codes.push(code)
  return Int32Array.from(codes)
}

/** Code → its place among the distinct ones, −1 for 0. A table, unless the codes are so sparse that it would dwarf the column. */
function ranks(codes: Int32Array, nRows: number): (code: number) => number {
  const largest = codes.length === 0 ? 0 : codes[codes.length - 1]!
  if (largest > directLimit(nRows)) {
    const byCode = new Map(Array.from(codes, (code, rank) => [code, rank]))
    return (code) => byCode.get(code) ?? -1
  }
  const table = new Int32Array(largest + 1).fill(-1)
  for (let rank = 0; rank < codes.length; rank++) table[codes[rank]!] = rank
  return (code) => table[code]!
}

function directLimit(nRows: number): number {
  return 4 * nRows + (1 << 16)
}

function statisticsOf(ranked: Int32Array, count: number, { high, low, errors, constant }: SplitErrors): Statistics {
  const statistics = newStatistics(count)
  const { sizes, sums, maxima } = statistics
  const rest = new Float64Array(count)
  for (let row = 0; row < ranked.length; row++) {
    const rank = ranked[row]!
    if (rank < 0) continue
    sizes[rank]!++
    if (errors[row]! > maxima[rank]!) maxima[rank] = errors[row]!
    if (constant !== undefined) {
      if (errors[row]! > 0) sums[rank]!++
      continue
    }
    sums[rank]! += high[row]!
    if (low !== undefined) rest[rank]! += low[row]!
  }
  for (let rank = 0; rank < count; rank++) sums[rank] = constant === undefined ? sums[rank]! + rest[rank]! : sums[rank]! * constant
  return statistics
}
