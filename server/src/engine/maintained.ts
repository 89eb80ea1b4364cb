import { encode } from '../data/encode.ts'
import { DataProblem } from '../data/tables.ts'
import { addCoordinates, emptySums, MaintainedSums, type Sums } from '../methods/influence/maintained-sums.ts'
import type { ComplaintTask, RowwisePlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { ROW, type SqlExpr } from '../sql/tree.ts'
import { namedColumn } from './columns.ts'
import { direction } from './complaint.ts'
import { addSlopes, treeValue } from './complaint-tree.ts'
import type { RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import { inputItems, queryInputs, withoutInput } from './inputs.ts'
import type { FittedModel } from './models.ts'
import type { Predictions } from './predictions.ts'
import { projectionTable } from './projections.ts'
import type { Asked } from './relaxed.ts'
import { cellsOfChoices, type Draw, drawsOf, readValue, surroundings } from './relaxed-rows.ts'
import { RowwiseAnswer } from './rowwise.ts'
import { type Cells, cellsOf, NotRowwise } from './rowwise-cells.ts'
import { compileRowwise, type RowwiseData, type RowwiseQuery } from './rowwise-lineage.ts'

/**
 * A complaint that is kept up to date while rows come (and go): the sums of its query and their gradients in the eigenvectors' coordinates, group by group
 * (R++ §5.2). A batch costs its own predictions, one forward-mode pass over its own rows, and O(rows × classes × slots × k); the table that it joins is not read.
 */
export interface MaintainedComplaint {
  /** Rows of a table or a subquery of the run's database that has the source's columns and `assay row`. */
  insert(relation: string): Promise<void>
  remove(relation: string): Promise<void>
  /** What is expected, of each group that the expectation speaks of. */
  told(): readonly { readonly group: string; readonly actual: number | null; readonly relaxed: number | null; readonly push: -1 | 0 | 1 }[]
  /** ⟨∇q, v_l⟩, for a ranking (`rankCoordinates`). */
  coordinates(): Float64Array
}

/** Starts with nothing counted; `ofNothing` is what the query gives then, if it has no groups. Throws `DataProblem` where a query cannot be kept up to date. */
export function maintainComplaint(
  ctx: RunContext,
  task: ComplaintTask,
  models: readonly FittedModel[],
  index: DebuggingIndex,
  ofNothing?: number | null,
): MaintainedComplaint {
  const plan = maintainable(task, models)
  const [expectation] = task.expectations
  const relaxed = new MaintainedSums(task.slots, index.k)
  const hard = new MaintainedSums(task.slots, 0)
  const change = async (relation: string, by: 'insert' | 'remove') => {
    try {
      const batch = await batchOf(ctx, task, { plan, models, index, relation })
      relaxed.change(batch.relaxed, by)
      hard.change(batch.hard, by)
    } catch (reason) {
      if (reason instanceof NotRowwise) throw notMaintained(task, `typed arrays do not do what it asks (${reason.message})`)
      throw reason
    }
  }
  const told = () =>
    (task.groups === 0 ? ['[]'] : relaxed.keys()).flatMap((group) => {
      const [soft, sharp] = [relaxed.group(group) ?? emptySums(task.slots, index.k), hard.group(group)]
      if (!sharp && task.groups > 0) return []
      const isNothing = !sharp && ofNothing !== undefined
      const actual = isNothing ? ofNothing : finite(treeValue(expectation!.tree, (sharp ?? emptySums(task.slots, 0)).values))
      const value = finite(treeValue(expectation!.tree, soft.values))
      return [{ group, actual, relaxed: value, push: direction(expectation!, actual ?? undefined) }]
    })
  return {
    insert: (relation) => change(relation, 'insert'),
    remove: (relation) => change(relation, 'remove'),
    told,
    coordinates: () => {
      const out = new Float64Array(index.k)
      for (const { group, push, relaxed: value } of told()) {
        if (push === 0 || value === null) continue
        const sums = relaxed.group(group)
        if (!sums) continue
        const slopes = new Float64Array(task.slots)
        addSlopes(expectation!.tree, sums.values, push, slopes)
        if (slopes.every(Number.isFinite)) addCoordinates(sums, slopes, out)
      }
      return out
    },
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

function maintainable(task: ComplaintTask, models: readonly FittedModel[]): RowwisePlan {
  const { rowwise: plan, expectations } = task
  if (!plan) throw notMaintained(task, 'it joins tables or asks a subquery')
  if (plan.having) throw notMaintained(task, 'it has `having`')
  if (expectations.length > 1) throw notMaintained(task, 'it has several expectations')
  if (expectations.some((e) => e.filtered || e.relation === 'row' || e.relation === 'no row'))
    throw notMaintained(task, 'what is expected has a `where`, or speaks of rows')
  if (plan.slots.some((slot) => slot.kind === 'fixed' || slot.kind === 'presence'))
    throw notMaintained(task, 'its answer has a part that is no sum')
  if (plan.groups.some((g) => g.kind === 'column' && g.name === ROW))
    throw notMaintained(task, 'every row of the table is a row of its result')
  if (models.some((m) => task.predictions.some((p) => p.model === m.plan.name) && !m.trained))
    throw notMaintained(task, 'a model that it asks brings its predictions along')
  return plan
}

const notMaintained = (task: ComplaintTask, why: string) =>
  new DataProblem('not-maintained', `\`${task.queryText}\` cannot be kept up to date batch by batch: ${why}. Evaluate it as a whole.`)

interface Batch {
  readonly plan: RowwisePlan
  readonly models: readonly FittedModel[]
  readonly index: DebuggingIndex
  readonly relation: string
}

async function batchOf(
  ctx: RunContext,
  task: ComplaintTask,
  { plan, models, index, relation }: Batch,
): Promise<{ relaxed: Map<string, Sums>; hard: Map<string, Sums> }> {
  const asked: Asked[] = []
  const tangents = new Map<string, Float32Array>()
  for (const { model: name } of task.predictions) {
    const model = models.find((m) => m.plan.name === name)!
    const { predictions, table } = await answered(ctx, model, relation, name === task.model ? index : undefined)
    asked.push({ model, predictions: { source: plan.source, ...predictions } })
    if (table) tangents.set(name, table)
  }
  const { rows } = asked[0]!.predictions
  const draws = await drawsOf(ctx, task, asked)
  const query = compileRowwise(plan, surroundings(ctx, plan, draws))
  const data = await dataOf(ctx, query, { draws, asked, relation, rows })
  const answer = new RowwiseAnswer(query, data)
  const relaxed = sumsOf(task, answer, index.k)
  const keys = answer.keys.map((key) => JSON.stringify(key))
  answer.eachSlope(({ slot, group, row, of, place, choice, weight }) => {
    const draw = of === 'choice' ? draws[place]! : undefined
    const value = of === 'value' ? plan.values[place]! : undefined
    const model = draw?.plan.model ?? value!.model
    const table = tangents.get(model)
    if (!table || (draw && choice >= draw.nSpoken)) return
    const own = asked.find((a) => a.model.plan.name === model)!
    const { width } = own.predictions
    const cell = draw?.intervals ? draw.intervals.cell(row) : row * width + (draw ? choice : placeOf(own.model, value!.label))
    const factor = draw?.intervals ? weight * draw.intervals.slope(row, choice) : weight
    const { projections } = relaxed.get(keys[group]!)!
    for (let l = 0, at = cell; l < index.k; l++, at += rows * width) projections[slot * index.k + l]! += factor * table[at]!
  })
  const sharp = new RowwiseAnswer(query, sharpened(data, draws))
  return { relaxed, hard: sumsOf(task, sharp, 0, 'only what is there') }
}

const placeOf = (model: FittedModel, label: string | number | boolean | undefined): number =>
  label === undefined ? 0 : model.labels!.values.findIndex((value) => String(value) === String(label))

/** By group; `rows` counts what reaches it, so that a group goes when its last row does. */
function sumsOf(task: ComplaintTask, answer: RowwiseAnswer, k: number, of?: 'only what is there'): Map<string, Sums> {
  const found = new Map<string, Sums>()
  const reached = answer.reached()
  for (const [g, key] of answer.keys.entries()) {
    const sums = emptySums(task.slots, k)
    sums.values.set(answer.slots(g))
    sums.rows = of ? reached.certain[g]! : reached.possible[g]!
    if (sums.rows > 0) found.set(JSON.stringify(key), sums)
  }
  return found
}

/** What is likeliest is certain: the hard query. */
function sharpened(data: RowwiseData, draws: readonly Draw[]): RowwiseData {
  const certain = draws.map((draw) => {
    const columns = draw.choices.map(() => new Float64Array(data.rows))
    const { values, width } = draw.asked.predictions
    for (let row = 0; row < data.rows; row++) columns[draw.likeliest(row, values, width)]![row] = 1
    return columns
  })
  return { ...data, chance: (variable, choice) => ({ values: certain[variable]![choice]!, offset: 0, stride: 1 }) }
}

async function answered(
  ctx: RunContext,
  model: FittedModel,
  relation: string,
  index: DebuggingIndex | undefined,
): Promise<{ predictions: Omit<Predictions, 'source'>; table?: Float32Array }> {
  const { encoding, architecture, theta } = model.trained!
  const sql = `select ${inputItems(model.plan).join(', ')} from ${relation} as batch order by ${printExpr({ kind: 'column', name: ROW })}`
  const columns = await queryInputs(ctx, model.plan, { sql, source: model.plan.source, encoding })
  const { values: x, rows } = encode(encoding, columns.columns)
  const input = withoutInput(model.plan, columns)
  const session = await (await ctx.backend()).open(architecture, { rows, x })
  try {
    const values = await session.predict(theta, ctx.breathe)
    const width = architecture.outputs
    if (input) for (let i = 0; i < rows; i++) if (input[i] === 0) values.fill(0, i * width, (i + 1) * width)
    const predictions = { rows, width, values }
    return { predictions, table: index && (await projectionTable(ctx, session, model, predictions, index)) }
  } finally {
    session.dispose()
  }
}

interface BatchRows {
  readonly draws: readonly Draw[]
  readonly asked: readonly Asked[]
  readonly relation: string
  readonly rows: number
}

async function dataOf(ctx: RunContext, query: RowwiseQuery, { draws, asked, relation, rows }: BatchRows): Promise<RowwiseData> {
  const { plan, wanted } = query
  const alias = printExpr({ kind: 'column', name: plan.alias })
  const columns = [...wanted.columns].map((name) => [name, { kind: 'column', table: plan.alias, name } as SqlExpr] as const)
  const all = [...columns, ...wanted.rows]
  const cells = new Map<string, Cells>()
  if (all.length > 0) {
    const items = all.map(([, expr], i) => `${printExpr(expr)} as c${i}`).join(', ')
    const row = printExpr({ kind: 'column', table: plan.alias, name: ROW })
    const found = await ctx.tables.query(`select ${items} from ${relation} as ${alias} order by ${row}`)
    for (const [i, [name]] of all.entries()) cells.set(name, cellsOf(namedColumn(found, `c${i}`)))
  }
  const choices = new Map<string, readonly Cells[]>()
  for (const [sql, name] of wanted.choices) choices.set(sql, await cellsOfChoices(ctx, plan, sql, { name, of: query.choices.get(name)! }))
  const values = new Map(plan.values.map((v) => [v.column, readValue(v, asked.find((a) => a.model.plan.name === v.model)!)]))
  return {
    rows,
    column: (name) => cells.get(name)!,
    row: (sql) => cells.get(sql)!,
    choice: (sql) => choices.get(sql)!,
    value: (name) => values.get(name)!,
    chance: (variable, choice) => draws[variable]!.chance(choice),
  }
}
