import type { ExpectationResult, RankedRow } from './results.ts'

/**
 * What `assay watch` says of a complaint whose files grow, a line of JSON each (`assay-watch/1`): how the complaint stands, once at the beginning and after
 * every change; and what else there is to say.
 */
export type WatchLine = WatchUpdate | WatchNotice

export interface WatchUpdate {
  readonly schema: 'assay-watch/1'
  readonly event: 'update'
  readonly complaint: string
  /** `whole`: the query over all rows, as `assay run` does. `batch`: the rows that came were added to what was counted. */
  readonly how: 'whole' | 'batch'
  readonly status: 'ok' | 'violated'
  /** Of the table that the query reads; and how many more they are than at the last update. */
  readonly rows: number
  readonly added: number
  readonly satisfied: boolean
  readonly expectations: readonly ExpectationResult[]
  readonly method?: string
  readonly ranking: readonly Pick<RankedRow, 'rank' | 'key' | 'label' | 'influence' | 'treatment'>[]
  readonly elapsedMs: number
  /** Bytes of a last line that has no end yet, and is not counted. */
  readonly unfinished?: number
  readonly notes?: readonly string[]
}

export interface WatchNotice {
  readonly schema: 'assay-watch/1'
  readonly event: 'notice'
  readonly complaint: string
  /** `whole-only`: every change is evaluated as a whole, and why. `changed`: why this one is. `failed`: what is wrong with the files, or what went wrong. */
  readonly reason: 'whole-only' | 'changed' | 'failed'
  readonly message: string
  /** The spec or its data is wrong. */
  readonly fault?: 'data'
}
