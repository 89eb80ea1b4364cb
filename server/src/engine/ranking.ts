import type { SuspectsSpec } from '../check/spec.ts'
import { createRng } from '../learn/rng.ts'
import { conjugateGradient } from '../methods/influence/conjugate-gradient.ts'
import { rankBySpectrum } from '../methods/influence/rank-by-spectrum.ts'
import type { ComplaintTask } from '../plan/plan.ts'
import type { ComplaintCoordinates } from '../protocol/results.ts'
import { isNotHere } from './absent-rows.ts'
import { rankApart, selfInfluenceApart } from './apart-blocks.ts'
import { changeBlock, subtractChanged } from './change-block.ts'
import type { Evaluated } from './complaint.ts'
import { digest, type RunContext } from './context.ts'
import { coordinatesOf, rankCoordinates } from './coordinates.ts'
import { type DebuggingIndex, debuggingIndex } from './debugging-index.ts'
import { handedPairs, withoutBlock } from './handed-model.ts'
import { conjugateGradientCaveat, optimumCaveats, pairsCaveat } from './influence-caveats.ts'
import { membership } from './membership.ts'
import { type FittedModel, withTraining } from './models.ts'
import { outOfFold } from './out-of-fold.ts'
import { noTrainingRows, type Predictions } from './predictions.ts'
import { queryGradient, queryProjections } from './projections.ts'
import { residentBlock } from './resident-index.ts'
import { autoPairs, dataPairs, flatteningPairs, pairsForShare, SPECTRAL_PAIRS, shareHeld } from './spectral-rule.ts'
import { alternative, changesInputs, confusionsOf, differences, type Treatment, treatmentName, valueDifferences } from './treatments.ts'
import { unknownClass } from './unknown-class.ts'

/**
 * Training rows in the order of what treating them would do for a complaint (Rain: conjugate gradients; Rain++: the spectrum), or of a baseline.
 * `influence` is the predicted improvement of the query's value, positive helps. Rows are indices into the training order.
 */
export interface Ranking {
  readonly rows: Int32Array
  readonly influence: Float32Array
  readonly method: string
  readonly treatment?: Treatment
  readonly eigenvalues: readonly number[]
  readonly indexMs: number
  /** From the hard answer to the ranking: the relaxed query, its derivative, the projections and the order. */
  readonly rankMs: number
  readonly notes: readonly string[]
  /** What stands out among the suspects, in a sentence: the complaint's to say, not that of a repair. */
  readonly finding?: string
  /** The complaint as numbers to hand over, where influence is by the spectrum. */
  readonly coordinates?: ComplaintCoordinates
  /** Of the complaint's gradient, the part that the eigenvectors hold. */
  readonly share?: number
  /** Only some of the training rows could be blamed. */
  readonly restricted?: true
  /** Of an influence that is Σ_l ⟨∇q, v_l⟩·b_l,z: the eigenvectors and the treatment's b, k of whose rows are used, of all training rows or of those ranked, in their order. */
  readonly spectrum?: {
    readonly index: DebuggingIndex
    readonly block: Float32Array
    readonly k: number
    readonly of: 'all rows' | 'ranked rows'
  }
}

export interface RankingRequest {
  readonly task: ComplaintTask
  readonly model: FittedModel
  readonly predictions: Predictions
  readonly evaluated: Evaluated
  readonly suspects: SuspectsSpec
  readonly seed: number
  /** The complaint's gradient in the eigenvectors' coordinates, where it is kept (`maintained.ts`): nothing is projected then. */
  readonly coordinates?: Float64Array
}

export async function rankSuspects(ctx: RunContext, request: RankingRequest): Promise<Ranking> {
  try {
    return await rankWith(ctx, request)
  } catch (reason) {
    // The complaint is evaluated all the same.
    if (request.model.handed && isNotHere(reason)) return empty(request.task.method.kind, [reason.message])
    throw reason
  }
}

