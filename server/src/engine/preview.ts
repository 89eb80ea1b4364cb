import { contentHash } from '../data/keys.ts'
import { type Columns, DataProblem, Interrupted } from '../data/tables.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Plan, SourcePlan } from '../plan/plan.ts'
import type { Json, Key, Preview, Provenance, Result } from '../protocol/results.ts'
import type { Picture } from '../protocol/views.ts'
import { printExpr } from '../sql/print.ts'
import { KEY, ROW } from '../sql/tree.ts'
import { runAnswer } from './answer.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'
import type { Outcome, PreviewRequest } from './events.ts'
import { failureOf } from './failure.ts'
import { keyAt } from './keys.ts'
import { lookAt } from './look.ts'
import { pictureOf } from './pictures.ts'

/**
 * The first rows of a source or slice. Only they are read and keyed: the limit reaches the file, so 50 million rows of Parquet take no longer than a
 * thousand (a CSV file is read as far as the rows go). A content key is exact although only these rows are hashed: rows equal to one of them are all in
 * scope or all out of it, so the earlier ones are here too. Then all are counted, for `COUNTING_MS` at most. O(rows shown) and one count.
 */
const COUNTING_MS = 10_000
const LONGEST = 1000
const PICTURES = 1000

export async function runPreview(ctx: RunContext, plan: Plan, request: PreviewRequest): Promise<Outcome> {
  if (request.answer) return runAnswer(ctx, plan, { answer: request.answer, limit: request.limit })
  const started = performance.now()
  const provenance = (rows: number): Provenance => ({
    dataHash: '',
    planHash: plan.hash,
    seed: plan.seed,
    rows,
    elapsedMs: Math.round(performance.now() - started),
  })
  try {
    await ctx.breathe()
    const { task } = plan
    if (task.kind !== 'source' && task.kind !== 'slice')
      throw new DataProblem('no-preview', `There are no rows to preview of \`${plan.name}\`.`)
    await lookAt(ctx, plan)
    const source = plan.sources.find((one) => one.name === task.source)!
    const where = task.kind === 'slice' ? ` where ${task.sql}` : ''
    ctx.step('reading the first rows', 0, 0)
    const rows = await ctx.tables.query(rowsQuery(ctx, source, where, request.limit))
    await ctx.breathe()
    const total = rows.rows < request.limit ? rows.rows : await counted(ctx, source, where)
    const { preview, pictures } = read(source, rows, total)
    const members = { status: 'ok', rows: total, preview, columns: task.kind === 'source' ? preview.columns : undefined }
    return { result: { kind: plan.kind, name: plan.name, provenance: provenance(rows.rows), ...members } as Result, pictures }
  } catch (reason) {
    if (reason instanceof Cancelled || reason instanceof Interrupted || ctx.token.cancelled) throw new Cancelled()
    return failureOf(plan, reason, provenance(0))
  }
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

function rowsQuery(ctx: RunContext, source: SourcePlan, where: string, limit: number): string {
  const first = `(select * from ${quoted(source.name)}${where} limit ${Math.max(0, Math.floor(limit))})`
  const shown = source.columns.map(({ name, type }) => (isText(type) ? `${shortened(name)} as ${quoted(name)}` : quoted(name)))
  return `select ${[...shown, ...keyItems(ctx, source)].join(', ')} from ${first} order by ${quoted(ROW)}`
}

const isText = (type: string) => type === 'text' || type === 'list' || type === 'struct'

/** The whole of a long cell is never brought over: 10 MB of it say no more than its first thousand letters. */
function shortened(name: string): string {
  const text = `cast(${quoted(name)} as varchar)`
  return `case when length(${text}) > ${LONGEST} then left(${text}, ${LONGEST}) || '… (' || length(${text}) || ' characters)' else ${text} end`
}

/** The row's own columns for its key, whole, and its position. */
function keyItems(ctx: RunContext, source: SourcePlan): string[] {
  const items = [quoted(ROW)]
  if (source.key.length > 0) return [...items, ...source.key.map((name, i) => `${quoted(name)} as ${quoted(`assay key ${i}`)}`)]
  const made = ctx.prepared.get(source.name)?.keyed
  return [...items, `${made ? quoted(KEY) : printExpr(contentHash(source.columns))} as ${quoted('assay key 0')}`]
}

async function counted(ctx: RunContext, source: SourcePlan, where: string): Promise<number | undefined> {
  ctx.step('counting', 0, 0)
  let late = false
  const timer = setTimeout(() => {
    late = true
    ctx.tables.interrupt()
  }, COUNTING_MS)
  try {
    const answer = await ctx.tables.query(`select count(*) as n from ${quoted(source.name)}${where}`)
    return numberAt(namedColumn(answer, 'n'), 0) ?? undefined
  } catch (reason) {
    if (reason instanceof Interrupted && late && !ctx.token.cancelled) return undefined
    throw reason
  } finally {
    clearTimeout(timer)
  }
}

function read(source: SourcePlan, rows: Columns, total: number | undefined): { preview: Preview; pictures: Record<string, Picture> } {
  const keys = keysOf(source, rows)
  const pictures: Record<string, Picture> = {}
  const image = source.columns.find((column) => column.type === 'image')
  if (image) {
    for (let i = 0; i < Math.min(rows.rows, PICTURES); i++) {
      const picture = pictureOf(rows, image.name, i, keys[i]!)
      if (picture) pictures[JSON.stringify(keys[i])] = picture
    }
  }
  const data = source.columns.map(({ name }) => namedColumn(rows, name))
  const columns = source.columns.map(({ name, type }) => ({ name, type }))
  const shown = keys.map((key, i) => ({ key, values: data.map((one): Json => jsonAt(one, i)) }))
  return { preview: { columns, rows: shown, total }, pictures }
}

function keysOf(source: SourcePlan, rows: Columns): Key[] {
  const names = (source.key.length > 0 ? source.key : ['']).map((_, i) => `assay key ${i}`)
  const keys = Array.from({ length: rows.rows }, (_, i) => keyAt(rows, names, i))
  if (source.key.length > 0) return keys
  const seen = new Map<Key, number>()
  return keys.map((key) => {
    // A key that was made for a run has its ordinal already, and no equal.
    const earlier = seen.get(key) ?? 0
    seen.set(key, earlier + 1)
    return earlier === 0 ? key : `${String(key)}.${earlier}`
  })
}
