import { describe, expect, it, test } from 'vitest'
import { type BlockBounds, rankByBlocks, type Weights } from '../../../server/src/methods/influence/bounded-blocks.ts'
import { boxOf, partitionRows } from '../../../server/src/methods/influence/partition-rows.ts'
import { rankByConfusion } from '../../../server/src/methods/influence/rank-by-confusion.ts'
import { rankBySpectrum } from '../../../server/src/methods/influence/rank-by-spectrum.ts'
import { routeRows } from '../../../server/src/methods/influence/route-rows.ts'
import { sequence } from './matrices.ts'

interface Data {
  readonly k: number
  /** k × n. */
  readonly b: Float32Array
  readonly groups?: Int32Array
}

/** Rows in blocks, in memory, and how many were read. */
function blocksOf({ k, b, groups }: Data, most = 16) {
  const n = b.length / k
  const rowMajor = Float32Array.from(b, (_, at) => b[(at % k) * n + Math.floor(at / k)]!)
  const partition = partitionRows({ k, b: rowMajor, groups: groups ?? new Int32Array(n), most })
  const blocks: { rows: Int32Array; b: Float32Array }[] = []
  const low = new Float32Array(partition.counts.length * k)
  const high = new Float32Array(low.length)
  let start = 0
  for (const [block, count] of partition.counts.entries()) {
    const rows = partition.order.slice(start, (start += count))
    blocks.push({ rows, b: Float32Array.from({ length: k * count }, (_, at) => b[Math.floor(at / count) * n + rows[at % count]!]!) })
    const box = boxOf(rowMajor, k, rows)
    low.set(box.low, block * k)
    high.set(box.high, block * k)
  }
  const bounds: BlockBounds = { k, n, counts: partition.counts, groups: partition.groups, low, high }
  return { bounds, blocks, read: (asked: Int32Array) => Array.from(asked, (block) => blocks[block]!) }
}

async function bothWays(data: Data, query: ArrayLike<number>, top: number) {
  const n = data.b.length / data.k
  const k = query.length
  const { bounds, read } = blocksOf(data)
  const found = await rankByBlocks({ bounds, read, query, top })
  const all = rankBySpectrum({ k, n, b: data.b }, query, top)
  expect(Array.from(found.rows)).toEqual(Array.from(all.rows))
  expect(found.influence).toEqual(all.influence)
  const held = found.rows.length
  expect(found.b.every((value, at) => Object.is(value, data.b[Math.floor(at / held) * n + found.rows[at % held]!]))).toBe(true)
  return found
}

const kinds: Record<string, (next: () => number, at: number) => number> = {
  uniform: (next) => next() - 0.5,
  'most of them tiny, a few large': (next) => (next() - 0.5) * (next() < 0.05 ? 100 : 1e-3),
  'few values, so that many tie': (next) => Math.floor(next() * 3) - 1,
  'all equal': () => 0.25,
  zeros: () => 0,
  'powers of two, which halving takes one at a time': (_, at) => 2 ** -(at % 120),
  'not all of them numbers': (next) =>
    next() < 0.02 ? [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][Math.floor(next() * 3)]! : next() - 0.5,
  huge: (next) => (next() - 0.5) * 3e38,
  'smaller than any normal number': (next) => (next() - 0.5) * 1e-42,
}

describe('the same rows, in the same order, as looking at every one', () => {
  for (const [kind, make] of Object.entries(kinds))
    for (const [k, n, top] of [
      [1, 1, 1],
      [1, 700, 10],
      [3, 500, 1],
      [4, 900, 2000],
      [10, 1500, 40],
      [23, 600, 599],
      [2, 40, 0],
    ] as const)
      test(`${kind}: k = ${k}, n = ${n}, top ${top}`, async () => {
        const next = sequence(k * 7919 + n)
        const b = Float32Array.from({ length: k * n }, (_, at) => make(next, at))
        const groups = Int32Array.from({ length: n }, () => Math.floor(next() * 5))
        for (const query of [
          Float64Array.from({ length: k }, () => next() - 0.5),
          new Float64Array(k),
          Float64Array.from({ length: Math.ceil(k / 2) }, () => next() * 1e6),
        ]) {
          await bothWays({ k, b, groups }, query, top)
          await bothWays({ k, b }, query, top)
        }
      })

  test('queries that are no numbers, or overflow', async () => {
    const next = sequence(3)
    const b = Float32Array.from({ length: 3 * 300 }, () => next() - 0.5)
    for (const query of [
      [Number.NaN, 1, 1],
      [Number.POSITIVE_INFINITY, 0, 1],
      [Number.NEGATIVE_INFINITY, 1, 0],
      [1e308, 1e308, -1e308],
    ])
      await bothWays({ k: 3, b }, query, 20)
  })

  test('queries drawn at random', async () => {
    const next = sequence(77)
    for (let round = 0; round < 150; round++) {
      const k = 1 + Math.floor(next() * 6)
      const n = 1 + Math.floor(next() * 200)
      const make = Object.values(kinds)[round % Object.keys(kinds).length]!
      const b = Float32Array.from({ length: k * n }, (_, at) => make(next, at))
      const groups = Int32Array.from({ length: n }, () => Math.floor(next() * 40))
      await bothWays(
        { k, b, groups },
        Float64Array.from({ length: k }, () => Math.round(4 * (next() - 0.5))),
        1 + Math.floor(next() * 30),
      )
    }
  })
})

