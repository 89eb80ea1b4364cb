import { findFiles } from '../data/files.ts'
import { type Described, schemaReader } from '../workspace/schemas.ts'
import type { Snapshot } from '../workspace/snapshot.ts'
import type { Background } from './background.ts'

type Reading = Snapshot['readings'][number]['reading']

/** Schemas as far as they are known. Whoever types reads `known` and waits for nothing; `refresh` asks in the background. */
export interface SchemaBook {
  known(reading: Reading): Described | undefined
  /** Asks again about what is new or was last asked a while ago; whether anything is known otherwise than before. */
  refresh(readings: readonly Reading[], options?: { readonly force: boolean }): Promise<boolean>
}

const againAfterMs = 2000

export function schemaBook(background: Background, folder: string | undefined, now: () => number = () => performance.now()): SchemaBook {
  const answers = new Map<string, { readonly described: Described; readonly askedMs: number }>()
  const read = schemaReader({ describe: background.describe, fingerprint: fingerprintOf }, folder)
  return {
    known: (reading) => answers.get(JSON.stringify(reading))?.described,
    async refresh(readings, options) {
      const time = now()
      const due = readings.filter((reading) => {
        const known = answers.get(JSON.stringify(reading))
        return options?.force || known === undefined || time - known.askedMs > againAfterMs
      })
      if (due.length === 0) return false
      const found = await read(due)
      let changed = false
      for (const [i, reading] of due.entries()) {
        const key = JSON.stringify(reading)
        const described = found[i]!
        if (JSON.stringify(answers.get(key)?.described) !== JSON.stringify(described)) changed = true
        answers.set(key, { described, askedMs: now() })
      }
      return changed
    },
  }
}

export function filesOf(reading: Reading): readonly { readonly path: string; readonly bytes: number; readonly modifiedMs: number }[] {
  const paths = reading.kind === 'file' ? [reading.path] : [reading.images, ...(reading.labels ? [reading.labels] : [])]
  return paths.flatMap((path) => findFiles(path))
}

function fingerprintOf(reading: Reading): string | undefined {
  try {
    return JSON.stringify(filesOf(reading).map((file) => [file.path, file.bytes, file.modifiedMs]))
  } catch {
    return undefined
  }
}
