import { createHash } from 'node:crypto'
import type { ColumnType } from '../sql/tree.ts'
import { categoryValues, compareTexts } from './categories.ts'
import { type EmbeddingEncoding, fitEmbedding, putEmbedding } from './embeddings.ts'
import * as problem from './problems.ts'
import type { ColumnData, NamedColumn } from './tables.ts'

/**
 * Columns to model inputs, as part of a model's record. Decisions, so that two people get the same numbers:
 * numbers, booleans (0/1) and dates (days, as a number) are standardised by the training rows' mean and population deviation;
 * NULL (and NaN, ±∞) takes the mean, and a column `… is null` says so where the training rows had one: without, an indicator would be a column of zeros
 * that training cannot weigh, and a NULL seen later is the mean alone. Texts are one-hot in SQL's ascending order, with NULL as a value of its own where
 * the training rows had it, and a last column for what they did not have. Images are bytes / 255. Embeddings (`embeddings.ts`) are like columns of numbers.
 */
export interface Encoding {
  readonly inputs: readonly InputEncoding[]
  /** Columns of the encoded matrix. */
  readonly width: number
  /** sha256 of everything above, hexadecimal. */
  readonly hash: string
  /** Sentences about what was odd and did no harm: features that do not vary. */
  readonly notes: readonly string[]
}
export type InputEncoding =
  | {
      readonly kind: 'number'
      readonly name: string
      readonly from: 'number' | 'boolean' | 'date'
      readonly mean: number
      /** 0: the feature does not vary, and is encoded as its difference from the mean. */
      readonly deviation: number
      readonly indicator: boolean
    }
  | { readonly kind: 'category'; readonly name: string; readonly values: readonly string[]; readonly hasNull: boolean }
  | { readonly kind: 'image'; readonly name: string; readonly bytes: number }
  | EmbeddingEncoding

export interface InputColumn extends NamedColumn {
  /** `embedding`: a blob of float32 numbers a row. */
  readonly type: ColumnType | 'embedding'
}

export interface Encoded {
  readonly rows: number
  readonly width: number
  /** Row-major, rows × width. */
  readonly values: Float32Array
  /** What each column of the matrix stands for: `carat`, `cut = Ideal`, `image[17]`. */
  readonly names: readonly string[]
}

/** One-hot columns of one feature. More are keys or sentences, not categories. */
export const MAXIMUM_CATEGORIES = 1000
const MAXIMUM_GIB = 1

/** `rows` are the training rows; absent: all. O(rows × columns). Throws `DataProblem`. */
export function fitEncoding(columns: readonly InputColumn[], rows?: Int32Array): Encoding {
  const chosen = rows ?? everyRow(columns)
  if (chosen.length === 0) throw problem.noTrainingRows()
  const notes: string[] = []
  const constant: string[] = []
  const inputs = columns.map((column) => {
    const fitted = fitInput(column, chosen)
    if (isConstant(fitted)) constant.push(column.name)
    return fitted
  })
  if (constant.length === columns.length) throw problem.allConstant(constant, chosen.length)
  for (const name of constant) notes.push(`\`${name}\` has the same value in all training rows and tells the model nothing.`)
  const width = inputs.reduce((sum, input) => sum + widthOf(input), 0)
  const hash = createHash('sha256').update(JSON.stringify(inputs)).digest('hex')
  return { inputs, width, hash, notes }
}

/** One pass a column, straight into the matrix. O(rows × width). Throws `DataProblem` where the columns are not what was trained on. */
export function encode(encoding: Encoding, columns: readonly NamedColumn[], rows?: Int32Array): Encoded {
  const found = encoding.inputs.map((input) => {
    const column = columns.find((candidate) => candidate.name === input.name)
    if (!column) throw problem.missingFeature(input.name)
    return column
  })
  const chosen = rows ?? everyRow(found)
  const { width } = encoding
  if (chosen.length * width * 4 > MAXIMUM_GIB * 2 ** 30) throw problem.tooWide(chosen.length, width, MAXIMUM_GIB)
  const values = new Float32Array(chosen.length * width)
  let at = 0
  encoding.inputs.forEach((input, i) => {
    const target: Target = { values, width, at }
    const { data } = found[i]!
    if (input.kind === 'number') putNumbers(input, data, chosen, target)
    else if (input.kind === 'category') putCategories(input, data, chosen, target)
    else if (input.kind === 'image') putImages(input, data, chosen, target)
    else putEmbedding(input, data, chosen, target)
    at += widthOf(input)
  })
  return { rows: chosen.length, width, values, names: encoding.inputs.flatMap(namesOf) }
}

interface Target {
  readonly values: Float32Array
  readonly width: number
  readonly at: number
}

