/** Measures that several parts share. */

/** AUC_R (METHODS §4): the mean share of the `total` true corruptions found among the first i, for i up to `total`, over its maximum. */
export function aucR(keys, isWrong, total) {
  let hits = 0
  let area = 0
  for (let i = 0; i < total; i++) {
    if (i < keys.length && isWrong(keys[i])) hits++
    area += hits
  }
  return area / ((total * (total + 1)) / 2)
}

export function middle(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** SplitMix32: uniform in [0, 1). */
export function seeded(seed) {
  let state = Math.imul(seed, 0x9e3779b9)
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
  }
}
