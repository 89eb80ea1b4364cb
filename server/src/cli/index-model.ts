import type { Outcome } from '../engine/events.ts'
import { planFor } from '../plan/plan-for.ts'
import type { BackendInfo, ResultFile } from '../protocol/results.ts'
import { viewsOf } from '../report/views.ts'
import { withNeeds } from './asked.ts'
import { problemFile } from './check.ts'
import { dataProblems } from './data-problems.ts'
import { exitCodeOf } from './exit-code.ts'
import { absolute, shownPath, wholeFile } from './inputs.ts'
import { EXIT, type Io } from './io.ts'
import { opened } from './opened.ts'
import { writeProblems, writeReport } from './output.ts'
import { showProgress } from './progress.ts'
import { notAModel } from './sentences.ts'
import { inSession } from './session.ts'
import type { Settings } from './settings.ts'

/** `assay index FILE MODEL`: computes and stores a model's debugging index, or hands it over. */
export async function indexCommand(file: string, name: string, settings: Settings, io: Io): Promise<number> {
  return inSession(file, settings, io, async (session) => {
    const spec = await opened(session, file, [name])
    if (typeof spec === 'number') return spec
    const { loaded, problems } = spec
    const declaration = loaded.spec.declarations.find((d) => d.name.toLowerCase() === name.toLowerCase())
    if (declaration && declaration.kind !== 'model') {
      await writeProblems(
        problemFile([file], [wholeFile(file, 'not-a-model', notAModel(declaration.name, declaration.kind))]),
        settings,
        io,
      )
      return EXIT.wrong
    }
    const { plans, refused } = planFor(loaded.spec, [name], { seed: settings.seed })
    const plan = plans.find((one) => one.kind === 'model' && one.name.toLowerCase() === name.toLowerCase())
    let backend: BackendInfo | null = null
    let outcome: Outcome | undefined
    if (plan) {
      const progress = showProgress(io.err)
      const place = (path: string | undefined) => (path === undefined ? undefined : absolute(io.cwd, path))
      const handOver = { export: place(settings.export), import: place(settings.import) }
      try {
        outcome = await session.engine().index(
          plan,
          plan.name,
          (event) => {
            if (event.kind === 'backend') backend = event.backend
            progress.handle(event)
          },
          settings.export || settings.import ? handOver : undefined,
        )
      } finally {
        progress.end()
      }
    }
    const outcomes = outcome ? [outcome] : []
    const all = [...outcomes, ...refused.map((result): Outcome => ({ result, pictures: {} }))]
    const found = dataProblems(
      outcomes.map((one) => one.result),
      loaded,
      shownPath(io.cwd, new Map([[absolute(io.cwd, file), file]])),
    )
    const results = all.map((one) => one.result)
    const result: ResultFile = { schema: 'assay-result/1', file, backend, results, problems: [...problems, ...found] }
    const texts = new Map(loaded.files.map(({ path, text }) => [path, text]))
    await writeReport({ file: result, views: viewsOf(all, loaded.spec, texts) }, settings, io)
    return exitCodeOf(results, refused, withNeeds(loaded, [name]))
  })
}
