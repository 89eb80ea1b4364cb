import type { ColumnType, Schema } from '../sql/tree.ts'
import { type FoundFile, findFiles } from './files.ts'
import { fileBytes, findRows, type RowPlace, type WantedKey, type WantedRows } from './find-rows.ts'
import type { FileReading } from './reading.ts'
import type { PositionsAsked } from './row-positions.ts'
import { layoutOf, type TextLayout } from './text-layout.ts'
import type { Bytes } from './text-records.ts'

/** Rows wanted in the files of a source. Columns go by their names in the reading. */
export interface RowsAsked {
  readonly reading: FileReading
  readonly columns: Schema
  /** Declared key columns; none: rows go by a hash of their content. */
  readonly key: readonly string[]
  readonly rows: readonly WantedRow[]
  /** Columns whose cells are wanted. */
  readonly cells: readonly string[]
}
export interface WantedRow {
  readonly id: string
  readonly key: WantedKey
  /** What the row is known to say, by column: where a cell says otherwise, it is not the row. */
  readonly values: Readonly<Record<string, unknown>>
}
export interface PlacedRow extends RowPlace {
  readonly path: string
}
/** Asks the database, in the background. */
export type AskPositions = (asked: PositionsAsked) => Promise<readonly (number | null)[]>

/** Beyond this the database is not asked to hash every row again. */
export const mostBytesToHash = 2 ** 29
const headBytes = 2 ** 18

/**
 * Where rows stand in the text files of a source: by the key's own columns where it has them, else at the position that the database finds. What is not found is left out: rows
 * of compressed or binary files, of other encodings, and those whose cells are not what they should be. O(bytes) and never more than a few MB of memory here.
 */
export async function placeRows(asked: RowsAsked, positions: AskPositions): Promise<ReadonlyMap<string, PlacedRow>> {
  const files = textFiles(asked.reading)
  const placed = new Map<string, PlacedRow>()
  if (files.length === 0 || asked.rows.length === 0) return placed
  const layouts = await Promise.all(files.map((file) => layoutOfFile(asked, file.path)))
  if (layouts.includes(undefined)) return placed
  const known = new Map(asked.rows.map((row) => [row.id, row]))
  const keep = (path: string, found: ReadonlyMap<string, RowPlace>) => {
    for (const [id, place] of found) if (says(place, known.get(id)!, asked)) placed.set(id, { ...place, path })
  }
  if (asked.key.length > 0) {
    for (const [i, { path }] of files.entries()) {
      const rows = asked.rows.filter((row) => !placed.has(row.id))
      if (rows.length === 0) break
      keep(path, (await search(path, layouts[i]!, byKey(asked, rows), asked))?.places ?? new Map())
    }
  }
  const missing = asked.rows.filter((row) => !placed.has(row.id))
  if (missing.length === 0 || files.reduce((sum, file) => sum + file.bytes, 0) > mostBytesToHash) return placed
  const { reading, columns, key } = asked
  const at = await positions({ reading, columns, key, keys: missing.map((row) => row.key) as PositionsAsked['keys'] })
  let before = 0
  for (const [i, { path }] of files.entries()) {
    const rows = missing.flatMap(({ id }, r) => (at[r] === null || at[r] === undefined ? [] : [{ id, position: at[r] - before }]))
    const ahead = rows.filter((row) => row.position >= 0)
    if (ahead.length === 0) break
    const found = await search(path, layouts[i]!, { by: 'position', rows: ahead }, asked)
    if (found === undefined) break
    keep(path, found.places)
    before += found.rows
  }
  return placed
}

/** Texts to look into in place of the files on disk. */
export type TextAtHand = (path: string) => (() => Bytes) | undefined

/**
 * Rows that were found before, in files that are other than they were then, or in texts that an editor holds: by key where there is one, and only those that still say
 * what they said. O(bytes of `paths`).
 */
export async function findAgain(
  asked: RowsAsked,
  before: ReadonlyMap<string, RowPlace>,
  paths: readonly string[],
  atHand: TextAtHand,
): Promise<ReadonlyMap<string, PlacedRow>> {
  const placed = new Map<string, PlacedRow>()
  const wanted = asked.rows.filter((row) => before.has(row.id))
  for (const path of paths) {
    const rows = wanted.filter((row) => !placed.has(row.id))
    if (rows.length === 0) break
    const text = atHand(path)
    const file = text ? undefined : await fileBytes(path).catch(() => undefined)
    const bytes = text?.() ?? file?.bytes
    try {
      const head = await (text?.()(headBytes) ?? headOf(path))
      const layout =
        head &&
        (await layoutOf(
          asked.reading,
          path,
          head,
          asked.columns.map((one) => one.name),
        ))
      if (bytes === undefined || layout === undefined) continue
      const by: WantedRows =
        asked.key.length > 0
          ? byKey(asked, rows)
          : { by: 'content', rows: rows.map(({ id }) => ({ id, content: before.get(id)!.content, bytes: before.get(id)!.bytes })) }
      const found = await findRows(bytes, layout, by, asked.cells)
      for (const [id, place] of found?.places ?? []) if (place.content === before.get(id)!.content) placed.set(id, { ...place, path })
    } finally {
      await file?.close()
    }
  }
  return placed
}

async function headOf(path: string): Promise<Uint8Array | undefined> {
  const file = await fileBytes(path).catch(() => undefined)
  try {
    return await file?.bytes(headBytes)
  } finally {
    await file?.close()
  }
}

async function layoutOfFile({ reading, columns }: Pick<RowsAsked, 'reading' | 'columns'>, path: string): Promise<TextLayout | undefined> {
  const head = await headOf(path)
  return (
    head &&
    (await layoutOf(
      reading,
      path,
      head,
      columns.map((one) => one.name),
    ))
  )
}

/** The text files of a reading, in the order of their rows; none where it is no text. */
export function textFiles(reading: FileReading): readonly FoundFile[] {
  if (reading.format === 'parquet' || reading.format === 'json') return []
  const files = findFiles(reading.path)
  return files.some((file) => /\.(gz|zst)$/i.test(file.path)) ? [] : files
}

export function byKey(
  { columns, key, reading }: Pick<RowsAsked, 'columns' | 'key' | 'reading'>,
  rows: readonly Pick<WantedRow, 'id' | 'key'>[],
): WantedRows {
  const types = new Map(columns.map((one): [string, ColumnType] => [one.name, one.type]))
  const decimal = reading.options.decimal_separator
  return {
    by: 'key',
    columns: key.map((name) => ({ name, type: types.get(name) ?? 'unknown' })),
    rows,
    decimal: typeof decimal === 'string' ? decimal : undefined,
  }
}

async function search(path: string, layout: TextLayout, wanted: WantedRows, { cells }: Pick<RowsAsked, 'cells'>) {
  const file = await fileBytes(path)
  try {
    return await findRows(file.bytes, layout, wanted, cells)
  } finally {
    await file.close()
  }
}

/** Guards against texts that the database reads in another way than this: no row is marked that says something else. */
function says(place: RowPlace, row: WantedRow, { columns }: RowsAsked): boolean {
  return columns.every(({ name, type }) => {
    const text = place.texts.get(name)
    const value = row.values[name]
    if (text === undefined || value === undefined || value === null) return true
    if (type === 'number') {
      const number = Number(text.trim().replace(',', '.'))
      return Number.isNaN(number) || typeof value !== 'number' || Math.abs(number - value) <= 1e-6 * Math.abs(value)
    }
    return type !== 'text' || typeof value !== 'string' || text === value
  })
}
