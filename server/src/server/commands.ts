import { fold, sameName } from '../check/names.ts'
import { blocking, unknownNames, withNeeds } from '../cli/asked.ts'
import { dataProblems } from '../cli/data-problems.ts'
import { noCacheFolder } from '../cli/sentences.ts'
import type { Outcome, RunEvent } from '../engine/events.ts'
import { planFor } from '../plan/plan-for.ts'
import type { CancelArguments, PreviewArguments, ResultArguments, RunArguments } from '../protocol/messages.ts'
import type { ReportedProblem, Result, ResultFile } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { viewsOf } from '../report/views.ts'
import { projectRoot } from '../workspace/folder.ts'
import type { Loaded } from '../workspace/load.ts'
import { reportedProblems } from '../workspace/reported.ts'
import { problemsOf, type Snapshot } from '../workspace/snapshot.ts'
import type { Following } from './background.ts'
import { previewOf } from './preview.ts'
import { pathOf } from './spec-files.ts'
import { Unable } from './unable.ts'
import type { Workspace } from './workspace.ts'

/** What can be asked to be done, for any editor: each answers `assay-result/1`, and fails in a sentence. */
export async function runDeclarations(workspace: Workspace, args: RunArguments, following: Following): Promise<ResultFile> {
  const ready = await untilStopped(workspace, args, following)
  if (ready === 'stopped') return cancelledBefore(workspace, args)
  const { snapshot, loaded, names, problems } = ready
  if ('stop' in problems) return file(snapshot.path, [], problems.stop)
  const options = workspace.engineOptions(snapshot.path)
  if (options === undefined) throw new Unable(noCacheFolder(projectRoot(snapshot.path)))
  const { plans, refused } = planFor(loaded.spec, names, { seed: args.seed })
  const follow = (event: RunEvent) => {
    if (event.kind === 'finished') workspace.results.keep(snapshot.path, event.outcome)
    following.handle(event)
  }
  const nothing = { outcomes: [], backend: null }
  const { outcomes, backend } =
    plans.length === 0 ? nothing : await workspace.runs.run({ path: snapshot.path, plans, options, follow, onCancel: following.onCancel })
  const results = outcomes.map((one) => one.result)
  for (const outcome of outcomes) if (outcome.result.status !== 'cancelled') workspace.results.keep(snapshot.path, outcome)
  workspace.touch()
  const found = dataProblems(results, loaded, (path) => path)
  const asked = names === undefined ? undefined : withNeeds(loaded, names)
  const shown = asked ? refused.filter((one) => asked.has(one.name.toLowerCase())) : refused
  return { ...file(snapshot.path, [...results, ...shown], [...problems.found, ...found]), backend }
}

/** What is asked for before schemas are known can be stopped too: nobody waits for a database that is only being loaded. */
async function untilStopped(workspace: Workspace, args: RunArguments, following: Following): Promise<Opened | 'stopped'> {
  let stop = () => {}
  const stopped = new Promise<'stopped'>((resolve) => {
    stop = () => resolve('stopped')
  })
  following.onCancel(stop)
  const opening = { path: pathOf(args.uri), names: args.names, stop }
  workspace.opening.add(opening)
  try {
    return await Promise.race([opened(workspace, args), stopped])
  } finally {
    workspace.opening.delete(opening)
  }
}

/** Of what was asked for by name: as long as schemas are not known, nobody knows what else it would have needed. */
function cancelledBefore(workspace: Workspace, args: RunArguments): ResultFile {
  const snapshot = existing(workspace, args.uri)
  const results = (args.names ?? []).flatMap((name): Result[] => {
    const found = snapshot.checked.reached.get(fold(name))
    if (found === undefined) return []
    const provenance = { dataHash: '', planHash: '', seed: 0, rows: 0, elapsedMs: 0 }
    return [{ kind: found.decl.kind, name: found.name, status: 'cancelled', provenance } as Result]
  })
  return file(snapshot.path, results, reported(snapshot))
}

export async function planDeclarations(workspace: Workspace, args: RunArguments): Promise<ResultFile> {
  const { snapshot, loaded, names, problems } = await opened(workspace, args)
  if ('stop' in problems) return file(snapshot.path, [], problems.stop)
  const { plans, refused } = planFor(loaded.spec, names, { seed: args.seed })
  const wanted = names && new Set(names.map((name) => name.toLowerCase()))
  const planned = plans
    .filter((plan) => wanted === undefined || wanted.has(plan.name.toLowerCase()))
    .map((plan) => {
      const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs: 0 }
      return { kind: plan.kind, name: plan.name, status: 'planned', provenance, steps: plan.steps } as Result
    })
  const shown = refused.filter((one) => wanted === undefined || wanted.has(one.name.toLowerCase()))
  return file(snapshot.path, [...planned, ...shown], problems.found)
}

