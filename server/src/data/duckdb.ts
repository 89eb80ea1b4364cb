import { existsSync } from 'node:fs'
import type * as api from '@duckdb/node-api'
import type { Vector as BindingsVector } from '@duckdb/node-bindings'
import { duckdbDialect } from '../sql/dialect.ts'
import { createAs, drop } from '../sql/statements.ts'
import { type Column, type Reading, ROW, type Schema } from '../sql/tree.ts'
import { columnTypeOf } from '../sql/types.ts'
import { type ErrorContext, toProblem } from './database-errors.ts'
import { escapeGlob } from './files.ts'
import { checkGzip } from './gzip.ts'
import { describeIdx, readIdx } from './idx.ts'
import * as problem from './problems.ts'
import { callOf, checkDelimiter, type FileReading, filesOf, needsSchema } from './reading.ts'
import { type Columns, Interrupted, type QueryOptions, type Tables } from './tables.ts'
import { collect, layoutOf, type RawVector, type ReadPointer, type VectorLayout, widthOf } from './vectors.ts'
import { sqlTypeOf, type VectorWriter, writeVector } from './vectors-in.ts'

/**
 * This folder brings rows in and takes columns out. `tables.ts` is the port, this file its adapter for DuckDB and the only one that names it; `vectors.ts` turns
 * its memory into typed arrays, `reading.ts` and `idx.ts` know the formats, `keys.ts` and `splits.ts` say in SQL which row is which, `encode.ts` makes model
 * inputs of columns, `data-hash.ts` knows whether files have changed, `problems.ts` holds every sentence.
 * Deliberately absent: what is computed with the rows, and any network.
 */
export interface DatabaseOptions {
  /** Where the database may spill what does not fit into memory; absent: nowhere. */
  readonly temporaryFolder?: string
  /** As the database writes it: `1GB`. */
  readonly memoryLimit?: string
  readonly threads?: number
}

/** A database in memory, gone when it is closed. Throws `DataProblem` where the native library cannot be loaded. */
export async function openTables(options: DatabaseOptions = {}): Promise<Tables> {
  const library = await load()
  const settings: Record<string, string> = {
    temp_directory: options.temporaryFolder ?? '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: 'true',
    // Groups by a few narrow integers are counted in an array instead of a hash table: three times as fast for three columns of 15 values.
    perfect_ht_threshold: '18',
  }
  if (options.memoryLimit !== undefined) settings.memory_limit = options.memoryLimit
  if (options.threads !== undefined) settings.threads = String(options.threads)
  try {
    const instance = await library.api.DuckDBInstance.create(':memory:', settings)
    const connection = await instance.connect()
    await connection.run(`set TimeZone = 'UTC'`)
    return new DuckTables(library, instance, connection)
  } catch (error) {
    throw toProblem(error)
  }
}

interface Library {
  readonly api: typeof api
  readonly bindings: typeof import('@duckdb/node-bindings')
}

async function load(): Promise<Library> {
  try {
    const [api, bindings] = await Promise.all([import('@duckdb/node-api'), import('@duckdb/node-bindings')])
    return { api, bindings: (bindings as unknown as { default: Library['bindings'] }).default }
  } catch (error) {
    throw problem.databaseMissing(String((error as Error).message).split('\n')[0]!)
  }
}

const quoted = duckdbDialect.quoteName
/** Rows that are counted before they are looked at again: the size of a vector. */
const VECTOR_ROWS = 2048

class DuckTables implements Tables {
  readonly #library: Library
  readonly #instance: api.DuckDBInstance
  readonly #connection: api.DuckDBConnection
  readonly #read: ReadPointer
  /** A connection streams one result at a time: statements queue. */
  #queue: Promise<unknown> = Promise.resolve()
  #job: AbortController | undefined
  readonly #jobs = new Set<AbortController>()
  #closed = false

  constructor(library: Library, instance: api.DuckDBInstance, connection: api.DuckDBConnection) {
    this.#library = library
    this.#instance = instance
    this.#connection = connection
    this.#read = (records, offset, bytes) =>
      library.bindings.get_data_from_pointer(records.buffer as ArrayBuffer, records.byteOffset + offset, bytes)
  }

  describe(reading: Reading): Promise<Schema> {
    return this.#alone(() => this.#describe(reading), contextOf(reading))
  }

  read(name: string, reading: Reading): Promise<void> {
    return this.#alone(() => this.#readInto(name, reading), contextOf(reading))
  }

