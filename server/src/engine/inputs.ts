import { vectorAt } from '../data/embeddings.ts'
import type { Encoding, InputColumn } from '../data/encode.ts'
import { type Columns, DataProblem, type NamedColumn, type QueryOptions } from '../data/tables.ts'
import type { ModelPlan, SourcePlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { type Column, ROW } from '../sql/tree.ts'
import { jsonAt, namedColumn, numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { keyAt, keyColumns } from './keys.ts'
import { embedRows } from './onnx-model.ts'

/**
 * What a model reads of a row: its `from` columns, or one embedding. A query for rows selects `inputItems`, and `queryInputs` runs it: what comes
 * back is ready for `encode`. An embedding is a list of numbers in a column, checked here (one length, finite; NULL: the row has none), or what a
 * layer of a model in ONNX form gives for the `from` columns.
 */
export function inputItems(plan: ModelPlan, table?: string): string[] {
  const column = embeddingColumn(plan)
  if (column === undefined) {
    // Only a model in ONNX form takes a list as it is.
    return plan.inputs.map((c) => {
      const own = quoted(c.name, table)
      return c.type === 'list' ? `try_cast(${own} as FLOAT[]) as ${quoted(c.name)}` : own
    })
  }
  const own = quoted(column, table)
  return [`try_cast(${own} as FLOAT[]) as ${quoted(EMBEDDING)}`, `${own} is null as ${quoted(WITHOUT)}`]
}

const EMBEDDING = 'assay embedding'
/** Embeddings and lists come as numbers, not as text. */
export const vectorsOf = (plan: ModelPlan): QueryOptions => ({
  vectors: [EMBEDDING, ...plan.inputs.filter((c) => c.type === 'list').map((c) => c.name)],
})
const WITHOUT = 'assay without embedding'
const quoted = (name: string, table?: string) => printExpr({ kind: 'column', name, table })

const embeddingColumn = ({ model }: ModelPlan): string | undefined =>
  model.kind === 'head' && model.embedding.kind === 'column' ? model.embedding.column : undefined

/** What people want to see of a row: what the model reads, or, of a row that it knows by its embedding only, the first other columns and a picture. */
export function shownColumns(plan: ModelPlan, source: SourcePlan): readonly Column[] {
  const embedding = embeddingColumn(plan)
  if (embedding === undefined) return plan.inputs
  const own = new Set([...source.key, plan.target.name, embedding])
  const others = source.columns.filter((c) => !own.has(c.name) && c.type !== 'list' && c.type !== 'struct' && c.type !== 'blob')
  const plain = others.filter((c) => c.type !== 'image')
  return [...others.filter((c) => c.type === 'image').slice(0, 1), ...plain.slice(0, MOST_SHOWN)]
}
const MOST_SHOWN = 8

/** How an embedding is called in sentences. */
const embeddingName = (plan: ModelPlan): string => embeddingColumn(plan) ?? plan.name

/** The columns that an encoding is fitted to. */
export function inputColumns(plan: ModelPlan, columns: Columns): InputColumn[] {
  if (plan.model.kind === 'head') return [{ name: EMBEDDING, type: 'embedding', data: namedColumn(columns, EMBEDDING) }]
  return plan.inputs.map((input) => ({ name: input.name, type: input.type, data: namedColumn(columns, input.name) }))
}

/** 0 where a row has no embedding, and so no answer; `undefined` where every row is complete. */
export function withoutInput(plan: ModelPlan, columns: Columns): Uint8Array | undefined {
  return plan.model.kind === 'head' ? namedColumn(columns, EMBEDDING).valid : undefined
}

/**
 * `source`: where the rows come from, by position: the query's `assay row`, or their order. `encoding`: the one that was fitted, which knows the length.
 */
export interface InputQuery {
  readonly sql: string
  readonly source: string
  readonly encoding?: Encoding
}

/** O(rows × width) beside the query; a model in ONNX form runs, unless its embeddings of these very rows are in the cache. Throws `DataProblem`. */
export async function queryInputs(ctx: RunContext, plan: ModelPlan, { sql, source, encoding }: InputQuery): Promise<Columns> {
  const columns = await ctx.tables.query(sql, vectorsOf(plan))
  return readInputs(ctx, plan, columns, { source, encoding })
}

/** The same for columns that are there already. */
export async function readInputs(ctx: RunContext, plan: ModelPlan, columns: Columns, from: Omit<InputQuery, 'sql'>): Promise<Columns> {
  if (plan.model.kind !== 'head') return columns
  await ctx.breathe()
  const embedding = plan.model.embedding
  const column: NamedColumn | undefined =
    embedding.kind === 'onnx' ? { name: EMBEDDING, data: await embedRows(ctx, plan, embedding, columns) } : undefined
  const embedded = column ? { rows: columns.rows, columns: [...columns.columns, column] } : columns
  await checkEmbeddings(ctx, plan, embedded, from)
  return embedded
}

async function checkEmbeddings(
  ctx: RunContext,
  plan: ModelPlan,
  columns: Columns,
  { source, encoding }: Omit<InputQuery, 'sql'>,
): Promise<void> {
  const data = namedColumn(columns, EMBEDDING)
  if (data.kind !== 'blob') throw new Error('an embedding comes as bytes')
  const { values, valid } = data
  const fitted = encoding?.inputs[0]
  let width = fitted?.kind === 'embedding' ? fitted.mean.length : undefined
  const without = columns.columns.find((c) => c.name === WITHOUT)?.data
  const wrong = (row: number, why: string) => refused(ctx, plan, { source, columns, row, why })
  for (let i = 0; i < columns.rows; i++) {
    if (valid?.[i] === 0) {
      if (without?.kind === 'boolean' && without.values[i] === 0)
        throw await wrong(i, 'cannot be read as a list of numbers: write it as `[0.1, 0.2]`')
      continue
    }
    const vector = vectorAt(values[i]!)
    const place = notFinite(vector)
    if (place >= 0) {
      throw await wrong(
        i,
        `holds something at place ${place + 1} that is no finite number. Numbers are separated by commas: \`[0.1, 0.2]\``,
      )
    }
    width ??= vector.length
    if (vector.length === width) continue
    const others = encoding ? `the model was trained on ${width}` : `the first one has ${width}`
    throw await wrong(i, `has ${vector.length} ${vector.length === 1 ? 'number' : 'numbers'}, and ${others}. All must be of one length`)
  }
}

/** The place of the first number that is none. */
function notFinite(vector: Float32Array): number {
  for (let j = 0; j < vector.length; j++) if (!Number.isFinite(vector[j]!)) return j
  return -1
}

interface Refused {
  readonly source: string
  readonly columns: Columns
  readonly row: number
  readonly why: string
}

/** Names the row by its key. */
async function refused(ctx: RunContext, plan: ModelPlan, { source, columns, row, why }: Refused): Promise<DataProblem> {
  const numbered = columns.columns.some((c) => c.name === ROW)
  const position = numbered ? numbersOf(columns, ROW)[row]! : row
  const prepared = ctx.prepared.get(source)
  const keys = prepared?.keyed ? keyColumns(prepared.plan) : []
  const column = embeddingColumn(plan)
  const items = [...keys.map((k) => quoted(k)), ...(column ? [`left(cast(${quoted(column)} as VARCHAR), 40) as "assay text"`] : [])]
  const found =
    prepared && items.length > 0
      ? await ctx.tables.query(`select ${items.join(', ')} from ${quoted(source)} where ${quoted(ROW)} = ${position}`)
      : undefined
  const key = found && keys.length > 0 ? `with key ${JSON.stringify(keyAt(found, keys, 0))}` : `${position} (counted from 0)`
  const text = found && column ? jsonAt(namedColumn(found, 'assay text'), 0) : null
  const shown = typeof text === 'string' ? ` (\`${text}${text.length === 40 ? '…' : ''}\`)` : ''
  return new DataProblem('embedding', `The embedding in \`${embeddingName(plan)}\`, row ${key} of \`${source}\`${shown}, ${why}.`)
}
