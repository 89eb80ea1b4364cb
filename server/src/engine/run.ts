import { DataProblem, Interrupted } from '../data/tables.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Plan, Task } from '../plan/plan.ts'
import type { Provenance, Result } from '../protocol/results.ts'
import { printExpr } from '../sql/print.ts'
import { isNotHere, rowsNotHere } from './absent-rows.ts'
import { apartNote } from './apart-blocks.ts'
import { runAssertion } from './assertion.ts'
import { writeAtomically } from './cache.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import { askModels, evaluateComplaint } from './complaint.ts'
import { digest, type RunContext } from './context.ts'
import { rankResultFile } from './coordinates.ts'
import { debuggingIndex } from './debugging-index.ts'
import { runDiscovery } from './discovery.ts'
import type { IndexFiles, Outcome, RunEvent } from './events.ts'
import { explainSuspects } from './explanation.ts'
import { failureOf } from './failure.ts'
import { groupEffect } from './group-effect.ts'
import { exportIndex, importIndex } from './hand-over.ts'
import { handedNote } from './handed-model.ts'
import { runIntervention } from './intervention.ts'
import { membership } from './membership.ts'
import { modelResult } from './model-result.ts'
import { type FittedModel, fitModel } from './models.ts'
import { explainRanking } from './nearest.ts'
import { knownOnnxHash } from './onnx-model.ts'
import { partitionResult } from './partitions.ts'
import { prepare } from './prepare.ts'
import { rankSuspects } from './ranking.ts'
import { autoPairs } from './spectral-rule.ts'
import { complaintStrength } from './strength.ts'
import { rankedRows } from './suspects.ts'

/**
 * The interpreter of plans: prepares tables, fits models, carries out the task, and makes of whatever happens a result. The one place where a failure is
 * caught and where cancellation passes through. What each task does stands in a file of its own beside this one.
 */
export async function runPlans(ctx: RunContext, plans: readonly Plan[], emit: (event: RunEvent) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const failed = new Map<string, string>()
  for (const plan of plans) {
    emit({ kind: 'started', name: plan.name, declaration: plan.kind })
    const missing = plan.needs.find((name) => failed.has(name.toLowerCase()))
    const outcome = missing === undefined ? await runPlan(ctx, plan, emit) : skipped(plan, missing)
    // A source whose rows are elsewhere may still be learned from, by an imported index.
    const absent = plan.kind === 'source' && ctx.prepared.get(plan.name)?.absent !== undefined
    if (!absent && (outcome.result.status === 'failed' || outcome.result.status === 'skipped')) failed.set(plan.name.toLowerCase(), '')
    outcomes.push(outcome)
    emit({ kind: 'finished', outcome })
  }
  return outcomes
}

async function runPlan(ctx: RunContext, plan: Plan, emit: (event: RunEvent) => void): Promise<Outcome> {
  const started = performance.now()
  let partial: (Members & Record<string, unknown>) | undefined
  const provenance = (rows: number): Provenance => ({
    dataHash: dataHash(ctx, plan),
    planHash: plan.hash,
    seed: plan.seed,
    rows,
    elapsedMs: Math.round(performance.now() - started),
  })
  try {
    await ctx.breathe()
    await prepare(ctx, plan)
    refuseAbsent(ctx, plan)
    const models: FittedModel[] = []
    // One that was fitted for another plan may have gone by another name there, with other slices to be measured on.
    for (const model of plan.models) models.push({ ...(await fitModel(ctx, model)), plan: model })
    const done = await carryOut(ctx, plan, models, (members) => {
      partial = members
    })
    const outcome = outcomeOf(plan, done, provenance)
    store(ctx, plan, outcome)
    return outcome
  } catch (reason) {
    if (reason instanceof Cancelled || reason instanceof Interrupted || ctx.token.cancelled) {
      if (partial) emit({ kind: 'finished', outcome: outcomeOf(plan, { ...partial, status: 'partial' }, provenance) })
      throw new Cancelled()
    }
    if (isNotHere(reason)) return notHere(plan, reason.message, provenance(0))
    return failureOf(plan, reason, provenance(0))
  }
}

/** Throws where a declaration is about rows that are elsewhere; asking a model that learned from them is another matter. */
function refuseAbsent(ctx: RunContext, plan: Plan): void {
  const { task } = plan
  const about = task.kind === 'model' || task.kind === 'intervene' ? [] : task.kind === 'complaint' ? task.sources : [aboutOf(task)]
  for (const name of about) {
    const file = ctx.prepared.get(name)?.absent
    if (file !== undefined)
      throw rowsNotHere(`The rows of \`${name}\` are not here: there is no file ${file}, and an imported index stands for them.`)
  }
}

function aboutOf(task: Exclude<Task, { kind: 'model' | 'intervene' | 'complaint' }>): string {
  return task.kind === 'assert' || task.kind === 'discover' ? task.on.source : task.source
}

