import type { RowPlace, TextRange } from '../data/find-rows.ts'
import type { RowsAsked } from '../data/place-rows.ts'
import type { Flag, Flagged } from '../workspace/flagged.ts'

/** What is looked for in files of text: rows by key, with the cells that a rule speaks of; undefined where the rows are of no such file. */
export function askedFor({ origin }: Flagged, rows: readonly Flag[]): RowsAsked | undefined {
  if (origin === undefined || origin.reading.kind !== 'file') return undefined
  const cells = new Set<string>()
  for (const { column, values } of rows) {
    const own = column === undefined ? undefined : origin.column(column)
    if (own !== undefined) cells.add(own)
    for (const name of Object.keys(values)) cells.add(name)
  }
  return {
    reading: origin.reading,
    columns: origin.columns,
    key: origin.key,
    rows: rows.map(({ id, key, values }) => ({ id, key: key as RowsAsked['rows'][number]['key'], values })),
    cells: [...cells],
  }
}

/** The cell that the rule speaks of most directly, else the whole row. */
export function rangeFor({ origin }: Flagged, { column }: Flag, place: RowPlace): TextRange {
  const own = column === undefined ? undefined : origin?.column(column)
  return (own === undefined ? undefined : place.cells.get(own)) ?? place.range
}
