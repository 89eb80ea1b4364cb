import { statSync } from 'node:fs'
import { createRng } from '../learn/rng.ts'
import type { Session } from '../learn/session.ts'
import { lanczos } from '../methods/influence/lanczos.ts'
import { type ApartBlocks, apartPath, isTooLarge, projectApart } from './apart-blocks.ts'
import { digest, type RunContext } from './context.ts'
import { handedIndex } from './handed-model.ts'
import { type FittedModel, type TrainingSet, withTraining } from './models.ts'
import { samplingError } from './spectral-rule.ts'
import { type Confusions, confusionsOf, differences, type LabelTreatment, STORED, treatmentName, valueDifferences } from './treatments.ts'

/**
 * The debugging index of a model (R++ §4): the top eigenpairs of the Hessian of the summed loss, and for every training row and treatment
 * b_z = ⟨v_i, ∇ℓ(z) − ∇ℓ(z′)⟩/λ_i, one row per eigenvector; for `auto` over λ_i + μ. Built once and stored by the model's hash and k.
 * Cost: about 4k Hessian products in blocks (one pass over the data a block), one forward-mode pass for all k tangents, O(k·d) memory for the
 * Lanczos basis (2·k + 16 vectors, or 512 MB), O(k·n) for each treatment unless these are apart.
 */
export interface DebuggingIndex {
  readonly k: number
  readonly n: number
  /** Eigenvalues of H (the sum), falling, all positive. */
  readonly values: Float64Array
  /** k × d. */
  readonly vectors: Float64Array
  readonly dimension: number
  /** By treatment, k × n each; none where they are `apart`. */
  readonly blocks: ReadonlyMap<string, Float32Array>
  /** Where rows × treatments are more than may be held in memory. */
  readonly apart?: ApartBlocks
  /** Absent for regression. */
  readonly confusions?: Pick<Confusions, 'pairs' | 'confident'>
  readonly path: string
  readonly bytes: number
  readonly fromCache: boolean
}

interface IndexMeta {
  readonly version: 2
  readonly k: number
  readonly n: number
  readonly dimension: number
  readonly blocks: readonly string[]
  readonly apart?: readonly string[]
  readonly apartBytes?: number
}

const LANCZOS_BLOCK = 4
/** A basis may take these; for larger models it is cut down where it grows beyond about twice the eigenvectors wanted. */
const BASIS_BYTES = 512e6
/** Products in single precision: an eigenvalue this much smaller than the largest may as well be 0, and 1/λ would be noise. */
const ROUNDING = 1e-6

export async function debuggingIndex(ctx: RunContext, model: FittedModel, k: number, extra?: LabelTreatment): Promise<DebuggingIndex> {
  if (model.handed) return handedIndex(model.handed, k)
  const hash = indexHash(model.hash, k)
  const stored = readIndex(ctx, hash)
  const wanted = [...STORED, ...(extra === undefined ? [] : [extra])]
  if (stored && wanted.every((t) => (stored.apart?.names ?? stored.blocks).has(treatmentName(t)))) return stored
  return withTraining(ctx, model, async (session, set) => {
    const pairs = stored
      ? { values: stored.values, vectors: rowsOf(stored.vectors, stored.k, stored.dimension) }
      : await eigenpairs(ctx, session, model.trained!.theta, Math.min(k, session.parameters))
    if (isTooLarge(ctx, pairs.values.length, set.rows, wanted.length))
      return apartIndex(ctx, model, { session, set, pairs, stored, hash }, wanted)
    const known = [...(stored?.blocks.keys() ?? [])]
      .filter((name) => name.startsWith('to-'))
      .map((name): LabelTreatment => ({ to: Number(name.slice(3)) }))
    const { blocks, confusions } = await projectRows(ctx, model, session, set, pairs, uniqueTreatments([...wanted, ...known]))
    const found = pairs.values.length
    const dimension = session.parameters
    const vectors = flat(pairs.vectors, dimension)
    const meta: IndexMeta = { version: 2, k: found, n: set.rows, dimension, blocks: [...blocks.keys()] }
    const labelled = confusions && { pairs: confusions.pairs, confident: confusions.confident }
    const arrays = { values: pairs.values, vectors, ...labelled, ...Object.fromEntries(blocks) }
    const file = ctx.cache.write('index', hash, meta, arrays)
    return {
      k: found,
      n: set.rows,
      values: pairs.values,
      vectors,
      dimension,
      blocks,
      confusions: labelled,
      path: ctx.cache.path('index', hash),
      bytes: file?.bytes ?? 0,
      fromCache: false,
    }
  })
}

interface Apart {
  readonly session: Session
  readonly set: TrainingSet
  readonly pairs: { readonly values: Float64Array; readonly vectors: readonly Float64Array[] }
  readonly stored: DebuggingIndex | undefined
  readonly hash: string
}

