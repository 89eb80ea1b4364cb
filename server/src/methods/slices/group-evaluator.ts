import type { CancelToken } from '../cancel.ts'
import { type Atoms, type Candidates, type Evaluator, newStatistics, type Statistics, type Totals } from './evaluator.ts'

/** The groups of one set of columns: group i has codes[j][i] in the j-th column of the set. */
export interface Groups {
  readonly codes: readonly Int32Array[]
  readonly statistics: Statistics
}

/**
 * What a database does at scale: for each set of columns, `select c1, c2, count(*), sum(e), max(e) … where c1 > 0 and c2 > 0 group by c1, c2
 * having count(*) >= support`. It may answer several sets in one pass (grouping sets). Columns of a set ascend; groups come in any order.
 */
export interface Aggregator {
  readonly totals: Totals
  readonly nColumns: number
  aggregate(sets: readonly (readonly number[])[], token?: CancelToken): Promise<readonly Groups[]>
}

/**
 * Evaluates slices by grouped aggregates, so that rows may stay where they are: all candidates over one set of columns are groups of one
 * query, and a batch asks for as many sets as it has. Groups below the support may be left out by the database; they count as empty.
 * (So `skipped` cannot tell an identifier from a column of rare values.) Memory is that of the groups.
 */
export function groupEvaluator(aggregator: Aggregator): Evaluator {
  let atoms: Promise<Atoms> | undefined
  const atomsOnce = (token?: CancelToken): Promise<Atoms> => (atoms ??= readAtoms(aggregator, token))
  return {
    totals: aggregator.totals,
    atoms: atomsOnce,
    async evaluate(candidates, token) {
      return readCandidates(aggregator, await atomsOnce(token), candidates, token)
    },
  }
}

async function readAtoms(aggregator: Aggregator, token?: CancelToken): Promise<Atoms> {
  const sets = Array.from({ length: aggregator.nColumns }, (_, column) => [column])
  const answers = await aggregator.aggregate(sets, token)
  const found = answers.flatMap(({ codes, statistics }, column) =>
    Array.from(codes[0]!, (code, i) => ({
      column,
      code,
      size: statistics.sizes[i]!,
      sum: statistics.sums[i]!,
      maximum: statistics.maxima[i]!,
    })),
  )
  const sorted = found.filter(({ code }) => code > 0).sort((a, b) => a.column - b.column || a.code - b.code)
  return {
    columns: Int32Array.from(sorted, (atom) => atom.column),
    codes: Int32Array.from(sorted, (atom) => atom.code),
    statistics: {
      sizes: Float64Array.from(sorted, (atom) => atom.size),
      sums: Float64Array.from(sorted, (atom) => atom.sum),
      maxima: Float64Array.from(sorted, (atom) => atom.maximum),
    },
  }
}

async function readCandidates(aggregator: Aggregator, atoms: Atoms, candidates: Candidates, token?: CancelToken): Promise<Statistics> {
  const { depth, count } = candidates
  const bySet = new Map<string, { set: number[]; members: Map<string, number> }>()
  for (let i = 0; i < count; i++) {
    const ids = candidates.atoms.subarray(i * depth, (i + 1) * depth)
    const set = Array.from(ids, (atom) => atoms.columns[atom]!)
    const name = set.join()
    const held = bySet.get(name) ?? { set, members: new Map() }
    held.members.set(Array.from(ids, (atom) => atoms.codes[atom]!).join(), i)
    bySet.set(name, held)
  }
  const wanted = [...bySet.values()]
  const answers = await aggregator.aggregate(
    wanted.map(({ set }) => set),
    token,
  )
  const statistics = newStatistics(count)
  for (const [at, { members }] of wanted.entries()) {
    const { codes, statistics: groups } = answers[at]!
    for (let group = 0; group < groups.sizes.length; group++) {
      const i = members.get(codes.map((values) => values[group]).join())
      if (i === undefined) continue
      statistics.sizes[i] = groups.sizes[group]!
      statistics.sums[i] = groups.sums[group]!
      statistics.maxima[i] = groups.maxima[group]!
    }
  }
  return statistics
}

/** As `countSlices`, by the groups of every set of at most `depth` columns; as many queries' sets as there are such sets. */
export async function countGroups(aggregator: Aggregator, depth: number, support: number, token?: CancelToken): Promise<number> {
  let count = 0
  for (let size = 1; size <= Math.min(depth, aggregator.nColumns); size++) {
    const answers = await aggregator.aggregate(columnSets(aggregator.nColumns, size), token)
    for (const { statistics } of answers) for (const groupSize of statistics.sizes) if (groupSize >= support) count++
  }
  return count
}

function columnSets(nColumns: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]]
  const sets: number[][] = []
  for (let first = from; first <= nColumns - size; first++) {
    for (const rest of columnSets(nColumns, size - 1, first + 1)) sets.push([first, ...rest])
  }
  return sets
}
