import { existsSync } from 'node:fs'
import { DataProblem } from '../data/tables.ts'
import { type Arrays, readStored, writeStored } from './cache.ts'
import type { RunContext } from './context.ts'
import { indexHash } from './debugging-index.ts'
import { type FittedModel, modelHash, modelIdentity } from './models.ts'
import { autoPairs } from './spectral-rule.ts'

/**
 * A model and its debugging index in one file, for another machine: computed where there is a fast engine, used where there is none. Only the model's own
 * declaration over the same data fits: what it was made from is compared by hash, and a file that was damaged or cut short is refused.
 */
interface HandOver {
  readonly assay: 'hand-over/1'
  readonly model: string
  readonly identity: string
  readonly backend: string
  /** Eigenpairs asked for when the index was made. */
  readonly pairs: number
  readonly modelMeta: unknown
  readonly indexMeta: unknown
}
const PREFIX = { model: 'model.', index: 'index.' } as const

export async function exportIndex(ctx: RunContext, model: FittedModel, file: string): Promise<void> {
  const pairs = autoPairs(model)
  const record = ctx.cache.read('models', model.hash)
  const stored = ctx.cache.read('index', indexHash(model.hash, pairs))
  if (!record || !stored) {
    throw new DataProblem(
      'no-cache',
      `The cache in \`${ctx.cache.folder}\` cannot be written, so there is nothing to export. Set ASSAY_HOME to a folder that can be written.`,
    )
  }
  const meta: HandOver = {
    assay: 'hand-over/1',
    model: model.plan.name,
    identity: modelIdentity(ctx, model.plan),
    backend: (await ctx.backend()).name,
    pairs,
    modelMeta: record.meta,
    indexMeta: stored.meta,
  }
  const named = (prefix: string, arrays: Arrays) =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [prefix + name, array]))
  try {
    writeStored(file, meta, { ...named(PREFIX.model, record.arrays), ...named(PREFIX.index, stored.arrays) })
  } catch {
    throw new DataProblem('not-writable', `\`${file}\` cannot be written. Name a file in a folder that exists and can be written.`)
  }
}

/** Puts what a file holds where training and indexing would have put it. Throws `DataProblem` where it does not fit. */
export async function importIndex(ctx: RunContext, plan: FittedModel['plan'], file: string): Promise<void> {
  if (!existsSync(file))
    throw new DataProblem('missing-file', `There is no file \`${file}\`. Name one that \`assay index FILE MODEL --export F\` wrote.`)
  const stored = readStored<HandOver>(file)
  if (stored?.meta.assay !== 'hand-over/1') {
    throw new DataProblem(
      'not-an-index',
      `\`${file}\` is no exported index, or it was cut short. Export it again with \`assay index FILE MODEL --export F\`.`,
    )
  }
  const { meta, arrays } = stored
  if (meta.identity !== modelIdentity(ctx, plan)) {
    throw new DataProblem(
      'another-model',
      `\`${file}\` holds the index of \`${meta.model}\` as trained on other data, or declared otherwise, than \`${plan.name}\` here. Export it from the same file and data.`,
    )
  }
  const part = (prefix: string): Arrays =>
    Object.fromEntries(
      Object.entries(arrays).flatMap(([name, array]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), array]] : [])),
    )
  const hash = modelHash(meta.identity, (await ctx.backend()).name)
  ctx.cache.write('models', hash, meta.modelMeta, part(PREFIX.model))
  ctx.cache.write('index', indexHash(hash, meta.pairs), meta.indexMeta, part(PREFIX.index))
}
