import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openTables } from '../data/duckdb.ts'
import { rowPositions } from '../data/row-positions.ts'
import { DataProblem, type Tables } from '../data/tables.ts'
import { type Engine as EngineName, openBackend } from '../learn/backends/ladder.ts'
import type { Backend } from '../learn/session.ts'
import { absentReading } from './absent-rows.ts'
import { openCache } from './cache.ts'
import { breather, type RunContext } from './context.ts'
import type { Engine, EngineOptions, Outcome, RunEvent } from './events.ts'
import { followComplaint } from './follow.ts'
import { createOnnxModels, releaseOnnxModels } from './onnx-model.ts'
import { runPreview } from './preview.ts'
import { profileSource } from './profile.ts'
import { createResident } from './resident.ts'
import { runIndex, runPlans } from './run.ts'
import { release, type TrainingRows } from './training-rows.ts'

/**
 * The engine: everything that computes, behind one door (`events.ts`). It runs in a worker of the server's process (`client.ts`, `worker.ts`), or in this
 * one for tests. A run has a database of its own; the backend is opened on first need and kept. Nothing here knows the language or a terminal.
 */
export function openEngine(options: EngineOptions, shared?: Int32Array): Engine {
  const flag = shared ?? new Int32Array(1)
  const cache = openCache(options.folder)
  const resident = createResident()
  let backend: Promise<Backend> | undefined
  let current: Tables | undefined
  const token = {
    get cancelled() {
      return Atomics.load(flag, 0) === 1
    },
  }
  const announce: { emit: (event: RunEvent) => void } = { emit: () => {} }

  const backendOnce = () => {
    backend ??= openBackend(options.engine as EngineName | 'auto', {
      threads: options.threads ?? availableParallelism(),
      home: options.home,
    }).then(({ backend: opened, tried }) => {
      const { name, device, selfTest } = opened
      announce.emit({ kind: 'backend', backend: { name, device, selfTest }, tried: tried.map((t) => `${t.engine}: ${t.reason}`) })
      return opened
    })
    backend.catch(() => {
      backend = undefined
    })
    return backend
  }

  const withTables = async <T>(use: (tables: Tables) => Promise<T>): Promise<T> => {
    const temporaryFolder = join(options.folder, 'tmp')
    try {
      mkdirSync(temporaryFolder, { recursive: true })
    } catch {
      // A folder that cannot be written: the database does without.
    }
    const tables = await openTables({
      temporaryFolder: join(temporaryFolder, `${process.pid}-duckdb`),
      memoryLimit: `${options.memoryMegabytes ?? 1024}MB`,
      threads: options.threads,
    })
    current = tables
    try {
      return await use(tables)
    } finally {
      current = undefined
      await tables.close()
    }
  }

  const withContext = <T>(
    emit: (event: RunEvent) => void,
    use: (ctx: RunContext, emit: (event: RunEvent) => void) => Promise<T>,
  ): Promise<T> => {
    // A flag that is shared is lowered by whoever calls: raised while this thread was busy loading, it stands for this very call.
    if (shared === undefined) Atomics.store(flag, 0, 0)
    let name = ''
    const follow = (event: RunEvent) => {
      if (event.kind === 'started') name = event.name
      emit(event)
    }
    announce.emit = emit
    const onnx = createOnnxModels(options.threads ?? availableParallelism())
    const training: TrainingRows = {}
    const running = withTables((tables) =>
      use(
        {
          tables,
          cache,
          resident,
          token,
          backend: backendOnce,
          step: (stage, done, of) => emit({ kind: 'step', name, stage, done, of }),
          breathe: breather(token),
          prepared: new Map(),
          models: new Map(),
          training,
          onnx,
          partitions: new Map(),
          inMemory: {
            rows: options.inMemoryRows ?? 5_000_000,
            bytes: (options.memoryMegabytes ?? 1024) * 2 ** 19,
            index: options.inMemoryIndexBytes ?? (options.memoryMegabytes ?? 1024) * 2 ** 18,
          },
        },
        follow,
      ),
    )
    return running.finally(() => {
      release(training)
      return releaseOnnxModels(onnx)
    })
  }

  return {
    describe: (readings) =>
      withTables(async (tables) => {
        const described = []
        for (const reading of readings) {
          try {
            described.push({ schema: await tables.describe(reading) })
          } catch (reason) {
            if (!(reason instanceof DataProblem)) throw reason
            const elsewhere = absentReading(options.folder, reading)
            if (elsewhere) {
              described.push({ schema: elsewhere.schema })
              continue
            }
            described.push({ problem: { code: reason.code, message: reason.message, hint: reason.hint } })
          }
        }
        return described
      }),
    run: (plans, emit) => withContext(emit, (ctx, follow) => runPlans(ctx, plans, follow)),
    index: (plan, _model, emit, file): Promise<Outcome> =>
      withContext(emit, async (ctx, follow) => {
        follow({ kind: 'started', name: plan.name, declaration: 'index' })
        const outcome = await runIndex(ctx, plan, file)
        follow({ kind: 'finished', outcome })
        return outcome
      }),
    follow: (plans, request, emit) => withContext(emit, (ctx, follow) => followComplaint(ctx, plans, request, follow)),
    positions: (asked) => withTables((tables) => rowPositions(tables, asked)),
    preview: (plan, request, emit): Promise<Outcome> =>
      withContext(emit, (ctx, follow) => {
        follow({ kind: 'started', name: plan.name, declaration: plan.kind })
        return runPreview(ctx, plan, request)
      }),
    profile: (plan) =>
      withContext(
        () => {},
        (ctx) => profileSource(ctx, plan),
      ),
    cancel: () => {
      Atomics.store(flag, 0, 1)
      current?.interrupt()
    },
    close: async () => {
      const opened = await backend?.catch(() => undefined)
      await opened?.dispose()
    },
  }
}
