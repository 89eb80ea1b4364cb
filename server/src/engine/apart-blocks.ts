import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DataProblem } from '../data/tables.ts'
import type { Session } from '../learn/session.ts'
import { type BlockRanking, eachBlock, rankByBlocks, sumsOf, type Weights } from '../methods/influence/bounded-blocks.ts'
import { type ConfusionRanking, confusionLifts } from '../methods/influence/rank-by-confusion.ts'
import { type BlockFile, DamagedBlock, openBlockFile } from './block-file.ts'
import type { RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import { type FittedModel, type TrainingSet, withTraining } from './models.ts'
import { samplingError } from './spectral-rule.ts'
import {
  type Confusions,
  confusionsOf,
  differences,
  type LabelledRows,
  type LabelTreatment,
  treatmentName,
  valueDifferences,
} from './treatments.ts'
import { type BlockWriter, writeBlockFile } from './write-block-file.ts'

/**
 * The part of a debugging index that grows with rows × treatments, in files of its own, one a treatment, where it is larger than may be held
 * (`ctx.inMemory.index`, a quarter of the memory given): made piece by piece of the training rows and ranked by reading the blocks that could still matter.
 * Rankings are those of an index in memory. Beside the bounds, O(n) memory: 9 bytes a row for what the model takes it for, 4·C for its probabilities.
 */
export interface ApartBlocks {
  /** Treatments that there are files of, or should be: they are made again where they are not. */
  readonly names: ReadonlySet<string>
  readonly path: (name: string) => string
  readonly bytes: number
}

export const apartNote = ({ apart }: Pick<DebuggingIndex, 'apart'>): string =>
  `Larger than may be held in memory: ${apart!.names.size} treatments lie in files of their own (${Math.max(1, Math.round(apart!.bytes / 2 ** 20))} MB), which rankings read in part.`

export const isTooLarge = (ctx: RunContext, k: number, n: number, treatments: number): boolean =>
  4 * k * n * treatments > ctx.inMemory.index

export const apartPath = (ctx: RunContext, hash: string, name: string): string => ctx.cache.path('blocks', `${hash}-${name}`)

export interface ToProject {
  readonly session: Session
  readonly set: TrainingSet
  readonly pairs: { readonly values: Float64Array; readonly vectors: readonly Float64Array[] }
  readonly treatments: readonly LabelTreatment[]
  readonly path: (name: string) => string
}

/** Tangents of one piece of the rows, all eigenvectors and treatments: this many bytes, or a quarter of what may be held. */
const PIECE_BYTES = 64e6
const LEAST_PIECE = 256

/** Writes b_z of every row and treatment. The model's passes are those of an index in memory, over pieces of the rows. */
export async function projectApart(
  ctx: RunContext,
  model: FittedModel,
  { session, set, pairs, treatments, path }: ToProject,
): Promise<{ readonly confusions?: Confusions; readonly bytes: number }> {
  const theta = model.trained!.theta
  const { architecture } = session
  const n = set.rows
  const k = pairs.values.length
  const classes = architecture.outputs
  const p = await session.predict(theta, ctx.breathe)
  const confusions = set.y instanceof Int32Array ? confusionsOf(p, set.y, classes) : undefined
  const groups = confusions ? confusions.pairs.map((pair, row) => groupOf(pair, confusions.confident[row]!)) : new Int32Array(n)
  const memory = Math.min(PIECE_BYTES, ctx.inMemory.index / 4)
  const perPiece = Math.max(LEAST_PIECE, Math.min(n, Math.floor(memory / (4 * k * (classes + 2)))))
  const damping = samplingError(pairs.values, n)
  const backend = await ctx.backend()
  const writers: BlockWriter[] = []
  let bytes = 0
  try {
    for (const treatment of treatments)
      writers.push(
        writeBlockFile(path(treatmentName(treatment)), join(ctx.cache.folder, 'tmp'), { k, groups, memory: ctx.inMemory.index / 4 }),
      )
    for (let first = 0; first < n; first += perPiece) {
      ctx.step('projecting training rows', first, n)
      const count = Math.min(perPiece, n - first)
      const x = set.x.subarray(first * architecture.inputs, (first + count) * architecture.inputs)
      const own = await backend.open(architecture, { rows: count, x })
      let tangents: Float32Array
      try {
        tangents = await own.outputTangents(theta, pairs.vectors, ctx.breathe)
      } finally {
        own.dispose()
      }
      const piece = pieceOf({ p, y: set.y, classes, confusions }, first, count)
      for (const [t, treatment] of treatments.entries()) {
        const b = new Float32Array(count * k)
        const column = new Float32Array(count)
        for (let l = 0; l < k; l++) {
          const along = tangents.subarray(l * count * classes, (l + 1) * count * classes)
          if ('labelled' in piece) differences(treatment, piece.labelled, along, column)
          else valueDifferences(piece.predicted, along, piece.y, column)
          // Rounded where an index in memory rounds.
          const scale = 1 / (pairs.values[l]! + (treatment === 'auto' ? damping : 0))
          for (let row = 0; row < count; row++) b[row * k + l] = column[row]! * scale
        }
        writers[t]!.add(b)
      }
      await ctx.breathe()
    }
    for (const [t, writer] of writers.entries()) {
      ctx.step('putting rows into blocks', t, writers.length)
      bytes += (await writer.finish(ctx.breathe)).bytes
    }
  } catch (reason) {
    if (isFileProblem(reason)) throw cannotWrite(ctx, k, n, treatments.length)
    throw reason
  } finally {
    for (const writer of writers) writer.abandon()
  }
  return { confusions, bytes }
}

const groupOf = (pair: number, confident: number) => 2 * pair + confident

interface Rows {
  readonly p: Float32Array
  readonly y: Int32Array | Float32Array
  readonly classes: number
  readonly confusions?: Confusions
}

function pieceOf(
  { p, y, classes, confusions }: Rows,
  first: number,
  count: number,
): { readonly labelled: LabelledRows } | { readonly predicted: Float32Array; readonly y: Float32Array } {
  const probabilities = p.subarray(first * classes, (first + count) * classes)
  if (y instanceof Float32Array) return { predicted: probabilities, y: y.subarray(first, first + count) }
  const { pairs, odds, confident } = confusions!
  const end = first + count
  const own = { pairs: pairs.subarray(first, end), odds: odds.subarray(first, end), confident: confident.subarray(first, end) }
  return { labelled: { p: probabilities, y: y.subarray(first, end), classes, confusions: own } }
}

const isFileProblem = (reason: unknown): boolean => reason instanceof Error && 'syscall' in reason

function cannotWrite(ctx: RunContext, k: number, n: number, treatments: number): DataProblem {
  const megabytes = (bytes: number) => Math.max(1, Math.round(bytes / 2 ** 20))
  return new DataProblem(
    'no-room',
    `The index takes ${megabytes(4 * k * n * treatments)} MB, more than may be held in memory (${megabytes(ctx.inMemory.index)} MB), and cannot be written to \`${ctx.cache.folder}\`. Set ASSAY_HOME to a folder on a disk with room for three times as much, or give it more memory.`,
  )
}

export interface ApartAsked {
  readonly index: DebuggingIndex
  readonly treatment: LabelTreatment
  /** As many coordinates as are used. */
  readonly query: Float64Array
  readonly top: number
  /** 1 for each row that may be blamed. */
  readonly members?: Uint8Array
}

export type ApartRanking = BlockRanking & Pick<ConfusionRanking, 'standsOut'> & { readonly share: number }

/** As `rankCoordinates` over an index in memory, in float64 throughout; `share` of its rows were read. */
export async function rankApart(ctx: RunContext, model: FittedModel, asked: ApartAsked): Promise<ApartRanking> {
  const { index, treatment, query, top, members } = asked
  return withBlocks(ctx, model, index, treatment, async ({ bounds, read }) => {
    const search = { bounds, read, query, top, eligible: members, token: ctx.token }
    const lifted = treatment === 'auto' ? await liftsApart(ctx, model, index, search) : undefined
    const found = await rankByBlocks({ ...search, weights: lifted?.weights })
    const rows = Math.max(found.read.rows, lifted?.rows ?? 0)
    return { ...found, standsOut: lifted?.standsOut, share: rows / Math.max(1, index.n) }
  })
}

/** The pairs of classes that the blame concentrates on: by the sums of the confident rows, which lie in blocks of their own. */
async function liftsApart(
  ctx: RunContext,
  model: FittedModel,
  { n, confusions }: DebuggingIndex,
  { bounds, read, query }: Pick<BlockFile, 'bounds' | 'read'> & { readonly query: Float64Array },
): Promise<{ readonly weights: Weights; readonly standsOut: ConfusionRanking['standsOut']; readonly rows: number } | undefined> {
  if (!confusions) return undefined
  const { pairs, confident } = confusions
  const sums = new Float32Array(n)
  const speaks = (block: number) => bounds.groups[block]! < 0 || (bounds.groups[block]! & 1) === 1
  const rows = await eachBlock({ bounds, read, token: ctx.token }, speaks, (block) => {
    const own = sumsOf(block, query)
    for (const [i, row] of block.rows.entries()) sums[row] = own[i]!
  })
  const { lifts, most, standsOut } = confusionLifts({ n, classes: model.labels!.values.length, pairs, confident }, sums)
  return { weights: { of: lifts, most, pairs, pairOf: (group) => group >> 1 }, standsOut, rows }
}

/** ∇ℓᵀH⁻¹∇ℓ over the span, of every row: all blocks are read, one after the other. */
export async function selfInfluenceApart(ctx: RunContext, model: FittedModel, index: DebuggingIndex): Promise<Float32Array> {
  const scores = new Float32Array(index.n)
  await everyBlock(ctx, model, index, 'remove', (rows, b) => {
    for (let l = 0; l < index.k; l++)
      for (let i = 0; i < rows.length; i++) scores[rows[i]!]! += index.values[l]! * b[l * rows.length + i]! ** 2
  })
  return scores
}

/** One treatment's k × n numbers in memory after all: for what needs every row of it. */
export async function wholeBlock(
  ctx: RunContext,
  model: FittedModel,
  index: DebuggingIndex,
  treatment: LabelTreatment,
): Promise<Float32Array> {
  const { k, n } = index
  const whole = new Float32Array(k * n)
  await everyBlock(ctx, model, index, treatment, (rows, b) => {
    for (let l = 0; l < k; l++) for (let i = 0; i < rows.length; i++) whole[l * n + rows[i]!] = b[l * rows.length + i]!
  })
  return whole
}

function everyBlock(
  ctx: RunContext,
  model: FittedModel,
  index: DebuggingIndex,
  treatment: LabelTreatment,
  take: (rows: Int32Array, b: Float32Array) => void,
): Promise<number> {
  return withBlocks(ctx, model, index, treatment, ({ bounds, read }) =>
    eachBlock(
      { bounds, read, token: ctx.token },
      () => true,
      ({ rows, b }) => take(rows, b),
    ),
  )
}

/** Blocks that are not there any more, or were changed, are made again: once. */
async function withBlocks<T>(
  ctx: RunContext,
  model: FittedModel,
  index: DebuggingIndex,
  treatment: LabelTreatment,
  use: (file: BlockFile) => Promise<T>,
): Promise<T> {
  const path = index.apart!.path(treatmentName(treatment))
  const opened = () => {
    const file = openBlockFile(path)
    if (file && file.bounds.k === index.k && file.bounds.n === index.n) return file
    file?.close()
    return undefined
  }
  const file = opened()
  try {
    if (file) return await use(file)
  } catch (reason) {
    if (!(reason instanceof DamagedBlock)) throw reason
  } finally {
    file?.close()
  }
  rmSync(path, { force: true })
  const pairs = { values: index.values, vectors: vectorsOf(index) }
  await withTraining(ctx, model, (session, set) =>
    projectApart(ctx, model, { session, set, pairs, treatments: [treatment], path: index.apart!.path }),
  )
  const again = opened()
  if (!again)
    throw new DataProblem(
      'no-cache',
      `\`${path}\` was written and cannot be read back. Look at the disk, or set ASSAY_HOME to another folder.`,
    )
  try {
    return await use(again)
  } finally {
    again.close()
  }
}

const vectorsOf = ({ k, dimension, vectors }: DebuggingIndex) =>
  Array.from({ length: k }, (_, l) => vectors.subarray(l * dimension, (l + 1) * dimension))
