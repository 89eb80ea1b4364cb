import { breathe, type CancelToken } from '../cancel.ts'
import { type CodedColumn, codeColumn, type LocalCodes } from './coded-column.ts'
import { splitErrors } from './exact-sum.ts'
import { checkCodes } from './input.ts'

/**
 * How many slices of at most `depth` predicates have at least `support` rows, whatever their errors: the number of hypotheses that a
 * search chose among. Score pruning must not shrink it, for what it drops was looked at too. Depth first, each prefix's rows sorted
 * once by each further column; O(n · Σ_{l ≤ depth} C(d, l)), memory O(n · depth).
 */
export async function countSlices(
  codes: readonly Int32Array[],
  { support, depth }: { readonly support: number; readonly depth: number },
  token?: CancelToken,
): Promise<number> {
  const nRows = codes[0]?.length ?? 0
  checkCodes(codes, nRows)
  const none = splitErrors(new Float64Array(nRows))
  const columns = codes.map((values) => codeColumn(values, none, support))
  const everyRow = Int32Array.from({ length: nRows }, (_, row) => row)
  return new Counting(columns, support, depth, token).below(everyRow, 0, nRows, 0, 1)
}

class Counting {
  private readonly columns: readonly CodedColumn[]
  private readonly support: number
  private readonly depth: number
  private readonly token: CancelToken | undefined
  private readonly buffers: Int32Array[] = []
  private visits = 0

  constructor(columns: readonly CodedColumn[], support: number, depth: number, token?: CancelToken) {
    this.columns = columns
    this.support = support
    this.depth = depth
    this.token = token
  }

  /** Slices that add at least one predicate, over columns from `from` on, to the conjunction whose rows are given. */
  async below(rows: Int32Array, start: number, end: number, from: number, level: number): Promise<number> {
    let found = 0
    for (let column = from; column < this.columns.length; column++) {
      const { local, domain } = this.columns[column]!
      const offsets = offsetsOf(local, domain, rows, start, end)
      for (let code = 1; code <= domain; code++) if (offsets[code + 1]! - offsets[code]! >= this.support) found++
      this.visits += end - start
      if (this.visits > 1 << 21) {
        this.visits = 0
        await breathe(this.token)
      }
      if (level === this.depth || column + 1 === this.columns.length) continue
      const sorted = this.buffer(level, end - start)
      scatter(local, rows, start, end, offsets.slice(), sorted)
      for (let code = 1; code <= domain; code++) {
        if (offsets[code + 1]! - offsets[code]! < this.support) continue
        found += await this.below(sorted, offsets[code]!, offsets[code + 1]!, column + 1, level + 1)
      }
    }
    return found
  }

  private buffer(level: number, length: number): Int32Array {
    const held = this.buffers[level]
    if (held !== undefined && held.length >= length) return held
    return (this.buffers[level] = new Int32Array(length))
  }
}

function offsetsOf(local: LocalCodes, domain: number, rows: Int32Array, start: number, end: number): Int32Array {
  const offsets = new Int32Array(domain + 2)
  for (let i = start; i < end; i++) offsets[local[rows[i]!]! + 1]!++
  for (let code = 0; code <= domain; code++) offsets[code + 1]! += offsets[code]!
  return offsets
}

function scatter(local: LocalCodes, rows: Int32Array, start: number, end: number, next: Int32Array, into: Int32Array): void {
  for (let i = start; i < end; i++) {
    const row = rows[i]!
    const code = local[row]!
    into[next[code]!++] = row
  }
}
