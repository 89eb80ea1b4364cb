/** One scored slice; `atoms` ascending. */
export interface Scored {
  readonly atoms: readonly number[]
  readonly size: number
  readonly sumError: number
  readonly maxError: number
  readonly score: number
}

/** Score falling, then size falling, then fewer predicates first, then predicates by column and code. A total order: no two slices tie. */
export function compareScored(a: Scored, b: Scored): number {
  if (a.score !== b.score) return b.score - a.score
  if (a.size !== b.size) return b.size - a.size
  if (a.atoms.length !== b.atoms.length) return a.atoms.length - b.atoms.length
  for (let i = 0; i < a.atoms.length; i++) if (a.atoms[i] !== b.atoms[i]) return a.atoms[i]! - b.atoms[i]!
  return 0
}

/** The best `limit` slices seen so far. */
export class TopSlices {
  private readonly held: Scored[] = []
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  get slices(): readonly Scored[] {
    return this.held
  }

  /** Zero until `limit` slices are held: the last held score is no threshold before that, though published code takes it for one. */
  get threshold(): number {
    return this.held.length < this.limit ? 0 : Math.max(0, this.held[this.held.length - 1]!.score)
  }

  offer(slice: Scored): void {
    let low = 0
    let high = this.held.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareScored(this.held[middle]!, slice) < 0) low = middle + 1
      else high = middle
    }
    if (low >= this.limit) return
    this.held.splice(low, 0, slice)
    if (this.held.length > this.limit) this.held.pop()
  }
}
