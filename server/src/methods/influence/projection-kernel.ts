import { addI32, constant, empty, get, i32, instance, name, section, set, simd, unsigned, v128 } from '../wasm-code.ts'

/**
 * ⟨∇q, v_l⟩ = Σ ∂q/∂p_ij·⟨∇p_ij, v_l⟩ for all l at once (R++ §5.1), from a table that stays in memory: the k numbers of a cell lie side by side, the cells of a
 * class one after another, so that a query reads what it touches once and in order. Sums are in float64. WebAssembly written by hand, or plain loops.
 */
export interface ResidentProjections {
  readonly k: number
  readonly bytes: number
  /** `weights` is rows × width, row-major. O(rows·width + k·m) over the m cells that are not zero. */
  project(weights: Float32Array): Float64Array
  /**
   * The same of what a query says of whole columns. O(k·m); where one weight is that of more than half of a column's rows, the other rows are taken from the
   * column's sum, which is known: O(k) for all of them.
   */
  projectColumns(columns: readonly ColumnWeights[]): Float64Array
  /** Adds factor·⟨∇p_ij, v_l⟩ to k numbers from `at`. O(k). */
  add(row: number, column: number, factor: number, into: Float64Array, at: number): void
}

/** One weight for all of the rows, or one each by place; of all rows, or of those that are named, which rise. Weights are finite. */
export interface ColumnWeights {
  readonly column: number
  readonly rows?: Int32Array
  /** All rows but these, in rising order: `rows` is not read then. Only where there is one weight. */
  readonly others?: Int32Array
  readonly weights: number | Float64Array
}

export interface Projections {
  readonly rows: number
  readonly width: number
  readonly k: number
  /** k × (rows × width), one eigenvector after the other. */
  readonly table: Float32Array
}

/** Four numbers make a quad; a pass keeps this many in registers. */
const mostQuads = 6
const listAt = 1024
const mostBytes = 1 << 30

