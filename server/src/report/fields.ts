import type { Json, Key } from '../protocol/results.ts'
import { cell, figure, keyText } from './figures.ts'
import type { GridColumn } from './grid.ts'

/** One table of a result, as text cells: drawn by `text.ts` with blanks, by `html.ts` with elements, and part of a page. */
export interface Table {
  /** Unique in its result. */
  readonly id: string
  readonly title: string
  readonly columns: readonly GridColumn[]
  readonly rows: readonly (readonly string[])[]
  /** The same as values, to sort by and to save. */
  readonly values: readonly (readonly Json[])[]
  /** What each row stands for: the key of a row of data, a slice's number or name. */
  readonly keys?: readonly Key[]
  /** A sentence below, where rows were left out. */
  readonly note?: string
}

export interface Field extends GridColumn {
  readonly cells: readonly string[]
  readonly values: readonly Json[]
}
export const text = (head: string, values: readonly Json[], cells: readonly string[]): Field => ({ head, align: 'left', cells, values })
export const number = (head: string, values: readonly Json[], cells: readonly string[]): Field => ({ head, align: 'right', cells, values })
/** What stands between two columns, for the eye alone. */
export const arrow = (rows: number): Field => text('', new Array(rows).fill(null), new Array(rows).fill('→'))
/** JSON has no name for what is not finite. */
export const finite = (value: number | null | undefined): number | null => (Number.isFinite(value) ? value! : null)

export function table(about: Pick<Table, 'id' | 'title' | 'keys' | 'note'>, fields: readonly (Field | undefined)[]): Table {
  const shown = fields.filter((field) => field !== undefined)
  const across = <T>(of: (field: Field) => readonly T[]): T[][] =>
    Array.from({ length: shown[0]?.cells.length ?? 0 }, (_, r) => shown.map((field) => of(field)[r]!))
  return {
    ...about,
    columns: shown.map(({ head, align }) => ({ head, align })),
    rows: across((field) => field.cells),
    values: across((field) => field.values),
  }
}

export const rowCounts = (rows: readonly number[]): Field =>
  number(
    'rows',
    rows,
    rows.map((n) => figure(n)),
  )

export const keyField = (keys: readonly Key[]): Field =>
  text(
    'key',
    keys,
    keys.map((key) => keyText(key)),
  )

/** A column of the data: numbers stand to the right. */
export function valueField(name: string, values: readonly (Json | undefined)[], limit: number): Field {
  const numeric = values.every((value) => typeof value === 'number' || value === null || value === undefined)
  const cells = values.map((value) => cell(value, limit))
  return (numeric ? number : text)(
    cell(name, limit),
    values.map((value) => value ?? null),
    cells,
  )
}
