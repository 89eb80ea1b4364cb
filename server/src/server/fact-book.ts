import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from '../engine/cache.ts'
import type { Plan } from '../plan/plan.ts'
import type { SourceFacts } from '../protocol/facts.ts'
import type { Background } from './background.ts'
import { filesOf } from './schema-book.ts'

/** What was found out about sources, by their plan and the size and time of their files: in this session, and before it under `.assay/facts`. */
export interface FactBook {
  /** Never waits: what is not known is looked for in the background, one source after another, and `done` is called when it is there. */
  of(plan: Plan, done: () => void): SourceFacts | 'counting' | undefined
}

export function factBook(background: Background, folder: string): FactBook {
  const known = new Map<string, SourceFacts | 'counting' | undefined>()
  let tail: Promise<unknown> = Promise.resolve()
  return {
    of(plan, done) {
      const state = stateOf(plan)
      if (state === undefined) return undefined
      if (known.has(state)) return known.get(state)
      const path = join(folder, 'facts', `${state}.json`)
      const stored = read(path)
      known.set(state, stored ?? 'counting')
      if (stored) return stored
      tail = tail.then(async () => {
        try {
          const facts = await background.profile(plan)
          known.set(state, facts)
          writeAtomically(join(folder, 'tmp'), path, [Buffer.from(JSON.stringify(facts))])
        } catch {
          // What cannot be read, or kept: nothing is known, or known only to this session. It is not tried at every glance.
          if (known.get(state) === 'counting') known.set(state, undefined)
        }
        done()
      })
      return 'counting'
    },
  }
}

function stateOf(plan: Plan): string | undefined {
  try {
    const files = plan.sources.flatMap((source) => (source.reading ? filesOf(source.reading) : []))
    const parts = JSON.stringify([plan.hash, files.map((file) => [file.path, file.bytes, file.modifiedMs])])
    return createHash('sha256').update(parts).digest('hex').slice(0, 24)
  } catch {
    return undefined
  }
}

function read(path: string): SourceFacts | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SourceFacts
  } catch {
    return undefined
  }
}