/** Copies the table to where the kernel can read it, once: O(k·rows·width). */
export function residentProjections({ rows, width, k, table }: Projections): ResidentProjections {
  const cells = rows * width
  const quads = Math.ceil(k / 4)
  const passes = Math.max(1, Math.ceil(quads / mostQuads))
  const perPass = Math.ceil(quads / passes)
  const padded = 4 * perPass * passes
  const tableAt = listAt + 8 * (cells + 2)
  const bytes = tableAt + 4 * padded * cells
  const loaded = bytes <= mostBytes && k > 0 ? instance(moduleBytes(perPass), bytes) : undefined
  const buffer = loaded?.buffer ?? new ArrayBuffer(bytes)
  const held = new Float32Array(buffer, tableAt, padded * cells)
  /** Of each column, k sums over its rows. */
  const totals = new Float64Array(k * width)
  for (let l = 0; l < k; l++) {
    for (let c = 0, out = l; c < width; c++) {
      let total = 0
      for (let at = l * cells + c; at < (l + 1) * cells; at += width, out += padded) {
        held[out] = table[at]!
        total += table[at]!
      }
      totals[c * k + l] = total
    }
  }
  const hasTotal = Uint8Array.from({ length: width }, (_, c) => (totals.subarray(c * k, (c + 1) * k).every(Number.isFinite) ? 1 : 0))
  const scan = loaded?.exports.sum as ((from: number, to: number) => void) | undefined
  // The list tells where a cell is: its address for the kernel, its number for plain loops.
  const [origin, step] = scan ? [tableAt, 4 * padded] : [0, 1]
  const places = new Int32Array(buffer, listAt, 2 * cells + 4)
  const factors = new Float32Array(buffer, listAt, 2 * cells + 4)
  const sums = new Float64Array(buffer, 0, 4 * perPass)
  const add = (cell: number, factor: number, into: Float64Array, at: number) => {
    for (let l = 0, from = cell * padded; l < k; l++, from++) into[at + l]! += factor * held[from]!
  }
  /** Adds what the list holds, `n` numbers of it. */
  const finish = (n: number, out: Float64Array) => {
    if (scan === undefined) {
      for (let i = 0; i < n; i += 2) add(places[i]!, factors[i + 1]!, out, 0)
      return out
    }
    for (let pass = 0; pass < passes && n > 0; pass++) {
      if (pass > 0) for (let i = 0; i < n; i += 2) places[i]! += 16 * perPass
      scan(listAt, listAt + 4 * n)
      for (let l = 4 * perPass * pass, i = 0; l < k && i < 4 * perPass; l++, i++) out[l]! += sums[i]!
    }
    return out
  }
  /** Appends the cells of a column to the list, and tells its new length. */
  const list = (told: ColumnWeights, held: number, out: Float64Array): number => {
    const { column, weights } = told
    const first = origin + step * column * rows
    let n = held
    if (typeof weights !== 'number') {
      const some = told.rows
      for (let i = 0; i < weights.length; i++) {
        places[n] = first + step * (some ? some[i]! : i)
        factors[n + 1] = weights[i]!
        if (weights[i] !== 0) n += 2
      }
      return n
    }
    const weight = Math.fround(weights)
    if (weight === 0) return n
    const cells = (list: Int32Array, factor: number) => {
      for (let i = 0; i < list.length; i++, n += 2) {
        places[n] = first + step * list[i]!
        factors[n + 1] = factor
      }
      return n
    }
    if (told.others && hasTotal[column] === 1) {
      for (let l = 0; l < k; l++) out[l]! += weight * totals[column * k + l]!
      return cells(told.others, -weight)
    }
    const some = told.rows
    const listed = some?.length ?? rows
    if (2 * listed <= rows || hasTotal[column] === 0) {
      for (let i = 0; i < listed; i++, n += 2) {
        places[n] = first + step * (some ? some[i]! : i)
        factors[n + 1] = weight
      }
      return n
    }
    for (let l = 0; l < k; l++) out[l]! += weight * totals[column * k + l]!
    if (!some) return n
    for (let i = 0, row = 0; row < rows; row++) {
      if (i < listed && some[i] === row) {
        i++
        continue
      }
      places[n] = first + step * row
      factors[n + 1] = -weight
      n += 2
    }
    return n
  }
  return {
    k,
    bytes,
    add: (row, column, factor, into, at) => add(column * rows + row, factor, into, at),
    project: (weights) => {
      let n = 0
      for (let row = 0, at = 0; row < rows; row++) {
        for (let c = 0; c < width; c++, at++) {
          const weight = weights[at]!
          if (weight === 0) continue
          places[n] = origin + step * (c * rows + row)
          factors[n + 1] = weight
          n += 2
        }
      }
      return finish(n, new Float64Array(k))
    },
    projectColumns: (columns) => {
      const out = new Float64Array(k)
      let n = 0
      for (const column of columns) {
        // Columns that are told twice might not fit in one list.
        if (n + 2 * rows > 2 * cells) {
          finish(n, out)
          n = 0
        }
        n = list(column, n, out)
      }
      return finish(n, out)
    },
  }
}

/** `sum(from, to)`: over a list of places and factors, 8 bytes each, factor × the numbers there, left at 0. */
function moduleBytes(quads: number): Uint8Array<ArrayBuffer> {
  const [from, to, place, factor, sum] = [0, 1, 2, 3, 4] as const
  const halves = Array.from({ length: 2 * quads }, (_, i) => i)
  const [loadI32, loadF32] = [
    [0x28, 2, 0],
    [0x2a, 2, 4],
  ]
  const promote = 0xbb
  const splat = simd(20)
  // Two float32 into the lower half, then to two float64.
  const loadTwo = (offset: number) => [...simd(93, 2, ...unsigned(offset)), ...simd(95)]
  const [multiply, add] = [simd(242), simd(240)]
  const body = [
    ...[0x02, empty, 0x03, empty], // loop over the list
    ...[...get(from), ...get(to), 0x4e, 0x0d, 1], // out, at its end
    ...[...get(from), ...loadI32!, ...set(place)],
    ...[...get(from), ...loadF32!, promote, ...splat, ...set(factor)],
    ...halves.flatMap((half) => [
      ...[...get(sum + half), ...get(factor), ...get(place), ...loadTwo(8 * half)],
      ...[...multiply, ...add, ...set(sum + half)],
    ]),
    ...[...get(from), ...constant(8), addI32, ...set(from), 0x0c, 0],
    ...[0x0b, 0x0b],
    ...halves.flatMap((half) => [...constant(0), ...get(sum + half), ...simd(11, 2, ...unsigned(16 * half))]),
    0x0b,
  ]
  const locals = [2, 1, i32, 1 + 2 * quads, v128]
  const code = [...locals, ...body]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, i32, i32, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('sum'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}
