import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { boxOf, partitionRows } from '../methods/influence/partition-rows.ts'
import { routeRows } from '../methods/influence/route-rows.ts'
import { blockDigest, DIGEST_BYTES, type Directory, directoryDigest, directoryParts, type Footer, MAGIC, readWhole } from './block-file.ts'

/**
 * Writes an index in blocks without ever holding all of it: rows come in pieces and go to a temporary file; where they are more than memory takes, they are sent
 * to buckets in a second one, by what a sample of them says; bucket by bucket they are put into blocks. Each number is written two or three times and
 * read once or twice, one piece after the other. Memory: what is given, 4 bytes a row, and the bounds.
 */
export interface BlockWriter {
  /** The next rows, rows × k. */
  add(b: Float32Array): void
  /** Throws where fewer or more rows came than were said. */
  finish(breathe: () => Promise<void>): Promise<{ readonly bytes: number; readonly blocks: number }>
  /** Leaves nothing behind; does nothing after `finish`. */
  abandon(): void
}

export interface BlocksToWrite {
  readonly k: number
  /** What rows have in common, for each of them in order. */
  readonly groups: Int32Array
  /** Bytes that may be held at once, about. */
  readonly memory: number
}

const BLOCK_ROWS = 128
const SAMPLE_ROWS = 1 << 14
const LEAST_ROWS = 1 << 10
let serial = 0

export function writeBlockFile(target: string, temporaryFolder: string, { k, groups, memory }: BlocksToWrite): BlockWriter {
  const n = groups.length
  for (const folder of [temporaryFolder, dirname(target)]) if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
  const open: OpenFile[] = []
  const temporary = (purpose: string): OpenFile => {
    const path = join(temporaryFolder, `${process.pid}-${purpose}-${serial++}-${Math.random().toString(36).slice(2)}`)
    const made = { path, file: openSync(path, 'wx+') }
    open.push(made)
    return made
  }
  const drop = (one: OpenFile) => {
    open.splice(open.indexOf(one), 1)
    closeSync(one.file)
    rmSync(one.path, { force: true })
  }
  const raw = temporary('rows')
  const every = Math.max(1, Math.ceil(n / SAMPLE_ROWS))
  const sample = new Float32Array(Math.ceil(n / every) * k)
  let rows = 0

  /** All rows in memory-sized buckets; one bucket where they fit. */
  async function* buckets(breathe: () => Promise<void>): AsyncGenerator<Bucket> {
    // Partitioning takes the rows, their order and groups; half of the memory is for these.
    const most = Math.max(LEAST_ROWS, Math.floor(memory / 2 / (4 * k + 16)))
    if (n <= most) {
      const b = new Float32Array(n * k)
      readWhole(raw.file, bytesOf(b), 0)
      yield { rows: Int32Array.from({ length: n }, (_, row) => row), b }
      return
    }
    const counts = new Map<number, number>()
    for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1)
    const sampleGroups = Int32Array.from({ length: sample.length / k }, (_, i) => groups[i * every]!)
    // Half full, for a sample errs.
    const routing = routeRows({ k, sample, sampleGroups, counts, most: most / 2 })
    const sorted = temporary('buckets')
    const sender = bucketSender(sorted.file, k, routing.buckets, Math.floor(memory / 4))
    const piece = new Float32Array(Math.max(1, Math.floor(memory / 4 / (4 * k))) * k)
    for (let first = 0; first < n; first += piece.length / k) {
      const count = Math.min(piece.length / k, n - first)
      readWhole(raw.file, bytesOf(piece.subarray(0, count * k)), 4 * first * k)
      for (let i = 0; i < count; i++) sender.send(routing.bucketOf(piece, i * k, groups[first + i]!), first + i, piece, i * k)
      await breathe()
    }
    sender.flush()
    drop(raw)
    for (let bucket = 0; bucket < routing.buckets; bucket++) yield* sender.receive(bucket, most)
  }

  return {
    add: (b) => {
      const count = b.length / k
      for (let i = (every - (rows % every)) % every; i < count; i += every) {
        if ((rows + i) / every < sample.length / k) sample.set(b.subarray(i * k, (i + 1) * k), ((rows + i) / every) * k)
      }
      rows += count
      writeWhole(raw.file, bytesOf(b))
    },
    finish: async (breathe) => {
      if (rows !== n) throw new RangeError(`${rows} rows came where ${n} were said.`)
      const out = temporary('blocks')
      const blocks = blockSink(out.file, k)
      for await (const bucket of buckets(breathe)) {
        await breathe()
        const own = Int32Array.from(bucket.rows, (row) => groups[row]!)
        const { order, counts, groups: labels } = partitionRows({ k, b: bucket.b, groups: own, most: BLOCK_ROWS })
        let start = 0
        for (const [block, count] of counts.entries()) blocks.put(bucket, order.subarray(start, (start += count)), labels[block]!)
      }
      const found = blocks.finish(n)
      fsyncSync(out.file)
      open.splice(open.indexOf(out), 1)
      closeSync(out.file)
      try {
        renameSync(out.path, target)
      } catch (reason) {
        rmSync(out.path, { force: true })
        throw reason
      }
      for (const one of [...open]) drop(one)
      return found
    },
    abandon: () => {
      for (const one of [...open]) drop(one)
    },
  }
}

