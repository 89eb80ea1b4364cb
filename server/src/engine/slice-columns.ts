import { daysOf } from '../data/encode.ts'
import type { ColumnData } from '../data/tables.ts'
import { type Bound, type Value, valueText } from '../methods/slices/bins.ts'
import type { SlicedColumn } from '../plan/plan.ts'
import type { Json } from '../protocol/results.ts'
import { binary, call, column, literal, star, when } from '../sql/build.ts'
import { printSelect } from '../sql/print.ts'
import type { SqlExpr, SqlFrom, SqlSelect } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'

/**
 * From columns to codes, where the rows are: the database finds edges and values, and codes rows by an expression over them, so that a
 * search in memory and one by the database's own aggregates see the same codes. Nothing of the size of the data comes out of here.
 */
export interface CodingColumn {
  readonly name: string
  readonly written: string
  /** values[code − 1]: what a code stands for. */
  readonly values: readonly Value[]
  /** A row's code, 0 where its value is in too few rows for any slice. */
  readonly code: SqlExpr
  /** The table of values and codes that `code` reads, and the value to join it by. */
  readonly join?: NonNullable<SqlSelect['joins']>[number]
  /** For values that stand for themselves: how many there are, and of how many rows the commonest is. */
  readonly distinct?: number
  /** A sentence why it was left out. */
  readonly skipped?: string
}

export interface CodingOptions {
  /** The view's columns are `c0`, `c1`, …, in the order of `columns`; it is called by this alias where codes are computed. */
  readonly view: string
  readonly alias: string
  readonly rows: number
  /** Values of fewer rows get no code. */
  readonly support: number
}

/** Two or three aggregate queries a column, each reading that column alone; memory that of a column's distinct values, in the database. */
export async function codingColumns(ctx: RunContext, columns: readonly SlicedColumn[], options: CodingOptions): Promise<CodingColumn[]> {
  const coded: CodingColumn[] = []
  for (const [i, sliced] of columns.entries()) {
    ctx.step(`binning ${sliced.column.name}`, i, columns.length)
    await ctx.breathe()
    coded.push(await codingColumn(ctx, sliced, i, options))
  }
  return coded
}

async function codingColumn(ctx: RunContext, sliced: SlicedColumn, i: number, options: CodingOptions): Promise<CodingColumn> {
  const { column: of, written, by } = sliced
  const base = { name: of.name, written }
  const value = column(`c${i}`, options.alias)
  if (by.kind === 'edges') return { ...base, ...binned(value, by.edges, { of: 'number' }) }
  if (by.kind === 'values') return { ...base, ...(await valued(ctx, sliced, i, options)) }
  if (sliced.mayIdentify && (await identifies(ctx, i, options))) {
    const remedy = `\`${written} bins ${by.bins}\` slices by its order all the same.`
    return {
      ...base,
      values: [],
      code: literal(0),
      skipped: `\`${of.name}\` has another value in every row, as an id has: it was left out. ${remedy}`,
    }
  }
  const edges = await quantileEdges(ctx, i, by.bins, options.view)
  const kind: Kind = of.type === 'number' ? { of: 'number' } : { of: 'time', sqlType: of.sqlType }
  if (edges.length <= by.bins) {
    const few = await fewValues(ctx, i, by.bins, options.view)
    if (few) return { ...base, ...ownValues(value, few.sort(kind.of === 'number' ? byNumber : byTime), kind) }
  }
  return { ...base, ...binned(value, edges, kind) }
}

// ---------------------------------------------------------------- numbers and times

/** Times are cast to their column's own type, for their text would not be in order. */
type Kind = { readonly of: 'number' } | { readonly of: 'time'; readonly sqlType: string }

/** quantile_disc at 0, 1/n, …, 1: the value of rank ⌈i·n/bins⌉. Half a rank lower is asked for, so that no rounding can reach the next one. */
async function quantileEdges(ctx: RunContext, i: number, bins: number, view: string): Promise<Bound[]> {
  const value = column(`c${i}`)
  const from: SqlFrom = { kind: 'table', name: view }
  const counted = await ctx.tables.query(printSelect({ items: [{ value: call('count', value), alias: 'n' }], from }))
  const n = numberAt(namedColumn(counted, 'n'), 0) ?? 0
  if (n === 0) return []
  const places = Array.from({ length: bins + 1 }, (_, at) => (Math.max(1, Math.ceil((at * n) / bins)) - 0.5) / n)
  const items = places.map((place): SqlExpr => ({ kind: 'cast', value: literal(place), type: 'double' }))
  const edge = call('unnest', call('quantile_disc', value, { kind: 'list', items }))
  const found = await ctx.tables.query(printSelect({ items: [{ value: edge, alias: 'edge' }], from }))
  const edges = boundsOf(namedColumn(found, 'edge'), found.rows)
  return edges.filter((one, at) => at === 0 || one !== edges[at - 1])
}

