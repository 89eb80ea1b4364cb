import type { Json } from '../protocol/results.ts'
import { type Cells, type Codes, isVector, jsonOf } from './rowwise-cells.ts'
import type { Bench, Compiled } from './rowwise-expressions.ts'
import type { RowSet } from './rowwise-lineage.ts'

/** Numbers the groups as they are met. */
export class Grouping {
  readonly #columns: readonly Compiled[]
  readonly #rows: number
  readonly #found = new Map<string, number>()
  readonly #keys: (readonly Json[])[] = []
  readonly #coded = new WeakMap<object, Coded>()

  constructor(columns: readonly Compiled[], rows: number) {
    this.#columns = columns
    this.#rows = rows
    // Without columns there is one group, whether rows reach it or not.
    if (columns.length === 0) this.#place([])
  }

  keys(): (readonly Json[])[] {
    return this.#keys
  }

  of(bench: Bench, some: RowSet | undefined): number | Int32Array {
    const cells = this.#columns.map((c) => c.run(bench))
    if (!cells.some(isVector)) return this.#place(cells.map((c) => jsonOf(c, 0)))
    const rows = some?.list
    const codes = cells.map((c) => (isVector(c) ? this.#codes(c) : undefined))
    const places = new Int32Array(this.#rows).fill(-1)
    const cards = codes.map((c) => c?.first.length ?? 1)
    const combined = cards.reduce((product, card) => product * card, 1)
    const known = combined <= 4 * this.#rows + 1024 ? new Int32Array(combined).fill(-1) : new Map<number, number>()
    const single = codes.length === 1 && !(known instanceof Map) ? codes[0] : undefined
    if (single && !(known instanceof Map)) {
      const { codes: own, first } = single
      for (let i = 0, n = rows?.length ?? this.#rows; i < n; i++) {
        const row = rows ? rows[i]! : i
        const code = own[row]!
        if (known[code]! < 0) known[code] = this.#place([jsonOf(cells[0]!, first[code]!)])
        places[row] = known[code]!
      }
      return places
    }
    for (let i = 0, n = rows?.length ?? this.#rows; i < n; i++) {
      const row = rows ? rows[i]! : i
      let code = 0
      for (let c = 0; c < codes.length; c++) code = code * cards[c]! + (codes[c]?.codes[row] ?? 0)
      let place = known instanceof Map ? (known.get(code) ?? -1) : known[code]!
      if (place < 0) {
        place = this.#place(cells.map((c) => jsonOf(c, row)))
        if (known instanceof Map) known.set(code, place)
        else known[code] = place
      }
      places[row] = place
    }
    return places
  }

  #place(key: readonly Json[]): number {
    const text = JSON.stringify(key)
    const known = this.#found.get(text)
    if (known !== undefined) return known
    this.#found.set(text, this.#keys.length)
    return this.#keys.push(key) - 1
  }

  /** Dense codes of a column's values, kept for as long as the column is. */
  #codes(cells: Cells): Coded {
    const holder = cells.kind === 'text' ? (cells.at as { codes: Int32Array }).codes : ((cells as { at: unknown }).at as object)
    const known = this.#coded.get(holder) ?? coded(cells, this.#rows)
    this.#coded.set(holder, known)
    return known
  }
}

interface Coded {
  readonly codes: Int32Array
  /** A row of each code. */
  readonly first: readonly number[]
}

function coded(cells: Cells, rows: number): Coded {
  if (cells.kind === 'text') return codedText(cells.at as Codes, rows)
  const codes = new Int32Array(rows)
  const first: number[] = []
  const known = new Map<number | undefined, number>()
  const values = (cells as { at: Float64Array | Uint8Array }).at
  for (let row = 0; row < rows; row++) {
    const value = values[row]
    let code = known.get(value)
    if (code === undefined) {
      code = first.push(row) - 1
      known.set(value, code)
    }
    codes[row] = code
  }
  return { codes, first }
}

/** Its codes are dense already, but for NULL, and for words that no row has. */
function codedText({ codes: given, dictionary }: Codes, rows: number): Coded {
  const codes = new Int32Array(rows)
  const first: number[] = []
  const known = new Int32Array(dictionary.length + 1).fill(-1)
  for (let row = 0; row < rows; row++) {
    const word = given[row]! + 1
    if (known[word]! < 0) known[word] = first.push(row) - 1
    codes[row] = known[word]!
  }
  return { codes, first }
}
