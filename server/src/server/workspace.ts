import type { Spec } from '../check/spec.ts'
import type { Engine, EngineOptions } from '../engine/events.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../plan/plan-for.ts'
import { defaultSettings, type Settings } from '../protocol/messages.ts'
import { cacheFolder } from '../workspace/folder.ts'
import { type Snapshot, takeSnapshot } from '../workspace/snapshot.ts'
import { type Background, openBackground } from './background.ts'
import { type ResultBook, resultBook } from './result-book.ts'
import { makeRuns, type Runs } from './runs.ts'
import { filesOf, type SchemaBook, schemaBook } from './schema-book.ts'
import { type SpecFiles, specFiles } from './spec-files.ts'

/** All that a session knows, and the snapshots taken of it. */
export interface Workspace {
  readonly files: SpecFiles
  readonly results: ResultBook
  readonly runs: Runs
  settings: Settings
  /** Whether data may be read and specs run. */
  trusted: boolean
  folders: readonly string[]
  /** The file as it is now; nothing is waited for. */
  snapshot(path: string): Snapshot | undefined
  /** With schemas asked for anew: before a run. */
  ready(path: string): Promise<Snapshot | undefined>
  /** Asks for schemas in the background; whether a snapshot would now be another. */
  refresh(path: string, options?: { readonly force: boolean }): Promise<boolean>
  /** Called when a count in the background is there. */
  onCounted: () => void
  /** Snapshots of all specs that reach a file. */
  reaching(path: string): Promise<readonly Snapshot[]>
  /** Something changed: snapshots are taken anew. */
  touch(): void
  folderOf(path: string): string | undefined
  engineOptions(path: string): EngineOptions | undefined
  close(): Promise<void>
}

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  startEngine(options: EngineOptions): Engine
}

/** A snapshot is kept no longer than this: files that nobody watches change too. */
const keptMs = 1500
const backgroundMegabytes = 256

export function openWorkspace(host: Host): Workspace {
  const files = specFiles()
  const results = resultBook()
  const runs = makeRuns((options) => host.startEngine(options))
  const places = new Map<string, { readonly background: Background; readonly book: SchemaBook }>()
  const counts = new Map<string, 'counting' | 'done'>()
  const folders = new Map<string, string | undefined>()
  const taken = new Map<string, { readonly snapshot: Snapshot; readonly takenMs: number }>()

  const folderOf = (path: string) => {
    if (!folders.has(path)) folders.set(path, cacheFolder(path, host.env))
    return folders.get(path)
  }
  const placeOf = (path: string) => {
    const folder = folderOf(path)
    if (folder === undefined || !workspace.trusted) return undefined
    let place = places.get(folder)
    if (place === undefined) {
      const options = { folder, engine: 'reference', threads: 1, memoryMegabytes: backgroundMegabytes }
      const background = openBackground(() => host.startEngine(options))
      place = { background, book: schemaBook(background, folder) }
      places.set(folder, place)
    }
    return place
  }
  /** Counts once for each state of the files: what cannot be counted is not tried at every glance. */
  const count = (spec: Spec, name: string): boolean => {
    const place = placeOf(spec.path)
    const plans = place && countable(spec, name)
    const plan = plans?.at(-1)
    if (place === undefined || plans === undefined || plan === undefined) return false
    const key = `${plan.hash} ${newestFile(plan)}`
    if (counts.has(key)) return counts.get(key) === 'counting'
    counts.set(key, 'counting')
    const done = () => {
      counts.set(key, 'done')
      taken.clear()
      workspace.onCounted()
    }
    place.background.count(plans).then((outcomes) => {
      for (const outcome of outcomes) if (outcome.result.status === 'ok') results.keep(spec.path, outcome)
      done()
    }, done)
    return true
  }
  const workspace: Workspace = {
    files,
    results,
    runs,
    settings: defaultSettings,
    trusted: true,
    folders: [],
    onCounted: () => {},
    folderOf,
    snapshot(path) {
      const known = taken.get(path)
      const now = performance.now()
      if (known && now - known.takenMs < keptMs && known.snapshot.version === files.version(path)) return known.snapshot
      const book = placeOf(path)?.book
      const snapshot = takeSnapshot(path, {
        file: files.file,
        described: (reading) => book?.known(reading),
        uri: files.uri,
        version: files.version,
        last: (spec, name) => (workspace.trusted ? results.last(spec, name, folderOf(path)) : undefined),
        count,
      })
      if (snapshot) taken.set(path, { snapshot, takenMs: now })
      else taken.delete(path)
      return snapshot
    },
    async ready(path) {
      await workspace.refresh(path, { force: true })
      taken.delete(path)
      return workspace.snapshot(path)
    },
    async refresh(path, options) {
      const snapshot = workspace.snapshot(path)
      const book = placeOf(path)?.book
      if (!snapshot || !book || snapshot.readings.length === 0) return false
      const changed = await book.refresh(
        snapshot.readings.map((one) => one.reading),
        options,
      )
      if (changed) taken.clear()
      return changed
    },
    async reaching(path) {
      const all = await files.below(workspace.folders)
      return all.flatMap((one) => {
        const mayReach = one === path || (files.file(one)?.ast.imports.length ?? 0) > 0
        const snapshot = mayReach ? workspace.snapshot(one) : undefined
        return snapshot?.files.has(path) ? [snapshot] : []
      })
    },
    touch: () => taken.clear(),
    engineOptions(path) {
      const folder = folderOf(path)
      if (folder === undefined) return undefined
      const { engine, threads, memory } = workspace.settings
      return { folder, engine, threads, memoryMegabytes: memory }
    },
    async close() {
      await Promise.all([runs.close(), ...[...places.values()].map(({ background }) => background.close())])
    },
  }
  return workspace
}

/** What counting a source or a slice takes, itself last; undefined where that needs more than reading. */
function countable(spec: Spec, name: string): readonly Plan[] | undefined {
  try {
    const { plans } = planFor(spec, [name], {})
    const own = plans.at(-1)?.name.toLowerCase() === name.toLowerCase()
    return own && plans.every((plan) => (plan.kind === 'source' || plan.kind === 'slice') && plan.models.length === 0) ? plans : undefined
  } catch {
    return undefined
  }
}

function newestFile(plan: Plan): number {
  try {
    return Math.max(0, ...plan.sources.flatMap((source) => (source.reading ? filesOf(source.reading).map((file) => file.modifiedMs) : [])))
  } catch {
    return 0
  }
}
