import { encode } from '../data/encode.ts'
import type { SourcePlan } from '../plan/plan.ts'
import type { InferenceRow, RankedRow } from '../protocol/results.ts'
import type { Picture } from '../protocol/views.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import { jsonAt, namedColumn } from './columns.ts'
import type { RunContext } from './context.ts'
import { inputItems, queryInputs } from './inputs.ts'
import { keyAt, keyColumns, rowsAt } from './keys.ts'
import { argmax } from './metrics.ts'
import type { FittedModel } from './models.ts'
import { pictureOf } from './pictures.ts'
import type { Predictions } from './predictions.ts'
import type { Ranking } from './ranking.ts'

/**
 * Why a row is blamed: the rows of the complaint's query through which it acts. A spectral influence is a sum over these rows, for ∇q is one:
 * Σ_l ⟨∇q, v_l⟩·b_l,z = Σ_j Σ_l P_l,j·b_l,z with P_l,j = Σ_c a_jc·⟨v_l, ∇z_jc⟩ and a_jc = p_jc·(w_jc − Σ_c′ p_jc′·w_jc′), w = ∂q/∂p (METHODS §4; R++ §4.1).
 * Where the influence is no such sum (conjugate gradients, baselines), the rows whose inputs are most alike, by cosine, among those that move the query.
 *
 * Cost, with m rows looked at (those with the greatest ‖a_j‖: at most `MOST_ROWS`, or `MOST_ALIKE`; shares are of what goes through these), N ranked rows explained (at most `EXPLAINED`), k
 * eigenvectors and d inputs: one forward-mode pass of k tangents over m rows and O(N·m·k); or O(N·m·d).
 */
export interface Part {
  readonly predictions: Predictions
  /** ∂q/∂p, rows × classes; ∂q/∂ŷ for regression. */
  readonly weights: Float32Array
}
export interface WhyAsked {
  readonly model: FittedModel
  readonly ranking: Ranking
  readonly ranked: readonly RankedRow[]
  readonly parts: readonly Part[]
}
export interface Explained {
  readonly ranked: RankedRow[]
  /** By `JSON.stringify([source, key])`. */
  readonly pictures: Readonly<Record<string, Picture>>
}

const MOST_ROWS = 4096
const MOST_ALIKE = 2000
const EXPLAINED = 100
const REASONS = 3

export async function explainRanking(ctx: RunContext, asked: WhyAsked): Promise<Explained> {
  const { model, ranking, ranked } = asked
  const n = Math.min(EXPLAINED, ranked.length)
  if (!model.trained || n === 0) return { ranked: [...ranked], pictures: {} }
  ctx.step('finding through which rows they act', 0, 0)
  const most = ranking.spectrum ? MOST_ROWS : MOST_ALIKE
  const touched = asked.parts.map((part) => moved(model, part))
  const chosen = strongest(touched, most)
  if (chosen.every((rows) => rows.length === 0)) return { ranked: [...ranked], pictures: {} }
  const found = ranking.spectrum ? await throughSpectrum(ctx, asked, touched, chosen, n) : await byLikeness(ctx, asked, chosen, n)
  const shown = await shownRows(ctx, asked, found)
  return {
    ranked: ranked.map((row, i) => {
      const why = (found[i] ?? []).map(
        ({ part, row: at, ...measure }): InferenceRow => ({ ...shown.rows.get(placeOf(part, at))!, ...measure }),
      )
      return why.length > 0 ? { ...row, why } : row
    }),
    pictures: shown.pictures,
  }
}

interface Through {
  readonly part: number
  /** Position in the part's source. */
  readonly row: number
  readonly share?: number
  readonly likeness?: number
}

/** What a row's answers do to the query: a_jc (∂q/∂logits; ∂q/∂ŷ for regression), rows × width, and its length. */
interface Moved {
  readonly slopes: Float32Array
  readonly lengths: Float32Array
}

function moved(model: FittedModel, { predictions, weights }: Part): Moved {
  const { rows, width, values: p } = predictions
  const slopes = new Float32Array(rows * width)
  const lengths = new Float32Array(rows)
  for (let j = 0, at = 0; j < rows; j++, at += width) {
    let mean = 0
    for (let c = 0; model.labels && c < width; c++) mean += p[at + c]! * weights[at + c]!
    let square = 0
    for (let c = 0; c < width; c++) {
      const slope = model.labels ? p[at + c]! * (weights[at + c]! - mean) : weights[at + c]!
      slopes[at + c] = slope
      square += slope * slope
    }
    lengths[j] = Math.sqrt(square)
  }
  return { slopes, lengths }
}

