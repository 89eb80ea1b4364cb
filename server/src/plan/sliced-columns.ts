import { printName } from '../../../grammar/src/printer.ts'
import type { BinnedSpec } from '../check/spec.ts'
import type { Column, SqlExpr } from '../sql/tree.ts'
import type { SlicedColumn } from './plan.ts'

/** Bins of a number or a time where none are asked for. */
const DEFAULT_BINS = 10

/** How a column is sliced: edges as written, numbers and times in quantile bins, anything else by its values. */
export function slicedColumn({ column, bins, edges }: BinnedSpec): SlicedColumn {
  const written = printName({ text: column.name })
  if (edges) return { column, written, by: { kind: 'edges', edges } }
  if (bins !== undefined || isOrdered(column)) return { column, written, by: { kind: 'quantiles', bins: bins ?? DEFAULT_BINS } }
  return { column, written, by: { kind: 'values' } }
}

function isOrdered({ type }: Column): boolean {
  return type === 'number' || type === 'date' || type === 'timestamp'
}

export const isSliceable = ({ type }: Column): boolean => type !== 'image' && type !== 'blob' && type !== 'list' && type !== 'struct'

export const isInteger = ({ type, sqlType }: Column): boolean => type === 'number' && /INT/i.test(sqlType)

/** NaN counts as missing, like NULL. */
export function presentValue({ sqlType }: Column, value: SqlExpr): SqlExpr {
  if (!/^(FLOAT|DOUBLE|REAL)/i.test(sqlType)) return value
  return { kind: 'call', name: 'nullif', args: [value, { kind: 'literal', value: Number.NaN }] }
}
