import { type ReaderArgument, readerCall } from '../sql/statements.ts'
import { type Reading, ROW, type Schema } from '../sql/tree.ts'
import { escapeGlob, findFiles } from './files.ts'
import type { FileReading } from './reading.ts'
import { type ColumnData, DataProblem, type Tables } from './tables.ts'

/**
 * Lines that come later to a text file, read as its first ones were: the delimiter, the quotes, the formats of dates and the types of columns are found out
 * once, from the file, and never from the lines that come, of which there may be one.
 */
export interface LineFormat {
  readonly reading: FileReading
  /** As the file was found to have them. */
  readonly columns: Schema
  /** Lines at the head of a file that are no rows. */
  readonly headLines: number
  /** How rows end; absent: at every line feed. */
  readonly quotes?: Quotes
  /** Columns without any value so far: the first one may decide on another type. */
  readonly empty?: readonly string[]
  /** Of `read_csv`, but the columns. */
  readonly options: Readonly<Record<string, ReaderArgument>>
}

export interface Quotes {
  readonly quote: number
  readonly escape: number
  readonly delimiter: number
}

/** Whether a file of this format can grow line by line. */
export function hasLines(reading: Reading): reading is FileReading & { readonly format: 'csv' | 'tsv' | 'jsonl' } {
  return reading.kind === 'file' && /^(csv|tsv|jsonl)$/.test(reading.format)
}

/** Throws `DataProblem` where lines that come later could not be read by themselves. O(a sample of the file). */
export async function lineFormat(tables: Tables, reading: FileReading): Promise<LineFormat> {
  const files = findFiles(reading.path)
  const packed = files.find((file) => /\.(gz|zst|bz2)$/i.test(file.path))
  if (packed) throw notByLine('it is compressed')
  const columns = await tables.describe(reading)
  if (reading.format === 'jsonl') return { reading, columns, headLines: 0, options: {} }
  const { encoding } = reading.options
  if (typeof encoding === 'string' && /16/.test(encoding)) throw notByLine('its characters take two bytes each')
  const { format: _, ...given } = reading.options
  const fixed: Record<string, ReaderArgument> = reading.format === 'tsv' ? { delim: '\t' } : {}
  const call = readerCall('sniff_csv', [escapeGlob(files[0]!.path)], { ...fixed, ...given })
  // One file at a time, not a list.
  const found = await tables.query(`select * from ${call.replace(/^sniff_csv\(\[((?:'[^']*')+)\]/, 'sniff_csv($1')}`)
  const told = (name: string): string | undefined => {
    const data = found.columns.find((c) => c.name === name)!.data
    const text = textAt(data)
    return text === undefined || text === '(empty)' || text === '' ? undefined : text
  }
  const [delim, quote, newline] = [told('Delimiter') ?? ',', told('Quote'), told('NewLineDelimiter') ?? '\\n']
  // Where no quote was doubled so far, one that comes will be.
  const doubled = quote === undefined ? undefined : (told('Escape') ?? quote)
  if (newline !== '\\n' && newline !== '\\r\\n') throw notByLine('its lines do not end with a line feed')
  if ([delim, quote, doubled].some((text) => text !== undefined && (text.length !== 1 || text.charCodeAt(0) > 127)))
    throw notByLine('its delimiter or quote is not one plain character')
  const options: Record<string, ReaderArgument> = {
    auto_detect: false,
    header: false,
    delim,
    new_line: newline,
    quote: quote ?? '',
    escape: doubled ?? '',
  }
  const formats = [
    ['comment', told('Comment')],
    ['dateformat', told('DateFormat')],
    ['timestampformat', told('TimestampFormat')],
  ] as const
  for (const [name, value] of formats) if (value !== undefined) options[name] = value
  for (const name of ['nullstr', 'decimal_separator', 'encoding', 'dateformat', 'timestampformat']) {
    const value = given[name]
    if (value !== undefined) options[name] = value
  }
  const code = (text: string) => text.charCodeAt(0)
  const quotes = quote === undefined ? undefined : { quote: code(quote), escape: code(doubled!), delimiter: code(delim) }
  const headLines = (numberOf(found, 'SkipRows') ?? 0) + (textAt(columnNamed(found, 'HasHeader')) === 'true' ? 1 : 0)
  return { reading, columns, headLines, quotes, options }
}

const notByLine = (why: string) => new DataProblem('not-by-line', why)

/**
 * A table of the lines in `path`, with the columns' own names and types and positions from `first` on. Throws `DataProblem` where a line does not fit the
 * columns as they are: then the file as a whole may have other types now. O(bytes of the lines).
 */
export async function readLines(
  tables: Tables,
  name: string,
  format: LineFormat,
  { path, first }: { path: string; first: number },
): Promise<void> {
  const call = format.reading.format === 'jsonl' ? await jsonCall(tables, format, path) : csvCall(format, path)
  const columns = format.columns.map((c) => {
    if (format.empty?.includes(c.name)) return none(c.name)
    return isStrict(format, c) ? strict(c.name, c.sqlType) : quoted(c.name)
  })
  await tables.execute(
    `create or replace table ${quoted(name)} as select ${columns.join(', ')}, ${first} + row_number() over () - 1 as ${quoted(ROW)} from ${call}`,
  )
}

