import type { RowwisePlan } from '../plan/plan.ts'
import type { Json } from '../protocol/results.ts'
import { both, type Cells, numberOf, truthOf } from './rowwise-cells.ts'
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
}

/** Rows that reach the result with one joint choice. */
export interface Passing {
  readonly choices: Int32Array
  /** Absent: all. */
  readonly rows?: Int32Array
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
      } else if (mask !== 0) mask = mask === 1 ? truth : (both(mask, truth) as Uint8Array)
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
