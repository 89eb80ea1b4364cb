import { existsSync } from 'node:fs'
import { DataProblem } from '../data/tables.ts'
import type { ModelPlan } from '../plan/plan.ts'
import type { Key, RankedRow } from '../protocol/results.ts'
import { printExpr } from '../sql/print.ts'
import { type Schema, SPLIT } from '../sql/tree.ts'
import { rowsNotHere } from './absent-rows.ts'
import { type Arrays, readStored, writeAtomically } from './cache.ts'
import { digest, type RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import type { FittedModel } from './models.ts'
import type { Ranking } from './ranking.ts'
import { whatWasDone } from './sources.ts'

/**
 * A model that was handed over with its debugging index, for where its training rows are not: `assay index FILE MODEL --import F` puts it under
 * `.assay/handed-over` by the hash of its declaration, the data left out. It answers, and ranks what the file says of the training rows; whatever needs
 * the rows themselves asks `requireRows` and is refused in a sentence.
 */
export interface Handed {
  readonly file: string
  readonly bytes: number
  readonly rows: number
  readonly says: RowsHanded
  /** In training order, where the file tells them. */
  readonly keys?: readonly Key[]
  /** What the model says of each training row, and how sure it is; classes as their places. */
  readonly predicted?: Float32Array
  readonly confidence?: Float32Array
  readonly index: DebuggingIndex
}
/** What a file tells of the training rows: their keys, labels and influences; the same under numbers; or nothing, then a complaint gives coordinates only. */
export type RowsHanded = 'keys' | 'numbers' | 'none'

export interface HandOver {
  readonly assay: 'hand-over/2'
  readonly model: string
  readonly identity: string
  /** `declarationHash`: everything about the model but its data. */
  readonly declaration: string
  readonly backend: string
  /** Eigenpairs asked for when the index was made. */
  readonly pairs: number
  readonly rows: number
  readonly says: RowsHanded
  /** The columns of the files behind the model, and the hash of what was in them. */
  readonly sources: readonly { readonly name: string; readonly schema: Schema; readonly hash: string }[]
  readonly modelMeta: Omit<FittedModel, 'plan' | 'hash' | 'trained'> &
    Pick<NonNullable<FittedModel['trained']>, 'encoding' | 'architecture' | 'fitted'>
  readonly indexMeta: {
    readonly version: number
    readonly k: number
    readonly n: number
    readonly dimension: number
    readonly blocks: readonly string[]
  }
  readonly keys?: readonly Key[]
}

/** Of a model's declaration and those of the sources behind it, whatever is in their files. */
export function declarationHash(ctx: RunContext, plan: ModelPlan, declared: string): string {
  const behind: string[] = []
  const visit = (name: string) => {
    const source = ctx.prepared.get(name)!.plan
    behind.push(whatWasDone(source))
    for (const below of source.over) visit(below)
  }
  visit(plan.source)
  return digest(declared, ...behind)
}

const pathOf = (ctx: RunContext, declaration: string) => ctx.cache.path('handed-over', declaration)

/** Keeps a hand-over for the runs to come. Throws where the folder cannot be written. */
export function keepHandOver(ctx: RunContext, declaration: string, parts: readonly Uint8Array[]): void {
  writeAtomically(`${ctx.cache.folder}/tmp`, pathOf(ctx, declaration), parts)
}

/** Whether any of the rows that the model learned from is here. One count where a split decides. */
export async function hasTrainingRows(ctx: RunContext, plan: ModelPlan): Promise<boolean> {
  const prepared = ctx.prepared.get(plan.source)!
  if (prepared.absent !== undefined || prepared.rows === 0) return false
  if (plan.train === undefined) return true
  const column = (name: string) => printExpr({ kind: 'column', name })
  const split = printExpr({ kind: 'literal', value: plan.train.split })
  const found = await ctx.tables.query(`select 1 as n from ${column(plan.source)} where ${column(SPLIT)} = ${split} limit 1`)
  return found.rows > 0
}

/**
 * The model as it was handed over; `undefined` where its training rows are here, or where there are none and nothing was handed over (then training
 * says what is wrong). Throws where the files are missing and no index stands for them. Cost: one read of the file.
 */
export async function handedModel(ctx: RunContext, plan: ModelPlan, declared: string): Promise<FittedModel | undefined> {
  const { absent } = ctx.prepared.get(plan.source)!
  const declaration = declarationHash(ctx, plan, declared)
  const path = pathOf(ctx, declaration)
  if (!existsSync(path)) {
    if (absent === undefined) return undefined
    throw new DataProblem(
      'no-training-data',
      `\`${plan.name}\` learned from \`${plan.source}\`, whose rows are not here (there is no file ${absent}), and no imported index is of this very declaration. Put the file there, or import an index: \`assay index FILE ${plan.name} --import F\`.`,
    )
  }
  if (absent === undefined && (await hasTrainingRows(ctx, plan))) return undefined
  const stored = readStored<HandOver>(path)
  if (!stored) throw new DataProblem('no-training-data', `The imported index of \`${plan.name}\` was damaged: import it again.`)
  return modelOf(plan, stored, path)
}

export const PREFIX = { model: 'model.', index: 'index.' } as const

export function arraysOf(arrays: Arrays, prefix: string): Arrays {
  return Object.fromEntries(
    Object.entries(arrays).flatMap(([name, array]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), array]] : [])),
  )
}

