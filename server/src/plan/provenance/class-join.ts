import { binary, call, column, literal, star } from '../../sql/build.ts'
import { derivative, mentions } from '../../sql/derivative.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../../sql/tree.ts'
import {
  agrees,
  all,
  choose,
  GROUP,
  GROUPS,
  type Gradient,
  groupColumn,
  isSameDraw,
  jointChance,
  product,
  type Query,
  SEEDS,
  seedOf,
  slotColumn,
  total,
} from './lineage.ts'
import { chanceOf, chosen, type ValueAtom, type Variable } from './query-tables.ts'

/**
 * Joins that only a predicted class holds together, `predict(l.c) = predict(r.c)`: every row of one side meets every row of the other. Sums over them
 * come apart, Σ_c (Σ_i p_ic·u_i)(Σ_j p_jc·w_j) (METHODS §4), so each side is summed by class and the product is never made. Where both sides
 * may hold the same row, its pair with itself is put right: it is no two independent rows.
 */
interface Side {
  readonly name: 'left' | 'right'
  readonly tables: readonly number[]
  readonly variables: readonly number[]
  readonly where: readonly SqlExpr[]
  readonly groups: readonly number[]
  /** The factor of each slot's value that this side gives. */
  readonly values: readonly SqlExpr[]
  /** The predicted columns that the other side's must equal. */
  readonly links: readonly SqlExpr[]
}
type Item = { readonly value: SqlExpr; readonly alias: string }
const own = (name: string) => column(name)

/** Undefined where the join is of another kind, or a value or group mixes both sides. */
export function classJoin(query: Query): ClassJoin | undefined {
  const { tables, events, slots, groups } = query
  if (events.length > 0 || tables.tables.some((t) => t.optional) || slots.some((s) => s.kind !== 'sum')) return undefined
  const conditions = [...query.on, ...query.where].flatMap(conjuncts)
  const spoken = conditions.map((c) => tablesIn(c, query))
  if (spoken.some((s) => s === undefined)) return undefined
  const side = components(
    tables.tables.length,
    conditions.flatMap((c, i) => (isLink(c) ? [] : [spoken[i]!])),
  )
  const crossing = conditions.filter((c, i) => isLink(c) && side[spoken[i]![0]!] !== side[spoken[i]![1]!])
  if (new Set(side).size !== 2 || crossing.length === 0) return undefined
  const first = side[0]!
  const factors = slots.map((slot) => (slot.kind === 'sum' ? parts(slot.value, query, (t) => side[t] === first) : undefined))
  const placed = groups.map((g) => tablesIn(g, query))
  if (factors.some((f) => f === undefined) || placed.some((p) => p === undefined || new Set(p.map((t) => side[t])).size > 1))
    return undefined
  const variables = tables.variables()
  const make = (name: Side['name']): Side => {
    const isOwn = (table: number) => (side[table] === first) === (name === 'left')
    return {
      name,
      tables: [...tables.tables.keys()].filter(isOwn),
      variables: [...variables.keys()].filter((v) => isOwn(variables[v]!.tableIndex)),
      where: conditions.filter((c, i) => !crossing.includes(c) && spoken[i]!.every(isOwn) && (spoken[i]!.length > 0 || name === 'left')),
      groups: [...groups.keys()].filter((g) => (placed[g]!.length === 0 ? name === 'left' : isOwn(placed[g]![0]!))),
      values: factors.map((f) => f![name]),
      links: crossing.map((c) => (c.kind === 'binary' && isOwn(tablesIn(c.left, query)![0]!) ? c.left : c.kind === 'binary' ? c.right : c)),
    }
  }
  return new ClassJoin(query, make('left'), make('right'))
}

export class ClassJoin {
  readonly #query: Query
  readonly #sides: readonly [Side, Side]
  readonly #variables: readonly Variable[]
  readonly #atoms: readonly ValueAtom[]
  /** Pairs of variables, one of each side, that may be of the same row. */
  readonly #twins: readonly (readonly [number, number])[]

