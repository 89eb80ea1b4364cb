import type { Columns } from '../data/tables.ts'
import { Interrupted } from '../data/tables.ts'
import { engines } from '../learn/backends/ladder.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { AnswerPlan } from '../plan/answer.ts'
import type { ModelPlan, Plan } from '../plan/plan.ts'
import { groupColumn } from '../plan/provenance/lineage.ts'
import type { Answer, Json, Key, Provenance, Result } from '../protocol/results.ts'
import type { Picture } from '../protocol/views.ts'
import { printExpr } from '../sql/print.ts'
import { columnTypeOf } from '../sql/types.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'
import type { Outcome } from './events.ts'
import { failureOf } from './failure.ts'
import { type FittedModel, fitModel, modelHash, modelIdentity, type Trained } from './models.ts'
import { pictureOf } from './pictures.ts'
import { predict, registerPredictions } from './predictions.ts'
import { prepare } from './prepare.ts'

/**
 * The rows of a query over what models predict, before anything is expected of them. It trains nothing: models are those that an earlier run has stored for
 * this very declaration and data, on whatever backend; where one is missing, that is the answer. O(a pass of prediction over the tables asked about, and the query).
 */
export interface AnswerRequest {
  readonly answer: AnswerPlan
  /** At most this many rows. */
  readonly limit: number
}

const COUNTING_MS = 10_000
const LONGEST = 1000
const PICTURES = 1000

