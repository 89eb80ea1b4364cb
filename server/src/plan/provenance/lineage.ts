import type * as ast from '../../../../grammar/src/ast.ts'
import { binary, call, column, literal, star } from '../../sql/build.ts'
import { derivative } from '../../sql/derivative.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../../sql/tree.ts'
import { chanceOf, chosen, type QueryTables, type ValueAtom, type Variable } from './query-tables.ts'
import type { Event } from './subqueries.ts'

/**
 * The lineage of a query's result as SQL: one row for every joined row and every joint choice of the variables in it that reaches the result, with the
 * chance of each choice. What the result needs are sums over it, Σ Π p·v, and their derivatives ∂/∂p_a = Σ Π_{b≠a} p_b·v, aggregated by the database to one
 * number a row and class. Rows are independent; what is said of one row, in however many tables it stands, is one variable.
 */
export type Slot =
  | { readonly kind: 'sum'; readonly value: SqlExpr }
  /** The chance that the group has a row: 1 − Π(1 − chance) over its independent units. */
  | { readonly kind: 'presence' }
  /** The variance of a sum, its units taken as independent. */
  | { readonly kind: 'variance'; readonly of: number }
  /** The same for all rows of a group. */
  | { readonly kind: 'fixed'; readonly value: SqlExpr }

export interface Query {
  readonly select: ast.Select
  readonly tables: QueryTables
  readonly on: readonly SqlExpr[]
  readonly where: readonly SqlExpr[]
  readonly groups: readonly SqlExpr[]
  readonly slots: readonly Slot[]
  readonly events: readonly Event[]
}

export interface Gradient {
  readonly variable: Variable | ValueAtom
  readonly select: SqlSelect
}

export const GROUPS = 'assay groups'
export const SEEDS = 'assay seeds'
/** The column of the seed of a slot. */
export const seedOf = (slot: number) => `seed ${slot}`
export const GROUP = 'assay group'
export const groupColumn = (i: number) => `assay group ${i}`
export const slotColumn = (i: number) => `assay slot ${i}`

type Item = { readonly value: SqlExpr; readonly alias: string }
const own = (name: string) => column(name)
export const all = (operands: readonly SqlExpr[]): SqlExpr | undefined =>
  operands.length === 0 ? undefined : operands.length === 1 ? operands[0] : { kind: 'logical', op: 'and', operands }
export const product = (factors: readonly SqlExpr[]): SqlExpr =>
  factors.length === 0 ? literal(1) : factors.reduce((left, right) => binary(left, '*', right))
export const total = (terms: readonly SqlExpr[]): SqlExpr =>
  terms.length === 0 ? literal(0) : terms.reduce((left, right) => binary(left, '+', right))
export const choose = (when: SqlExpr, then: SqlExpr, otherwise: SqlExpr): SqlExpr => ({ kind: 'case', whens: [{ when, then }], otherwise })
const over = (sum: SqlExpr, partitionBy: readonly SqlExpr[]): SqlExpr => ({ kind: 'window', call: sum, partitionBy, orderBy: [] })

export class Lineage {
  readonly #query: Query
  readonly #variables: readonly Variable[]
  readonly #atoms: readonly ValueAtom[]
  readonly #windows: boolean

  constructor(query: Query) {
    this.#query = query
    this.#variables = query.tables.variables()
    this.#atoms = query.tables.valueAtoms()
    this.#windows = query.slots.some((s) => s.kind === 'presence' || s.kind === 'variance')
  }

