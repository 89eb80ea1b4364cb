/**
 * Slices: conjunctions of `column = code` on which the errors are worst, found exactly (SliceLine: Sagadeeva & Boehm, SIGMOD 2021), and
 * what one may say about them (`discover-slices.ts`): `statistics.ts` (p- and q-values, intervals), `replicate.ts` (a second half),
 * `overlaps.ts` (repetitions); `describe-rows.ts` (what marked rows have in common, by the same search); `bins.ts` (numbers to codes),
 * `compare-errors.ts` (two models), `entropy-tree.ts` (disjoint parts). The search (`lattice.ts`) never sees a row; an evaluator does
 * (`evaluator.ts`): `row-evaluator.ts` in memory, `group-evaluator.ts` over a database, `lattice-store.ts` over what an earlier search
 * knew and the rows appended since. Not here: reading tables, models, SQL text, words for people beyond bad input.
 */
import type { CancelToken } from '../cancel.ts'
import type { Atoms, Evaluator } from './evaluator.ts'
import { checkErrors, checkOptions } from './input.ts'
import { walkLattice } from './lattice.ts'
import { rowEvaluator } from './row-evaluator.ts'
import { boundOf, scoreOf, scoringOf } from './score.ts'
import { type Scored, TopSlices } from './top-slices.ts'

export interface SliceOptions {
  /** How many slices to return at most. */
  readonly top: number
  /** Weight of the error against the size, in (0, 1]. */
  readonly alpha: number
  /** Smallest number of rows of a slice, at least 1. */
  readonly support: number
  /** Largest number of predicates of a slice. */
  readonly depth: number
  /** Called after each level with what is certain so far: the best slices of at most that many predicates. */
  readonly onLevel?: (partial: FoundSlices) => void
}

export interface Predicate {
  readonly column: number
  readonly code: number
}

export interface FoundSlice {
  readonly predicates: readonly Predicate[]
  readonly size: number
  readonly sumError: number
  readonly maxError: number
  readonly meanError: number
  readonly score: number
}

/** `evaluated` slices had their statistics computed; `pruned` joins were ruled out before that, by a bound or a missing parent. */
export interface LevelTally {
  readonly depth: number
  readonly evaluated: number
  readonly pruned: number
}

/** A column none of whose values reaches the support. `identifier`: every row has its own value; `empty`: all missing. */
export interface SkippedColumn {
  readonly column: number
  readonly distinct: number
  readonly reason: 'identifier' | 'rare' | 'empty'
}

export interface FoundSlices {
  readonly meanError: number
  readonly slices: readonly FoundSlice[]
  readonly levels: readonly LevelTally[]
  readonly skipped: readonly SkippedColumn[]
}

/**
 * The exact `top` slices by score among all conjunctions of at most `depth` predicates with at least `support` rows, some error and a
 * positive score. codes[column][row] in 1 … domain, 0 = missing, which is in no slice; errors[row] ≥ 0, finite. Order: score falling,
 * then size falling, then fewer predicates, then predicates by column and code. Does not depend on the order of rows. Throws RangeError
 * with a sentence on unusable input, `Cancelled` when the token says so.
 * Cost without any pruning O(n · Σ_{l ≤ depth} C(d, l)), for the slices over one set of columns share its rows; memory O(n · (d + depth)).
 */
export async function findSlices(
  codes: readonly Int32Array[],
  errors: Float64Array,
  options: SliceOptions,
  token?: CancelToken,
): Promise<FoundSlices> {
  checkOptions(options)
  checkErrors(codes, errors)
  return searchSlices(rowEvaluator(codes, errors, options.support), codes.length, options, token)
}

/** The same search over any evaluator of `nColumns` columns: workers, a database, or an earlier lattice. */
export async function searchSlices(
  evaluator: Evaluator,
  nColumns: number,
  options: SliceOptions,
  token?: CancelToken,
): Promise<FoundSlices> {
  checkOptions(options)
  const { support, alpha } = options
  const scoring = scoringOf(evaluator.totals, alpha, support)
  const objective: Objective = {
    score: (size, sumError) => (size < support || !(sumError > 0) ? 0 : scoreOf(scoring, size, sumError)),
    bound: (size, sumError, maxError) =>
      size < support || !(sumError > 0) ? Number.NEGATIVE_INFINITY : boundOf(scoring, size, sumError, maxError),
  }
  return searchBest(evaluator, nColumns, objective, options, token)
}

/** What a search is after. Slices that score 0 or less are none. */
export interface Objective {
  score(size: number, sumError: number, predicates: number): number
  /** No slice within these statistics scores higher; −∞ where none can score at all. Monotone in each argument. */
  bound(size: number, sumError: number, maxError: number): number
}

/** The exact best slices by any score that a bound can be given for. */
export async function searchBest(
  evaluator: Evaluator,
  nColumns: number,
  objective: Objective,
  options: Omit<SliceOptions, 'alpha'>,
  token?: CancelToken,
): Promise<FoundSlices> {
  const { nRows, sumError: allErrors } = evaluator.totals
  if (!(allErrors > 0)) return { meanError: 0, slices: [], levels: [], skipped: [] }
  const meanError = allErrors / nRows
  const top = new TopSlices(options.top)
  const levels: LevelTally[] = []
  let found: FoundSlices = { meanError, slices: [], levels, skipped: [] }
  await walkLattice(
    evaluator,
    {
      depth: Math.min(options.depth, nColumns),
      admits(size, sumError, maxError) {
        const { threshold } = top
        // The slack keeps ties, and slices whose bound was rounded down past their own score.
        return objective.bound(size, sumError, maxError) >= threshold - 1e-9 * (1 + threshold)
      },
      visit(atoms, at, length, size, sumError, maxError) {
        const score = objective.score(size, sumError, length)
        if (!(score > 0) || score < top.threshold) return
        top.offer({ atoms: Array.from(atoms.subarray(at, at + length)), size, sumError, maxError, score })
      },
      levelDone(level, evaluated, pruned, atoms) {
        levels.push({ depth: level, evaluated, pruned })
        const skipped = level === 1 ? skippedColumns(atoms, nColumns, nRows, options.support) : found.skipped
        const slices = top.slices.map((slice) => describe(slice, atoms))
        found = { meanError, slices, levels: [...levels], skipped }
        options.onLevel?.(found)
      },
    },
    token,
  )
  return found
}

function describe({ atoms, size, sumError, maxError, score }: Scored, { columns, codes }: Atoms): FoundSlice {
  const predicates = atoms.map((atom) => ({ column: columns[atom]!, code: codes[atom]! }))
  return { predicates, size, sumError, maxError, meanError: sumError / size, score }
}

function skippedColumns(atoms: Atoms, nColumns: number, nRows: number, support: number): SkippedColumn[] {
  const distinct = new Int32Array(nColumns)
  const largest = new Float64Array(nColumns)
  for (let atom = 0; atom < atoms.columns.length; atom++) {
    const column = atoms.columns[atom]!
    distinct[column]!++
    largest[column] = Math.max(largest[column]!, atoms.statistics.sizes[atom]!)
  }
  const skipped: SkippedColumn[] = []
  for (let column = 0; column < nColumns; column++) {
    if (largest[column]! >= support) continue
    const reason = distinct[column] === 0 ? 'empty' : distinct[column] === nRows && nRows > 1 ? 'identifier' : 'rare'
    skipped.push({ column, distinct: distinct[column]!, reason })
  }
  return skipped
}
