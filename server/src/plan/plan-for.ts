import { createHash } from 'node:crypto'
import { basename, dirname, relative } from 'node:path'
import type { DeclarationSpec, Spec, SuspectsSpec } from '../check/spec.ts'
import type { Json, PlannedStep, Result } from '../protocol/results.ts'
import { printExpr } from '../sql/print.ts'
import type { Reading } from '../sql/tree.ts'
import { assertTask } from './assertion.ts'
import { complaintTask } from './complaint.ts'
import { discoverTask } from './discovery.ts'
import { explanationPlan } from './explanation.ts'
import { dataPlace, same, sourceNamed, toSql } from './expression.ts'
import { interveneTask } from './intervention.ts'
import { Later } from './later.ts'
import { partitionPlans, partitionTask } from './partition.ts'
import type { FixPlan, InterveneTask, ModelPlan, Plan, Task } from './plan.ts'
import { modelNamed, modelPlan, sourcePlans } from './tables.ts'

/**
 * From a valid spec to what a run will do: one file per kind of declaration beside this one, each a pure function to a task with its SQL
 * printed. Here: which declarations run and in what order, what each needs, seeds and hashes. Nothing here reads data or a clock.
 */
export interface PlanOptions {
  readonly seed?: number
}

/** `refused`: declarations that this version cannot run, as results with status `skipped` and a sentence. */
export interface Planned {
  readonly plans: readonly Plan[]
  readonly refused: readonly Result[]
}

/**
 * Plans for the declarations named (and, before them, the ones they need), or for all that can be run. Names must exist in `spec`. What is needed only by
 * a declaration that this version cannot run is not planned.
 */
export function planFor(spec: Spec, names: readonly string[] | undefined, options: PlanOptions): Planned {
  const plans: Plan[] = []
  const refused: Result[] = []
  for (const declaration of inOrderOfNeed(spec, names)) {
    try {
      plans.push(planOne(spec, declaration, options))
    } catch (reason) {
      if (!(reason instanceof Later)) throw reason
      refused.push(refusal(declaration, reason.message))
    }
  }
  if (!names || refused.length === 0) return { plans, refused }
  const possible = new Set(
    inOrderOfNeed(
      spec,
      names.filter((name) => !refused.some((r) => same(r.name, name))),
    ).map((d) => d.name),
  )
  return { plans: plans.filter((plan) => possible.has(plan.name)), refused }
}

function refusal(declaration: DeclarationSpec, message: string): Result {
  const provenance = { dataHash: '', planHash: '', seed: 0, rows: 0, elapsedMs: 0 }
  return { kind: declaration.kind, name: declaration.name, status: 'skipped', provenance, message } as Result
}

function inOrderOfNeed(spec: Spec, names: readonly string[] | undefined): DeclarationSpec[] {
  const ordered = new Set<DeclarationSpec>()
  const find = (name: string) => spec.declarations.find((d) => same(d.name, name))
  const visit = (declaration: DeclarationSpec, trail: readonly DeclarationSpec[]) => {
    if (ordered.has(declaration) || trail.includes(declaration)) return
    for (const need of declaration.needs) {
      const needed = find(need)
      if (needed) visit(needed, [...trail, declaration])
    }
    ordered.add(declaration)
  }
  const wanted = names ? names.map(find).filter((d) => d !== undefined) : spec.declarations
  for (const declaration of wanted) visit(declaration, [])
  return [...ordered]
}

function planOne(spec: Spec, declaration: DeclarationSpec, options: PlanOptions): Plan {
  const { task, sources, models } = taskOf(spec, declaration)
  // Only a model's own result speaks of the slices of its source: another slice there is no other plan for what merely asks the model.
  const modelPlans = models.map((name) =>
    modelPlan(spec, name, { seed: options.seed, slices: task.kind === 'model' ? 'named' : 'left out' }),
  )
  const partitions = partitionPlans(spec, [
    declaration.name,
    ...sources,
    ...models,
    ...(task.kind === 'model' ? perSlice(spec, modelPlans) : []),
  ])
  const withModels = [...new Set([...partitions.map((p) => p.source), ...sources, ...modelPlans.map((m) => m.source)])]
  const keyed = keyedSources(spec, task, modelPlans)
  const body = {
    kind: task.kind,
    name: declaration.name,
    path: declaration.path,
    seed: options.seed ?? modelPlans[0]?.train?.seed ?? 7,
    needs: declaration.needs,
    sources: sourcePlans(spec, withModels, keyed),
    models: modelPlans,
    partitions,
    task,
  }
  return { ...body, hash: hashOf(withoutPlace(body) as unknown as Json), steps: stepsOf(body) }
}

