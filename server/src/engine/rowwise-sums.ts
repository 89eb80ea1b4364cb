import { type Passing, type RowSet, rowsInGroup, type Strided } from './rowwise-lineage.ts'

/** One for all rows, or one each. */
export const at = (value: number | Float64Array, row: number): number => (typeof value === 'number' ? value : value[row]!)

/** Of the chances of the rows. */
export function sumOf({ values, offset, stride, total }: Strided, n: number, rows: RowSet | undefined): number {
  if (total !== undefined && !rows) return total
  if (total !== undefined && rows?.others) return total - sumAt(values, offset, stride, rows.others)
  if (rows) return sumAt(values, offset, stride, rows.list)
  let sum = 0
  for (let i = 0, from = offset; i < n; i++, from += stride) sum += values[from]!
  return sum
}

function sumAt(values: Strided['values'], offset: number, stride: number, list: Int32Array): number {
  let sum = 0
  for (let i = 0; i < list.length; i++) sum += values[offset + list[i]! * stride]!
  return sum
}

/** factor × value of each row. */
export function addTerms(out: Float64Array, factor: number, value: number | Float64Array, rows: Int32Array | undefined): void {
  if (typeof value === 'number') {
    out.fill(factor * value)
    return
  }
  if (rows) for (let i = 0; i < out.length; i++) out[i] = factor * value[rows[i]!]!
  else for (let i = 0; i < out.length; i++) out[i] = factor * value[i]!
}

/** The one group that is pulled at, if it is one. */
export function onlyGroup(seeds: Float64Array, slots: number): number | undefined {
  let found: number | undefined
  for (let i = 0; i < seeds.length; i++) {
    if (seeds[i] === 0) continue
    const group = Math.floor(i / slots)
    if (found !== undefined && found !== group) return undefined
    found = group
  }
  return found
}

/** The rows that reach one group. O(rows). */
export function inGroup(part: Passing, group: number): Passing | undefined {
  if (typeof part.group === 'number') return part.group === group ? part : undefined
  const rows = part.rows ? part.rows.inGroup(part.group, group) : rowsInGroup(part.group, group)
  return rows.length > 0 ? { ...part, group, rows } : undefined
}

/** Σ chance·value, to the sums of the groups. */
export function addSlot(
  sums: Float64Array,
  { rows: some, group }: Passing,
  chance: Float64Array | 1,
  value: number | Float64Array,
  n: number,
): void {
  const rows = some?.list
  if (typeof group === 'number') {
    let sum = 0
    if (typeof value === 'number') {
      if (value === 0) return
      if (chance === 1) sum = n
      else for (let i = 0; i < n; i++) sum += chance[i]!
      sums[group]! += sum * value
      return
    }
    for (let i = 0; i < n; i++) sum += (chance === 1 ? 1 : chance[i]!) * value[rows ? rows[i]! : i]!
    sums[group]! += sum
    return
  }
  for (let i = 0; i < n; i++) {
    const row = rows ? rows[i]! : i
    sums[group[row]!]! += (chance === 1 ? 1 : chance[i]!) * (typeof value === 'number' ? value : value[row]!)
  }
}
