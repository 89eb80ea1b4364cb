import type { Architecture, Session } from '../learn/session.ts'
import type { RunContext } from './context.ts'
import type { TrainingSet } from './models.ts'

/**
 * The training rows of one model at a time, encoded and on the backend: what a run does one after another (training, index, ranking, repair) finds them
 * there. Disposed of when the run ends, or another model's rows take their place. As much memory as the encoded rows, and their copy on the backend.
 */
export interface TrainingRows {
  held?: { readonly hash: string; readonly set: TrainingSet; session?: Session }
}

export async function onBackend(
  ctx: RunContext,
  hash: string,
  architecture: Architecture,
  load: () => Promise<TrainingSet>,
): Promise<{ readonly session: Session; readonly set: TrainingSet }> {
  const set = await rowsOf(ctx, hash, load)
  const held = ctx.training.held!
  held.session ??= await (await ctx.backend()).open(architecture, set)
  return { session: held.session, set }
}

/** The rows alone. */
export async function rowsOf(ctx: RunContext, hash: string, load: () => Promise<TrainingSet>): Promise<TrainingSet> {
  if (ctx.training.held?.hash === hash) return ctx.training.held.set
  release(ctx.training)
  const set = await load()
  ctx.training.held = { hash, set }
  return set
}

/** Makes room, on the backend and in memory. */
export function release(training: TrainingRows): void {
  training.held?.session?.dispose()
  training.held = undefined
}
