import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { ColumnType } from '../sql/tree.ts'
import { membersOf, parsed } from './json-members.ts'
import type { TextLayout } from './text-layout.ts'
import { type Bytes, type Dialect, eachRecord, type Field, fieldsOf, fieldText, type TextRecord } from './text-records.ts'

/** Lines and characters count from 0, characters in UTF-16 units. */
export interface TextRange {
  readonly start: { readonly line: number; readonly character: number }
  readonly end: { readonly line: number; readonly character: number }
}
/** Where a row stands in a text, and what it says: the row is the same as long as `content` is. */
export interface RowPlace {
  readonly range: TextRange
  /** By column, those that were asked for. */
  readonly cells: ReadonlyMap<string, TextRange>
  /** The texts of those cells, cut. */
  readonly texts: ReadonlyMap<string, string>
  /** The record's text, or its digest where it is long; and its bytes. */
  readonly content: string
  readonly bytes: number
}

type KeyPart = string | number | boolean | null
export type WantedKey = KeyPart | readonly KeyPart[]

/** How rows are told: by the columns of a key, by position among the rows of the file, by what they say. `id` is the caller's. */
export type WantedRows =
  | {
      readonly by: 'key'
      readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
      readonly rows: readonly { readonly id: string; readonly key: WantedKey }[]
      readonly decimal?: string
    }
  | { readonly by: 'position'; readonly rows: readonly { readonly id: string; readonly position: number }[] }
  | { readonly by: 'content'; readonly rows: readonly { readonly id: string; readonly content: string; readonly bytes: number }[] }

export interface FoundRows {
  readonly places: ReadonlyMap<string, RowPlace>
  /** Rows that were looked at; all of the text's where not every row was found. */
  readonly rows: number
}

/**
 * Rows of a text by their keys, in one pass that ends when all are found: the place of a row is a matter of today, its key is not. O(bytes up to the last row that
 * is wanted); memory: two records, 256 kB and what is found. Others get their turn between chunks. Undefined where the text does not hold records as laid out.
 */
export async function findRows(
  bytes: Bytes,
  layout: TextLayout,
  wanted: WantedRows,
  cells: readonly string[],
): Promise<FoundRows | undefined> {
  const places = new Map<string, RowPlace>()
  const matches = matcher(layout, wanted)
  const total = wanted.rows.length
  let records = 0
  let rows = 0
  const whole = await eachRecord(bytes, layout.dialect, (record) => {
    if (places.size >= total) return 'stop'
    if (records++ < layout.skipped) return undefined
    if (layout.skipsBlank && isBlank(record)) return undefined
    const id = matches(record, rows++)
    if (id !== undefined && !places.has(id)) places.set(id, placeOf(record, layout, cells))
    return places.size >= total ? 'stop' : undefined
  })
  return whole ? { places, rows } : undefined
}

type Matcher = (record: TextRecord, row: number) => string | undefined

function matcher(layout: TextLayout, wanted: WantedRows): Matcher {
  switch (wanted.by) {
    case 'position': {
      const ids = new Map(wanted.rows.map((one) => [one.position, one.id]))
      return (_, row) => ids.get(row)
    }
    case 'content': {
      const ids = new Map<string, string[]>()
      for (const { content, id } of wanted.rows) ids.set(content, [...(ids.get(content) ?? []), id])
      const lengths = new Set(wanted.rows.map((one) => one.bytes))
      return (record) => (lengths.has(record.end - record.start) ? ids.get(contentOf(record))?.shift() : undefined)
    }
    case 'key': {
      const { columns, decimal } = wanted
      const parts = wanted.rows.map(({ key }) => (Array.isArray(key) ? key : [key as KeyPart]))
      const ids = new Map(wanted.rows.map(({ id }, i) => [keyText(parts[i]!, columns), id]))
      const names = columns.map((one) => one.name)
      const read = layout.kind === 'json' ? jsonValues(names) : fieldValues(layout, names)
      const index = layout.fields.get(names[0] ?? '')
      const may =
        layout.kind === 'delimited' && index !== undefined
          ? mayHold(
              index,
              layout.dialect,
              parts.map(([first]) => String(first)),
              columns[0]!.type,
            )
          : () => true
      return (record) => {
        const values = may(record) ? read(record) : undefined
        return values && ids.get(canonicalTexts(values, columns, decimal))
      }
    }
  }
}

/**
 * Whether a record may hold one of some texts in a field, told from its bytes alone: almost all records are not wanted, and making a text of each costs ten
 * times as much as looking. Fields in quotes and numbers that are written in another way than the plainest pass.
 */
function mayHold(
  index: number,
  { delimiter, quote }: Dialect,
  texts: readonly string[],
  type: ColumnType,
): (record: TextRecord) => boolean {
  const hashes = new Set(texts.map((text) => hashOf(Buffer.from(text))))
  const isPlain = type === 'number' ? isPlainNumber : type === 'text' ? () => true : () => false
  return ({ buffer, start, end }) => {
    let from = start
    for (let field = 0; field < index; field++) {
      if (buffer[from] === quote) return true
      while (from < end && buffer[from] !== delimiter) from++
      from++
    }
    if (buffer[from] === quote) return true
    let to = from
    let hash = offsetBasis
    for (; to < end && buffer[to] !== delimiter; to++) hash = Math.imul(hash ^ buffer[to]!, prime)
    return hashes.has(hash) || !isPlain(buffer, from, to)
  }
}

/** FNV-1a of 32 bits. */
function hashOf(bytes: Uint8Array): number {
  let hash = offsetBasis
  for (const byte of bytes) hash = Math.imul(hash ^ byte, prime)
  return hash
}
const offsetBasis = 0x811c9dc5 | 0
const prime = 0x01000193

