import { allReadings } from '../check/readings.ts'
import { isMissing, rememberReadings } from '../engine/absent-rows.ts'
import type { Outcome } from '../engine/events.ts'
import { handedSchemas } from '../engine/handed-model.ts'
import { planFor } from '../plan/plan-for.ts'
import type { BackendInfo, ResultFile } from '../protocol/results.ts'
import { viewsOf } from '../report/views.ts'
import { cacheFolder } from '../workspace/folder.ts'
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
import { inSession, type Session } from './session.ts'
import type { Settings } from './settings.ts'

/** `assay index FILE MODEL`: computes and stores a model's debugging index, or hands it over. */
export async function indexCommand(file: string, name: string, settings: Settings, io: Io): Promise<number> {
  return inSession(file, settings, io, async (session) => {
    const place = (path: string | undefined) => (path === undefined ? undefined : absolute(io.cwd, path))
    const handed = place(settings.import)
    if (handed !== undefined) await acceptSchemas(session, file, handed)
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
      const files = { export: place(settings.export), rows: settings.rows, import: handed, rank: place(settings.rank) }
      try {
        outcome = await session.engine().index(
          plan,
          plan.name,
          (event) => {
            if (event.kind === 'backend') backend = event.backend
            progress.handle(event)
          },
          files,
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

/** Where the files that the model learned from are missing, what is handed over says which columns they had: the spec can then be checked. */
async function acceptSchemas(session: Session, file: string, handed: string): Promise<void> {
  const path = absolute(session.io.cwd, file)
  const { files } = await session.load(file)
  const missing = allReadings(new Map(files.map((one) => [one.path, one])), path).filter(({ reading }) => isMissing(reading))
  const folder = cacheFolder(path, session.io.env)
  if (missing.length === 0 || folder === undefined) return
  const known = handedSchemas(handed)
  const readings = missing.flatMap(({ name, reading }) => {
    const found = known.find((one) => one.name.toLowerCase() === name.toLowerCase())
    return found ? [{ reading, schema: found.schema, hash: found.hash }] : []
  })
  if (readings.length > 0) rememberReadings(folder, readings)
}
