import type { TableSection } from '../../server/src/protocol/pages.ts'
import type { Json } from '../../server/src/protocol/results.ts'
import type { Sort } from './state.ts'

/**
 * Which rows are shown, and in which order: the positions in the page, as indices of the section's rows. A filter is text that some cell contains, whatever
 * its case. Numbers sort as numbers, texts as people read them, what is missing last either way; equals stay as they were. O(n log n), once a change.
 */
export function orderOf(section: TableSection, filter: string, sort: Sort | undefined): Uint32Array {
  const { rows } = section
  const needle = filter.trim().toLowerCase()
  const found: number[] = []
  for (let i = 0; i < rows.length; i++) {
    if (needle === '' || rows[i]!.cells.some((cell) => cell.toLowerCase().includes(needle))) found.push(i)
  }
  const column = sort ? section.columns.findIndex((one) => one.name === sort.column) : -1
  if (!sort || column < 0) return Uint32Array.from(found)
  const sign = sort.order === 'ascending' ? 1 : -1
  const values = rows.map((row) => row.values[column] ?? null)
  const missing = found.filter((i) => values[i] === null)
  const present = found.filter((i) => values[i] !== null)
  present.sort((a, b) => sign * compare(values[a]!, values[b]!) || a - b)
  return Uint32Array.from([...present, ...missing])
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
function compare(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'number') return -1
  if (typeof b === 'number') return 1
  return collator.compare(plain(a), plain(b))
}
function plain(value: Json): string {
  return typeof value === 'string' ? value.slice(0, 1_000) : JSON.stringify(value).slice(0, 1_000)
}