  constructor(query: Query, left: Side, right: Side) {
    this.#query = query
    this.#sides = [left, right]
    this.#variables = query.tables.variables()
    this.#atoms = query.tables.valueAtoms()
    this.#twins = left.variables.flatMap((u) =>
      right.variables.filter((v) => isSameDraw(this.#variables[u]!, this.#variables[v]!)).map((v) => [u, v] as const),
    )
  }

  values(): SqlSelect {
    const { groups, slots } = this.#query
    const [left, right] = this.#sides
    const g = groups.map((_, i) => own(`g${i}`))
    const crossed: SqlSelect = {
      items: [
        ...groups.map((_, i) => ({ value: column(`g${i}`, left.groups.includes(i) ? 'l' : 'r'), alias: `g${i}` })),
        ...slots.map((_, s) => ({ value: sum(binary(column(`s${s}`, 'l'), '*', column(`s${s}`, 'r'))), alias: `s${s}` })),
      ],
      from: { kind: 'table', name: 'assay left sums', alias: 'l' },
      joins: [{ side: 'inner', from: { kind: 'table', name: 'assay right sums', alias: 'r' }, on: this.#linked('l', 'r') }],
      groupBy: groups.map((_, i) => column(`g${i}`, left.groups.includes(i) ? 'l' : 'r')),
    }
    const mended: SqlSelect = {
      items: [
        ...g.map((value, i) => ({ value, alias: `g${i}` })),
        ...slots.map((_, s) => ({ value: sum(binary(own('excess'), '*', own(`v${s}`))), alias: `s${s}` })),
      ],
      from: { kind: 'table', name: 'assay itself' },
      groupBy: g,
    }
    const mends = this.#twins.length > 0
    const same = all(groups.map((_, i) => binary(column(`g${i}`, 'c'), 'is not distinct from', column(`g${i}`, 'm'))))
    return {
      with: [
        ...this.#sideSteps(left),
        ...this.#sideSteps(right),
        { name: 'assay crossed', query: crossed },
        ...(mends ? [...this.#itself(), { name: 'assay mended', query: mended }] : []),
      ],
      items: [
        { value: binary({ kind: 'window', call: call('row_number'), partitionBy: [], orderBy: [] }, '-', literal(1)), alias: GROUP },
        ...groups.map((_, i) => ({ value: column(`g${i}`, 'c'), alias: groupColumn(i) })),
        ...slots.map((_, s) => ({
          value: mends ? binary(column(`s${s}`, 'c'), '+', call('coalesce', column(`s${s}`, 'm'), literal(0))) : column(`s${s}`, 'c'),
          alias: slotColumn(s),
        })),
      ],
      from: { kind: 'table', name: 'assay crossed', alias: 'c' },
      joins: mends ? [{ side: same ? 'left' : 'cross', from: { kind: 'table', name: 'assay mended', alias: 'm' }, on: same }] : [],
    }
  }

  gradients(): Gradient[] {
    const bySide = this.#sides.flatMap((side) => {
      const moves = side.variables.map((v) =>
        this.#bySide(side, this.#variables[v]!, jointChance(this.#variables, side.variables, v), own(`k${v}`)),
      )
      const slides = this.#atomsOf(side).map((a) => this.#bySide(side, this.#atoms[a]!, own('chance'), literal(0), a))
      return [...moves, ...slides]
    })
    if (this.#twins.length === 0) return bySide
    const naive = (v?: number) =>
      product(this.#sides.map((s) => jointChance(this.#variables, s.variables, s.variables.includes(v ?? -1) ? v : undefined)))
    const exact = (v?: number) => product([this.#agreement(), jointChance(this.#variables, [...this.#variables.keys()], v)])
    const mends = this.#variables.map((variable, v) => this.#byItself(variable, binary(exact(v), '-', naive(v)), own(`k${v}`)))
    const slides = this.#sides.flatMap((side) =>
      this.#atomsOf(side).map((a) => this.#byItself(this.#atoms[a]!, own('excess'), literal(0), a)),
    )
    return [...bySide, ...mends, ...slides]
  }

  #atomsOf(side: Side): number[] {
    return [...this.#atoms.keys()].filter((a) => side.values.some((value) => this.#slope(value, a)))
  }

  #slope(value: SqlExpr, a: number): SqlExpr | undefined {
    const { table, column: name } = this.#atoms[a]!
    return derivative(value, (e) => e.kind === 'column' && e.table === table.alias && e.name === name)
  }

  #bySide(side: Side, variable: Variable | ValueAtom, moved: SqlExpr, choice: SqlExpr, atom?: number): Gradient {
    const { groups, slots } = this.#query
    const other = this.#sides.find((s) => s !== side)!
    const terms = slots.flatMap((_, s): SqlExpr[] => {
      const value = atom === undefined ? own(`v${s}`) : this.#slope(side.values[s]!, atom) && own(`d${s} ${atom}`)
      return value ? [product([column(seedOf(s), 'z'), value, column(`s${s}`, 'o')])] : []
    })
    const of = (i: number) => column(`g${i}`, side.groups.includes(i) ? 'u' : 'o')
    const row = column(`r${variable.tableIndex}`, 'u')
    const numbered = groups.map((_, i) => binary(column(groupColumn(i), 'g'), 'is not distinct from', of(i)))
    const select: SqlSelect = {
      with: [...this.#sideSteps(side), ...this.#sideSteps(other)],
      items: [
        { value: row, alias: ROW },
        { value: choice, alias: 'assay class' },
        { value: sum(binary(moved, '*', total(terms))), alias: 'assay weight' },
      ],
      from: { kind: 'table', name: `assay ${side.name} chances`, alias: 'u' },
      joins: [
        { side: 'inner', from: { kind: 'table', name: `assay ${other.name} sums`, alias: 'o' }, on: this.#linked('u', 'o') },
        { side: groups.length ? 'inner' : 'cross', from: { kind: 'table', name: GROUPS, alias: 'g' }, on: all(numbered) },
        { side: 'inner', from: { kind: 'table', name: SEEDS, alias: 'z' }, on: binary(column(GROUP, 'z'), '=', column(GROUP, 'g')) },
      ],
      groupBy: choice.kind === 'literal' ? [row] : [row, choice],
    }
    return { variable, select }
  }

  #byItself(variable: Variable | ValueAtom, moved: SqlExpr, choice: SqlExpr, atom?: number): Gradient {
    const { groups, slots } = this.#query
    const whole = (s: number) => product(this.#sides.map((side) => side.values[s]!))
    const terms = slots.flatMap((_, s): SqlExpr[] => {
      const value = atom === undefined ? own(`v${s}`) : this.#slope(whole(s), atom) && own(`d${s} ${atom}`)
      return value ? [binary(column(seedOf(s), 'z'), '*', value)] : []
    })
    const row = own(`r${variable.tableIndex}`)
    const numbered = groups.map((_, i) => binary(column(groupColumn(i), 'g'), 'is not distinct from', column(`g${i}`, 'u')))
    const select: SqlSelect = {
      with: this.#itself(),
      items: [
        { value: row, alias: ROW },
        { value: choice, alias: 'assay class' },
        { value: sum(binary(moved, '*', total(terms))), alias: 'assay weight' },
      ],
      from: { kind: 'table', name: 'assay itself', alias: 'u' },
      joins: [
        { side: groups.length ? 'inner' : 'cross', from: { kind: 'table', name: GROUPS, alias: 'g' }, on: all(numbered) },
        { side: 'inner', from: { kind: 'table', name: SEEDS, alias: 'z' }, on: binary(column(GROUP, 'z'), '=', column(GROUP, 'g')) },
      ],
      groupBy: choice.kind === 'literal' ? [row] : [row, choice],
    }
    return { variable, select }
  }

  #linked(left: string, right: string): SqlExpr {
    return all(this.#sides[0].links.map((_, i) => binary(column(`j${i}`, left), '=', column(`j${i}`, right))))!
  }

  /** Rows of a side with the chance of each choice, and their sums by the class that the other side meets and by group. */
  #sideSteps(side: Side): NonNullable<SqlSelect['with']> {
    const { slots } = this.#query
    const keys = [...side.links.map((_, i) => `j${i}`), ...side.groups.map((i) => `g${i}`)]
    const lineage = this.#lineage(side.tables, side.variables, side.where, side.groups, side.values, side.links)
    return [
      { name: `assay ${side.name}`, query: lineage },
      {
        name: `assay ${side.name} chances`,
        query: {
          items: [{ value: star }, { value: jointChance(this.#variables, side.variables), alias: 'chance' }],
          from: { kind: 'table', name: `assay ${side.name}` },
        },
      },
      {
        name: `assay ${side.name} sums`,
        query: {
          items: [
            ...keys.map((name) => ({ value: own(name), alias: name })),
            ...slots.map((_, s) => ({ value: sum(binary(own('chance'), '*', own(`v${s}`))), alias: `s${s}` })),
          ],
          from: { kind: 'table', name: `assay ${side.name} chances` },
          groupBy: keys.map(own),
        },
      },
    ]
  }

  /** Joined rows in which a row meets itself: `excess` is what their chance is above that of two independent rows. */
  #itself(): NonNullable<SqlSelect['with']> {
    const [left, right] = this.#sides
    const { slots, groups } = this.#query
    const meets: SqlExpr = {
      kind: 'logical',
      op: 'or',
      operands: this.#twins.map(([u, v]) =>
        binary(column(ROW, this.#variables[u]!.table.alias), '=', column(ROW, this.#variables[v]!.table.alias)),
      ),
    }
    const linked = left.links.map((link, i) => binary(link, '=', right.links[i]!))
    const lineage = this.#lineage(
      [...left.tables, ...right.tables],
      [...this.#variables.keys()],
      [...left.where, ...right.where, ...linked, meets],
      [...groups.keys()],
      slots.map((_, s) => product([left.values[s]!, right.values[s]!])),
      [],
    )
    const exact = product([this.#agreement(), jointChance(this.#variables, [...this.#variables.keys()])])
    const naive = product(this.#sides.map((side) => jointChance(this.#variables, side.variables)))
    return [
      { name: 'assay both', query: lineage },
      {
        name: 'assay itself',
        query: {
          items: [{ value: star }, { value: binary(exact, '-', naive), alias: 'excess' }],
          from: { kind: 'table', name: 'assay both' },
        },
      },
    ]
  }

  /** Zero where one row is two things at once. */
  #agreement(): SqlExpr {
    return product(
      this.#twins.map(([u, v]) => {
        const same = binary(own(`r${this.#variables[u]!.tableIndex}`), '=', own(`r${this.#variables[v]!.tableIndex}`))
        return choose({ kind: 'logical', op: 'and', operands: [same, binary(own(`k${u}`), '<>', own(`k${v}`))] }, literal(0), literal(1))
      }),
    )
  }

  #lineage(
    tables: readonly number[],
    variables: readonly number[],
    where: readonly SqlExpr[],
    groups: readonly number[],
    values: readonly SqlExpr[],
    links: readonly SqlExpr[],
  ): SqlSelect {
    const all_ = this.#query.tables
    const isOneSide = (u: number, v: number) => this.#sides.some((s) => s.variables.includes(u) && s.variables.includes(v))
    const again = variables.flatMap((v, at) =>
      variables
        .slice(0, at)
        .filter((u) => isOneSide(u, v) && isSameDraw(this.#variables[u]!, this.#variables[v]!))
        .map((u) => agrees(this.#variables[u]!, this.#variables[v]!)),
    )
    const items: Item[] = [
      ...tables.map((t) => ({ value: column(ROW, all_.tables[t]!.alias), alias: `r${t}` })),
      ...variables.flatMap((v) => {
        const { table, column: name } = this.#variables[v]!
        return [
          { value: column(chosen(name), table.alias), alias: `k${v}` },
          { value: column(chanceOf(name), table.alias), alias: `f${v}` },
        ]
      }),
      ...links.map((value, i) => ({ value, alias: `j${i}` })),
      ...groups.map((i) => ({ value: this.#query.groups[i]!, alias: `g${i}` })),
      ...values.map((value, s) => ({ value, alias: `v${s}` })),
      ...this.#atoms.flatMap((_, a) =>
        values.flatMap((value, s) => {
          const slope = this.#slope(value, a)
          return slope ? [{ value: call('coalesce', slope, literal(0)), alias: `d${s} ${a}` }] : []
        }),
      ),
    ]
    const [first, ...rest] = tables.map((t) => all_.from(all_.tables[t]!, 'relaxed'))
    return { items, from: first, joins: rest.map((from) => ({ side: 'cross', from })), where: all([...where, ...again]) }
  }
}

const sum = (value: SqlExpr): SqlExpr => call('coalesce', call('sum', value), literal(0))

const conjuncts = (expr: SqlExpr): SqlExpr[] => (expr.kind === 'logical' && expr.op === 'and' ? expr.operands.flatMap(conjuncts) : [expr])

const isLink = (expr: SqlExpr): boolean => expr.kind === 'binary' && expr.op === '=' && isPredicted(expr.left) && isPredicted(expr.right)
const isPredicted = (expr: SqlExpr): boolean => expr.kind === 'column' && expr.name.startsWith('assay predicted ')

/** Positions of the tables that an expression names; undefined where a query in it may name any. */
function tablesIn(expr: SqlExpr, { tables }: Query): number[] | undefined {
  if (
    mentions(expr, (e) => e.kind === 'exists' || e.kind === 'subquery' || e.kind === 'window' || (e.kind === 'in' && e.query !== undefined))
  )
    return undefined
  return [...tables.tables.keys()].filter((t) => mentions(expr, (e) => e.kind === 'column' && e.table === tables.tables[t]!.alias))
}

/** Groups of tables that conditions hold together, as the smallest position of each. */
function components(n: number, edges: readonly (readonly number[])[]): number[] {
  const root = Array.from({ length: n }, (_, i) => i)
  for (const edge of edges) {
    const ends = edge.map((t) => root[t]!)
    const low = Math.min(...ends)
    for (const [i, r] of root.entries()) if (ends.includes(r)) root[i] = low
  }
  return root
}

/** A value as a product of a factor of either side; undefined where it is none. */
function parts(value: SqlExpr, query: Query, isLeft: (table: number) => boolean): { left: SqlExpr; right: SqlExpr } | undefined {
  const named = tablesIn(value, query)
  if (!named) return undefined
  if (named.every(isLeft)) return { left: value, right: literal(1) }
  if (!named.some(isLeft)) return { left: literal(1), right: value }
  const bare = unwrapped(value)
  if (bare.kind !== 'binary' || bare.op !== '*') return undefined
  const [l, r] = [parts(asNumber(bare.left), query, isLeft), parts(asNumber(bare.right), query, isLeft)]
  return l && r && { left: product([l.left, r.left]), right: product([l.right, r.right]) }
}

/** `coalesce(cast(x as double), 0)`, as a sum writes its values, is x. */
function unwrapped(value: SqlExpr): SqlExpr {
  if (value.kind !== 'call' || value.name !== 'coalesce' || value.args[0]?.kind !== 'cast') return value
  return value.args[0].value
}

const asNumber = (value: SqlExpr): SqlExpr =>
  value.kind === 'literal' ? value : call('coalesce', { kind: 'cast', value, type: 'double' }, literal(0))