/** The distinct values, where there are at most `most`. */
async function fewValues(ctx: RunContext, i: number, most: number, view: string): Promise<Bound[] | undefined> {
  const value = column(`c${i}`)
  const found = await ctx.tables.query(
    printSelect({
      distinct: true,
      items: [{ value, alias: 'value' }],
      from: { kind: 'table', name: view },
      where: { kind: 'is_null', negated: true, value },
      limit: most + 1,
    }),
  )
  return found.rows > most ? undefined : boundsOf(namedColumn(found, 'value'), found.rows)
}

async function identifies(ctx: RunContext, i: number, { view, rows }: CodingOptions): Promise<boolean> {
  const of = (value: SqlExpr): SqlSelect => ({ items: [{ value, alias: 'n' }], from: { kind: 'table', name: view } })
  const about = await ctx.tables.query(printSelect(of(call('approx_count_distinct', column(`c${i}`)))))
  if ((numberAt(namedColumn(about, 'n'), 0) ?? 0) < 0.8 * rows || rows < 2) return false
  const exact = await ctx.tables.query(printSelect(of({ kind: 'call', name: 'count', distinct: true, args: [column(`c${i}`)] })))
  return numberAt(namedColumn(exact, 'n'), 0) === rows
}

function boundsOf(data: ColumnData, rows: number): Bound[] {
  return Array.from({ length: rows }, (_, row) => (data.kind === 'number' ? data.values[row]! : (jsonAt(data, row) as Bound)))
}

const byNumber = (a: Bound, b: Bound) => Number(a) - Number(b)
const byTime = (a: Bound, b: Bound) => (daysOf(String(a)) ?? 0) - (daysOf(String(b)) ?? 0)

/** Code 1 below the first edge, then the bins, the last one closed, one above, one for NULL. */
function binned(value: SqlExpr, edges: readonly Bound[], kind: Kind): Pick<CodingColumn, 'values' | 'code'> {
  const null_ = (code: number) => when({ kind: 'is_null', negated: false, value }, literal(code))
  const low = edges[0]
  const high = edges.at(-1)
  if (low === undefined || high === undefined) return { values: [{ kind: 'null' }], code: literal(1) }
  const bins = edges.length === 1 ? [low, low] : edges
  const ranges = bins.slice(1).map((edge, b): Value => ({ kind: 'range', low: bins[b]!, high: edge, closed: b === bins.length - 2 }))
  const values: Value[] = [{ kind: 'below', high: low }, ...ranges, { kind: 'above', low: high }, { kind: 'null' }]
  const inner = bisected(
    value,
    bins.slice(1, -1).map((edge) => bound(edge, kind)),
    2,
  )
  const code: SqlExpr = {
    kind: 'case',
    whens: [
      null_(values.length),
      when(binary(value, '<', bound(low, kind)), literal(1)),
      when(binary(value, '>', bound(high, kind)), literal(values.length - 1)),
    ],
    otherwise: inner,
  }
  return { values, code }
}

/** Each value its own category, as many as there are bins at most. */
function ownValues(value: SqlExpr, own: readonly Bound[], kind: Kind): Pick<CodingColumn, 'values' | 'code' | 'distinct'> {
  const values = own.map((one): Value => (typeof one === 'number' ? { kind: 'number', value: one } : { kind: 'text', text: one }))
  const code: SqlExpr = {
    kind: 'case',
    whens: [when({ kind: 'is_null', negated: false, value }, literal(own.length + 1))],
    otherwise:
      own.length === 0
        ? literal(1)
        : bisected(
            value,
            own.slice(1).map((one) => bound(one, kind)),
            1,
          ),
  }
  return { values: [...values, { kind: 'null' }], code }
}

