import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reading } from '../sql/tree.ts'
import { type FoundFile, findFiles } from './files.ts'
import { fileProblem } from './reading.ts'

export interface HashedFile extends FoundFile {
  /** sha256 of its bytes, hexadecimal. */
  readonly hash: string
}
export interface DataHash {
  /** Of the contents in the order of reading; paths and times do not count, so that a moved folder keeps its results. */
  readonly hash: string
  readonly files: readonly HashedFile[]
}

/**
 * What a reading's files hold, as a hash. `cacheFile` remembers hashes by path, size and time of change; it is replaced as a whole, and one that cannot
 * be read or written costs time only. O(bytes) at first, O(files) afterwards.
 */
export async function hashReading(reading: Reading, cacheFile: string | undefined): Promise<DataHash> {
  const paths = reading.kind === 'file' ? [reading.path] : [reading.images, ...(reading.labels === undefined ? [] : [reading.labels])]
  return hashFiles(
    paths.flatMap((path) => findFiles(path)),
    cacheFile,
  )
}

export async function hashFiles(files: readonly FoundFile[], cacheFile: string | undefined): Promise<DataHash> {
  const known = cacheFile === undefined ? new Map<string, Remembered>() : readCache(cacheFile)
  const hashed: HashedFile[] = []
  let changed = false
  for (const file of files) {
    const remembered = known.get(file.path)
    if (remembered && remembered.bytes === file.bytes && remembered.modifiedMs === file.modifiedMs) {
      hashed.push({ ...file, hash: remembered.hash })
      continue
    }
    const hash = await hashFile(file.path)
    hashed.push({ ...file, hash })
    // A file that is being written may change again without its time or size showing it.
    const now = statSync(file.path, { throwIfNoEntry: false })
    if (now?.size !== file.bytes || now.mtimeMs !== file.modifiedMs || Date.now() - file.modifiedMs < SETTLED_MS) continue
    known.set(file.path, { bytes: file.bytes, modifiedMs: file.modifiedMs, hash })
    changed = true
  }
  if (changed && cacheFile !== undefined) writeCache(cacheFile, known)
  const all = createHash('sha256')
  for (const file of hashed) all.update(`${file.bytes}:${file.hash}\n`)
  return { hash: all.digest('hex'), files: hashed }
}

/** Some file systems keep times to two seconds. */
const SETTLED_MS = 2000

interface Remembered {
  readonly bytes: number
  readonly modifiedMs: number
  readonly hash: string
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Buffer)
  } catch (error) {
    throw fileProblem(path, error)
  }
  return hash.digest('hex')
}

function readCache(path: string): Map<string, Remembered> {
  const known = new Map<string, Remembered>()
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'))
    for (const [name, value] of Object.entries(stored as Record<string, unknown>)) if (isRemembered(value)) known.set(name, value)
  } catch {
    return new Map()
  }
  return known
}

function writeCache(path: string, known: ReadonlyMap<string, Remembered>): void {
  const temporary = `${path}.${randomUUID()}`
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(known)))
    renameSync(temporary, path)
  } catch {
    removeIfThere(temporary)
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Its folder is not there either.
  }
}

function isRemembered(value: unknown): value is Remembered {
  const { bytes, modifiedMs, hash } = (value ?? {}) as Partial<Remembered>
  return typeof bytes === 'number' && typeof modifiedMs === 'number' && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)
}
