import { existsSync, readFileSync } from 'node:fs'
import { DataProblem } from '../data/tables.ts'
import { rankByConfusion } from '../methods/influence/rank-by-confusion.ts'
import { rankBySpectrum } from '../methods/influence/rank-by-spectrum.ts'
import type { ComplaintCoordinates, RankedComplaint } from '../protocol/results.ts'
import { wholeBlock } from './apart-blocks.ts'
import { digest, type RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import type { FittedModel } from './models.ts'
import type { Ranking } from './ranking.ts'
import type { ResidentBlock } from './resident-index.ts'
import { rankedRows } from './suspects.ts'
import { changesInputs, type LabelTreatment, type Treatment, treatmentName } from './treatments.ts'

/**
 * A complaint as k numbers to hand over (R++ §1, §4.1): ⟨∇q, v_l⟩ in the coordinates of a model's eigenvectors, signed so that more is better. Whoever has the
 * training rows ranks them by these alone; they tell nothing of the queried rows but this sum.
 */
export interface Spanned {
  readonly index: DebuggingIndex
  /** b of the treatment, k of whose rows are used. */
  readonly block: Float32Array
  readonly k: number
  readonly treatment: Treatment
  readonly classes: number
  /** The same block where it ranks faster. */
  readonly resident?: ResidentBlock
}

/** The training rows by influence; `auto` lifts rows of the pair of classes that stands out. O(k·n). */
export function rankCoordinates(spanned: Spanned, query: Float64Array, top: number) {
  const { index, block, k, treatment, classes, resident } = spanned
  const b = block.subarray(0, k * index.n)
  const spectral = { k, n: index.n, b, kernel: resident?.index?.kernel?.first(k) }
  if (treatment === 'auto' && index.confusions) {
    return resident?.confusion?.rank(query, top) ?? rankByConfusion({ ...spectral, classes, ...index.confusions }, query, top)
  }
  return { ...rankBySpectrum(spectral, query, top), standsOut: undefined }
}

/** What a result holds of a complaint, for another place. */
export function coordinatesOf(
  model: FittedModel,
  index: DebuggingIndex,
  treatment: Treatment,
  query: ArrayLike<number>,
  top: number,
): ComplaintCoordinates {
  return {
    model: model.hash,
    basis: basisOf(index),
    treatment: changesInputs(treatment) ? treatment.kind : treatmentName(treatment),
    k: query.length,
    values: Array.from(query),
    top,
  }
}

/** Tells one set of eigenvectors from another: those of another backend may have other signs. O(k). */
function basisOf({ k, dimension, values, vectors }: DebuggingIndex): string {
  const some = Float64Array.from({ length: Math.min(k, 8) * 16 }, (_, i) => {
    const l = i >> 4
    return vectors[l * dimension + Math.floor(((i & 15) * dimension) / 16)] ?? 0
  })
  return digest(new Uint8Array(values.slice(0, 8).buffer), new Uint8Array(some.buffer))
}

/**
 * Ranks the training rows for every complaint of a result file that holds coordinates of this model's index. Throws `DataProblem` where it holds none, or
 * another's.
 */
export async function rankResultFile(ctx: RunContext, model: FittedModel, index: DebuggingIndex, file: string): Promise<RankedComplaint[]> {
  const given = complaintsIn(file)
  const own = given.filter((one) => one.coordinates.model === model.hash && one.coordinates.basis === basisOf(index))
  if (own.length === 0) {
    throw new DataProblem(
      'other-coordinates',
      `The complaints in \`${file}\` are in the coordinates of another index than that of \`${model.plan.name}\` here: other data, another declaration, or another engine. Rank where the index was exported, with the engine that made it.`,
    )
  }
  const ranked: RankedComplaint[] = []
  for (const { name, query, coordinates } of own) {
    const apart = index.apart?.names.has(coordinates.treatment)
    const block = apart
      ? await wholeBlock(ctx, model, index, treatmentNamed(coordinates.treatment) as LabelTreatment)
      : index.blocks.get(coordinates.treatment)
    if (!block) {
      throw new DataProblem(
        'other-coordinates',
        `\`${name}\` asks for a treatment that the index of \`${model.plan.name}\` does not hold (${coordinates.treatment}). Blame by influence without \`of\`, or run the complaint where the training rows are.`,
      )
    }
    const treatment = treatmentNamed(coordinates.treatment)
    const spanned = { index, block, k: coordinates.k, treatment, classes: model.labels?.values.length ?? 1 }
    const { rows, influence } = rankCoordinates(spanned, Float64Array.from(coordinates.values), coordinates.top)
    const ranking = { rows, influence, treatment, spectrum: { index, block, k: coordinates.k, of: 'all rows' } } as unknown as Ranking
    ranked.push({ complaint: name, query, ranking: (await rankedRows(ctx, model, ranking)).rows })
  }
  return ranked
}

function treatmentNamed(name: string): Treatment {
  const to = /^to-(\d+)$/.exec(name)
  return to ? { to: Number(to[1]) } : (name as Treatment)
}

interface GivenComplaint {
  readonly name: string
  readonly query?: string
  readonly coordinates: ComplaintCoordinates
}

function complaintsIn(file: string): GivenComplaint[] {
  if (!existsSync(file))
    throw new DataProblem(
      'missing-file',
      `There is no file \`${file}\`. Name one that \`assay run … --format json --out RESULT.json\` wrote.`,
    )
  const found = parsed(file).flatMap((one): GivenComplaint[] => {
    const { kind, name, query, coordinates } = (one ?? {}) as Partial<GivenComplaint> & { kind?: string }
    return kind === 'complaint' && typeof name === 'string' && isCoordinates(coordinates) ? [{ name, query, coordinates }] : []
  })
  if (found.length > 0) return found
  throw new DataProblem(
    'no-coordinates',
    `\`${file}\` holds no complaint with coordinates. They are in the JSON of a complaint that stands and is ranked by influence under \`method auto\` or \`spectral\`: \`assay run FILE --format json --out RESULT.json\`.`,
  )
}

function parsed(file: string): readonly unknown[] {
  try {
    const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results?: unknown }
    return Array.isArray(results) ? results : []
  } catch {
    return []
  }
}

function isCoordinates(given: unknown): given is ComplaintCoordinates {
  const { model, basis, treatment, k, values, top } = (given ?? {}) as Partial<ComplaintCoordinates>
  return (
    [model, basis, treatment].every((text) => typeof text === 'string') &&
    Array.isArray(values) &&
    values.length === k &&
    values.every(Number.isFinite) &&
    Number.isInteger(top) &&
    top! > 0
  )
}
