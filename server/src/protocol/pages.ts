import type { Json, Key } from './results.ts'

/**
 * A page is one result in words, cells and pictures, ready to be drawn: a panel computes nothing from it but layout, order and filters. Its texts are
 * inert already (no control characters, cut to length) and still have to be escaped like any text.
 */
export interface Page {
  readonly schema: 'assay-page/1'
  readonly address: PageAddress
  /** What is declared: `complaint`, `source`, … */
  readonly kind: string
  /** `many_ones · complaint`. */
  readonly title: string
  /** In one or two words; none where nothing was judged. */
  readonly verdict: string
  readonly mood: Mood
  /** Whether the spec or the data changed since. */
  readonly state: 'current' | 'spec changed' | 'data changed'
  /** The doc comment, and the declaration as written. */
  readonly doc?: string
  readonly text: string
  /** The most important first; what stands between backticks is code. */
  readonly sentences: readonly string[]
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
  readonly sections: readonly Section[]
  /** Rows, seed, data version, plan and time, in one line. */
  readonly provenance: string
  readonly sql?: string
  /** What can be done with the whole of it, as buttons. */
  readonly actions: readonly Action[]
}
/** `warn`: it holds, and somebody should look. */
export type Mood = 'good' | 'warn' | 'bad' | 'quiet'
/** `what`: the last result, the rows of a source or slice or of a query over predictions (of a complaint or a model), or what a run would do. */
export interface PageAddress {
  readonly uri: string
  readonly name: string
  readonly what: 'result' | 'preview' | 'plan'
  /** Of a preview: only rows for which this condition of the language holds. */
  readonly where?: string
  /** Of a preview: at most this many rows, in place of the setting. */
  readonly limit?: number
  /** Of a preview of a model: this query over its predictions, as text of the language. */
  readonly query?: string
}
export interface Figure {
  readonly name: string
  readonly value: string
  readonly mood: Mood
}

export type Section = TableSection | ChartSection
export interface TableSection {
  readonly type: 'table'
  /** Unique in its page. */
  readonly id: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly PageRow[]
  /** How many there are where `rows` are only the first of them. */
  readonly total?: number
  /** Below it, where rows were left out. */
  readonly note?: string
  /** Shown closed at first. */
  readonly folded?: boolean
  /** What can be done with selected rows. Without any, rows are not selected. */
  readonly actions: readonly Action[]
}
export interface Column {
  readonly name: string
  readonly type: 'text' | 'number' | 'picture'
  /** Something can be expected of its numbers: actions that take a cell take one of these. */
  readonly measured?: boolean
}
export interface PageRow {
  /** One a column, as shown; of a picture, its alternative text. */
  readonly cells: readonly string[]
  /** One a column, to sort by and to save; null for none. */
  readonly values: readonly Json[]
  /** A PNG as a data address, shown in the row's column of pictures. */
  readonly picture?: string
  readonly key?: Key
  /** Why this row: sentences, and the rows that say it, shown when it is opened. */
  readonly why?: readonly Reason[]
}
export interface Reason {
  readonly text: string
  readonly picture?: string
}
export interface ChartSection {
  readonly type: 'chart'
  readonly id: string
  /** Made by Assay from numbers and inert text: no script, no style, colours as the custom properties --accent, --line and --quiet. Marks that stand for a
   * row are links to `#<table>/<row index>`. */
  readonly svg: string
  /** What it shows, in one sentence. */
  readonly sentence: string
  /** The section with the same numbers. */
  readonly table: string
}

/** `id` is what `ActArguments` says. */
export interface Action {
  readonly id: ActionId
  readonly title: string
  /** Takes exactly one row. */
  readonly single?: boolean
  /** A measured cell of one row; rows, or else the one that has the focus; or the table as a whole. */
  readonly takes?: 'cell' | 'rows' | 'table'
  readonly primary?: boolean
}
export type ActionId =
  | 'run'
  | 'declaration'
  | 'show-row'
  | 'intervene-remove'
  | 'intervene-relabel'
  | 'exclude'
  | 'keep-slice'
  | 'preview-slice'
  | 'expect-lower'
  | 'expect-higher'
  | 'expect-equal'
  | 'expect-none'
  | 'expect-row'
  | 'preview-query'
  | 'ask-query'
  | 'train'