function csvCall(format: LineFormat, path: string): string {
  const columns = Object.fromEntries(format.columns.map((c) => [c.name, isStrict(format, c) ? 'VARCHAR' : c.sqlType]))
  return readerCall('read_csv', [escapeGlob(path)], { ...format.options, columns })
}

/** Casts are lenient where finding out types is not: `1.5` becomes the integer 2, and `1` is true. */
function isStrict({ reading }: LineFormat, { name, sqlType }: Schema[number]): boolean {
  if (reading.format === 'jsonl') return false
  const { types } = reading.options
  const isGiven = typeof types === 'object' && Object.keys(types).some((key) => key.toLowerCase() === name.toLowerCase())
  return !isGiven && /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN)$/.test(sqlType)
}

function strict(name: string, type: string): string {
  const pattern = type === 'BOOLEAN' ? '\\s*(?i:true|false)\\s*' : '\\s*[+-]?[0-9]+\\s*'
  const own = quoted(name)
  const wrong = `error('\`' || left(${own}, 60) || '\` in column \`' || ${text(name)} || '\` is not a ${type}')`
  return `case when ${own} is null or regexp_full_match(${own}, '${pattern}') then cast(${own} as ${type}) else ${wrong} end as ${own}`
}

const none = (name: string) =>
  `case when ${quoted(name)} is not null then error('column \`' || ${text(name)} || '\` had no value before') end as ${quoted(name)}`

/** The format with the columns of a table of its rows that are all NULL, where lines that come could decide on their type. O(rows × columns of text). */
export async function withEmpty(tables: Tables, format: LineFormat, table: string): Promise<LineFormat> {
  const undecided = format.columns.filter((c) => c.sqlType === 'VARCHAR' && format.reading.options.types === undefined)
  if (undecided.length === 0) return format
  const found = await tables.query(
    `select ${undecided.map((c, i) => `count(${quoted(c.name)}) as c${i}`).join(', ')} from ${quoted(table)}`,
  )
  const empty = undecided.filter((_, i) => textAt(found.columns[i]!.data) === '0').map((c) => c.name)
  return { ...format, empty }
}

async function jsonCall(tables: Tables, { reading, columns }: LineFormat, path: string): Promise<string> {
  const { format: _, types, sample_size: __, ...given } = reading.options
  const shape = { ...given, format: 'newline_delimited' }
  const found = await tables.query(`describe select * from ${readerCall('read_json', [escapeGlob(path)], { ...shape, sample_size: -1 })}`)
  const [names, kinds] = [columnNamed(found, 'column_name'), columnNamed(found, 'column_type')]
  for (let row = 0; row < found.rows; row++) {
    const [name, kind] = [textAt(names, row)!, textAt(kinds, row)!]
    const known = columns.find((c) => c.name.toLowerCase() === name.toLowerCase())
    if (known && types === undefined && !holds(known.sqlType, kind))
      throw new DataProblem('mixed-type', `a value in column \`${known.name}\` is a ${kind}, where ${known.sqlType} is expected`)
  }
  const record = Object.fromEntries(columns.map((c) => [c.name, c.sqlType]))
  return readerCall('read_json', [escapeGlob(path)], { ...shape, columns: record })
}

/** Whether values of one type can join those of another without a change of the column's. `JSON`: nothing but nulls. */
function holds(known: string, kind: string): boolean {
  if (known === kind || kind === 'JSON') return true
  if (known === 'DOUBLE') return /^U?(BIG|HUGE)INT$/.test(kind)
  return known === 'VARCHAR' && /^(DATE|TIMESTAMP|TIME|UUID)/.test(kind)
}

/** How many of these bytes are whole rows: up to the last line feed outside quotes. The first byte begins a row. O(bytes). */
export function wholeRows(bytes: Uint8Array, quotes: Quotes | undefined): number {
  if (!quotes || bytes.indexOf(quotes.quote) < 0) return bytes.lastIndexOf(LINE_FEED) + 1
  const { quote, escape: mark, delimiter } = quotes
  let end = 0
  let inside = false
  let begins = true
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (inside) {
      if (byte === mark && mark !== quote) i++
      else if (byte === quote && bytes[i + 1] === quote && mark === quote) i++
      else if (byte === quote) inside = false
      continue
    }
    if (byte === LINE_FEED) end = i + 1
    inside = begins && byte === quote
    begins = byte === LINE_FEED || byte === delimiter
  }
  return end
}

const LINE_FEED = 10
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
const text = (value: string) => `'${value.replaceAll("'", "''")}'`

function columnNamed(
  found: { readonly columns: readonly { readonly name: string; readonly data: ColumnData }[] },
  name: string,
): ColumnData {
  return found.columns.find((c) => c.name === name)!.data
}

function textAt(data: ColumnData, row = 0): string | undefined {
  if (data.valid?.[row] === 0) return undefined
  if (data.kind === 'text') return data.dictionary[data.codes[row]!]
  if (data.kind === 'boolean') return data.values[row] === 1 ? 'true' : 'false'
  return data.kind === 'number' ? String(data.values[row]) : undefined
}

function numberOf(found: Parameters<typeof columnNamed>[0], name: string): number | undefined {
  const value = Number(textAt(columnNamed(found, name)))
  return Number.isFinite(value) ? value : undefined
}