/** The rows that move the query most, at most `most` of all parts together, each part's in the order of its source. O(n log n), typed arrays only. */
function strongest(parts: readonly Moved[], most: number): Int32Array[] {
  const moving = parts.map(({ lengths }) => lengths.filter((length) => length > 0))
  const all = new Float32Array(moving.reduce((sum, some) => sum + some.length, 0))
  let before = 0
  for (const some of moving) {
    all.set(some, before)
    before += some.length
  }
  const cut = all.length > most ? all.sort()[all.length - most]! : 0
  let left = most
  return parts.map(({ lengths }) => {
    const rows: number[] = []
    for (let row = 0; row < lengths.length && left > 0; row++) {
      if (!(lengths[row]! > 0 && lengths[row]! >= cut)) continue
      rows.push(row)
      left--
    }
    return Int32Array.from(rows)
  })
}

async function throughSpectrum(
  ctx: RunContext,
  { model, ranking, parts }: WhyAsked,
  touched: readonly Moved[],
  chosen: readonly Int32Array[],
  n: number,
): Promise<Through[][]> {
  const { index, block, k, of } = ranking.spectrum!
  const theta = model.trained!.theta
  const vectors = Array.from({ length: k }, (_, l) => index.vectors.subarray(l * index.dimension, (l + 1) * index.dimension))
  const rows = chosen.flatMap((some, part) => Array.from(some, (row) => ({ part, row })))
  // P, eigenvector by eigenvector.
  const projected = new Float64Array(k * rows.length)
  let before = 0
  for (const [p, some] of chosen.entries()) {
    if (some.length === 0) continue
    const { source, width } = parts[p]!.predictions
    const x = await inputsOf(ctx, model, source, some)
    const session = await (await ctx.backend()).open(model.trained!.architecture, { rows: some.length, x })
    try {
      const tangents = await session.outputTangents(theta, vectors, ctx.breathe)
      for (let l = 0; l < k; l++) {
        for (let i = 0, at = l * some.length * width; i < some.length; i++, at += width) {
          const cell = some[i]! * width
          let sum = 0
          for (let c = 0; c < width; c++) sum += touched[p]!.slopes[cell + c]! * tangents[at + c]!
          projected[l * rows.length + before + i] = sum
        }
      }
    } finally {
      session.dispose()
    }
    before += some.length
  }
  const found: Through[][] = []
  const effects = new Float64Array(rows.length)
  for (let i = 0; i < n; i++) {
    if (i % 10 === 0) await ctx.breathe()
    const z = ranking.rows[i]!
    effects.fill(0)
    for (let l = 0; l < k; l++) {
      const b = of === 'all rows' ? block[l * index.n + z]! : block[l * ranking.rows.length + i]!
      for (let j = 0, at = l * rows.length; j < rows.length; j++) effects[j]! += b * projected[at + j]!
    }
    const sign = ranking.influence[i]! < 0 ? -1 : 1
    let whole = 0
    for (const effect of effects) whole += Math.max(0, sign * effect)
    const best = largest(effects, sign)
    found.push(best.flatMap((j) => (sign * effects[j]! > 0 ? [{ ...rows[j]!, share: (sign * effects[j]!) / whole }] : [])))
  }
  return found
}

async function byLikeness(
  ctx: RunContext,
  { model, ranking, parts }: WhyAsked,
  chosen: readonly Int32Array[],
  n: number,
): Promise<Through[][]> {
  const { source } = model.plan
  const training = Int32Array.from(ranking.rows.subarray(0, n), (row) => model.trained!.rows[row]!)
  const d = model.trained!.encoding.width
  const own = unit(await inputsOf(ctx, model, source, training), d)
  const rows = chosen.flatMap((some, part) => Array.from(some, (row) => ({ part, row })))
  const others = new Float32Array(rows.length * d)
  let before = 0
  for (const [p, some] of chosen.entries()) {
    if (some.length > 0) others.set(await inputsOf(ctx, model, parts[p]!.predictions.source, some), before * d)
    before += some.length
  }
  unit(others, d)
  const cosines = new Float64Array(rows.length)
  const found: Through[][] = []
  for (let i = 0; i < n; i++) {
    await ctx.breathe()
    for (let j = 0, at = 0; j < rows.length; j++, at += d) {
      let sum = 0
      for (let c = 0, a = i * d; c < d; c++) sum += own[a + c]! * others[at + c]!
      cosines[j] = sum
    }
    found.push(largest(cosines, 1).map((j) => ({ ...rows[j]!, likeness: cosines[j]! })))
  }
  return found
}

