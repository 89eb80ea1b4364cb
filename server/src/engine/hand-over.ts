import { existsSync } from 'node:fs'
import { DataProblem } from '../data/tables.ts'
import type { ModelPlan } from '../plan/plan.ts'
import type { Key } from '../protocol/results.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import { type Arrays, encodeStored, readStored, writeStored } from './cache.ts'
import { numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { indexHash } from './debugging-index.ts'
import {
  arraysOf,
  declarationHash,
  type HandOver,
  hasTrainingRows,
  keepHandOver,
  PREFIX,
  type RowsHanded,
  requireRows,
} from './handed-model.ts'
import { keyAt, keyColumns } from './keys.ts'
import { argmax } from './metrics.ts'
import { declarationText, type FittedModel, modelHash, modelIdentity, withTraining } from './models.ts'
import { filesHash } from './sources.ts'
import { autoPairs } from './spectral-rule.ts'

/**
 * A model and its debugging index in one file, for another machine: computed where there is a fast engine, or where the training data is, used where
 * there is none. Where the data is too, it must be the very same: what the index was made from is compared by hash. Where it is not, the model's
 * declaration must be the same, and the file speaks for the training rows (`handed-model.ts`). A file that was damaged or cut short is refused.
 */
export interface ExportAsked {
  readonly file: string
  /** What it tells of the training rows. */
  readonly rows: RowsHanded
}

/** Cost: one forward pass over the training rows, and one query for their keys. */
export async function exportIndex(ctx: RunContext, model: FittedModel, { file, rows: says }: ExportAsked): Promise<void> {
  requireRows(model, 'An export')
  const pairs = autoPairs(model)
  const record = ctx.cache.read<HandOver['modelMeta']>('models', model.hash)
  const stored = ctx.cache.read<HandOver['indexMeta']>('index', indexHash(model.hash, pairs))
  if (!record || !stored) {
    throw new DataProblem(
      'no-cache',
      `The cache in \`${ctx.cache.folder}\` cannot be written, so there is nothing to export. Set ASSAY_HOME to a folder that can be written.`,
    )
  }
  const rows = model.trained!.rows.length
  const blocks = says === 'none' ? [] : stored.meta.blocks
  const meta: HandOver = {
    assay: 'hand-over/2',
    model: model.plan.name,
    identity: modelIdentity(ctx, model.plan),
    declaration: declarationHash(ctx, model.plan, declarationText(ctx, model.plan)),
    backend: (await ctx.backend()).name,
    pairs,
    rows,
    says,
    sources: await sourcesBehind(ctx, model.plan.source),
    modelMeta: record.meta,
    indexMeta: { ...stored.meta, blocks },
    keys: says === 'keys' ? await trainingKeys(ctx, model) : undefined,
  }
  const { theta, y } = record.arrays
  const { values, vectors, ...perRow } = stored.arrays
  const told: Arrays = says === 'none' ? { theta: theta! } : says === 'numbers' ? { theta: theta!, y: y! } : record.arrays
  const index: Arrays = says === 'none' ? { values: values!, vectors: vectors! } : { values: values!, vectors: vectors!, ...perRow }
  const opinions: Arrays = says === 'none' ? {} : await trainingOpinions(ctx, model)
  const named = (prefix: string, arrays: Arrays) =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [prefix + name, array]))
  try {
    writeStored(file, meta, { ...named(PREFIX.model, told), ...named(PREFIX.index, index), ...opinions })
  } catch {
    throw new DataProblem('not-writable', `\`${file}\` cannot be written. Name a file in a folder that exists and can be written.`)
  }
}

async function sourcesBehind(ctx: RunContext, name: string): Promise<HandOver['sources']> {
  const { plan } = ctx.prepared.get(name)!
  const found: HandOver['sources'][number][] = []
  if (plan.reading) {
    const schema = plan.columns.map(({ name: own, from, type, sqlType }) => ({ name: from ?? own, type, sqlType }))
    found.push({ name: plan.name, schema, hash: await filesHash(ctx, plan.reading) })
  }
  for (const below of plan.over) found.push(...(await sourcesBehind(ctx, below)))
  return found
}

