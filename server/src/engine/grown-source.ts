import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { hashReading } from '../data/data-hash.ts'
import type { Reading } from '../sql/tree.ts'
import { writeAtomically } from './cache.ts'
import { digest, type RunContext } from './context.ts'

/**
 * Files that have only grown since they were last read: what was computed of their old rows still holds (R++ §5.2). A text file (CSV, TSV, JSON lines, not
 * compressed) whose beginning is byte for byte what it was and ended with a line; or a list of files, of any format, that begins with the old ones.
 */
export interface Grown {
  /** The old data's hash, and how many of the rows are its. */
  readonly hash: string
  readonly rows: number
}

interface Known extends Grown {
  readonly files: readonly { readonly bytes: number; readonly hash: string }[]
}

/** `what`: everything that is done to the files. Remembers the present state for the next time. O(bytes of the old files) where something has grown. */
export async function grownSince(ctx: RunContext, reading: Reading, what: string, present: Grown): Promise<Grown | undefined> {
  // A copy that is read for a moment (`growth.ts`) does not grow.
  if (reading.kind === 'file' && reading.path.startsWith(join(ctx.cache.folder, 'tmp'))) return undefined
  const path = `${ctx.cache.folder}/known/${digest(JSON.stringify(reading), what)}.json`
  const before = remembered(path)
  if (before?.hash === present.hash) return before.from
  const { files } = await hashReading(reading, `${ctx.cache.folder}/file-hashes.json`)
  const isGrown = before && before.rows <= present.rows && (await beginsWith(reading, files, before.files))
  const from = isGrown ? { hash: before.hash, rows: before.rows } : undefined
  const known: Known & { from?: Grown } = { ...present, files: files.map(({ bytes, hash }) => ({ bytes, hash })), from }
  try {
    writeAtomically(`${ctx.cache.folder}/tmp`, path, [Buffer.from(JSON.stringify(known))])
  } catch {
    // Not remembered: then everything is computed again.
  }
  return from
}

function remembered(path: string): (Known & { readonly from?: Grown }) | undefined {
  try {
    const known = JSON.parse(readFileSync(path, 'utf8')) as Partial<Known>
    return typeof known.hash === 'string' && Number.isInteger(known.rows) && Array.isArray(known.files) ? (known as Known) : undefined
  } catch {
    return undefined
  }
}

async function beginsWith(
  reading: Reading,
  files: readonly { readonly path: string; readonly bytes: number; readonly hash: string }[],
  old: Known['files'],
): Promise<boolean> {
  if (reading.kind !== 'file' || old.length === 0 || old.length > files.length) return false
  const last = old.length - 1
  if (old.some((file, i) => i < last && files[i]!.hash !== file.hash)) return false
  const [now, then] = [files[last]!, old[last]!]
  if (now.hash === then.hash) return old.length < files.length
  const isText = /^(csv|tsv|jsonl)$/.test(reading.format) && !/\.(gz|zst|bz2)$/i.test(now.path)
  if (!isText || old.length !== files.length || now.bytes <= then.bytes || then.bytes === 0) return false
  return endsLine(now.path, then.bytes) && (await hashOfFirst(now.path, then.bytes)) === then.hash
}

function endsLine(path: string, bytes: number): boolean {
  const file = openSync(path, 'r')
  try {
    const byte = Buffer.alloc(1)
    return readSync(file, byte, 0, 1, bytes - 1) === 1 && byte[0] === 10
  } finally {
    closeSync(file)
  }
}

async function hashOfFirst(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path, { end: bytes - 1, highWaterMark: 1 << 20 })) hash.update(part as Buffer)
  return hash.digest('hex')
}