export function cancelRuns(workspace: Workspace, args: CancelArguments): number {
  const path = pathOf(args.uri)
  let n = 0
  for (const { path: of, names, stop } of workspace.opening) {
    const meant = args.name === undefined || !names?.length || names.some((name) => sameName(name, args.name!))
    if (of !== path || !meant) continue
    stop()
    n++
  }
  return n + workspace.runs.cancel(path, args.name)
}

/** The last results that still say something about what is declared; those of one name, or all. */
export async function lastResults(workspace: Workspace, args: ResultArguments): Promise<ResultFile> {
  // By their plans, which say what columns there are: after a start these are known only now.
  await workspace.ready(pathOf(args.uri))
  const snapshot = existing(workspace, args.uri)
  return file(
    snapshot.path,
    outcomesOf(workspace, snapshot, args.name).map((one) => one.result),
    reported(snapshot),
  )
}

export function viewOf(workspace: Workspace, args: ResultArguments): View | undefined {
  const snapshot = existing(workspace, args.uri)
  const texts = new Map([...snapshot.files.values()].map((one) => [one.path, one.text]))
  return viewsOf(outcomesOf(workspace, snapshot, args.name).slice(0, 1), snapshot.checked.spec, texts)[0]
}

export async function previewRows(workspace: Workspace, args: PreviewArguments, following: Following): Promise<ResultFile> {
  const { snapshot, view } = await previewOf(workspace, args, following)
  return file(snapshot.path, [view.result], [])
}

function outcomesOf(workspace: Workspace, snapshot: Snapshot, name: string | undefined): Outcome[] {
  const { spec } = snapshot.checked
  const folder = workspace.folderOf(snapshot.path)
  const names = name === undefined ? spec.declarations.map((one) => one.name) : [name]
  return names.map((one) => workspace.results.outcome(spec, one, folder)).filter((one) => one !== undefined)
}

interface Opened {
  readonly snapshot: Snapshot
  readonly loaded: Loaded
  readonly names: readonly string[] | undefined
  /** `stop`: errors in what was asked for, or in what it needs; nothing is computed. */
  readonly problems:
    | { readonly found: readonly ReportedProblem[] }
    | { readonly stop: readonly ReportedProblem[]; readonly found: readonly ReportedProblem[] }
}

async function opened(workspace: Workspace, args: RunArguments): Promise<Opened> {
  if (!workspace.trusted) throw new Unable('This workspace is not trusted: nothing is run and no data is read until it is.')
  const path = pathOf(args.uri)
  const snapshot = await workspace.ready(path)
  if (snapshot === undefined) throw new Unable(`There is no readable spec at \`${path}\`.`)
  const names = args.names && args.names.length > 0 ? args.names : undefined
  const loaded: Loaded = {
    path,
    files: [...snapshot.files.values()],
    spec: snapshot.checked.spec,
    problems: problemsOf(snapshot).map((problem) => ({ ...problem, path })),
  }
  const found = reported(snapshot)
  const unknown = unknownNames(loaded, names ?? [], path)
  if (unknown.length > 0) return { snapshot, loaded, names, problems: { stop: unknown, found } }
  if (blocking(loaded, names ?? []).length > 0) return { snapshot, loaded, names, problems: { stop: found, found } }
  return { snapshot, loaded, names, problems: { found } }
}

export function existing(workspace: Workspace, uri: string): Snapshot {
  const path = pathOf(uri)
  const snapshot = workspace.snapshot(path)
  if (snapshot === undefined) throw new Unable(`There is no readable spec at \`${path}\`.`)
  return snapshot
}

function reported(snapshot: Snapshot): ReportedProblem[] {
  const problems = problemsOf(snapshot).map((problem) => ({ ...problem, path: snapshot.path }))
  return reportedProblems({ files: [...snapshot.files.values()], problems }, (path) => path)
}

function file(path: string, results: readonly Result[], problems: readonly ReportedProblem[]): ResultFile {
  return { schema: 'assay-result/1', file: path, backend: null, results, problems }
}
