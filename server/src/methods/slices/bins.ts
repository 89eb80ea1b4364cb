/** One value of a coded column, as people read it and as a condition can say it. */
export type Value =
  | { readonly kind: 'range'; readonly low: Bound; readonly high: Bound; readonly closed: boolean }
  | { readonly kind: 'below'; readonly high: Bound }
  | { readonly kind: 'above'; readonly low: Bound }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }

/** A number, or a date or time as ISO 8601 text. */
export type Bound = number | string

/** A column as `findSlices` takes it; values[code − 1] says what a code stands for. */
export interface Coded {
  readonly codes: Int32Array
  readonly values: readonly Value[]
}

/**
 * The edges of `nBins` bins of equal weight: quantile_disc at 0, 1/nBins, …, 1 (the value of rank ⌈i·n/nBins⌉, so always a value that
 * occurs), equal ones merged. NaN counts as missing; no edges if nothing is left. O(n log n).
 */
export function quantileEdges(numbers: ArrayLike<number>, nBins: number): Float64Array {
  if (!(Number.isInteger(nBins) && nBins >= 1)) throw new RangeError(`${nBins} bins; ask for a whole number of bins, at least 1`)
  const sorted = Float64Array.from(numbers).filter((value) => !Number.isNaN(value))
  sorted.sort()
  if (sorted.length === 0) return sorted
  const edges = Array.from({ length: nBins + 1 }, (_, i) => sorted[Math.max(1, Math.ceil((i * sorted.length) / nBins)) - 1]!)
  return Float64Array.from(edges.filter((edge, i) => i === 0 || edge !== edges[i - 1]))
}

/**
 * Codes numbers by edges: bin i is [edgeᵢ, edgeᵢ₊₁), the last one closed; one edge alone makes the bin of just that value. Numbers outside
 * (edges given by hand, or taken from other rows) get a code of their own, and so does NaN, which stands for NULL. Only codes that
 * occur are listed, in the order below, bins, above, null. O(n log edges).
 */
export function codeNumbers(numbers: ArrayLike<number>, edges: ArrayLike<number>): Coded {
  const nBins = Math.max(0, edges.length - 1 || edges.length)
  const slots = new Int32Array(numbers.length)
  const used = new Uint8Array(nBins + 3)
  for (let row = 0; row < slots.length; row++) {
    slots[row] = slotOf(numbers[row]!, edges, nBins)
    used[slots[row]!] = 1
  }
  const values: Value[] = []
  const codeOf = new Int32Array(nBins + 3)
  for (let slot = 0; slot < used.length; slot++) if (used[slot] === 1) codeOf[slot] = values.push(valueAt(slot, edges, nBins))
  return { codes: slots.map((slot) => codeOf[slot]!), values }
}

/** Codes categories in ascending order of their text; `undefined` stands for NULL, a value of its own, last. */
export function codeTexts(texts: readonly (string | undefined)[]): Coded {
  const distinct = [...new Set(texts)].filter((text) => text !== undefined).sort(byCodeUnits)
  const codeOf = new Map(distinct.map((text, i) => [text, i + 1]))
  const values: Value[] = distinct.map((text) => ({ kind: 'text', text }))
  if (texts.includes(undefined)) values.push({ kind: 'null' })
  return { codes: Int32Array.from(texts, (text) => (text === undefined ? values.length : codeOf.get(text)!)), values }
}

/** `[25, 32)`, `[60, 90]`, `< 25`, `> 90`, `Divorced`, `null`. */
export function valueText(value: Value): string {
  switch (value.kind) {
    case 'range':
      return `[${value.low}, ${value.high}${value.closed ? ']' : ')'}`
    case 'below':
      return `< ${value.high}`
    case 'above':
      return `> ${value.low}`
    case 'text':
      return value.text
    case 'number':
    case 'boolean':
      return String(value.value)
    case 'null':
      return 'null'
  }
}

/** The same as a condition on a column, ready to paste into a `where`: `age >= 25 and age < 32`. */
export function valueCondition(column: string, value: Value): string {
  switch (value.kind) {
    case 'range':
      if (value.low === value.high) return `${column} = ${literal(value.low)}`
      return `${column} >= ${literal(value.low)} and ${column} ${value.closed ? '<=' : '<'} ${literal(value.high)}`
    case 'below':
      return `${column} < ${literal(value.high)}`
    case 'above':
      return `${column} > ${literal(value.low)}`
    case 'text':
      return `${column} = ${literal(value.text)}`
    case 'number':
      return `${column} = ${literal(value.value)}`
    case 'boolean':
      return value.value ? column : `not ${column}`
    case 'null':
      return `${column} is null`
  }
}

function literal(value: Bound): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  return Number.isFinite(value) ? String(value) : `cast('${value}' as double)`
}

/** 0 below, 1 … nBins the bins, nBins + 1 above, nBins + 2 NULL. */
function slotOf(value: number, edges: ArrayLike<number>, nBins: number): number {
  if (Number.isNaN(value) || nBins === 0) return nBins + 2
  if (value < edges[0]!) return 0
  const last = edges[edges.length - 1]!
  if (value > last) return nBins + 1
  if (value === last) return nBins
  let low = 0
  let high = edges.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (edges[middle]! <= value) low = middle
    else high = middle
  }
  return low + 1
}

function valueAt(slot: number, edges: ArrayLike<number>, nBins: number): Value {
  if (slot === nBins + 2) return { kind: 'null' }
  if (slot === 0) return { kind: 'below', high: edges[0]! }
  if (slot === nBins + 1) return { kind: 'above', low: edges[edges.length - 1]! }
  return { kind: 'range', low: edges[slot - 1]!, high: edges[Math.min(slot, edges.length - 1)]!, closed: slot === nBins }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
