import type { Part, Partitioned } from './entropy-tree.ts'

/**
 * One part for each combination of codes that occurs, in ascending order of codes; 0 (missing) is a value like any other. Combinations of
 * fewer than `minimum` rows are put together in a last part without predicates, so that parts stay disjoint and complete.
 * `entropy` does not apply and is left out. O(n · columns).
 */
export function partitionByColumns(codes: readonly Int32Array[], { minimum }: { readonly minimum: number }): Omit<Partitioned, 'entropy'> {
  if (codes.length === 0) throw new RangeError('There are no columns to partition by; name at least one')
  const nRows = codes[0]!.length
  const groups = new Map<string, { key: number[]; rows: number[] }>()
  for (let row = 0; row < nRows; row++) {
    const key = codes.map((values) => values[row]!)
    const name = key.join()
    const group = groups.get(name)
    if (group === undefined) groups.set(name, { key, rows: [row] })
    else group.rows.push(row)
  }
  const sorted = [...groups.values()].sort((a, b) => compareKeys(a.key, b.key))
  const parts: Part[] = []
  const partOf = new Int32Array(nRows)
  const rest: number[] = []
  for (const { key, rows } of sorted) {
    if (rows.length < minimum) {
      for (const row of rows) rest.push(row)
      continue
    }
    for (const row of rows) partOf[row] = parts.length
    parts.push({ predicates: key.map((code, column) => ({ column, code })), size: rows.length })
  }
  for (const row of rest) partOf[row] = parts.length
  if (rest.length > 0) parts.push({ predicates: [], size: rest.length })
  return { parts, partOf }
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}
