import type { Session } from '../learn/session.ts'
import { wholeBlock } from './apart-blocks.ts'
import { type ChangedRows, changedRows, type InputChange } from './changed-rows.ts'
import { digest, type RunContext } from './context.ts'
import { type DebuggingIndex, indexHash } from './debugging-index.ts'
import { type FittedModel, loadTrainingSet, type TrainingSet } from './models.ts'

/**
 * A block of the debugging index for rows with other inputs (METHODS §4; R++ §5.3 with the sign mended): b_z = ⟨v_i, ∇ℓ(z) − ∇ℓ(z′)⟩/λ_i. The first half is
 * the block of removal; the second asks for forward tangents at z′, one pass over the rows that the change makes different. Rows that stay as they are
 * have 0 exactly, rows that leave the block of removal. Kept beside the index, by what the index and the new rows are made of.
 * Cost: the rows read and encoded once, k tangents over those that differ, O(k·n) memory.
 *
 * `by: 'odds'`, of a filter: each row's b by how unusual it is that the filter changes so much of it. A filter changes clean images too, and the model would learn
 * something from that: their influence is real, and yet nobody would call them noisy. The odds are ‖z − z′‖² over the median of rows with the same label, divided by
 * their largest value, so that no influence grows. Ours; with it and without in test/bench/RESULTS.md.
 */
export interface ChangeBlock {
  readonly block: Float32Array
  readonly notes: readonly string[]
}

interface BlockMeta {
  readonly version: 2
  readonly notes: readonly string[]
}

export interface ChangeBlockRequest {
  readonly index: DebuggingIndex
  /** How many eigenpairs the index was asked for. */
  readonly pairs: number
  readonly change: InputChange
  readonly by: 'effect' | 'odds'
}

export async function changeBlock(
  ctx: RunContext,
  model: FittedModel,
  { index, pairs, change, by }: ChangeBlockRequest,
): Promise<ChangeBlock> {
  const hash = digest(indexHash(model.hash, pairs), basisOf(index), changeName(ctx, change))
  const weighedHash = digest(hash, 'by odds')
  const weighs = by === 'odds' && change.kind === 'denoise'
  const stored = ctx.cache.read<BlockMeta>('changes', weighs ? weighedHash : hash)
  if (stored?.meta.version === 2) return { block: stored.arrays.block as Float32Array, notes: stored.meta.notes }
  const { block, odds, notes } = await blockOfEffects(ctx, model, { index, change, hash })
  if (!weighs) return { block, notes }
  const weighed = new Float32Array(block.length)
  for (let i = 0, at = 0; i < index.k; i++) for (let z = 0; z < index.n; z++, at++) weighed[at] = block[at]! * odds[z]!
  ctx.cache.write('changes', weighedHash, { version: 2, notes } satisfies BlockMeta, { block: weighed })
  return { block: weighed, notes }
}

async function blockOfEffects(
  ctx: RunContext,
  model: FittedModel,
  { index, change, hash }: Pick<ChangeBlockRequest, 'index' | 'change'> & { readonly hash: string },
): Promise<ChangeBlock & { readonly odds: Float32Array }> {
  const stored = ctx.cache.read<BlockMeta>('changes', hash)
  if (stored?.meta.version === 2) {
    return { block: stored.arrays.block as Float32Array, odds: stored.arrays.odds as Float32Array, notes: stored.meta.notes }
  }
  const removal = index.blocks.get('remove') ?? (await wholeBlock(ctx, model, index, 'remove'))
  const set = await loadTrainingSet(ctx, model)
  const changed = await changedRows(ctx, model, { change, rows: everyRow(set), what: 'training rows', set, from: model.plan.source })
  const block = new Float32Array(index.k * index.n)
  for (let i = 0; i < index.k; i++) for (const z of changed.leaving) block[i * index.n + z] = removal[i * index.n + z]!
  await withChanged(ctx, model, changed, async (session) => {
    const { k, n, dimension, vectors, values } = index
    const theta = model.trained!.theta
    const m = changed.rows.length
    const chunk = Math.max(1, Math.min(k, Math.floor(64e6 / m)))
    for (let from = 0; from < k; from += chunk) {
      ctx.step('projecting changed rows', from, k)
      const to = Math.min(k, from + chunk)
      const some = Array.from({ length: to - from }, (_, i) => vectors.subarray((from + i) * dimension, (from + i + 1) * dimension))
      const tangents = await session.lossTangents(theta, some, ctx.breathe)
      for (let i = from; i < to; i++) {
        const own = (i - from) * m
        for (const [j, z] of changed.rows.entries()) block[i * n + z] = removal[i * n + z]! - tangents[own + j]! / values[i]!
      }
    }
  })
  const odds = oddsOf(set, changed)
  ctx.cache.write('changes', hash, { version: 2, notes: changed.notes } satisfies BlockMeta, { block, odds })
  return { block, odds, notes: changed.notes }
}

