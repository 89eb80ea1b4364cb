import { createReadStream } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import * as problem from './problems.ts'
import { fileProblem } from './reading.ts'

/**
 * Unpacks a file to nowhere, for its checksum: the database takes the first half of a compressed file for the whole of it (DuckDB 1.5.6).
 * O(bytes), off the main thread.
 */
export async function checkGzip(path: string, signal?: AbortSignal): Promise<void> {
  const nowhere = new Writable({ write: (_part, _encoding, done) => done(), highWaterMark: 1 << 20 })
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), createGunzip({ chunkSize: 1 << 18 }), nowhere, { signal })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw problem.notGzip(path)
    throw fileProblem(path, error)
  }
}
