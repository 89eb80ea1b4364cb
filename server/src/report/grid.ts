import { widthOf } from './inert.ts'

export interface GridColumn {
  readonly head: string
  readonly align: 'left' | 'right'
}

/** Aligned columns as lines of text: a head, and the rows below it. O(cells). */
export function gridLines(columns: readonly GridColumn[], rows: readonly (readonly string[])[]): { head: string; body: string[] } {
  const widths = columns.map((column, c) => rows.reduce((most, row) => Math.max(most, widthOf(row[c] ?? '')), widthOf(column.head)))
  const line = (cells: readonly string[]) =>
    columns
      .map((column, c) => {
        const text = cells[c] ?? ''
        const blank = ' '.repeat(Math.max(0, widths[c]! - widthOf(text)))
        return column.align === 'right' ? blank + text : text + blank
      })
      .join('  ')
      .trimEnd()
  return { head: line(columns.map((column) => column.head)), body: rows.map(line) }
}
