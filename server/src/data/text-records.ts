/**
 * Records of delimited text and of JSON lines, byte by byte and in order, without holding more than one record and what was read with it: what finds the
 * line of a row. The database reads the same files; here only where a record begins and ends, and where its fields lie, is of interest.
 */
export interface Dialect {
  /** Bytes. Without a quote (JSON lines) every line is a record. */
  readonly delimiter: number
  readonly quote?: number
  readonly escape?: number
}

/** Hands over the next bytes, at least as many as asked for where there are as many; none at the end. */
export type Bytes = (atLeast: number) => Promise<Uint8Array | undefined>

/** Bytes from `start` to `end` of `buffer`, its end of line left out. It is overwritten by the next one. Lines count from 0 and end at `\n`, `\r\n` or a lone `\r`, as editors count them. */
export interface TextRecord {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  readonly line: number
}

/** A record longer than this is taken for one whose quote is never closed: the database reads none so long. */
const longestRecord = 20 * 2 ** 20
const chunkBytes = 2 ** 18

/**
 * Calls `visit` for each record until it answers 'stop'; whether the end of the text was reached or the visitor had enough. False: a record is too long to be one. O(bytes); memory: two
 * records and 256 kB. It gives way to others between chunks.
 */
export async function eachRecord(bytes: Bytes, dialect: Dialect, visit: (record: TextRecord) => 'stop' | undefined): Promise<boolean> {
  let rest: Buffer = Buffer.alloc(0)
  let line = 0
  let first = true
  for (;;) {
    // A record that spans chunks is looked at again with at least as many more bytes: twice its length in all.
    const more = await bytes(Math.max(chunkBytes, rest.length))
    let buffer = more ? (rest.length > 0 ? Buffer.concat([rest, more]) : asBuffer(more)) : rest
    if (first && more && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) buffer = buffer.subarray(3)
    first = false
    const scanned = scan(buffer, dialect, more === undefined, line, visit)
    if (scanned.stopped || more === undefined) return true
    line = scanned.line
    rest = buffer.subarray(scanned.next)
    if (rest.length > longestRecord) return false
    await new Promise((resume) => setImmediate(resume))
  }
}

interface Scanned {
  readonly next: number
  readonly line: number
  readonly stopped: boolean
}

const NEWLINE = 10
const RETURN = 13

function scan(
  buffer: Buffer,
  { delimiter, quote, escape: lead }: Dialect,
  isLast: boolean,
  firstLine: number,
  visit: (record: TextRecord) => 'stop' | undefined,
): Scanned {
  const { length } = buffer
  const find = (byte: number, from: number) => {
    const at = buffer.indexOf(byte, from)
    return at < 0 ? length : at
  }
  const kinds = kindsOf(delimiter, quote, lead)
  const record = { buffer, start: 0, end: 0, line: firstLine }
  let start = 0
  let nextQuote = quote === undefined ? length : find(quote, 0)
  let nextReturn = find(RETURN, 0)
  const done = (next: number, stopped: boolean): Scanned => ({ next, line: record.line, stopped })
  while (start < length) {
    const newline = find(NEWLINE, start)
    if (newline === length && !isLast) return done(start, false)
    if (quote !== undefined && nextQuote < start) nextQuote = find(quote, start)
    if (nextReturn < start) nextReturn = find(RETURN, start)
    let end = newline
    let next = Math.min(newline + 1, length)
    let lines = 1
    if (nextQuote >= newline && nextReturn >= newline - 1) {
      if (nextReturn === newline - 1) end = nextReturn
    } else {
      // Quotes, or a return that is no part of `\r\n`: with care.
      let inside = false
      let fieldStart = true
      lines = 0
      end = -1
      for (let at = start; at < length; at++) {
        const byte = buffer[at]!
        if (kinds[byte] === 0) {
          fieldStart = false
          continue
        }
        if (at + 1 === length && !isLast && byte !== delimiter && byte !== NEWLINE) break
        const ahead = at + 1 < length ? buffer[at + 1]! : -1
        if (inside) {
          if (byte === lead && lead !== quote) at++
          else if (byte === quote) {
            if (ahead === quote && (lead === undefined || lead === quote)) at++
            else inside = false
          } else if (byte === NEWLINE || (byte === RETURN && ahead !== NEWLINE)) lines++
        } else if (byte === quote && fieldStart) {
          inside = true
          fieldStart = false
        } else if (byte === NEWLINE || byte === RETURN) {
          end = at
          next = byte === RETURN && ahead === NEWLINE ? at + 2 : at + 1
          lines++
          break
        } else fieldStart = byte === delimiter
      }
      if (end < 0) {
        if (!isLast) return done(start, false)
        end = length
        next = length
      }
    }
    record.start = start
    record.end = end
    if (visit(record) === 'stop') return done(next, true)
    record.line += lines
    start = next
  }
  return done(start, false)
}

/** Bytes that mean something to the reader of records; most do not. */
function kindsOf(delimiter: number, quote: number | undefined, lead: number | undefined): Uint8Array {
  const kinds = new Uint8Array(256)
  for (const byte of [NEWLINE, RETURN, delimiter, quote, lead]) if (byte !== undefined) kinds[byte] = 1
  return kinds
}

/** A field's bytes as they stand, quotes among them. */
export interface Field {
  readonly start: number
  readonly end: number
}

/** The fields of a record, at most `most` of them. O(bytes up to the last). */
export function fieldsOf(
  { buffer, start, end }: TextRecord,
  { delimiter, quote, escape: lead }: Dialect,
  most = Number.POSITIVE_INFINITY,
): Field[] {
  const fields: Field[] = []
  let from = start
  let inside = false
  for (let at = start; at < end && fields.length < most; at++) {
    const byte = buffer[at]!
    if (inside) {
      if (byte === lead && lead !== quote) at++
      else if (byte === quote) {
        if (buffer[at + 1] === quote && at + 1 < end && (lead === undefined || lead === quote)) at++
        else inside = false
      }
    } else if (byte === quote && at === from) inside = true
    else if (byte === delimiter) {
      fields.push({ start: from, end: at })
      from = at + 1
    }
  }
  if (fields.length < most) fields.push({ start: from, end })
  return fields
}

/** What a field says: without its quotes. */
export function fieldText(buffer: Buffer, field: Field, { quote, escape: own }: Dialect): string {
  const { start, end } = field
  if (quote === undefined || end - start < 2 || buffer[start] !== quote || buffer[end - 1] !== quote)
    return buffer.toString('utf8', start, end)
  const mark = String.fromCharCode(quote)
  const inner = buffer.toString('utf8', start + 1, end - 1)
  const lead = own === undefined ? mark : String.fromCharCode(own)
  return inner.includes(lead) ? inner.replaceAll(lead + mark, mark) : inner
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
