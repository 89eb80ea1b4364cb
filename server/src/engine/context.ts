import { createHash } from 'node:crypto'
import type { Tables } from '../data/tables.ts'
import type { Backend } from '../learn/session.ts'
import { Cancelled, type CancelToken } from '../methods/cancel.ts'
import type { Cache } from './cache.ts'
import type { FittedModel } from './models.ts'
import type { OnnxModels } from './onnx-model.ts'
import type { FoundPartition } from './partitions.ts'
import type { Resident } from './resident.ts'
import type { Prepared } from './sources.ts'
import type { TrainingRows } from './training-rows.ts'

/** What one run shares between its declarations: the database, prepared tables, fitted models, the backend, and the way to stop and to report. */
export interface RunContext {
  readonly tables: Tables
  readonly cache: Cache
  /** Outlives the run. */
  readonly resident: Resident
  readonly token: CancelToken
  /** The backend is opened when something must be computed on it, and named in every result from then on. */
  backend(): Promise<Backend>
  step(stage: string, done: number, of: number): void
  breathe(): Promise<void>
  readonly prepared: Map<string, Prepared>
  readonly models: Map<string, FittedModel>
  readonly training: TrainingRows
  readonly onnx: OnnxModels
  /** By the name of their macro. */
  readonly partitions: Map<string, FoundPartition>
  /** Rows that a search for slices may hold in memory; more stay in the database. */
  readonly inMemory: {
    readonly rows: number
    readonly bytes: number
    /** What the blocks of a debugging index may take: larger ones are read from their files. */
    readonly index: number
  }
}

/** Raised whenever the same plan over the same data would come out otherwise than before: what an older version stored is then not found. */
const GENERATION = 'engine 2'

export const digest = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256').update(GENERATION)
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 16)
}

/** Lets messages in (a cancel among them), at most every 20 ms; throws `Cancelled` when the run is to stop. */
export function breather(token: CancelToken): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (token.cancelled) throw new Cancelled()
    if (performance.now() - last < 20) return
    await new Promise<void>((resume) => setImmediate(resume))
    last = performance.now()
    if (token.cancelled) throw new Cancelled()
  }
}
