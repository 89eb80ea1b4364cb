import type { RowwisePlan } from '../plan/plan.ts'
import type { Json } from '../protocol/results.ts'
import { type Cells, isVector, jsonOf, NotRowwise, numberOf, truthOf } from './rowwise-cells.ts'
import { type Bench, type Compiled, ExpressionCompiler, type Surroundings, type Wanted } from './rowwise-expressions.ts'

/**
 * A relaxed query over one table, computed from typed arrays: the same sums as the database's (`plan/provenance/lineage.ts`), without a statement. Every
 * joint choice of what a row might be predicted as is taken for all rows at once; a condition that speaks of the choice alone drops it whole, so that
 * `predict(c) = 7 and …` reads one class of the rows that satisfy the rest. O(rows × choices that remain × slots).
 */
export interface RowwiseQuery {
  readonly plan: RowwisePlan
  readonly wanted: Wanted
  readonly where: readonly Compiled[]
  readonly groups: readonly Compiled[]
  readonly slots: readonly CompiledSlot[]
  readonly choices: Surroundings['choices']
}
type CompiledSlot =
  | { readonly kind: 'sum'; readonly value: Compiled; readonly slopes: readonly (Compiled | undefined)[] }
  | { readonly kind: 'fixed'; readonly value: Compiled }
  | { readonly kind: 'variance'; readonly of: number }
  | { readonly kind: 'presence' }

/** Throws `NotRowwise` where the database must be asked. */
export function compileRowwise(plan: RowwisePlan, around: Surroundings): RowwiseQuery {
  const compiler = new ExpressionCompiler(around)
  return {
    plan,
    where: plan.where.map((e) => compiler.compile(e)),
    groups: plan.groups.map((e) => compiler.compile(e)),
    slots: plan.slots.map((slot): CompiledSlot => {
      if (slot.kind === 'sum')
        return { ...slot, value: compiler.compile(slot.value), slopes: slot.slopes.map((s) => (s ? compiler.compile(s) : undefined)) }
      return slot.kind === 'fixed' ? { ...slot, value: compiler.compile(slot.value) } : slot
    }),
    choices: around.choices,
    wanted: compiler.wanted,
  }
}

/** What the query reads, by row. */
export interface RowwiseData {
  readonly rows: number
  column(name: string): Cells
  row(sql: string): Cells
  choice(sql: string): readonly Cells[]
  value(name: string): Float64Array
  /** The chance of a choice of `variables[v]`: of row i at `values[offset + i·stride]`. */
  chance(variable: number, choice: number): Strided
}
export interface Strided {
  readonly values: Float32Array | Float64Array
  readonly offset: number
  readonly stride: number
}

/** Rows that reach the result with one joint choice. */
interface Passing {
  readonly choices: Int32Array
  /** Absent: all. */
  readonly rows?: Int32Array
  readonly group: number | Int32Array
  /** By slot; of sums and of what is fixed. */
  readonly values: readonly (number | Float64Array | undefined)[]
  readonly slopes: readonly (readonly (number | Float64Array | undefined)[] | undefined)[]
}

