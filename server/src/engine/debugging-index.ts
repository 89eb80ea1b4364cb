import { createRng } from '../learn/rng.ts'
import type { Session } from '../learn/session.ts'
import { lanczos } from '../methods/influence/lanczos.ts'
import type { RunContext } from './context.ts'
import { type FittedModel, withTraining } from './models.ts'
import { differences, STORED, type Treatment, treatmentName, valueDifferences } from './treatments.ts'

/**
 * The debugging index of a model (R++ §4): the top eigenpairs of the Hessian of the summed loss, and for every training row and treatment
 * b_z = ⟨v_i, ∇ℓ(z) − ∇ℓ(z′)⟩/λ_i, one row per eigenvector. Built once, stored by the model's hash, extended when more pairs are wanted.
 * Cost: about 4k Hessian products in blocks (one pass over the data a block), one forward-mode pass for all k tangents, O(d·m) memory for the
 * Lanczos basis of m vectors, O(k·n) for each treatment.
 */
export interface DebuggingIndex {
  readonly k: number
  readonly n: number
  /** Eigenvalues of H (the sum), falling, all positive. */
  readonly values: Float64Array
  /** k × d. */
  readonly vectors: Float64Array
  readonly dimension: number
  readonly blocks: ReadonlyMap<string, Float32Array>
  readonly file?: { readonly path: string; readonly bytes: number }
  readonly buildMs: number
  readonly fromCache: boolean
}

interface IndexMeta {
  readonly version: 1
  readonly k: number
  readonly n: number
  readonly dimension: number
  readonly blocks: readonly string[]
  readonly buildMs: number
}

const LANCZOS_BLOCK = 4

export async function debuggingIndex(ctx: RunContext, model: FittedModel, k: number, extra?: Treatment): Promise<DebuggingIndex> {
  const stored = readIndex(ctx, model)
  const wanted = [...STORED, ...(extra === undefined ? [] : [extra])]
  const complete = stored && wanted.every((t) => stored.blocks.has(treatmentName(t)))
  if (stored && complete && (stored.k >= k || stored.k >= stored.dimension)) return stored
  return withTraining(ctx, model, async (session, set) => {
    const started = performance.now()
    const theta = model.trained!.theta
    const n = set.rows
    const dimension = theta.length
    const { values, vectors } =
      stored && stored.k >= k
        ? { values: stored.values, vectors: rowsOf(stored.vectors, stored.k, dimension) }
        : await eigenpairs(ctx, session, theta, Math.min(k, dimension))
    const found = values.length
    const probabilities = await session.predict(theta, ctx.breathe)
    const known = stored
      ? [...stored.blocks.keys()].filter((name) => name.startsWith('to-')).map((name): Treatment => ({ to: Number(name.slice(3)) }))
      : []
    const treatments = uniqueTreatments([...wanted, ...known])
    const blocks = new Map(treatments.map((t) => [treatmentName(t), new Float32Array(found * n)]))
    const width = session.architecture.outputs
    const chunk = Math.max(1, Math.min(found, Math.floor(64e6 / (n * width))))
    for (let from = 0; from < found; from += chunk) {
      ctx.step('projecting training rows', from, found)
      const to = Math.min(found, from + chunk)
      const tangents = await session.outputTangents(theta, vectors.slice(from, to), ctx.breathe)
      for (let i = from; i < to; i++) {
        const own = tangents.subarray((i - from) * n * width, (i - from + 1) * n * width)
        for (const treatment of treatments) {
          const out = blocks.get(treatmentName(treatment))!.subarray(i * n, (i + 1) * n)
          if (set.y instanceof Int32Array) differences(treatment, probabilities, own, set.y, width, out)
          else valueDifferences(probabilities, own, set.y, out)
          for (let z = 0; z < n; z++) out[z]! /= values[i]!
        }
        await ctx.breathe()
      }
    }
    const flat = new Float64Array(found * dimension)
    for (const [i, vector] of vectors.entries()) flat.set(vector, i * dimension)
    const buildMs = performance.now() - started
    const meta: IndexMeta = { version: 1, k: found, n, dimension, blocks: [...blocks.keys()], buildMs }
    const file = ctx.cache.write('index', model.hash, meta, { values, vectors: flat, ...Object.fromEntries(blocks) })
    return { k: found, n, values, vectors: flat, dimension, blocks, file, buildMs, fromCache: false }
  })
}

export function readIndex(ctx: RunContext, model: FittedModel): DebuggingIndex | undefined {
  const stored = ctx.cache.read<IndexMeta>('index', model.hash)
  if (!stored || stored.meta.version !== 1) return undefined
  const { k, n, dimension, blocks, buildMs } = stored.meta
  const arrays = stored.arrays
  return {
    k,
    n,
    dimension,
    values: arrays.values as Float64Array,
    vectors: arrays.vectors as Float64Array,
    blocks: new Map(blocks.map((name) => [name, arrays[name] as Float32Array])),
    buildMs,
    fromCache: true,
  }
}

/** The k algebraically largest eigenpairs of H (the sum); non-positive ones are dropped, for there the quadratic model has no minimum. */
async function eigenpairs(
  ctx: RunContext,
  session: Session,
  theta: Float64Array,
  k: number,
): Promise<{ values: Float64Array; vectors: Float64Array[] }> {
  let products = 0
  const found = await lanczos(undefined, session.parameters, {
    k,
    block: Math.min(LANCZOS_BLOCK, session.parameters),
    rng: createRng(1).next,
    tolerance: 1e-4,
    maxProducts: 8 * k + 24,
    token: ctx.token,
    hvpBlock: async (vectors) => {
      ctx.step('eigenvectors of the Hessian', (products += vectors.length), 0)
      return session.hessianProducts(theta, vectors, ctx.breathe)
    },
  })
  const positive = found.values.filter((value) => value > 0).length
  return {
    values: found.values.slice(0, positive).map((value) => value * session.rows),
    vectors: found.vectors.slice(0, positive),
  }
}

const rowsOf = (flat: Float64Array, k: number, dimension: number) =>
  Array.from({ length: k }, (_, i) => flat.subarray(i * dimension, (i + 1) * dimension))

function uniqueTreatments(all: readonly Treatment[]): Treatment[] {
  return [...new Map(all.map((t) => [treatmentName(t), t])).values()]
}
