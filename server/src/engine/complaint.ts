import type { Columns } from '../data/tables.ts'
import type { ComplaintTask, ExpectationPlan } from '../plan/plan.ts'
import { GROUP, GROUPS, groupColumn, SEEDS, seedOf, slotColumn } from '../plan/provenance/lineage.ts'
import type { ExpectationResult, Json } from '../protocol/results.ts'
import { literal, star } from '../sql/build.ts'
import { printExpr } from '../sql/print.ts'
import { createAs } from '../sql/statements.ts'
import { ROW } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt, numbersOf } from './columns.ts'
import { classOf, type Intervals, registerChances } from './complaint-chances.ts'
import { addSlopes, treeValue } from './complaint-tree.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'
import { type Predictions, predict, registerPredictions } from './predictions.ts'

/**
 * A complaint's query, hard and relaxed (METHODS §4; R §5). The database gives the slots of every group (sums, chances) and, once it is known which
 * expectations do not hold, the derivative by each row's chances; between them small trees are evaluated forwards and in reverse.
 * Cost: two passes over the lineage, and one more for every further expectation that does not hold.
 *
 * q = Σ ± relaxed values of what is not as expected, signed so that more is better; rows that should (not) be there by the chance that they are.
 * Several expectations are scaled to pull equally: each one's ∂q/∂(logits) gets the length of the first one's, so that q is in that one's units.
 */
export interface Evaluated {
  readonly expectations: readonly ExpectationResult[]
  /** ∂q/∂p, rows × classes (for regression ∂q/∂ŷ, rows × 1) of the complaint's first table. */
  readonly weights: Float32Array
  /** The same for the other tables that the blamed model speaks of. */
  readonly more: readonly Part[]
  /** Sum of |weights| less their mean over a row's classes: zero where nothing stands, or no row can change the answer. */
  readonly weight: number
  readonly notes: readonly string[]
}
export interface Part {
  readonly predictions: Predictions
  readonly weights: Float32Array
}

/** A model's answers about a table. */
export interface Asked {
  readonly model: FittedModel
  readonly predictions: Predictions
}

/** Answers of every model about every table that the complaint's query reads; the blamed model's about the complaint's first table come first. */
export async function askModels(
  ctx: RunContext,
  task: ComplaintTask,
  models: readonly FittedModel[],
  answer: (model: FittedModel, source: string) => Promise<Predictions> = (model, source) => predict(ctx, model, source),
): Promise<Asked[]> {
  const asked: Asked[] = []
  const first = { model: task.model, source: task.source }
  const rest = task.predictions.filter((p) => p.model !== first.model || p.source !== first.source)
  for (const { model: name, source } of [first, ...rest]) {
    const model = models.find((m) => m.plan.name === name)!
    asked.push({ model, predictions: await answer(model, source) })
  }
  return asked
}

/** More results than this are not told one by one. */
const MOST_TOLD = 1000

export async function evaluateComplaint(ctx: RunContext, task: ComplaintTask, asked: readonly Asked[]): Promise<Evaluated> {
  const intervals = await register(ctx, task, asked)
  const hard = await ctx.tables.query(task.hardSql)
  await ctx.tables.execute(createAs('table', GROUPS, task.relaxedSql))
  const groups = new Groups(await ctx.tables.query(`select * from ${quoted(GROUPS)}`), task)
  await ctx.breathe()
  const told: ExpectationResult[] = []
  const pulls: Pull[] = []
  for (const [i, expectation] of task.expectations.entries()) {
    const { results, pull } = isAboutRows(expectation) ? aboutRows(task, hard, groups, i) : aboutValues(task, hard, groups, i)
    told.push(...results)
    if (pull.size > 0) pulls.push(pull)
  }
  const blamed = asked.filter((a) => a.model.plan.name === task.model)
  const parts = blamed.map(({ predictions }) => ({ predictions, weights: new Float32Array(predictions.rows * predictions.width) }))
  let scale = 0
  for (const pull of pulls) {
    const own = await derivatives(ctx, task, blamed, intervals, pull)
    const length = Math.sqrt(own.reduce((sum, weights, p) => sum + squaredLength(parts[p]!.predictions, weights), 0))
    if (!(length > 0)) continue
    scale ||= length
    for (const [p, weights] of own.entries())
      for (let c = 0; c < weights.length; c++) parts[p]!.weights[c]! += weights[c]! * (scale / length)
  }
  const [first, ...more] = parts
  const unmet = told.filter((e) => !e.satisfied)
  const all = told.length > MOST_TOLD ? [...unmet, ...told.filter((e) => e.satisfied)] : told
  const notes = [
    ...(all.length > MOST_TOLD
      ? [`${all.length} rows of the result are spoken of, ${unmet.length} not as expected: the first ${MOST_TOLD} are shown.`]
      : []),
    ...(pulls.length > 1
      ? ['Several expectations do not hold: they are scaled to pull equally, and influence is in the units of the first of them.']
      : []),
    ...undefinedNotes(task, told),
  ]
  return {
    expectations: all.slice(0, MOST_TOLD),
    weights: first!.weights,
    more,
    weight: parts.reduce((sum, part) => sum + movable(part), 0),
    notes,
  }
}

