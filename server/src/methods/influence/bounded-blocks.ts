import { breathe, type CancelToken } from '../cancel.ts'
import { type Ranking, sumBlock } from './rank-by-spectrum.ts'

/**
 * Exact maximum inner products over an index that need not be in memory: rows that lie close together share a block, of a block only its box (the least
 * and greatest coordinate along each eigenvector) is held, and a query reads the blocks whose box could still hold one of the best rows. With LEMP (Teflioudi &
 * Gemulla 2017, §4) it shares the blocks and their bounds, with FEXIPRO (Li et al. 2017, §4) the principal axes, which here are given. Measured on MNIST,
 * boxes bound three times better than lengths (Cauchy–Schwarz): influences are spread over all axes, but by label they are narrow.
 */
export interface BlockBounds {
  readonly k: number
  /** Of all blocks together. */
  readonly n: number
  /** Rows in each block. */
  readonly counts: Int32Array
  /** Blocks × k; NaN where a row of the block is not finite. */
  readonly low: Float32Array
  readonly high: Float32Array
  /** What its rows have in common (see `partitionRows`), −1 where they differ. */
  readonly groups: Int32Array
}

export interface Block {
  readonly rows: Int32Array
  /** k × rows. */
  readonly b: Float32Array
}

/** The blocks asked for, in that order; they are asked for in rising order. */
export type ReadBlocks = (blocks: Int32Array) => readonly Block[] | Promise<readonly Block[]>

export interface BlockSearch {
  readonly bounds: BlockBounds
  readonly read: ReadBlocks
  /** As many coordinates as are used, from the first: at most `bounds.k`. */
  readonly query: ArrayLike<number>
  readonly top: number
  /** 1 for each row that may be among the best; all unless given. */
  readonly eligible?: Uint8Array
  /** A positive sum, rounded to float32, is multiplied by `of` its row's group over `most`, the greatest of them. */
  readonly weights?: Weights
  readonly token?: CancelToken
}

export interface Weights {
  readonly of: ArrayLike<number>
  readonly most: number
  /** Of every row: an index into `of`. */
  readonly pairs: Int32Array
  /** Of a block's group. */
  readonly pairOf: (group: number) => number
}

export interface BlockRanking extends Ranking {
  /** k′ × found, in the order of `rows`. */
  readonly b: Float32Array
  readonly read: { readonly blocks: number; readonly rows: number }
}

/**
 * The same rows in the same order as `rankBySpectrum` over all of them (as `rankByConfusion`, given weights): largest first, ties by row, what is no number last. With m
 * blocks, 3·k·m operations for the bounds, then 2·k a row of the blocks read; memory for the bounds, the `top` and one wave of blocks. How many are
 * read depends on the data: 2–20 % of MNIST's rows for the top 100; all of them where nothing tells rows apart.
 */
export async function rankByBlocks(search: BlockSearch): Promise<BlockRanking> {
  const { bounds, query, eligible } = search
  const k = query.length
  if (k > bounds.k) throw new RangeError(`The query has ${k} coordinates; the index has ${bounds.k} eigenvectors.`)
  const candidates = eligible === undefined ? bounds.n : eligible.reduce((sum, one) => sum + one, 0)
  const best = new BestRows(Math.max(0, Math.min(candidates, Math.trunc(search.top))), k)
  const read = { blocks: 0, rows: 0 }
  const reach = reachOf(search)
  const falling = Float64Array.from(reach).sort()
  const count = falling.length
  let above = Number.POSITIVE_INFINITY
  let done = 0
  // The first wave fills the list, the others grow with what was read: few waves, and little that a reading one by one would have spared.
  let wave = Math.ceil((2 * best.wanted * count) / Math.max(1, bounds.n)) + 4
  while (best.wanted > 0 && done < count) {
    const next = Math.min(count, done + wave)
    const from = falling[count - next]!
    const chosen = between(reach, from, above, best.least, done === 0)
    if (chosen.length === 0) break
    for (const part of parts(chosen, bounds.counts)) {
      await breathe(search.token)
      const blocks = await search.read(part)
      for (const block of blocks) {
        offer(search, block, best)
        read.blocks++
        read.rows += block.rows.length
      }
    }
    above = from
    // All that reach as far as the last one were read with it.
    done = count - lowerEnd(falling, from)
    wave = Math.max(16, Math.ceil(done * 0.4))
  }
  return { ...best.finish(), read }
}

/** The blocks that are `wanted`, one after the other, a few at a time. Their number of rows. */
export async function eachBlock(
  { bounds, read, token }: Pick<BlockSearch, 'bounds' | 'read' | 'token'>,
  wanted: (block: number) => boolean,
  take: (block: Block) => void,
): Promise<number> {
  const chosen = Int32Array.from({ length: bounds.counts.length }, (_, block) => block).filter(wanted)
  let rows = 0
  for (const part of parts(chosen, bounds.counts)) {
    await breathe(token)
    for (const block of await read(part)) {
      take(block)
      rows += block.rows.length
    }
  }
  return rows
}