/** How unusual each row's change is, 0 … 1: against the median of its label, or the mean where most rows of a label stay as they are. O(n·d). */
function oddsOf(set: TrainingSet, { rows, x }: ChangedRows): Float32Array {
  const width = set.x.length / Math.max(1, set.rows)
  const squares = new Float64Array(set.rows)
  for (const [j, z] of rows.entries()) {
    for (let i = 0, a = j * width, b = z * width; i < width; i++) squares[z]! += (x[a + i]! - set.x[b + i]!) ** 2
  }
  const groups = new Map<number, number[]>()
  const labelled = set.y instanceof Int32Array
  for (let z = 0; z < set.rows; z++) {
    const group = labelled ? set.y[z]! : 0
    const known = groups.get(group)
    if (known) known.push(squares[z]!)
    else groups.set(group, [squares[z]!])
  }
  const typical = new Map([...groups].map(([group, some]) => [group, usualOf(Float64Array.from(some).sort())]))
  const odds = Float32Array.from(squares, (square, z) => {
    const usual = typical.get(labelled ? set.y[z]! : 0)!
    return usual > 0 ? square / usual : 0
  })
  const most = odds.reduce((highest, one) => Math.max(highest, one), 0)
  return most > 0 ? odds.map((one) => one / most) : odds.fill(1)
}

const usualOf = (sorted: Float64Array) => sorted[sorted.length >> 1] || sorted.reduce((sum, square) => sum + square, 0) / sorted.length

/**
 * The same for one direction w = H⁻¹∇q: from `scores`, ⟨w, ∇ℓ(z)⟩ of every training row, to ⟨w, ∇ℓ(z) − ∇ℓ(z′)⟩, in place. One pass over the rows that differ.
 */
export async function subtractChanged(
  ctx: RunContext,
  model: FittedModel,
  { set, change, direction }: { readonly set: TrainingSet; readonly change: InputChange; readonly direction: Float64Array },
  scores: Float32Array,
): Promise<readonly string[]> {
  const changed = await changedRows(ctx, model, { change, rows: everyRow(set), what: 'training rows', set, from: model.plan.source })
  const removal = scores.slice()
  scores.fill(0)
  for (const z of changed.leaving) scores[z] = removal[z]!
  await withChanged(ctx, model, changed, async (session) => {
    const tangents = await session.lossTangents(model.trained!.theta, [direction], ctx.breathe)
    for (const [j, z] of changed.rows.entries()) scores[z] = removal[z]! - tangents[j]!
  })
  return changed.notes
}

async function withChanged(
  ctx: RunContext,
  model: FittedModel,
  { rows, x, y }: ChangedRows,
  use: (session: Session) => Promise<void>,
): Promise<void> {
  if (rows.length === 0) return
  const session = await (await ctx.backend()).open(model.trained!.architecture, { rows: rows.length, x, y })
  try {
    await use(session)
  } finally {
    session.dispose()
  }
}

const everyRow = (set: TrainingSet) => Int32Array.from({ length: set.rows }, (_, i) => i)

/** What the new rows are made of: of another source its content. */
function changeName(ctx: RunContext, change: InputChange): string {
  return change.kind === 'denoise' ? `median ${change.size}` : `replace ${ctx.prepared.get(change.source)!.hash}`
}

/** An index made again may have its eigenvectors with other signs: what was projected on the old ones is then of no use. O(k·d). */
function basisOf({ k, dimension, values, vectors }: DebuggingIndex): string {
  const sums = new Float64Array(k)
  for (let i = 0; i < k; i++) for (let j = 0, at = i * dimension; j < dimension; j++) sums[i]! += ((j % 89) + 1) * vectors[at + j]!
  const bytes = (a: Float64Array) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength)
  return digest(bytes(values), bytes(sums))
}
