import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Block, BlockBounds } from '../methods/influence/bounded-blocks.ts'

/**
 * An index of rows × k numbers in a file that is read block by block (`methods/influence/bounded-blocks.ts`), so that only its bounds are in memory. Like the
 * cache's other files it appears whole or not at all (`write-block-file.ts`); the bounds are checked against their digest when it is opened, each block against
 * its own when it is read for the first time.
 *
 * Layout: `ASSAYB1\n`; the blocks (rows as int32, then k × rows as float32, little-endian); the rows in each block and its group (int32), the boxes (float32, low
 * then high), the blocks' digests (8 bytes of sha256 each); sizes and the sha256 of all these as JSON, its length (uint32), and `ASSAYB1\n` again.
 */
export const MAGIC = Buffer.from('ASSAYB1\n')
export const DIGEST_BYTES = 8

export interface Directory {
  readonly bounds: BlockBounds
  readonly digests: Uint8Array
}

export interface Footer {
  readonly version: 1
  readonly k: number
  readonly n: number
  readonly blocks: number
  readonly digest: string
}

export interface BlockFile {
  readonly bounds: BlockBounds
  readonly bytes: number
  /** Of blocks, so far. */
  readonly bytesRead: () => number
  /** Throws `DamagedBlock`. */
  readonly read: (blocks: Int32Array) => Block[]
  readonly close: () => void
}

/** The file was changed after it was written: it is as good as absent. */
export class DamagedBlock extends Error {}

/** `undefined` where the file is absent, was cut short or damaged. O(k·blocks) memory, some hundredths of the file. */
export function openBlockFile(path: string): BlockFile | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const found = readDirectory(file)
    if (found) return reader(file, path, found)
  } catch {
    // As good as absent, like a file of another format.
  }
  closeSync(file)
  return undefined
}

export const blockBytes = (k: number, rows: number): number => 4 * rows * (k + 1)
export const blockDigest = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest().subarray(0, DIGEST_BYTES)

export const directoryParts = ({ bounds, digests }: Directory): Uint8Array[] =>
  [bounds.counts, bounds.groups, bounds.low, bounds.high, digests].map(
    (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  )

export function directoryDigest(directory: Directory): string {
  const { k, n, counts } = directory.bounds
  const sum = createHash('sha256').update(JSON.stringify([k, n, counts.length]))
  for (const part of directoryParts(directory)) sum.update(part)
  return sum.digest('hex')
}

function readDirectory(file: number): (Directory & { readonly bytes: number }) | undefined {
  const { size } = fstatSync(file)
  const tail = new Uint8Array(4 + MAGIC.length)
  if (size < MAGIC.length + tail.length) return undefined
  const head = new Uint8Array(MAGIC.length)
  readWhole(file, head, 0)
  readWhole(file, tail, size - tail.length)
  if (!MAGIC.equals(head) || !MAGIC.equals(tail.subarray(4))) return undefined
  const json = new Uint8Array(new DataView(tail.buffer).getUint32(0, true))
  const jsonAt = size - tail.length - json.length
  readWhole(file, json, jsonAt)
  const footer = JSON.parse(Buffer.from(json).toString('utf8')) as Footer
  if (footer.version !== 1) return undefined
  const { k, n, blocks } = footer
  const bounds = {
    k,
    n,
    counts: new Int32Array(blocks),
    groups: new Int32Array(blocks),
    low: new Float32Array(blocks * k),
    high: new Float32Array(blocks * k),
  }
  const directory = { bounds, digests: new Uint8Array(blocks * DIGEST_BYTES) }
  const parts = directoryParts(directory)
  let at = jsonAt - parts.reduce((sum, part) => sum + part.length, 0)
  const blocksEnd = at
  for (const part of parts) {
    readWhole(file, part, at)
    at += part.length
  }
  if (directoryDigest(directory) !== footer.digest) return undefined
  const whole = bounds.counts.reduce((sum, count) => sum + blockBytes(k, count), MAGIC.length)
  return whole === blocksEnd ? { ...directory, bytes: size } : undefined
}

/** Neighbours are read in one go, of this size at most. */
const PIECE_BYTES = 1 << 22

function reader(file: number, path: string, { bounds, digests, bytes }: Directory & { readonly bytes: number }): BlockFile {
  const { k, counts } = bounds
  const starts = new Float64Array(counts.length + 1)
  starts[0] = MAGIC.length
  for (const [block, count] of counts.entries()) starts[block + 1] = starts[block]! + blockBytes(k, count)
  const checked = new Uint8Array(counts.length)
  let bytesRead = 0
  const damaged = () => new DamagedBlock(`\`${path}\` was changed after it was written.`)

  const block = (index: number, piece: Uint8Array<ArrayBuffer>, at: number): Block => {
    const count = counts[index]!
    const own = piece.subarray(at, at + blockBytes(k, count))
    if (checked[index] === 0) {
      const digest = blockDigest(own)
      if (digest.some((byte, i) => byte !== digests[index * DIGEST_BYTES + i])) throw damaged()
      checked[index] = 1
    }
    return {
      rows: new Int32Array(piece.buffer, piece.byteOffset + at, count),
      b: new Float32Array(piece.buffer, piece.byteOffset + at + 4 * count, k * count),
    }
  }

  return {
    bounds,
    bytes,
    bytesRead: () => bytesRead,
    read: (asked) => {
      const found: Block[] = []
      for (let i = 0; i < asked.length; ) {
        const start = starts[asked[i]!]!
        let end = i + 1
        while (end < asked.length && asked[end] === asked[end - 1]! + 1 && starts[asked[end]! + 1]! - start <= PIECE_BYTES) end++
        const piece = new Uint8Array(starts[asked[end - 1]! + 1]! - start)
        try {
          readWhole(file, piece, start)
        } catch {
          throw damaged()
        }
        bytesRead += piece.length
        for (; i < end; i++) found.push(block(asked[i]!, piece, starts[asked[i]!]! - start))
      }
      return found
    },
    close: () => closeSync(file),
  }
}

/** Throws where the file ends before. */
export function readWhole(file: number, into: Uint8Array, position: number): void {
  for (let at = 0; at < into.length; ) {
    const got = readSync(file, into, at, into.length - at, position + at)
    if (got === 0) throw new RangeError('The file ends too early.')
    at += got
  }
}