  look(name: string, reading: Reading): Promise<void> {
    return this.#alone(() => this.#lookAt(name, reading), contextOf(reading))
  }

  execute(sql: string): Promise<void> {
    return this.#alone(() => this.#run(sql))
  }

  query(sql: string, options: QueryOptions = {}): Promise<Columns> {
    return this.#alone(() => this.#query(sql, options))
  }

  create(name: string, columns: Columns): Promise<void> {
    return this.#alone(() => this.#create(name, columns))
  }

  /** Statements that wait for their turn are stopped too. */
  interrupt(): void {
    for (const job of this.#jobs) job.abort()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.interrupt()
    await this.#queue
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  #alone<T>(work: () => Promise<T>, context?: ErrorContext): Promise<T> {
    const job = new AbortController()
    this.#jobs.add(job)
    const result = this.#queue.then(async () => {
      this.#job = job
      // One interruption is lost if it comes just before the library's thread starts the statement.
      let again: NodeJS.Timeout | undefined
      const stop = () => {
        this.#connection.interrupt()
        again = setInterval(() => this.#connection.interrupt(), 50)
      }
      job.signal.addEventListener('abort', stop)
      try {
        this.#stopIfAsked()
        return await work()
      } catch (error) {
        throw job.signal.aborted ? new Interrupted('The statement was stopped') : toProblem(error, context)
      } finally {
        job.signal.removeEventListener('abort', stop)
        clearInterval(again)
        this.#jobs.delete(job)
      }
    })
    this.#queue = result.catch(() => {})
    return result
  }

  #stopIfAsked(): void {
    if (this.#closed || this.#job?.signal.aborted) throw new Interrupted('The statement was stopped')
  }