it('reads a small part where rows differ in size and direction, and everything where nothing tells them apart', async () => {
  const [k, n] = [8, 20_000]
  const next = sequence(11)
  const groups = Int32Array.from({ length: n }, () => Math.floor(next() * 10))
  const size = Float64Array.from({ length: n }, () => next() ** 8)
  const b = Float32Array.from(
    { length: k * n },
    (_, at) => size[at % n]! * (Math.sin(groups[at % n]! * (1 + Math.floor(at / n))) + 0.1 * next()),
  )
  const query = Float64Array.from({ length: k }, () => next() - 0.5)
  const found = await bothWays({ k, b, groups }, query, 100)
  expect(found.read.rows).toBeLessThan(n / 10)
  const equal = await bothWays({ k, b: new Float32Array(k * n).fill(1) }, query, 100)
  expect(equal.read.rows).toBe(n)
})

it('leaves out rows that are not eligible, without looking at more than it must', async () => {
  const [k, n] = [3, 3000]
  const next = sequence(5)
  const b = Float32Array.from({ length: k * n }, () => (next() - 0.5) ** 3)
  const eligible = Uint8Array.from({ length: n }, () => (next() < 0.3 ? 1 : 0))
  const query = [1, -2, 0.5]
  const { bounds, read } = blocksOf({ k, b })
  const all = rankBySpectrum({ k, n, b }, query, n)
  const wanted = Array.from(all.rows).filter((row) => eligible[row] === 1)
  const some = await rankByBlocks({ bounds, read, query, top: 25, eligible })
  expect(Array.from(some.rows)).toEqual(wanted.slice(0, 25))
  expect(some.read.rows).toBeLessThan(n)
  const every = await rankByBlocks({ bounds, read, query, top: n, eligible })
  expect(Array.from(every.rows)).toEqual(wanted)
  expect((await rankByBlocks({ bounds, read, query, top: 5, eligible: new Uint8Array(n) })).rows.length).toBe(0)
})

it('weighs as a ranking by confusions does', async () => {
  const [k, n, classes] = [4, 4000, 3]
  const next = sequence(21)
  for (let round = 0; round < 6; round++) {
    const pairs = Int32Array.from({ length: n }, () => Math.floor(next() * 9))
    const confident = Uint8Array.from({ length: n }, () => (next() < 0.3 ? 1 : 0))
    const b = Float32Array.from({ length: k * n }, (_, at) => (next() - 0.4) * (pairs[at % n] === round ? 3 : 1))
    const query = Float64Array.from({ length: k }, () => next() - 0.3)
    const all = rankByConfusion({ k, n, b, classes, pairs, confident }, query, 300)
    // The lifts are worked out from the very sums, so any that are given will do: here those that the ranking tells apart by.
    const lifts = Float64Array.from({ length: 9 }, (_, pair) =>
      all.standsOut && pair === all.standsOut.given * 3 + all.standsOut.alternative ? all.standsOut.lift : 1,
    )
    const most = Math.max(...lifts)
    const weights: Weights = { of: lifts, most, pairs, pairOf: (group) => group }
    const { bounds, read } = blocksOf({ k, b, groups: pairs })
    const found = await rankByBlocks({ bounds, read, query, top: 300, weights })
    const sums = Float32Array.from({ length: n }, (_, row) => {
      const one = rankBySpectrum({ k, n: 1, b: Float32Array.from({ length: k }, (_, l) => b[l * n + row]!) }, query, 1).influence[0]!
      return one > 0 ? (one * lifts[pairs[row]!]!) / most : one
    })
    const weighed = rankBySpectrum({ k: 1, n, b: sums }, [1], 300)
    expect(found.rows).toEqual(weighed.rows)
    expect(found.influence).toEqual(weighed.influence)
  }
})

it('refuses a query with more coordinates than the index', async () => {
  const { bounds, read } = blocksOf({ k: 1, b: Float32Array.of(1, 2) })
  await expect(rankByBlocks({ bounds, read, query: [1, 1], top: 1 })).rejects.toThrow('2 coordinates; the index has 1')
})

describe('blocks', () => {
  const made = (kind: string, n: number, k = 2) => {
    const next = sequence(n)
    return Float32Array.from({ length: n * k }, (_, at) => kinds[kind]!(next, at))
  }
  test.each(Object.keys(kinds))('hold every row once, few are small, none is too large: %s', (kind) => {
    const b = made(kind, 3000)
    const { order, counts } = partitionRows({ k: 2, b, groups: Int32Array.from({ length: 3000 }, (_, i) => i % 900), most: 64 })
    expect(Array.from(order).sort((x, y) => x - y)).toEqual(Array.from({ length: 3000 }, (_, i) => i))
    expect(Math.max(...counts)).toBeLessThanOrEqual(64)
    expect(counts.length).toBeLessThan(3000 / 8)
  })

  test.each(Object.keys(kinds))('rows are sent to buckets of about the size wanted: %s', (kind) => {
    const [n, k] = [6000, 3]
    const b = made(kind, n, k)
    const groups = Int32Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 7 : i % 200))
    const counts = new Map<number, number>()
    for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1)
    const every = Int32Array.from({ length: 1000 }, (_, i) => i * 6 + (i % 6))
    const sample = Float32Array.from({ length: 1000 * k }, (_, at) => b[every[Math.floor(at / k)]! * k + (at % k)]!)
    const routing = routeRows({ k, sample, sampleGroups: every.map((row) => groups[row]!), counts, most: 500 })
    const sizes = new Int32Array(routing.buckets)
    for (let row = 0; row < n; row++) sizes[routing.bucketOf(b, row * k, groups[row]!)]!++
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(n)
    if (kind === 'uniform') expect(Math.max(...sizes)).toBeLessThan(750)
  })
})
