import { createWriteStream } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

/**
 * Zip archives as wheels are: stored or deflated entries, ZIP64 for the large ones (PKWARE's APPNOTE 6.3.10, §4.3 and §4.5.3). Entries are streamed to
 * disk, so memory does not grow with them.
 */
export interface ZipEntry {
  readonly name: string
  readonly bytes: number
  readonly packedBytes: number
  readonly method: number
  readonly offset: number
}

/** The file is no zip archive, or a damaged one: a sentence without its beginning. */
export class NotAZip extends Error {}

export interface Zip {
  readonly entries: readonly ZipEntry[]
  /** Its text. */
  read(entry: ZipEntry): Promise<string>
  /** Written below `folder` under its own name. */
  extract(entry: ZipEntry, folder: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const endRecord = 0x06054b50
const endRecord64 = 0x06064b50
const endLocator64 = 0x07064b50
const centralHeader = 0x02014b50
const localHeader = 0x04034b50
const stored = 0
const deflated = 8

export async function openZip(path: string): Promise<Zip> {
  const file = await open(path, 'r')
  try {
    const entries = await readDirectory(file)
    return {
      entries,
      read: async (entry) => {
        const chunks: Buffer[] = []
        const collect = new Transform({
          transform(chunk, _, done) {
            chunks.push(chunk)
            done()
          },
        })
        await unpack(file, entry, collect)
        return Buffer.concat(chunks).toString('utf8')
      },
      extract: async (entry, folder, signal) => {
        if (isAbsolute(entry.name) || entry.name.split(/[\\/]/).includes('..'))
          throw new NotAZip(`it has an entry outside itself (${JSON.stringify(entry.name)})`)
        const target = join(folder, entry.name)
        await mkdir(dirname(target), { recursive: true })
        await unpack(file, entry, createWriteStream(target), signal)
      },
      close: () => file.close(),
    }
  } catch (reason) {
    await file.close()
    throw reason
  }
}

async function readDirectory(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const tail = await bytesAt(file, Math.max(0, size - 66_000), Math.min(size, 66_000))
  let at = tail.length - 22
  while (at >= 0 && tail.readUInt32LE(at) !== endRecord) at--
  if (at < 0) throw new NotAZip('it is not a zip archive, or only the beginning of one')
  let count = tail.readUInt16LE(at + 10)
  let length = tail.readUInt32LE(at + 12)
  let start = tail.readUInt32LE(at + 16)
  if (at >= 20 && tail.readUInt32LE(at - 20) === endLocator64) {
    const record = await bytesAt(file, number64(tail, at - 20 + 8), 56)
    if (record.length < 56 || record.readUInt32LE(0) !== endRecord64) throw new NotAZip('its directory is damaged')
    count = number64(record, 32)
    length = number64(record, 40)
    start = number64(record, 48)
  }
  if (start + length > size) throw new NotAZip('its directory is damaged')
  const directory = await bytesAt(file, start, length)
  const entries: ZipEntry[] = []
  for (let position = 0; entries.length < count; ) {
    if (position + 46 > directory.length || directory.readUInt32LE(position) !== centralHeader)
      throw new NotAZip('its directory is damaged')
    const nameLength = directory.readUInt16LE(position + 28)
    const extraLength = directory.readUInt16LE(position + 30)
    const next = position + 46 + nameLength + extraLength + directory.readUInt16LE(position + 32)
    if (next > directory.length) throw new NotAZip('its directory is damaged')
    const extra = directory.subarray(position + 46 + nameLength, position + 46 + nameLength + extraLength)
    const [bytes, packedBytes, offset] = largeNumbers(extra, [
      directory.readUInt32LE(position + 24),
      directory.readUInt32LE(position + 20),
      directory.readUInt32LE(position + 42),
    ])
    const name = directory.toString('utf8', position + 46, position + 46 + nameLength)
    entries.push({ name, bytes, packedBytes, method: directory.readUInt16LE(position + 10), offset })
    position = next
  }
  return entries
}

/** In the extra field 1, 64 bits for each of the numbers that did not fit 32, in this order. */
function largeNumbers(extra: Buffer, small: readonly [number, number, number]): [number, number, number] {
  const result: [number, number, number] = [...small]
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let value = at + 4
    result.forEach((number, index) => {
      if (number !== 0xffffffff || value + 8 > extra.length) return
      result[index] = number64(extra, value)
      value += 8
    })
  }
  return result
}

async function unpack(file: FileHandle, entry: ZipEntry, target: NodeJS.WritableStream, signal?: AbortSignal): Promise<void> {
  const header = await bytesAt(file, entry.offset, 30)
  if (header.length < 30 || header.readUInt32LE(0) !== localHeader) throw new NotAZip(`its entry ${JSON.stringify(entry.name)} is damaged`)
  if (entry.method !== stored && entry.method !== deflated)
    throw new NotAZip(`its entry ${JSON.stringify(entry.name)} is packed in a way that is not known here (${entry.method})`)
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  let written = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      written += chunk.length
      done(null, chunk)
    },
  })
  const source = Readable.from(chunksOf(file, start, entry.packedBytes))
  try {
    if (entry.method === deflated) await pipeline(source, createInflateRaw(), counted, target, { signal })
    else await pipeline(source, counted, target, { signal })
  } catch (reason) {
    if (String((reason as NodeJS.ErrnoException).code).startsWith('Z_'))
      throw new NotAZip(`its entry ${JSON.stringify(entry.name)} is damaged`)
    throw reason
  }
  if (written !== entry.bytes) throw new NotAZip(`its entry ${JSON.stringify(entry.name)} is damaged`)
}

async function* chunksOf(file: FileHandle, start: number, length: number): AsyncGenerator<Buffer> {
  const size = 1 << 20
  for (let done = 0; done < length; done += size) {
    const wanted = Math.min(size, length - done)
    const chunk = await bytesAt(file, start + done, wanted)
    yield chunk
    if (chunk.length < wanted) return
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

function number64(buffer: Buffer, at: number): number {
  return Number(buffer.readBigUInt64LE(at))
}
