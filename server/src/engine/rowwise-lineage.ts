import type { RowwisePlan } from '../plan/plan.ts'
import type { Json } from '../protocol/results.ts'
import { both, type Cells, numberOf, truthOf, UNKNOWN } from './rowwise-cells.ts'
import { type Bench, type Compiled, ExpressionCompiler, type Surroundings, type Wanted } from './rowwise-expressions.ts'
import { Grouping } from './rowwise-groups.ts'

/** A query over one table, compiled, and the rows that reach its result with each joint choice of what they might be predicted as. */
export interface RowwiseQuery {
  readonly plan: RowwisePlan
  readonly wanted: Wanted
  readonly where: readonly Compiled[]
  readonly groups: readonly Compiled[]
  readonly slots: readonly CompiledSlot[]
  readonly choices: Surroundings['choices']
}
export type CompiledSlot =
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
  /** Over all rows, where it is known. */
  readonly total?: number
}

/** Rows that reach the result with one joint choice. */
export interface Passing {
  readonly choices: Int32Array
  /** Absent: all. */
  readonly rows?: RowSet
  readonly group: number | Int32Array
  /** By slot; of sums and of what is fixed. */
  readonly values: readonly (number | Float64Array | undefined)[]
  readonly slopes: readonly (readonly (number | Float64Array | undefined)[] | undefined)[]
}

/** Every joint choice with the rows that it brings to the result, and the groups that are found on the way. */
export function lineage(
  query: RowwiseQuery,
  data: RowwiseData,
  nChoices: readonly number[],
): { passing: Passing[]; keys: (readonly Json[])[] } {
  const { plan } = query
  const chosen = new Int32Array(plan.variables.length)
  const places = new Map(plan.variables.map((v, i) => [v.column, i]))
  const bench: Bench = { ...data, column: (name) => data.column(name), chosen: (name) => chosen[places.get(name)!]! }
  const groups = new Grouping(query.groups, data.rows)
  const lists = new WeakMap<Uint8Array, RowSet>()
  const listed = (truth: Uint8Array) => {
    const known = lists.get(truth) ?? rowsOf(truth)
    lists.set(truth, known)
    return known
  }
  const numbers = (compiled: Compiled | undefined) => {
    if (!compiled) return undefined
    const value = numberOf(compiled.run(bench))
    return value === 0 ? 0 : value
  }
  const moving = query.where.filter((c) => c.moves)
  let known: number | Uint8Array | undefined
  /** What is the same for all choices, once one of them passes the rest. */
  const still = () => {
    known ??= simplest(query.where.filter((c) => !c.moves).reduce<number | Uint8Array>((all, c) => both(all, truthOf(c.run(bench))), 1))
    return known
  }
  const passing: Passing[] = []
  const joint = nChoices.reduce((product, n) => product * n, 1)
  for (let place = 0; place < joint; place++) {
    for (let v = 0, rest = place; v < chosen.length; v++) {
      chosen[v] = rest % nChoices[v]!
      rest = Math.floor(rest / nChoices[v]!)
    }
    let mask: number | Uint8Array = 1
    for (const condition of moving) {
      const truth = truthOf(condition.run(bench))
      mask = typeof truth === 'number' && truth !== 1 ? 0 : both(mask, truth)
      if (mask === 0) break
    }
    if (mask !== 0) mask = both(mask, still())
    if (mask === 0 || mask === UNKNOWN) continue
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

/** One value where all rows are true. */
function simplest(truth: number | Uint8Array): number | Uint8Array {
  return typeof truth !== 'number' && truth.every((t) => t === 1) ? 1 : truth
}

/** Some of the rows, in rising order; where they are most of them, the others are what is known at once. */
export class RowSet {
  readonly length: number
  readonly others?: Int32Array
  readonly #make: () => Int32Array
  #list: Int32Array | undefined

  constructor(length: number, make: () => Int32Array, others?: Int32Array) {
    this.length = length
    this.others = others
    this.#make = make
  }

  get list(): Int32Array {
    this.#list ??= this.#make()
    return this.#list
  }

  /** Those of them that are in a group. */
  inGroup(groups: Int32Array, group: number): RowSet {
    const { list } = this
    const out = new Int32Array(list.length)
    let n = 0
    for (let i = 0; i < list.length; i++) {
      out[n] = list[i]!
      n += Number(groups[list[i]!] === group)
    }
    return ofList(out.subarray(0, n))
  }
}

const ofList = (list: Int32Array): RowSet => new RowSet(list.length, () => list)

/** Of all rows those that are in a group. */
export function rowsInGroup(groups: Int32Array, group: number): RowSet {
  const out = new Int32Array(groups.length)
  let n = 0
  for (let i = 0; i < groups.length; i++) {
    out[n] = i
    n += Number(groups[i] === group)
  }
  return ofList(out.subarray(0, n))
}

/** Rows that are looked at to tell whether most are true. */
const LOOKED_AT = 64

/** The rows that are true. O(rows). */
export function rowsOf(truth: Uint8Array): RowSet {
  let some = 0
  const step = Math.max(1, Math.floor(truth.length / LOOKED_AT))
  for (let i = 0; i < truth.length; i += step) some += Number(truth[i] === 1)
  const others = 4 * some * step > 3 * truth.length ? falseRows(truth) : undefined
  return others ? new RowSet(truth.length - others.length, () => trueRows(truth), others) : ofList(trueRows(truth))
}

const ALL_TRUE = 0x01010101

/** Undefined where they are half of the rows or more. Four rows at a time: mostly all of them are true. */
function falseRows(truth: Uint8Array): Int32Array | undefined {
  const { length } = truth
  const most = length >> 1
  const out = new Int32Array(most + 4)
  const fours = truth.byteOffset % 4 === 0 ? new Int32Array(truth.buffer, truth.byteOffset, length >> 2) : new Int32Array(0)
  let n = 0
  for (let four = 0; four < fours.length; four++) {
    if (fours[four] === ALL_TRUE) continue
    for (let i = 4 * four; i < 4 * four + 4; i++) {
      out[n] = i
      n += Number(truth[i] !== 1)
    }
    if (n >= most) return undefined
  }
  for (let i = 4 * fours.length; i < length; i++) if (truth[i] !== 1) out[n++] = i
  return n < most ? out.slice(0, n) : undefined
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
