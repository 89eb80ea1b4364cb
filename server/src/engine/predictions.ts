import { encode } from '../data/encode.ts'
import { encodeLabels } from '../data/labels.ts'
import { type ColumnData, DataProblem, type NamedColumn } from '../data/tables.ts'
import type { ModelPlan } from '../plan/plan.ts'
import { predictionTable, scoreColumn } from '../plan/tables.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import { namedColumn, numberAt, numbersOf } from './columns.ts'
import { digest, type RunContext } from './context.ts'
import { inputItems, queryInputs, withoutInput } from './inputs.ts'
import { keyAt, keyColumns } from './keys.ts'
import { argmax, isAnswered } from './metrics.ts'
import type { FittedModel, Labels } from './models.ts'
import { onnxPredictions } from './onnx-answers.ts'

/**
 * A model's answers for every row of a source, by position: probabilities (rows × classes), or values (rows × 1). A row for which a prediction
 * that was brought along is NULL, or none of the classes, has no answer: zeros, or NaN.
 */
export interface Predictions {
  readonly source: string
  readonly rows: number
  readonly width: number
  readonly values: Float32Array
}

/** Why nobody is blamed for what a model says that was not trained here. */
export function noTrainingRows({ plan }: FittedModel): string {
  if (plan.model.kind !== 'onnx') {
    return `\`${plan.name}\` brings its predictions along, so there are no training rows to blame: the complaint is evaluated, nothing is ranked.`
  }
  return `\`${plan.name}\` was trained elsewhere, so there are no training rows to blame: the complaint is evaluated, nothing is ranked. A head on its embeddings has training rows: \`kind head(embedding: onnx('${plan.model.path.split(/[\\/]/).at(-1)}'))\` with \`train on\`.`
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

export async function predict(ctx: RunContext, model: FittedModel, source: string, theta?: Float64Array): Promise<Predictions> {
  ctx.step(`predicting ${source}`, 0, 0)
  if (model.trained) return theta ? computed(ctx, model, source, theta) : known(ctx, model, source)
  const { plan, labels, reading } = model
  return reading ? { source, ...(await onnxPredictions(ctx, plan, { labels, reading }, source)) } : brought(ctx, model, source)
}

/** By the hashes of model and data: from memory, from the disk, or computed; of a source that has only grown, its new rows alone. */
async function known(ctx: RunContext, model: FittedModel, source: string): Promise<Predictions> {
  const { hash, grown } = ctx.prepared.get(source)!
  const keyOf = (data: string) => digest('predictions', model.hash, data)
  const found = held(ctx, keyOf(hash))
  if (found) return { source, ...found }
  const { theta } = model.trained!
  const old = grown && held(ctx, keyOf(grown.hash))
  const made =
    old?.rows === grown?.rows && old
      ? joined(old, await computed(ctx, model, source, theta, old.rows))
      : await computed(ctx, model, source, theta)
  const { rows, width, values } = made
  if (values.byteLength <= MOST_STORED) ctx.cache.write('predictions', keyOf(hash), { rows, width }, { values })
  ctx.resident.keep(keyOf(hash), { rows, width, values }, values.byteLength)
  return { source, rows, width, values }
}

type Answered = Omit<Predictions, 'source'>

function held(ctx: RunContext, key: string): Answered | undefined {
  const resident = ctx.resident.get<Answered>(key)
  if (resident) return resident
  const stored = ctx.cache.read<Omit<Answered, 'values'>>('predictions', key)
  if (!stored) return undefined
  const values = stored.arrays.values as Float32Array
  return ctx.resident.keep(key, { ...stored.meta, values }, values.byteLength)
}

function joined(old: Answered, more: Answered): Answered {
  const values = new Float32Array(old.values.length + more.values.length)
  values.set(old.values)
  values.set(more.values, old.values.length)
  return { rows: old.rows + more.rows, width: old.width, values }
}

const MOST_STORED = 256 * 2 ** 20

async function computed(ctx: RunContext, model: FittedModel, source: string, theta: Float64Array, first = 0): Promise<Predictions> {
  const { encoding, architecture } = model.trained!
  const sql = `select ${inputItems(model.plan).join(', ')} from ${quoted(source)}${sinceRow(first)} order by ${quoted(ROW)}`
  const columns = await queryInputs(ctx, model.plan, { sql, source, encoding })
  await ctx.breathe()
  const { rows } = columns
  const input = withoutInput(model.plan, columns)
  const width = architecture.outputs
  const values = new Float32Array(rows * width)
  const chunk = Math.max(1, Math.floor(CHUNK_FLOATS / Math.max(1, encoding.width)))
  for (let start = 0; start < rows; start += chunk) {
    const part = Int32Array.from({ length: Math.min(chunk, rows - start) }, (_, i) => start + i)
    const { values: x } = encode(encoding, columns.columns, part)
    const session = await (await ctx.backend()).open(architecture, { rows: part.length, x })
    try {
      values.set(await session.predict(theta, ctx.breathe), start * width)
    } finally {
      session.dispose()
    }
    ctx.step(`predicting ${source}`, start + part.length, rows)
  }
  if (input) for (let i = 0; i < rows; i++) if (input[i] === 0) values.fill(0, i * width, (i + 1) * width)
  return { source, rows, width, values }
}

/** Of rows from that position on. */
export const sinceRow = (row: number): string => (row === 0 ? '' : ` where ${quoted(ROW)} >= ${row}`)

/** Encoded inputs are made and dropped in pieces of at most 256 MB. */
const CHUNK_FLOATS = 64e6

async function brought(ctx: RunContext, model: FittedModel, source: string): Promise<Predictions> {
  const { plan, labels } = model
  if (plan.model.kind !== 'column') throw new Error('only a column model is brought along')
  const { column, scores } = plan.model
  const names = [...new Set([column, ...scores])].map(quoted).join(', ')
  const columns = await ctx.tables.query(`select ${names} from ${quoted(source)} order by ${quoted(ROW)}`)
  const rows = columns.rows
  if (!labels) return { source, rows, width: 1, values: Float32Array.from(numbersOf(columns, column)) }
  const width = labels.values.length
  const values = new Float32Array(rows * width)
  if (scores.length > 0) {
    if (scores.length !== width) {
      throw new DataProblem(
        'scores-not-classes',
        `\`${plan.name}\` names ${scores.length} score columns, but \`${plan.target.name}\` has ${width} distinct values (${labels.values.slice(0, 8).join(', ')}). Name one score column for each, as in scores: [cat: a, dog: b].`,
      )
    }
    const names = inClassOrder(scores, plan.model.labels, labels)
    const data = names.map((name) => numbersOf(columns, name))
    await checkScores(ctx, source, names, data)
    for (let i = 0; i < rows; i++) {
      if (data.every((score) => Number.isFinite(score[i]))) for (let c = 0; c < width; c++) values[i * width + c] = data[c]![i]!
    }
    return { source, rows, width, values }
  }
  const given = encodeLabels(labels, namedColumn(columns, column)).values
  for (let i = 0; i < rows; i++) if (given[i]! >= 0) values[i * width + given[i]!] = 1
  return { source, rows, width, values }
}

/** Probabilities, not scores of another kind: between 0 and 1, but for rounding. */
async function checkScores(ctx: RunContext, source: string, names: readonly string[], data: readonly Float64Array[]): Promise<void> {
  for (const [c, scores] of data.entries()) {
    const row = scores.findIndex((score) => score < -SLACK || score > 1 + SLACK)
    if (row < 0) continue
    const prepared = ctx.prepared.get(source)!
    const keys = prepared.keyed ? keyColumns(prepared.plan) : []
    const sql = `select ${keys.map(quoted).join(', ')} from ${quoted(source)} where ${quoted(ROW)} = ${row}`
    const key = keys.length > 0 ? `with key ${JSON.stringify(keyAt(await ctx.tables.query(sql), keys, 0))}` : `${row} (counted from 0)`
    throw new DataProblem(
      'no-probability',
      `\`${names[c]}\` is ${scores[row]} in row ${key} of \`${source}\`, which is no probability. Bring probabilities between 0 and 1; of other scores, take the softmax in a view.`,
    )
  }
}
const SLACK = 1e-3

/** What is odd about the scores of a model's own source, in words. */
export async function scoreNotes(ctx: RunContext, { name, source, model }: ModelPlan): Promise<string[]> {
  if (model.kind !== 'column' || model.scores.length === 0) return []
  const sum = model.scores.map(quoted).join(' + ')
  const counted = await ctx.tables.query(
    `select count(*) filter (where abs(${sum} - 1) > ${SLACK}) as off, max(abs(${sum} - 1)) as most, count(${sum}) as n, count(*) as rows from ${quoted(source)}`,
  )
  const [off, most, n, rows] = ['off', 'most', 'n', 'rows'].map((column) => numberAt(namedColumn(counted, column), 0) ?? 0) as [
    number,
    number,
    number,
    number,
  ]
  const notes: string[] = []
  if (off > 0) {
    notes.push(
      `The scores of \`${name}\` do not sum to 1 in ${off} of ${n} rows (by up to ${most.toPrecision(2)}): they are taken as they are.`,
    )
  }
  if (n < rows) notes.push(`${rows - n} of ${rows} rows have no score in some column: \`${name}\` has no answer for them.`)
  return notes
}

/** Score columns in the order of the classes, whatever the order in which they were named. */
function inClassOrder(scores: readonly string[], named: readonly (string | number | boolean)[] | undefined, labels: Labels) {
  if (!named) return scores
  return labels.values.map((value) => scores[named.findIndex((name) => String(name) === String(value))]!)
}

/** Makes the table that queries join for `predict()` and `score()`. */
export async function registerPredictions(
  ctx: RunContext,
  model: FittedModel,
  predictions: Predictions,
  scores: readonly (string | number | boolean)[],
): Promise<void> {
  const { rows, width, values } = predictions
  const classes = model.labels?.values
  const valid = answered(predictions)
  const prediction: ColumnData = classes
    ? labelColumn(likeliest(predictions), classes, valid)
    : { kind: 'number', values: Float64Array.from(values), integer: false, valid }
  const columns: NamedColumn[] = [
    { name: ROW, data: { kind: 'number', values: positions(rows), integer: true } },
    { name: 'prediction', data: prediction },
  ]
  for (const score of scores) {
    const c = classes?.findIndex((value) => String(value) === String(score)) ?? -1
    if (c < 0) {
      throw new DataProblem(
        'unknown-class',
        `\`${model.plan.name}\` knows no class ${String(score)}. Its classes are ${(classes ?? []).slice(0, 20).join(', ')}.`,
      )
    }
    columns.push({ name: scoreColumn(score), data: { kind: 'number', values: every(values, c, width), integer: false } })
  }
  await ctx.tables.create(predictionTable({ model: model.plan.name, source: predictions.source }), { rows, columns })
}

function likeliest({ rows, width, values }: Predictions): Int32Array {
  const out = new Int32Array(rows)
  for (let i = 0; i < rows; i++) out[i] = argmax(values, i, width)
  return out
}

function positions(rows: number): Float64Array {
  const out = new Float64Array(rows)
  for (let i = 0; i < rows; i++) out[i] = i
  return out
}

function every(values: Float32Array, from: number, step: number): Float64Array {
  const out = new Float64Array(Math.ceil((values.length - from) / step))
  for (let i = 0, at = from; at < values.length; i++, at += step) out[i] = values[at]!
  return out
}

/** 0 where a row has no prediction; `undefined` where every row has one. */
function answered({ rows, width, values }: Predictions): Uint8Array | undefined {
  let valid: Uint8Array | undefined
  for (let i = 0; i < rows; i++) {
    if (isAnswered(values, i, width)) continue
    valid ??= new Uint8Array(rows).fill(1)
    valid[i] = 0
  }
  return valid
}

/** Class indices as the labels that they stand for. */
export function labelColumn(classes: Int32Array, values: readonly (string | number | boolean)[], valid?: Uint8Array): ColumnData {
  if (values.every((v) => typeof v === 'number')) {
    const numbers = values as readonly number[]
    const given = new Float64Array(classes.length)
    for (let i = 0; i < given.length; i++) given[i] = numbers[classes[i]!] ?? Number.NaN
    return { kind: 'number', values: given, integer: numbers.every(Number.isInteger), valid }
  }
  if (values.every((v) => typeof v === 'boolean')) {
    return { kind: 'boolean', values: Uint8Array.from(classes, (c) => (values[c] ? 1 : 0)), valid }
  }
  return { kind: 'text', codes: valid ? classes.map((c, i) => (valid[i] === 0 ? -1 : c)) : classes, dictionary: values.map(String), valid }
}
