import { DataProblem } from '../data/tables.ts'
import type { ColumnWeights } from '../methods/influence/projection-kernel.ts'
import type { ChancePlan, ComplaintTask, RowwisePlan } from '../plan/plan.ts'
import { literal } from '../sql/build.ts'
import { mentions } from '../sql/derivative.ts'
import { printExpr, printSelect } from '../sql/print.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { ColumnSums } from './column-weights.ts'
import { namedColumn } from './columns.ts'
import { classOf, type Intervals, intervalChances, intervalsOf, someUnanswered } from './complaint-chances.ts'
import { digest, type RunContext } from './context.ts'
import { argmax, isAnswered } from './metrics.ts'
import type { Predictions } from './predictions.ts'
import { type Asked, answersOf, keysOf, type Pull, type Relaxed } from './relaxed.ts'
import { type Emit, RowwiseAnswer } from './rowwise.ts'
import { bytesOf, type Cells, cellsOf, NotRowwise } from './rowwise-cells.ts'
import { compileRowwise, type RowSet, type RowwiseData, type RowwiseQuery, type Strided } from './rowwise-lineage.ts'

/**
 * The relaxation of queries over one table by typed arrays (`rowwise.ts`). Columns, and what only the database can say of a row, are fetched once
 * for a table that is known by its hash, and stay in memory from run to run: a new complaint about it needs no statement. `undefined` where the
 * database has to relax the query.
 */
export async function relaxedByRows(ctx: RunContext, task: ComplaintTask, asked: readonly Asked[]): Promise<Relaxed | undefined> {
  if (!task.rowwise) return undefined
  try {
    const draws = await drawsOf(ctx, task, asked)
    const query = compileRowwise(task.rowwise, surroundings(ctx, task.rowwise, draws))
    const data = await dataOf(ctx, query, draws, asked)
    return new ByRows(task, query, data, draws)
  } catch (reason) {
    // What the database cannot say of every row, it may be able to say of those that count.
    if (reason instanceof NotRowwise || reason instanceof DataProblem) return undefined
    throw reason
  }
}

/** What is drawn for each row: one of `choices`, by chances that are at hand. */
export interface Draw {
  readonly plan: ChancePlan
  readonly asked: Asked
  readonly choices: readonly (string | number | boolean | null)[]
  /** Choices that the model has a say in; one more stands for no answer. */
  readonly nSpoken: number
  readonly intervals?: Intervals
  chance(choice: number): Strided
  /** The choice that the hard query makes. */
  likeliest(row: number, values: Float32Array, width: number): number
}

export async function drawsOf(ctx: RunContext, task: ComplaintTask, asked: readonly Asked[]): Promise<Draw[]> {
  const draws: Draw[] = []
  for (const variable of task.rowwise!.variables) {
    const plan = task.chances.find((c) => c.name === variable.chances)!
    const source = answersOf(asked, plan.model, plan.source)
    draws.push(plan.kind === 'class' ? classDraw(ctx, plan, source) : await intervalDraw(ctx, plan, source))
  }
  return draws
}

function classDraw(ctx: RunContext, plan: ChancePlan, asked: Asked): Draw {
  const { predictions } = asked
  const { values, width } = predictions
  const labels = asked.model.labels!.values
  const { absent, columns } = classChances(ctx, predictions)
  return {
    plan,
    asked,
    choices: absent ? [...labels, null] : labels,
    nSpoken: width,
    chance: (choice) => {
      if (choice >= width) return { values: absent!, offset: 0, stride: 1 }
      return columns?.[choice] ?? { values, offset: choice, stride: width }
    },
    likeliest: (row) => (absent?.[row] === 1 ? width : argmax(values, row, width)),
  }
}

async function intervalDraw(ctx: RunContext, plan: ChancePlan, asked: Asked): Promise<Draw> {
  const source = { plan, ...asked }
  const intervals = await intervalsOf(ctx, source)
  const { choices, columns, absent } = intervalChances(source, intervals)
  return {
    plan,
    asked,
    choices: absent ? [...choices, null] : choices,
    nSpoken: choices.length,
    intervals,
    chance: (choice) => ({ values: columns[choice] ?? absent!, offset: 0, stride: 1 }),
    likeliest: (row, values) => {
      if (absent?.[row] === 1) return choices.length
      const x = values[intervals.cell(row)]!
      const above = plan.thresholds.findIndex((t) => x <= t)
      return above < 0 ? 2 * plan.thresholds.length : x === plan.thresholds[above] ? 2 * above + 1 : 2 * above
    },
  }
}

interface ClassChances {
  /** 1 where a row has no answer, if there is such a row. */
  readonly absent?: Float64Array
  /** Of each class, where they are not too many. */
  readonly columns?: readonly Strided[]
}

/** Predictions are laid out by class once, up to so many cells: a query reads those of a class or two, of every row. */
const MOST_BY_CLASS = 4e6