interface OpenFile {
  readonly path: string
  readonly file: number
}

interface Bucket {
  readonly rows: Int32Array
  /** Rows × k. */
  readonly b: Float32Array
}

/** Records (row, k numbers) by bucket in one file, each bucket a list of stretches. */
function bucketSender(file: number, k: number, buckets: number, memory: number) {
  const width = k + 1
  const room = Math.max(4, Math.min(4096, Math.floor(memory / (4 * width * buckets))))
  const numbers = new Float32Array(buckets * room * width)
  const rowsIn = new Int32Array(numbers.buffer)
  const held = new Int32Array(buckets)
  const stretches = Array.from({ length: buckets }, (): { at: number; rows: number }[] => [])
  let end = 0
  const empty = (bucket: number) => {
    const rows = held[bucket]!
    if (rows === 0) return
    writeWhole(file, new Uint8Array(numbers.buffer, 4 * bucket * room * width, 4 * rows * width))
    stretches[bucket]!.push({ at: end, rows })
    end += 4 * rows * width
    held[bucket] = 0
  }
  return {
    send: (bucket: number, row: number, b: Float32Array, from: number) => {
      const at = (bucket * room + held[bucket]!) * width
      rowsIn[at] = row
      for (let l = 0; l < k; l++) numbers[at + 1 + l] = b[from + l]!
      if (++held[bucket]! === room) empty(bucket)
    },
    flush: () => {
      for (let bucket = 0; bucket < buckets; bucket++) empty(bucket)
    },
    /** `most` rows at once. */
    *receive(bucket: number, most: number): Generator<Bucket> {
      const left = stretches[bucket]!
      const records = new Float32Array(room * width)
      const ids = new Int32Array(records.buffer)
      for (let i = 0; i < left.length; ) {
        let total = 0
        let last = i
        while (last < left.length && (last === i || total + left[last]!.rows <= most)) total += left[last++]!.rows
        const rows = new Int32Array(total)
        const b = new Float32Array(total * k)
        let row = 0
        for (; i < last; i++) {
          const { at, rows: count } = left[i]!
          readWhole(file, bytesOf(records.subarray(0, count * width)), at)
          for (let r = 0; r < count; r++, row++) {
            rows[row] = ids[r * width]!
            b.set(records.subarray(r * width + 1, (r + 1) * width), row * k)
          }
        }
        yield { rows, b }
      }
    },
  }
}

/** Blocks one after the other, then what is said of them. */
function blockSink(file: number, k: number) {
  const counts: number[] = []
  const groups: number[] = []
  const [low, high] = [growing(), growing()]
  const digests: Uint8Array[] = []
  const pending: Uint8Array[] = []
  let waiting = 0
  let bytes = 0
  const write = (part: Uint8Array) => {
    pending.push(part)
    waiting += part.length
    bytes += part.length
    if (waiting >= 1 << 20) flush()
  }
  const flush = () => {
    writeWhole(file, Buffer.concat(pending))
    pending.length = 0
    waiting = 0
  }
  write(MAGIC)
  return {
    put: ({ rows, b }: Bucket, chosen: Int32Array, group: number) => {
      const count = chosen.length
      const block = new ArrayBuffer(4 * count * (k + 1))
      new Int32Array(block, 0, count).set(chosen.map((at) => rows[at]!))
      const numbers = new Float32Array(block, 4 * count)
      for (let l = 0; l < k; l++) for (let i = 0; i < count; i++) numbers[l * count + i] = b[chosen[i]! * k + l]!
      const box = boxOf(b, k, chosen)
      counts.push(count)
      groups.push(group)
      low.push(box.low)
      high.push(box.high)
      digests.push(Uint8Array.from(blockDigest(new Uint8Array(block))))
      write(new Uint8Array(block))
    },
    finish: (n: number) => {
      const sums = new Uint8Array(digests.length * DIGEST_BYTES)
      for (const [block, digest] of digests.entries()) sums.set(digest, block * DIGEST_BYTES)
      const directory: Directory = {
        bounds: { k, n, counts: Int32Array.from(counts), groups: Int32Array.from(groups), low: low.whole(), high: high.whole() },
        digests: sums,
      }
      for (const part of directoryParts(directory)) write(part)
      const footer: Footer = { version: 1, k, n, blocks: counts.length, digest: directoryDigest(directory) }
      const json = Buffer.from(JSON.stringify(footer), 'utf8')
      const length = Buffer.alloc(4)
      length.writeUInt32LE(json.length)
      for (const part of [json, length, MAGIC]) write(part)
      flush()
      return { bytes, blocks: counts.length }
    },
  }
}

function growing() {
  let held = new Float32Array(1 << 12)
  let length = 0
  return {
    push: (values: Float32Array) => {
      if (length + values.length > held.length) {
        const larger = new Float32Array(2 * held.length + values.length)
        larger.set(held.subarray(0, length))
        held = larger
      }
      held.set(values, length)
      length += values.length
    },
    whole: () => held.slice(0, length),
  }
}

const bytesOf = (array: Float32Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

function writeWhole(file: number, part: Uint8Array): void {
  for (let at = 0; at < part.length; ) at += writeSync(file, part, at)
}
