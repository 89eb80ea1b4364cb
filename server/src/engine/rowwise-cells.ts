import type { ColumnData } from '../data/tables.ts'
import type { Json } from '../protocol/results.ts'

/**
 * Values of an expression for all rows of a table, or one for all of them, with SQL's NULL and three-valued logic; and the few operations that a
 * complaint's conditions are made of. Each O(rows), or O(1) where one value stands for all.
 */
export type Cells =
  /** NaN is NULL; a number that is none is refused. */
  | { readonly kind: 'number'; readonly at: number | Float64Array; readonly whole?: 'no NULL' }
  /** 2 is NULL. */
  | { readonly kind: 'truth'; readonly at: number | Uint8Array }
  | { readonly kind: 'text'; readonly at: string | null | Codes }
  | { readonly kind: 'null' }
/** −1 is NULL. */
export interface Codes {
  readonly codes: Int32Array
  readonly dictionary: readonly string[]
}

/** What typed arrays do not do as the database does: it is asked instead. */
export class NotRowwise extends Error {}

export const NULL: Cells = { kind: 'null' }
export const UNKNOWN = 2
/** Four truths at a time, a byte each: bit 0 is true, bit 1 is unknown. */
const ONES = 0x01010101

export function cellsOf(data: ColumnData): Cells {
  const { valid } = data
  switch (data.kind) {
    case 'number': {
      for (let i = 0; i < data.values.length; i++) {
        if (Number.isNaN(data.values[i]!) && valid?.[i] !== 0) throw new NotRowwise('a number that is none')
      }
      if (!valid) return { kind: 'number', at: data.values, whole: 'no NULL' }
      return { kind: 'number', at: data.values.map((value, i) => (valid[i] === 0 ? Number.NaN : value)) }
    }
    case 'boolean':
      return { kind: 'truth', at: valid ? data.values.map((value, i) => (valid[i] === 0 ? UNKNOWN : value)) : data.values }
    case 'text':
      return {
        kind: 'text',
        at: { codes: valid ? data.codes.map((c, i) => (valid[i] === 0 ? -1 : c)) : data.codes, dictionary: data.dictionary },
      }
    case 'blob':
      throw new NotRowwise('bytes')
  }
}

export function scalar(value: string | number | boolean | bigint | null): Cells {
  if (value === null) return NULL
  if (typeof value === 'string') return { kind: 'text', at: value }
  if (typeof value === 'boolean') return { kind: 'truth', at: value ? 1 : 0 }
  return { kind: 'number', at: Number(value) }
}

export const bytesOf = (cells: Cells): number => {
  if (cells.kind === 'null' || typeof cells.at !== 'object' || cells.at === null) return 16
  if (cells.kind !== 'text') return (cells.at as Float64Array | Uint8Array).byteLength
  const { codes, dictionary } = cells.at as Codes
  return codes.byteLength + dictionary.reduce((sum, word) => sum + 2 * word.length + 16, 0)
}

export function isVector(cells: Cells): boolean {
  return cells.kind !== 'null' && typeof cells.at === 'object' && cells.at !== null
}

export function jsonOf(cells: Cells, row: number): Json {
  if (cells.kind === 'null') return null
  if (cells.kind === 'text')
    return typeof cells.at === 'object' && cells.at ? (cells.at.dictionary[cells.at.codes[row]!] ?? null) : cells.at
  const value = typeof cells.at === 'number' ? cells.at : cells.at[row]!
  if (cells.kind === 'truth') return value === UNKNOWN ? null : value === 1
  return Number.isFinite(value) ? value : null
}

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

export function compare(op: Comparison, left: Cells, right: Cells): Cells {
  if (left.kind === 'null' || right.kind === 'null') return { kind: 'truth', at: UNKNOWN }
  if (left.kind !== right.kind) throw new NotRowwise(`${left.kind} compared with ${right.kind}`)
  if (left.kind === 'text' && right.kind === 'text') {
    if (op !== '=' && op !== '<>') throw new NotRowwise('an order of texts')
    return { kind: 'truth', at: sameText(left.at, right.at, op === '=' ? 1 : 0) }
  }
  if (left.kind === 'text' || right.kind === 'text') throw new NotRowwise('texts and others')
  const [a, b] = [left, right].map((side) => (side.kind === 'truth' ? numbersOfTruth(side.at) : side.at)) as [
    number | Float64Array,
    number | Float64Array,
  ]
  if (typeof a === 'number' && typeof b === 'number') return { kind: 'truth', at: judged(op, a, b) }
  if (typeof a === 'number' && (op === '=' || op === '<>')) return compare(op, right, left)
  const length = typeof a === 'number' ? (b as Float64Array).length : a.length
  const out = new Uint8Array(length)
  if (typeof a !== 'number' && typeof b === 'number' && !Number.isNaN(b)) {
    if (left.kind === 'number' && left.whole) compareWhole(op, a, b, out)
    else compareAll(op, a, b, out)
  } else if (typeof a === 'number') for (let i = 0; i < length; i++) out[i] = judged(op, a, (b as Float64Array)[i]!)
  else for (let i = 0; i < length; i++) out[i] = judged(op, a[i]!, typeof b === 'number' ? b : b[i]!)
  return { kind: 'truth', at: out }
}