async function rankWith(ctx: RunContext, request: RankingRequest): Promise<Ranking> {
  const { model, suspects } = request
  if (!model.trained) {
    return empty('none', [noTrainingRows(model)])
  }
  const members = await membership(ctx, model, suspects.of)
  switch (suspects.by) {
    case 'influence':
      return byInfluence(ctx, request, members)
    case 'random': {
      const rng = createRng(request.seed)
      const scores = Float32Array.from({ length: model.trained.rows.length }, () => rng.next())
      return baseline('random', scores, suspects.top, members)
    }
    case 'self_influence': {
      const index = await debuggingIndex(ctx, model, autoPairs(model))
      const scores = index.apart ? await selfInfluenceApart(ctx, model, index) : selfInfluence(index)
      return baseline('self_influence', scores, suspects.top, members)
    }
    default:
      return baseline(suspects.by, await disagreement(ctx, model, suspects.by), suspects.top, members)
  }
}

const empty = (method: string, notes: readonly string[]): Ranking => ({
  rows: new Int32Array(0),
  influence: new Float32Array(0),
  method,
  eigenvalues: [],
  indexMs: 0,
  rankMs: 0,
  notes,
})

async function byInfluence(ctx: RunContext, request: RankingRequest, members: Uint8Array | undefined): Promise<Ranking> {
  const { task, model, evaluated, suspects } = request
  if (evaluated.weight === 0) return empty(task.method.kind, [nothingToBlame(request)])
  const treatment = treatmentOf(request)
  if (task.method.kind === 'cg') return byConjugateGradients(ctx, request, treatment, members)
  const automatic = task.method.kind === 'auto'
  const given = task.method.kind === 'spectral' ? task.method.k : undefined
  const pairs = automatic ? autoPairs(model) : (given ?? SPECTRAL_PAIRS)
  const started = performance.now()
  const extra = typeof treatment === 'object' && !changesInputs(treatment) ? treatment : undefined
  const index = await debuggingIndex(ctx, model, pairs, extra)
  const by = automatic ? 'odds' : 'effect'
  const changed =
    changesInputs(treatment) && index.k > 0 ? await changeBlock(ctx, model, { index, pairs, change: treatment, by }) : undefined
  const parts = request.coordinates ? [] : partsOf(request)
  const projected = []
  for (const part of parts) projected.push(await queryProjections(ctx, model, part.predictions, index))
  // Only a choice of k waits for it; a ranking need not.
  const chosen = automatic || given !== undefined ? undefined : await queryNorm(ctx, request)
  const classes = model.labels?.values.length ?? 1
  const resident = changesInputs(treatment) || index.apart || index.k === 0 ? undefined : residentBlock(ctx, index, treatment, classes)
  const indexMs = performance.now() - started
  if (index.k === 0) {
    return empty(task.method.kind, [
      `The Hessian of \`${model.plan.name}\` has no positive eigenvalue: it is not near an optimum. Train it longer, or use method cg with a damping.`,
    ])
  }
  const ranked = performance.now()
  const coefficients = request.coordinates?.slice() ?? new Float64Array(index.k)
  for (const [i, part] of parts.entries()) {
    const some = await projected[i]!.along(part)
    for (let l = 0; l < index.k; l++) coefficients[l]! += some[l]!
  }
  const k = automatic
    ? dataPairs(index, model)
    : chosen === undefined
      ? index.k
      : pairsForShare(coefficients, chosen, flatteningPairs(index, model), 0.95)
  const block = changesInputs(treatment) ? changed!.block : index.blocks.get(treatmentName(treatment))
  const query = coefficients.subarray(0, k)
  const top = members ? index.n : suspects.top
  const apart =
    index.apart && !changesInputs(treatment)
      ? await rankApart(ctx, model, { index, treatment, query, top: suspects.top, members })
      : undefined
  if (!block && !apart)
    return {
      ...empty(task.method.kind, withoutBlock(model)),
      coordinates: coordinatesOf(model, index, treatment, query, suspects.top),
      indexMs,
    }
  const lifted = apart ?? rankCoordinates({ index, block: block!, k, treatment, classes, resident }, query, top)
  const rankMs = evaluated.relaxMs + performance.now() - ranked
  const share = request.coordinates ? undefined : shareHeld(coefficients, k, chosen ?? (await queryNorm(ctx, request)))
  const notes =
    share !== undefined && share < 0.9
      ? [`The ${k} eigenvectors hold ${Math.round(share * 100)} % of the complaint’s gradient: compare with method cg.`]
      : []
  notes.push(...(changed?.notes ?? []))
  if (apart) notes.push(apartWords(apart.share))
  const wanted = given ?? Math.min(pairs, model.trained!.theta.length)
  notes.push(...(model.handed ? handedPairs(model, index.k, wanted) : pairsCaveat(model, index.k, wanted)), ...optimumCaveats(model))
  return {
    ...restricted(lifted.rows, lifted.influence, suspects.top, members),
    method: automatic ? `auto (k = ${k})` : `spectral (k = ${k})`,
    treatment,
    eigenvalues: [...index.values.subarray(0, k)],
    indexMs,
    rankMs,
    notes,
    finding: lifted.standsOut && confusionWords(model, lifted.standsOut),
    spectrum: apart ? { index, block: apart.b, k, of: 'ranked rows' } : { index, block: block!, k, of: 'all rows' },
    coordinates: coordinatesOf(model, index, treatment, query, suspects.top),
    share,
    restricted: members ? true : undefined,
  }
}