/** The same spec over the same data is the same plan wherever its folder lies: paths are taken as from the spec. */
function withoutPlace<B extends Pick<Plan, 'path' | 'sources' | 'models'>>(body: B) {
  const near = (path: string) => relative(dirname(body.path), path).replaceAll('\\', '/')
  const sources = body.sources.map((source) => ({ ...source, reading: source.reading && nearby(source.reading, near) }))
  const models = body.models.map((one) => ({ ...one, model: nearbyModel(one.model, near) }))
  return { ...body, path: basename(body.path), sources, models }
}

function nearbyModel(model: ModelPlan['model'], near: (path: string) => string): ModelPlan['model'] {
  if (model.kind === 'onnx') return { ...model, path: near(model.path) }
  if (model.kind !== 'head' || model.embedding.kind !== 'onnx') return model
  return { ...model, embedding: { ...model.embedding, path: near(model.embedding.path) } }
}

function nearby(reading: Reading, near: (path: string) => string): Reading {
  if (reading.kind === 'file') return { ...reading, path: near(reading.path) }
  return { ...reading, images: near(reading.images), labels: reading.labels && near(reading.labels) }
}

function taskOf(spec: Spec, d: DeclarationSpec): { task: Task; sources: string[]; models: string[] } {
  switch (d.kind) {
    case 'source':
      if (d.unsupported) throw new Later(`\`${d.name}\`: it cannot read ${d.unsupported}`)
      return { task: { kind: 'source', source: d.name }, sources: [d.name], models: [] }
    case 'model':
      refuseLaterModel(spec, d.name)
      return { task: { kind: 'model', model: d.name }, sources: [d.source], models: [d.name] }
    case 'slice': {
      const sql = printExpr(toSql(d.where, dataPlace(spec)))
      return { task: { kind: 'slice', source: sourceNamed(spec, d.source).name, sql }, sources: [d.source], models: [] }
    }
    case 'partition':
      return { task: partitionTask(spec, d), sources: [d.source], models: [] }
    case 'discover': {
      const models = [d.using, d.against].filter((m) => m !== undefined)
      for (const model of models) refuseLaterModel(spec, model)
      const task = discoverTask(spec, d)
      const asked = new Set([...task.predictions, ...task.losses].map((p) => p.model))
      return { task, sources: [d.on.source], models: [...asked] }
    }
    case 'assert': {
      if (d.each.kind === 'later') throw new Later(`\`${d.name}\`: ${d.each.word}`)
      if (d.later) throw new Later(`\`${d.name}\`: ${d.later}`)
      for (const model of d.using) refuseLaterModel(spec, model)
      const task = assertTask(spec, d)
      return { task, sources: [d.on.source], models: task.predictions.map((p) => p.model) }
    }
    case 'complaint': {
      for (const model of d.using) refuseLaterModel(spec, model)
      const task = { ...complaintTask(spec, d), explain: explanationPlan(spec, d) }
      return {
        task,
        sources: [...task.sources, ...suspectSources(task.suspects)],
        models: [...d.using.map((m) => modelNamed(spec, m).name)],
      }
    }
    case 'intervene': {
      for (const model of d.retrain) refuseLaterModel(spec, model)
      const task = interveneTask(spec, d)
      const measured = task.compare.flatMap((m) => (m.kind === 'complaint' ? m.task.sources : m.on ? [m.on.source] : []))
      const blamed = [task.complaint.suspects, ...task.fixes.flatMap(({ target }) => (target.kind === 'suspects' ? [target.suspects] : []))]
      const taken = task.fixes.flatMap((f) => (f.kind === 'replace' ? [f.source] : []))
      const sources = [...task.complaint.sources, ...blamed.flatMap(suspectSources), ...taken, ...measured]
      return { task, sources, models: [...new Set([...modelsAsked(task), ...d.retrain])] }
    }
    default:
      throw new Later(`\`${d.name}\`: \`${d.kind}\` is checked and not yet run`)
  }
}

/** Where suspects stand, and where what may replace them does. */
function suspectSources({ of, treatment }: SuspectsSpec): string[] {
  return treatment.kind === 'replace' ? [of.source, treatment.source] : [of.source]
}

/** Every model that a complaint of an intervention speaks of. */
function modelsAsked({ complaint, compare }: InterveneTask): string[] {
  const tasks = [complaint, ...compare.flatMap((m) => (m.kind === 'complaint' ? [m.task] : []))]
  return tasks.flatMap((task) => [task.model, ...task.predictions.map((p) => p.model)])
}