/** Where there is no NULL, half of the comparisons are the opposite of the others; four rows at a time. */
function compareWhole(op: Comparison, a: Float64Array, b: number, out: Uint8Array): void {
  const fours = new Int32Array(out.buffer, 0, a.length >> 2)
  const flip = op === '<>' || op === '>=' || op === '>' ? ONES : 0
  if (op === '=' || op === '<>') {
    for (let four = 0, i = 0; four < fours.length; four++, i += 4) {
      const low = Number(a[i]! === b) | (Number(a[i + 1]! === b) << 8)
      const high = Number(a[i + 2]! === b) | (Number(a[i + 3]! === b) << 8)
      fours[four] = (low | (high << 16)) ^ flip
    }
  } else if (op === '<' || op === '>=') {
    for (let four = 0, i = 0; four < fours.length; four++, i += 4) {
      const low = Number(a[i]! < b) | (Number(a[i + 1]! < b) << 8)
      const high = Number(a[i + 2]! < b) | (Number(a[i + 3]! < b) << 8)
      fours[four] = (low | (high << 16)) ^ flip
    }
  } else {
    for (let four = 0, i = 0; four < fours.length; four++, i += 4) {
      const low = Number(a[i]! <= b) | (Number(a[i + 1]! <= b) << 8)
      const high = Number(a[i + 2]! <= b) | (Number(a[i + 3]! <= b) << 8)
      fours[four] = (low | (high << 16)) ^ flip
    }
  }
  for (let i = 4 * fours.length; i < a.length; i++) out[i] = judged(op, a[i]!, b)
}

/** Without a branch: which rows hold is hard to predict. NaN compares as false, and is marked beside. */
function compareAll(op: Comparison, a: Float64Array, b: number, out: Uint8Array): void {
  const { length } = a
  switch (op) {
    case '=':
      for (let i = 0; i < length; i++) out[i] = Number(a[i]! === b) + UNKNOWN * Number(Number.isNaN(a[i]!))
      return
    case '<>':
      for (let i = 0; i < length; i++) out[i] = Number(a[i]! !== b) + Number(Number.isNaN(a[i]!))
      return
    case '<':
      for (let i = 0; i < length; i++) out[i] = Number(a[i]! < b) + UNKNOWN * Number(Number.isNaN(a[i]!))
      return
    case '<=':
      for (let i = 0; i < length; i++) out[i] = Number(a[i]! <= b) + UNKNOWN * Number(Number.isNaN(a[i]!))
      return
    case '>':
      for (let i = 0; i < length; i++) out[i] = Number(a[i]! > b) + UNKNOWN * Number(Number.isNaN(a[i]!))
      return
    case '>=':
      for (let i = 0; i < length; i++) out[i] = Number(a[i]! >= b) + UNKNOWN * Number(Number.isNaN(a[i]!))
  }
}

function judged(op: Comparison, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return UNKNOWN
  switch (op) {
    case '=':
      return a === b ? 1 : 0
    case '<>':
      return a !== b ? 1 : 0
    case '<':
      return a < b ? 1 : 0
    case '<=':
      return a <= b ? 1 : 0
    case '>':
      return a > b ? 1 : 0
    case '>=':
      return a >= b ? 1 : 0
  }
}

const numbersOfTruth = (at: number | Uint8Array): number | Float64Array =>
  typeof at === 'number' ? numberOfTruth(at) : Float64Array.from(at, numberOfTruth)
const numberOfTruth = (value: number): number => (value === UNKNOWN ? Number.NaN : value)

