import type { Columns } from '../data/tables.ts'
import type { Key } from '../protocol/results.ts'
import type { Picture } from '../protocol/views.ts'
import { namedColumn } from './columns.ts'

/** A row's picture, where its bytes are the grey levels of a square. */
export function pictureOf(columns: Columns, name: string, row: number, key: Key): Picture | undefined {
  const data = namedColumn(columns, name)
  if (data.kind !== 'blob') return undefined
  const pixels = data.values[row]
  const side = Math.round(Math.sqrt(pixels?.length ?? 0))
  if (!pixels || side * side !== pixels.length) return undefined
  return { width: side, height: side, pixels: Buffer.from(pixels).toString('base64'), key }
}