/** Lives for as long as the predictions do, which are resident. O(cells) the first time. */
function classChances(ctx: RunContext, predictions: Predictions): ClassChances {
  const key = 'chances by class'
  type Known = WeakMap<Float32Array, ClassChances>
  const known = ctx.resident.get<Known>(key) ?? ctx.resident.keep<Known>(key, new WeakMap(), 64)
  const { rows, width, values } = predictions
  const found = known.get(values)
  if (found) return found
  const absent = someUnanswered(predictions)
    ? Float64Array.from({ length: rows }, (_, i) => (isAnswered(values, i, width) ? 0 : 1))
    : undefined
  const columns = Array.from({ length: rows * width <= MOST_BY_CLASS ? width : 0 }, (_, c) => columnOf(predictions, c))
  const made = { absent, columns: columns.length > 0 ? columns : undefined }
  known.set(values, made)
  return made
}

function columnOf(predictions: Predictions, column: number): Strided {
  const values = cellsOfColumn(predictions, column)
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return { values, offset: 0, stride: 1, total: Number.isFinite(total) ? total : undefined }
}

function cellsOfColumn({ rows, width, values }: Predictions, column: number): Float64Array {
  const out = new Float64Array(rows)
  for (let i = 0, cell = column; i < rows; i++, cell += width) out[i] = values[cell]!
  return out
}

/** Types that typed arrays hold to the last bit. */
const EXACT = /^(double|u?(tinyint|smallint|integer|bigint))$/i

export function surroundings(ctx: RunContext, plan: RowwisePlan, draws: readonly Draw[]) {
  const columns = ctx.prepared.get(plan.source)?.plan.columns ?? []
  const kinds = new Map<string, 'number' | 'text' | 'truth'>([[ROW, 'number']])
  for (const { name, sqlType } of columns) {
    if (EXACT.test(sqlType)) kinds.set(name, 'number')
    else if (/^varchar$/i.test(sqlType)) kinds.set(name, 'text')
    else if (/^boolean$/i.test(sqlType)) kinds.set(name, 'truth')
  }
  return {
    alias: plan.alias,
    kindOf: (name: string) => kinds.get(name),
    choices: new Map(plan.variables.map((v, i) => [v.column, draws[i]!.choices])),
    values: new Set(plan.values.map((v) => v.column)),
  }
}

export async function dataOf(ctx: RunContext, query: RowwiseQuery, draws: readonly Draw[], asked: readonly Asked[]): Promise<RowwiseData> {
  const { plan, wanted } = query
  const values = new Map(plan.values.map((v) => [v.column, readValue(v, answersOf(asked, v.model, plan.source))]))
  const { rows } = asked.find((a) => a.predictions.source === plan.source)!.predictions
  const columns = [...wanted.columns].map((name) => [name, { kind: 'column', table: plan.alias, name } as SqlExpr] as const)
  const cells = await cellsOfRows(ctx, plan, rows, [...columns, ...wanted.rows])
  const choices = new Map<string, readonly Cells[]>()
  for (const [sql, name] of wanted.choices) choices.set(sql, await cellsOfChoices(ctx, plan, sql, { name, of: query.choices.get(name)! }))
  return {
    rows,
    column: (name) => cells.get(name)!,
    row: (sql) => cells.get(sql)!,
    choice: (sql) => choices.get(sql)!,
    value: (name) => values.get(name)!,
    chance: (variable, choice) => draws[variable]!.chance(choice),
  }
}

export function readValue({ label }: RowwisePlan['values'][number], { model, predictions }: Asked): Float64Array {
  return cellsOfColumn(predictions, label === undefined ? 0 : classOf(model, label))
}

/** Of every row in order, by name; what is not in memory is fetched by one statement. */
async function cellsOfRows(
  ctx: RunContext,
  { source, alias }: RowwisePlan,
  rows: number,
  wanted: readonly (readonly [string, SqlExpr])[],
): Promise<Map<string, Cells>> {
  const { hash } = ctx.prepared.get(source)!
  const keyOf = (name: string) => `cells ${hash} ${alias} ${name}`
  const found = new Map<string, Cells>()
  const missing: (readonly [string, SqlExpr])[] = []
  for (const [name, expr] of wanted) {
    const known = ctx.resident.get<Cells>(keyOf(name))
    if (known) found.set(name, known)
    else missing.push([name, expr])
  }
  if (missing.length === 0) return found
  const select: SqlSelect = {
    items: missing.map(([, value], i) => ({ value, alias: `c${i}` })),
    from: { kind: 'table', name: source, alias },
    orderBy: [{ value: { kind: 'column', table: alias, name: ROW }, descending: false }],
  }
  const columns = await ctx.tables.query(printSelect(select))
  if (columns.rows !== rows) throw new NotRowwise('other rows than were predicted')
  for (const [i, [name, expr]] of missing.entries()) {
    const cells = cellsOf(namedColumn(columns, `c${i}`))
    found.set(name, isLasting(ctx, expr) ? ctx.resident.keep(keyOf(name), cells, bytesOf(cells)) : cells)
  }
  return found
}

