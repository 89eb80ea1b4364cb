import type { Columns } from '../data/tables.ts'
import type { ComplaintTask, ExpectationPlan } from '../plan/plan.ts'
import type { ExpectationResult, Json } from '../protocol/results.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import { addSlopes, treeValue } from './complaint-tree.ts'
import { type Part, type Slopes, weighed } from './complaint-weights.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'
import { type Predictions, predict, registerPredictions } from './predictions.ts'
import { type Asked, answersOf, type Pull, type Relaxed } from './relaxed.ts'
import { relaxedByDatabase } from './relaxed-database.ts'
import { relaxedByRows } from './relaxed-rows.ts'
import { unknownClass } from './unknown-class.ts'

/**
 * A complaint's query, hard and relaxed (METHODS §4; R §5). The relaxation (`relaxed.ts`) gives the slots of every group (sums, chances) and, once it is
 * known which expectations do not hold, the derivative by each row's chances; between them small trees are evaluated forwards and in reverse.
 * Cost: two passes over the lineage, and one more for every further expectation that does not hold.
 *
 * q = Σ ± relaxed values of what is not as expected, signed so that more is better; rows that should (not) be there by the chance that they are.
 * Several expectations are scaled to pull equally: each one's ∂q/∂(logits) gets the length of the first one's, so that q is in that one's units.
 */
export interface Evaluated {
  readonly expectations: readonly ExpectationResult[]
  /** ∂q/∂p (for regression ∂q/∂ŷ) of the complaint's first table and of the others that the blamed model speaks of. */
  readonly parts: readonly Part[]
  /** Of the first table, rows × classes. */
  readonly weights: Float32Array
  /** The other tables. */
  readonly more: readonly Part[]
  /** 0 where nothing stands, or no row can change the answer; 1 otherwise. */
  readonly weight: 0 | 1
  readonly relaxedBy: Relaxed['by']
  /** From the hard answer to the derivative. */
  readonly relaxMs: number
  readonly notes: readonly string[]
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
  const begun = performance.now()
  const byRows = await relaxedByRows(ctx, task, asked)
  const paused = performance.now()
  const hard = await hardAnswer(ctx, task, asked, byRows ? 'as read' : 'every class')
  const started = performance.now() - (paused - begun)
  const groups = byRows ?? (await relaxedByDatabase(ctx, task, asked))
  await ctx.breathe()
  const told: ExpectationResult[] = []
  const pulls: Pull[] = []
  for (const [i, expectation] of task.expectations.entries()) {
    const { results, pull } = isAboutRows(expectation) ? aboutRows(task, hard, groups, i) : aboutValues(task, hard, groups, i)
    told.push(...results)
    if (pull.size > 0) pulls.push(pull)
  }
  const blamed = asked.filter((a) => a.model.plan.name === task.model)
  const found: (readonly Slopes[])[] = []
  for (const pull of pulls) found.push(await groups.derivatives(blamed, pull))
  const { parts, isMovable } = weighed(
    blamed.map((a) => a.predictions),
    found,
  )
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
    ...absentNotes(task, asked),
  ]
  return {
    expectations: all.slice(0, MOST_TOLD),
    parts,
    // Written out when it is first read: a ranking by the spectrum does not.
    get weights() {
      return first!.weights
    },
    more,
    weight: isMovable ? 1 : 0,
    relaxedBy: groups.by,
    relaxMs: performance.now() - started,
    notes,
  }
}

const isAboutRows = (e: ExpectationPlan) => e.relation === 'row' || e.relation === 'no row'

/** The query as written, over what is predicted. */
async function hardAnswer(
  ctx: RunContext,
  task: ComplaintTask,
  asked: readonly Asked[],
  chances: 'as read' | 'every class',
): Promise<Columns> {
  for (const { model, source, scores } of task.predictions) {
    const { model: fitted, predictions } = answersOf(asked, model, source)
    const isChosen = chances === 'every class' && task.chances.some((c) => c.kind === 'class' && c.model === model && c.source === source)
    await registerPredictions(ctx, fitted, predictions, isChosen && fitted.labels ? fitted.labels.values : scores)
  }
  return ctx.tables.query(task.hardSql)
}

interface Judged {
  readonly results: ExpectationResult[]
  readonly pull: Pull
}

function aboutValues(task: ComplaintTask, hard: Columns, groups: Relaxed, i: number): Judged {
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
function aboutRows(task: ComplaintTask, hard: Columns, groups: Relaxed, i: number): Judged {
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

function nameOf(task: ComplaintTask, hard: Columns, row: number): Record<string, Json> | undefined {
  if (task.shownOf.length === 0) return undefined
  return Object.fromEntries(task.shownOf.map(({ name, column }) => [name, jsonAt(namedColumn(hard, column), row)]))
}

function undefinedNotes(task: ComplaintTask, told: readonly ExpectationResult[]): string[] {
  return task.expectations.flatMap((e) => {
    const blank = told.some((t) => t.expect === e.text && !t.satisfied && t.relaxed === null)
    return blank ? [`\`${e.text}\` divides by a count or sum of zero, or is otherwise undefined: it pulls nowhere.`] : []
  })
}

/** A class that no training row has is never predicted: no row satisfies a comparison with it, and nothing can be blamed for that. */
function absentNotes(task: ComplaintTask, asked: readonly Asked[]): string[] {
  return task.named.flatMap(({ model: name, value }) => {
    const model = asked.find((a) => a.model.plan.name === name)?.model
    if (!model?.labels || model.labels.values.some((label) => String(label) === String(value))) return []
    return [`${unknownClass(model, value).message} It is never predicted.`]
  })
}

/** +1: it should rise, −1: it should fall, 0: as expected. The hard value decides (METHODS §4). NULL has no direction and is not as expected only for `lower`/`higher`. */
export function direction(e: ExpectationPlan, actual: number | undefined): -1 | 0 | 1 {
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

export const expectedOf = (e: ExpectationPlan): string | number =>
  e.relation === 'between' ? `${e.value} to ${e.high}` : (e.value ?? e.relation)

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
