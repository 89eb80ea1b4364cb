/** The survivors of one level, sorted lexicographically, in typed arrays that grow. */
export interface Level {
  readonly depth: number
  readonly count: number
  readonly atoms: Int32Array
  readonly sizes: Float64Array
  readonly sums: Float64Array
  readonly maxima: Float64Array
  push(atoms: Int32Array, at: number, size: number, sumError: number, maxError: number): void
  /** The first slice at or after `start` whose first depth − 1 atoms are not those of `start`. */
  endOfPrefix(start: number): number
}

export function newLevel(depth: number): Level {
  return new GrowingLevel(depth)
}

class GrowingLevel implements Level {
  readonly depth: number
  count = 0
  atoms: Int32Array
  sizes = new Float64Array(64)
  sums = new Float64Array(64)
  maxima = new Float64Array(64)

  constructor(depth: number) {
    this.depth = depth
    this.atoms = new Int32Array(64 * depth)
  }

  push(atoms: Int32Array, at: number, size: number, sumError: number, maxError: number): void {
    if (this.count === this.sizes.length) this.grow()
    const slot = this.count++
    for (let j = 0; j < this.depth; j++) this.atoms[slot * this.depth + j] = atoms[at + j]!
    this.sizes[slot] = size
    this.sums[slot] = sumError
    this.maxima[slot] = maxError
  }

  endOfPrefix(start: number): number {
    const { atoms, depth } = this
    for (let end = start + 1; end < this.count; end++) {
      for (let j = 0; j < depth - 1; j++) if (atoms[end * depth + j] !== atoms[start * depth + j]) return end
    }
    return this.count
  }

  private grow(): void {
    const capacity = this.sizes.length * 2
    this.atoms = widened(this.atoms, new Int32Array(capacity * this.depth))
    this.sizes = widened(this.sizes, new Float64Array(capacity))
    this.sums = widened(this.sums, new Float64Array(capacity))
    this.maxima = widened(this.maxima, new Float64Array(capacity))
  }
}

function widened<A extends Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from)
  return to
}

/** Finds a slice of a level by its atoms: open addressing with a full comparison, since products of domains collide in doubles. */
export class LevelIndex {
  private readonly level: Level
  private readonly slots: Int32Array
  private readonly mask: number

  constructor(level: Level) {
    this.level = level
    let capacity = 16
    while (capacity < level.count * 2) capacity *= 2
    this.slots = new Int32Array(capacity).fill(-1)
    this.mask = capacity - 1
    for (let i = 0; i < level.count; i++) {
      let hash = 0
      for (let j = 0; j < level.depth; j++) hash = mix(hash, level.atoms[i * level.depth + j]!)
      let slot = finish(hash) & this.mask
      while (this.slots[slot]! >= 0) slot = (slot + 1) & this.mask
      this.slots[slot] = i
    }
  }

  /** The slice whose atoms are `candidate` with entry `without` left out (none for −1), or −1. */
  find(candidate: Int32Array, without: number): number {
    let hash = 0
    for (let j = 0; j < candidate.length; j++) if (j !== without) hash = mix(hash, candidate[j]!)
    for (let slot = finish(hash) & this.mask; ; slot = (slot + 1) & this.mask) {
      const found = this.slots[slot]!
      if (found < 0 || this.matches(found, candidate, without)) return found
    }
  }

  private matches(found: number, candidate: Int32Array, without: number): boolean {
    const { atoms, depth } = this.level
    let at = found * depth
    for (let j = 0; j < candidate.length; j++) if (j !== without && atoms[at++] !== candidate[j]) return false
    return true
  }
}

function mix(hash: number, atom: number): number {
  return Math.imul(hash ^ atom, 0x9e3779b1) + 0x7f4a7c15
}

function finish(hash: number): number {
  return (hash ^ (hash >>> 15)) >>> 0
}
