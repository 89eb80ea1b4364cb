import type { Json } from '../protocol/results.ts'
import { NotRowwise } from './rowwise-cells.ts'
import { type CompiledSlot, lineage, type Passing, type RowSet, type RowwiseData, type RowwiseQuery } from './rowwise-lineage.ts'
import { addSlot, addTerms, at, inGroup, onlyGroup, sumOf } from './rowwise-sums.ts'

/** More joint choices, or more units to keep apart, are the database's. */
const MOST_CHOICES = 4096
const MOST_CELLS = 64e6
const MOST_UNITS = 8e6
/** Of terms that cancel, what is left is rounding: an average that no prediction changes would pull by it, scaled up beside others. */
const CANCELLED = 1e-14

/**
 * A relaxed query over one table, computed from typed arrays: the same sums as the database's (`plan/provenance/lineage.ts`), without a statement. Every
 * joint choice of what a row might be predicted as is taken for all rows at once; a condition that speaks of the choice alone drops it whole, so that
 * `predict(c) = 7 and …` reads one class of the rows that satisfy the rest. O(rows × choices that remain × slots); a count of most of the rows is a known sum less the
 * other rows.
 */
export class RowwiseAnswer {
  /** The columns that identify each group. */
  readonly keys: readonly (readonly Json[])[]
  readonly #query: RowwiseQuery
  readonly #data: RowwiseData
  readonly #passing: readonly Passing[]
  readonly #sums: readonly Float64Array[]
  readonly #units: Units | undefined