  async #run(sql: string): Promise<void> {
    this.#stopIfAsked()
    await this.#connection.run(sql)
  }

  // ---------------------------------------------------------------- reading

  async #describe(reading: Reading): Promise<Schema> {
    if (reading.kind === 'idx') return describeIdx(reading)
    const files = filesOf(reading)
    const call = await this.#call(reading)
    const schema = await this.#schemaOf(call)
    checkDelimiter(reading, files[0]!.path, schema)
    // A header alone is not long; looking for a row in a large file would read much of it.
    const small = files.every((file) => file.bytes < 1 << 20)
    if (small && reading.format !== 'parquet' && (await this.#isEmpty(call))) throw problem.noRows(files[0]!.path)
    return schema
  }

  async #readInto(name: string, reading: Reading): Promise<void> {
    await this.#drop(name)
    if (reading.kind === 'idx') {
      const { columns, schema } = await readIdx(reading)
      const rows = Float64Array.from({ length: columns.rows }, (_, i) => i)
      const numbered = [...columns.columns, { name: ROW, data: { kind: 'number', values: rows, integer: true } as const }]
      await this.#create(name, { rows: columns.rows, columns: numbered }, schema)
      return
    }
    const files = filesOf(reading)
    for (const { path } of files) if (/\.gz$/i.test(path)) await checkGzip(path, this.#job?.signal)
    const call = await this.#call(reading)
    const schema = await this.#schemaOf(call)
    checkDelimiter(reading, files[0]!.path, schema)
    const reserved = schema.find((column) => column.name.toLowerCase() === ROW)
    if (reserved) throw problem.reservedColumn(files[0]!.path, reserved.name)
    const has = (column: string) => schema.some((candidate) => candidate.name.toLowerCase() === column)
    if (reading.format === 'parquet') {
      const counted = has('file_row_number') || has('file_index')
      const position = counted ? 'row_number() over () - 1' : await this.#parquetPosition(files.map((file) => file.path))
      await this.#run(createAs('view', name, `select *, ${position} as ${quoted(ROW)} from ${call}`))
      return
    }
    // The table's own row number is the position in the file, free of charge: the reader keeps the order and nothing is ever deleted.
    const table = `assay rows of ${name}`
    const position = has('rowid') ? quoted(ROW) : 'rowid'
    const select = has('rowid') ? `select *, row_number() over () - 1 as ${quoted(ROW)} from ${call}` : `select * from ${call}`
    await this.#run(createAs('table', table, select))
    if (await this.#isEmpty(quoted(table))) throw problem.noRows(files[0]!.path)
    const columns = schema.map((column) => quoted(column.name)).join(', ')
    await this.#run(createAs('view', name, `select ${columns}, ${position} as ${quoted(ROW)} from ${quoted(table)}`))
  }

  async #lookAt(name: string, reading: Reading): Promise<void> {
    if (reading.kind === 'idx' || reading.format === 'parquet') return this.#readInto(name, reading)
    const files = filesOf(reading)
    const call = await this.#call(reading)
    const schema = await this.#schemaOf(call)
    checkDelimiter(reading, files[0]!.path, schema)
    const reserved = schema.find((column) => column.name.toLowerCase() === ROW)
    if (reserved) throw problem.reservedColumn(files[0]!.path, reserved.name)
    // A window over everything in the order of the rows streams: a limit above it ends the reading.
    await this.#run(createAs('view', name, `select *, row_number() over () - 1 as ${quoted(ROW)} from ${call}`))
  }

  async #call(reading: FileReading): Promise<string> {
    const files = filesOf(reading)
    if (!needsSchema(reading)) return callOf(reading, files)
    const { types: _, ...options } = reading.options
    const untyped = await this.#schemaOf(callOf({ ...reading, options }, files))
    return callOf(reading, files, untyped)
  }

  async #schemaOf(call: string): Promise<Schema> {
    const prepared = await this.#connection.prepare(`select * from ${call}`)
    try {
      const schema: Column[] = []
      for (let i = 0; i < prepared.columnCount; i++) {
        const sqlType = String(prepared.columnType(i).alias ?? prepared.columnType(i))
        schema.push({ name: prepared.columnName(i), type: columnTypeOf(sqlType), sqlType })
      }
      return schema
    } finally {
      prepared.destroySync()
    }
  }

  async #isEmpty(from: string): Promise<boolean> {
    return (await this.#query(`select 1 from ${from} limit 1`)).rows === 0
  }

  /** The rows of a file are counted in its footer; those of the files before it are added. */
  async #parquetPosition(paths: readonly string[]): Promise<string> {
    if (paths.length === 1) return 'file_row_number'
    const list = duckdbDialect.list(paths.map((path) => duckdbDialect.quoteText(escapeGlob(path))))
    const found = await this.#query(`select file_name, num_rows from parquet_file_metadata(${list})`)
    const rows = new Map<string, number>()
    const [names, counts] = found.columns.map((column) => column.data)
    if (names?.kind !== 'text' || counts?.kind !== 'number') throw new TypeError('parquet_file_metadata changed its columns')
    for (let i = 0; i < found.rows; i++) rows.set(names.dictionary[names.codes[i]!]!, counts.values[i]!)
    const starts: string[] = []
    let total = 0
    for (const path of paths) {
      starts.push(`${total}::BIGINT`)
      total += rows.get(path) ?? 0
    }
    return `(${duckdbDialect.list(starts)})[CAST(file_index AS BIGINT) + 1] + file_row_number`
  }

  async #drop(name: string): Promise<void> {
    const found = await this.#query(
      `select table_type from information_schema.tables where table_name = ${duckdbDialect.quoteText(name)} and table_schema = 'main'`,
    )
    const type = found.columns[0]!.data
    if (found.rows === 0 || type.kind !== 'text') return
    await this.#run(drop(type.dictionary[0] === 'VIEW' ? 'view' : 'table', name))
  }

  // ---------------------------------------------------------------- columns out

  async #query(sql: string, { vectors = [] }: QueryOptions = {}): Promise<Columns> {
    this.#stopIfAsked()
    const prepared = await this.#connection.prepare(sql)
    const names: string[] = []
    const layouts: (VectorLayout | undefined)[] = []
    for (let i = 0; i < prepared.columnCount; i++) {
      names.push(prepared.columnName(i))
      const type = String(prepared.columnType(i))
      layouts.push(type === 'FLOAT[]' && vectors.includes(names[i]!) ? { kind: 'floats' } : layoutOf(type))
    }
    if (layouts.includes(undefined)) {
      prepared.destroySync()
      return this.#collect(await this.#connection.prepare(asText(sql, layouts)), names, layouts)
    }
    return this.#collect(prepared, names, layouts)
  }

  async #collect(
    prepared: api.DuckDBPreparedStatement,
    names: readonly string[],
    layouts: readonly (VectorLayout | undefined)[],
  ): Promise<Columns> {
    const { bindings } = this.#library
    const known = layouts.map((layout): VectorLayout => layout ?? { kind: 'text' })
    const collectors = known.map((layout) => collect(layout, this.#read))
    let total = 0
    try {
      const result = await prepared.stream()
      for (;;) {
        const chunk = await result.fetchChunk()
        const rows = chunk?.rowCount ?? 0
        if (!chunk || rows === 0) break
        this.#stopIfAsked()
        known.forEach((layout, i) => {
          const vector = rawVector(chunk, i)
          const data = bindings.vector_get_data(vector, rows * widthOf(layout))
          const validity = bindings.vector_get_validity(vector, Math.ceil(rows / 64) * 8) ?? undefined
          const child = layout.kind === 'floats' ? elementsOf(bindings, vector) : undefined
          collectors[i]!.add({ rows, data, validity, child } satisfies RawVector)
        })
        total += rows
      }
    } finally {
      prepared.destroySync()
    }
    return { rows: total, columns: collectors.map((collector, i) => ({ name: names[i]!, data: collector.finish() })) }
  }

  // ---------------------------------------------------------------- columns in

  async #create(name: string, columns: Columns, schema?: Schema): Promise<void> {
    await this.#drop(name)
    const { api, bindings } = this.#library
    const types = columns.columns.map(({ data }, i) => schema?.[i]?.sqlType ?? sqlTypeOf(data))
    const definitions = columns.columns.map((column, i) => `${quoted(column.name)} ${types[i]}`)
    await this.#run(`create table ${quoted(name)} (${definitions.join(', ')})`)
    const appender = await this.#connection.createAppender(name)
    try {
      const vectorTypes = columns.columns.map((_, i) => appender.columnType(i))
      for (let start = 0; start < columns.rows; start += VECTOR_ROWS) {
        if (start % (VECTOR_ROWS * 16) === 0) await new Promise(setImmediate)
        this.#stopIfAsked()
        const rows = Math.min(VECTOR_ROWS, columns.rows - start)
        const chunk = api.DuckDBDataChunk.create(vectorTypes, rows)
        columns.columns.forEach(({ data }, i) => {
          writeVector(writerInto(bindings, rawVector(chunk, i)), data, types[i]!, start, rows)
        })
        appender.appendDataChunk(chunk)
      }
      appender.flushSync()
    } finally {
      appender.closeSync()
    }
  }
}