function sameText(left: string | null | Codes, right: string | null | Codes, yes: number): number | Uint8Array {
  if (left === null || right === null) return UNKNOWN
  if (typeof left === 'string' && typeof right === 'string') return left === right ? yes : 1 - yes
  if (typeof left === 'string') return sameText(right, left, yes)
  const { codes, dictionary } = left
  const out = new Uint8Array(codes.length)
  if (typeof right === 'string') {
    const wanted = dictionary.indexOf(right)
    for (let i = 0; i < codes.length; i++) out[i] = codes[i]! < 0 ? UNKNOWN : codes[i] === wanted ? yes : 1 - yes
    return out
  }
  const places = new Map(right.dictionary.map((word, code) => [word, code]))
  const turned = dictionary.map((word) => places.get(word) ?? -2)
  for (let i = 0; i < codes.length; i++) {
    const [a, b] = [codes[i]!, right.codes[i]!]
    out[i] = a < 0 || b < 0 ? UNKNOWN : turned[a] === b ? yes : 1 - yes
  }
  return out
}

export function truthOf(cells: Cells): number | Uint8Array {
  if (cells.kind === 'null') return UNKNOWN
  if (cells.kind !== 'truth') throw new NotRowwise(`${cells.kind} as a condition`)
  return cells.at
}

export function both(left: number | Uint8Array, right: number | Uint8Array): number | Uint8Array {
  if (typeof left === 'number')
    return left === 0 ? 0 : left === 1 ? right : typeof right === 'number' ? meet(left, right) : mapped(right, left, meet)
  if (typeof right === 'number') return both(right, left)
  return meetAll(left, right)
}

export function either(left: number | Uint8Array, right: number | Uint8Array): number | Uint8Array {
  if (typeof left === 'number')
    return left === 1 ? 1 : left === 0 ? right : typeof right === 'number' ? join(left, right) : mapped(right, left, join)
  if (typeof right === 'number') return either(right, left)
  return joinAll(left, right)
}

const meet = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a === 1 && b === 1 ? 1 : UNKNOWN)
const join = (a: number, b: number): number => (a === 1 || b === 1 ? 1 : a === 0 && b === 0 ? 0 : UNKNOWN)

function mapped(values: Uint8Array, other: number, by: (a: number, b: number) => number): Uint8Array {
  const table = [by(0, other), by(1, other), by(2, other)]
  const out = new Uint8Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = table[values[i]!]!
  return out
}

/** Four rows at a time; those that are left over, or all where the bytes do not lie by fours, one by one. */
function meetAll(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length)
  const [left, right, fours] = [inFours(a, b), inFours(b, a), inFours(out, a.byteOffset % 4 === 0 ? b : a)] as const
  for (let i = 0; i < fours.length; i++) {
    const x = left[i]!
    const y = right[i]!
    const one = x & y & ONES
    fours[i] = one | (((x | (x >>> 1)) & (y | (y >>> 1)) & ~one & ONES) << 1)
  }
  for (let i = 4 * fours.length; i < out.length; i++) out[i] = meet(a[i]!, b[i]!)
  return out
}

function joinAll(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length)
  const [left, right, fours] = [inFours(a, b), inFours(b, a), inFours(out, a.byteOffset % 4 === 0 ? b : a)] as const
  for (let i = 0; i < fours.length; i++) {
    const x = left[i]!
    const y = right[i]!
    const one = (x | y) & ONES
    fours[i] = one | ((((x | y) >>> 1) & ~one & ONES) << 1)
  }
  for (let i = 4 * fours.length; i < out.length; i++) out[i] = join(a[i]!, b[i]!)
  return out
}

/** Empty where either does not begin at a multiple of four. */
function inFours(bytes: Uint8Array, other: Uint8Array): Int32Array {
  return bytes.byteOffset % 4 === 0 && other.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    : new Int32Array(0)
}

export function negated(truth: number | Uint8Array): number | Uint8Array {
  const turned = [1, 0, UNKNOWN]
  if (typeof truth === 'number') return turned[truth]!
  const out = new Uint8Array(truth.length)
  for (let i = 0; i < out.length; i++) out[i] = turned[truth[i]!]!
  return out
}

export function isNull(cells: Cells): number | Uint8Array {
  if (cells.kind === 'null') return 1
  const { at } = cells
  if (at === null) return 1
  if (typeof at === 'string') return 0
  if (typeof at === 'number') return cells.kind === 'truth' ? (at === UNKNOWN ? 1 : 0) : Number.isNaN(at) ? 1 : 0
  if (cells.kind === 'text') return marked((at as Codes).codes, (code) => code < 0)
  if (cells.kind === 'truth') return marked(at as Uint8Array, (value) => value === UNKNOWN)
  const numbers = at as Float64Array
  const out = new Uint8Array(numbers.length)
  for (let i = 0; i < out.length; i++) out[i] = Number.isNaN(numbers[i]!) ? 1 : 0
  return out
}

function marked(values: Int32Array | Uint8Array, by: (value: number) => boolean): Uint8Array {
  const out = new Uint8Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = by(values[i]!) ? 1 : 0
  return out
}

