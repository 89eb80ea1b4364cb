import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { hashReading } from '../data/data-hash.ts'
import { findFiles } from '../data/files.ts'
import { hasLines, type LineFormat, type Quotes, wholeRows } from '../data/later-lines.ts'
import { type FileReading, fileProblem } from '../data/reading.ts'
import type { Reading } from '../sql/tree.ts'

/**
 * Files while they grow: how far each has been counted, what has come since, in whole lines, and whether what was counted still stands as it was. What was
 * counted is not read again: a file that is longer is taken to have grown if it is the same file and the ends of the counted part are what they were; where
 * its time changes without its size, or it was replaced, all of the counted part is compared by hash.
 */
export interface Counted {
  readonly path: string
  /** Of the file, when last looked at. */
  seen: Stamp
  /** That have been counted. */
  bytes: number
  /** sha256 of the counted bytes, part by part. */
  readonly parts: { readonly end: number; readonly hash: string }[]
  /** The first and the last of the counted bytes. */
  head: Buffer
  tail: Buffer
}

interface Stamp {
  readonly file: number
  readonly bytes: number
  readonly modifiedMs: number
}

export type Change =
  | { readonly kind: 'same' }
  /** Files that have grown, or are new behind the others, in the order of reading. */
  | { readonly kind: 'grown'; readonly files: readonly Counted[] }
  | { readonly kind: 'other'; readonly why: string }

const GUARD_BYTES = 4096
/** Younger files may change once more without their time or size telling. */
const SETTLED_MS = 3000

export interface Frozen {
  /** What is to be read: the files, or copies of them that end with a line. */
  readonly reading: FileReading
  /** `read`: the file, or its copy. */
  readonly files: readonly { readonly path: string; readonly read: string; readonly seen: Stamp; readonly bytes: number }[]
}

/** The state of the files to be read as a whole: where one may be growing at this moment, a copy of its whole lines is read in its stead. Throws `DataProblem`. */
export function frozen(reading: FileReading, quotes: Quotes | undefined, folder: string): Frozen {
  const grows = hasLines(reading)
  const files = findFiles(reading.path).map(({ path, bytes, modifiedMs }) => {
    const seen = stampOf(path) ?? { file: 0, bytes, modifiedMs }
    return { path, read: path, seen, bytes: grows && !isPacked(path) ? wholeLines(path, seen.bytes, quotes) : seen.bytes }
  })
  const isStill = (f: (typeof files)[number]) => f.bytes === f.seen.bytes && Date.now() - f.seen.modifiedMs > SETTLED_MS
  if (!grows || files.every(isStill)) return { reading, files }
  rmSync(folder, { recursive: true, force: true })
  const copies = files.map((file, i) => {
    const own = join(folder, String(i).padStart(6, '0'))
    mkdirSync(own, { recursive: true })
    const read = join(own, basename(file.path))
    if (isStill(file)) symlinkSync(file.path, read)
    else {
      copyFileSync(file.path, read, constants.COPYFILE_FICLONE)
      truncateSync(read, file.bytes)
    }
    return { ...file, read }
  })
  return { reading: { ...reading, path: copies.length === 1 ? copies[0]!.read : join(folder, '*', '*') }, files: copies }
}

/** Quotes as they mostly are, where nothing is known of a file yet. */
export const usualQuotes = ({ format }: FileReading): Quotes => ({ quote: 34, escape: 34, delimiter: format === 'tsv' ? 9 : 44 })

const isPacked = (path: string) => /\.(gz|zst|bz2)$/i.test(path)

function wholeLines(path: string, size: number, quotes: Quotes | undefined): number {
  const file = openSync(path, 'r')
  try {
    if (size === 0 || bytesAt(file, size - 1, size)[0] === 10) return size
    if (quotes) return wholeRows(bytesAt(file, 0, size), quotes)
    for (let to = size; to > 0; to -= 1 << 16) {
      const from = Math.max(0, to - (1 << 16))
      const rows = wholeRows(bytesAt(file, from, to), undefined)
      if (rows > 0) return from + rows
    }
    return 0
  } finally {
    closeSync(file)
  }
}

/** What has been counted once the frozen files were read as a whole. O(bytes), or nothing where their hashes are known. */
export async function countedOf(from: Frozen, hashes: string): Promise<Counted[]> {
  const { files } = await hashReading(from.reading, hashes)
  return from.files.map(({ path, read, seen, bytes }, i) => ({
    path,
    seen,
    bytes,
    parts: [{ end: bytes, hash: files[i]!.hash }],
    ...guards(read, bytes),
  }))
}

function guards(path: string, bytes: number): { head: Buffer; tail: Buffer } {
  const file = openSync(path, 'r')
  try {
    return { head: bytesAt(file, 0, Math.min(bytes, GUARD_BYTES)), tail: bytesAt(file, Math.max(0, bytes - GUARD_BYTES), bytes) }
  } finally {
    closeSync(file)
  }
}

function bytesAt(file: number, from: number, to: number): Buffer {
  const buffer = Buffer.alloc(to - from)
  let have = 0
  while (have < buffer.length) {
    const got = readSync(file, buffer, have, buffer.length - have, from + have)
    if (got === 0) break
    have += got
  }
  return buffer.subarray(0, have)
}

function stampOf(path: string): Stamp | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats && { file: stats.ino, bytes: stats.size, modifiedMs: stats.mtimeMs }
}

const same = (a: Stamp, b: Stamp) => a.file === b.file && a.bytes === b.bytes && a.modifiedMs === b.modifiedMs