/** How far the sums of each block can reach: +∞ where nothing is known. */
export function reachOf({ bounds, query, weights }: Pick<BlockSearch, 'bounds' | 'query' | 'weights'>): Float64Array {
  const { k, counts, low, high, groups } = bounds
  const used = query.length
  return Float64Array.from(counts, (_, block) => {
    let reach = 0
    let size = 0
    for (let l = 0, at = block * k; l < used; l++, at++) {
      const one = query[l]! * low[at]!
      const other = query[l]! * high[at]!
      reach += Math.max(one, other)
      size += Math.max(Math.abs(one), Math.abs(other))
    }
    // What rounding can do to a sum of products in float64 (Higham, Accuracy and Stability of Numerical Algorithms, §3.1), on both sides.
    reach += 2 * (used + 2) * 2 ** -53 * size
    if (weights && reach > 0) {
      const group = groups[block]!
      const factor = group < 0 ? 1 : weights.of[weights.pairOf(group)]! / weights.most
      // Rounded to float32 twice on the way.
      reach = reach * factor * (1 + 2 ** -21) + 2 ** -148
    }
    if (weights && reach <= 0) reach += Math.abs(reach) * 2 ** -22 + 2 ** -148
    return Number.isNaN(reach) || !(size < (weights ? 1e38 : Number.POSITIVE_INFINITY)) ? Number.POSITIVE_INFINITY : reach
  })
}

/** Blocks with from ≤ reach < above (of the first wave also those that reach for ever), as far as they could still matter. */
function between(reach: Float64Array, from: number, above: number, least: number, isFirst: boolean): Int32Array {
  const chosen: number[] = []
  for (let block = 0; block < reach.length; block++) {
    const far = reach[block]!
    if (far >= from && (far < above || isFirst) && !(far < least)) chosen.push(block)
  }
  return Int32Array.from(chosen)
}

/** Where the values below `from` end, in a rising list. */
function lowerEnd(rising: Float64Array, from: number): number {
  let low = 0
  let high = rising.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (rising[middle]! < from) low = middle + 1
    else high = middle
  }
  return low
}

const rowsAtOnce = 1 << 16

/** In pieces that fit into memory. */
function* parts(chosen: Int32Array, counts: Int32Array): Generator<Int32Array> {
  let start = 0
  let rows = 0
  for (let i = 0; i < chosen.length; i++) {
    rows += counts[chosen[i]!]!
    if (rows < rowsAtOnce && i + 1 < chosen.length) continue
    yield chosen.subarray(start, i + 1)
    start = i + 1
    rows = 0
  }
}

/** Σ_l query_l·b_l of each of its rows: the very sums of `rankBySpectrum`, term by term. */
export function sumsOf(block: Block, query: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(block.rows.length)
  sumBlock({ k: query.length, n: block.rows.length, b: block.b }, query, 0, sums.length, sums)
  return sums
}

function offer({ query, eligible, weights }: BlockSearch, block: Block, best: BestRows): void {
  const sums = sumsOf(block, query)
  for (let i = 0; i < sums.length; i++) {
    const row = block.rows[i]!
    if (eligible && eligible[row] !== 1) continue
    let value = sums[i]!
    if (weights) {
      value = Math.fround(value)
      if (value > 0) value = Math.fround((value * weights.of[weights.pairs[row]!]!) / weights.most)
    }
    best.offer(value, row, block, i)
  }
}

/** A heap of the best so far, the least on top: by value, ties by row, NaN below everything. */
class BestRows {
  readonly wanted: number
  private readonly k: number
  private readonly values: Float64Array
  private readonly rows: Int32Array
  private readonly places: Int32Array
  private readonly b: Float32Array
  private held = 0

  constructor(wanted: number, k: number) {
    this.wanted = wanted
    this.k = k
    this.values = new Float64Array(wanted)
    this.rows = new Int32Array(wanted)
    this.places = Int32Array.from({ length: wanted }, (_, i) => i)
    this.b = new Float32Array(wanted * k)
  }

  /** What is below it cannot come in any more; −∞ until there are enough. */
  get least(): number {
    return this.held < this.wanted ? Number.NEGATIVE_INFINITY : this.values[0]!
  }

  offer(value: number, row: number, block: Block, at: number): void {
    if (this.held === this.wanted && !ahead(value, row, this.values[0]!, this.rows[0]!)) return
    const place = this.held < this.wanted ? this.held : this.places[0]!
    for (let l = 0, n = block.rows.length; l < this.k; l++) this.b[place * this.k + l] = block.b[l * n + at]!
    if (this.held < this.wanted) this.rise(this.held++, value, row, place)
    else this.sink(value, row, place)
  }

  finish(): { rows: Int32Array; influence: Float32Array; b: Float32Array } {
    const { held, k } = this
    const order = Array.from({ length: held }, (_, i) => i).sort((x, y) =>
      ahead(this.values[x]!, this.rows[x]!, this.values[y]!, this.rows[y]!) ? -1 : 1,
    )
    const b = new Float32Array(held * k)
    for (const [i, at] of order.entries()) for (let l = 0; l < k; l++) b[l * held + i] = this.b[this.places[at]! * k + l]!
    return { rows: Int32Array.from(order, (i) => this.rows[i]!), influence: Float32Array.from(order, (i) => this.values[i]!), b }
  }

  private set(at: number, value: number, row: number, place: number): void {
    this.values[at] = value
    this.rows[at] = row
    this.places[at] = place
  }

  private rise(from: number, value: number, row: number, place: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!ahead(this.values[parent]!, this.rows[parent]!, value, row)) break
      this.set(at, this.values[parent]!, this.rows[parent]!, this.places[parent]!)
      at = parent
    }
    this.set(at, value, row, place)
  }

  private sink(value: number, row: number, place: number): void {
    const { values, rows, held } = this
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= held) break
      if (child + 1 < held && ahead(values[child]!, rows[child]!, values[child + 1]!, rows[child + 1]!)) child++
      if (!ahead(value, row, values[child]!, rows[child]!)) break
      this.set(at, values[child]!, rows[child]!, this.places[child]!)
      at = child
    }
    this.set(at, value, row, place)
  }
}

function ahead(value: number, row: number, other: number, otherRow: number): boolean {
  if (value === other) return row < otherRow
  if (Number.isNaN(other)) return Number.isNaN(value) ? row < otherRow : true
  return value > other
}
