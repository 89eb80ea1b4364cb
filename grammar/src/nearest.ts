/**
 * The candidate that was probably meant, or `undefined`. Distance is Damerau–Levenshtein with adjacent transpositions (optimal string
 * alignment), case ignored; a third of the word's length may differ, one edit at least (none for words of one letter). Ties go to the earlier candidate.
 * O(candidates × length²), with an early exit by length.
 */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  const sought = word.toLowerCase()
  if (sought.length < 2) return undefined
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(sought.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - sought.length) >= bestDistance || candidate.length < 2) continue
    const distance = editDistance(sought, candidate.toLowerCase())
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other. */
export const editDistance = (from: string, to: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[to.length]!
}
