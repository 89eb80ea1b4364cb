import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hasLines, type LineFormat, lineFormat, withEmpty } from '../data/later-lines.ts'
import type { FileReading } from '../data/reading.ts'
import { DataProblem, Interrupted } from '../data/tables.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { ComplaintTask, Plan, SourcePlan } from '../plan/plan.ts'
import type { ComplaintResult, ExpectationResult, Json } from '../protocol/results.ts'
import type { WatchLine, WatchNotice, WatchUpdate } from '../protocol/watch.ts'
import { printExpr } from '../sql/print.ts'
import type { Reading } from '../sql/tree.ts'
import { namedColumn, numberAt } from './columns.ts'
import { expectedOf } from './complaint.ts'
import type { RunContext } from './context.ts'
import { debuggingIndex } from './debugging-index.ts'
import type { FollowEnd, FollowRequest, Outcome, RunEvent } from './events.ts'
import { Batches, parts } from './follow-batches.ts'
import { type Course, courseOf, everyChange } from './follow-course.ts'
import { changeOf, countedOf, type Frozen, frozen, headOf, isEdited, signature, usualQuotes } from './growth.ts'
import { type MaintainedComplaint, maintainComplaint } from './maintained.ts'
import { type FittedModel, fitModel } from './models.ts'
import { rankSuspects } from './ranking.ts'
import { runPlans } from './run.ts'
import { autoPairs } from './spectral-rule.ts'
import { rankedRows } from './suspects.ts'

/**
 * A complaint that is evaluated once as a whole and then follows its files: lines that come are read by themselves and added to the sums that are kept
 * (`maintained.ts`; R++ §5.2), so that an update costs the lines that came, not the table. What cannot be kept so is evaluated as a whole at every change.
 */