/** More joint choices, or more units to keep apart, are the database's. */
const MOST_CHOICES = 4096
const MOST_CELLS = 64e6
const MOST_UNITS = 8e6

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
      const chance = this.#chances(part)
      for (const [s, slot] of slots.entries()) {
        const sums = this.#sums[s]!
        const value = part.values[s]!
        if (slot.kind === 'fixed') {
          const known = seen[s]!
          for (let i = 0; i < n; i++) {
            const row = part.rows ? part.rows[i]! : i
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
    const n = part.rows?.length ?? this.#data.rows
    let out: Float64Array | undefined
    for (let v = 0; v < part.choices.length; v++) {
      if (v === without) continue
      const { values, offset, stride } = this.#data.chance(v, part.choices[v]!)
      if (out) {
        for (let i = 0; i < n; i++) out[i] = out[i]! * values[offset + (part.rows ? part.rows[i]! : i) * stride]!
        continue
      }
      out = new Float64Array(n)
      if (part.rows) for (let i = 0; i < n; i++) out[i] = values[offset + part.rows[i]! * stride]!
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
      const n = part.rows?.length ?? this.#data.rows
      for (let i = 0; i < n; i++) {
        const row = part.rows ? part.rows[i]! : i
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
        const n = part.rows?.length ?? this.#data.rows
        for (let i = 0; i < n; i++) {
          const row = part.rows ? part.rows[i]! : i
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
    const { rows } = this.#data
    for (const part of this.#passing) {
      const n = part.rows?.length ?? rows
      const coefficients = this.#coefficients(part, seeds, n)
      if (coefficients !== undefined) {
        for (let v = 0; v < plan.variables.length; v++) {
          const rest = part.choices.length === 1 ? 1 : this.#chances(part, v)
          emit.choice(v, part.choices[v]!, n, part.rows, coefficients, rest)
        }
      }
      for (let a = 0; a < plan.values.length; a++) {
        if (slots.every((_, s) => !part.slopes[s]?.[a])) continue
        const chances = this.#chances(part)
        const weights = new Float64Array(n)
        for (const [s, slot] of slots.entries()) {
          const of = slot.kind === 'sum' ? s : slot.kind === 'variance' ? slot.of : -1
          const slope = of < 0 ? undefined : part.slopes[of]?.[a]
          if (slope === undefined) continue
          for (let i = 0; i < n; i++) {
            const row = part.rows ? part.rows[i]! : i
            const g = typeof part.group === 'number' ? part.group : part.group[row]!
            const seed = seeds[g * slots.length + s]!
            if (seed === 0) continue
            const away = slot.kind === 'sum' ? 1 : 2 * (at(part.values[of]!, row) - this.#units!.means[s]![g * rows + row]!)
            weights[i]! += seed * away * at(slope, row) * (chances === 1 ? 1 : chances[i]!)
          }
        }
        emit.value(a, n, part.rows, weights)
      }
    }
  }

  /** Σ seed·∂slot/∂chance by place; one number where it is the same for all; undefined where it is zero. */
  #coefficients(part: Passing, seeds: Float64Array, n: number): number | Float64Array | undefined {
    const { slots } = this.#query
    const { group } = part
    if (typeof group === 'number' && slots.every((slot, s) => seeds[group * slots.length + s] === 0 || isPlain(slot, part.values[s]))) {
      let sum = 0
      for (const [s, slot] of slots.entries()) {
        const seed = seeds[group * slots.length + s]!
        if (slot.kind === 'sum' && seed !== 0) sum += seed * (part.values[s] as number)
      }
      return sum === 0 ? undefined : sum
    }
    const out = new Float64Array(n)
    for (const [s, slot] of slots.entries()) {
      if (slot.kind === 'fixed') continue
      for (let i = 0; i < n; i++) {
        const row = part.rows ? part.rows[i]! : i
        const g = typeof group === 'number' ? group : group[row]!
        const seed = seeds[g * slots.length + s]!
        if (seed !== 0) out[i]! += seed * (slot.kind === 'sum' ? at(part.values[s]!, row) : this.#windowSlope(s, slot, part, g, row))
      }
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

export interface Emit {
  /** Of `n` rows (all, or those named) with one choice: their weights are `coefficients` × `rest`. */
  choice(
    variable: number,
    choice: number,
    n: number,
    rows: Int32Array | undefined,
    coefficients: number | Float64Array,
    rest: Float64Array | 1,
  ): void
  value(value: number, n: number, rows: Int32Array | undefined, weights: Float64Array): void
}

interface Units {
  /** groups × rows: that the row is in the group, and the mean of each variance's sum. */
  readonly chance: Float64Array
  readonly means: readonly (Float64Array | undefined)[]
  readonly others: Float64Array
  readonly sure: Float64Array
}

const at = (value: number | Float64Array, row: number): number => (typeof value === 'number' ? value : value[row]!)
const isPlain = (slot: CompiledSlot, value: number | Float64Array | undefined): boolean =>
  slot.kind === 'fixed' || (slot.kind === 'sum' && typeof value === 'number')

function sumOf({ values, offset, stride }: Strided, n: number, rows: Int32Array | undefined): number {
  let sum = 0
  if (rows) for (let i = 0; i < n; i++) sum += values[offset + rows[i]! * stride]!
  else for (let i = 0, from = offset; i < n; i++, from += stride) sum += values[from]!
  return sum
}

function addSlot(sums: Float64Array, { rows, group }: Passing, chance: Float64Array | 1, value: number | Float64Array, n: number): void {
  if (typeof group === 'number') {
    let sum = 0
    if (typeof value === 'number') {
      if (value === 0) return
      if (chance === 1) sum = n
      else for (let i = 0; i < n; i++) sum += chance[i]!
      sums[group]! += sum * value
      return
    }
    for (let i = 0; i < n; i++) sum += (chance === 1 ? 1 : chance[i]!) * value[rows ? rows[i]! : i]!
    sums[group]! += sum
    return
  }
  for (let i = 0; i < n; i++) {
    const row = rows ? rows[i]! : i
    sums[group[row]!]! += (chance === 1 ? 1 : chance[i]!) * (typeof value === 'number' ? value : value[row]!)
  }
}

/** Every joint choice with the rows that it brings to the result, and the groups that are found on the way. */
function lineage(query: RowwiseQuery, data: RowwiseData, nChoices: readonly number[]): { passing: Passing[]; keys: (readonly Json[])[] } {
  const { plan } = query
  const chosen = new Int32Array(plan.variables.length)
  const places = new Map(plan.variables.map((v, i) => [v.column, i]))
  const bench: Bench = { ...data, column: (name) => data.column(name), chosen: (name) => chosen[places.get(name)!]! }
  const groups = new Grouping(query.groups, data.rows)
  const lists = new WeakMap<Uint8Array, Int32Array>()
  const listed = (truth: Uint8Array) => {
    const known = lists.get(truth) ?? trueRows(truth)
    lists.set(truth, known)
    return known
  }
  const numbers = (compiled: Compiled | undefined) => {
    if (!compiled) return undefined
    const value = numberOf(compiled.run(bench))
    return value === 0 ? 0 : value
  }
  const conditions = [...query.where].sort((a, b) => Number(b.moves) - Number(a.moves))
  const passing: Passing[] = []
  const joint = nChoices.reduce((product, n) => product * n, 1)
  for (let place = 0; place < joint; place++) {
    for (let v = 0, rest = place; v < chosen.length; v++) {
      chosen[v] = rest % nChoices[v]!
      rest = Math.floor(rest / nChoices[v]!)
    }
    let mask: number | Uint8Array = 1
    for (const condition of conditions) {
      const truth = truthOf(condition.run(bench))
      if (typeof truth === 'number') {
        if (truth !== 1) mask = 0
      } else if (mask !== 0) mask = mask === 1 ? truth : (mask as Uint8Array).map((m, i) => (m === 1 && truth[i] === 1 ? 1 : 0))
      if (mask === 0) break
    }
    if (mask === 0) continue
    const rows = typeof mask === 'number' ? undefined : listed(mask)
    if (rows?.length === 0 || data.rows === 0) continue
    passing.push({
      choices: chosen.slice(),
      rows,
      group: groups.of(bench, rows),
      values: query.slots.map((slot) => (slot.kind === 'sum' || slot.kind === 'fixed' ? numbers(slot.value) : undefined)),
      slopes: query.slots.map((slot) => (slot.kind === 'sum' ? slot.slopes.map(numbers) : undefined)),
    })
  }
  return { passing, keys: groups.keys() }
}

function trueRows(truth: Uint8Array): Int32Array {
  const out = new Int32Array(truth.length)
  let n = 0
  // Without a branch: which rows hold is hard to predict.
  for (let i = 0; i < truth.length; i++) {
    out[n] = i
    n += truth[i]! & 1
  }
  return out.subarray(0, n)
}

/** Numbers the groups as they are met. */
class Grouping {
  readonly #columns: readonly Compiled[]
  readonly #rows: number
  readonly #found = new Map<string, number>()
  readonly #keys: (readonly Json[])[] = []
  readonly #coded = new WeakMap<object, Coded>()

  constructor(columns: readonly Compiled[], rows: number) {
    this.#columns = columns
    this.#rows = rows
    // Without columns there is one group, whether rows reach it or not.
    if (columns.length === 0) this.#place([])
  }

  keys(): (readonly Json[])[] {
    return this.#keys
  }

  of(bench: Bench, rows: Int32Array | undefined): number | Int32Array {
    const cells = this.#columns.map((c) => c.run(bench))
    if (!cells.some(isVector)) return this.#place(cells.map((c) => jsonOf(c, 0)))
    const codes = cells.map((c) => (isVector(c) ? this.#codes(c) : undefined))
    const places = new Int32Array(this.#rows).fill(-1)
    const cards = codes.map((c) => c?.first.length ?? 1)
    const combined = cards.reduce((product, card) => product * card, 1)
    const known = combined <= 4 * this.#rows + 1024 ? new Int32Array(combined).fill(-1) : new Map<number, number>()
    for (let i = 0, n = rows?.length ?? this.#rows; i < n; i++) {
      const row = rows ? rows[i]! : i
      let code = 0
      for (let c = 0; c < codes.length; c++) code = code * cards[c]! + (codes[c]?.codes[row] ?? 0)
      let place = known instanceof Map ? (known.get(code) ?? -1) : known[code]!
      if (place < 0) {
        place = this.#place(cells.map((c) => jsonOf(c, row)))
        if (known instanceof Map) known.set(code, place)
        else known[code] = place
      }
      places[row] = place
    }
    return places
  }

  #place(key: readonly Json[]): number {
    const text = JSON.stringify(key)
    const known = this.#found.get(text)
    if (known !== undefined) return known
    this.#found.set(text, this.#keys.length)
    return this.#keys.push(key) - 1
  }

  /** Dense codes of a column's values, kept for as long as the column is. */
  #codes(cells: Cells): Coded {
    const holder = cells.kind === 'text' ? (cells.at as { codes: Int32Array }).codes : ((cells as { at: unknown }).at as object)
    const known = this.#coded.get(holder) ?? coded(cells, this.#rows)
    this.#coded.set(holder, known)
    return known
  }
}

interface Coded {
  readonly codes: Int32Array
  /** A row of each code. */
  readonly first: readonly number[]
}

function coded(cells: Cells, rows: number): Coded {
  const codes = new Int32Array(rows)
  const first: number[] = []
  const known = new Map<unknown, number>()
  const raw = (row: number): unknown =>
    cells.kind === 'text' ? (cells.at as { codes: Int32Array }).codes[row] : (cells as { at: Float64Array }).at[row]
  for (let row = 0; row < rows; row++) {
    const value = raw(row)
    let code = known.get(value)
    if (code === undefined) {
      code = first.push(row) - 1
      known.set(value, code)
    }
    codes[row] = code
  }
  return { codes, first }
}
