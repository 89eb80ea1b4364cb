import type { ColumnData } from './tables.ts'

/** Writes one vector of the database; `vectors.ts` says how it lies in memory. */
export interface VectorWriter {
  values(array: ArrayBufferView): void
  /** One bit a row, in whole 64-bit words. */
  validity(bits: ArrayBufferView): void
  text(row: number, text: string): void
  blob(row: number, bytes: Uint8Array): void
}

/** The type that holds a column without loss. */
export function sqlTypeOf(data: ColumnData): string {
  switch (data.kind) {
    case 'number':
      return data.integer ? 'BIGINT' : 'DOUBLE'
    case 'boolean':
      return 'BOOLEAN'
    case 'text':
      return 'VARCHAR'
    case 'blob':
      return 'BLOB'
  }
}

/** Rows `start` … `start + rows` of a column. O(rows). */
export function writeVector(vector: VectorWriter, data: ColumnData, sqlType: string, start: number, rows: number): void {
  const { valid } = data
  if (valid) {
    const bits = new Uint8Array(Math.ceil(rows / 64) * 8)
    for (let i = 0; i < rows; i++) if (valid[start + i] !== 0) bits[i >> 3]! |= 1 << (i & 7)
    vector.validity(bits)
  }
  switch (data.kind) {
    case 'number':
      vector.values(asStored(data.values.subarray(start, start + rows), sqlType))
      return
    case 'boolean':
      vector.values(data.values.subarray(start, start + rows))
      return
    case 'text':
      for (let i = 0; i < rows; i++) if (valid?.[start + i] !== 0) vector.text(i, data.dictionary[data.codes[start + i]!]!)
      return
    case 'blob':
      for (let i = 0; i < rows; i++) if (valid?.[start + i] !== 0) vector.blob(i, data.values[start + i]!)
  }
}

function asStored(values: Float64Array, sqlType: string): ArrayBufferView {
  if (sqlType === 'DOUBLE') return values
  if (sqlType === 'INTEGER') return Int32Array.from(values)
  const words = new Int32Array(values.length * 2)
  values.forEach((value, i) => {
    const high = Math.floor(value / 4294967296)
    words[i * 2] = value - high * 4294967296
    words[i * 2 + 1] = high
  })
  return words
}