function modelOf(
  plan: ModelPlan,
  stored: { readonly meta: HandOver; readonly arrays: Arrays; readonly bytes: number },
  file: string,
): FittedModel {
  const { meta, arrays, bytes } = stored
  const { theta, y } = arraysOf(arrays, PREFIX.model) as { theta: Float64Array; y?: Int32Array | Float32Array }
  const { values, vectors, pairs, confident, ...blocks } = arraysOf(arrays, PREFIX.index)
  const { k, n, dimension } = meta.indexMeta
  const { encoding, architecture, fitted, labels, notes } = meta.modelMeta
  const index: DebuggingIndex = {
    k,
    n,
    dimension,
    values: values as Float64Array,
    vectors: vectors as Float64Array,
    blocks: new Map(Object.entries(blocks).map(([name, block]) => [name, block as Float32Array])),
    confusions: pairs && { pairs: pairs as Int32Array, confident: confident as Uint8Array },
    // Another import of the same declaration is another index to whoever keeps parts of it in memory.
    path: `${file} ${meta.identity}`,
    bytes,
    fromCache: true,
  }
  const told = meta.says === 'none' ? 0 : meta.rows
  const rows = Float64Array.from({ length: told }, (_, i) => i)
  const handed: Handed = {
    file,
    bytes,
    rows: meta.rows,
    says: meta.says,
    keys: meta.keys,
    predicted: arrays.predicted as Float32Array | undefined,
    confidence: arrays.confidence as Float32Array | undefined,
    index,
  }
  const trained = { encoding, architecture, fitted, theta, rows, y: y ?? new Int32Array(0) }
  return { plan, hash: digest(meta.identity, meta.backend), labels, trained, notes, handed }
}

/** The sources that an exported file knows the columns of; none where it is no such file, which importing it then says. Cost: one read of the file. */
export function handedSchemas(file: string): HandOver['sources'] {
  const stored = readStored<HandOver>(file)
  return stored?.meta.assay === 'hand-over/2' ? stored.meta.sources : []
}

/** Throws where the model's training rows are not here. */
export function requireRows(model: FittedModel, what: string): void {
  if (!model.handed) return
  throw rowsNotHere(`${what} needs the rows that \`${model.plan.name}\` learned from, and only an imported index of them is here.`)
}

/** The first k eigenpairs of what was handed over: what a smaller index would hold. */
export function handedIndex({ index }: Handed, k: number): DebuggingIndex {
  if (k >= index.k) return index
  return {
    ...index,
    k,
    values: index.values.subarray(0, k),
    vectors: index.vectors.subarray(0, k * index.dimension),
    blocks: new Map([...index.blocks].map(([name, block]) => [name, block.subarray(0, k * index.n)])),
  }
}

/** Suspects as far as the file tells: key (or number in training order), label, the model's opinion, what would be done. */
export function handedRows(model: FittedModel, ranking: Ranking): RankedRow[] {
  const { handed, labels, trained } = model
  const { keys, predicted, confidence, index } = handed!
  const named = (c: number) => (labels ? labels.values[c] : c)
  return Array.from(ranking.rows, (row, i): RankedRow => {
    const pair = index.confusions?.pairs[row]
    return {
      key: keys?.[row] ?? row,
      influence: ranking.influence[i]!,
      rank: i + 1,
      treatment: treatmentOf(ranking, model, pair),
      label: named(trained!.y[row]!),
      prediction: predicted && named(predicted[row]!),
      confidence: labels ? confidence?.[row] : undefined,
    }
  })
}

function treatmentOf({ treatment }: Ranking, { labels }: FittedModel, pair: number | undefined): string | undefined {
  if (treatment === undefined) return undefined
  if (!labels || treatment === 'remove' || pair === undefined) return 'remove'
  const to = typeof treatment === 'object' ? (treatment as { to?: number }).to : pair % labels.values.length
  return to === undefined ? 'remove' : `relabel to ${String(labels.values[to])}`
}

/** Why an index that was handed over ranks nothing, where its note does not say so already. */
export function withoutBlock({ handed, plan }: FittedModel): string[] {
  if (handed?.says === 'none') return []
  return [
    `The imported index of \`${plan.name}\` does not hold what the treatment asked for would do, so nothing is ranked: blame \`by influence\`, or run this where the training rows are.`,
  ]
}

/** Where an index that was handed over holds fewer eigenvectors than a method was to use. */
export function handedPairs({ plan }: FittedModel, found: number, wanted: number): string[] {
  return found < wanted
    ? [`The imported index of \`${plan.name}\` holds ${found} eigenvectors, and ${wanted} were asked for: these are used.`]
    : []
}

/** What a result says of an index that stands for rows. */
export function handedNote(ctx: RunContext, model: FittedModel): string | undefined {
  const { handed, plan } = model
  if (!handed) return undefined
  const source = ctx.prepared.get(plan.source)!
  const where = source.absent === undefined ? 'none of its training rows is here' : `there is no file ${source.absent}`
  const who = {
    keys: 'suspects are known by the keys in it',
    numbers: 'suspects are known by their number in it, which the owner of the training data can look up',
    none: 'it tells nothing of the rows, so no suspect is named: hand the result, with its coordinates, to the owner of the training data (`assay index FILE MODEL --rank RESULT.json`)',
  }[handed.says]
  return `\`${plan.name}\` comes from an imported index, for ${where}: ${who}.`
}
