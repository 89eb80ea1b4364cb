import * as problem from './problems.ts'
import type { ColumnData } from './tables.ts'

/**
 * Embeddings as model inputs: vectors of one length, each dimension standardised by the training rows' mean and population deviation, the rule
 * that columns of numbers follow. So a head over `[a, b]` is the same model as `logistic` over `a, b`. They come as the bytes of float32 numbers.
 */
export interface EmbeddingEncoding {
  readonly kind: 'embedding'
  readonly name: string
  readonly mean: readonly number[]
  /** 0: the dimension does not vary, and is encoded as its difference from the mean. */
  readonly deviation: readonly number[]
}

/** The numbers of one row, without copying. */
export const vectorAt = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)

/** A matrix, rows × width, as the column of its rows, without copying. `valid[i] === 0`: row i has none. */
export function vectorColumn(values: Float32Array, rows: number, valid?: Uint8Array): ColumnData & { readonly kind: 'blob' } {
  const bytes = rows === 0 ? 0 : values.byteLength / rows
  return {
    kind: 'blob',
    values: Array.from({ length: rows }, (_, i) => new Uint8Array(values.buffer, values.byteOffset + i * bytes, bytes)),
    valid,
  }
}

/** Two passes over the training rows, O(rows × width); sums in float64. Throws `DataProblem`. */
export function fitEmbedding(name: string, data: ColumnData, rows: Int32Array): EmbeddingEncoding {
  if (data.kind !== 'blob') throw problem.changedFeature(name, 'embeddings', data.kind)
  const width = data.values[rows[0]!]!.length / 4
  if (width === 0) throw problem.emptyEmbedding()
  const mean = new Float64Array(width)
  for (const row of rows) {
    const vector = vectorAt(data.values[row]!)
    for (let j = 0; j < width; j++) mean[j]! += vector[j]!
  }
  for (let j = 0; j < width; j++) mean[j]! /= rows.length
  const deviation = new Float64Array(width)
  for (const row of rows) {
    const vector = vectorAt(data.values[row]!)
    for (let j = 0; j < width; j++) deviation[j]! += (vector[j]! - mean[j]!) ** 2
  }
  for (let j = 0; j < width; j++) {
    const spread = Math.sqrt(deviation[j]! / rows.length)
    // Rounding alone must not look like variation.
    deviation[j] = spread > Math.abs(mean[j]!) * 1e-14 ? spread : 0
  }
  if (deviation.every((spread) => spread === 0)) throw problem.constantEmbedding(rows.length)
  return { kind: 'embedding', name, mean: [...mean], deviation: [...deviation] }
}

/** O(rows × width). Rows without an embedding stay at the mean: whoever asked knows them by `valid`. */
export function putEmbedding(
  { name, mean, deviation }: EmbeddingEncoding,
  data: ColumnData,
  rows: Int32Array,
  { values, width, at }: { readonly values: Float32Array; readonly width: number; readonly at: number },
): void {
  if (data.kind !== 'blob') throw problem.changedFeature(name, 'embeddings', data.kind)
  const length = mean.length
  const scale = Float64Array.from(deviation, (spread) => spread || 1)
  const centre = Float64Array.from(mean)
  for (let i = 0, start = at; i < rows.length; i++, start += width) {
    if (data.valid?.[rows[i]!] === 0) continue
    const vector = vectorAt(data.values[rows[i]!]!)
    for (let j = 0; j < length; j++) values[start + j] = (vector[j]! - centre[j]!) / scale[j]!
  }
}
