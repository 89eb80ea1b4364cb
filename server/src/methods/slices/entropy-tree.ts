import type { Predicate } from './find-slices.ts'

export interface TreeOptions {
  /** Stop once the average entropy is above this; between 0 and 1. */
  readonly threshold: number
  /** No part may have fewer rows. */
  readonly minimum: number
}

export interface Part {
  readonly predicates: readonly Predicate[]
  readonly size: number
}

export interface Partitioned {
  readonly parts: readonly Part[]
  /** Row → index of its part: every row is in exactly one. */
  readonly partOf: Int32Array
  /** The average entropy reached. */
  readonly entropy: number
}

/**
 * Splits rows into the largest parts that are still unbiased (Tae & Whang, SIGMOD 2021, Appendix A). An attribute is biased in a part if
 * the entropy of its values there, over the log of the number of values present, is low; one value alone has nothing left to split and
 * counts as 1. While the average over parts (weighted by rows) and attributes is not above the threshold, one part is split by the
 * values of its most biased attribute whose every value has `minimum` rows; first the part that lowers the average most. A code of 0
 * (missing) is a value like any other, so that the parts cover all rows. Deterministic. O(n · columns · parts on a path).
 */
export function entropyTree(codes: readonly Int32Array[], { threshold, minimum }: TreeOptions): Partitioned {
  if (codes.length === 0) throw new RangeError('There are no columns to partition by; name at least one')
  const nRows = codes[0]!.length
  if (nRows === 0) throw new RangeError('There are no rows to partition; give at least one')
  if (!(threshold >= 0 && threshold <= 1)) throw new RangeError(`threshold is ${threshold}; an entropy over its maximum is between 0 and 1`)
  if (!(minimum >= 1)) throw new RangeError(`minimum is ${minimum}; it counts rows and must be at least 1`)
  const everyRow = Int32Array.from({ length: nRows }, (_, row) => row)
  let leaves: readonly Leaf[] = [leafOf(codes, [], everyRow, minimum)]
  while (averageEntropy(leaves, nRows) <= threshold) {
    const next = leaves.filter((leaf) => leaf.split !== undefined).reduce<Leaf | undefined>(moreBiased, undefined)
    if (next === undefined) break
    leaves = leaves.flatMap((leaf) => (leaf === next ? splitLeaf(codes, leaf, minimum) : [leaf]))
  }
  const partOf = new Int32Array(nRows)
  for (const [part, leaf] of leaves.entries()) for (const row of leaf.rows) partOf[row] = part
  const parts = leaves.map(({ predicates, rows }) => ({ predicates, size: rows.length }))
  return { parts, partOf, entropy: averageEntropy(leaves, nRows) }
}

interface Leaf {
  readonly predicates: readonly Predicate[]
  readonly rows: Int32Array
  /** Average over all columns. */
  readonly entropy: number
  /** The most biased column that may be split. */
  readonly split: number | undefined
}

function leafOf(codes: readonly Int32Array[], predicates: readonly Predicate[], rows: Int32Array, minimum: number): Leaf {
  let sum = 0
  let split: number | undefined
  let lowest = Infinity
  for (const [column, values] of codes.entries()) {
    const counts = countsOf(values, rows)
    const entropy = relativeEntropy(counts, rows.length)
    sum += entropy
    if (counts.size < 2 || entropy >= lowest || Math.min(...counts.values()) < minimum) continue
    lowest = entropy
    split = column
  }
  return { predicates, rows, entropy: sum / codes.length, split }
}

function splitLeaf(codes: readonly Int32Array[], { predicates, rows, split }: Leaf, minimum: number): Leaf[] {
  const column = split!
  const values = codes[column]!
  const present = [...countsOf(values, rows).keys()].sort((a, b) => a - b)
  return present.map((code) =>
    leafOf(
      codes,
      [...predicates, { column, code }],
      rows.filter((row) => values[row] === code),
      minimum,
    ),
  )
}

function moreBiased(best: Leaf | undefined, leaf: Leaf): Leaf {
  if (best === undefined) return leaf
  return (1 - leaf.entropy) * leaf.rows.length > (1 - best.entropy) * best.rows.length ? leaf : best
}

function averageEntropy(leaves: readonly Leaf[], nRows: number): number {
  return leaves.reduce((sum, leaf) => sum + leaf.entropy * leaf.rows.length, 0) / nRows
}

function relativeEntropy(counts: ReadonlyMap<number, number>, total: number): number {
  if (counts.size < 2) return 1
  let entropy = 0
  for (const count of counts.values()) entropy -= (count / total) * Math.log(count / total)
  return entropy / Math.log(counts.size)
}

function countsOf(values: Int32Array, rows: Int32Array): Map<number, number> {
  const counts = new Map<number, number>()
  for (const row of rows) counts.set(values[row]!, (counts.get(values[row]!) ?? 0) + 1)
  return counts
}
