/**
 * Sums over the rows of a growing table, each with its gradient in the coordinates of k eigenvectors (R++ §5.2): ∇h′ = ∇h + ∇Δh. A batch that is inserted or
 * removed adds or subtracts its own; what has been counted is never read again, so the cost is that of the batch, whatever the table's size. Whatever is a
 * smooth function of sums follows from them: an average keeps numerator and denominator, a join on the predicted class one sum for each class and side.
 */
export class MaintainedSums {
  readonly slots: number
  readonly k: number
  readonly #groups = new Map<string, Sums>()

  constructor(slots: number, k: number) {
    this.slots = slots
    this.k = k
  }

  get size(): number {
    return this.#groups.size
  }

  keys(): string[] {
    return [...this.#groups.keys()]
  }

  group(key: string): Sums | undefined {
    return this.#groups.get(key)
  }

  /** Adds a batch's sums by group, or takes them away again. O(groups of the batch × slots × k). */
  change(batch: ReadonlyMap<string, Sums>, by: 'insert' | 'remove'): void {
    const sign = by === 'insert' ? 1 : -1
    for (const [key, { values, projections, rows }] of batch) {
      const known = this.#groups.get(key) ?? emptySums(this.slots, this.k)
      for (let s = 0; s < this.slots; s++) known.values[s]! += sign * values[s]!
      for (let i = 0; i < projections.length; i++) known.projections[i]! += sign * projections[i]!
      known.rows += sign * rows
      // What is left of a group without rows is rounding.
      if (known.rows > 0) this.#groups.set(key, known)
      else this.#groups.delete(key)
    }
  }
}

export interface Sums {
  /** One for each slot. */
  readonly values: Float64Array
  /** slots × k: ⟨∇slot, v_l⟩. */
  readonly projections: Float64Array
  /** That have been added. */
  rows: number
}

export const emptySums = (slots: number, k: number): Sums => ({
  values: new Float64Array(slots),
  projections: new Float64Array(slots * k),
  rows: 0,
})

/** ⟨∇f, v_l⟩ of a function of the slots, by its derivatives. O(slots × k), added to `into`. */
export function addCoordinates({ projections }: Sums, slopes: ArrayLike<number>, into: Float64Array): void {
  const k = into.length
  for (let s = 0; s < slopes.length; s++) {
    if (slopes[s] !== 0) for (let l = 0; l < k; l++) into[l]! += slopes[s]! * projections[s * k + l]!
  }
}