const notHere = (plan: Plan, message: string, provenance: Provenance): Outcome => ({
  result: { kind: plan.kind, name: plan.name, status: 'skipped', provenance, message, fault: 'elsewhere' } as Result,
  pictures: {},
})

type Members = Omit<Partial<Result>, 'kind' | 'name' | 'provenance'> & { readonly seen: number; readonly pictures?: Outcome['pictures'] }

function outcomeOf(plan: Plan, members: Members & Record<string, unknown>, provenance: (rows: number) => Provenance): Outcome {
  const { seen, pictures, ...rest } = members
  return { result: { kind: plan.kind, name: plan.name, provenance: provenance(seen), ...rest } as Result, pictures: pictures ?? {} }
}

async function carryOut(
  ctx: RunContext,
  plan: Plan,
  models: readonly FittedModel[],
  onPartial: (members: Members & Record<string, unknown>) => void,
): Promise<Members & Record<string, unknown>> {
  const { task } = plan
  switch (task.kind) {
    case 'source':
      return sourceMembers(ctx, plan, task.source)
    case 'slice':
      return sliceMembers(ctx, task)
    case 'partition': {
      const members = await partitionResult(ctx, plan, task)
      return { status: 'ok', ...members, seen: ctx.prepared.get(task.source)!.rows }
    }
    case 'discover': {
      const { notes, ...members } = await runDiscovery(ctx, plan, task, models, onPartial)
      return { status: 'ok', ...members, notes: notes?.length ? notes : undefined }
    }
    case 'model': {
      const model = models.find((m) => m.plan.name === task.model)!
      const members = await modelResult(ctx, model)
      return { status: 'ok', ...members, seen: members.rows ?? 0 }
    }
    case 'assert': {
      const members = await runAssertion(ctx, plan, task, models)
      return { ...members, seen: members.checked ?? 0 }
    }
    case 'complaint':
      return complaintMembers(ctx, plan, task, models)
    case 'intervene': {
      const members = await runIntervention(ctx, plan, task, models)
      return { status: 'ok', ...members, seen: ctx.prepared.get(task.complaint.source)?.rows ?? 0 }
    }
  }
}

