import { encode } from '../data/encode.ts'
import type { Session } from '../learn/session.ts'
import { type ResidentProjections, residentProjections } from '../methods/influence/projection-kernel.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import type { Part } from './complaint-weights.ts'
import { digest, type RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import { inputItems, queryInputs } from './inputs.ts'
import { isAnswered } from './metrics.ts'
import type { FittedModel } from './models.ts'
import { type Predictions, sinceRow } from './predictions.ts'

/**
 * A query's gradient in the eigenvectors' coordinates. For a known inference table ⟨∇p_ij, v_l⟩ are stored (R++ §5.1), so that a new complaint
 * needs no model: ⟨∇q, v_l⟩ = Σ_ij ∂q/∂p_ij·⟨∇p_ij, v_l⟩, O(k·m) over the m cells that the query touches; in memory from one run to the next. Tables too large to store
 * (rows × classes × k above 64 M) take one backward pass instead.
 */
export interface QueryProjections {
  /** `computed`: by a backward pass over the inference table each time. */
  readonly at: 'stored' | 'computed'
  coefficients(weights: Float32Array): Promise<Float64Array>
  /** The same of a complaint's derivative, by column where it is known so. */
  along(part: Part): Promise<Float64Array>
}

const MOST_STORED = 64e6

export async function queryProjections(
  ctx: RunContext,
  model: FittedModel,
  predictions: Predictions,
  index: DebuggingIndex,
): Promise<QueryProjections> {
  const cells = predictions.rows * predictions.width
  if (cells * index.k > MOST_STORED) {
    const coefficients = async (weights: Float32Array) => dots(index, await queryGradient(ctx, model, predictions, weights))
    return { at: 'computed', coefficients, along: (part) => coefficients(part.weights) }
  }
  const resident = await residentTable(ctx, model, predictions, index)
  return {
    at: 'stored',
    coefficients: async (weights) => resident.project(weights),
    along: async (part) => (part.columns ? resident.projectColumns(part.columns) : resident.project(part.weights)),
  }
}

/** In memory, from the disk, or computed: one forward-mode pass over the inference table for all eigenvectors. */
async function residentTable(
  ctx: RunContext,
  model: FittedModel,
  predictions: Predictions,
  index: DebuggingIndex,
): Promise<ResidentProjections> {
  const { rows, width, source } = predictions
  const { hash, grown } = ctx.prepared.get(source)!
  const keyOf = (data: string) => digest(model.hash, data, String(index.k))
  const key = `projections ${keyOf(hash)}`
  const known = ctx.resident.get<ResidentProjections>(key)
  if (known) return known
  const stored = ctx.cache.read<{ cells: number }>('projections', keyOf(hash))
  const isStored = stored?.meta.cells === rows * width
  const table = isStored ? (stored.arrays.table as Float32Array) : await made()
  if (!isStored) ctx.cache.write('projections', keyOf(hash), { cells: rows * width }, { table })
  const resident = residentProjections({ rows, width, k: index.k, table })
  return ctx.resident.keep(key, resident, resident.bytes)

  /** Of a source that has only grown the new rows alone are passed through the model. */
  async function made(): Promise<Float32Array> {
    const old = grown && ctx.cache.read<{ cells: number }>('projections', keyOf(grown.hash))
    const first = old && old.meta.cells === grown.rows * width ? grown.rows : 0
    const part = { rows: rows - first, width, values: predictions.values.subarray(first * width) }
    const more = await withInference(ctx, model, source, (session) => projectionTable(ctx, session, model, part, index), first)
    if (first === 0) return more
    const [oldCells, cells] = [first * width, rows * width]
    const table = new Float32Array(index.k * cells)
    for (let l = 0; l < index.k; l++) {
      table.set((old!.arrays.table as Float32Array).subarray(l * oldCells, (l + 1) * oldCells), l * cells)
      table.set(more.subarray(l * part.rows * width, (l + 1) * part.rows * width), l * cells + oldCells)
    }
    return table
  }
}

function dots(index: DebuggingIndex, gradient: Float64Array): Float64Array {
  const { k, dimension, vectors } = index
  return Float64Array.from({ length: k }, (_, l) => {
    let sum = 0
    for (let i = 0, at = l * dimension; i < dimension; i++) sum += gradient[i]! * vectors[at + i]!
    return sum
  })
}

/** ⟨∇p_ij, v_l⟩ of a session's rows, one eigenvector after the other: a forward-mode pass for all of them. */
export async function projectionTable(
  ctx: RunContext,
  session: Session,
  model: FittedModel,
  predictions: Omit<Predictions, 'source'>,
  index: DebuggingIndex,
): Promise<Float32Array> {
  const { rows, width, values: p } = predictions
  const cells = rows * width
  const vectors = Array.from({ length: index.k }, (_, i) => index.vectors.subarray(i * index.dimension, (i + 1) * index.dimension))
  const table = await session.outputTangents(model.trained!.theta, vectors, ctx.breathe)
  if (!model.labels) return table
  for (let l = 0; l < index.k; l++) {
    for (let at = l * cells, cell = 0; cell < cells; at += width, cell += width) {
      let mean = 0
      for (let c = 0; c < width; c++) mean += p[cell + c]! * table[at + c]!
      for (let c = 0; c < width; c++) table[at + c] = p[cell + c]! * (table[at + c]! - mean)
    }
  }
  return table
}

/** ∇q as a vector of parameters: one backward pass over the inference table. */
export async function queryGradient(
  ctx: RunContext,
  model: FittedModel,
  predictions: Predictions,
  weights: Float32Array,
): Promise<Float64Array> {
  const own = answeredOnly(predictions, weights)
  return withInference(ctx, model, predictions.source, (session) => session.weightedGradient(model.trained!.theta, own, ctx.breathe))
}

/** A row without an answer has no probability that training could move. */
function answeredOnly({ rows, width, values }: Predictions, weights: Float32Array): Float32Array {
  let own = weights
  for (let i = 0; i < rows; i++) {
    if (isAnswered(values, i, width)) continue
    if (own === weights) own = weights.slice()
    own.fill(0, i * width, (i + 1) * width)
  }
  return own
}

async function withInference<T>(
  ctx: RunContext,
  model: FittedModel,
  source: string,
  use: (session: Session) => Promise<T>,
  first = 0,
): Promise<T> {
  const quoted = (name: string) => printExpr({ kind: 'column', name })
  const { encoding } = model.trained!
  const sql = `select ${inputItems(model.plan).join(', ')} from ${quoted(source)}${sinceRow(first)} order by ${quoted(ROW)}`
  const columns = await queryInputs(ctx, model.plan, { sql, source, encoding })
  await ctx.breathe()
  const { values, rows } = encode(encoding, columns.columns)
  const session = await (await ctx.backend()).open(model.trained!.architecture, { rows, x: values })
  try {
    return await use(session)
  } finally {
    session.dispose()
  }
}
