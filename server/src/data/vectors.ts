import type { ColumnData } from './tables.ts'
import { TextDictionary } from './text-dictionary.ts'

/**
 * From the database's vectors to typed arrays, without an object per row. A vector arrives as its raw bytes in little-endian order: fixed
 * widths side by side, text and blobs as 16-byte records (length, then the bytes themselves up to 12, else 4 bytes of prefix and a pointer).
 */
export interface RawVector {
  readonly rows: number
  readonly data: Uint8Array
  /** One bit a row, least significant first; absent: no NULLs. */
  readonly validity?: Uint8Array
  /** Of lists: their elements, one list behind the other. */
  readonly child?: RawVector
}

/** Reads `bytes` bytes from the pointer stored at `offset` of `records`. */
export type ReadPointer = (records: Uint8Array, offset: number, bytes: number) => Uint8Array

export type VectorLayout =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bytes: 1 | 2 | 4 | 8 | 16; readonly signed: boolean }
  | { readonly kind: 'decimal'; readonly bytes: 2 | 4 | 8 | 16; readonly scale: number }
  | { readonly kind: 'float'; readonly bytes: 4 | 8 }
  | { readonly kind: 'text' }
  | { readonly kind: 'blob' }
  /** A list of 32-bit floats: 16-byte entries (offset, length) into the elements. */
  | { readonly kind: 'floats' }

/** How the values of a type lie in memory; undefined: the type is asked for as text. */
export function layoutOf(sqlType: string): VectorLayout | undefined {
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(sqlType)
  if (decimal) {
    const width = Number(decimal[1])
    const scale = Number(decimal[2])
    const bytes = width <= 4 ? 2 : width <= 9 ? 4 : width <= 18 ? 8 : 16
    return scale === 0 ? { kind: 'integer', bytes, signed: true } : { kind: 'decimal', bytes, scale }
  }
  const bytes = INTEGER_BYTES[sqlType.replace(/^U/, '')]
  if (bytes !== undefined) return { kind: 'integer', bytes, signed: !sqlType.startsWith('U') }
  switch (sqlType) {
    case 'BOOLEAN':
      return { kind: 'boolean' }
    case 'FLOAT':
      return { kind: 'float', bytes: 4 }
    case 'DOUBLE':
      return { kind: 'float', bytes: 8 }
    case 'VARCHAR':
      return { kind: 'text' }
    case 'BLOB':
      return { kind: 'blob' }
    default:
      return undefined
  }
}

const INTEGER_BYTES: Readonly<Record<string, 1 | 2 | 4 | 8 | 16>> = { TINYINT: 1, SMALLINT: 2, INTEGER: 4, BIGINT: 8, HUGEINT: 16 }

export interface Collector {
  /** O(rows), amortised. */
  add(vector: RawVector): void
  finish(): ColumnData
}

export function collect(layout: VectorLayout, read: ReadPointer): Collector {
  switch (layout.kind) {
    case 'boolean':
      return new BooleanCollector()
    case 'text':
      return new TextCollector(read)
    case 'blob':
      return new BlobCollector(read)
    case 'floats':
      return new FloatsCollector()
    default:
      return new NumberCollector(layout, read)
  }
}

/** Bytes of one row of the vector. */
export function widthOf(layout: VectorLayout): number {
  if (layout.kind === 'boolean') return 1
  return layout.kind === 'text' || layout.kind === 'blob' || layout.kind === 'floats' ? 16 : layout.bytes
}

/** Marks of NULL that cost nothing until the first one comes. */
class Validity {
  #valid: Uint8Array | undefined
  #rows = 0

  add({ rows, validity }: RawVector): void {
    const start = this.#rows
    this.#rows += rows
    if (!validity || !hasNull(validity, rows)) {
      if (this.#valid) this.#reserve().fill(1, start, this.#rows)
      return
    }
    this.#valid ??= new Uint8Array(Math.max(this.#rows, 2048)).fill(1, 0, start)
    const valid = this.#reserve()
    for (let i = 0; i < rows; i++) valid[start + i] = (validity[i >> 3]! >> (i & 7)) & 1
  }

  finish(): Uint8Array | undefined {
    return this.#valid && trim(this.#valid, this.#rows)
  }

  #reserve(): Uint8Array {
    this.#valid = grown(this.#valid!, this.#rows)
    return this.#valid
  }
}