async function sourceMembers(ctx: RunContext, plan: Plan, name: string): Promise<Members & Record<string, unknown>> {
  const prepared = ctx.prepared.get(name)!
  const source = quoted(name)
  const split = prepared.plan.split && quoted('assay split')
  const counts = split
    ? await ctx.tables.query(`select ${split} as split, count(*) as n from ${source} where ${split} is not null group by 1 order by 1`)
    : undefined
  const splits =
    counts &&
    Object.fromEntries(
      Array.from({ length: counts.rows }, (_, i) => [
        String(jsonAt(namedColumn(counts, 'split'), i)),
        numberAt(namedColumn(counts, 'n'), i) ?? 0,
      ]),
    )
  const columns = plan.sources.find((s) => s.name === name)!.columns.map((c) => ({ name: c.name, type: c.type }))
  return { status: 'ok', rows: prepared.rows, splits, columns, seen: prepared.rows }
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

async function sliceMembers(ctx: RunContext, task: Extract<Task, { kind: 'slice' }>): Promise<Members & Record<string, unknown>> {
  const counted = await ctx.tables.query(`select count(*) filter (where ${task.sql}) as n from ${quoted(task.source)}`)
  const rows = numberAt(namedColumn(counted, 'n'), 0) ?? 0
  const all = ctx.prepared.get(task.source)!.rows
  return { status: 'ok', rows, share: all ? rows / all : 0, seen: all }
}

async function complaintMembers(
  ctx: RunContext,
  plan: Plan,
  task: Extract<Task, { kind: 'complaint' }>,
  models: readonly FittedModel[],
): Promise<Members & Record<string, unknown>> {
  const model = models.find((m) => m.plan.name === task.model)!
  const asked = await askModels(ctx, task, models)
  const { predictions } = asked[0]!
  const evaluated = await evaluateComplaint(ctx, task, asked)
  const ranking = await rankSuspects(ctx, { task, model, predictions, evaluated, suspects: task.suspects, seed: plan.seed })
  const { rows, pictures } = ranking.rows.length ? await rankedRows(ctx, model, ranking) : { rows: [], pictures: {} }
  const parts = [{ predictions, weights: evaluated.weights }, ...evaluated.more]
  // Likeness compares with the training rows; the spectrum does not need them.
  const explained =
    model.handed && !ranking.spectrum ? { ranked: rows, pictures: {} } : await explainRanking(ctx, { model, ranking, ranked: rows, parts })
  const explain = model.handed ? undefined : task.explain
  const members = explain && model.trained ? await membership(ctx, model, task.suspects.of) : undefined
  const described = explain && (await explainSuspects(ctx, { plan: explain, model, ranking, members }))
  const strength = await complaintStrength(ctx, { task, model, predictions, evaluated, ranking, seed: plan.seed })
  const together = await groupEffect(ctx, { task, model, models, asked, evaluated, ranking })
  const { expectations } = evaluated
  const first = expectations[0]
  const satisfied = expectations.every((e) => e.satisfied)
  const unknown = expectations.filter((e) => e.satisfied && e.actual === null)
  const unanswered = [
    ...new Set(unknown.map((e) => `The query gives NULL where \`${e.expect}\` is expected: whether it holds is unknown.`)),
  ]
  const handed = handedNote(ctx, model)
  const notes = [
    ...model.notes,
    ...(handed ? [handed] : []),
    ...(model.handed && task.explain
      ? ['The suspects are not described: `explain by slices` reads the training rows, which are not here.']
      : []),
    ...unanswered,
    ...evaluated.notes,
    ...ranking.notes,
    ...(ranking.finding ? [ranking.finding] : []),
    ...(described?.notes ?? []),
  ]
  return {
    status: satisfied ? 'ok' : 'violated',
    query: task.queryText,
    expectations,
    actual: first?.actual,
    relaxed: first?.relaxed,
    expected: first?.expected,
    satisfied,
    method: ranking.method,
    eigenvalues: ranking.eigenvalues,
    ranking: explained.ranked,
    indexMs: ranking.indexMs,
    rankMs: ranking.rankMs,
    explanation: described?.explanation ?? [],
    coordinates: ranking.coordinates,
    strength,
    together,
    notes: notes.length ? notes : undefined,
    seen: predictions.rows,
    pictures: { ...pictures, ...explained.pictures },
  }
}

/** Trains the model if need be, and stores its debugging index. */
export async function runIndex(ctx: RunContext, plan: Plan, file: IndexFiles | undefined): Promise<Outcome> {
  const started = performance.now()
  try {
    await prepare(ctx, plan)
    if (file?.import !== undefined) await importIndex(ctx, plan.models[0]!, file.import)
    const model = await fitModel(ctx, plan.models[0]!)
    if (!model.trained)
      throw new DataProblem(
        'no-parameters',
        `\`${plan.name}\` ${model.reading ? 'was trained elsewhere' : 'brings its predictions along'}: it has no parameters here, so there is nothing to index.`,
      )
    const index = await debuggingIndex(ctx, model, autoPairs(model))
    if (file?.export !== undefined) await exportIndex(ctx, model, { file: file.export, rows: file.rows ?? 'keys' })
    const ranked = file?.rank === undefined ? undefined : await rankResultFile(ctx, model, index, file.rank)
    const note = handedNote(ctx, model) ?? (index.apart && apartNote(index))
    const provenance: Provenance = {
      dataHash: dataHash(ctx, plan),
      planHash: plan.hash,
      seed: plan.seed,
      rows: index.n,
      elapsedMs: Math.round(performance.now() - started),
    }
    return {
      result: {
        kind: 'index',
        name: plan.name,
        status: 'ok',
        provenance,
        model: plan.name,
        k: index.k,
        bytes: index.bytes,
        file: model.handed?.file ?? index.path,
        ranked,
        notes: note ? [note] : undefined,
      },
      pictures: {},
    }
  } catch (reason) {
    if (reason instanceof Cancelled || reason instanceof Interrupted || ctx.token.cancelled) throw new Cancelled()
    const provenance: Provenance = {
      dataHash: '',
      planHash: plan.hash,
      seed: plan.seed,
      rows: 0,
      elapsedMs: Math.round(performance.now() - started),
    }
    const outcome = failureOf(plan, reason, provenance)
    return { ...outcome, result: { ...outcome.result, kind: 'index' } as Result }
  }
}

function dataHash(ctx: RunContext, plan: Plan): string {
  const files = plan.models.map((model) => knownOnnxHash(ctx, model)).filter((hash) => hash !== undefined)
  const hashes = [...plan.sources.map((s) => ctx.prepared.get(s.name)?.hash ?? ''), ...files]
  return hashes.length === 1 ? hashes[0]! : digest(...hashes)
}

function skipped(plan: Plan, missing: string): Outcome {
  const provenance: Provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs: 0 }
  const message = `\`${plan.name}\` needs \`${missing}\`, which could not be made.`
  return { result: { kind: plan.kind, name: plan.name, status: 'skipped', provenance, message } as Result, pictures: {} }
}

/** Results are kept by plan and data for whoever asks later; a folder that cannot be written costs only that. */
function store(ctx: RunContext, plan: Plan, outcome: Outcome): void {
  const { dataHash } = outcome.result.provenance
  const text = Buffer.from(JSON.stringify(outcome))
  try {
    writeAtomically(`${ctx.cache.folder}/tmp`, `${ctx.cache.folder}/results/${plan.hash}-${dataHash}.json`, [text])
  } catch {
    // Not kept, as said above.
  }
}
