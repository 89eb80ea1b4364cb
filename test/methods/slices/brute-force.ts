import type { FoundSlice } from '../../../server/src/methods/slices/find-slices.ts'

/** Every conjunction of at most `depth` predicates, by recursion over columns; no bounds, no joins, nothing shared with the search. */
export function bruteForce(
  codes: readonly Int32Array[],
  errors: Float64Array,
  { top, alpha, support, depth }: { top: number; alpha: number; support: number; depth: number },
): FoundSlice[] {
  const n = errors.length
  const mean = exactly(Array.from(errors)) / n
  const found: FoundSlice[] = []
  const extend = (predicates: { column: number; code: number }[], rows: number[], from: number): void => {
    if (predicates.length > 0 && rows.length >= support) {
      const own = rows.map((row) => errors[row]!)
      const sumError = exactly(own)
      const score = alpha * (sumError / rows.length / mean - 1) - (1 - alpha) * (n / rows.length - 1)
      if (sumError > 0 && score > 0) {
        found.push({ predicates, size: rows.length, sumError, maxError: Math.max(...own), meanError: sumError / rows.length, score })
      }
    }
    if (predicates.length === depth) return
    for (let column = from; column < codes.length; column++) {
      for (const code of new Set(rows.map((row) => codes[column]![row]!))) {
        if (code === 0) continue
        const inside = rows.filter((row) => codes[column]![row] === code)
        extend([...predicates, { column, code }], inside, column + 1)
      }
    }
  }
  extend(
    [],
    Array.from(errors, (_, row) => row),
    0,
  )
  return found.sort(inOrder).slice(0, top)
}

/** A sum that does not depend on the order: sorted, then added with compensation (Neumaier 1974). */
function exactly(values: number[]): number {
  let sum = 0
  let rest = 0
  for (const value of values.sort((a, b) => b - a)) {
    const next = sum + value
    rest += sum >= value ? sum - next + value : value - next + sum
    sum = next
  }
  return sum + rest
}

function inOrder(a: FoundSlice, b: FoundSlice): number {
  if (a.score !== b.score) return b.score - a.score
  if (a.size !== b.size) return b.size - a.size
  if (a.predicates.length !== b.predicates.length) return a.predicates.length - b.predicates.length
  for (const [i, p] of a.predicates.entries()) {
    const q = b.predicates[i]!
    if (p.column !== q.column) return p.column - q.column
    if (p.code !== q.code) return p.code - q.code
  }
  return 0
}