/** A look at the files: O(files), and the bytes of those whose time alone has changed. */
export async function changeOf(reading: FileReading, counted: readonly Counted[]): Promise<Change> {
  try {
    return await looked(reading, counted)
  } catch (reason) {
    // Gone between two looks.
    return { kind: 'other', why: fileProblem(reading.path, reason).message }
  }
}

async function looked(reading: FileReading, counted: readonly Counted[]): Promise<Change> {
  const found = foundFiles(reading.path)
  if (counted.some((one, i) => found[i]?.path !== one.path)) {
    const gone = counted.find((one) => !found.some((f) => f.path === one.path))
    return { kind: 'other', why: gone ? `${named(gone)} is gone.` : 'There is a new file before the last one.' }
  }
  const last = counted.length - 1
  const grown: Counted[] = []
  for (const [i, one] of counted.entries()) {
    const now = stampOf(one.path)
    if (!now) return { kind: 'other', why: `${named(one)} is gone.` }
    if (same(now, one.seen)) continue
    if (now.bytes < one.bytes) return { kind: 'other', why: `${named(one)} is shorter than it was.` }
    const isLonger = now.bytes > one.bytes
    const replaced = now.file !== one.seen.file || now.bytes === one.seen.bytes
    if (!(replaced ? await isWhole(one) : guarded(one))) return { kind: 'other', why: `${named(one)} was rewritten.` }
    one.seen = now
    if (!isLonger) continue
    if (i < last || !hasLines(reading)) return { kind: 'other', why: `${named(one)} has changed.` }
    grown.push(one)
  }
  for (const { path } of found.slice(counted.length)) {
    const seen = stampOf(path)
    if (seen) grown.push({ path, seen, bytes: 0, parts: [], head: Buffer.alloc(0), tail: Buffer.alloc(0) })
  }
  return grown.length > 0 ? { kind: 'grown', files: grown } : { kind: 'same' }
}

/** None where there are none any more. */
function foundFiles(path: string): readonly { readonly path: string }[] {
  try {
    return findFiles(path)
  } catch {
    return []
  }
}

const named = ({ path }: { readonly path: string }) => `\`${basename(path)}\``

function guarded(one: Counted): boolean {
  const { head, tail } = guards(one.path, one.bytes)
  return head.equals(one.head) && tail.equals(one.tail)
}

async function isWhole({ path, parts }: Counted): Promise<boolean> {
  let from = 0
  for (const { end, hash } of parts) {
    if (end > from) {
      const sum = createHash('sha256')
      for await (const part of createReadStream(path, { start: from, end: end - 1, highWaterMark: 1 << 20 })) sum.update(part as Buffer)
      if (sum.digest('hex') !== hash) return false
    }
    from = end
  }
  return true
}

/** Rows that came, at most about 16 MB of them: bytes that end with one. */
export interface Piece {
  readonly bytes: Buffer
  readonly file: Counted
}

const PIECE_BYTES = 16 * 2 ** 20

/** The next whole rows of a file; none where its last line waits for its end. `head`: lines that a new file must begin with. O(bytes that came). */
export function nextPiece(file: Counted, format: LineFormat, head: Buffer): Piece | 'other head' | undefined {
  const opened = openSync(file.path, 'r')
  try {
    const from = file.bytes === 0 ? head.length : file.bytes
    if (file.bytes === 0 && head.length > 0) {
      if (file.seen.bytes < head.length) return undefined
      if (!bytesAt(opened, 0, head.length).equals(head)) return 'other head'
    }
    for (let size = PIECE_BYTES; ; size *= 2) {
      const to = Math.min(file.seen.bytes, from + size)
      const bytes = bytesAt(opened, from, to)
      const rows = wholeRows(bytes, format.quotes)
      if (rows > 0) return { bytes: bytes.subarray(0, rows), file }
      if (to === file.seen.bytes) return undefined
    }
  } finally {
    closeSync(opened)
  }
}

/** The piece is counted. */
export function count({ file, bytes }: Piece, head: Buffer): void {
  if (file.bytes === 0 && head.length > 0) file.parts.push({ end: head.length, hash: sha256(head) })
  const end = (file.bytes === 0 ? head.length : file.bytes) + bytes.length
  file.parts.push({ end, hash: sha256(bytes) })
  file.bytes = end
  Object.assign(file, guards(file.path, end))
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** The lines at the head of a file that are no rows. */
export function headOf(path: string, lines: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = bytesAt(file, 0, Math.min(1 << 20, statSync(path).size))
    let end = 0
    for (let i = 0; i < lines; i++) end = bytes.indexOf(10, end) + 1
    return bytes.subarray(0, end)
  } finally {
    closeSync(file)
  }
}

/** By their text: saving alone changes nothing. One that cannot be read is being written, or gone: what was read of it stands. O(bytes). */
export function isEdited(files: readonly { readonly path: string; readonly text: string }[]): boolean {
  return files.some(({ path, text }) => (textAt(path) ?? text) !== text)
}

/** None where it cannot be read. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** What tells that something has happened to the files of a reading. O(files). */
export function signature(readings: readonly Reading[]): string {
  return JSON.stringify(
    readings.map((reading) => {
      const paths = reading.kind === 'file' ? [reading.path] : [reading.images, ...(reading.labels ? [reading.labels] : [])]
      try {
        return paths.map((path) => findFiles(path).map((f) => [f.path, f.bytes, f.modifiedMs]))
      } catch {
        return 'gone'
      }
    }),
  )
}
