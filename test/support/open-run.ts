import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTables } from '../../server/src/data/duckdb.ts'
import { openCache } from '../../server/src/engine/cache.ts'
import type { RunContext } from '../../server/src/engine/context.ts'
import { type FittedModel, fitModel } from '../../server/src/engine/models.ts'
import { prepare } from '../../server/src/engine/prepare.ts'
import { createResident } from '../../server/src/engine/resident.ts'
import { openBackend } from '../../server/src/learn/backends/ladder.ts'
import type { ComplaintTask } from '../../server/src/plan/plan.ts'
import { planFor } from '../../server/src/plan/plan-for.ts'
import { loadSpec } from '../../server/src/workspace/load.ts'
import { toyFolder } from './run-toy.ts'

/** A run over small files that stays open, on the float64 reference engine: for what is done with a complaint beside running it. */
export interface OpenRun {
  readonly ctx: RunContext
  complaint(text: string): Promise<{ readonly task: ComplaintTask; readonly models: readonly FittedModel[] }>
  close(): Promise<void>
}

export async function openRun(files: Readonly<Record<string, string>>): Promise<OpenRun> {
  const folder = toyFolder(files)
  mkdirSync(join(folder, '.assay'), { recursive: true })
  const tables = await openTables({ threads: 1 })
  const { backend } = await openBackend('reference', { threads: 1 })
  const ctx: RunContext = {
    tables,
    cache: openCache(join(folder, '.assay')),
    resident: createResident(),
    token: { cancelled: false },
    backend: async () => backend,
    step: () => {},
    breathe: async () => {},
    prepared: new Map(),
    models: new Map(),
    training: {},
    onnx: undefined as never,
    partitions: new Map(),
    inMemory: { rows: 5e6, bytes: 1e9, index: 1e9 },
  }
  return {
    ctx,
    complaint: async (text) => {
      const path = join(folder, 'run.assay')
      writeFileSync(path, text)
      const describe = async (readings: Parameters<Parameters<typeof loadSpec>[1]['describe']>[0]) =>
        Promise.all(readings.map(async (reading) => ({ schema: await tables.describe(reading) })))
      const { spec, problems } = await loadSpec(path, { read: (at) => readFileSync(at, 'utf8'), describe })
      const { plans, refused } = planFor(spec, undefined, {})
      const plan = plans.find((p) => p.kind === 'complaint')
      if (plan?.task.kind !== 'complaint') throw new Error([...problems, ...refused].map((p) => p.message).join('\n'))
      await prepare(ctx, plan)
      const models: FittedModel[] = []
      for (const model of plan.models) models.push({ ...(await fitModel(ctx, model)), plan: model })
      return { task: plan.task, models }
    },
    close: async () => {
      await tables.close()
      await backend.dispose()
    },
  }
}