const quoted = (name: string) => printExpr({ kind: 'column', name })
const isAboutRows = (e: ExpectationPlan) => e.relation === 'row' || e.relation === 'no row'

async function register(ctx: RunContext, task: ComplaintTask, asked: readonly Asked[]): Promise<Map<string, Intervals>> {
  const of = (model: string, source: string) => asked.find((a) => a.model.plan.name === model && a.predictions.source === source)!
  for (const { model, source, scores } of task.predictions) {
    const { model: fitted, predictions } = of(model, source)
    const isChosen = task.chances.some((c) => c.kind === 'class' && c.model === model && c.source === source)
    await registerPredictions(ctx, fitted, predictions, isChosen && fitted.labels ? fitted.labels.values : scores)
  }
  const found = new Map<string, Intervals>()
  for (const plan of task.chances) {
    const intervals = await registerChances(ctx, { plan, ...of(plan.model, plan.source) })
    if (intervals) found.set(plan.name, intervals)
  }
  return found
}

/** Seeds by group: ∂q/∂slot. */
type Pull = Map<number, Float64Array>

interface Judged {
  readonly results: ExpectationResult[]
  readonly pull: Pull
}

function aboutValues(task: ComplaintTask, hard: Columns, groups: Groups, i: number): Judged {
  const expectation = task.expectations[i]!
  const actuals = namedColumn(hard, `assay actual ${i}`)
  const results: ExpectationResult[] = []
  const pull: Pull = new Map()
  for (const row of rowsSpokenOf(hard, i)) {
    const actual = numberAt(actuals, row)
    const place = groups.find(hard, row)
    const slots = place === undefined ? undefined : groups.slots(place)
    const relaxed = slots ? finite(treeValue(expectation.tree, slots)) : null
    const push = direction(expectation, actual ?? undefined)
    const base = { expect: expectation.text, actual, relaxed, expected: expectedOf(expectation) }
    results.push({ ...base, group: nameOf(task, hard, row), satisfied: push === 0 })
    if (push !== 0 && place !== undefined && slots && relaxed !== null) seed(pull, expectation, place, slots, push)
  }
  return { results, pull }
}

/** Rows that should not be there are pushed out one by one; of rows that might be the missing one, at least one is to come. */
function aboutRows(task: ComplaintTask, hard: Columns, groups: Groups, i: number): Judged {
  const expectation = task.expectations[i]!
  const present = rowsSpokenOf(hard, i)
  const pull: Pull = new Map()
  const base = { expect: expectation.text, actual: present.length }
  const group = present.length === 1 ? nameOf(task, hard, present[0]!) : undefined
  if (expectation.relation === 'no row') {
    let relaxed = 0
    for (const row of present) {
      const place = groups.find(hard, row)
      if (place === undefined) continue
      const slots = groups.slots(place)
      relaxed += treeValue(expectation.tree, slots)
      seed(pull, expectation, place, slots, -1)
    }
    return { results: [{ ...base, group, relaxed: finite(relaxed), expected: 0, satisfied: present.length === 0 }], pull }
  }
  const chances = Float64Array.from({ length: groups.size }, (_, g) => treeValue(expectation.tree, groups.slots(g)))
  const sure = chances.filter((c) => c >= 1).length
  const others = chances.reduce((none, c) => (c >= 1 ? none : none * (1 - c)), 1)
  if (present.length === 0) {
    for (const [g, chance] of chances.entries()) {
      const without = chance >= 1 ? (sure === 1 ? others : 0) : sure === 0 ? others / (1 - chance) : 0
      if (without > 0) seed(pull, expectation, g, groups.slots(g), without)
    }
  }
  const relaxed = sure > 0 ? 1 : 1 - others
  return { results: [{ ...base, group, relaxed: finite(relaxed), expected: 'at least 1', satisfied: present.length > 0 }], pull }
}