/** What a model's table of slices names. */
function perSlice(spec: Spec, models: readonly ModelPlan[]): string[] {
  return spec.declarations
    .filter((d) => (d.kind === 'slice' || d.kind === 'partition') && models.some((m) => same(m.source, d.source)))
    .map((d) => d.name)
}

/** Rows are named by key where they are shown, and put in the order of their keys where a model learns from them; nothing else pays for keys. */
function keyedSources(spec: Spec, task: Task, models: readonly ModelPlan[]): (source: string) => boolean {
  const naming = task.kind === 'assert' || task.kind === 'complaint' || task.kind === 'intervene'
  const spoken = [...spec.meanings.values()].some((m) => m.kind === 'pseudo' && m.column === 'key')
  return (source) => naming || spoken || models.some((m) => m.train !== undefined && same(m.source, source))
}

function refuseLaterModel(spec: Spec, name: string): void {
  const model = modelNamed(spec, name)
  if (model.model.kind !== 'later') return
  throw new Later(
    `\`${model.name}\`: models of kind \`${model.model.name}\`. Train it elsewhere and give it in ONNX form, \`onnx('file')\`; for influence, a logistic head on its embeddings, \`head(embedding: …)\``,
  )
}

export function hashOf(value: Json): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16)
}

/** JSON with keys in order, so that equal plans have equal hashes. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

function stepsOf(plan: Pick<Plan, 'sources' | 'models' | 'task'>): PlannedStep[] {
  return [
    ...plan.sources.map((s) => ({ what: `read ${s.name}`, sql: s.select })),
    ...plan.models.map((m) => ({ what: trainingWords(m) })),
    ...taskSteps(plan.task),
  ].map((step: Step) => ({ ...step, rows: step.rows ?? null }))
}

function trainingWords(model: ModelPlan): string {
  if (model.model.kind === 'column') return `take predictions of ${model.name} from column ${model.model.column}`
  if (model.model.kind === 'onnx') return `run ${model.name} (${basename(model.model.path)})`
  return `train ${model.name} (${model.model.kind}) on ${model.source}.${model.train?.split ?? 'all rows'}, seed ${model.train?.seed ?? 7}`
}

function fixedWith(fix: FixPlan): string {
  if (fix.kind === 'denoise') return ` with a median of ${fix.size} × ${fix.size}`
  return fix.kind === 'replace' ? ` with rows of ${fix.source}` : ''
}

type Step = Omit<PlannedStep, 'rows'> & { readonly rows?: number }

function taskSteps(task: Task): Step[] {
  switch (task.kind) {
    case 'assert':
      return [...task.predictions.map((p) => ({ what: `predict ${p.source} with ${p.model}` })), { what: 'judge rows', sql: task.sql }]
    case 'complaint':
      return [
        ...task.predictions.map((p) => ({ what: `predict ${p.source} with ${p.model}` })),
        { what: 'run the query', sql: task.hardSql },
        { what: 'relax the query: sums over what each row might be predicted as', sql: task.relaxedSql },
        ...task.gradients.map((g) => ({ what: `trace the result to the answers of ${g.model} about ${g.source}`, sql: g.sql })),
        { what: `rank ${task.suspects.of.source} rows by ${task.suspects.by} (${task.method.kind})`, rows: task.suspects.top },
        ...(task.explain
          ? [{ what: `describe them by ${task.explain.columns.map((c) => c.column.name).join(', ')}`, sql: task.explain.rowsSql }]
          : []),
      ]
    case 'intervene':
      return [
        ...taskSteps(task.complaint),
        ...task.fixes.map((f) => ({
          what: `${f.kind} ${f.target.kind === 'suspects' ? `the top ${f.target.suspects.top} suspects` : 'the rows named'}${fixedWith(f)}`,
          sql: f.target.kind === 'where' ? f.target.sql : undefined,
          rows: f.target.kind === 'suspects' ? f.target.suspects.top : undefined,
        })),
        { what: `train ${task.retrain.join(', ')} again and compare` },
      ]
    case 'discover':
      return [
        ...[...task.predictions, ...task.losses].map((p) => ({ what: `predict ${p.source} with ${p.model}` })),
        { what: `find rows and errors (${task.error})`, sql: task.rowsSql },
        { what: `bin and code ${task.columns.map((c) => c.column.name).join(', ')}` },
        { what: `search slices of up to ${task.depth} predicates for the top ${task.top}` },
      ]
    case 'slice':
    case 'partition':
      return [{ what: 'count rows', sql: task.sql }]
    default:
      return []
  }
}