/** ‖∇q‖², kept by model, data and weights, for it costs a backward pass over the inference table. */
async function queryNorm(ctx: RunContext, request: RankingRequest): Promise<number> {
  const { model } = request
  const told = partsOf(request).flatMap(({ predictions, weights }) => [
    ctx.prepared.get(predictions.source)!.hash,
    new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength),
  ])
  const hash = digest(model.hash, ...told)
  const stored = ctx.cache.read<{ squaredNorm: number }>('gradients', hash)
  if (stored) return stored.meta.squaredNorm
  const gradient = await wholeGradient(ctx, request)
  const squaredNorm = gradient.reduce((sum, g) => sum + g * g, 0)
  ctx.cache.write('gradients', hash, { squaredNorm }, {})
  return squaredNorm
}

/** The tables that the model speaks of, with the complaint's derivative by its answers about each. */
const partsOf = ({ evaluated }: RankingRequest) => evaluated.parts

async function wholeGradient(ctx: RunContext, request: RankingRequest): Promise<Float64Array> {
  let whole: Float64Array | undefined
  for (const { predictions, weights } of partsOf(request)) {
    const gradient = await queryGradient(ctx, request.model, predictions, weights)
    whole = whole ? whole.map((sum, i) => sum + gradient[i]!) : gradient
  }
  return whole!
}

const apartWords = (share: number) =>
  `The index is larger than may be held in memory: it was ranked from its file, of which ${share < 0.01 ? 'less than 1' : Math.round(100 * share)} % was read. The ranking is exact.`

function confusionWords(model: FittedModel, { given, alternative, lift }: { given: number; alternative: number; lift: number }): string {
  const { values } = model.labels!
  return `The blame concentrates on rows labelled ${values[given]} that the model takes for ${values[alternative]} (${lift.toFixed(1)} × what chance pairs get): they are ranked first.`
}

function nothingToBlame({ evaluated, model }: RankingRequest): string {
  if (evaluated.expectations.length === 0) return 'The query gives no row that an expectation speaks of, so there is nothing to blame.'
  if (evaluated.expectations.some((e) => e.satisfied && e.actual === null) && evaluated.expectations.every((e) => e.satisfied))
    return 'Nothing is known to be wrong, so there is nothing to blame.'
  if (evaluated.expectations.every((e) => e.satisfied)) return 'Everything is as expected, so there is nothing to blame.'
  return `No prediction of \`${model.plan.name}\` can change the answer, so no training row is to blame.`
}

function treatmentOf({ task, model, suspects }: RankingRequest): Treatment {
  const asked = suspects.treatment
  if (asked.kind === 'auto') return task.method.kind === 'auto' ? 'auto' : 'remove'
  if (asked.kind === 'denoise' || asked.kind === 'replace') return asked
  if (asked.kind !== 'relabel' || !model.labels) return 'remove'
  if (asked.to === undefined) return 'relabel'
  const to = model.labels.values.findIndex((value) => String(value) === String(asked.to))
  if (to < 0) throw unknownClass(model, asked.to)
  return { to }
}

