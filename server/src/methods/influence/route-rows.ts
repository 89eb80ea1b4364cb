/**
 * Buckets for more rows than fit into memory: small groups share one, a large one is halved at medians of a sample until each bucket should fit. Rows are
 * then sent to their bucket one by one, in any order, and put into blocks bucket by bucket (`partitionRows`).
 */
export interface RowsToRoute {
  readonly k: number
  /** Some of the rows, rows × k, and the group of each. */
  readonly sample: Float32Array
  readonly sampleGroups: Int32Array
  /** How many rows each group really has. */
  readonly counts: ReadonlyMap<number, number>
  /** Rows in a bucket, about. */
  readonly most: number
}

export interface Routing {
  readonly buckets: number
  /** Of the row whose k numbers begin at `at`. Not a number counts as the smallest. */
  readonly bucketOf: (b: Float32Array, at: number, group: number) => number
}

type Node = { readonly bucket: number } | { readonly axis: number; readonly middle: number; readonly left: Node; readonly right: Node }

/** O(k·s·log(n/most)) operations for s sampled rows; log(n/most) to send a row. */
export function routeRows({ k, sample, sampleGroups, counts, most }: RowsToRoute): Routing {
  const roots = new Map<number, Node>()
  const sampled = new Map<number, number[]>()
  for (const [row, group] of sampleGroups.entries()) {
    const rows = sampled.get(group)
    if (rows) rows.push(row)
    else sampled.set(group, [row])
  }
  let buckets = 0
  let shared: { bucket: number; rows: number } | undefined
  for (const [group, count] of [...counts].sort((one, other) => one[0] - other[0])) {
    if (count > most) {
      roots.set(
        group,
        tree(Int32Array.from(sampled.get(group) ?? []), count, () => buckets++),
      )
      continue
    }
    if (!shared || shared.rows + count > most) shared = { bucket: buckets++, rows: 0 }
    shared.rows += count
    roots.set(group, { bucket: shared.bucket })
  }

  function tree(rows: Int32Array, expected: number, fresh: () => number): Node {
    if (expected <= most || rows.length < 2) return { bucket: fresh() }
    const axis = widest(sample, k, rows)
    if (axis < 0) return { bucket: fresh() }
    const values = Float32Array.from(rows, (row) => sample[row * k + axis]!)
      .filter(Number.isFinite)
      .sort()
    const highest = values.at(-1)!
    // Below the greatest value, so that both halves have rows.
    const median = values[(values.length - 1) >> 1]!
    const middle = median < highest ? median : values[lowest(values, highest) - 1]!
    const left = rows.filter((row) => !(sample[row * k + axis]! > middle))
    const right = rows.filter((row) => sample[row * k + axis]! > middle)
    const share = left.length / rows.length
    return { axis, middle, left: tree(left, expected * share, fresh), right: tree(right, expected * (1 - share), fresh) }
  }

  return {
    buckets,
    bucketOf: (b, at, group) => {
      let node = roots.get(group)
      if (!node) throw new RangeError(`Group ${group} was not counted.`)
      while ('axis' in node) node = b[at + node.axis]! > node.middle ? node.right : node.left
      return node.bucket
    },
  }
}

/** The axis of the greatest variance among numbers, −1 where all rows are the same. */
function widest(b: Float32Array, k: number, rows: Int32Array): number {
  let axis = -1
  let greatest = 0
  for (let l = 0; l < k; l++) {
    let [sum, squares, count] = [0, 0, 0]
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const row of rows) {
      const value = b[row * k + l]!
      if (!Number.isFinite(value)) continue
      sum += value
      squares += value * value
      count++
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    if (!(low < high)) continue
    const spread = Math.max(squares / count - (sum / count) ** 2, Number.MIN_VALUE)
    if (spread > greatest) {
      greatest = spread
      axis = l
    }
  }
  return axis
}

/** The first place of a value in a rising list that holds it. */
function lowest(rising: Float32Array, value: number): number {
  let at = rising.length - 1
  while (at > 0 && rising[at - 1] === value) at--
  return at
}
