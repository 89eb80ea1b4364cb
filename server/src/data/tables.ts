import type { Reading, Schema } from '../sql/tree.ts'

/**
 * The port to a database. `duckdb.ts` is its only adapter. Everything crosses it in columns: typed arrays and, for text, a dictionary.
 * One `Tables` per run: temporary tables, gone when it is closed.
 */
export interface Tables {
  /** Columns of what a reading would give, from a sniffed sample. Throws `DataProblem`. */
  describe(reading: Reading): Promise<Schema>
  /** Makes the reading available as a table or view called `name`, with the columns' own names and `assay row` (0-based position). Throws `DataProblem`. */
  read(name: string, reading: Reading): Promise<void>
  /** The same for whoever wants the first rows or one pass: nothing is read beforehand, and a pass over it reads the file each time. */
  look(name: string, reading: Reading): Promise<void>
  /** Runs statements that give no rows. */
  execute(sql: string): Promise<void>
  /** Runs one query and hands over its columns. */
  query(sql: string, options?: QueryOptions): Promise<Columns>
  /** A new table from columns, for predictions and for fixtures. */
  create(name: string, columns: Columns): Promise<void>
  /** Stops the statement that is running, and those that wait for it: they reject with `Interrupted`. */
  interrupt(): void
  close(): Promise<void>
}

export interface QueryOptions {
  /** Columns of type FLOAT[] that come as blobs, the bytes of each row's float32 numbers (NULL among them: NaN), instead of as text. */
  readonly vectors?: readonly string[]
}

export interface Columns {
  readonly rows: number
  readonly columns: readonly NamedColumn[]
}
export interface NamedColumn {
  readonly name: string
  readonly data: ColumnData
}

/** `valid[i] === 0` marks a NULL; absent: no NULLs. Numbers of every SQL type arrive as float64 (integers above 2^53 as text). */
export type ColumnData =
  | { readonly kind: 'number'; readonly values: Float64Array; readonly valid?: Uint8Array; readonly integer: boolean }
  | { readonly kind: 'boolean'; readonly values: Uint8Array; readonly valid?: Uint8Array }
  /** Text, and everything else in its text form (dates as ISO 8601). `codes[i]` indexes `dictionary`, in order of first appearance; −1 where it is NULL. */
  | { readonly kind: 'text'; readonly codes: Int32Array; readonly dictionary: readonly string[]; readonly valid?: Uint8Array }
  | { readonly kind: 'blob'; readonly values: readonly Uint8Array[]; readonly valid?: Uint8Array }

/** What a user did wrong, or his data is: a sentence, with the place and the remedy. Exit code 2. */
export class DataProblem extends Error {
  readonly code: string
  readonly hint?: string
  constructor(code: string, message: string, hint?: string) {
    super(message)
    this.name = 'DataProblem'
    this.code = code
    this.hint = hint
  }
}

export class Interrupted extends Error {}
