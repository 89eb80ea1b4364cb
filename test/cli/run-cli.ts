import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../server/src/cli.ts'
import type { Engine, Outcome } from '../../server/src/engine/events.ts'
import type { Plan } from '../../server/src/plan/plan.ts'
import type { Result } from '../../server/src/protocol/results.ts'
import type { Schema } from '../../server/src/sql/tree.ts'

/** What the fake engine makes of each declaration: members of its result, by name; `ok` where none is given. */
export type Answers = Readonly<Record<string, Partial<Result> & Record<string, unknown>>>
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Plans that reached the engine, by name. */
  readonly plans: readonly string[]
  readonly folder: string
}

const number = { type: 'number', sqlType: 'DOUBLE' } as const
export const schema: Schema = [
  { name: 'name', type: 'text', sqlType: 'VARCHAR' },
  { name: 'age', ...number },
  { name: 'income', ...number },
]

/** The command line in this process on files in a folder of its own, with an engine that computes nothing. */
export async function runCli(args: readonly string[], files: Readonly<Record<string, string>>, answers: Answers = {}): Promise<Ran> {
  const folder = madeFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const out: string[] = []
  const err: string[] = []
  const plans: string[] = []
  const sink = (lines: string[]) => ({ write: (text: string) => void lines.push(text), columns: undefined })
  const code = await main(args, {
    cwd: folder,
    env: {},
    out: sink(out),
    err: sink(err),
    startEngine: () => fakeEngine(answers, plans),
    onInterrupt: () => () => {},
    exit: () => {},
  })
  return { code, out: out.join(''), err: err.join(''), plans, folder }
}

let base: string | undefined
let folders = 0
/** A folder with a cache of its own; all of them go when the tests are done. */
export function madeFolder(): string {
  if (base === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'assay-cli-'))
    base = made
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  const folder = join(base, String(folders++))
  mkdirSync(join(folder, '.assay'), { recursive: true })
  return folder
}

function fakeEngine(answers: Answers, ran: string[]): Engine {
  const outcome = (plan: Plan, kind: string = plan.kind): Outcome => {
    ran.push(plan.name)
    const provenance = { dataHash: 'd', planHash: plan.hash, seed: plan.seed, rows: 3, elapsedMs: 1 }
    return { result: { kind, name: plan.name, status: 'ok', provenance, ...answers[plan.name] } as Result, pictures: {} }
  }
  return {
    describe: async (readings) =>
      readings.map((reading) =>
        reading.kind === 'file' && reading.path.includes('missing')
          ? { problem: { code: 'missing-file', message: 'There is no file `missing.csv`.' } }
          : { schema },
      ),
    run: async (plans, emit) => {
      emit({ kind: 'backend', backend: { name: 'fake', device: 'none', selfTest: 'passed' }, tried: [] })
      return plans.map((plan) => outcome(plan))
    },
    index: async (plan, model) => outcome({ ...plan, name: model }, 'index'),
    follow: async () => ({ kind: 'idle' }),
    positions: async ({ keys }) => keys.map(() => null),
    preview: async (plan) => outcome(plan),
    profile: () => Promise.reject(new Error('the command line shows no facts')),
    cancel: () => {},
    close: async () => {},
  }
}
