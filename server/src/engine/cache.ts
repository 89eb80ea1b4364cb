import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Trained models, debugging indexes and results on disk, by content hash. A file appears whole or not at all: it is written beside, under
 * `tmp/<process id>-…`, synced and renamed; what is read back is checked against its digest, and a file that fails is as good as absent.
 *
 * Layout: `ASSAY2\n`, the header's length (uint32, little-endian), the header as JSON (meta, the arrays' names, types and lengths, the
 * sha256 of all these and the payload), padding to 8 bytes, then the arrays one after another, each padded to 8 bytes, little-endian.
 */
export type Arrays = Readonly<Record<string, Float64Array | Float32Array | Int32Array | Uint8Array>>
export interface Stored<M> {
  readonly meta: M
  readonly arrays: Arrays
  /** Of the file. */
  readonly bytes: number
}

export interface Cache {
  readonly folder: string
  read<M>(kind: string, hash: string): Stored<M> | undefined
  /** Returns the file's path and size. A folder that cannot be written loses nothing but time: `undefined`. */
  write<M>(kind: string, hash: string, meta: M, arrays: Arrays): { path: string; bytes: number } | undefined
  path(kind: string, hash: string): string
}

const MAGIC = Buffer.from('ASSAY2\n\0')
const TYPES = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const
type TypeName = keyof typeof TYPES
interface Header {
  readonly meta: unknown
  readonly digest: string
  readonly arrays: readonly { readonly name: string; readonly type: TypeName; readonly length: number }[]
}

export function openCache(folder: string): Cache {
  const path = (kind: string, hash: string) => join(folder, kind, `${hash}.bin`)
  return {
    folder,
    path,
    read: (kind, hash) => readStored(path(kind, hash)),
    write: (kind, hash, meta, arrays) => {
      const target = path(kind, hash)
      try {
        return { path: target, bytes: writeAtomically(join(folder, 'tmp'), target, encodeStored(meta, arrays)) }
      } catch {
        return undefined
      }
    },
  }
}

export function readStored<M>(path: string): Stored<M> | undefined {
  if (!existsSync(path)) return undefined
  try {
    return decode<M>(readFileSync(path))
  } catch {
    return undefined
  }
}

function decode<M>(file: Buffer): Stored<M> | undefined {
  if (file.length < MAGIC.length + 4 || !file.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const headerLength = file.readUInt32LE(MAGIC.length)
  const headerEnd = MAGIC.length + 4 + headerLength
  if (headerEnd > file.length) return undefined
  const header = JSON.parse(file.toString('utf8', MAGIC.length + 4, headerEnd)) as Header
  const start = padded(headerEnd)
  if (digestOf(header).update(file.subarray(start)).digest('hex') !== header.digest) return undefined
  const arrays: Record<string, Float64Array | Float32Array | Int32Array | Uint8Array> = {}
  let offset = start
  for (const { name, type, length } of header.arrays) {
    const Type = TYPES[type]
    const bytes = length * Type.BYTES_PER_ELEMENT
    // A copy of its own: the file's buffer may not be aligned, and is dropped as a whole.
    const copy = new Uint8Array(bytes)
    copy.set(file.subarray(offset, offset + bytes))
    arrays[name] = new Type(copy.buffer)
    offset += padded(bytes)
  }
  return { meta: header.meta as M, arrays, bytes: file.length }
}

/** One file outside the cache: written beside its place, in a folder that exists, and renamed. */
export function writeStored<M>(target: string, meta: M, arrays: Arrays): void {
  writeWhole(`${target}.${process.pid}.part`, target, encodeStored(meta, arrays))
}

/** A file's bytes, in parts. */
export function encodeStored<M>(meta: M, arrays: Arrays): Uint8Array[] {
  const entries = Object.entries(arrays)
  const described = { meta, arrays: entries.map(([name, array]) => ({ name, type: typeOf(array), length: array.length })) }
  const digest = digestOf(described)
  const parts: Uint8Array[] = []
  for (const [, array] of entries) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const rest = new Uint8Array(padded(bytes.length) - bytes.length)
    digest.update(bytes).update(rest)
    parts.push(bytes, rest)
  }
  const header: Header = { ...described, digest: digest.digest('hex') }
  const json = Buffer.from(JSON.stringify(header), 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  const head = MAGIC.length + 4 + json.length
  return [MAGIC, length, json, new Uint8Array(padded(head) - head), ...parts]
}

const digestOf = ({ meta, arrays }: Omit<Header, 'digest'>) => createHash('sha256').update(JSON.stringify([meta, arrays]))

let serial = 0

/** Writes `parts` to a temporary file in a folder on the same disk, syncs it and renames it to `target`. */
export function writeAtomically(temporaryFolder: string, target: string, parts: readonly Uint8Array[]): number {
  const temporary = join(temporaryFolder, `${process.pid}-${serial++}-${Math.random().toString(36).slice(2)}`)
  // Node's recursive mkdir never returns below /proc, where a folder exists and no folder can be made; so only what is missing is made.
  for (const folder of [temporaryFolder, dirname(target)]) if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
  return writeWhole(temporary, target, parts)
}

function writeWhole(temporary: string, target: string, parts: readonly Uint8Array[]): number {
  let bytes = 0
  const file = openSync(temporary, 'wx')
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += writeSync(file, part, at)
      bytes += part.length
    }
    fsyncSync(file)
  } catch (reason) {
    closeSync(file)
    rmSync(temporary, { force: true })
    throw reason
  }
  closeSync(file)
  try {
    renameSync(temporary, target)
  } catch (reason) {
    rmSync(temporary, { force: true })
    throw reason
  }
  return bytes
}

const padded = (bytes: number) => Math.ceil(bytes / 8) * 8
const typeOf = (array: Arrays[string]): TypeName =>
  array instanceof Float64Array ? 'f64' : array instanceof Float32Array ? 'f32' : array instanceof Int32Array ? 'i32' : 'u8'
