import type { ColumnData } from './tables.ts'

/** Distinct texts of some rows, in order of the dictionary, and how many of them are NULL. O(rows + dictionary). */
export function categoryValues(
  data: ColumnData & { kind: 'text' },
  rows: Int32Array,
): { readonly values: string[]; readonly nulls: number } {
  const seen = new Uint8Array(data.dictionary.length)
  let nulls = 0
  for (const row of rows) {
    if (data.valid?.[row] === 0) nulls++
    else seen[data.codes[row]!] = 1
  }
  return { values: data.dictionary.filter((_, code) => seen[code] === 1), nulls }
}

/** SQL's order of texts: by code points, which is the order of their UTF-8 bytes. (JavaScript's own order differs beyond U+FFFF.) */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2000 : unit >= 0xe000 ? unit - 0x800 : unit
}
