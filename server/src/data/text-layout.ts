import type { FileReading } from './reading.ts'
import { type Dialect, eachRecord, fieldsOf, fieldText, type TextRecord } from './text-records.ts'

/** How the rows of a text file lie in it. */
export interface TextLayout {
  readonly kind: 'delimited' | 'json'
  readonly dialect: Dialect
  /** Records before the first row: a header, what stands above it. Blank ones count. */
  readonly skipped: number
  /** The place of a column among the fields, by its name in the reading. */
  readonly fields: ReadonlyMap<string, number>
  /** Whether an empty line is no row: so it is where a row has several fields. */
  readonly skipsBlank: boolean
}

const newline = 10
const delimiters = [',', ';', '\t', '|']
const quotes = ['"', "'"]

/**
 * The layout of a text file, from its first bytes and the columns that the database found in it: what delimits, and where the header is, is what gives those
 * columns back. Undefined where the text is laid out otherwise (compressed, another encoding, nested JSON): then its rows are not found in it.
 */
export async function layoutOf(
  reading: FileReading,
  path: string,
  head: Uint8Array,
  columns: readonly string[],
): Promise<TextLayout | undefined> {
  const { format, options } = reading
  if (/\.(gz|zst)$/i.test(path) || !/^(utf-?8)?$/i.test(String(options.encoding ?? ''))) return undefined
  if (format === 'jsonl') return { kind: 'json', dialect: { delimiter: newline }, skipped: 0, fields: new Map(), skipsBlank: true }
  if (format !== 'csv' && format !== 'tsv') return undefined
  const given = format === 'tsv' ? (options.delim ?? '\t') : options.delim
  const quote = typeof options.quote === 'string' ? options.quote : undefined
  const lead = typeof options.escape === 'string' && options.escape !== '' ? byteOf(options.escape) : undefined
  const fields = new Map(columns.map((name, i) => [name, i]))
  for (const delimiter of typeof given === 'string' ? [given] : delimiters)
    for (const mark of quote === undefined ? quotes : [quote]) {
      const dialect: Dialect = { delimiter: byteOf(delimiter) ?? -1, quote: mark === '' ? undefined : byteOf(mark), escape: lead }
      if (dialect.delimiter < 0 || (mark !== '' && dialect.quote === undefined)) continue
      const skipped = await rowsBegin(reading, head, dialect, columns)
      if (skipped !== undefined) return { kind: 'delimited', dialect, skipped, fields, skipsBlank: columns.length > 1 }
    }
  return undefined
}

/** How many records stand before the rows; undefined where this dialect does not give the columns. */
async function rowsBegin(
  reading: FileReading,
  head: Uint8Array,
  dialect: Dialect,
  columns: readonly string[],
): Promise<number | undefined> {
  const skip = typeof reading.options.skip === 'number' ? reading.options.skip : 0
  const records: string[][] = []
  await eachRecord(once(head), dialect, (record) => {
    records.push(textsOf(record, dialect, columns.length + 1))
    return records.length >= skip + 64 ? 'stop' : undefined
  })
  if (reading.options.header !== false) {
    const header = records.findIndex((texts, i) => i >= skip && isHeader(texts, columns))
    if (header >= 0) return header + 1
  }
  // The database names columns itself where there is no header.
  const unnamed = columns.every((name) => /^column\d+$/.test(name))
  const first = records.findIndex((texts, i) => i >= skip && texts.length === columns.length)
  return unnamed && first >= 0 ? (columns.length > 1 ? first : skip) : undefined
}

function textsOf(record: TextRecord, dialect: Dialect, most: number): string[] {
  return fieldsOf(record, dialect, most).map((field) =>
    fieldText(record.buffer, { start: field.start, end: Math.min(field.end, field.start + 4096) }, dialect),
  )
}

/** Names are trimmed, and told apart by a number behind them where they are repeated. */
function isHeader(texts: readonly string[], columns: readonly string[]): boolean {
  if (texts.length !== columns.length) return false
  return columns.every((name, i) => {
    const text = texts[i]!.trim()
    return text === name || text === '' || name === texts[i] || (name.startsWith(`${text}_`) && /^\d+$/.test(name.slice(text.length + 1)))
  })
}

function byteOf(letter: string): number | undefined {
  const bytes = Buffer.from(letter)
  return bytes.length === 1 ? bytes[0] : undefined
}

function once(bytes: Uint8Array) {
  let left: Uint8Array | undefined = bytes
  return async () => {
    const now = left
    left = undefined
    return now
  }
}