/** The index without its blocks, and these in files of their own: those that are not there yet. */
async function apartIndex(
  ctx: RunContext,
  model: FittedModel,
  { session, set, pairs, stored, hash }: Apart,
  wanted: readonly LabelTreatment[],
): Promise<DebuggingIndex> {
  const path = (name: string) => apartPath(ctx, hash, name)
  const there = stored?.apart
  const treatments = wanted.filter((t) => !there?.names.has(treatmentName(t)))
  const { confusions, bytes } = await projectApart(ctx, model, { session, set, pairs, treatments, path })
  const [k, n, dimension] = [pairs.values.length, set.rows, session.parameters]
  const vectors = flat(pairs.vectors, dimension)
  const names = new Set([...(there?.names ?? []), ...treatments.map(treatmentName)])
  const apart: ApartBlocks = { names, path, bytes: (there?.bytes ?? 0) + bytes }
  const meta: IndexMeta = { version: 2, k, n, dimension, blocks: [], apart: [...names], apartBytes: apart.bytes }
  const labelled = confusions && { pairs: confusions.pairs, confident: confusions.confident }
  const file = ctx.cache.write('index', hash, meta, { values: pairs.values, vectors, ...labelled })
  const whole = (file?.bytes ?? 0) + apart.bytes
  return {
    k,
    n,
    values: pairs.values,
    vectors,
    dimension,
    blocks: new Map(),
    apart,
    confusions: labelled,
    path: ctx.cache.path('index', hash),
    bytes: whole,
    fromCache: false,
  }
}

function flat(vectors: readonly Float64Array[], dimension: number): Float64Array {
  const all = new Float64Array(vectors.length * dimension)
  for (const [i, vector] of vectors.entries()) all.set(vector, i * dimension)
  return all
}

export const indexHash = (model: string, k: number): string => digest(model, `k ${k}`)

function readIndex(ctx: RunContext, hash: string): DebuggingIndex | undefined {
  const path = ctx.cache.path('index', hash)
  // A file that has grown by a treatment, or was imported, has another time or size.
  const file = statSync(path, { throwIfNoEntry: false })
  const key = `index ${hash} ${file?.size} ${file?.mtimeMs}`
  const held = file && ctx.resident.get<DebuggingIndex>(key)
  if (held) return held
  const stored = ctx.cache.read<IndexMeta>('index', hash)
  if (stored?.meta.version !== 2) return undefined
  const { k, n, dimension, blocks, apart, apartBytes } = stored.meta
  const { values, vectors, pairs, confident, ...arrays } = stored.arrays
  const index: DebuggingIndex = {
    k,
    n,
    dimension,
    values: values as Float64Array,
    vectors: vectors as Float64Array,
    blocks: new Map(blocks.map((name) => [name, arrays[name] as Float32Array])),
    apart: apart && { names: new Set(apart), path: (name) => apartPath(ctx, hash, name), bytes: apartBytes ?? 0 },
    confusions: pairs && { pairs: pairs as Int32Array, confident: confident as Uint8Array },
    path,
    bytes: stored.bytes,
    fromCache: true,
  }
  return ctx.resident.keep(key, index, stored.bytes)
}

/** b_z of every row and treatment. Tangents are taken in pieces of at most 256 MB. */
async function projectRows(
  ctx: RunContext,
  model: FittedModel,
  session: Session,
  set: TrainingSet,
  { values, vectors }: { readonly values: Float64Array; readonly vectors: readonly Float64Array[] },
  treatments: readonly LabelTreatment[],
): Promise<{ blocks: Map<string, Float32Array>; confusions?: Confusions }> {
  const theta = model.trained!.theta
  const n = set.rows
  const classes = session.architecture.outputs
  const p = await session.predict(theta, ctx.breathe)
  const y = set.y
  const confusions = y instanceof Int32Array ? confusionsOf(p, y, classes) : undefined
  const blocks = new Map(treatments.map((t) => [treatmentName(t), new Float32Array(values.length * n)]))
  const damping = samplingError(values, n)
  const chunk = Math.max(1, Math.min(values.length, Math.floor(64e6 / (n * classes))))
  for (let from = 0; from < values.length; from += chunk) {
    ctx.step('projecting training rows', from, values.length)
    const to = Math.min(values.length, from + chunk)
    const tangents = await session.outputTangents(theta, vectors.slice(from, to), ctx.breathe)
    for (let i = from; i < to; i++) {
      const own = tangents.subarray((i - from) * n * classes, (i - from + 1) * n * classes)
      for (const treatment of treatments) {
        const out = blocks.get(treatmentName(treatment))!.subarray(i * n, (i + 1) * n)
        if (y instanceof Int32Array) differences(treatment, { p, y, classes, confusions: confusions! }, own, out)
        else valueDifferences(p, own, y, out)
        const scale = 1 / (values[i]! + (treatment === 'auto' ? damping : 0))
        for (let z = 0; z < n; z++) out[z]! *= scale
      }
      await ctx.breathe()
    }
  }
  return { blocks, confusions }
}

/** The k algebraically largest eigenpairs of H (the sum); what is not positive beyond rounding is dropped, for there the quadratic model has no minimum. */
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
    maxBasis: Math.max(2 * k + 4 * LANCZOS_BLOCK, Math.floor(BASIS_BYTES / (8 * session.parameters))),
    token: ctx.token,
    hvpBlock: async (vectors) => {
      ctx.step('eigenvectors of the Hessian', (products += vectors.length), 0)
      return session.hessianProducts(theta, vectors, ctx.breathe)
    },
  })
  const positive = found.values.filter((value) => value > ROUNDING * found.values[0]!).length
  return {
    values: found.values.slice(0, positive).map((value) => value * session.rows),
    vectors: found.vectors.slice(0, positive),
  }
}

const rowsOf = (flat: Float64Array, k: number, dimension: number) =>
  Array.from({ length: k }, (_, i) => flat.subarray(i * dimension, (i + 1) * dimension))

function uniqueTreatments(all: readonly LabelTreatment[]): LabelTreatment[] {
  return [...new Map(all.map((t) => [treatmentName(t), t])).values()]
}