  constructor(query: RowwiseQuery, data: RowwiseData) {
    this.#query = query
    this.#data = data
    const nChoices = [...query.plan.variables].map((v) => query.choices.get(v.column)!.length)
    const joint = nChoices.reduce((product, n) => product * n, 1)
    if (joint > MOST_CHOICES || joint * data.rows > MOST_CELLS) throw new NotRowwise('too many choices')
    const { passing, keys } = lineage(query, data, nChoices)
    this.#passing = passing
    this.keys = keys
    const windows = query.slots.some((s) => s.kind === 'presence' || s.kind === 'variance')
    if (windows && keys.length * data.rows > MOST_UNITS) throw new NotRowwise('too many units')
    this.#sums = query.slots.map(() => new Float64Array(keys.length))
    this.#add()
    this.#units = windows ? this.#unitsOf() : undefined
    if (this.#units) this.#addWindows(this.#units)
  }

  /** The slots of a group. */
  slots(group: number): Float64Array {
    return Float64Array.from(this.#sums, (sums) => sums[group]!)
  }

  /** By group, the rows and choices that reach it, and those that are certain to. */
  reached(): { readonly possible: Float64Array; readonly certain: Float64Array } {
    const [possible, certain] = [new Float64Array(this.keys.length), new Float64Array(this.keys.length)]
    for (const part of this.#passing) {
      const chances = this.#chances(part)
      const rows = part.rows?.list
      const n = rows?.length ?? this.#data.rows
      for (let i = 0; i < n; i++) {
        const g = typeof part.group === 'number' ? part.group : part.group[rows ? rows[i]! : i]!
        possible[g]!++
        if (at(chances, i) === 1) certain[g]!++
      }
    }
    return { possible, certain }
  }

  #add(): void {
    const { slots } = this.#query
    const seen = slots.map((slot) => (slot.kind === 'fixed' ? new Uint8Array(this.keys.length) : undefined))
    for (const part of this.#passing) {
      const n = part.rows?.length ?? this.#data.rows
      const { group } = part
      if (
        typeof group === 'number' &&
        part.choices.length === 1 &&
        slots.every((slot, s) => slot.kind === 'sum' && isPlain(slot, part.values[s]))
      ) {
        const total = sumOf(this.#data.chance(0, part.choices[0]!), n, part.rows)
        for (let s = 0; s < slots.length; s++) this.#sums[s]![group]! += total * (part.values[s] as number)
        continue
      }
      const rows = part.rows?.list
      const chance = this.#chances(part)
      for (const [s, slot] of slots.entries()) {
        const sums = this.#sums[s]!
        const value = part.values[s]!
        if (slot.kind === 'fixed') {
          const known = seen[s]!
          for (let i = 0; i < n; i++) {
            const row = rows ? rows[i]! : i
            const g = typeof part.group === 'number' ? part.group : part.group[row]!
            if (known[g] === 1) continue
            known[g] = 1
            sums[g] = typeof value === 'number' ? value : value[row]!
            if (typeof part.group === 'number') break
          }
        }
        if (slot.kind === 'sum') addSlot(sums, part, chance, value, n)
      }
    }
  }

  /** By place among the passing rows; a product over the variables. */
  #chances(part: Passing, without?: number): Float64Array | 1 {
    const rows = part.rows?.list
    const n = rows?.length ?? this.#data.rows
    let out: Float64Array | undefined
    for (let v = 0; v < part.choices.length; v++) {
      if (v === without) continue
      const { values, offset, stride } = this.#data.chance(v, part.choices[v]!)
      if (out) {
        for (let i = 0; i < n; i++) out[i] = out[i]! * values[offset + (rows ? rows[i]! : i) * stride]!
        continue
      }
      // The only one, of every row: as it lies there.
      if (!rows && stride === 1 && values instanceof Float64Array && part.choices.length === (without === undefined ? 1 : 2))
        return values.subarray(offset, offset + n)
      out = new Float64Array(n)
      if (rows) for (let i = 0; i < n; i++) out[i] = values[offset + rows[i]! * stride]!
      else for (let i = 0, at = offset; i < n; i++, at += stride) out[i] = values[at]!
    }
    return out ?? 1
  }

  #unitsOf(): Units {
    const { slots } = this.#query
    const cells = this.keys.length * this.#data.rows
    const chance = new Float64Array(cells)
    const means = slots.map((slot) => (slot.kind === 'variance' ? new Float64Array(cells) : undefined))
    for (const part of this.#passing) {
      const chances = this.#chances(part)
      const rows = part.rows?.list
      const n = rows?.length ?? this.#data.rows
      for (let i = 0; i < n; i++) {
        const row = rows ? rows[i]! : i
        const unit = (typeof part.group === 'number' ? part.group : part.group[row]!) * this.#data.rows + row
        const p = chances === 1 ? 1 : chances[i]!
        chance[unit]! += p
        for (const [s, slot] of slots.entries()) {
          if (slot.kind === 'variance') means[s]![unit]! += p * at(part.values[slot.of]!, row)
        }
      }
    }
    const others = new Float64Array(this.keys.length).fill(1)
    const sure = new Float64Array(this.keys.length)
    for (let g = 0, unit = 0; g < others.length; g++) {
      for (let row = 0; row < this.#data.rows; row++, unit++) {
        if (chance[unit]! < 1) others[g]! *= 1 - chance[unit]!
        else sure[g]!++
      }
    }
    return { chance, means, others, sure }
  }

