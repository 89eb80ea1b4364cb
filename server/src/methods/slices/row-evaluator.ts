import { breathe, type CancelToken } from '../cancel.ts'
import { type CodedColumn, codeColumn } from './coded-column.ts'
import { type Atoms, type Candidates, type Evaluator, newStatistics, type Statistics } from './evaluator.ts'
import { type SplitErrors, splitErrors } from './exact-sum.ts'
import { type Histogram, histogramOf } from './histogram.ts'
import { PrefixRows } from './prefix-rows.ts'

/** Row visits between two looks at the token: some milliseconds. */
const visitsPerBreath = 1 << 21

/**
 * Evaluates slices over rows in memory. Candidates that share their prefix are evaluated together: the prefix's rows are listed once
 * (`prefix-rows.ts`), and one histogram per further column yields size, summed and largest error of *all* its values. The slices over
 * one set of columns are disjoint, so a level costs at most n visits a set of columns, however many values these have; a bitset
 * intersection costs n/32 a slice, which is no less unless prefixes are dense and values few. Sums are exact whatever the order of rows
 * (`exact-sum.ts`). Slices may name only values of at least `support` rows.
 */
export function rowEvaluator(codes: readonly Int32Array[], errors: Float64Array, support: number): Evaluator {
  const split = splitErrors(errors)
  let layout: Promise<Layout> | undefined
  const layoutOnce = (token?: CancelToken): Promise<Layout> => (layout ??= layOut(codes, split, support, token))
  return {
    totals: { nRows: errors.length, sumError: split.total, maxError: split.maximum },
    atoms: async (token) => (await layoutOnce(token)).atoms,
    async evaluate(candidates, token) {
      const ready = await layoutOnce(token)
      return evaluate(candidates, ready, histogramOf(ready.columns, split), token)
    },
  }
}

interface Layout {
  readonly columns: readonly CodedColumn[]
  readonly atoms: Atoms
  /** Atom → its code within its coded column. */
  readonly locals: Int32Array
  readonly nRows: number
}

async function layOut(codes: readonly Int32Array[], split: SplitErrors, support: number, token?: CancelToken): Promise<Layout> {
  const columns: CodedColumn[] = []
  for (const values of codes) {
    columns.push(codeColumn(values, split, support))
    await breathe(token)
  }
  const locals = joined(columns.map((column) => column.locals))
  return { columns, atoms: atomsOf(columns), locals, nRows: split.errors.length }
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

async function evaluate(candidates: Candidates, layout: Layout, histogram: Histogram, token?: CancelToken): Promise<Statistics> {
  const { depth, count, atoms } = candidates
  const { columns, locals } = layout
  const atomColumns = layout.atoms.columns
  const statistics = newStatistics(count)
  const prefix = new PrefixRows(columns, atomColumns, locals, layout.nRows)
  let visits = 0
  for (let i = 0; i < count; ) {
    prefix.moveTo(atoms, i * depth, depth - 1)
    histogram.take(prefix.rows, prefix.start, prefix.end)
    const end = endOfPrefix(candidates, i)
    while (i < end) {
      const column = atomColumns[atoms[i * depth + depth - 1]!]!
      histogram.fill(columns[column]!)
      for (; i < end; i++) {
        const atom = atoms[i * depth + depth - 1]!
        if (atomColumns[atom] !== column) break
        histogram.read(locals[atom]!, statistics, i)
      }
      histogram.clear()
      visits += prefix.end - prefix.start
      if (visits < visitsPerBreath) continue
      visits = 0
      await breathe(token)
    }
  }
  return statistics
}

function endOfPrefix({ depth, count, atoms }: Candidates, start: number): number {
  for (let end = start + 1; end < count; end++) {
    for (let j = 0; j < depth - 1; j++) if (atoms[end * depth + j] !== atoms[start * depth + j]) return end
  }
  return count
}

function atomsOf(columns: readonly CodedColumn[]): Atoms {
  const count = columns.reduce((sum, column) => sum + column.codes.length, 0)
  const atoms = { columns: new Int32Array(count), codes: new Int32Array(count), statistics: newStatistics(count) }
  let at = 0
  for (const [index, column] of columns.entries()) {
    atoms.columns.fill(index, at, at + column.codes.length)
    atoms.codes.set(column.codes, at)
    atoms.statistics.sizes.set(column.statistics.sizes, at)
    atoms.statistics.sums.set(column.statistics.sums, at)
    atoms.statistics.maxima.set(column.statistics.maxima, at)
    at += column.codes.length
  }
  return atoms
}