// ---------------------------------------------------------------- fitting

function fitInput({ name, type, data }: InputColumn, rows: Int32Array): InputEncoding {
  switch (data.kind) {
    case 'blob':
      return type === 'embedding' ? fitEmbedding(name, data, rows) : fitImage(name, data, rows)
    case 'number':
      return fitNumber(name, 'number', data, rows)
    case 'boolean':
      return fitNumber(name, 'boolean', data, rows)
    case 'text':
      if (type === 'date' || type === 'timestamp') return fitNumber(name, 'date', data, rows)
      // Integers beyond 2^53 come as text; as a feature their leading digits are what counts.
      if (type === 'number') return fitNumber(name, 'number', data, rows)
      if (type === 'list' || type === 'struct' || type === 'duration') throw problem.notAFeature(name, type)
      return fitCategory(name, data, rows)
  }
}

function fitNumber(name: string, from: 'number' | 'boolean' | 'date', data: ColumnData, rows: Int32Array): InputEncoding {
  const values = numbersOf(name, from, data)
  // Neumaier's compensated sums: the mean of a million equal values is that value, in any order.
  const sum = new CompensatedSum()
  let present = 0
  for (const row of rows) {
    const value = values[row]!
    if (!Number.isFinite(value)) continue
    sum.add(value)
    present++
  }
  if (present === 0) throw problem.allNull(name, rows.length)
  const mean = sum.total / present
  const squares = new CompensatedSum()
  for (const row of rows) {
    const value = values[row]!
    if (Number.isFinite(value)) squares.add((value - mean) ** 2)
  }
  const deviation = Math.sqrt(squares.total / present)
  if (!Number.isFinite(mean) || !Number.isFinite(deviation)) throw problem.hugeNumbers(name)
  // Rounding alone must not look like variation.
  const varies = deviation > Math.abs(mean) * 1e-14
  return { kind: 'number', name, from, mean, deviation: varies ? deviation : 0, indicator: present < rows.length }
}

function fitCategory(name: string, data: ColumnData & { kind: 'text' }, rows: Int32Array): InputEncoding {
  const { values, nulls } = categoryValues(data, rows)
  if (values.length === 0) throw problem.allNull(name, rows.length)
  if (values.length > MAXIMUM_CATEGORIES) throw problem.tooManyCategories(name, values.length, rows.length, MAXIMUM_CATEGORIES)
  return { kind: 'category', name, values: values.sort(compareTexts), hasNull: nulls > 0 }
}

function fitImage(name: string, data: ColumnData & { kind: 'blob' }, rows: Int32Array): InputEncoding {
  if (data.valid && rows.every((row) => data.valid![row] === 0)) throw problem.allNull(name, rows.length)
  const bytes = data.values[rows[0]!]!.length
  if (bytes === 0) throw problem.noImage(name, rows[0]!)
  for (const row of rows) checkImage(name, data, row, bytes)
  return { kind: 'image', name, bytes }
}

function isConstant(input: InputEncoding): boolean {
  if (input.kind === 'number') return input.deviation === 0 && !input.indicator
  return input.kind === 'category' && input.values.length === 1 && !input.hasNull
}

// ---------------------------------------------------------------- encoding

function putNumbers(input: InputEncoding & { kind: 'number' }, data: ColumnData, rows: Int32Array, { values, width, at }: Target): void {
  const numbers = numbersOf(input.name, input.from, data)
  const { mean, indicator } = input
  const deviation = input.deviation || 1
  for (let i = 0, to = at; i < rows.length; i++, to += width) {
    const value = numbers[rows[i]!]!
    if (Number.isFinite(value)) values[to] = (value - mean) / deviation
    else if (indicator) values[to + 1] = 1
  }
}

function putCategories(
  input: InputEncoding & { kind: 'category' },
  data: ColumnData,
  rows: Int32Array,
  { values, width, at }: Target,
): void {
  if (data.kind !== 'text' && !isAllNull(data)) throw problem.changedFeature(input.name, 'text', WORDS[data.kind])
  const { dictionary, codes } = data.kind === 'text' ? data : NOTHING
  const index = new Map(input.values.map((value, i) => [value, i]))
  const unknown = widthOf(input) - 1
  const columns = Int32Array.from(dictionary, (value) => index.get(value) ?? unknown)
  const nullColumn = input.hasNull ? input.values.length : unknown
  for (let i = 0, to = at; i < rows.length; i++, to += width) {
    const row = rows[i]!
    values[to + (data.valid?.[row] === 0 ? nullColumn : columns[codes[row]!]!)] = 1
  }
}

