import type * as ast from '../../../../grammar/src/ast.ts'
import { walk } from '../../../../grammar/src/walker.ts'
import type { Spec } from '../../check/spec.ts'
import { binary, call, column, literal } from '../../sql/build.ts'
import { ROW, SPLIT, type SqlExpr, type SqlFrom, type SqlSelect } from '../../sql/tree.ts'
import { type Place, same, sourceNamed } from '../expression.ts'
import { literalLabel } from '../predicted.ts'
import { modelNamed, predictionTable, scoreColumn } from '../tables.ts'
import { type Chances, chanceTable, choiceTable } from './chances.ts'

/**
 * The tables of a complaint's query with what models say of their rows, as columns: a query's expressions are compiled once and mean the hard query or
 * the relaxed one according to the tables below them. Hard, a row stands once, beside its prediction. Relaxed, it stands once for each thing it
 * might be predicted as, beside the chance of that, so the database evaluates every condition exactly per row and class (METHODS §4).
 */
export interface QueryTable {
  readonly alias: string
  readonly source: string
  readonly split?: string
  /** The right side of a left join: it may be missing. */
  readonly optional: boolean
  /** What is asked of models about its rows, by the name of its column. */
  readonly asked: Map<string, AskedColumn>
}
export type AskedColumn =
  /** A class: a variable of the relaxation. */
  | { readonly kind: 'class'; readonly model: string; readonly chances: string }
  /** A number or probability that is compared: a variable too, over the intervals between what it is compared with. */
  | { readonly kind: 'compared'; readonly model: string; readonly label?: string | number | boolean; readonly chances: string }
  /** A number or probability as a value. */
  | { readonly kind: 'value'; readonly model: string; readonly label?: string | number | boolean }

export interface Variable {
  readonly table: QueryTable
  readonly tableIndex: number
  readonly column: string
  readonly asked: Extract<AskedColumn, { kind: 'class' | 'compared' }>
}
export interface ValueAtom {
  readonly table: QueryTable
  readonly tableIndex: number
  readonly column: string
  readonly asked: Extract<AskedColumn, { kind: 'value' }>
}

export const chosen = (name: string) => `assay choice ${name}`
export const chanceOf = (name: string) => `assay chance ${name}`

export class QueryTables {
  readonly tables: readonly QueryTable[]
  readonly #spec: Spec
  readonly #chances: Chances
  readonly #outer: QueryTables | undefined

  constructor(spec: Spec, select: ast.Select, chances: Chances, outer?: QueryTables) {
    this.#spec = spec
    this.#chances = chances
    this.#outer = outer
    const refs = [
      ...(select.from ? [{ table: select.from, optional: false }] : []),
      ...select.joins.map((j) => ({ table: j.table, optional: j.side === 'left' })),
    ]
    this.tables = refs.map(({ table, optional }) => {
      const source = sourceNamed(spec, table.ref.source.text).name
      return { alias: table.alias?.text ?? source, source, split: table.ref.split?.text, optional, asked: new Map() }
    })
  }

  table(name: string | undefined): QueryTable {
    const found = name === undefined ? this.tables[0] : this.tables.find((t) => same(t.alias, name))
    if (found) return found
    if (this.#outer) return this.#outer.table(name)
    throw new Error(`no table ${name}: check should have refused it`)
  }

  /** Compiles what the tables can answer; `special` goes before. */
  place(special?: (expr: ast.Expr) => SqlExpr | undefined): Place {
    return {
      spec: this.#spec,
      table: (name) => this.table(name).alias,
      predict: (model, table) => this.#predicted(model, table),
      score: (model, label, table) => this.#value(model, table, literalLabel(label)),
      special: (expr) => special?.(expr) ?? this.#comparison(expr),
    }
  }

  #predicted(name: string, alias: string | undefined): SqlExpr {
    const model = modelNamed(this.#spec, name)
    if (model.task === 'regression') return this.#value(name, alias)
    const table = this.table(alias)
    const chances = this.#chances.classes(model.name, table.source)
    return this.#ask(table, `assay predicted ${model.name}`, { kind: 'class', model: model.name, chances })
  }

  #value(name: string, alias: string | undefined, label?: string | number | boolean): SqlExpr {
    const model = modelNamed(this.#spec, name).name
    const told = label === undefined ? `assay value ${model}` : `assay score ${model} ${label}`
    const table = this.table(alias)
    this.#chances.value({ model, source: table.source, label })
    return this.#ask(table, told, { kind: 'value', model, label })
  }

  #ask(table: QueryTable, name: string, asked: AskedColumn): SqlExpr {
    if (!table.asked.has(name)) table.asked.set(name, asked)
    return column(name, table.alias)
  }

