import { planFor } from '../plan/plan-for.ts'
import type { Result, ResultFile } from '../protocol/results.ts'
import { viewsOf } from '../report/views.ts'
import { withNeeds } from './asked.ts'
import { exitCodeOf } from './exit-code.ts'
import type { Io } from './io.ts'
import { opened } from './opened.ts'
import { writeReport } from './output.ts'
import { inSession } from './session.ts'
import type { Settings } from './settings.ts'

/** `assay plan FILE NAME`: what a run would do, without doing it. */
export async function planCommand(file: string, name: string, settings: Settings, io: Io): Promise<number> {
  return inSession(file, settings, io, async (session) => {
    const spec = await opened(session, file, [name])
    if (typeof spec === 'number') return spec
    const { loaded, problems } = spec
    const { plans, refused } = planFor(loaded.spec, [name], { seed: settings.seed })
    const planned = plans
      .filter((plan) => plan.name.toLowerCase() === name.toLowerCase())
      .map((plan) => {
        const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs: 0 }
        return { kind: plan.kind, name: plan.name, status: 'planned', provenance, steps: plan.steps } as Result
      })
    const results = [...planned, ...refused]
    const result: ResultFile = { schema: 'assay-result/1', file, backend: null, results, problems }
    const texts = new Map(loaded.files.map(({ path, text }) => [path, text]))
    const outcomes = results.map((one) => ({ result: one, pictures: {} }))
    await writeReport({ file: result, views: viewsOf(outcomes, loaded.spec, texts) }, settings, io)
    return exitCodeOf([], refused, withNeeds(loaded, [name]))
  })
}