function seed(pull: Pull, expectation: ExpectationPlan, group: number, slots: ArrayLike<number>, by: number): void {
  const slopes = pull.get(group) ?? new Float64Array(slots.length)
  const added = new Float64Array(slots.length)
  addSlopes(expectation.tree, slots, by, added)
  if (!added.every(Number.isFinite) || added.every((s) => s === 0)) return
  for (let s = 0; s < added.length; s++) slopes[s]! += added[s]!
  pull.set(group, slopes)
}

function rowsSpokenOf(hard: Columns, i: number): number[] {
  const wanted = namedColumn(hard, `assay expect ${i}`)
  if (wanted.kind !== 'boolean') return []
  const rows: number[] = []
  for (let row = 0; row < hard.rows; row++) if (wanted.values[row] === 1 && wanted.valid?.[row] !== 0) rows.push(row)
  return rows
}

/** The groups that the result may have, found by their columns. */
class Groups {
  readonly size: number
  readonly #columns: Columns
  readonly #slots: readonly Float64Array[]
  readonly #task: ComplaintTask
  #places: Map<string, number> | undefined

  constructor(columns: Columns, task: ComplaintTask) {
    this.size = columns.rows
    this.#columns = columns
    this.#task = task
    this.#slots = Array.from({ length: task.slots }, (_, s) => numbersOf(columns, slotColumn(s)))
    const numbered = numbersOf(columns, GROUP)
    if (numbered.some((g, i) => g !== i)) {
      for (const slot of this.#slots) {
        const moved = slot.slice()
        for (const [i, g] of numbered.entries()) slot[g] = moved[i]!
      }
    }
  }