/** In training order. */
async function trainingKeys(ctx: RunContext, model: FittedModel): Promise<Key[]> {
  const { plan } = ctx.prepared.get(model.plan.source)!
  const names = keyColumns(plan)
  const quoted = (name: string) => printExpr({ kind: 'column', name })
  const columns = await ctx.tables.query(`select ${[ROW, ...names].map(quoted).join(', ')} from ${quoted(plan.name)}`)
  const at = new Map(Array.from(numbersOf(columns, ROW), (position, i) => [position, i]))
  return Array.from(model.trained!.rows, (position) => keyAt(columns, names, at.get(position)!))
}

async function trainingOpinions(ctx: RunContext, model: FittedModel): Promise<Arrays> {
  const p = await withTraining(ctx, model, (session) => session.predict(model.trained!.theta, ctx.breathe))
  if (!model.labels) return { predicted: p }
  const width = model.labels.values.length
  const predicted = Float32Array.from({ length: p.length / width }, (_, i) => argmax(p, i, width))
  return { predicted, confidence: predicted.map((c, i) => p[i * width + c]!) }
}

/** What an exported file says of itself; throws `DataProblem` where it is none. Cost: one read of the file. */
export function readHandOver(file: string): { readonly meta: HandOver; readonly arrays: Arrays } {
  if (!existsSync(file))
    throw new DataProblem('missing-file', `There is no file \`${file}\`. Name one that \`assay index FILE MODEL --export F\` wrote.`)
  const stored = readStored<HandOver>(file)
  if (stored?.meta.assay === 'hand-over/2') return stored
  throw new DataProblem(
    'not-an-index',
    `\`${file}\` is no exported index of this version, or it was cut short. Export it again with \`assay index FILE MODEL --export F\`.`,
  )
}

/** Puts what a file holds where training and indexing would have put it; or, where the training rows are not here, in their stead. Throws `DataProblem` where it does not fit. */
export async function importIndex(ctx: RunContext, plan: ModelPlan, file: string): Promise<void> {
  const { meta, arrays } = readHandOver(file)
  if (!(await hasTrainingRows(ctx, plan))) return importInStead(ctx, plan, { meta, arrays }, file)
  if (meta.identity !== modelIdentity(ctx, plan)) {
    throw new DataProblem(
      'another-model',
      `\`${file}\` holds the index of \`${meta.model}\` as trained on other data, or declared otherwise, than \`${plan.name}\` here. Export it from the same file and data.`,
    )
  }
  if (meta.says !== 'keys') {
    throw new DataProblem(
      'index-without-rows',
      `\`${file}\` was exported without the keys of the training rows, and these are here: leave out --import, and the index is computed.`,
    )
  }
  const hash = modelHash(meta.identity, (await ctx.backend()).name)
  ctx.cache.write('models', hash, meta.modelMeta, arraysOf(arrays, PREFIX.model))
  ctx.cache.write('index', indexHash(hash, meta.pairs), meta.indexMeta, arraysOf(arrays, PREFIX.index))
}

async function importInStead(
  ctx: RunContext,
  plan: ModelPlan,
  { meta, arrays }: ReturnType<typeof readHandOver>,
  file: string,
): Promise<void> {
  const declaration = declarationHash(ctx, plan, declarationText(ctx, plan))
  if (meta.declaration !== declaration) {
    throw new DataProblem(
      'another-model',
      `\`${file}\` holds the index of \`${meta.model}\`, declared otherwise than \`${plan.name}\` here. Take the model’s declaration, and those of the sources that it learns from, as they were where it was exported.`,
    )
  }
  try {
    keepHandOver(ctx, declaration, encodeStored(meta, arrays))
  } catch {
    throw new DataProblem(
      'no-cache',
      `The cache in \`${ctx.cache.folder}\` cannot be written, so there is nowhere to keep the index. Set ASSAY_HOME to a folder that can be written.`,
    )
  }
}