  /** Groups that the result may have, numbered, with the relaxed value of each slot. */
  values(): SqlSelect {
    const { groups, slots } = this.#query
    const items: Item[] = [
      { value: binary(over(call('row_number'), []), '-', literal(1)), alias: GROUP },
      ...groups.map((_, i) => ({ value: own(`g${i}`), alias: groupColumn(i) })),
      ...slots.map((slot, i) => ({ value: this.#value(slot, i), alias: slotColumn(i) })),
    ]
    if (this.#windows) {
      const first = binary(own('n'), '=', literal(1))
      const open = all([first, binary(own('unit'), '<', literal(1))])!
      const sure = all([first, binary(own('unit'), '>=', literal(1))])!
      items.push(
        { value: call('coalesce', call('product', choose(open, left(own('unit')), literal(1))), literal(1)), alias: 'assay others' },
        { value: call('coalesce', call('sum', choose(sure, literal(1), literal(0))), literal(0)), alias: 'assay sure' },
      )
    }
    return {
      with: this.steps(),
      items,
      from: { kind: 'table', name: this.#last },
      groupBy: groups.map((_, i) => own(`g${i}`)),
    }
  }

  #value(slot: Slot, i: number): SqlExpr {
    const sum = (value: SqlExpr) => call('coalesce', call('sum', binary(own('chance'), '*', value)), literal(0))
    switch (slot.kind) {
      case 'sum':
        return sum(own(`v${i}`))
      case 'fixed':
        return call('any_value', own(`v${i}`))
      case 'variance':
        return sum(binary(square(own(`v${slot.of}`)), '-', binary(own(`mean ${slot.of}`), '*', own(`v${slot.of}`))))
      case 'presence': {
        const first = binary(own('n'), '=', literal(1))
        const none = call('product', choose(first, call('greatest', literal(0), left(own('unit'))), literal(1)))
        return left(call('coalesce', none, literal(1)))
      }
    }
  }

  /** ∂F/∂p for every row and class (or ∂F/∂value), where F = Σ seed·slot over the groups that have seeds. */
  gradients(): Gradient[] {
    const main = [...this.#variables.keys()].map((v) => ({ variable: this.#variables[v]!, select: this.#byVariable(v) }))
    const atoms = [...this.#atoms.keys()]
      .filter((a) => this.#query.slots.some((slot) => slot.kind === 'sum' && this.#slope(slot.value, a)))
      .map((a) => ({ variable: this.#atoms[a]!, select: this.#byAtom(a) }))
    const events = this.#query.events.flatMap((event, e) =>
      event.variables.map((variable, v) => ({ variable, select: this.#byEvent(event, e, v) })),
    )
    return [...main, ...atoms, ...events]
  }

  #byVariable(v: number): SqlSelect {
    const weight = call('sum', binary(this.#chance(v), '*', this.#coefficient()))
    return this.#weights(`r${this.#variables[v]!.tableIndex}`, own(`k${v}`), weight)
  }

  #byAtom(a: number): SqlSelect {
    const terms = this.#query.slots.flatMap((slot, i): SqlExpr[] => {
      if (slot.kind === 'sum' && this.#slope(slot.value, a)) return [binary(this.#seed(i), '*', own(`d${i} ${a}`))]
      if (slot.kind !== 'variance' || !this.#slopeOf(slot.of, a)) return []
      const away = binary(own(`v${slot.of}`), '-', own(`mean ${slot.of}`))
      return [product([this.#seed(i), literal(2), away, own(`d${slot.of} ${a}`)])]
    })
    return this.#weights(`r${this.#atoms[a]!.tableIndex}`, literal(0), call('sum', binary(own('chance'), '*', total(terms))))
  }

  #byEvent(event: Event, e: number, v: number): SqlSelect {
    const identity = this.#identity()
    const moved = binary(choose(own(`e${e}`), literal(1), literal(-1)), '*', this.#chance(undefined, e))
    const weight = call('sum', product([moved, this.#coefficient(), column('w', 'm')]))
    const partners = event.partners(this.#query, v, identity)
    const select = this.#weights('r0', column('class', 'm'), weight, [...partners.with, { name: 'assay moves', query: partners.moves }])
    const on = all(identity.map(({ alias }) => binary(column(`at ${alias}`, 'm'), 'is not distinct from', column(alias, 'u'))))
    return {
      ...select,
      items: [{ value: column('row', 'm'), alias: ROW }, ...select.items.slice(1)],
      joins: [{ side: 'inner', from: { kind: 'table', name: 'assay moves', alias: 'm' }, on }, ...select.joins!],
      where: undefined,
      groupBy: [column('row', 'm'), column('class', 'm')],
    }
  }

  #weights(row: string, choice: SqlExpr, weight: SqlExpr, more: NonNullable<SqlSelect['with']> = []): SqlSelect {
    const { groups } = this.#query
    const same = groups.map((_, i) => binary(column(groupColumn(i), 'g'), 'is not distinct from', column(`g${i}`, 'u')))
    const numbered = binary(column(GROUP, 'z'), '=', column(GROUP, 'g'))
    return {
      with: [...this.steps(), ...more],
      items: [
        { value: own(row), alias: ROW },
        { value: choice, alias: 'assay class' },
        { value: weight, alias: 'assay weight' },
      ],
      from: { kind: 'table', name: this.#last, alias: 'u' },
      joins: [
        { side: same.length ? 'inner' : 'cross', from: { kind: 'table', name: GROUPS, alias: 'g' }, on: all(same) },
        { side: 'inner', from: { kind: 'table', name: SEEDS, alias: 'z' }, on: numbered },
      ],
      where: { kind: 'is_null', negated: true, value: own(row) },
      groupBy: choice.kind === 'literal' ? [own(row)] : [own(row), choice],
    }
  }

  /** What a row of the lineage adds to F beside its chance. */
  #coefficient(): SqlExpr {
    const terms = this.#query.slots.map((slot, i) => {
      const slope = slotSlope(slot, i)
      return slope && binary(this.#seed(i), '*', slope)
    })
    return total(terms.filter((term) => term !== undefined))
  }

  #seed = (slot: number): SqlExpr => column(seedOf(slot), 'z')

  #slope(value: SqlExpr, a: number): SqlExpr | undefined {
    const { table, column: name } = this.#atoms[a]!
    return derivative(value, (e) => e.kind === 'column' && e.table === table.alias && e.name === name)
  }

  #slopeOf(slot: number, a: number): SqlExpr | undefined {
    const of = this.#query.slots[slot]
    return of?.kind === 'sum' ? this.#slope(of.value, a) : undefined
  }

  /** The chance of a row of the lineage; without a variable, or an event, the derivative by its chance. */
  #chance(without?: number, withoutEvent?: number): SqlExpr {
    const rows = jointChance(this.#variables, [...this.#variables.keys()], without)
    const events = this.#query.events.flatMap((_, e) =>
      e === withoutEvent ? [] : [choose(own(`e${e}`), own(`h${e}`), left(own(`h${e}`)))],
    )
    return product([rows, ...events])
  }

  get #last(): string {
    return this.#windows ? 'assay units' : 'assay chances'
  }

  /** Columns that tell one row of the lineage from all others. */
  #identity(): Item[] {
    return [
      ...this.#query.tables.tables.map((t, i) => ({ value: column(ROW, t.alias), alias: `r${i}` })),
      ...this.#variables.map((v, i) => ({ value: column(chosen(v.column), v.table.alias), alias: `k${i}` })),
    ]
  }

  steps(): NonNullable<SqlSelect['with']> {
    const steps: { name: string; query: SqlSelect }[] = [{ name: 'assay lineage', query: this.lineage() }]
    const merge = this.#windows && this.#merged()
    if (merge) steps.push({ name: 'assay merged', query: merge })
    const below = merge ? 'assay merged' : 'assay lineage'
    const chance = { value: this.#chance(), alias: 'chance' }
    steps.push({ name: 'assay chances', query: { items: [{ value: star }, chance], from: { kind: 'table', name: below } } })
    if (!this.#windows) return steps
    const unit = [...this.#query.groups.map((_, i) => own(`g${i}`)), ...this.#unitRows().map((i) => own(`r${i}`))]
    const means = this.#query.slots.flatMap((slot) => (slot.kind === 'variance' ? [slot.of] : []))
    const items: { value: SqlExpr; alias?: string }[] = [
      { value: star },
      { value: over(call('sum', own('chance')), unit), alias: 'unit' },
      { value: over(call('row_number'), unit), alias: 'n' },
      ...means.map((of) => ({ value: over(call('sum', binary(own('chance'), '*', own(`v${of}`))), unit), alias: `mean ${of}` })),
    ]
    steps.push({ name: 'assay units', query: { items, from: { kind: 'table', name: 'assay chances' } } })
    return steps
  }

  lineage(): SqlSelect {
    const { select, tables, on, where, groups, slots, events } = this.#query
    const again = this.#variables.flatMap((variable, v) =>
      this.#variables.slice(0, v).flatMap((u): SqlExpr[] => (isSameDraw(u, variable) ? [agrees(u, variable)] : [])),
    )
    const items: Item[] = [
      ...this.#identity(),
      ...this.#variables.map((v, i) => ({ value: column(chanceOf(v.column), v.table.alias), alias: `f${i}` })),
      ...events.flatMap((event, i) => [
        { value: event.value, alias: `e${i}` },
        { value: event.chance(this.#query), alias: `h${i}` },
      ]),
      ...groups.map((value, i) => ({ value, alias: `g${i}` })),
      ...slots.flatMap((slot, i) => (slot.kind === 'sum' || slot.kind === 'fixed' ? [{ value: slot.value, alias: `v${i}` }] : [])),
      ...this.#atoms.flatMap((_, a) =>
        slots.flatMap((slot, i) => {
          const slope = slot.kind === 'sum' ? this.#slope(slot.value, a) : undefined
          return slope ? [{ value: call('coalesce', slope, literal(0)), alias: `d${i} ${a}` }] : []
        }),
      ),
    ]
    const joined = tables.joined(select, 'relaxed', on)
    const either = events.map((event) => ({ side: 'cross' as const, from: event.from }))
    return { items, ...joined, joins: [...(joined.joins ?? []), ...either], where: all([...where, ...again]) }
  }

  /** Tables whose rows make an independent unit: those that models speak of, or all where subqueries differ from row to row. */
  #unitRows(): number[] {
    const { tables, events } = this.#query
    const every = [...tables.tables.keys()]
    if (events.length > 0) return every
    return every.filter((i) => [...this.#variables, ...this.#atoms].some((v) => v.tableIndex === i))
  }

  /** Rows of tables without models are put together: they stand and fall with the row that they are joined to. */
  #merged(): SqlSelect | undefined {
    const { tables, events, groups, slots } = this.#query
    const units = this.#unitRows()
    if (events.length > 0 || units.length === tables.tables.length || units.length === 0) return undefined
    const by = [
      ...units.map((i) => `r${i}`),
      ...this.#variables.map((_, i) => `k${i}`),
      ...groups.map((_, i) => `g${i}`),
      ...this.#variables.map((_, i) => `f${i}`),
    ]
    const summed = slots.flatMap((slot, i): Item[] => {
      if (slot.kind === 'fixed') return [{ value: call('any_value', own(`v${i}`)), alias: `v${i}` }]
      return slot.kind === 'sum' ? [{ value: call('sum', own(`v${i}`)), alias: `v${i}` }] : []
    })
    const slopes = this.#atoms.flatMap((_, a) =>
      slots.flatMap((slot, i): Item[] =>
        slot.kind === 'sum' && this.#slope(slot.value, a) ? [{ value: call('sum', own(`d${i} ${a}`)), alias: `d${i} ${a}` }] : [],
      ),
    )
    return {
      items: [...by.map((name) => ({ value: own(name), alias: name })), ...summed, ...slopes],
      from: { kind: 'table', name: 'assay lineage' },
      groupBy: by.map(own),
    }
  }
}

/** The derivative of a slot by the chance of a row of the lineage. */
function slotSlope(slot: Slot, i: number): SqlExpr | undefined {
  switch (slot.kind) {
    case 'fixed':
      return undefined
    case 'sum':
      return own(`v${i}`)
    case 'variance': {
      const [value, mean] = [own(`v${slot.of}`), own(`mean ${slot.of}`)]
      return binary(square(value), '-', product([literal(2), mean, value]))
    }
    case 'presence': {
      const others = column('assay others', 'g')
      const sure = column('assay sure', 'g')
      const last = choose(binary(sure, '=', literal(1)), others, literal(0))
      const open = choose(binary(sure, '=', literal(0)), binary(others, '/', left(own('unit'))), literal(0))
      return choose(binary(own('unit'), '>=', literal(1)), last, open)
    }
  }
}

const left = (e: SqlExpr): SqlExpr => binary(literal(1), '-', e)
const square = (e: SqlExpr): SqlExpr => binary(e, '*', e)
/**
 * The chance of a joint choice of some of the variables: a row that stands in several places is counted once. Without one of them it is the
 * derivative by that one's chance.
 */
export function jointChance(variables: readonly Variable[], members: readonly number[], without?: number): SqlExpr {
  const row = (v: number) => own(`r${variables[v]!.tableIndex}`)
  const factors = members.flatMap((v, at): SqlExpr[] => {
    const variable = variables[v]!
    const twins = members.slice(0, at).filter((u) => isSameDraw(variables[u]!, variable))
    const again: SqlExpr | undefined = twins.length
      ? { kind: 'logical', op: 'or', operands: twins.map((u) => binary(row(u), '=', row(v))) }
      : undefined
    if (v === without) return again ? [choose(again, literal(0), literal(1))] : []
    const chance = variable.table.optional ? call('coalesce', own(`f${v}`), literal(1)) : own(`f${v}`)
    return [again ? choose(again, literal(1), chance) : chance]
  })
  return product(factors)
}

/** Two places where the same row may stand, and the same is asked about it. */
export const isSameDraw = (a: Variable, b: Variable): boolean => a.asked.chances === b.asked.chances && a.table !== b.table

/** Different rows, or one row that is what it is in both places. */
export function agrees(a: Variable, b: Variable): SqlExpr {
  const other = binary(column(ROW, a.table.alias), 'is distinct from', column(ROW, b.table.alias))
  const same = binary(column(chosen(a.column), a.table.alias), '=', column(chosen(b.column), b.table.alias))
  return { kind: 'logical', op: 'or', operands: [other, same] }
}
