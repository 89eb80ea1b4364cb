import type { Outcome } from '../engine/events.ts'
import { Cancelled } from '../methods/cancel.ts'
import { planFor } from '../plan/plan-for.ts'
import type { BackendInfo, ResultFile } from '../protocol/results.ts'
import { viewsOf } from '../report/views.ts'
import { withNeeds } from './asked.ts'
import { dataProblems } from './data-problems.ts'
import { elsewhereCode, exitCodeOf } from './exit-code.ts'
import { absolute, shownPath } from './inputs.ts'
import type { Io } from './io.ts'
import { opened } from './opened.ts'
import { printProblems, writeReport } from './output.ts'
import { showProgress } from './progress.ts'
import { sarifFacts } from './sarif.ts'
import { nothingDeclared } from './sentences.ts'
import { inSession } from './session.ts'
import type { Settings } from './settings.ts'

/** `assay run FILE [NAME…]`: what was asked for and what it needs, or all that can be run. */
export async function runCommand(file: string, names: readonly string[], settings: Settings, io: Io): Promise<number> {
  return inSession(file, settings, io, async (session) => {
    const spec = await opened(session, file, names)
    if (typeof spec === 'number') return spec
    const { loaded, problems } = spec
    const { plans, refused } = planFor(loaded.spec, names.length > 0 ? names : undefined, { seed: settings.seed })
    const progress = showProgress(io.err)
    let backend: BackendInfo | null = null
    const finished: Outcome[] = []
    let outcomes: readonly Outcome[] = []
    try {
      if (plans.length > 0) {
        outcomes = await session.engine().run(plans, (event) => {
          if (event.kind === 'backend') backend = event.backend
          if (event.kind === 'finished') finished.push(event.outcome)
          progress.handle(event)
        })
      }
    } catch (reason) {
      // What had finished, and what is certain of the rest, is not lost; the exit code tells that there is more.
      if (!(reason instanceof Cancelled) || !finished.some(({ result }) => result.status === 'partial')) throw reason
      outcomes = finished
    } finally {
      progress.end()
    }
    const shown = shownPath(io.cwd, new Map([[absolute(io.cwd, file), file]]))
    const found = dataProblems(
      outcomes.map((one) => one.result),
      loaded,
      shown,
    )
    const all = [...outcomes, ...refused.map((result): Outcome => ({ result, pictures: {} }))]
    const results = all.map((outcome) => outcome.result)
    const texts = new Map(loaded.files.map(({ path, text }) => [path, text]))
    const result: ResultFile = { schema: 'assay-result/1', file, backend, results, problems: [...problems, ...found] }
    if (results.length === 0) io.err.write(`${nothingDeclared(file)}\n`)
    if (settings.format === 'html' || settings.out !== undefined) printProblems(result.problems, io)
    const facts =
      settings.format === 'sarif' ? await sarifFacts(results, loaded, { cwd: io.cwd, shown, engine: session.engine }) : undefined
    await writeReport({ file: result, views: viewsOf(all, loaded.spec, texts), facts }, settings, io)
    const code = exitCodeOf(results, refused, names.length > 0 ? withNeeds(loaded, names) : undefined)
    return Math.max(code, elsewhereCode(results, names))
  })
}