  /** A predicted number or a probability beside a constant, in a comparison: a choice among intervals. */
  #comparison(expr: ast.Expr): SqlExpr | undefined {
    if (expr.kind === 'between') {
      const [low, high] = [constantOf(expr.low), constantOf(expr.high)]
      const value = low === undefined || high === undefined ? undefined : this.#compared(expr.value, [low, high])
      return value && { kind: 'between', negated: expr.negated, value, low: literal(low!), high: literal(high!) }
    }
    if (expr.kind !== 'binary' || !/^(<|<=|>|>=)$/.test(expr.op)) return undefined
    const [left, right] = [constantOf(expr.left), constantOf(expr.right)]
    const constant = left ?? right
    if (constant === undefined || (left === undefined) === (right === undefined)) return undefined
    const value = this.#compared(left === undefined ? expr.left : expr.right, [constant])
    if (!value) return undefined
    return left === undefined ? binary(value, expr.op, literal(constant)) : binary(literal(constant), expr.op, value)
  }

  #compared(expr: ast.Expr, thresholds: readonly number[]): SqlExpr | undefined {
    const meaning = this.#spec.meanings.get(expr)
    if (meaning?.kind !== 'predict' && meaning?.kind !== 'score') return undefined
    const model = modelNamed(this.#spec, meaning.model)
    if (meaning.kind === 'predict' && model.task !== 'regression') return undefined
    const table = this.table(meaning.table)
    const label = meaning.kind === 'score' ? literalLabel(meaning.label) : undefined
    const chances = this.#chances.compared({ model: model.name, source: table.source, label }, thresholds)
    const told = label === undefined ? `assay compared ${model.name}` : `assay compared ${model.name} ${label}`
    return this.#ask(table, told, { kind: 'compared', model: model.name, label, chances })
  }

  variables(): Variable[] {
    return this.tables.flatMap((table, tableIndex) =>
      [...table.asked].flatMap(([name, asked]) => (asked.kind === 'value' ? [] : [{ table, tableIndex, column: name, asked }])),
    )
  }

  valueAtoms(): ValueAtom[] {
    return this.tables.flatMap((table, tableIndex) =>
      [...table.asked].flatMap(([name, asked]) => (asked.kind === 'value' ? [{ table, tableIndex, column: name, asked }] : [])),
    )
  }

  /** The table as it stands in `from`. */
  from(table: QueryTable, form: 'hard' | 'relaxed'): SqlFrom {
    const { alias, source, split, asked } = table
    const where: SqlExpr | undefined = split === undefined ? undefined : binary(column(SPLIT, S), '=', literal(split))
    if (asked.size === 0 && !where) return { kind: 'table', name: source, alias }
    const items: { value: SqlExpr; alias?: string }[] = [{ value: { kind: 'star', table: S } }]
    const joins: NonNullable<SqlSelect['joins']>[number][] = []
    const joined = (name: string, as: string, side: 'left' | 'inner') => {
      if (joins.some((j) => j.from.kind === 'table' && j.from.alias === as)) return
      joins.push({ side, from: { kind: 'table', name, alias: as }, on: binary(column(ROW, as), '=', column(ROW, S)) })
    }
    for (const [name, a] of asked) {
      if (form === 'hard' || a.kind === 'value') {
        joined(predictionTable({ model: a.model, source }), `p ${a.model}`, 'left')
        const label = a.kind === 'class' ? undefined : a.label
        items.push({ value: column(label === undefined ? 'prediction' : scoreColumn(label), `p ${a.model}`), alias: name })
        continue
      }
      const choice = `c ${name}`
      joined(chanceTable(a.chances), `x ${name}`, 'inner')
      joins.push({ side: 'cross', from: { kind: 'table', name: choiceTable(a.chances), alias: choice } })
      const position = binary(column('assay class', choice), '+', literal(1))
      items.push(
        { value: column('assay value', choice), alias: name },
        { value: column('assay class', choice), alias: chosen(name) },
        { value: call('array_extract', column('p', `x ${name}`), position), alias: chanceOf(name) },
      )
    }
    return { kind: 'query', alias, query: { items, from: { kind: 'table', name: source, alias: S }, joins, where } }
  }

  joined(select: ast.Select, form: 'hard' | 'relaxed', on: readonly SqlExpr[]): Pick<SqlSelect, 'from' | 'joins'> {
    const [first, ...rest] = this.tables
    return {
      from: first && this.from(first, form),
      joins: rest.map((table, i) => ({ side: select.joins[i]!.side, from: this.from(table, form), on: on[i] })),
    }
  }
}

const S = 's'

export function constantOf(expr: ast.Expr): number | undefined {
  if (expr.kind === 'number' || expr.kind === 'percent') return expr.value
  if (expr.kind === 'cast') return constantOf(expr.value)
  if (expr.kind === 'unary' && expr.op !== 'not') {
    const value = constantOf(expr.operand)
    return value === undefined ? undefined : expr.op === '-' ? -value : value
  }
  if (expr.kind !== 'binary') return undefined
  const [left, right] = [constantOf(expr.left), constantOf(expr.right)]
  if (left === undefined || right === undefined) return undefined
  switch (expr.op) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    default:
      return undefined
  }
}

/** Whether a model has a say anywhere in these expressions, subqueries included. */
export function speaks(spec: Spec, ...exprs: readonly (ast.Expr | undefined)[]): boolean {
  let found = false
  const visit = (expr: ast.Expr) => {
    const kind = spec.meanings.get(expr)?.kind
    if (kind === 'predict' || kind === 'score') found = true
  }
  for (const expr of exprs) if (expr) walk(expr, visit)
  return found
}