/** The first that is not NULL, of two. */
export function firstOf(cells: Cells, otherwise: Cells): Cells {
  if (cells.kind !== 'number' || typeof cells.at === 'number' || otherwise.kind !== 'number' || typeof otherwise.at !== 'number')
    return chosenBy(negated(isNull(cells)), cells, otherwise)
  const { at } = cells
  let i = 0
  while (i < at.length && !Number.isNaN(at[i]!)) i++
  if (i === at.length) return cells
  const out = at.slice()
  for (; i < out.length; i++) if (Number.isNaN(out[i]!)) out[i] = otherwise.at
  return { kind: 'number', at: out }
}

/** As DOUBLE. */
export function numberOf(cells: Cells): number | Float64Array {
  if (cells.kind === 'null') return Number.NaN
  if (cells.kind === 'text') throw new NotRowwise('a text as a number')
  return cells.kind === 'number' ? cells.at : numbersOfTruth(cells.at)
}

/** For each row `then` where the condition is true, `otherwise` where it is not, or is not known. */
export function chosenBy(condition: number | Uint8Array, then: Cells, otherwise: Cells): Cells {
  if (typeof condition === 'number') return condition === 1 ? then : otherwise
  const kind = then.kind === 'null' ? otherwise.kind : then.kind
  if (kind === 'null') return NULL
  if (otherwise.kind !== 'null' && otherwise.kind !== kind) throw new NotRowwise('a choice among values of several kinds')
  if (kind === 'text') return { kind, at: chosenText(condition, then, otherwise) }
  if (kind === 'truth') {
    const [a, b] = [truthOf(then), truthOf(otherwise)]
    return { kind, at: condition.map((c, i) => (c === 1 ? (typeof a === 'number' ? a : a[i]!) : typeof b === 'number' ? b : b[i]!)) }
  }
  const [a, b] = [numberOf(then), numberOf(otherwise)]
  const out = new Float64Array(condition.length)
  for (let i = 0; i < out.length; i++) {
    out[i] = condition[i] === 1 ? (typeof a === 'number' ? a : a[i]!) : typeof b === 'number' ? b : b[i]!
  }
  return { kind: 'number', at: out }
}

function chosenText(condition: Uint8Array, then: Cells, otherwise: Cells): Codes {
  const dictionary: string[] = []
  const places = new Map<string, number>()
  const place = (word: string): number => {
    const known = places.get(word)
    if (known !== undefined) return known
    places.set(word, dictionary.length)
    return dictionary.push(word) - 1
  }
  const coded = (side: Cells): ((row: number) => number) => {
    if (side.kind !== 'text' || side.at === null) return () => -1
    if (typeof side.at === 'string') {
      const code = place(side.at)
      return () => code
    }
    const { codes } = side.at
    const turned = side.at.dictionary.map(place)
    return (row) => turned[codes[row]!] ?? -1
  }
  const [a, b] = [coded(then), coded(otherwise)]
  return { codes: Int32Array.from(condition, (c, i) => (c === 1 ? a(i) : b(i))), dictionary }
}

/** NULL where an operand is; what is not finite is the database's to say. */
export function computed(by: (...operands: number[]) => number, operands: readonly (number | Float64Array)[]): Cells {
  const length = operands.reduce<number>((longest, o) => (typeof o === 'number' ? longest : o.length), -1)
  const [a, b] = operands
  const one = (x: number, y: number): number => {
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
    const value = by(x, y)
    if (!Number.isFinite(value)) throw new NotRowwise('a value that is not finite')
    return value
  }
  const at = (o: number | Float64Array | undefined, i: number): number => (o === undefined ? 0 : typeof o === 'number' ? o : o[i]!)
  if (length < 0) return { kind: 'number', at: one(at(a, 0), at(b, 0)) }
  const out = new Float64Array(length)
  for (let i = 0; i < length; i++) out[i] = one(at(a, i), at(b, i))
  return { kind: 'number', at: out }
}

/** The largest or the least of what is not NULL, as `greatest` and `least`. */
export function extreme(by: (a: number, b: number) => number, operands: readonly (number | Float64Array)[]): Cells {
  const length = operands.reduce<number>((longest, o) => (typeof o === 'number' ? longest : o.length), -1)
  const of = (i: number): number => {
    let found = Number.NaN
    for (const o of operands) {
      const value = typeof o === 'number' ? o : o[i]!
      if (!Number.isNaN(value)) found = Number.isNaN(found) ? value : by(found, value)
    }
    return found
  }
  return { kind: 'number', at: length < 0 ? of(0) : Float64Array.from({ length }, (_, i) => of(i)) }
}
