/**
 * Puts rows that lie close together into blocks: rows of a group first (influences of rows with the same label and the same alternative point the same way),
 * then halved at the middle of the axis along which they spread most, in units of the axis's root mean square: on MNIST a query then reads a third of
 * what halving at the median leaves, for the few large rows end up apart from the many small ones.
 */
export interface RowsToPartition {
  readonly k: number
  /** Rows × k. */
  readonly b: Float32Array
  readonly groups: Int32Array
  /** Rows in a block at most. Neighbours are joined while they are a quarter of it together. */
  readonly most: number
}

export interface Partition {
  /** Positions of rows, block after block, rising within each. */
  readonly order: Int32Array
  readonly counts: Int32Array
  /** −1 where a block's rows are of several groups. */
  readonly groups: Int32Array
}

export interface Box {
  readonly low: Float32Array
  readonly high: Float32Array
}

/** O(k·n·log(n/most)) operations as a rule, and k·n times twice that logarithm at most; 4 bytes a row beside what is given. */
export function partitionRows({ k, b, groups, most }: RowsToPartition): Partition {
  const n = groups.length
  const order = new Int32Array(n)
  const { starts, labels } = byGroup(b, k, groups, order)
  const scale = scales(b, k, n)
  const leaves: Leaf[] = []
  for (let g = 0; g < labels.length; g++) {
    const whole = { start: starts[g]!, end: starts[g + 1]!, group: labels[g]! }
    if (whole.group === ODD) cut(whole, most, leaves)
    else halve({ k, b, most, scale }, order, whole, leaves)
  }
  const blocks = joined(leaves, Math.max(1, most >> 2))
  for (const { start, end } of blocks) order.subarray(start, end).sort()
  return {
    order,
    counts: Int32Array.from(blocks, ({ start, end }) => end - start),
    groups: Int32Array.from(blocks, ({ group }) => (group === ODD ? -1 : group)),
  }
}

/** Of some rows, given row by row: NaN throughout where one of them is not finite. */
export function boxOf(b: Float32Array, k: number, rows: Int32Array): Box {
  const low = new Float32Array(k).fill(Number.POSITIVE_INFINITY)
  const high = new Float32Array(k).fill(Number.NEGATIVE_INFINITY)
  for (const row of rows) {
    if (!allFinite(b, row * k, k)) return { low: low.fill(Number.NaN), high: high.fill(Number.NaN) }
    for (let l = 0, at = row * k; l < k; l++, at++) {
      const value = b[at]!
      if (value < low[l]!) low[l] = value
      if (value > high[l]!) high[l] = value
    }
  }
  return { low, high }
}

interface Leaf {
  readonly start: number
  readonly end: number
  readonly group: number
}

/** Rows that are not finite: apart, for of a block with one of them nothing is known. */
const ODD = -2

function byGroup(b: Float32Array, k: number, groups: Int32Array, order: Int32Array): { starts: Int32Array; labels: Int32Array } {
  const counts = new Map<number, number>()
  const label = Int32Array.from(groups, (group, row) => (allFinite(b, row * k, k) ? group : ODD))
  for (const group of label) counts.set(group, (counts.get(group) ?? 0) + 1)
  const labels = Int32Array.from(counts.keys()).sort()
  const starts = new Int32Array(labels.length + 1)
  const next = new Map<number, number>()
  for (const [g, name] of labels.entries()) {
    next.set(name, starts[g]!)
    starts[g + 1] = starts[g]! + counts.get(name)!
  }
  for (let row = 0; row < label.length; row++) {
    const at = next.get(label[row]!)!
    order[at] = row
    next.set(label[row]!, at + 1)
  }
  return { starts, labels }
}

/** 1 over the root mean square of each coordinate; 0 where it has none. */
function scales(b: Float32Array, k: number, n: number): Float64Array {
  const squares = new Float64Array(k)
  for (let row = 0; row < n; row++) {
    if (!allFinite(b, row * k, k)) continue
    for (let l = 0, at = row * k; l < k; l++, at++) squares[l]! += b[at]! ** 2
  }
  return squares.map((square) => (square > 0 ? Math.sqrt(n / square) : 0))
}

interface Space {
  readonly k: number
  readonly b: Float32Array
  readonly most: number
  readonly scale: Float64Array
}

function halve(space: Space, order: Int32Array, whole: Leaf, leaves: Leaf[]): void {
  const { k, b, most, scale } = space
  // Halving at the middle can take one row at a time: deeper than this, what is left is cut as it lies along its widest axis.
  const deepest = 16 + 2 * Math.ceil(Math.log2((whole.end - whole.start) / most + 1))
  const low = new Float64Array(k)
  const high = new Float64Array(k)
  const pending = [{ ...whole, depth: 0 }]
  for (let part = pending.pop(); part; part = pending.pop()) {
    const { start, end, group, depth } = part
    if (end - start <= most) {
      leaves.push(part)
      continue
    }
    extent(b, k, order, start, end, low, high)
    let axis = -1
    let widest = 0
    for (let l = 0; l < k; l++) {
      const width = (high[l]! - low[l]!) * scale[l]!
      if (width > widest) {
        widest = width
        axis = l
      }
    }
    if (axis < 0 || depth >= deepest) {
      if (axis >= 0) order.subarray(start, end).sort((x, y) => b[x * k + axis]! - b[y * k + axis]!)
      cut(part, most, leaves)
      continue
    }
    const middle = (low[axis]! + high[axis]!) / 2
    let i = start
    let j = end - 1
    while (i <= j) {
      if (b[order[i]! * k + axis]! <= middle) {
        i++
        continue
      }
      const row = order[i]!
      order[i] = order[j]!
      order[j--] = row
    }
    // The left part comes first, so that neighbours in space are neighbours in the file.
    pending.push({ start: i, end, group, depth: depth + 1 }, { start, end: i, group, depth: depth + 1 })
  }
}

function extent(b: Float32Array, k: number, order: Int32Array, start: number, end: number, low: Float64Array, high: Float64Array): void {
  low.fill(Number.POSITIVE_INFINITY)
  high.fill(Number.NEGATIVE_INFINITY)
  for (let i = start; i < end; i++) {
    for (let l = 0, at = order[i]! * k; l < k; l++, at++) {
      const value = b[at]!
      if (value < low[l]!) low[l] = value
      if (value > high[l]!) high[l] = value
    }
  }
}

function cut({ start, end, group }: Leaf, most: number, leaves: Leaf[]): void {
  for (let at = start; at < end; at += most) leaves.push({ start: at, end: Math.min(end, at + most), group })
}

/** Without this a box could take more room than its rows. */
function joined(leaves: readonly Leaf[], enough: number): Leaf[] {
  const blocks: Leaf[] = []
  for (const leaf of leaves) {
    const last = blocks.at(-1)
    const together = last && last.group !== ODD && leaf.group !== ODD && leaf.end - last.start <= enough
    if (!together) blocks.push(leaf)
    else blocks[blocks.length - 1] = { start: last.start, end: leaf.end, group: last.group === leaf.group ? leaf.group : -1 }
  }
  return blocks
}

function allFinite(b: Float32Array, at: number, k: number): boolean {
  for (let i = at; i < at + k; i++) if (!Number.isFinite(b[i]!)) return false
  return true
}
