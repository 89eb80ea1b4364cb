import { breathe } from '../cancel.ts'
import { type Atoms, type Candidates, type Evaluator, newStatistics, type Statistics } from './evaluator.ts'
import { splitErrors } from './exact-sum.ts'
import { checkErrors } from './input.ts'
import { rowEvaluator } from './row-evaluator.ts'

/** The statistics of every slice that a search evaluated over the first `nRows` rows, to be reused once rows are appended. */
export interface SliceLattice {
  readonly nRows: number
  /** Predicates as text → size, summed and largest error. */
  readonly known: ReadonlyMap<string, readonly [size: number, sumError: number, maxError: number]>
}

/** An evaluator that keeps what it is asked, in `lattice()`. */
export interface RecordingEvaluator extends Evaluator {
  lattice(): SliceLattice
}

export function recordingEvaluator(inner: Evaluator): RecordingEvaluator {
  const known = new Map<string, readonly [number, number, number]>()
  let atoms: Atoms | undefined
  return {
    totals: inner.totals,
    lattice: () => ({ nRows: inner.totals.nRows, known }),
    async atoms(token) {
      atoms = await inner.atoms(token)
      for (let atom = 0; atom < atoms.columns.length; atom++) remember(known, nameOf(atoms, [atom]), atoms.statistics, atom)
      return atoms
    },
    async evaluate(candidates, token) {
      const statistics = await inner.evaluate(candidates, token)
      for (let i = 0; i < candidates.count; i++) remember(known, nameOf(atoms!, atomsAt(candidates, i)), statistics, i)
      return statistics
    },
  }
}

/**
 * Evaluates over an earlier lattice and the rows appended since: a slice that the lattice knows costs a look at the new rows only, any
 * other a look at all. `codes` and `errors` hold all rows, the earlier ones first and unchanged (so bins keep their edges). The answer
 * is that of a search over all rows, sums being equal up to one rounding.
 */
export function extendedEvaluator(lattice: SliceLattice, codes: readonly Int32Array[], errors: Float64Array, support: number): Evaluator {
  checkErrors(codes, errors)
  const since = lattice.nRows
  // A search that found no error at all looked at no slice.
  if (lattice.known.size === 0) return rowEvaluator(codes, errors, support)
  if (since > errors.length)
    throw new RangeError(`The earlier search saw ${since} rows, now there are ${errors.length}; rows may only be appended`)
  const added =
    since === errors.length
      ? undefined
      : rowEvaluator(
          codes.map((values) => values.subarray(since)),
          errors.subarray(since),
          1,
        )
  let everything: Evaluator | undefined
  let all: Promise<Merged> | undefined
  const merged = (): Promise<Merged> => (all ??= mergeAtoms(lattice, codes.length, added))
  const earlier = splitErrors(errors.subarray(0, since))
  return {
    totals: {
      nRows: errors.length,
      sumError: earlier.total + (added?.totals.sumError ?? 0),
      maxError: Math.max(earlier.maximum, added?.totals.maxError ?? 0),
    },
    atoms: async () => (await merged()).atoms,
    async evaluate(candidates, token) {
      const { atoms, addedAtom } = await merged()
      const statistics = newStatistics(candidates.count)
      const fresh: number[] = []
      const changed: number[] = []
      for (let i = 0; i < candidates.count; i++) {
        const ids = atomsAt(candidates, i)
        const held = lattice.known.get(nameOf(atoms, ids))
        if (held === undefined) {
          fresh.push(i)
          continue
        }
        ;[statistics.sizes[i], statistics.sums[i], statistics.maxima[i]] = held
        if (ids.every((atom) => addedAtom[atom]! >= 0)) changed.push(i)
        if ((i & 0xffff) === 0xffff) await breathe(token)
      }
      if (changed.length > 0 && added !== undefined) {
        const delta = await added.evaluate(
          pick(candidates, changed, (atom) => addedAtom[atom]!),
          token,
        )
        for (const [at, i] of changed.entries()) add(statistics, i, delta, at)
      }
      if (fresh.length > 0) {
        everything ??= rowEvaluator(codes, errors, support)
        const own = await everything.evaluate(
          pick(candidates, fresh, (atom) => atom),
          token,
        )
        for (const [at, i] of fresh.entries()) add(statistics, i, own, at)
      }
      return statistics
    },
  }
}

interface Merged {
  readonly atoms: Atoms
  /** Atom → the same among the appended rows, or −1. */
  readonly addedAtom: Int32Array
}

async function mergeAtoms(lattice: SliceLattice, nColumns: number, added: Evaluator | undefined): Promise<Merged> {
  const found = new Map<string, { column: number; code: number; size: number; sum: number; maximum: number; at: number }>()
  for (const [name, [size, sum, maximum]] of lattice.known) {
    if (name.includes(',')) continue
    const [column, code] = name.split('=').map(Number) as [number, number]
    if (column < nColumns) found.set(name, { column, code, size, sum, maximum, at: -1 })
  }
  const delta = await added?.atoms()
  for (let atom = 0; delta !== undefined && atom < delta.columns.length; atom++) {
    const name = nameOf(delta, [atom])
    const held = found.get(name)
    found.set(name, {
      column: delta.columns[atom]!,
      code: delta.codes[atom]!,
      size: (held?.size ?? 0) + delta.statistics.sizes[atom]!,
      sum: (held?.sum ?? 0) + delta.statistics.sums[atom]!,
      maximum: Math.max(held?.maximum ?? 0, delta.statistics.maxima[atom]!),
      at: atom,
    })
  }
  const sorted = [...found.values()].sort((a, b) => a.column - b.column || a.code - b.code)
  const statistics: Statistics = {
    sizes: Float64Array.from(sorted, (atom) => atom.size),
    sums: Float64Array.from(sorted, (atom) => atom.sum),
    maxima: Float64Array.from(sorted, (atom) => atom.maximum),
  }
  return {
    atoms: { columns: Int32Array.from(sorted, (atom) => atom.column), codes: Int32Array.from(sorted, (atom) => atom.code), statistics },
    addedAtom: Int32Array.from(sorted, (atom) => atom.at),
  }
}

function pick({ depth, atoms }: Candidates, chosen: readonly number[], rename: (atom: number) => number): Candidates {
  const picked = new Int32Array(chosen.length * depth)
  for (const [at, i] of chosen.entries()) for (let j = 0; j < depth; j++) picked[at * depth + j] = rename(atoms[i * depth + j]!)
  return { depth, count: chosen.length, atoms: picked }
}

function add(into: Statistics, at: number, from: Statistics, i: number): void {
  into.sizes[at]! += from.sizes[i]!
  into.sums[at]! += from.sums[i]!
  into.maxima[at] = Math.max(into.maxima[at]!, from.maxima[i]!)
}

function remember(
  known: Map<string, readonly [number, number, number]>,
  name: string,
  { sizes, sums, maxima }: Statistics,
  i: number,
): void {
  known.set(name, [sizes[i]!, sums[i]!, maxima[i]!])
}

function atomsAt({ depth, atoms }: Candidates, i: number): readonly number[] {
  return Array.from(atoms.subarray(i * depth, (i + 1) * depth))
}

function nameOf({ columns, codes }: Atoms, atoms: readonly number[]): string {
  return atoms.map((atom) => `${columns[atom]}=${codes[atom]}`).join()
}