/** byte / 255 in float32, by looking it up. */
const SHADES = Float32Array.from({ length: 256 }, (_, byte) => byte / 255)

function putImages(input: InputEncoding & { kind: 'image' }, data: ColumnData, rows: Int32Array, { values, width, at }: Target): void {
  if (data.kind !== 'blob') throw problem.changedFeature(input.name, 'images', WORDS[data.kind])
  for (let i = 0, start = at; i < rows.length; i++, start += width) {
    const row = rows[i]!
    checkImage(input.name, data, row, input.bytes)
    const image = data.values[row]!
    for (let j = 0; j < input.bytes; j++) values[start + j] = SHADES[image[j]!]!
  }
}

function checkImage(name: string, data: ColumnData & { kind: 'blob' }, row: number, bytes: number): void {
  if (data.valid?.[row] === 0) throw problem.noImage(name, row)
  const found = data.values[row]!.length
  if (found !== bytes) throw problem.imageSize(name, row, bytes, found)
}

// ---------------------------------------------------------------- columns as numbers and names

const WORDS = { number: 'numbers', boolean: 'booleans', text: 'text', blob: 'images' } as const
const NOTHING = { dictionary: [] as readonly string[], codes: new Int32Array() }

/** NaN where there is no value. The column's own array where nothing is to be changed. */
function numbersOf(name: string, from: 'number' | 'boolean' | 'date', data: ColumnData): Float64Array {
  if (data.kind === 'number' && !data.valid) return data.values
  const { valid } = data
  if (data.kind === 'number' || data.kind === 'boolean') {
    return Float64Array.from(data.values, (value, row) => (valid?.[row] === 0 ? Number.NaN : value))
  }
  if (data.kind === 'blob') throw problem.changedFeature(name, `${from}s`, WORDS.blob)
  const values = data.dictionary.map((text) => {
    const value = from === 'date' ? daysOf(text) : Number(text)
    if (value === undefined) throw problem.notADate(name, text)
    if (from !== 'date' && Number.isNaN(value) && text !== 'NaN') throw problem.changedFeature(name, `${from}s`, WORDS.text)
    return value
  })
  return Float64Array.from(data.codes, (code, row) => (valid?.[row] === 0 ? Number.NaN : values[code]!))
}

/** Days since 1970 of a date or timestamp as the database writes it (UTC where it has no zone); NaN for infinities, undefined for anything else. */
export function daysOf(text: string): number | undefined {
  if (/^-?infinity$/.test(text)) return Number.NaN
  const match =
    /^(\d+)-(\d\d)-(\d\d)( \(BC\))?(?:[ T](\d\d):(\d\d):(\d\d(?:\.\d+)?)( \(BC\))?(?:([+-])(\d\d)(?::?(\d\d))?|Z)?)?( \(BC\))?$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, bc1, hours = '0', minutes = '0', seconds = '0', bc2, sign, zoneHours = '0', zoneMinutes = '0', bc3] = match
  const date = new Date(0)
  date.setUTCFullYear(bc1 || bc2 || bc3 ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day))
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1)
  return date.getTime() / 86_400_000 + (Number(hours) * 3600 + (Number(minutes) - zone) * 60 + Number(seconds)) / 86_400
}

function widthOf(input: InputEncoding): number {
  if (input.kind === 'number') return input.indicator ? 2 : 1
  if (input.kind === 'image') return input.bytes
  if (input.kind === 'embedding') return input.mean.length
  return input.values.length + (input.hasNull ? 1 : 0) + 1
}

function namesOf(input: InputEncoding): string[] {
  const { name } = input
  if (input.kind === 'image' || input.kind === 'embedding') return Array.from({ length: widthOf(input) }, (_, i) => `${name}[${i}]`)
  if (input.kind === 'number') return input.indicator ? [name, `${name} is null`] : [name]
  return [...input.values.map((value) => `${name} = ${value}`), ...(input.hasNull ? [`${name} is null`] : []), `${name} unknown`]
}

function isAllNull(data: ColumnData): boolean {
  return data.valid?.every((valid) => valid === 0) ?? false
}

function everyRow(columns: readonly NamedColumn[]): Int32Array {
  const data = columns[0]?.data
  if (!data) return new Int32Array()
  const length = data.kind === 'text' ? data.codes.length : data.values.length
  return Int32Array.from({ length }, (_, i) => i)
}

/** Neumaier's sum: the rounding errors are summed beside it (Neumaier 1974, algorithm IV). */
class CompensatedSum {
  #sum = 0
  #rest = 0

  get total(): number {
    return this.#sum + this.#rest
  }

  add(value: number): void {
    const next = this.#sum + value
    this.#rest += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - next + value : value - next + this.#sum
    this.#sum = next
  }
}
