import { type Encoding, encode, fitEncoding } from '../data/encode.ts'
import { encodeLabels, fitLabels, type LabelEncoding } from '../data/labels.ts'
import { type Columns, DataProblem } from '../data/tables.ts'
import type { Architecture, Examples, Fitted, Session } from '../learn/session.ts'
import type { ModelPlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { ROW, SPLIT } from '../sql/tree.ts'
import { namedColumn, numbersOf } from './columns.ts'
import { digest, type RunContext } from './context.ts'
import { type Handed, handedModel, requireRows } from './handed-model.ts'
import { inputColumns, inputItems, queryInputs, withoutInput } from './inputs.ts'
import { rowOrder } from './keys.ts'
import { type OnnxReading, onnxFacts } from './onnx-answers.ts'
import { onnxHash } from './onnx-model.ts'
import { scoreNotes } from './predictions.ts'
import { onBackend, release, rowsOf } from './training-rows.ts'

/**
 * Models of a run: training rows in key order, their encoding, the parameters (from the cache where plan, data and backend are the same), and
 * a session on the backend while it is needed. A model whose predictions are brought along (`column`) has no parameters and no session.
 */
export interface FittedModel {
  readonly plan: ModelPlan
  /** Of everything the parameters depend on. */
  readonly hash: string
  /** Classes in ascending order; absent for regression. */
  readonly labels?: Labels
  readonly trained?: Trained
  /** Of a model in ONNX form: what its outputs mean. */
  readonly reading?: OnnxReading
  /** Where its training rows are not here and an imported index stands for them; `trained.rows` are then numbers in that index. */
  readonly handed?: Handed
  readonly notes: readonly string[]
}
export interface Trained {
  readonly encoding: Encoding
  readonly architecture: Architecture
  readonly fitted: Omit<Fitted, 'theta'>
  readonly theta: Float64Array
  /** Position (`assay row`) of each training row in its source, in training order. */
  readonly rows: Float64Array
  /** Targets in training order: class indices or values. */
  readonly y: Int32Array | Float32Array
}

export type Labels = LabelEncoding & { readonly kind: 'classes' }

/** Training rows as they enter the model. */
export interface TrainingSet extends Required<Examples> {
  readonly positions: Float64Array
}

export async function fitModel(ctx: RunContext, plan: ModelPlan): Promise<FittedModel> {
  const identity = modelIdentity(ctx, plan)
  const known = ctx.models.get(identity)
  if (known) return known
  const { kind } = plan.model
  const model =
    kind === 'column'
      ? await broughtModel(ctx, plan, identity)
      : kind === 'onnx'
        ? { plan, hash: identity, ...(await onnxFacts(ctx, plan)) }
        : await trainedModel(ctx, plan, identity)
  ctx.models.set(identity, model)
  return model
}

/** Of the declaration and the data, whatever computes. */
export const modelIdentity = (ctx: RunContext, plan: ModelPlan): string =>
  digest(JSON.stringify(declared(plan)), ctx.prepared.get(plan.source)!.hash, onnxHash(ctx, plan) ?? '')

/** The declaration alone, as text: what a model is apart from its data. */
export const declarationText = (ctx: RunContext, plan: ModelPlan): string => JSON.stringify([declared(plan), onnxHash(ctx, plan) ?? ''])

/** What the parameters depend on: neither names nor, of a file, where it lies. */
function declared(plan: ModelPlan): unknown {
  const { model } = plan
  const onnx = model.kind === 'onnx' ? { ...model, path: undefined } : model
  const kind =
    onnx.kind === 'head' && onnx.embedding.kind === 'onnx' ? { ...onnx, embedding: { ...onnx.embedding, path: undefined } } : onnx
  return { ...plan, model: kind, slices: undefined, name: undefined }
}

export const modelHash = (identity: string, backend: string): string => digest(identity, backend)

interface ModelMeta {
  readonly encoding: Encoding
  readonly labels?: Labels
  readonly architecture: Architecture
  readonly fitted: Omit<Fitted, 'theta'>
  readonly notes: readonly string[]
}

async function trainedModel(ctx: RunContext, plan: ModelPlan, identity: string): Promise<FittedModel> {
  const handed = await handedModel(ctx, plan, declarationText(ctx, plan))
  if (handed) return handed
  const backend = await ctx.backend()
  const hash = modelHash(identity, backend.name)
  const stored = ctx.cache.read<ModelMeta>('models', hash)
  if (stored) {
    const { theta, rows, y } = stored.arrays as { theta: Float64Array; rows: Float64Array; y: Int32Array | Float32Array }
    const { encoding, architecture, fitted, labels, notes } = stored.meta
    return { plan, hash, labels, trained: { encoding, architecture, fitted, theta, rows, y }, notes }
  }
  ctx.step('reading training rows', 0, 0)
  const columns = await queryInputs(ctx, plan, { sql: trainingQuery(ctx, plan), source: plan.source })
  await ctx.breathe()
  const { rows: kept, notes } = labelled(columns, plan)
  const target = fitLabels(plan.target.name, namedColumn(columns, plan.target.name), plan.task, kept)
  const labels = target.kind === 'classes' ? target : undefined
  const encoding = fitEncoding(inputColumns(plan, columns), kept)
  const set = trainingSet(columns, kept, encoding, target)
  await ctx.breathe()
  const architecture: Architecture = {
    task: plan.task,
    inputs: encoding.width,
    hidden: plan.model.kind === 'mlp' ? plan.model.hidden : [],
    activation: 'relu',
    outputs: labels ? labels.values.length : 1,
    l2: 'l2' in plan.model ? plan.model.l2 : 0,
  }
  const { session } = await onBackend(ctx, hash, architecture, async () => set)
  const { theta, ...fitted } = await fitOn(ctx, plan, session, await validationSet(ctx, plan, encoding, labels))
  const unconverged = fitted.converged || architecture.hidden.length > 0 ? [] : [notConverged(plan, fitted)]
  const more = [...notes, ...encoding.notes, ...unconverged]
  const meta: ModelMeta = { encoding, labels, architecture, fitted, notes: more }
  ctx.cache.write('models', hash, meta, { theta, rows: set.positions, y: set.y })
  return { plan, hash, labels, trained: { encoding, architecture, fitted, theta, rows: set.positions, y: set.y }, notes: more }
}

const notConverged = (plan: ModelPlan, fitted: Omit<Fitted, 'theta'>) =>
  `${plan.name} stopped after ${fitted.epochs} iterations with a gradient norm of ${fitted.gradientNorm.toExponential(1)}: influences assume an optimum, so give it more epochs.`

/** On other rows than the model's own. */
export async function train(
  ctx: RunContext,
  plan: ModelPlan,
  architecture: Architecture,
  set: TrainingSet,
  validation: Examples | undefined,
  from?: Float64Array,
): Promise<Fitted> {
  release(ctx.training)
  const session = await (await ctx.backend()).open(architecture, set)
  try {
    return await fitOn(ctx, plan, session, validation, from)
  } finally {
    session.dispose()
  }
}

function fitOn(ctx: RunContext, plan: ModelPlan, session: Session, validation: Examples | undefined, from?: Float64Array): Promise<Fitted> {
  const options = plan.train
  return session.train(
    {
      epochs: options?.epochs ?? 50,
      batch: options?.batch ?? 512,
      seed: options?.seed ?? 7,
      patience: options?.patience,
      validation,
      from,
    },
    ctx.breathe,
    (stage, done, of) => ctx.step(stage, done, of),
  )
}

/** The rows by which the model's training is stopped, where it has patience. */
export const validationOf = (ctx: RunContext, { plan, trained, labels }: FittedModel): Promise<Examples | undefined> =>
  validationSet(ctx, plan, trained!.encoding, labels)

async function validationSet(
  ctx: RunContext,
  plan: ModelPlan,
  encoding: Encoding,
  labels: Labels | undefined,
): Promise<Examples | undefined> {
  if (plan.train?.patience === undefined || plan.validate === undefined) return undefined
  const columns = await queryInputs(ctx, plan, { sql: rowsQuery(ctx, plan, plan.validate), source: plan.source, encoding })
  return trainingSet(columns, labelled(columns, plan).rows, encoding, labels ?? numberTarget(plan))
}

/** The training rows again, encoded as they were when the model was fitted. */
export const loadTrainingSet = (ctx: RunContext, model: FittedModel): Promise<TrainingSet> =>
  rowsOf(ctx, model.hash, () => readTrainingSet(ctx, model))

async function readTrainingSet(ctx: RunContext, model: FittedModel): Promise<TrainingSet> {
  const { encoding } = model.trained!
  requireRows(model, 'This')
  const columns = await queryInputs(ctx, model.plan, { sql: trainingQuery(ctx, model.plan), source: model.plan.source, encoding })
  await ctx.breathe()
  return trainingSet(columns, labelled(columns, model.plan).rows, encoding, model.labels ?? numberTarget(model.plan))
}

/** A session over the training rows; it belongs to the run. */
export async function withTraining<T>(
  ctx: RunContext,
  model: FittedModel,
  use: (session: Session, set: TrainingSet) => Promise<T>,
): Promise<T> {
  const { session, set } = await onBackend(ctx, model.hash, model.trained!.architecture, () => readTrainingSet(ctx, model))
  return use(session, set)
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

function trainingQuery(ctx: RunContext, plan: ModelPlan): string {
  return rowsQuery(ctx, plan, plan.train?.split)
}

function rowsQuery(ctx: RunContext, plan: ModelPlan, split: string | undefined): string {
  const source = ctx.prepared.get(plan.source)!
  const columns = [...new Set([quoted(ROW), ...inputItems(plan), quoted(plan.target.name)])]
  const where = split === undefined ? '' : ` where ${quoted(SPLIT)} = ${printExpr({ kind: 'literal', value: split })}`
  return `select ${columns.join(', ')} from ${quoted(plan.source)}${where} order by ${rowOrder(source.plan)}`
}

/** Rows that have a label, and an embedding where one is needed; the others are left out, and a note says how many. */
function labelled(columns: Columns, plan: ModelPlan): { rows: Int32Array; notes: string[] } {
  const target = namedColumn(columns, plan.target.name)
  if (columns.rows === 0) {
    throw new DataProblem(
      'no-training-rows',
      `\`${plan.source}\` has no rows${plan.train ? ` in the split \`${plan.train.split}\`` : ''}, so \`${plan.name}\` cannot be trained. Check the split’s condition or share.`,
    )
  }
  const all = Int32Array.from({ length: columns.rows }, (_, i) => i)
  const named = all.filter((i) => target.valid?.[i] !== 0 && !(target.kind === 'number' && Number.isNaN(target.values[i]!)))
  if (named.length === 0) {
    throw new DataProblem(
      'no-labels',
      `Every row of \`${plan.source}\` that \`${plan.name}\` would learn from has NULL in \`${plan.target.name}\`. Name another target or source.`,
    )
  }
  const input = withoutInput(plan, columns)
  const rows = input ? named.filter((i) => input[i] !== 0) : named
  if (rows.length === 0) {
    throw new DataProblem(
      'no-embeddings',
      `No row of \`${plan.source}\` that \`${plan.name}\` would learn from has an embedding. Name another column or source.`,
    )
  }
  const without = (count: number, what: string) => (count === 0 ? [] : [`${count} rows without ${what} were left out of training.`])
  return {
    rows,
    notes: [...without(columns.rows - named.length, `a \`${plan.target.name}\``), ...without(named.length - rows.length, 'an embedding')],
  }
}

const numberTarget = (plan: ModelPlan): LabelEncoding => ({ kind: 'number', name: plan.target.name })

function trainingSet(columns: Columns, rows: Int32Array, encoding: Encoding, target: LabelEncoding): TrainingSet {
  const { values } = encode(encoding, columns.columns, rows)
  const y = encodeLabels(target, namedColumn(columns, target.name), rows).values
  const positions = numbersOf(columns, ROW)
  return { rows: rows.length, x: values, y, positions: Float64Array.from(rows, (row) => positions[row]!) }
}

/** A `column` model: its classes are the label's distinct values, ascending, or the ones named with its scores. */
async function broughtModel(ctx: RunContext, plan: ModelPlan, hash: string): Promise<FittedModel> {
  if (plan.task === 'regression' || plan.model.kind !== 'column') return { plan, hash, notes: [] }
  const { column, labels } = plan.model
  const target = quoted(plan.target.name)
  const literals = (labels ?? []).map((value) => printExpr({ kind: 'literal', value })).join(', ')
  const values = await ctx.tables.query(
    labels
      ? `select unnest([${literals}]) as ${target}`
      : `select distinct ${target} from ${quoted(plan.source)} where ${target} is not null union select distinct ${quoted(column)} from ${quoted(plan.source)} where ${quoted(column)} is not null`,
  )
  const classes = fitLabels(plan.target.name, namedColumn(values, plan.target.name), 'classification')
  return { plan, hash, labels: classes as Labels, notes: await scoreNotes(ctx, plan) }
}
