import { closeSync, openSync, readSync } from 'node:fs'
import { type ReaderArgument, readerCall } from '../sql/statements.ts'
import type { FileFormat, Reading, Schema } from '../sql/tree.ts'
import { escapeGlob, type FoundFile, findFiles } from './files.ts'
import { nearest } from './nearest.ts'
import * as problem from './problems.ts'
import { DataProblem } from './tables.ts'

export type FileReading = Reading & { readonly kind: 'file' }

const DELIMITED: readonly string[] = [
  'delim',
  'header',
  'quote',
  'escape',
  'nullstr',
  'skip',
  'types',
  'dateformat',
  'timestampformat',
  'decimal_separator',
  'encoding',
  'sample_size',
]

/** The options of a format, under the names that the language and the database share. */
const OPTIONS: Record<FileFormat, readonly string[]> = {
  csv: DELIMITED,
  tsv: DELIMITED,
  parquet: [],
  json: ['types', 'dateformat', 'timestampformat', 'sample_size'],
  jsonl: ['types', 'dateformat', 'timestampformat', 'sample_size'],
}

/** The files of a reading, none of them empty. Throws `DataProblem`. */
export function filesOf(reading: FileReading): readonly FoundFile[] {
  const files = findFiles(reading.path)
  const empty = files.find((file) => file.bytes === 0)
  if (empty) throw problem.emptyFile(empty.path)
  return files
}

/**
 * The reader's call as it stands in `from`. `schema` is what the file was found to hold before `types` was applied: the JSON reader takes no types
 * for some columns only.
 */
export function callOf(reading: FileReading, files: readonly FoundFile[], schema?: Schema): string {
  const { format, options } = reading
  const known = OPTIONS[format]
  for (const name of Object.keys(options)) {
    if (name !== 'format' && !known.includes(name)) throw problem.unknownOption(format, name, nearest(name, known))
  }
  const paths = files.map((file) => escapeGlob(file.path))
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'format'))
  if (format === 'parquet') return readerCall('read_parquet', paths, {})
  if (format === 'csv' || format === 'tsv') {
    const fixed: Record<string, ReaderArgument> = format === 'tsv' ? { delim: '\t' } : {}
    return readerCall('read_csv', paths, { ...fixed, ...given })
  }
  const { types, ...rest } = given
  const shape = { ...rest, format: format === 'json' ? 'auto' : 'newline_delimited' }
  if (!isTypes(types) || !schema) return readerCall('read_json', paths, shape)
  const columns = Object.fromEntries(schema.map((column) => [column.name, types[sameName(types, column.name)] ?? column.sqlType]))
  const unknown = Object.keys(types).find((name) => !schema.some((column) => equal(column.name, name)))
  if (unknown !== undefined) {
    const names = schema.map((column) => column.name)
    throw problem.unknownTypesColumn(files[0]!.path, `\`${unknown}\``, nearest(unknown, names))
  }
  return readerCall('read_json', paths, { ...shape, columns })
}

/** Whether `types` asks for the schema of a JSON file before it can be read. */
export function needsSchema(reading: FileReading): boolean {
  return (reading.format === 'json' || reading.format === 'jsonl') && reading.options.types !== undefined
}

const DELIMITERS = [',', ';', '\t', '|'] as const

/**
 * A text file whose only column's name holds a delimiter was split at the wrong one, or its lines differ. Looks at its first lines only.
 * (A file of one column with an innocent name passes: prose has commas too.)
 */
export function checkDelimiter(reading: FileReading, path: string, schema: Schema): void {
  if (reading.format !== 'csv' && reading.format !== 'tsv') return
  if (schema.length !== 1) {
    checkWidth(reading, path, schema.length)
    return
  }
  const name = schema[0]!.name
  const delimiter = DELIMITERS.filter((candidate) => name.includes(candidate)).sort((a, b) => count(name, b) - count(name, a))[0]
  if (delimiter === undefined) return
  const skip = typeof reading.options.skip === 'number' ? reading.options.skip : 0
  const lines = firstLines(path).slice(skip)
  const counts = lines.map((line) => count(line, delimiter))
  const header = counts[0] ?? count(name, delimiter)
  // In quotes after all, or compressed: what the name holds is all that is known.
  if (header === 0 && lines.length > 0) return
  const odd = counts.findIndex((found) => found !== header)
  if (odd > 0 && reading.options.delim === undefined && reading.format === 'csv') {
    throw problem.raggedLines(path, delimiter, header + 1, odd + skip + 1, counts[odd]! + 1)
  }
  throw problem.wrongDelimiter(path, delimiter, header + 1)
}

/**
 * Where one line differs the database may take all lines before it for a preamble, and skip them without a word. So most of a file's first lines must
 * hold as many values as it has columns.
 */
function checkWidth(reading: FileReading, path: string, columns: number): void {
  const { delim, quote, encoding, skip } = reading.options
  if ([delim, quote, encoding, skip].some((option) => option !== undefined)) return
  const lines = firstLines(path).filter((line) => line.trim() !== '')
  // Text in quotes may run over several lines.
  if (lines.length === 0 || lines.some((line) => (line.split('"').length - 1) % 2 === 1)) return
  const most = lines.length / 2
  const widths = DELIMITERS.map((delimiter) => lines.map((line) => count(line, delimiter) + 1))
  if (widths.some((found) => found.filter((width) => width === columns).length >= most)) return
  for (const [d, found] of widths.entries()) {
    const usual = found.find((width) => width > 1 && found.filter((other) => other === width).length > most)
    if (usual !== undefined) throw problem.skippedLines(path, DELIMITERS[d]!, usual, columns)
  }
}

/** Delimiters outside double quotes. */
function count(line: string, delimiter: string): number {
  return line.replace(/"(?:[^"]|"")*"/g, '').split(delimiter).length - 1
}

function firstLines(path: string): readonly string[] {
  if (/\.(gz|zst)$/i.test(path)) return []
  const buffer = Buffer.alloc(1 << 16)
  const file = openSync(path, 'r')
  try {
    const bytes = readSync(file, buffer, 0, buffer.length, 0)
    const lines = buffer
      .toString('utf8', 0, bytes)
      .replace(/^\uFEFF/, '')
      .split(/\r\n|\n|\r/)
    if (bytes === buffer.length || lines.at(-1) === '') lines.pop()
    return lines.slice(0, 20)
  } finally {
    closeSync(file)
  }
}

/** The operating system's own word for a file that cannot be opened, as a sentence. */
export function fileProblem(path: string, error: unknown): DataProblem {
  if (error instanceof DataProblem) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EACCES' || code === 'EPERM') return problem.unreadable(path, 'permission is denied')
  if (code === 'ENOENT') return problem.missingFile(path, undefined)
  return problem.unreadable(path, code ?? String((error as Error).message))
}

function isTypes(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function sameName(types: Readonly<Record<string, string>>, name: string): string {
  return Object.keys(types).find((key) => equal(key, name)) ?? name
}
function equal(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