function contextOf(reading: Reading): ErrorContext {
  if (reading.kind === 'idx') return { path: reading.images }
  if (existsSync(reading.path)) return { path: reading.path }
  try {
    return { path: filesOf(reading)[0]?.path }
  } catch {
    return { path: reading.path }
  }
}

/** The raw handle behind a vector; private in the types of the library, whose version is pinned. */
function rawVector(chunk: api.DuckDBDataChunk, column: number): BindingsVector {
  return (chunk.getColumnVector(column) as unknown as { vector: BindingsVector }).vector
}

function elementsOf(bindings: Library['bindings'], vector: BindingsVector): RawVector {
  const child = bindings.list_vector_get_child(vector)
  const rows = bindings.list_vector_get_size(vector)
  return {
    rows,
    data: rows === 0 ? new Uint8Array() : bindings.vector_get_data(child, rows * 4),
    validity: rows === 0 ? undefined : (bindings.vector_get_validity(child, Math.ceil(rows / 64) * 8) ?? undefined),
  }
}

/** The query with the columns that have no layout cast to text. The order of its rows is kept: `preserve_insertion_order`. */
function asText(sql: string, layouts: readonly (VectorLayout | undefined)[]): string {
  const columns = layouts.map((_, i) => quoted(`c${i}`))
  const items = layouts.map((layout, i) => (layout ? columns[i] : `cast(${columns[i]} as VARCHAR)`))
  return `select ${items.join(', ')} from (\n${sql.replace(/;\s*$/, '')}\n) as t(${columns.join(', ')})`
}

function writerInto(bindings: Library['bindings'], vector: BindingsVector): VectorWriter {
  return {
    values: ({ buffer, byteOffset, byteLength }) => bindings.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset, byteLength),
    validity: ({ buffer, byteOffset, byteLength }) => {
      bindings.vector_ensure_validity_writable(vector)
      bindings.copy_data_to_vector_validity(vector, 0, buffer as ArrayBuffer, byteOffset, byteLength)
    },
    text: (row, text) => bindings.vector_assign_string_element(vector, row, text),
    blob: (row, bytes) => bindings.vector_assign_string_element_len(vector, row, bytes),
  }
}