/** Whether the same rows always give the same: not the time, chance, or a partition that the run has found. */
const isLasting = (ctx: RunContext, expr: SqlExpr): boolean =>
  !mentions(expr, (e) => e.kind === 'call' && (e.args.length === 0 || /^(age|current_\w+)$/i.test(e.name) || ctx.partitions.has(e.name)))

export async function cellsOfChoices(
  ctx: RunContext,
  { alias }: RowwisePlan,
  sql: string,
  { name, of }: { readonly name: string; readonly of: readonly (string | number | boolean | null)[] },
): Promise<readonly Cells[]> {
  const key = `choices ${digest(alias, name, JSON.stringify(of), sql)}`
  const known = ctx.resident.get<readonly Cells[]>(key)
  if (known) return known
  const from = printSelect({
    items: [{ value: { kind: 'star' } }],
    from: { kind: 'values', rows: of.map((value, i) => [literal(i), literal(value)]), alias: 'v', columns: ['assay class', name] },
  })
  const table = printExpr({ kind: 'column', name: alias })
  const columns = await ctx.tables.query(`select ${sql} as c from (${from}) as ${table} order by "assay class"`)
  const cells = cellsOf(namedColumn(columns, 'c'))
  const single = of.map((_, i) => only(cells, i))
  return ctx.resident.keep(key, single, 64 * of.length)
}

/** One row's value. */
function only(cells: Cells, row: number): Cells {
  if (cells.kind === 'null') return cells
  if (cells.kind === 'text') {
    const { at } = cells
    return { kind: 'text', at: typeof at === 'object' && at ? (at.dictionary[at.codes[row]!] ?? null) : at }
  }
  return { kind: cells.kind, at: typeof cells.at === 'number' ? cells.at : cells.at[row]! }
}

class ByRows implements Relaxed {
  readonly by = 'typed arrays'
  readonly size: number
  readonly #task: ComplaintTask
  readonly #answer: RowwiseAnswer
  readonly #draws: readonly Draw[]
  #places: Map<string, number> | undefined

  constructor(task: ComplaintTask, query: RowwiseQuery, data: RowwiseData, draws: readonly Draw[]) {
    this.#task = task
    this.#draws = draws
    this.#answer = new RowwiseAnswer(query, data)
    this.size = this.#answer.keys.length
  }

  slots(group: number): Float64Array {
    return this.#answer.slots(group)
  }

  find(...[hard, row]: Parameters<Relaxed['find']>): number | undefined {
    if (this.#task.groups === 0) return 0
    this.#places ??= new Map(this.#answer.keys.map((key, i) => [JSON.stringify(key), i]))
    return this.#places.get(keysOf(hard, this.#task)(row))
  }

  async derivatives(blamed: readonly Asked[], pull: Pull): Promise<ColumnWeights[][]> {
    const found = blamed.map(({ predictions }) => new ColumnSums(predictions))
    const seeds = new Float64Array(this.size * this.#task.slots)
    for (const [group, slopes] of pull) seeds.set(slopes, group * this.#task.slots)
    const partOf = (model: string) =>
      blamed.findIndex((a) => a.model.plan.name === model && a.predictions.source === this.#task.rowwise!.source)
    const drawn = this.#draws.map((draw) => partOf(draw.plan.model))
    const read = this.#task.rowwise!.values.map((value) => partOf(value.model))
    const emit: Emit = {
      choice: (variable, choice, n, rows, coefficients, rest) => {
        const draw = this.#draws[variable]!
        const out = found[drawn[variable]!]
        if (!out || choice >= draw.nSpoken) return
        if (draw.intervals) addCompared(out, draw.intervals, choice, { n, rows, coefficients, rest })
        else out.add(choice, n, rows, rest === 1 ? coefficients : productOf({ n, rows, coefficients, rest }))
      },
      value: (value, n, rows, weights) => {
        const { label, model } = this.#task.rowwise!.values[value]!
        const out = found[read[value]!]
        if (!out) return
        out.add(label === undefined ? 0 : classOf(blamed[partOf(model)]!.model, label), n, rows, weights)
      },
    }
    this.#answer.derive(seeds, emit)
    return found.map((sums) => sums.columns())
  }
}

interface Emitted {
  readonly n: number
  readonly rows: RowSet | undefined
  readonly coefficients: number | Float64Array
  readonly rest: Float64Array | 1
}

function productOf({ n, coefficients, rest }: Emitted): Float64Array {
  const out = new Float64Array(n)
  for (let i = 0; i < n; i++) out[i] = (typeof coefficients === 'number' ? coefficients : coefficients[i]!) * (rest === 1 ? 1 : rest[i]!)
  return out
}

function addCompared(out: ColumnSums, intervals: Intervals, choice: number, emitted: Emitted): void {
  const { n, rows } = emitted
  const weights = productOf(emitted)
  const list = rows?.list
  for (let i = 0; i < n; i++) if (weights[i] !== 0) weights[i]! *= intervals.slope(list ? list[i]! : i, choice)
  out.add(intervals.column, n, rows, weights)
}
