import { DataProblem } from '../data/tables.ts'
import { type Value, valueText } from '../methods/slices/bins.ts'
import { entropyTree } from '../methods/slices/entropy-tree.ts'
import type { PartitionPlan, PartitionTask, Plan } from '../plan/plan.ts'
import { joinedText, partText } from '../plan/predicates.ts'
import { presentValue } from '../plan/sliced-columns.ts'
import type { Json, PartitionResult } from '../protocol/results.ts'
import { binary, call, column, literal, star, when } from '../sql/build.ts'
import { printExpr, printSelect } from '../sql/print.ts'
import { createAs, createMacro } from '../sql/statements.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt, numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { type CodingColumn, codingColumns, shownValue } from './slice-columns.ts'

/**
 * Partitions whose slices the data decides: found on their own source before any SQL that names them, and defined as a macro. Rows of slices
 * below the smallest size, and rows of other sources that fit no slice, are in a last one called `other`, so that parts stay disjoint and
 * complete. A tree's slices are named by their conditions.
 */
export interface FoundPartition {
  /** What a slice holds of each column it speaks of, as SQL over the source's columns where slices are combinations of values. */
  readonly by?: readonly { readonly name: string; readonly sql: string; readonly binned: boolean }[]
  /** Of a tree's slices, by name. */
  readonly predicates?: ReadonlyMap<string, Readonly<Record<string, Json>>>
  readonly rest: string
  readonly notes: readonly string[]
}

export async function findPartition(ctx: RunContext, plan: PartitionPlan): Promise<FoundPartition> {
  const known = ctx.partitions.get(plan.macro)
  if (known) return known
  ctx.step(`partitioning ${plan.source}`, 0, 0)
  const view = `assay columns ${plan.macro}`
  const items = plan.columns.map(({ column: c }, i) => ({ value: presentValue(c, column(c.name)), alias: `c${i}` }))
  const from = { kind: 'table' as const, name: plan.source }
  await ctx.tables.execute(createAs('view', view, { items: [...items, { value: column(ROW), alias: ROW }], from }))
  const rows = ctx.prepared.get(plan.source)!.rows
  if (rows === 0) throw new DataProblem('no-rows', `\`${plan.source}\` has no rows, so \`${plan.name}\` cannot divide them.`)
  const found = plan.tree ? await growTree(ctx, plan, view, rows) : await combine(ctx, plan, view, rows)
  ctx.partitions.set(plan.macro, found)
  return found
}

const parameter = (i: number) => `p${i}`
const argument = (plan: PartitionPlan, i: number): SqlExpr => presentValue(plan.columns[i]!.column, column(parameter(i)))

/** Combinations of values and bins; those of fewer rows than the smallest size together. */
async function combine(ctx: RunContext, plan: PartitionPlan, view: string, rows: number): Promise<FoundPartition> {
  // Values stand for themselves in a name: only bins have to be found.
  const columns = await codingColumns(
    ctx,
    plan.columns.map((c) => (c.by.kind === 'values' ? { ...c, by: { kind: 'edges' as const, edges: [] } } : c)),
    { view, alias: view, rows, support: 1 },
  )
  const texts = plan.columns.map((c, i) => (value: SqlExpr) => columnText(c.by.kind === 'values' ? undefined : columns[i], c.column, value))
  const name = joinedText(texts.map((text, i) => text(argument(plan, i))))
  const parameters = plan.columns.map((_, i) => parameter(i))
  await ctx.tables.execute(createMacro(plan.macro, parameters, name))
  const by = plan.columns.map((c, i) => {
    const isBin = columns[i]!.values.some((v) => v.kind === 'range')
    const value = presentValue(c.column, column(c.column.name))
    return { name: c.column.name, sql: printExpr(isBin ? texts[i]!(value) : value), binned: isBin }
  })
  if (plan.minimum === undefined) return { by, rest: 'other', notes: [] }
  const sizes = await partSizes(ctx, plan, view)
  const kept = sizes.filter(({ n }) => n >= plan.minimum!).map((part) => part.name)
  const rest = restName(kept)
  if (kept.length < sizes.length) {
    const isKept: SqlExpr = { kind: 'in', negated: false, value: name, list: kept.map(literal) }
    const body: SqlExpr = kept.length === 0 ? literal(rest) : { kind: 'case', whens: [when(isKept, name)], otherwise: literal(rest) }
    await ctx.tables.execute(createMacro(plan.macro, parameters, body))
  }
  return { by, rest, notes: [] }
}

