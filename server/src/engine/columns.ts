import type { ColumnData, Columns } from '../data/tables.ts'
import type { Json } from '../protocol/results.ts'

/** Reading single values out of columns, for reports; whole columns are read as the typed arrays they are. */
export function namedColumn(columns: Columns, name: string): ColumnData {
  const found = columns.columns.find((c) => c.name === name)
  if (!found) throw new Error(`the query gave no column ${name}`)
  return found.data
}

/** A numeric column's values; NULL becomes NaN. Booleans count as 0 and 1. */
export function numbersOf(columns: Columns, name: string): Float64Array {
  const data = namedColumn(columns, name)
  const values = data.kind === 'number' ? data.values : data.kind === 'boolean' ? Float64Array.from(data.values) : textNumbers(data)
  if (!data.valid) return values
  const { valid } = data
  return values.map((value, i) => (valid[i] ? value : Number.NaN))
}

function textNumbers(data: ColumnData): Float64Array {
  if (data.kind !== 'text') throw new Error('a number was expected')
  const numbers = data.dictionary.map(Number)
  return Float64Array.from(data.codes, (code) => numbers[code] ?? Number.NaN)
}

export function jsonAt(data: ColumnData, row: number): Json {
  if (data.valid && data.valid[row] === 0) return null
  switch (data.kind) {
    case 'number': {
      const value = data.values[row]!
      return Number.isFinite(value) ? value : null
    }
    case 'boolean':
      return data.values[row] === 1
    case 'text':
      return data.dictionary[data.codes[row]!] ?? null
    case 'blob':
      return `${data.values[row]?.length ?? 0} bytes`
  }
}

export function numberAt(data: ColumnData, row: number): number | null {
  const value = jsonAt(data, row)
  if (typeof value === 'number') return value
  if (typeof value === 'string' && value !== '' && Number.isFinite(Number(value))) return Number(value)
  return typeof value === 'boolean' ? Number(value) : null
}