/** Rows scaled to length 1, in place; a row of zeros stays. */
function unit(x: Float32Array, d: number): Float32Array {
  for (let at = 0; at < x.length; at += d) {
    let square = 0
    for (let c = 0; c < d; c++) square += x[at + c]! ** 2
    const length = Math.sqrt(square)
    if (length > 0) for (let c = 0; c < d; c++) x[at + c]! /= length
  }
  return x
}

/** The `REASONS` largest, ties by position. O(n). */
function largest(values: Float64Array, sign: 1 | -1): number[] {
  const best: number[] = []
  for (let j = 0; j < values.length; j++) {
    if (best.length === REASONS && sign * values[j]! <= sign * values[best.at(-1)!]!) continue
    let at = best.length
    while (at > 0 && sign * values[best[at - 1]!]! < sign * values[j]!) at--
    best.splice(at, 0, j)
    best.length = Math.min(best.length, REASONS)
  }
  return best
}

/** Encoded inputs of rows by position, in the order asked for. */
async function inputsOf(ctx: RunContext, model: FittedModel, source: string, positions: Int32Array): Promise<Float32Array> {
  const { encoding } = model.trained!
  // A list of most rows costs more than reading all of them.
  if (positions.length * 4 > ctx.prepared.get(source)!.rows) {
    const all = [quoted(ROW), ...inputItems(model.plan)].join(', ')
    const columns = await queryInputs(ctx, model.plan, {
      sql: `select ${all} from ${quoted(source)} order by ${quoted(ROW)}`,
      source,
      encoding,
    })
    await ctx.breathe()
    return encode(encoding, columns.columns, positions).values
  }
  const list = Array.from(positions, (position, i) => `(${position}, ${i})`).join(', ')
  const items = [`s.${quoted(ROW)}`, ...inputItems(model.plan, 's')].join(', ')
  const sql = `select ${items} from ${quoted(source)} s join (values ${list}) as w(position, place) on s.${quoted(ROW)} = w.position order by w.place`
  const columns = await queryInputs(ctx, model.plan, { sql, source, encoding })
  await ctx.breathe()
  return encode(encoding, columns.columns).values
}

const quoted = (name: string) => printExpr({ kind: 'column', name })
const placeOf = (part: number, row: number) => `${part} ${row}`

/** What a person needs to know of the rows found: key, label where the source has it, the model's opinion, a picture. One scan a source. */
async function shownRows(
  ctx: RunContext,
  { model, parts }: WhyAsked,
  found: readonly (readonly Through[])[],
): Promise<{ rows: Map<string, InferenceRow>; pictures: Record<string, Picture> }> {
  const rows = new Map<string, InferenceRow>()
  const pictures: Record<string, Picture> = {}
  const image = model.plan.inputs.find((column) => column.type === 'image')?.name
  for (const [p, { predictions }] of parts.entries()) {
    const positions = [...new Set(found.flatMap((some) => some.flatMap((one) => (one.part === p ? [one.row] : []))))].sort((a, b) => a - b)
    if (positions.length === 0) continue
    const source: SourcePlan = ctx.prepared.get(predictions.source)!.plan
    const target = source.columns.find((column) => column.name === model.plan.target.name)?.name
    const columns = await rowsAt(ctx, source, positions, [...(target ? [target] : []), ...(image ? [image] : [])])
    for (const [i, position] of positions.entries()) {
      const key = keyAt(columns, keyColumns(source), i)
      const best = argmax(predictions.values, position, predictions.width)
      rows.set(placeOf(p, position), {
        source: source.name,
        key,
        ...(target ? { label: jsonAt(namedColumn(columns, target), i) } : {}),
        prediction: model.labels ? model.labels.values[best] : predictions.values[position],
        ...(model.labels ? { confidence: predictions.values[position * predictions.width + best] } : {}),
      })
      const picture = image === undefined ? undefined : pictureOf(columns, image, i, key)
      if (picture) pictures[JSON.stringify([source.name, key])] = picture
    }
  }
  return { rows, pictures }
}
