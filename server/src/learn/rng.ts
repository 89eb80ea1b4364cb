/**
 * The one source of randomness here: xoshiro128** 1.1 (Blackman & Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS 47),
 * its state filled from the seed by SplitMix32. Integer arithmetic only, so that the same seed gives the same numbers everywhere.
 */
export interface Rng {
  /** In [0, 1), a multiple of 2⁻³². */
  next(): number
  /** A whole number in [0, below). */
  below(below: number): number
  /** Standard normal (Box & Muller 1958). */
  normal(): number
}

export function createRng(seed: number): Rng {
  let filler = (Math.trunc(seed) ^ Math.trunc(seed / 2 ** 32)) >>> 0
  const fill = (): number => {
    filler = (filler + 0x9e3779b9) >>> 0
    let z = filler
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  let [a, b, c, d] = [fill(), fill(), fill(), fill()]
  let spare: number | undefined
  const bits = (): number => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return scrambled
  }
  const next = (): number => bits() / 2 ** 32
  return {
    next,
    // Rejection: no value is likelier than another.
    below(limit) {
      const most = 2 ** 32 - (2 ** 32 % limit)
      for (;;) {
        const drawn = bits()
        if (drawn < most) return drawn % limit
      }
    },
    normal() {
      if (spare !== undefined) {
        const kept = spare
        spare = undefined
        return kept
      }
      const radius = Math.sqrt(-2 * Math.log(1 - next()))
      const angle = 2 * Math.PI * next()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
  }
}

/** Fisher & Yates, in place. */
export function shuffle(values: Int32Array | Uint32Array, rng: Rng): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = rng.below(i + 1)
    const held = values[i]!
    values[i] = values[j]!
    values[j] = held
  }
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}
