import { categoryValues, compareTexts } from './categories.ts'
import * as problem from './problems.ts'
import type { ColumnData } from './tables.ts'

/** What a model predicts, as part of its record: the classes in SQL's ascending order, or a number as it is. */
export type LabelEncoding =
  | { readonly kind: 'classes'; readonly name: string; readonly values: readonly ClassValue[] }
  | { readonly kind: 'number'; readonly name: string }
export type ClassValue = string | number | boolean

/** A class number for each row (−1: a value that is no class; −2: NULL), or the target (NaN: NULL). */
export type EncodedLabels =
  | { readonly kind: 'classes'; readonly values: Int32Array }
  | { readonly kind: 'number'; readonly values: Float32Array }

export const UNKNOWN_CLASS = -1
export const NULL_CLASS = -2

/** More classes than this of numbers are a measure, of texts a key or a sentence. */
export const MAXIMUM_NUMERIC_CLASSES = 200
export const MAXIMUM_CLASSES = 1000

/** `rows` are the training rows; absent: all. O(rows + classes · log classes). Throws `DataProblem`. */
export function fitLabels(name: string, data: ColumnData, task: 'classification' | 'regression', rows?: Int32Array): LabelEncoding {
  const chosen = rows ?? Int32Array.from({ length: lengthOf(data) }, (_, i) => i)
  if (chosen.length === 0) throw problem.noTrainingRows()
  let missing = 0
  if (data.valid) for (const row of chosen) if (data.valid[row] === 0) missing++
  if (data.kind === 'number') for (const row of chosen) if (Number.isNaN(data.values[row]) && data.valid?.[row] !== 0) missing++
  if (missing > 0) throw problem.nullLabel(name, missing, chosen.length)
  return task === 'regression' ? fitTarget(name, data, chosen) : { kind: 'classes', name, values: fitClasses(name, data, chosen) }
}

/** O(rows + classes). */
export function encodeLabels(encoding: LabelEncoding, data: ColumnData, rows?: Int32Array): EncodedLabels {
  const chosen = rows ?? Int32Array.from({ length: lengthOf(data) }, (_, i) => i)
  const { valid } = data
  if (encoding.kind === 'number') {
    if (data.kind !== 'number' && data.kind !== 'boolean') throw problem.notATarget(encoding.name, wordFor(data))
    return { kind: 'number', values: Float32Array.from(chosen, (row) => (valid?.[row] === 0 ? Number.NaN : data.values[row]!)) }
  }
  const index = new Map<ClassValue, number>(encoding.values.map((value, i) => [value, i]))
  const codeOf = classReader(data, index)
  return { kind: 'classes', values: Int32Array.from(chosen, (row) => (valid?.[row] === 0 ? NULL_CLASS : codeOf(row))) }
}

function fitTarget(name: string, data: ColumnData, rows: Int32Array): LabelEncoding {
  if (data.kind !== 'number' && data.kind !== 'boolean') throw problem.notATarget(name, wordFor(data))
  const first = data.values[rows[0]!]!
  if (rows.every((row) => data.values[row] === first)) throw problem.constantTarget(name, first)
  if (rows.some((row) => !Number.isFinite(data.values[row]))) throw problem.notATarget(name, 'an infinite number')
  return { kind: 'number', name }
}

function fitClasses(name: string, data: ColumnData, rows: Int32Array): readonly ClassValue[] {
  const values = distinctValues(name, data, rows)
  if (values.length === 1) throw problem.oneClass(name, String(values[0]))
  const most = data.kind === 'number' ? MAXIMUM_NUMERIC_CLASSES : MAXIMUM_CLASSES
  if (values.length > most) throw problem.tooManyClasses(name, values.length, rows.length, data.kind === 'number' ? 'number' : 'text')
  return values
}

function distinctValues(name: string, data: ColumnData, rows: Int32Array): ClassValue[] {
  switch (data.kind) {
    case 'text':
      return categoryValues(data, rows).values.sort(compareTexts)
    case 'boolean': {
      const found = new Set<boolean>()
      for (const row of rows) found.add(data.values[row] === 1)
      return [...found].sort()
    }
    case 'number': {
      const found = new Set<number>()
      for (const row of rows) found.add(data.values[row]!)
      return [...found].sort((a, b) => a - b)
    }
    case 'blob':
      throw problem.notATarget(name, wordFor(data))
  }
}

function classReader(data: ColumnData, index: ReadonlyMap<ClassValue, number>): (row: number) => number {
  switch (data.kind) {
    case 'text': {
      const codes = data.dictionary.map((text) => index.get(text) ?? UNKNOWN_CLASS)
      return (row) => codes[data.codes[row]!]!
    }
    case 'boolean':
      return (row) => index.get(data.values[row] === 1) ?? UNKNOWN_CLASS
    case 'number':
      return (row) => index.get(data.values[row]!) ?? UNKNOWN_CLASS
    case 'blob':
      return () => UNKNOWN_CLASS
  }
}

function wordFor(data: ColumnData): string {
  return { number: 'numbers', boolean: 'booleans', text: 'text', blob: 'bytes' }[data.kind]
}
function lengthOf(data: ColumnData): number {
  return data.kind === 'text' ? data.codes.length : data.values.length
}
