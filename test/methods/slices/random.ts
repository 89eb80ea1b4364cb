/** A small generator with a seed (mulberry32), so that every failing case can be named by its number. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Input {
  readonly codes: Int32Array[]
  readonly errors: Float64Array
}

/** Small tables of every awkward kind: more columns than rows, missing values, zero errors, few distinct errors (ties), copied columns. */
export function randomInput(rng: () => number): Input {
  const nRows = 1 + Math.floor(rng() * (rng() < 0.3 ? 6 : 40))
  const nColumns = 1 + Math.floor(rng() * 6)
  const domain = 1 + Math.floor(rng() * 5)
  const missing = rng() < 0.5 ? 0 : rng() * 0.5
  const codes = Array.from({ length: nColumns }, () =>
    Int32Array.from({ length: nRows }, () => (rng() < missing ? 0 : 1 + Math.floor(rng() * domain))),
  )
  if (nColumns > 1 && rng() < 0.2) codes[1] = codes[0]!.slice()
  const kind = Math.floor(rng() * 5)
  const errors = Float64Array.from({ length: nRows }, () => errorOf(kind, rng))
  return { codes, errors }
}

function errorOf(kind: number, rng: () => number): number {
  if (kind === 0) return rng() < 0.3 ? 1 : 0
  if (kind === 1) return Math.floor(rng() * 4)
  if (kind === 2) return Math.floor(rng() * 4) / 10
  if (kind === 3) return rng() < 0.5 ? 0 : rng() ** 8 * 1e6
  return rng()
}

export function shuffled(length: number, rng: () => number): number[] {
  const order = Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(rng() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

interface Shape {
  readonly nRows: number
  readonly nColumns: number
  readonly domain: number
  /** Of rows that are given the planted slice's codes. */
  readonly share: number
  readonly continuous?: boolean
}

/** Uniform codes; in rows of the planted slice (code 2 in the last three columns) errors are six times as likely, or larger by two. */
export function plantedInput(rng: () => number, { nRows, nColumns, domain, share, continuous }: Shape) {
  const planted = [nColumns - 3, nColumns - 2, nColumns - 1].map((column) => ({ column, code: 2 }))
  const codes = Array.from({ length: nColumns }, () => Int32Array.from({ length: nRows }, () => 1 + Math.floor(rng() * domain)))
  const errors = new Float64Array(nRows)
  for (let row = 0; row < nRows; row++) {
    const weak = rng() < share
    if (weak) for (const { column, code } of planted) codes[column]![row] = code
    errors[row] = continuous === true ? rng() * rng() + (weak ? 2 * rng() : 0) : rng() < (weak ? 0.6 : 0.1) ? 1 : 0
  }
  return { codes, errors, planted }
}
