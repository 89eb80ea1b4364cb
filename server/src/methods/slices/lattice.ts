import { breathe, type CancelToken } from '../cancel.ts'
import type { Atoms, Candidates, Evaluator, Statistics } from './evaluator.ts'
import { type Level, LevelIndex, newLevel } from './level.ts'

/** What a walk wants of the lattice; `admits` gets upper bounds of a slice's statistics and must be monotone in each of them. */
export interface Walk {
  readonly depth: number
  /** May this slice, or anything below it, still matter? */
  admits(size: number, sumError: number, maxError: number): boolean
  visit(atoms: Int32Array, at: number, depth: number, size: number, sumError: number, maxError: number): void
  levelDone(depth: number, evaluated: number, pruned: number, atoms: Atoms): void
}

/** Bounds the memory of a level: this many candidates are generated, evaluated and sifted at a time. */
const batchSize = 1 << 17

/**
 * Walks the lattice of conjunctions level by level (SliceLine, §4.1): a level joins two survivors of the last that share all but one
 * predicate, keeps a candidate that has all its parents and whose smallest parents' statistics are still admitted, and evaluates it.
 * Every candidate is generated exactly once, by the two parents that share its prefix, so that nothing needs an id.
 */
export async function walkLattice(evaluator: Evaluator, walk: Walk, token?: CancelToken): Promise<void> {
  const atoms = await evaluator.atoms(token)
  let level = visitAtoms(atoms, walk)
  for (let depth = 2; depth <= walk.depth && level.count > 1; depth++) {
    const joined = newLevel(depth)
    const tally = { evaluated: 0, pruned: 0 }
    for await (const batch of join(level, atoms.columns, walk, tally, token)) {
      const statistics = await evaluator.evaluate(batch, token)
      tally.evaluated += batch.count
      sift(batch, statistics, walk, joined)
    }
    if (tally.evaluated + tally.pruned > 0) walk.levelDone(depth, tally.evaluated, tally.pruned, atoms)
    level = joined
  }
}

function visitAtoms(atoms: Atoms, walk: Walk): Level {
  const { sizes, sums, maxima } = atoms.statistics
  const level = newLevel(1)
  const ids = Int32Array.from(sizes, (_, atom) => atom)
  for (let atom = 0; atom < ids.length; atom++) walk.visit(ids, atom, 1, sizes[atom]!, sums[atom]!, maxima[atom]!)
  for (let atom = 0; atom < ids.length; atom++) {
    if (walk.admits(sizes[atom]!, sums[atom]!, maxima[atom]!)) level.push(ids, atom, sizes[atom]!, sums[atom]!, maxima[atom]!)
  }
  walk.levelDone(1, ids.length, 0, atoms)
  return level
}

function sift(batch: Candidates, { sizes, sums, maxima }: Statistics, walk: Walk, into: Level): void {
  const { depth, count, atoms } = batch
  for (let i = 0; i < count; i++) walk.visit(atoms, i * depth, depth, sizes[i]!, sums[i]!, maxima[i]!)
  if (depth === walk.depth) return
  for (let i = 0; i < count; i++) {
    if (walk.admits(sizes[i]!, sums[i]!, maxima[i]!)) into.push(atoms, i * depth, sizes[i]!, sums[i]!, maxima[i]!)
  }
}

async function* join(
  level: Level,
  columns: Int32Array,
  walk: Walk,
  tally: { pruned: number },
  token: CancelToken | undefined,
): AsyncGenerator<Candidates> {
  const width = level.depth
  const depth = width + 1
  const index = depth > 2 ? new LevelIndex(level) : undefined
  const candidate = new Int32Array(depth)
  let batch = new Int32Array(batchSize * depth)
  let count = 0
  let sinceBreath = 0
  for (let start = 0, end = 0; start < level.count; start = end) {
    end = level.endOfPrefix(start)
    for (let first = start; first < end; first++) {
      for (let j = 0; j < width; j++) candidate[j] = level.atoms[first * width + j]!
      const column = columns[candidate[width - 1]!]!
      const size = level.sizes[first]!
      const sum = level.sums[first]!
      const maximum = level.maxima[first]!
      for (let second = first + 1; second < end; second++) {
        const last = level.atoms[second * width + width - 1]!
        if (columns[last] === column) continue
        candidate[width] = last
        if (
          !admitsChild(
            level,
            index,
            candidate,
            walk,
            Math.min(size, level.sizes[second]!),
            Math.min(sum, level.sums[second]!),
            Math.min(maximum, level.maxima[second]!),
          )
        ) {
          tally.pruned++
          continue
        }
        batch.set(candidate, count * depth)
        if (++count < batchSize) continue
        yield { depth, count, atoms: batch }
        batch = new Int32Array(batchSize * depth)
        count = 0
      }
      sinceBreath += end - first
      if (sinceBreath < 1 << 16) continue
      sinceBreath = 0
      await breathe(token)
    }
  }
  if (count > 0) yield { depth, count, atoms: batch.subarray(0, count * depth) }
}

/** The two parents that share the prefix have given the bounds; the other parents tighten them, or are missing. */
function admitsChild(
  level: Level,
  index: LevelIndex | undefined,
  candidate: Int32Array,
  walk: Walk,
  size: number,
  sum: number,
  maximum: number,
): boolean {
  if (!walk.admits(size, sum, maximum)) return false
  if (index === undefined) return true
  let smallest = size
  let least = sum
  let lowest = maximum
  for (let without = candidate.length - 3; without >= 0; without--) {
    const parent = index.find(candidate, without)
    if (parent < 0) return false
    smallest = Math.min(smallest, level.sizes[parent]!)
    least = Math.min(least, level.sums[parent]!)
    lowest = Math.min(lowest, level.maxima[parent]!)
  }
  return walk.admits(smallest, least, lowest)
}
