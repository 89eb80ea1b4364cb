import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { openEngine } from '../../server/src/engine/engine.ts'
import type { Outcome, RunEvent } from '../../server/src/engine/events.ts'
import type { Plan } from '../../server/src/plan/plan.ts'
import { planFor } from '../../server/src/plan/plan-for.ts'
import type { Result } from '../../server/src/protocol/results.ts'
import { loadSpec } from '../../server/src/workspace/load.ts'

/**
 * A spec over small files, run from text to results in this process on the float64 reference engine: the door for tests of plans and of the engine.
 */
export interface Toy {
  readonly results: readonly Result[]
  readonly outcomes: readonly Outcome[]
  readonly plans: readonly Plan[]
  readonly refused: readonly Result[]
  readonly problems: readonly { readonly code: string; readonly message: string }[]
  readonly events: readonly RunEvent[]
  readonly folder: string
  /** The one result of that name. */
  of<K extends Result['kind']>(kind: K, name: string): Extract<Result, { kind: K }>
}

const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function toyFolder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-toy-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

export interface ToyOptions {
  readonly names?: readonly string[]
  readonly seed?: number
  readonly engine?: string
  /** Run in a folder that exists already, and use its cache. */
  readonly folder?: string
  /** Slices of larger tables are searched by the database. */
  readonly inMemoryRows?: number
  /** Larger indexes are ranked from their files. */
  readonly inMemoryIndexBytes?: number
}

export async function runToy(text: string, files: Readonly<Record<string, string | Uint8Array>>, options: ToyOptions = {}): Promise<Toy> {
  const folder = options.folder ?? toyFolder(files)
  writeFileSync(join(folder, 'toy.assay'), text)
  const engine = openEngine({
    folder: join(folder, '.assay'),
    engine: options.engine ?? 'reference',
    threads: 1,
    inMemoryRows: options.inMemoryRows,
    inMemoryIndexBytes: options.inMemoryIndexBytes,
  })
  try {
    const loaded = await loadSpec(join(folder, 'toy.assay'), {
      read: (path) => readFileSync(path, 'utf8'),
      describe: (readings) => engine.describe(readings),
    })
    const { plans, refused } = planFor(loaded.spec, options.names, { seed: options.seed })
    const events: RunEvent[] = []
    const outcomes = await engine.run(plans, (event) => events.push(event))
    const results = outcomes.map((o) => o.result)
    return {
      results,
      outcomes,
      plans,
      refused,
      problems: loaded.problems,
      events,
      folder,
      of: (kind, name) => {
        const found = results.find((r) => r.kind === kind && r.name === name)
        if (!found) throw new Error(`no result ${kind} ${name}; problems: ${loaded.problems.map((p) => p.message).join(' ')}`)
        return found as never
      },
    }
  } finally {
    await engine.close()
  }
}
