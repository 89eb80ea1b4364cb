import type { Plan } from '../plan/plan.ts'
import type { RunContext } from './context.ts'
import { findPartition } from './partitions.ts'
import { prepareSource } from './sources.ts'

/** A plan's tables first, each followed by the partitions of its rows: what is read after it may name them. */
export async function prepare(ctx: RunContext, plan: Plan): Promise<void> {
  for (const source of plan.sources) {
    await prepareSource(ctx, source)
    for (const partition of plan.partitions) if (partition.source === source.name) await findPartition(ctx, partition)
  }
}