export async function runAnswer(ctx: RunContext, plan: Plan, { answer, limit }: AnswerRequest): Promise<Outcome> {
  const started = performance.now()
  const provenance = (rows: number): Provenance => ({
    dataHash: '',
    planHash: plan.hash,
    seed: plan.seed,
    rows,
    elapsedMs: Math.round(performance.now() - started),
  })
  const outcome = (members: object, rows: number, pictures: Record<string, Picture> = {}): Outcome => ({
    result: { kind: 'complaint', name: plan.name, provenance: provenance(rows), query: answer.queryText, ...members } as Result,
    pictures,
  })
  try {
    await ctx.breathe()
    await prepare(ctx, plan)
    const models: FittedModel[] = []
    const untrained: string[] = []
    for (const model of plan.models.filter((one) => answer.predictions.some((asked) => asked.model === one.name))) {
      const found = await withoutTraining(ctx, model)
      if (found) models.push(found)
      else untrained.push(model.name)
    }
    if (untrained.length > 0) {
      const { shape, using } = answer
      return outcome(
        { status: 'skipped', message: untrainedText(untrained), preview: { columns: [], rows: [], shape, using, untrained } },
        0,
      )
    }
    let seen = 0
    for (const { model: name, source, scores } of answer.predictions) {
      const model = models.find((one) => one.plan.name === name)!
      const predictions = await predict(ctx, model, source)
      seen += predictions.rows
      await registerPredictions(ctx, model, predictions, scores)
    }
    ctx.step('answering the query', 0, 0)
    const { rows, types } = await firstRows(ctx, answer, Math.max(1, Math.floor(limit)))
    await ctx.breathe()
    const total = rows.rows < limit ? rows.rows : await counted(ctx, answer)
    const { preview, pictures } = read(answer, rows, types, total)
    return outcome({ status: 'ok', preview }, seen, pictures)
  } catch (reason) {
    if (reason instanceof Cancelled || reason instanceof Interrupted || ctx.token.cancelled) throw new Cancelled()
    return failureOf(plan, reason, provenance(0))
  }
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

function untrainedText(names: readonly string[]): string {
  const listed = names.map((name) => `\`${name}\``).join(', ')
  const [have, it] = names.length === 1 ? ['has', 'it'] : ['have', 'them']
  return `${listed} ${have} not been trained on this data, and a preview trains nothing. Train ${it} first.`
}

type Kept = Pick<FittedModel, 'labels' | 'notes'> & Pick<Trained, 'encoding' | 'architecture' | 'fitted'>

/** A model that was trained elsewhere is asked as ever; of one that is trained here, what is stored: by the fastest backend that has. */
async function withoutTraining(ctx: RunContext, plan: ModelPlan): Promise<FittedModel | undefined> {
  if (plan.model.kind === 'column' || plan.model.kind === 'onnx') return fitModel(ctx, plan)
  const identity = modelIdentity(ctx, plan)
  for (const backend of engines) {
    const hash = modelHash(identity, backend)
    const stored = ctx.cache.read<Kept>('models', hash)
    if (stored === undefined) continue
    const { encoding, architecture, fitted, labels, notes } = stored.meta
    const { theta, rows, y } = stored.arrays as Pick<Trained, 'theta' | 'rows' | 'y'>
    return { plan, hash, labels, notes, trained: { encoding, architecture, fitted, theta, rows, y } }
  }
  return undefined
}

interface FirstRows {
  readonly rows: Columns
  /** Of the answer's columns, as the language calls them. */
  readonly types: readonly string[]
}

/** In the order of their keys. Only what is shown of a long cell is brought over. */
async function firstRows(ctx: RunContext, { sql, keys, columns }: AnswerPlan, limit: number): Promise<FirstRows> {
  const described = await ctx.tables.query(`select column_name, column_type from (describe ${sql})`)
  const names = namedColumn(described, 'column_name')
  const typed = new Map(
    Array.from({ length: described.rows }, (_, i) => [String(jsonAt(names, i)), String(jsonAt(namedColumn(described, 'column_type'), i))]),
  )
  const types = columns.map(({ name }) => columnTypeOf(typed.get(name) ?? ''))
  const order = Array.from({ length: keys }, (_, i) => quoted(groupColumn(i)))
  const shown = columns.map(({ name }, i) =>
    ['text', 'list', 'struct'].includes(types[i]!) ? `${shortened(name)} as ${quoted(name)}` : quoted(name),
  )
  const by = order.length > 0 ? ` order by ${order.map((one) => `${one} nulls first`).join(', ')}` : ''
  const rows = await ctx.tables.query(`select ${[...order, ...shown].join(', ')} from (${sql})${by} limit ${limit}`)
  return { rows, types }
}

function shortened(name: string): string {
  const text = `cast(${quoted(name)} as varchar)`
  return `case when length(${text}) > ${LONGEST} then left(${text}, ${LONGEST}) || '… (' || length(${text}) || ' characters)' else ${text} end`
}

async function counted(ctx: RunContext, { sql }: AnswerPlan): Promise<number | undefined> {
  ctx.step('counting', 0, 0)
  let late = false
  const timer = setTimeout(() => {
    late = true
    ctx.tables.interrupt()
  }, COUNTING_MS)
  try {
    return numberAt(namedColumn(await ctx.tables.query(`select count(*) as n from (${sql})`), 'n'), 0) ?? undefined
  } catch (reason) {
    if (reason instanceof Interrupted && late && !ctx.token.cancelled) return undefined
    throw reason
  } finally {
    clearTimeout(timer)
  }
}

function read(
  { columns, keys, shape, unnamed, using }: AnswerPlan,
  rows: Columns,
  types: readonly string[],
  total: number | undefined,
): { preview: Answer; pictures: Record<string, Picture> } {
  const groups = Array.from({ length: keys }, (_, i) => namedColumn(rows, groupColumn(i)))
  const keyOf = (row: number): Key => {
    const parts = groups.map((data) => scalar(jsonAt(data, row)))
    return parts.length === 1 && parts[0] !== null ? parts[0]! : parts
  }
  const data = columns.map(({ name }) => namedColumn(rows, name))
  const pictures: Record<string, Picture> = {}
  const shownAs = columns.map((one, c) => ({ ...one, type: types[c]! }))
  const image = columns.findIndex(
    (_, c) => data[c]!.kind === 'blob' && rows.rows > 0 && pictureOf(rows, columns[c]!.name, 0, 0) !== undefined,
  )
  if (image >= 0) {
    shownAs[image] = { ...shownAs[image]!, type: 'image' }
    for (let row = 0; row < Math.min(rows.rows, PICTURES); row++) {
      const picture = pictureOf(rows, columns[image]!.name, row, keyOf(row))
      if (picture) pictures[JSON.stringify(keyOf(row))] = picture
    }
  }
  const shown = Array.from({ length: rows.rows }, (_, row) => ({ key: keyOf(row), values: data.map((one): Json => jsonAt(one, row)) }))
  return { preview: { columns: shownAs, rows: shown, total, shape, unnamed, using }, pictures }
}

const scalar = (value: Json) => (typeof value === 'object' ? (value === null ? null : JSON.stringify(value)) : value)
