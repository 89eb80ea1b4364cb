import type { PositionsAsked } from '../data/row-positions.ts'
import type { AnswerPlan } from '../plan/answer.ts'
import type { Plan } from '../plan/plan.ts'
import type { SourceFacts } from '../protocol/facts.ts'
import type { BackendInfo, Result } from '../protocol/results.ts'
import type { Picture } from '../protocol/views.ts'
import type { WatchLine } from '../protocol/watch.ts'
import type { Reading, Schema } from '../sql/tree.ts'

/**
 * What the engine's worker says while it runs, and what it can be asked. Everything is plain data that crosses a thread.
 */
export type RunEvent =
  | {
      readonly kind: 'backend'
      readonly backend: BackendInfo /** Rungs that were tried before and why they are not used. */
      readonly tried: readonly string[]
    }
  | { readonly kind: 'started'; readonly name: string; readonly declaration: string }
  /** `of` is 0 where the end is not known. */
  | { readonly kind: 'step'; readonly name: string; readonly stage: string; readonly done: number; readonly of: number }
  | { readonly kind: 'finished'; readonly outcome: Outcome }
  /** Of a complaint that is followed. */
  | { readonly kind: 'watched'; readonly line: WatchLine }

export interface Outcome {
  readonly result: Result
  readonly pictures: Readonly<Record<string, Picture>>
}

export interface EngineOptions {
  /** Folder of the cache and of stored results: `…/.assay`. */
  readonly folder: string
  readonly engine: string
  readonly threads?: number
  readonly memoryMegabytes?: number
  /** The user's folder of Assay, where engines are installed. */
  readonly home?: string
  /** A search for slices holds at most this many rows in memory, 5 000 000 unless given; more stay in the database. */
  readonly inMemoryRows?: number
  /** Debugging indexes hold blocks of at most this many bytes in memory, a quarter of the memory unless given; larger ones stay in files. */
  readonly inMemoryIndexBytes?: number
  /** The thread that asks must stay quick: the engine's yields to it. */
  readonly behind?: boolean
}

/** What an index is handed over by, or ranks: files to write and to read. */
export interface IndexFiles {
  readonly export?: string
  /** What an export tells of the training rows; their keys unless given. */
  readonly rows?: 'keys' | 'numbers' | 'none'
  readonly import?: string
  /** Results whose complaints are ranked over the rows of this index. */
  readonly rank?: string
}

export interface FollowRequest {
  readonly complaint: string
  /** Training rows to tell in an update. */
  readonly top: number
  readonly everyMs: number
  /** Ends after so long without growth. */
  readonly idleMs?: number
  /** Views of which every row comes of one row of what they read, whatever the others are. */
  readonly rowwise: readonly string[]
  /** The files of the spec as they were read: evaluate anew when one is edited. */
  readonly spec: readonly SpecText[]
}

export interface SpecText {
  readonly path: string
  readonly text: string
}

/** `changed`: evaluate anew, for another reason than lines at the end. */
export type FollowEnd = { readonly kind: 'idle' } | { readonly kind: 'changed'; readonly why?: string }

export interface PreviewRequest {
  /** At most this many rows. */
  readonly limit: number
  /** Of a complaint's plan: the rows that its query, or this one over the same tables and models, gives. */
  readonly answer?: AnswerPlan
}

export type Described =
  | { readonly schema: Schema }
  | { readonly problem: { readonly code: string; readonly message: string; readonly hint?: string } }

/** The door of the engine, in its worker or in this process (tests). */
export interface Engine {
  describe(readings: readonly Reading[]): Promise<readonly Described[]>
  /** Carries out plans in order, sharing tables and models between them; never rejects but with `Cancelled`: a failure is a result. */
  run(plans: readonly Plan[], emit: (event: RunEvent) => void): Promise<readonly Outcome[]>
  /** Trains the model (if need be) and stores its debugging index. */
  index(plan: Plan, model: string, emit: (event: RunEvent) => void, file?: IndexFiles): Promise<Outcome>
  /** Evaluates a complaint (the last plan) and follows its files, batch by batch where that can be; ends when they are idle, or have changed otherwise. */
  follow(plans: readonly Plan[], request: FollowRequest, emit: (event: RunEvent) => void): Promise<FollowEnd>
  /** Where rows stand in what is read, by key; rejects where it cannot be read. */
  positions(asked: PositionsAsked): Promise<readonly (number | null)[]>
  /** The first rows of a plan's source or slice; a failure is a result. */
  preview(plan: Plan, request: PreviewRequest, emit: (event: RunEvent) => void): Promise<Outcome>
  /** Facts of a plan's source, column by column; rejects where it cannot be read. */
  profile(plan: Plan): Promise<SourceFacts>
  /** Stops what runs: within a second its promise rejects with `Cancelled`. */
  cancel(): void
  close(): Promise<void>
}
