import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../../server/src/methods/cancel.ts'
import { type DescribeOptions, describeRows } from '../../../server/src/methods/slices/describe-rows.ts'
import { randomInput, seeded, shuffled } from './random.ts'

interface Conjunction {
  readonly predicates: { column: number; code: number }[]
  readonly rows: number[]
}

/** Every conjunction of at most `depth` conditions with its rows. */
function conjunctions(codes: readonly Int32Array[], nRows: number, depth: number): Conjunction[] {
  const found: Conjunction[] = []
  const extend = (predicates: Conjunction['predicates'], rows: number[], from: number): void => {
    if (predicates.length > 0) found.push({ predicates, rows })
    if (predicates.length === depth) return
    for (let column = from; column < codes.length; column++) {
      for (const code of new Set(rows.map((row) => codes[column]![row]!))) {
        if (code === 0) continue
        const inside = rows.filter((row) => codes[column]![row] === code)
        extend([...predicates, { column, code }], inside, column + 1)
      }
    }
  }
  extend(
    [],
    Array.from({ length: nRows }, (_, row) => row),
    0,
  )
  return found
}

/** The score as its definition says: rows times the divergence of (precision, 1 − precision) from the base rate, in nats. */
function scoreOf(nRows: number, nMarked: number, size: number, own: number, conditions: number, named: number): number {
  const base = nMarked / nRows
  const share = own / size
  if (share <= base) return -1
  const told = share * Math.log(share / base) + (share < 1 ? (1 - share) * Math.log((1 - share) / (1 - base)) : 0)
  return (size * told - conditions * Math.log(named)) / (-nMarked * Math.log(base))
}

/** P(at least `own` marked among `size` drawn), by exact sums of products. */
function hypergeometric(nRows: number, nMarked: number, size: number, own: number): number {
  const choose = (n: number, k: number) => {
    let product = 1
    for (let i = 0; i < k; i++) product *= (n - i) / (k - i)
    return k < 0 || k > n ? 0 : product
  }
  let sum = 0
  for (let k = own; k <= Math.min(size, nMarked); k++) sum += (choose(nMarked, k) * choose(nRows - nMarked, size - k)) / choose(nRows, size)
  return sum
}

const all: DescribeOptions = { top: 1, support: 1, depth: 3, falseDiscoveryRate: Number.POSITIVE_INFINITY }

describe('the first description', () => {
  it('is the best of all, with its figures, on 1500 random inputs', async () => {
    let nFound = 0
    for (let seed = 0; seed < 1500; seed++) {
      const rng = seeded(seed)
      const { codes, errors } = randomInput(rng)
      const marked = Uint8Array.from(errors, (_, row) => (rng() < (codes[0]![row] === 1 ? 0.9 : 0.1) ? 1 : 0))
      const options = { ...all, support: 1 + Math.floor(rng() * 3), depth: 1 + Math.floor(rng() * 3) }
      const { descriptions, hypotheses } = await describeRows(codes, marked, options)
      const nRows = marked.length
      const nMarked = marked.reduce((sum, m) => sum + m, 0)
      if (nMarked === 0 || nMarked === nRows) {
        expect(descriptions).toEqual([])
        continue
      }
      const every = conjunctions(codes, nRows, options.depth).filter(({ rows }) => rows.length >= options.support)
      expect(hypotheses, `seed ${seed}`).toBe(every.length)
      const named = Math.max(1, every.filter(({ predicates }) => predicates.length === 1).length)
      const scored = every
        .map((one) => ({ ...one, own: one.rows.filter((row) => marked[row] === 1).length }))
        .filter(({ own }) => own >= options.support)
        .map((one) => ({ ...one, score: scoreOf(nRows, nMarked, one.rows.length, one.own, one.predicates.length, named) }))
      const best = Math.max(0, ...scored.map((one) => one.score))
      const [first] = descriptions
      if (!first) {
        expect(best, `seed ${seed}`).toBeLessThan(1e-9)
        continue
      }
      nFound++
      expect(first.score, `seed ${seed}`).toBeCloseTo(best, 9)
      const same = scored.find((one) => JSON.stringify(one.predicates) === JSON.stringify(first.predicates))!
      expect(first).toMatchObject({ rows: same.rows.length, marked: same.own, adds: same.own })
      expect(first.precision).toBe(same.own / same.rows.length)
      expect(first.coverage).toBe(same.own / nMarked)
      expect(first.pValue).toBeCloseTo(hypergeometric(nRows, nMarked, same.rows.length, same.own), 9)
      expect(first.qValue).toBeCloseTo(Math.min(1, first.pValue * hypotheses), 7)
    }
    expect(nFound).toBeGreaterThan(100)
  })
})