/** Digits without needless zeros, as numbers are written here too. */
function isPlainNumber(buffer: Buffer, start: number, end: number): boolean {
  const from = buffer[start] === MINUS ? start + 1 : start
  if (end === from || end - from > 15 || (buffer[from] === ZERO && end - start > 1)) return false
  for (let at = from; at < end; at++) if (buffer[at]! < ZERO || buffer[at]! > NINE) return false
  return true
}
const MINUS = 45
const ZERO = 48
const NINE = 57

function fieldValues(layout: TextLayout, names: readonly string[]): (record: TextRecord) => readonly string[] | undefined {
  const indices = names.map((name) => layout.fields.get(name) ?? -1)
  const most = Math.max(...indices) + 1
  if (indices.includes(-1)) return () => undefined
  return (record) => {
    const fields = fieldsOf(record, layout.dialect, most)
    return fields.length < most ? undefined : indices.map((i) => fieldText(record.buffer, fields[i]!, layout.dialect))
  }
}

function jsonValues(names: readonly string[]): (record: TextRecord) => readonly string[] | undefined {
  const wanted = new Set(names)
  return (record) => {
    const text = record.buffer.toString('utf8', record.start, record.end)
    const members = membersOf(text, wanted)
    if (members.size < wanted.size) return undefined
    return names.map((name) => {
      const { start, end } = members.get(name)!
      const value = parsed(text.slice(start, end))
      return value === null || value === undefined ? 'null' : typeof value === 'object' ? JSON.stringify(value) : String(value)
    })
  }
}

/** Keys as texts that are equal where the keys are: `007` is 7 in a column of numbers. */
function canonicalTexts(values: readonly string[], columns: readonly { readonly type: ColumnType }[], decimal: string | undefined): string {
  if (values.length === 1) return canonical(values[0]!, columns[0]!.type, decimal)
  return JSON.stringify(values.map((value, i) => canonical(value, columns[i]!.type, decimal)))
}
function keyText(parts: readonly KeyPart[], columns: readonly { readonly type: ColumnType }[]): string {
  return canonicalTexts(parts.map(String), columns, undefined)
}

function canonical(value: string, type: ColumnType, decimal: string | undefined): string {
  if (type === 'number') {
    if (/^(0|-?[1-9]\d{0,14})$/.test(value)) return value
    const text = (decimal === undefined ? value : value.replace(decimal, '.')).trim()
    if (/^[+-]?\d{1,400}$/.test(text)) return BigInt(text.replace(/^\+/, '')).toString()
    const number = text === '' ? Number.NaN : Number(text)
    return Number.isNaN(number) ? text : String(number)
  }
  if (type === 'boolean') return booleans[value.trim().toLowerCase()] ?? value
  return value
}
const booleans: Readonly<Record<string, string>> = {
  t: 'true',
  f: 'false',
  1: 'true',
  0: 'false',
  yes: 'true',
  no: 'false',
  true: 'true',
  false: 'false',
}

function placeOf(record: TextRecord, layout: TextLayout, names: readonly string[]): RowPlace {
  const { buffer, start, end } = record
  const cells = new Map<string, TextRange>()
  const texts = new Map<string, string>()
  const shownBytes = 400
  if (layout.kind === 'json') {
    const text = buffer.toString('utf8', start, end)
    for (const [name, member] of membersOf(text, new Set(names))) {
      const at = (character: number) => ({ line: record.line, character })
      cells.set(name, { start: at(member.start), end: at(member.end) })
      if (member.end - member.start > shownBytes) continue
      const value = parsed(text.slice(member.start, member.end))
      texts.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
    }
  } else {
    const fields = fieldsOf(record, layout.dialect)
    const rangeOf = (field: Field): TextRange => ({ start: positionIn(record, field.start), end: positionIn(record, field.end) })
    for (const name of names) {
      const field = fields[layout.fields.get(name) ?? -1]
      if (field === undefined) continue
      cells.set(name, rangeOf(field))
      if (field.end - field.start <= shownBytes) texts.set(name, fieldText(buffer, field, layout.dialect))
    }
  }
  return {
    range: { start: { line: record.line, character: 0 }, end: positionIn(record, end) },
    cells,
    texts,
    content: contentOf(record),
    bytes: end - start,
  }
}

/** Of a byte of the record. O(bytes before it). */
function positionIn({ buffer, start, line }: TextRecord, offset: number) {
  let lineStart = start
  let at = line
  for (let i = start; i < offset; i++) {
    const byte = buffer[i]
    if (byte !== 10 && !(byte === 13 && buffer[i + 1] !== 10)) continue
    at++
    lineStart = i + 1
  }
  return { line: at, character: buffer.toString('utf8', lineStart, offset).length }
}

function contentOf({ buffer, start, end }: TextRecord): string {
  return contentOfBytes(buffer.subarray(start, end))
}

/** What a record says, as `RowPlace.content`. */
export function contentOfBytes(bytes: Buffer): string {
  return bytes.length <= 512 ? bytes.toString('utf8') : `${bytes.length} ${createHash('md5').update(bytes).digest('hex')}`
}

function isBlank({ buffer, start, end }: TextRecord): boolean {
  if (end - start > 256) return false
  for (let at = start; at < end; at++) if (buffer[at] !== 32 && buffer[at] !== 9) return false
  return true
}

/** The bytes of a file, as they are asked for. Close it in the end. Rejects where it cannot be read. */
export async function fileBytes(path: string): Promise<{ readonly bytes: Bytes; readonly close: () => Promise<void> }> {
  const file = await open(path, 'r')
  return {
    bytes: async (atLeast) => {
      const buffer = Buffer.allocUnsafe(atLeast)
      const { bytesRead } = await file.read(buffer, 0, atLeast, null)
      return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
    },
    close: () => file.close(),
  }
}