/** `first` below the first cut, one more from each cut on; ⌈log2(cuts)⌉ comparisons a row. */
function bisected(value: SqlExpr, cuts: readonly SqlExpr[], first: number): SqlExpr {
  if (cuts.length === 0) return literal(first)
  const middle = cuts.length >> 1
  return {
    kind: 'case',
    whens: [when(binary(value, '<', cuts[middle]!), bisected(value, cuts.slice(0, middle), first))],
    otherwise: bisected(value, cuts.slice(middle + 1), first + middle + 1),
  }
}

function bound(edge: Bound, kind: Kind): SqlExpr {
  return kind.of === 'number' ? literal(edge) : { kind: 'cast', value: literal(edge), type: kind.sqlType }
}

// ---------------------------------------------------------------- values that stand for themselves

async function valued(
  ctx: RunContext,
  { column: of }: SlicedColumn,
  i: number,
  { view, alias, rows, support }: CodingOptions,
): Promise<Pick<CodingColumn, 'values' | 'code' | 'join' | 'distinct' | 'skipped'>> {
  const text = (value: SqlExpr): SqlExpr => ({ kind: 'cast', value, type: 'varchar' })
  const groups = 'assay groups'
  const most = Math.max(1, Math.ceil(rows / support))
  const found = await ctx.tables.query(
    printSelect({
      with: [
        {
          name: groups,
          query: {
            items: [
              { value: text(column(`c${i}`)), alias: 'value' },
              { value: call('count', star), alias: 'n' },
            ],
            from: { kind: 'table', name: view },
            groupBy: [text(column(`c${i}`))],
          },
        },
      ],
      items: [
        { value: column('value'), alias: 'value' },
        { value: column('n'), alias: 'n' },
        { value: { kind: 'window', call: call('count', star), partitionBy: [], orderBy: [] }, alias: 'distinct' },
      ],
      from: { kind: 'table', name: groups },
      orderBy: [
        { value: column('n'), descending: true },
        { value: column('value'), descending: false },
      ],
      limit: most,
    }),
  )
  const distinct = found.rows > 0 ? (numberAt(namedColumn(found, 'distinct'), 0) ?? 0) : 0
  const sizes = Array.from({ length: found.rows }, (_, row) => numberAt(namedColumn(found, 'n'), row) ?? 0)
  const kept = sizes.flatMap((n, row) => (n >= support ? [jsonAt(namedColumn(found, 'value'), row)] : []))
  if (kept.length === 0) return { values: [], code: literal(0), distinct, skipped: tooRare(of.name, distinct, rows, support) }
  const texts = kept
    .filter((one) => one !== null)
    .map(String)
    .sort(byCodeUnits)
  const values = texts.map(
    (one): Value => (of.type === 'boolean' ? { kind: 'boolean', value: one === 'true' } : { kind: 'text', text: one }),
  )
  const table = `${view} values ${i}`
  await ctx.tables.create(table, {
    rows: texts.length,
    columns: [
      { name: 'value', data: { kind: 'text', codes: Int32Array.from(texts, (_, t) => t), dictionary: texts } },
      { name: 'code', data: { kind: 'number', values: Float64Array.from(texts, (_, t) => t + 1), integer: true } },
    ],
  })
  const joined = `v${i}`
  const value = column(`c${i}`, alias)
  const hasNull = kept.includes(null)
  return {
    values: hasNull ? [...values, { kind: 'null' }] : values,
    code: {
      kind: 'case',
      whens: [when({ kind: 'is_null', negated: false, value }, literal(hasNull ? texts.length + 1 : 0))],
      otherwise: call('coalesce', column('code', joined), literal(0)),
    },
    join: { side: 'left', from: { kind: 'table', name: table, alias: joined }, on: binary(column('value', joined), '=', text(value)) },
    distinct,
  }
}

function tooRare(name: string, distinct: number, rows: number, support: number): string | undefined {
  if (support > rows) return undefined
  if (distinct === rows && rows > 1)
    return `\`${name}\` has another value in every row, as an id has: no slice can be made of it, and it was left out.`
  return `None of the ${distinct} values of \`${name}\` is in ${support} rows or more, so no slice can be made of it: it was left out.`
}

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** A value as a result shows it: `[25, 32)`, the value itself, null. */
export function shownValue(value: Value): Json {
  if (value.kind === 'null') return null
  return value.kind === 'number' || value.kind === 'boolean' ? value.value : valueText(value)
}
