import type { Json } from './results.ts'

/** What is known of a source's columns from having looked at its rows once; kept by the size and time of its files. */
export interface SourceFacts {
  readonly rows: number
  /** From this many rows, drawn by a fixed seed, where there are more than are looked at. */
  readonly seen: number
  readonly columns: readonly ColumnFacts[]
}
export interface ColumnFacts {
  readonly name: string
  /** Share of NULLs, 0 to 1. */
  readonly nulls: number
  /** Of numbers, dates and times. */
  readonly low?: Json
  readonly high?: Json
  /** Different values; `about` where they were estimated. */
  readonly distinct?: number
  readonly about?: true
}