class BooleanCollector implements Collector {
  readonly #validity = new Validity()
  #values = new Uint8Array(2048)
  #rows = 0

  add(vector: RawVector): void {
    this.#values = grown(this.#values, this.#rows + vector.rows)
    for (let i = 0; i < vector.rows; i++) this.#values[this.#rows + i] = vector.data[i] ? 1 : 0
    this.#rows += vector.rows
    this.#validity.add(vector)
  }

  finish(): ColumnData {
    return { kind: 'boolean', values: trim(this.#values, this.#rows), valid: this.#validity.finish() }
  }
}

const SAFE = Number.MAX_SAFE_INTEGER
const TWO_32 = 4294967296

class NumberCollector implements Collector {
  readonly #layout: VectorLayout & { kind: 'integer' | 'decimal' | 'float' }
  readonly #read: ReadPointer
  readonly #validity = new Validity()
  #values = new Float64Array(2048)
  #rows = 0
  /** Takes over when an integer does not fit into a float64. */
  #text: TextCollector | undefined

  constructor(layout: VectorLayout & { kind: 'integer' | 'decimal' | 'float' }, read: ReadPointer) {
    this.#layout = layout
    this.#read = read
  }

  add(vector: RawVector): void {
    if (this.#text) {
      this.#text.addTexts(integerTexts(vector, this.#layout))
      return
    }
    const values = (this.#values = grown(this.#values, this.#rows + vector.rows))
    const exact = this.#copy(vector, values.subarray(this.#rows, this.#rows + vector.rows))
    if (!exact) {
      const valid = this.#validity.finish()
      this.#text = new TextCollector(this.#read)
      this.#text.addTexts(Array.from(values.subarray(0, this.#rows), (value, i) => (valid?.[i] === 0 ? undefined : String(value))))
      this.#text.addTexts(integerTexts(vector, this.#layout))
      return
    }
    this.#rows += vector.rows
    this.#validity.add(vector)
  }

  finish(): ColumnData {
    if (this.#text) return this.#text.finish()
    const integer = this.#layout.kind === 'integer' || (this.#layout.kind === 'decimal' && this.#layout.scale === 0)
    return { kind: 'number', values: trim(this.#values, this.#rows), valid: this.#validity.finish(), integer }
  }

  /** False where an integer is too large for a float64. NULLs hold anything and become 0. */
  #copy(vector: RawVector, out: Float64Array): boolean {
    const layout = this.#layout
    const { rows, validity } = vector
    const nulls = validity && hasNull(validity, rows) ? validity : undefined
    if (layout.kind === 'float') out.set(layout.bytes === 8 ? view(Float64Array, vector.data, rows) : view(Float32Array, vector.data, rows))
    else if (layout.bytes < 8) {
      out.set(smallValues(layout, vector))
      if (layout.kind === 'decimal' && layout.scale > 0) {
        const unit = 10 ** layout.scale
        for (let i = 0; i < rows; i++) out[i] = out[i]! / unit
      }
    } else if (layout.kind === 'decimal') copyDecimals(vector, layout.bytes, layout.scale, out)
    else if (!copyWide(vector, layout.bytes === 8 ? 2 : 4, layout.signed, out, nulls)) return false
    if (nulls) for (let i = 0; i < rows; i++) if (!isValid(nulls, i)) out[i] = 0
    return true
  }
}

/** Text is read once per distinct value: the codes of the others come from a hash of their bytes. */
class TextCollector implements Collector {
  readonly #read: ReadPointer
  readonly #dictionary = new TextDictionary()
  readonly #validity = new Validity()
  #codes = new Int32Array(2048)
  #rows = 0

  constructor(read: ReadPointer) {
    this.#read = read
  }

  add(vector: RawVector): void {
    const { rows, data, validity } = vector
    const codes = (this.#codes = grown(this.#codes, this.#rows + rows))
    const records = view(Uint32Array, data, rows * 4)
    const spans = readSpans(vector, records, this.#read)
    for (let i = 0; i < rows; i++) {
      if (validity && !isValid(validity, i)) {
        codes[this.#rows + i] = -1
        continue
      }
      const length = records[i * 4]!
      const span = length <= 12 ? undefined : spans.pieces[spans.piece[i]!]!
      codes[this.#rows + i] = span ? this.#dictionary.code(span, spans.offset[i]!, length) : this.#dictionary.code(data, i * 16 + 4, length)
    }
    this.#rows += rows
    this.#validity.add(vector)
  }

  addTexts(texts: readonly (string | undefined)[]): void {
    const encoder = new TextEncoder()
    const bits = new Uint8Array(Math.ceil(texts.length / 8))
    this.#codes = grown(this.#codes, this.#rows + texts.length)
    texts.forEach((text, i) => {
      if (text === undefined) {
        this.#codes[this.#rows + i] = -1
        return
      }
      const bytes = encoder.encode(text)
      this.#codes[this.#rows + i] = this.#dictionary.code(bytes, 0, bytes.length)
      bits[i >> 3]! |= 1 << (i & 7)
    })
    this.#rows += texts.length
    this.#validity.add({ rows: texts.length, data: bits, validity: bits })
  }

  finish(): ColumnData {
    return { kind: 'text', codes: trim(this.#codes, this.#rows), dictionary: this.#dictionary.texts, valid: this.#validity.finish() }
  }
}

class BlobCollector implements Collector {
  readonly #read: ReadPointer
  readonly #validity = new Validity()
  readonly #values: Uint8Array[] = []

  constructor(read: ReadPointer) {
    this.#read = read
  }

  add(vector: RawVector): void {
    const { rows, data, validity } = vector
    const records = view(Uint32Array, data, rows * 4)
    const spans = readSpans(vector, records, this.#read)
    let total = 0
    for (let i = 0; i < rows; i++) if (!validity || isValid(validity, i)) total += records[i * 4]!
    // One allocation a vector, and neighbouring rows stay neighbours: what reads them all reads memory in order.
    const arena = new Uint8Array(total)
    let end = 0
    for (let i = 0; i < rows; i++) {
      const length = validity && !isValid(validity, i) ? 0 : records[i * 4]!
      const from = length <= 12 ? data : spans.pieces[spans.piece[i]!]!
      const start = length <= 12 ? i * 16 + 4 : spans.offset[i]!
      arena.set(from.subarray(start, start + length), end)
      this.#values.push(arena.subarray(end, end + length))
      end += length
    }
    this.#validity.add(vector)
  }

  finish(): ColumnData {
    return { kind: 'blob', values: this.#values, valid: this.#validity.finish() }
  }
}

/** Lists of floats as their bytes, little-endian; a NULL among them is NaN. */
class FloatsCollector implements Collector {
  readonly #validity = new Validity()
  readonly #values: Uint8Array[] = []

  add(vector: RawVector): void {
    const { rows, data, validity, child } = vector
    const entries = view(Uint32Array, data, rows * 4)
    const elements = child && child.rows > 0 ? view(Float32Array, child.data, child.rows) : new Float32Array()
    const nulls = child?.validity && hasNull(child.validity, child.rows) ? child.validity : undefined
    const known = (i: number) => !validity || isValid(validity, i)
    let total = 0
    for (let i = 0; i < rows; i++) if (known(i)) total += entries[i * 4 + 2]!
    // One allocation a vector, as for blobs.
    const arena = new Float32Array(total)
    let end = 0
    for (let i = 0; i < rows; i++) {
      const [start, length] = known(i) ? [entries[i * 4]!, entries[i * 4 + 2]!] : [0, 0]
      arena.set(elements.subarray(start, start + length), end)
      if (nulls) for (let j = 0; j < length; j++) if (!isValid(nulls, start + j)) arena[end + j] = Number.NaN
      this.#values.push(new Uint8Array(arena.buffer, end * 4, length * 4))
      end += length
    }
    this.#validity.add(vector)
  }

  finish(): ColumnData {
    return { kind: 'blob', values: this.#values, valid: this.#validity.finish() }
  }
}

interface Spans {
  readonly pieces: readonly Uint8Array[]
  /** Row → its piece, and where in it the row's bytes begin; meaningful for rows longer than 12 bytes. */
  readonly piece: Int32Array
  readonly offset: Int32Array
}

/**
 * A call into the database per row would cost more than the copy. It lays rows out one behind the other (padded to at most 8 bytes), so
 * neighbours are read together: a piece ends where the next row does not follow within the padding.
 */
function readSpans({ rows, data, validity }: RawVector, records: Uint32Array, read: ReadPointer): Spans {
  const piece = new Int32Array(rows)
  const offset = new Int32Array(rows)
  const pieces: Uint8Array[] = []
  let first = -1
  let start = 0
  let end = 0
  const close = () => {
    if (first >= 0) pieces.push(read(data, first * 16 + 8, end - start))
  }
  for (let i = 0; i < rows; i++) {
    const length = records[i * 4]!
    if (length <= 12 || (validity && !isValid(validity, i))) continue
    const pointer = records[i * 4 + 3]! * TWO_32 + records[i * 4 + 2]!
    if (first < 0 || pointer < end || pointer >= end + 8) {
      close()
      first = i
      start = pointer
    }
    piece[i] = pieces.length
    offset[i] = pointer - start
    end = pointer + length
  }
  close()
  return { pieces, piece, offset }
}

function copyWide(vector: RawVector, words: 2 | 4, signed: boolean, out: Float64Array, nulls: Uint8Array | undefined): boolean {
  const data = view(Uint32Array, vector.data, vector.rows * words)
  for (let i = 0; i < vector.rows; i++) {
    let value = 0
    const top = data[i * words + words - 1]!
    if (words === 2) value = (signed ? top | 0 : top) * TWO_32 + data[i * 2]!
    else value = Number(bigAt(data, i * 4, 4, signed))
    if ((value > SAFE || value < -SAFE) && (!nulls || isValid(nulls, i))) return false
    out[i] = value
  }
  return true
}

function copyDecimals(vector: RawVector, bytes: 8 | 16 | 2 | 4, scale: number, out: Float64Array): void {
  const words = bytes / 4
  const data = view(Uint32Array, vector.data, vector.rows * words)
  const unit = 10 ** scale
  for (let i = 0; i < vector.rows; i++) {
    const mantissa = words === 2 ? (data[i * 2 + 1]! | 0) * TWO_32 + data[i * 2]! : Number(bigAt(data, i * words, words, true))
    // One rounding, in the division, while both sides are exact; beyond that the digits are parsed. (10^22 is the last exact power.)
    const exact = mantissa <= SAFE && mantissa >= -SAFE && scale <= 22
    out[i] = exact ? mantissa / unit : Number(`${bigAt(data, i * words, words, true)}e-${scale}`)
  }
}

function integerTexts(vector: RawVector, layout: VectorLayout): (string | undefined)[] {
  const words = widthOf(layout) / 4
  const data = view(Uint32Array, vector.data, vector.rows * words)
  const signed = layout.kind !== 'integer' || layout.signed
  return Array.from({ length: vector.rows }, (_, i) =>
    vector.validity && !isValid(vector.validity, i) ? undefined : String(bigAt(data, i * words, words, signed)),
  )
}

function bigAt(words: Uint32Array, at: number, count: number, signed: boolean): bigint {
  let value = signed ? BigInt(words[at + count - 1]! | 0) : BigInt(words[at + count - 1]!)
  for (let i = count - 2; i >= 0; i--) value = value * 4294967296n + BigInt(words[at + i]!)
  return value
}

function smallValues(layout: VectorLayout & { kind: 'integer' | 'decimal' | 'float' }, { data, rows }: RawVector): ArrayLike<number> {
  const signed = layout.kind !== 'integer' || layout.signed
  if (layout.bytes === 1) return signed ? view(Int8Array, data, rows) : view(Uint8Array, data, rows)
  if (layout.bytes === 2) return signed ? view(Int16Array, data, rows) : view(Uint16Array, data, rows)
  return signed ? view(Int32Array, data, rows) : view(Uint32Array, data, rows)
}

function view<A>(type: { new (buffer: ArrayBufferLike, offset: number, length: number): A }, data: Uint8Array, length: number): A {
  return new type(data.buffer, data.byteOffset, length)
}

function isValid(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3]! >> (row & 7)) & 1) === 1
}

function hasNull(bits: Uint8Array, rows: number): boolean {
  const whole = rows >> 3
  for (let i = 0; i < whole; i++) if (bits[i] !== 255) return true
  const rest = rows & 7
  return rest > 0 && (bits[whole]! & ((1 << rest) - 1)) !== (1 << rest) - 1
}

type Growable = Uint8Array | Int32Array | Float64Array

function grown<A extends Growable>(values: A, length: number): A {
  if (values.length >= length) return values
  const bigger = new (values.constructor as new (length: number) => A)(Math.max(length, values.length * 2))
  bigger.set(values)
  return bigger
}

/** Gives memory back where much of it is unused. */
function trim<A extends Growable>(values: A, length: number): A {
  return (length * 4 >= values.length * 3 ? values.subarray(0, length) : values.slice(0, length)) as A
}