/** Rows marked by either of two causes, and some by none. */
function twoCauses(seed: number, nRows = 3000) {
  const rng = seeded(seed)
  const codes = Array.from({ length: 6 }, () => Int32Array.from({ length: nRows }, () => 1 + Math.floor(rng() * 4)))
  const marked = Uint8Array.from({ length: nRows }, (_, row) => {
    const first = codes[0]![row] === 2 && codes[3]![row] === 1
    const second = codes[1]![row] === 4
    return rng() < (first ? 0.8 : second ? 0.3 : 0.02) ? 1 : 0
  })
  return { codes, marked }
}
const usual: DescribeOptions = { top: 5, support: 5, depth: 3, falseDiscoveryRate: 0.05 }

describe('several descriptions', () => {
  it('name each cause once, the better one first', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { codes, marked } = twoCauses(seed)
      const { descriptions } = await describeRows(codes, marked, usual)
      const found = descriptions.map(({ predicates }) => predicates)
      expect(found, `seed ${seed}`).toContainEqual([
        { column: 0, code: 2 },
        { column: 3, code: 1 },
      ])
      expect(found, `seed ${seed}`).toContainEqual([{ column: 1, code: 4 }])
      for (const [i, one] of descriptions.entries()) {
        expect(one.qValue).toBeLessThanOrEqual(0.05)
        expect(one.adds).toBeGreaterThanOrEqual(i === 0 ? one.marked : one.marked / 2)
        if (i > 0) expect(one.score).toBeLessThanOrEqual(descriptions[i - 1]!.score)
      }
    }
  })

  it('do not depend on the order of rows', async () => {
    const { codes, marked } = twoCauses(3)
    const order = shuffled(marked.length, seeded(9))
    const moved = codes.map((values) => Int32Array.from(order, (row) => values[row]!))
    const movedMarks = Uint8Array.from(order, (row) => marked[row]!)
    expect(await describeRows(moved, movedMarks, usual)).toEqual(await describeRows(codes, marked, usual))
  })

  it('are none, nearly always, where marks are chance', async () => {
    let nFalse = 0
    for (let seed = 0; seed < 200; seed++) {
      const { codes } = twoCauses(seed, 400)
      const rng = seeded(1000 + seed)
      const marked = Uint8Array.from({ length: 400 }, () => (rng() < 0.1 ? 1 : 0))
      const { descriptions } = await describeRows(codes, marked, { ...usual, support: 3 })
      if (descriptions.length > 0) nFalse++
    }
    // Of 200 trials at 5 %, more than 16 would be seen with a chance of 2 %.
    expect(nFalse).toBeLessThanOrEqual(16)
  })
})

describe('there is nothing to describe', () => {
  const codes = [Int32Array.of(1, 2, 1, 2)]
  it.each([
    ['where no row is marked', Uint8Array.of(0, 0, 0, 0)],
    ['where every row is', Uint8Array.of(1, 1, 1, 1)],
  ])('%s', async (_, marked) => {
    expect(await describeRows(codes, marked, { ...all, top: 3 })).toEqual({ descriptions: [], hypotheses: 0 })
  })

  it('in one row', async () => {
    expect(await describeRows([Int32Array.of(1)], Uint8Array.of(1), all)).toEqual({ descriptions: [], hypotheses: 0 })
  })

  it('without rows, or without columns: a sentence', async () => {
    await expect(describeRows([new Int32Array(0)], new Uint8Array(0), all)).rejects.toThrow('There are no rows')
    await expect(describeRows([], Uint8Array.of(1, 0), all)).rejects.toThrow('There are no columns')
  })
})

it('stops when it is cancelled', async () => {
  const { codes, marked } = twoCauses(1)
  await expect(describeRows(codes, marked, usual, { cancelled: true })).rejects.toBeInstanceOf(Cancelled)
})