  #addWindows({ means, others, sure }: Units): void {
    const { slots } = this.#query
    for (const [s, slot] of slots.entries()) {
      const sums = this.#sums[s]!
      if (slot.kind === 'presence') for (let g = 0; g < sums.length; g++) sums[g] = sure[g]! > 0 ? 1 : 1 - others[g]!
      if (slot.kind !== 'variance') continue
      for (const part of this.#passing) {
        const chances = this.#chances(part)
        const rows = part.rows?.list
        const n = rows?.length ?? this.#data.rows
        for (let i = 0; i < n; i++) {
          const row = rows ? rows[i]! : i
          const g = typeof part.group === 'number' ? part.group : part.group[row]!
          const value = at(part.values[slot.of]!, row)
          sums[g]! += (chances === 1 ? 1 : chances[i]!) * (value * value - means[s]![g * this.#data.rows + row]! * value)
        }
      }
    }
  }

  /**
   * ∂/∂p of every slot, weighed: for each row that reaches the result with a choice, `emit(variable, row, choice, weight)`, and `emitValue` for what is
   * read as a value, where weight = Σ seed·∂slot. `seeds` is groups × slots.
   */
  derive(seeds: Float64Array, emit: Emit): void {
    const { slots, plan } = this.#query
    const total = this.#data.rows
    const only = onlyGroup(seeds, slots.length)
    for (const whole of this.#passing) {
      const part = only === undefined ? whole : inGroup(whole, only)
      if (!part) continue
      const n = part.rows?.length ?? total
      const coefficients = this.#coefficients(part, seeds, n)
      if (coefficients !== undefined) {
        for (let v = 0; v < plan.variables.length; v++) {
          const rest = part.choices.length === 1 ? 1 : this.#chances(part, v)
          emit.choice(v, part.choices[v]!, n, part.rows, coefficients, rest)
        }
      }
      for (let a = 0; a < plan.values.length; a++) {
        if (slots.every((_, s) => !part.slopes[s]?.[a])) continue
        const rows = part.rows?.list
        const chances = this.#chances(part)
        const weights = new Float64Array(n)
        for (const [s, slot] of slots.entries()) {
          const of = slot.kind === 'sum' ? s : slot.kind === 'variance' ? slot.of : -1
          const slope = of < 0 ? undefined : part.slopes[of]?.[a]
          if (slope === undefined) continue
          for (let i = 0; i < n; i++) {
            const row = rows ? rows[i]! : i
            const g = typeof part.group === 'number' ? part.group : part.group[row]!
            const seed = seeds[g * slots.length + s]!
            if (seed === 0) continue
            const away = slot.kind === 'sum' ? 1 : 2 * (at(part.values[of]!, row) - this.#units!.means[s]![g * total + row]!)
            weights[i]! += seed * away * at(slope, row) * (chances === 1 ? 1 : chances[i]!)
          }
        }
        emit.value(a, n, part.rows, weights)
      }
    }
  }

  /** ∂/∂p of each slot by itself, for each row that reaches the result; for what is told of it by sums alone. Not of `presence`. */
  eachSlope(emit: (slope: Slope) => void): void {
    const { slots, plan } = this.#query
    const total = this.#data.rows
    for (const part of this.#passing) {
      const rows = part.rows?.list
      const n = rows?.length ?? total
      const rests = plan.variables.map((_, v) => this.#chances(part, v))
      const chances = plan.values.length > 0 ? this.#chances(part) : 1
      for (const [s, slot] of slots.entries()) {
        if (slot.kind === 'fixed' || slot.kind === 'presence') continue
        const of = slot.kind === 'variance' ? slot.of : s
        const [values, slopes] = [part.values[of]!, part.slopes[of]!]
        for (let i = 0; i < n; i++) {
          const row = rows ? rows[i]! : i
          const group = typeof part.group === 'number' ? part.group : part.group[row]!
          const value = at(values, row)
          const mean = slot.kind === 'variance' ? this.#units!.means[s]![group * total + row]! : 0
          const weight = slot.kind === 'variance' ? value * value - 2 * mean * value : value
          for (const [v, rest] of rests.entries()) {
            if (weight !== 0) emit({ slot: s, group, row, of: 'choice', place: v, choice: part.choices[v]!, weight: weight * at(rest, i) })
          }
          for (const [a, slope] of slopes.entries()) {
            if (slope === undefined) continue
            const moved = at(chances, i) * at(slope, row) * (slot.kind === 'variance' ? 2 * (value - mean) : 1)
            if (moved !== 0) emit({ slot: s, group, row, of: 'value', place: a, choice: 0, weight: moved })
          }
        }
      }
    }
  }

  /** Σ seed·∂slot/∂chance by place; one number where it is the same for all; undefined where it is zero. */
  #coefficients(part: Passing, seeds: Float64Array, n: number): number | Float64Array | undefined {
    const { slots } = this.#query
    const { group } = part
    if (typeof group === 'number' && slots.every((slot, s) => seeds[group * slots.length + s] === 0 || isPlain(slot, part.values[s]))) {
      let sum = 0
      let size = 0
      for (const [s, slot] of slots.entries()) {
        const seed = seeds[group * slots.length + s]!
        if (slot.kind !== 'sum' || seed === 0) continue
        sum += seed * (part.values[s] as number)
        size += Math.abs(seed * (part.values[s] as number))
      }
      return Math.abs(sum) <= CANCELLED * size ? undefined : sum
    }
    const rows = part.rows?.list
    const plain = typeof group === 'number' ? this.#sumsOfGroup(part, seeds, n) : undefined
    if (plain) return plain
    const [out, sizes] = [new Float64Array(n), new Float64Array(n)]
    for (const [s, slot] of slots.entries()) {
      if (slot.kind === 'fixed') continue
      for (let i = 0; i < n; i++) {
        const row = rows ? rows[i]! : i
        const g = typeof group === 'number' ? group : group[row]!
        const seed = seeds[g * slots.length + s]!
        if (seed === 0) continue
        const term = seed * (slot.kind === 'sum' ? at(part.values[s]!, row) : this.#windowSlope(s, slot, part, g, row))
        out[i]! += term
        sizes[i]! += Math.abs(term)
      }
    }
    for (let i = 0; i < n; i++) if (Math.abs(out[i]!) <= CANCELLED * sizes[i]!) out[i] = 0
    return out
  }

  /** The same of one group by sums alone, one or two of them. */
  #sumsOfGroup({ group, rows: some, values }: Passing, seeds: Float64Array, n: number): Float64Array | undefined {
    const { slots } = this.#query
    const active = slots.flatMap((slot, s) => {
      const seed = slot.kind === 'fixed' ? 0 : seeds[(group as number) * slots.length + s]!
      return seed === 0 ? [] : [{ slot, seed, value: values[s] }]
    })
    const [first, second] = active
    if (!first || active.length > 2 || active.some(({ slot }) => slot.kind !== 'sum')) return undefined
    const rows = some?.list
    const out = new Float64Array(n)
    addTerms(out, first.seed, first.value!, rows)
    if (!second) return out
    for (let i = 0; i < n; i++) {
      const term = second.seed * at(second.value!, rows ? rows[i]! : i)
      const sum = out[i]! + term
      out[i] = Math.abs(sum) <= CANCELLED * (Math.abs(out[i]!) + Math.abs(term)) ? 0 : sum
    }
    return out
  }

  #windowSlope(s: number, slot: CompiledSlot, part: Passing, g: number, row: number): number {
    const { chance, means, others, sure } = this.#units!
    const unit = g * this.#data.rows + row
    if (slot.kind === 'variance') {
      const value = at(part.values[slot.of]!, row)
      return value * value - 2 * means[s]![unit]! * value
    }
    if (chance[unit]! >= 1) return sure[g] === 1 ? others[g]! : 0
    return sure[g] === 0 ? others[g]! / (1 - chance[unit]!) : 0
  }
}

/** How a slot of a group moves with one of the variables' choices, or with one of the values, of a row. */
export interface Slope {
  readonly slot: number
  readonly group: number
  readonly row: number
  readonly of: 'choice' | 'value'
  readonly place: number
  readonly choice: number
  readonly weight: number
}

export interface Emit {
  /** Of `n` rows (all, or those named) with one choice: their weights are `coefficients` × `rest`. */
  choice(
    variable: number,
    choice: number,
    n: number,
    rows: RowSet | undefined,
    coefficients: number | Float64Array,
    rest: Float64Array | 1,
  ): void
  value(value: number, n: number, rows: RowSet | undefined, weights: Float64Array): void
}

interface Units {
  /** groups × rows: that the row is in the group, and the mean of each variance's sum. */
  readonly chance: Float64Array
  readonly means: readonly (Float64Array | undefined)[]
  readonly others: Float64Array
  readonly sure: Float64Array
}

const isPlain = (slot: CompiledSlot, value: number | Float64Array | undefined): boolean =>
  slot.kind === 'fixed' || (slot.kind === 'sum' && typeof value === 'number')