async function partSizes(ctx: RunContext, plan: PartitionPlan, view: string): Promise<{ readonly name: string; readonly n: number }[]> {
  const name = call(plan.macro, ...plan.columns.map((_, i) => column(`c${i}`)))
  const found = await ctx.tables.query(
    printSelect({
      items: [
        { value: name, alias: 'name' },
        { value: call('count', star), alias: 'n' },
      ],
      from: { kind: 'table', name: view },
      groupBy: [name],
      orderBy: [{ value: column('name'), descending: false }],
    }),
  )
  return Array.from({ length: found.rows }, (_, i) => ({
    name: String(jsonAt(namedColumn(found, 'name'), i)),
    n: numberAt(namedColumn(found, 'n'), i) ?? 0,
  }))
}

/** `other`, in brackets where a slice is called that already. */
function restName(names: readonly string[]): string {
  let name = 'other'
  while (names.includes(name)) name = `(${name})`
  return name
}

/** What a slice's name says of a column: its bin, or its value. */
function columnText(coding: CodingColumn | undefined, of: PartitionPlan['columns'][number]['column'], value: SqlExpr): SqlExpr {
  if (!coding?.values.some((v) => v.kind === 'range')) return partText({ column: of }, value)
  return {
    kind: 'case',
    whens: coding.values
      .slice(0, -1)
      .map((v) => when(holds(v, value, of.type === 'number' ? undefined : of.sqlType), literal(valueText(v)))),
    otherwise: literal('null'),
  }
}

/** Whether a value is this one, as SQL. */
function holds(v: Value, value: SqlExpr, timeType: string | undefined): SqlExpr {
  const bound = (edge: number | string): SqlExpr =>
    timeType === undefined ? literal(edge) : { kind: 'cast', value: literal(edge), type: timeType }
  switch (v.kind) {
    case 'range': {
      const high = binary(value, v.closed ? '<=' : '<', bound(v.high))
      return { kind: 'logical', op: 'and', operands: [binary(value, '>=', bound(v.low)), high] }
    }
    case 'below':
      return binary(value, '<', bound(v.high))
    case 'above':
      return binary(value, '>', bound(v.low))
    case 'null':
      return { kind: 'is_null', negated: false, value }
    case 'number':
      return binary(value, '=', literal(v.value))
    case 'text':
      return binary({ kind: 'cast', value, type: 'varchar' }, '=', literal(v.text))
    case 'boolean':
      return binary(value, '=', literal(v.value))
  }
}

// ---------------------------------------------------------------- trees

/** Rows that a tree is grown on; more are thinned out evenly, and slices are counted on all of them. */
const TREE_ROWS = 1_000_000