export async function followComplaint(
  ctx: RunContext,
  plans: readonly Plan[],
  request: FollowRequest,
  emit: (event: RunEvent) => void,
): Promise<FollowEnd> {
  const plan = plans.find((one) => one.kind === 'complaint' && one.name === request.complaint)!
  const say = (line: WatchLine) => emit({ kind: 'watched', line })
  const readings = [
    ...new Map(plans.flatMap((one) => one.sources.flatMap((s) => (s.reading ? [[s.name, s.reading] as const] : [])))).values(),
  ]
  const before = signature(readings)
  const course = courseOf(plan, request)
  const others = readings.filter((reading) => reading !== course.root?.reading)
  const still = signature(others)
  const folder = temporary(ctx)
  try {
    return await followed(ctx, plans, { plan, request, emit, say, readings, before, others, still, course, folder })
  } catch (reason) {
    if (isStopped(ctx, reason)) throw new Cancelled()
    // A file that is gone between two looks.
    if ((reason as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'changed' }
    throw reason
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Following {
  readonly plan: Plan
  readonly request: FollowRequest
  readonly emit: (event: RunEvent) => void
  readonly say: (line: WatchLine) => void
  /** Of all sources; and what they were before anything was read. */
  readonly readings: readonly Reading[]
  readonly before: string
  /** All but those that are followed. */
  readonly others: readonly Reading[]
  readonly still: string
  readonly course: Course
  readonly folder: string
}

async function followed(
  ctx: RunContext,
  plans: readonly Plan[],
  { plan, request, emit, say, readings, before, others, still, course, folder }: Following,
): Promise<FollowEnd> {
  const started = performance.now()
  const root = course.root
  const all = root ? [root] : plan.sources
  const holds = new Map<string, Held>()
  let unheld = ''
  for (const [i, source] of all.entries()) {
    const own = await hold(ctx, source, join(folder, `whole ${i}`))
    if (typeof own === 'string') unheld = own
    else if (own) holds.set(source.name, own)
  }
  const held = root && holds.get(root.name)
  const outcomes = await runPlans(ctx, withReadings(plans, holds), emit)
  const outcome = outcomes.find(({ result }) => result.kind === 'complaint' && result.name === plan.name)!
  const waited = new Pause(ctx, request)
  /** Until anything is different. */
  const anyChange = async (since: string): Promise<FollowEnd> => {
    while (signature(readings) === since) {
      if (isEdited(request.spec)) return edited
      if (await waited.isOver()) return { kind: 'idle' }
    }
    return { kind: 'changed' }
  }
  if (outcome.result.status === 'failed' || outcome.result.status === 'skipped') {
    const wrong = outcomes.find(({ result }) => result.status === 'failed') ?? outcome
    const { message = '', fault } = wrong.result
    say({ ...notice(plan, 'failed', message), fault: fault === 'data' ? fault : undefined })
    return anyChange(before)
  }
  say(wholeUpdate(outcome, request, Math.round(performance.now() - started), unfinished(holds)))
  if (!root || !held) {
    say(notice(plan, 'whole-only', course.why ?? everyChange(unheld)))
    return anyChange(before)
  }
  const counted = await countedOf(held.from, `${ctx.cache.folder}/file-hashes.json`)
  // What grew while it was being read as a whole may have been read in part.
  if (held.from.reading === root.reading && signature(readings) !== before) return { kind: 'changed' }
  let kept: Kept
  try {
    kept = await keep(ctx, plan, outcome)
  } catch (reason) {
    if (!(reason instanceof DataProblem)) throw reason
    say(notice(plan, 'whole-only', reason.message.replace(/ Evaluate it as a whole\.$/, ' Every change is evaluated as a whole.')))
    return anyChange(before)
  }
  const head = headOf(held.from.files[0]!.read, held.format?.headLines ?? 0)
  const format = held.format && (await withEmpty(ctx.tables, held.format, `assay raw ${root.name}`))
  const batches = new Batches(ctx, { chain: course.chain!, format, head, counted, folder })
  try {
    for (;;) {
      if (isEdited(request.spec)) return edited
      if (signature(others) !== still) return { kind: 'changed', why: 'Another file that it needs has changed.' }
      const change = await changeOf(root.reading as FileReading, counted)
      if (change.kind === 'other') return { kind: 'changed', why: change.why }
      if (change.kind === 'grown') {
        const began = performance.now()
        const added = await batches.add(change.files, (relation) => kept.sums.insert(relation))
        if (added > 0) {
          waited.again()
          say(await batchUpdate(ctx, plan, kept, { request, added, rows: batches.rows, unfinished: batches.unfinished, began }))
          continue
        }
      }
      if (await waited.isOver()) return { kind: 'idle' }
    }
  } catch (reason) {
    if (isStopped(ctx, reason)) throw reason
    return { kind: 'changed', why: `The lines that came cannot be added by themselves: ${ofThem(sentence(reason))}.` }
  }
}

const edited: FollowEnd = { kind: 'changed', why: 'The spec has changed.' }

const isStopped = (ctx: RunContext, reason: unknown) => reason instanceof Cancelled || reason instanceof Interrupted || ctx.token.cancelled

function temporary(ctx: RunContext): string {
  const folder = join(ctx.cache.folder, 'tmp')
  mkdirSync(folder, { recursive: true })
  return mkdtempSync(join(folder, `${process.pid}-watch-`))
}

const sentence = (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)).split('\n')[0]!

/** Lines are counted from the first that came; what is to be done is said of the file as a whole, if it is wrong. */
function ofThem(message: string): string {
  const [first = ''] = message.split(/\.(?= [A-Z]|$)/)
  return first.replace(/`[^`]+`, line ([\d ]+):/, 'in line $1 of them,')
}

/** The time between looks, and the time without growth after which there are no more. */
class Pause {
  readonly #ctx: RunContext
  readonly #request: FollowRequest
  #since = performance.now()

  constructor(ctx: RunContext, request: FollowRequest) {
    this.#ctx = ctx
    this.#request = request
  }

  again(): void {
    this.#since = performance.now()
  }

  async isOver(): Promise<boolean> {
    const { everyMs, idleMs = Number.POSITIVE_INFINITY } = this.#request
    const end = performance.now() + everyMs
    for (;;) {
      if (this.#ctx.token.cancelled) throw new Cancelled()
      const now = performance.now()
      if (now - this.#since >= idleMs) return true
      if (now >= end) return false
      await new Promise((resume) => setTimeout(resume, Math.min(50, Math.max(1, end - now))))
    }
  }
}

interface Held {
  readonly from: Frozen
  readonly format?: LineFormat
}

/** The files as they are to be read as a whole, ending with a line; or why they are read as ever, and the run will say what is wrong with them. */
async function hold(ctx: RunContext, { reading }: SourcePlan, folder: string): Promise<Held | string | undefined> {
  if (reading?.kind !== 'file') return undefined
  try {
    const quotes = usualQuotes(reading)
    const first = frozen(reading, quotes, folder)
    const format = hasLines(reading) ? await lineFormat(ctx.tables, first.reading) : undefined
    const isOther = format && first.reading !== reading && JSON.stringify(format.quotes) !== JSON.stringify(quotes)
    return { from: isOther ? frozen(reading, format.quotes, `${folder} again`) : first, format }
  } catch (reason) {
    if (isStopped(ctx, reason)) throw reason
    return sentence(reason)
  }
}

function withReadings(plans: readonly Plan[], holds: ReadonlyMap<string, Held>): readonly Plan[] {
  return plans.map((plan) => ({
    ...plan,
    sources: plan.sources.map((s) => ({ ...s, reading: holds.get(s.name)?.from.reading ?? s.reading })),
  }))
}

const unfinished = (holds: ReadonlyMap<string, Held>): number | undefined =>
  [...holds.values()].reduce((sum, { from }) => sum + from.files.reduce((some, f) => some + f.seen.bytes - f.bytes, 0), 0) || undefined

const notice = (plan: Plan, reason: 'whole-only' | 'failed', message: string): WatchNotice => ({
  schema: 'assay-watch/1',
  event: 'notice',
  complaint: plan.name,
  reason,
  message,
})

function wholeUpdate({ result }: Outcome, { top }: FollowRequest, elapsedMs: number, unfinishedBytes: number | undefined): WatchUpdate {
  const { name, status, expectations = [], satisfied, method, ranking = [], notes, provenance } = result as ComplaintResult
  return {
    schema: 'assay-watch/1',
    event: 'update',
    complaint: name,
    how: 'whole',
    status: status === 'ok' ? 'ok' : 'violated',
    rows: provenance.rows,
    added: 0,
    satisfied: satisfied === true,
    expectations,
    method,
    ranking: ranking.slice(0, top).map(told),
    elapsedMs,
    unfinished: unfinishedBytes,
    notes,
  }
}

const told = ({ rank, key, label, influence, treatment }: WatchUpdate['ranking'][number]): WatchUpdate['ranking'][number] => ({
  rank,
  key,
  label,
  influence,
  treatment,
})

interface Kept {
  readonly sums: MaintainedComplaint
  readonly model: FittedModel
}

/** What was evaluated as a whole, as sums that can be kept. Throws `DataProblem` where it cannot be. O(rows × classes × slots × k). */
async function keep(ctx: RunContext, plan: Plan, outcome: Outcome): Promise<Kept> {
  const task = plan.task as ComplaintTask
  const models: FittedModel[] = []
  for (const model of plan.models) models.push({ ...(await fitModel(ctx, model)), plan: model })
  const model = models.find((m) => m.plan.name === task.model)!
  if (!model.trained || model.handed)
    throw new DataProblem('not-maintained', 'Every change is evaluated as a whole: the model was not trained here.')
  const pairs = task.method.kind === 'spectral' ? task.method.k! : autoPairs(model)
  const index = await debuggingIndex(ctx, model, pairs)
  if (index.k === 0)
    throw new DataProblem('not-maintained', 'Every change is evaluated as a whole: the Hessian of the model has no positive eigenvalue.')
  const sums = maintainComplaint(ctx, task, models, index, await ofNothing(ctx, task))
  const { rows } = ctx.prepared.get(task.source)!
  const all = parts(quoted(task.source), 0, rows)
  for (const [i, part] of all.entries()) {
    ctx.step(`counting ${task.source}`, i, all.length)
    await sums.insert(part)
    await ctx.breathe()
  }
  const whole = (outcome.result as ComplaintResult).expectations ?? []
  if (!agree(expectationsOf(task, sums), whole))
    throw new DataProblem('not-maintained', 'Every change is evaluated as a whole: what is kept of its rows does not give the same answer.')
  return { sums, model }
}

/** What a query without groups gives of no rows. */
async function ofNothing(ctx: RunContext, task: ComplaintTask): Promise<number | null | undefined> {
  if (task.groups > 0) return undefined
  const table = quoted(task.source)
  const sql = `with ${table} as (select * from main.${table} where false) select * from (${task.hardSql})`
  const found = await ctx.tables.query(sql)
  return found.rows === 1 ? numberAt(namedColumn(found, 'assay actual 0'), 0) : undefined
}

function agree(mine: readonly ExpectationResult[], whole: readonly ExpectationResult[]): boolean {
  const close = (a: number | null, b: number | null, within: number) =>
    a === null || b === null ? a === b : Math.abs(a - b) <= within * Math.max(1, Math.abs(b))
  const byGroup = new Map(mine.map((one) => [JSON.stringify(one.group), one]))
  return whole.every((one) => {
    const own = byGroup.get(JSON.stringify(one.group))
    return own && close(own.actual, one.actual, 1e-6) && close(own.relaxed, one.relaxed, 1e-4)
  })
}

function expectationsOf(task: ComplaintTask, sums: MaintainedComplaint): ExpectationResult[] {
  const expectation = task.expectations[0]!
  return sums.told().map(({ group, actual, relaxed, push }) => {
    const values = JSON.parse(group) as Json[]
    const named = task.shownOf.flatMap(({ name, column }): [string, Json][] => {
      const place = /^assay group (\d+)$/.exec(column)
      return place ? [[name, values[Number(place[1])] ?? null]] : []
    })
    return {
      expect: expectation.text,
      group: named.length > 0 ? Object.fromEntries(named) : undefined,
      actual,
      relaxed,
      expected: expectedOf(expectation),
      satisfied: push === 0,
    }
  })
}

interface Batch {
  readonly request: FollowRequest
  readonly added: number
  readonly rows: number
  readonly unfinished: number
  readonly began: number
}

async function batchUpdate(ctx: RunContext, plan: Plan, { sums, model }: Kept, batch: Batch): Promise<WatchUpdate> {
  const task = plan.task as ComplaintTask
  const expectations = expectationsOf(task, sums)
  const coordinates = sums.coordinates()
  const evaluated = {
    expectations,
    parts: [],
    weights: new Float32Array(0),
    more: [],
    weight: coordinates.some((c) => c !== 0) ? (1 as const) : (0 as const),
    relaxedBy: 'typed arrays' as const,
    relaxMs: 0,
    notes: [],
  }
  const predictions = { source: task.source, rows: 0, width: model.labels?.values.length ?? 1, values: new Float32Array(0) }
  const suspects = { ...task.suspects, top: Math.min(task.suspects.top, batch.request.top) }
  const ranking = await rankSuspects(ctx, { task, model, predictions, evaluated, suspects, seed: plan.seed, coordinates })
  const { rows } = ranking.rows.length > 0 ? await rankedRows(ctx, model, ranking) : { rows: [] }
  const satisfied = expectations.every((e) => e.satisfied)
  return {
    schema: 'assay-watch/1',
    event: 'update',
    complaint: plan.name,
    how: 'batch',
    status: satisfied ? 'ok' : 'violated',
    rows: batch.rows,
    added: batch.added,
    satisfied,
    expectations: [...expectations.filter((e) => !e.satisfied), ...expectations.filter((e) => e.satisfied)].slice(0, MOST_TOLD),
    method: ranking.method,
    ranking: rows.map(told),
    elapsedMs: Math.round((performance.now() - batch.began) * 10) / 10,
    unfinished: batch.unfinished || undefined,
    notes: ranking.finding ? [ranking.finding] : undefined,
  }
}

const MOST_TOLD = 1000
const quoted = (name: string) => printExpr({ kind: 'column', name })