async function byConjugateGradients(
  ctx: RunContext,
  request: RankingRequest,
  treatment: Treatment,
  members: Uint8Array | undefined,
): Promise<Ranking> {
  const { task, model, suspects } = request
  if (task.method.kind !== 'cg') throw new Error('not conjugate gradients')
  const { iterations, damping } = task.method
  const started = performance.now()
  const gradient = await wholeGradient(ctx, request)
  return withTraining(ctx, model, async (session, set) => {
    const theta = model.trained!.theta
    let products = 0
    const solved = await conjugateGradient(
      async (v: Float64Array) => {
        ctx.step('conjugate gradients', ++products, iterations)
        const [product] = await session.hessianProducts(theta, [v], ctx.breathe)
        return product!.map((x) => x * set.rows)
      },
      gradient,
      { iterations, damping: damping * set.rows, tolerance: 1e-4 },
    )
    const probabilities = await session.predict(theta, ctx.breathe)
    const tangents = await session.outputTangents(theta, [solved.solution], ctx.breathe)
    const scores = new Float32Array(set.rows)
    const classes = session.architecture.outputs
    if (set.y instanceof Int32Array) {
      const rows = { p: probabilities, y: set.y, classes, confusions: confusionsOf(probabilities, set.y, classes) }
      differences(changesInputs(treatment) ? 'remove' : treatment, rows, tangents, scores)
    }
    if (set.y instanceof Float32Array) valueDifferences(probabilities, tangents, set.y, scores)
    const direction = solved.solution
    const changed = changesInputs(treatment) ? await subtractChanged(ctx, model, { set, change: treatment, direction }, scores) : []
    const ranked = performance.now()
    const all = rankBySpectrum({ k: 1, n: set.rows, b: scores }, Float32Array.of(1), members ? set.rows : suspects.top)
    const notes = [...changed, ...conjugateGradientCaveat(model, solved), ...optimumCaveats(model)]
    return {
      ...restricted(all.rows, all.influence, suspects.top, members),
      method: `cg (${solved.iterations} iterations)`,
      treatment,
      eigenvalues: [],
      indexMs: ranked - started,
      rankMs: performance.now() - ranked,
      notes,
    }
  })
}

/** −log p of the given label, or how sure the model is against it; out-of-fold where the model has folds. */
async function disagreement(ctx: RunContext, model: FittedModel, by: 'loss' | 'confidence'): Promise<Float32Array> {
  const { probabilities, y, width } = await trainingPredictions(ctx, model)
  const scores = new Float32Array(y.length)
  for (let i = 0; i < y.length; i++) {
    const given = y[i]!
    if (!model.labels) {
      scores[i] = (probabilities[i]! - given) ** 2 / 2
      continue
    }
    const other = probabilities[i * width + alternative(probabilities, i * width, width, given)]!
    const own = probabilities[i * width + given]!
    scores[i] = by === 'loss' ? -Math.log(Math.max(own, 1e-12)) : other - own
  }
  return scores
}

export async function trainingPredictions(
  ctx: RunContext,
  model: FittedModel,
): Promise<{ probabilities: Float32Array; y: Int32Array | Float32Array; width: number }> {
  const folds = await outOfFold(ctx, model)
  if (folds) return folds
  return withTraining(ctx, model, async (session, set) => ({
    probabilities: await session.predict(model.trained!.theta, ctx.breathe),
    y: set.y,
    width: session.architecture.outputs,
  }))
}

function selfInfluence(index: DebuggingIndex): Float32Array {
  // ∇ℓᵀH⁻¹∇ℓ over the span: Σ_i ⟨v_i, ∇ℓ⟩²/λ_i = Σ_i λ_i·b_i².
  const b = index.blocks.get('remove')!
  const scores = new Float32Array(index.n)
  for (let i = 0; i < index.k; i++) for (let z = 0; z < index.n; z++) scores[z]! += index.values[i]! * b[i * index.n + z]! ** 2
  return scores
}

function baseline(method: string, scores: Float32Array, top: number, members: Uint8Array | undefined): Ranking {
  const started = performance.now()
  const ranked = rankBySpectrum({ k: 1, n: scores.length, b: scores }, Float32Array.of(1), members ? scores.length : top)
  const kept = restricted(ranked.rows, ranked.influence, top, members)
  return { ...kept, method, eigenvalues: [], indexMs: 0, rankMs: performance.now() - started, notes: [] }
}

function restricted(
  rows: Int32Array,
  influence: Float32Array,
  top: number,
  members: Uint8Array | undefined,
): { rows: Int32Array; influence: Float32Array } {
  if (!members) return { rows, influence }
  const keep: number[] = []
  for (let i = 0; i < rows.length && keep.length < top; i++) if (members[rows[i]!] === 1) keep.push(i)
  return { rows: Int32Array.from(keep, (i) => rows[i]!), influence: Float32Array.from(keep, (i) => influence[i]!) }
}