async function growTree(ctx: RunContext, plan: PartitionPlan, view: string, rows: number): Promise<FoundPartition> {
  const minimum = plan.minimum ?? Math.max(32, Math.ceil(rows / 100))
  const step = Math.ceil(rows / TREE_ROWS)
  const coding = await codingColumns(ctx, plan.columns, { view, alias: 'r', rows, support: 1 })
  const usable = coding.flatMap((c, i) => (c.skipped === undefined && splittable(c, rows, minimum) ? [i] : []))
  const notes = step > 1 ? [`The tree was grown on every ${step}th of the ${rows} rows.`] : []
  const codes: Int32Array[] = []
  for (const i of usable) {
    const { code, join } = coding[i]!
    const select: SqlSelect = {
      items: [{ value: code, alias: 'code' }],
      from: { kind: 'table', name: view, alias: 'r' },
      joins: join ? [join] : [],
      where: step > 1 ? binary(binary(column(ROW, 'r'), '%', literal(step)), '=', literal(0)) : undefined,
      orderBy: [{ value: column(ROW, 'r'), descending: false }],
    }
    codes.push(Int32Array.from(numbersOf(await ctx.tables.query(printSelect(select)), 'code')))
    await ctx.breathe()
  }
  if (codes.length === 0)
    throw new DataProblem(
      'nothing-to-divide-by',
      `No column of \`${plan.source}\` divides its rows into parts of ${minimum} or more. Lower \`minimum\`, or name columns in \`by\`.`,
    )
  const tree = entropyTree(codes, { threshold: plan.tree!.threshold, minimum: Math.max(1, Math.ceil(minimum / step)) })
  const parts = tree.parts.map(({ predicates }) => {
    const said = predicates.map(({ column: c, code }) => ({ i: usable[c]!, value: coding[usable[c]!]!.values[code - 1]! }))
    return { said, name: said.length === 0 ? 'all' : said.map(({ i, value }) => `${coding[i]!.name} ${relation(value)}`).join(' and ') }
  })
  const rest = restName(parts.map((part) => part.name))
  const whens = parts.map(({ said, name }) => {
    const operands = said.map(({ i, value }) => {
      const { type, sqlType } = plan.columns[i]!.column
      return holds(value, argument(plan, i), type === 'date' || type === 'timestamp' ? sqlType : undefined)
    })
    return when({ kind: 'logical', op: 'and', operands }, literal(name))
  })
  const parameters = plan.columns.map((_, i) => parameter(i))
  await ctx.tables.execute(createMacro(plan.macro, parameters, { kind: 'case', whens, otherwise: literal(rest) }))
  const predicates = new Map(
    parts.map(({ name, said }) => [name, Object.fromEntries(said.map(({ i, value }) => [coding[i]!.name, shownValue(value)]))]),
  )
  return { predicates, rest, notes }
}

/** A column one of whose values is in fewer rows than the smallest size is never divided by; one of very many would only cost time. */
function splittable(coding: CodingColumn, rows: number, minimum: number): boolean {
  return coding.distinct === undefined || coding.distinct <= rows / minimum
}

function relation(value: Value): string {
  if (value.kind === 'range') return `in ${valueText(value)}`
  return value.kind === 'below' || value.kind === 'above' ? valueText(value) : `= ${valueText(value)}`
}

// ---------------------------------------------------------------- the result

export async function partitionResult(
  ctx: RunContext,
  plan: Plan,
  task: PartitionTask,
): Promise<Pick<PartitionResult, 'slices' | 'notes'>> {
  const own = plan.partitions.find((p) => p.name === plan.name)
  const found = own && (await findPartition(ctx, own))
  const by = found ? (found.by ?? []) : task.by
  const source = printExpr(column(task.source))
  const values = by.map((one, i) => `min(${one.sql}) as p${i}, `).join('')
  const counted = await ctx.tables.query(
    `select ${task.sql} as name, ${values}count(*) as n from ${source} group by 1 order by n desc, name`,
  )
  const slices = Array.from({ length: counted.rows }, (_, i) => {
    const name = String(jsonAt(namedColumn(counted, 'name'), i))
    const rows = numberAt(namedColumn(counted, 'n'), i) ?? 0
    const predicates = by.map((one, c): [string, Json] => {
      const value = jsonAt(namedColumn(counted, `p${c}`), i)
      return [one.name, one.binned && value === 'null' ? null : value]
    })
    const rest = found !== undefined && name === found.rest
    return { name, predicates: rest ? {} : (found?.predicates?.get(name) ?? Object.fromEntries(predicates)), rows }
  })
  return { slices, notes: found?.notes.length ? found.notes : undefined }
}