  slots(group: number): Float64Array {
    return Float64Array.from(this.#slots, (slot) => slot[group]!)
  }

  find(hard: Columns, row: number): number | undefined {
    if (this.#task.groups === 0) return 0
    if (!this.#places) {
      const numbered = numbersOf(this.#columns, GROUP)
      const keys = keysOf(this.#columns, this.#task)
      this.#places = new Map(Array.from({ length: this.size }, (_, i) => [keys(i), numbered[i]!]))
    }
    return this.#places.get(keysOf(hard, this.#task)(row))
  }
}

function keysOf(columns: Columns, task: ComplaintTask): (row: number) => string {
  const data = Array.from({ length: task.groups }, (_, i) => namedColumn(columns, groupColumn(i)))
  return (row) => JSON.stringify(data.map((d) => jsonAt(d, row)))
}

function nameOf(task: ComplaintTask, hard: Columns, row: number): Record<string, Json> | undefined {
  if (task.shownOf.length === 0) return undefined
  return Object.fromEntries(task.shownOf.map(({ name, column }) => [name, jsonAt(namedColumn(hard, column), row)]))
}

/** Written into a statement rather than handed over. */
const FEW_GROUPS = 64

/** ∂(Σ seed·slot)/∂p for each of the blamed model's tables. */
async function derivatives(
  ctx: RunContext,
  task: ComplaintTask,
  blamed: readonly Asked[],
  intervals: ReadonlyMap<string, Intervals>,
  pull: Pull,
): Promise<Float64Array[]> {
  const places = [...pull.keys()]
  const columns = [
    Float64Array.from(places),
    ...Array.from({ length: task.slots }, (_, s) => Float64Array.from(places, (g) => pull.get(g)![s]!)),
  ]
  const names = [GROUP, ...Array.from({ length: task.slots }, (_, s) => seedOf(s))]
  if (places.length <= FEW_GROUPS) {
    const rows = places.map((_, i) => columns.map((values) => literal(values[i]!)))
    await ctx.tables.execute(
      createAs('table', SEEDS, { items: [{ value: star }], from: { kind: 'values', rows, alias: 'v', columns: names } }),
    )
  } else {
    await ctx.tables.create(SEEDS, {
      rows: places.length,
      columns: columns.map((values, i) => ({ name: names[i]!, data: { kind: 'number', values, integer: i === 0 } })),
    })
  }
  const found = blamed.map(({ predictions }) => new Float64Array(predictions.rows * predictions.width))
  for (const gradient of task.gradients) {
    const part = blamed.findIndex((a) => a.model.plan.name === gradient.model && a.predictions.source === gradient.source)
    if (part < 0) continue
    const { model, predictions } = blamed[part]!
    const given = await ctx.tables.query(gradient.sql)
    await ctx.breathe()
    const rows = numbersOf(given, ROW)
    const classes = numbersOf(given, 'assay class')
    const weights = numbersOf(given, 'assay weight')
    const out = found[part]!
    const { by } = gradient
    const { width } = predictions
    const among = by.kind === 'compared' ? intervals.get(by.chances)! : undefined
    const label = by.kind === 'value' && by.label !== undefined ? classOf(model, by.label) : 0
    const nChoices = among ? Number.POSITIVE_INFINITY : width
    for (let i = 0; i < given.rows; i++) {
      const [row, choice, weight] = [rows[i]!, classes[i]!, weights[i]!]
      if (!Number.isFinite(weight) || choice >= nChoices) continue
      if (among) out[among.cell(row)]! += weight * among.slope(row, choice)
      else out[row * width + (by.kind === 'value' ? label : choice)]! += weight
    }
  }
  return found
}

/** Of the derivative by the logits, ∂q/∂z_c = p_c(w_c − Σ p·w); for regression by the values. */
function squaredLength({ values, rows, width }: Predictions, weights: Float64Array): number {
  let squares = 0
  for (let row = 0, at = 0; row < rows; row++, at += width) {
    if (width === 1) {
      squares += weights[at]! ** 2
      continue
    }
    let mean = 0
    for (let c = 0; c < width; c++) mean += values[at + c]! * weights[at + c]!
    for (let c = 0; c < width; c++) {
      const away = weights[at + c]! - mean
      if (Math.abs(away) > ROUNDING * Math.abs(mean)) squares += (values[at + c]! * away) ** 2
    }
  }
  return squares
}

/** Probabilities in single precision sum to one up to this. */
const ROUNDING = 1e-5

/** What is the same for all classes of a row moves nothing: their chances sum to one. */
function movable({ predictions: { rows, width }, weights }: Part): number {
  let sum = 0
  for (let row = 0, at = 0; row < rows; row++, at += width) {
    if (width === 1) {
      sum += Math.abs(weights[at]!)
      continue
    }
    let mean = 0
    for (let c = 0; c < width; c++) mean += weights[at + c]! / width
    for (let c = 0; c < width; c++) {
      const away = Math.abs(weights[at + c]! - mean)
      if (away > ROUNDING * Math.abs(mean)) sum += away
    }
  }
  return sum
}

function undefinedNotes(task: ComplaintTask, told: readonly ExpectationResult[]): string[] {
  return task.expectations.flatMap((e) => {
    const blank = told.some((t) => t.expect === e.text && !t.satisfied && t.relaxed === null)
    return blank ? [`\`${e.text}\` divides by a count or sum of zero, or is otherwise undefined: it pulls nowhere.`] : []
  })
}

/** +1: it should rise, −1: it should fall, 0: as expected. The hard value decides (METHODS §4). NULL has no direction and is not as expected only for `lower`/`higher`. */
function direction(e: ExpectationPlan, actual: number | undefined): -1 | 0 | 1 {
  if (e.relation === 'lower') return -1
  if (e.relation === 'higher') return 1
  if (actual === undefined || e.relation === 'row' || e.relation === 'no row') return 0
  const value = e.value!
  switch (e.relation) {
    case '=':
      return Math.abs(actual - value) <= 1e-9 * Math.max(1, Math.abs(value)) ? 0 : actual > value ? -1 : 1
    case '<=':
      return actual <= value ? 0 : -1
    case '<':
      return actual < value ? 0 : -1
    case '>=':
      return actual >= value ? 0 : 1
    case '>':
      return actual > value ? 0 : 1
    case 'between':
      return actual < value ? 1 : actual > e.high! ? -1 : 0
  }
}

const expectedOf = (e: ExpectationPlan): string | number => (e.relation === 'between' ? `${e.value} to ${e.high}` : (e.value ?? e.relation))

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
