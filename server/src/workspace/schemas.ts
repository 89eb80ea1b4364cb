import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Reading, Schema } from '../sql/tree.ts'

/** A reading's columns, or why they cannot be had. */
export type Described =
  | { readonly schema: Schema }
  | { readonly problem: { readonly code: string; readonly message: string; readonly hint?: string } }

/** What the workspace asks of the outside: the engine's description of readings, and what tells one state of their files from another. */
export interface DataAccess {
  describe(readings: readonly Reading[]): Promise<readonly Described[]>
  /** Paths, sizes and times of the reading's files as text; undefined where they cannot be told (then nothing is cached). */
  fingerprint(reading: Reading): string | undefined
}

/**
 * Describes readings, asking only for what has changed since it was last asked: by the files' sizes and times, in memory and under
 * `folder/schemas` (none: in memory alone). Problems are never cached. One call of `describe` for all that is missing.
 */
export function schemaReader(
  access: DataAccess,
  folder: string | undefined,
): (readings: readonly Reading[]) => Promise<readonly Described[]> {
  const memory = new Map<string, Schema>()
  return async (readings) => {
    const names = readings.map((reading) => nameOf(reading, access.fingerprint(reading)))
    const known = names.map((name) => (name === undefined ? undefined : (memory.get(name) ?? stored(folder, name))))
    const missing = readings.flatMap((_, i) => (known[i] ? [] : [i]))
    const asked = missing.length > 0 ? await access.describe(missing.map((i) => readings[i]!)) : []
    const answers = new Map(missing.map((i, at) => [i, asked[at]!]))
    return readings.map((_, i) => {
      const answer: Described = answers.get(i) ?? { schema: known[i]! }
      const name = names[i]
      if (name !== undefined && 'schema' in answer) {
        memory.set(name, answer.schema)
        if (answers.has(i)) store(folder, name, answer.schema)
      }
      return answer
    })
  }
}

/** Raised whenever the same file would be read otherwise than before. */
const version = 2

function nameOf(reading: Reading, fingerprint: string | undefined): string | undefined {
  if (fingerprint === undefined) return undefined
  return createHash('sha256')
    .update(JSON.stringify([version, reading, fingerprint]))
    .digest('hex')
    .slice(0, 24)
}

function pathOf(folder: string, name: string): string {
  return join(folder, 'schemas', `${name}.json`)
}

function stored(folder: string | undefined, name: string): Schema | undefined {
  if (folder === undefined) return undefined
  try {
    const { digest, schema } = JSON.parse(readFileSync(pathOf(folder, name), 'utf8')) as { digest: string; schema: Schema }
    return digest === digestOf(schema) ? schema : undefined
  } catch {
    return undefined
  }
}

function store(folder: string | undefined, name: string, schema: Schema): void {
  if (folder === undefined) return
  const target = pathOf(folder, name)
  const temporary = join(folder, 'tmp', `${process.pid}-${randomUUID()}`)
  try {
    mkdirSync(dirname(target), { recursive: true })
    mkdirSync(dirname(temporary), { recursive: true })
    writeFileSync(temporary, JSON.stringify({ digest: digestOf(schema), schema }))
    renameSync(temporary, target)
  } catch {
    // A cache that cannot be written costs time, nothing else.
    rmSync(temporary, { force: true })
  }
}

function digestOf(schema: Schema): string {
  return createHash('sha256').update(JSON.stringify(schema)).digest('hex')
}
