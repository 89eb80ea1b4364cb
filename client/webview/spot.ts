/** What has the focus in a grid: a row by its index, or the heads; and one of its cells, or the row as a whole. No row yet is -1. */
export interface Spot {
  row: number | 'heads'
  cell: number
}
export const wholeRow = -1
