import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { findFiles } from '../data/files.ts'
import { DataProblem } from '../data/tables.ts'
import type { SourcePlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { type Reading, ROW, type Schema } from '../sql/tree.ts'
import { writeAtomically } from './cache.ts'

/**
 * Training data that is not here, only its index is (R++ §1). An imported index says what columns the files had and their hash; where such a file is
 * missing, its source is prepared without rows, and whatever asks for them is told so. A file that is there is read as ever.
 */
export interface AbsentReading {
  /** With paths as from the folder above `.assay`, so that a project may move. */
  readonly reading: Reading
  readonly schema: Schema
  /** Of the files' contents, where the index was made. */
  readonly hash: string
}

export const ROWS_NOT_HERE = 'rows-not-here'

/** The rows of a source, or those that a model learned from, are asked for and are elsewhere: no mistake of anybody's, so what asked is skipped. */
export function rowsNotHere(what: string): DataProblem {
  return new DataProblem(ROWS_NOT_HERE, `${what} Run this where the training rows are.`)
}

export const isNotHere = (reason: unknown): reason is DataProblem => reason instanceof DataProblem && reason.code === ROWS_NOT_HERE

/** What is known of a reading whose files are missing; `undefined` where they are here, or nothing is known. O(sources imported). */
export function absentReading(folder: string, reading: Reading): AbsentReading | undefined {
  if (!isMissing(reading)) return undefined
  const name = JSON.stringify(placed(folder, reading))
  return known(folder).find((one) => JSON.stringify(one.reading) === name)
}

/** Remembers what files that are not here would hold. Throws where the folder cannot be written. */
export function rememberReadings(folder: string, readings: readonly AbsentReading[]): void {
  const fresh = readings.map((one) => ({ ...one, reading: placed(folder, one.reading) }))
  const names = new Set(fresh.map((one) => JSON.stringify(one.reading)))
  const all = [...known(folder).filter((one) => !names.has(JSON.stringify(one.reading))), ...fresh]
  mkdirSync(dirname(listOf(folder)), { recursive: true })
  writeAtomically(join(folder, 'tmp'), listOf(folder), [Buffer.from(JSON.stringify(all))])
}

/** SQL of a table without rows. A type that is not plainly one is text: the schema came with a file. */
export function emptyTable(schema: Schema): string {
  const column = (name: string) => printExpr({ kind: 'column', name })
  const items = schema.map(({ name, sqlType }) => `cast(null as ${plainType.test(sqlType) ? sqlType : 'VARCHAR'}) as ${column(name)}`)
  return `select ${[...items, `cast(0 as BIGINT) as ${column(ROW)}`].join(', ')} where false`
}
const plainType = /^[A-Z][A-Z0-9_ ]*(\(\d+(, ?\d+)?\))?(\[\d*\])*$/

/** How a source's files are called in sentences. */
export function filesOf({ reading }: Pick<SourcePlan, 'reading'>): string {
  if (!reading) return 'its files'
  return `\`${basename(reading.kind === 'file' ? reading.path : reading.images)}\``
}

export function isMissing(reading: Reading): boolean {
  const paths = reading.kind === 'file' ? [reading.path] : [reading.images, ...(reading.labels === undefined ? [] : [reading.labels])]
  try {
    for (const path of paths) findFiles(path)
    return false
  } catch (reason) {
    return reason instanceof DataProblem && reason.code === 'missing-file'
  }
}

const listOf = (folder: string) => join(folder, 'handed-over', 'readings.json')

function known(folder: string): AbsentReading[] {
  const file = listOf(folder)
  if (!existsSync(file)) return []
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as AbsentReading[]
  } catch {
    return []
  }
}

function placed(folder: string, reading: Reading): Reading {
  const near = (path: string) => relative(dirname(folder), path).replaceAll('\\', '/')
  if (reading.kind === 'file') return { ...reading, path: near(reading.path) }
  return { ...reading, images: near(reading.images), ...(reading.labels === undefined ? {} : { labels: near(reading.labels) }) }
}
