import type { Spec } from '../check/spec.ts'
import type { PositionsAsked } from '../data/row-positions.ts'
import type { Engine, EngineOptions } from '../engine/events.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../plan/plan-for.ts'
import type { SourceFacts } from '../protocol/facts.ts'
import { defaultSettings, type Settings } from '../protocol/messages.ts'
import { cacheFolder } from '../workspace/folder.ts'
import { type Snapshot, type SnapshotSurroundings, type SpecFile, specFile, takeSnapshot } from '../workspace/snapshot.ts'
import { type Background, openBackground } from './background.ts'
import { type FactBook, factBook } from './fact-book.ts'
import { type ResultBook, resultBook } from './result-book.ts'
import { makeRuns, type Runs } from './runs.ts'
import { filesOf, type SchemaBook, schemaBook } from './schema-book.ts'
import { type SpecFiles, specFiles } from './spec-files.ts'

/** All that a session knows, and the snapshots taken of it. */
export interface Workspace {
  readonly files: SpecFiles
  readonly results: ResultBook
  readonly runs: Runs
  /** What is asked to be run and waits for schemas. */
  readonly opening: Set<Opening>
  settings: Settings
  /** Whether data may be read and specs run. */
  trusted: boolean
  folders: readonly string[]
  /** The file as it is now; nothing is waited for. */
  snapshot(path: string): Snapshot | undefined
  /** The file as it would be with another text. */
  variant(path: string, text: string): Snapshot | undefined
  /** What looks at rows for people: apart from what runs, and from what counts in the background. */
  looker(path: string): Background | undefined
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
  /** Asks the database, in the background, where rows of a spec's data stand. */
  positions(path: string, asked: PositionsAsked): Promise<readonly (number | null)[]>
  close(): Promise<void>
}

export interface Opening {
  readonly path: string
  readonly names: readonly string[] | undefined
  stop(): void
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
  const places = new Map<string, { readonly background: Background; readonly book: SchemaBook; readonly facts: FactBook }>()
  const counts = new Map<string, 'counting' | 'done'>()
  const folders = new Map<string, string | undefined>()
  const taken = new Map<string, { readonly snapshot: Snapshot; readonly takenMs: number }>()

  const folderOf = (path: string) => {
    if (!folders.has(path)) folders.set(path, cacheFolder(path, host.env))
    return folders.get(path)
  }
  const lookers = new Map<string, Background>()
  const around = (path: string, file: (path: string) => SpecFile | undefined): SnapshotSurroundings => {
    const book = placeOf(path)?.book
    return {
      file,
      described: (reading) => book?.known(reading),
      uri: files.uri,
      version: files.version,
      last: (spec, name) => (workspace.trusted ? results.last(spec, name, folderOf(path)) : undefined),
      count,
      facts,
    }
  }
  const placeOf = (path: string) => {
    // Nothing is written into a folder that nobody vouches for.
    const folder = workspace.trusted ? folderOf(path) : undefined
    if (folder === undefined) return undefined
    let place = places.get(folder)
    if (place === undefined) {
      const options = { folder, engine: 'reference', threads: 1, memoryMegabytes: backgroundMegabytes }
      const background = openBackground(() => host.startEngine(options))
      place = { background, book: schemaBook(background, folder), facts: factBook(background, folder) }
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
  /** Facts of a source's columns, looked for once for each state of its files and kept under `.assay/`. */
  const facts = (spec: Spec, name: string): SourceFacts | 'counting' | undefined => {
    const place = placeOf(spec.path)
    const plan = place && countable(spec, name)?.at(-1)
    if (place === undefined || plan === undefined || plan.kind !== 'source') return undefined
    return place.facts.of(plan, () => {
      taken.clear()
      workspace.onCounted()
    })
  }
  const workspace: Workspace = {
    files,
    results,
    runs,
    opening: new Set(),
    settings: defaultSettings,
    trusted: true,
    folders: [],
    onCounted: () => {},
    folderOf: (path) => (workspace.trusted ? folderOf(path) : undefined),
    snapshot(path) {
      const known = taken.get(path)
      const now = performance.now()
      if (known && now - known.takenMs < keptMs && known.snapshot.version === files.version(path)) return known.snapshot
      const snapshot = takeSnapshot(path, around(path, files.file))
      if (snapshot) taken.set(path, { snapshot, takenMs: now })
      else taken.delete(path)
      return snapshot
    },
    variant: (path, text) =>
      takeSnapshot(
        path,
        around(path, (one) => (one === path ? specFile(path, text) : files.file(one))),
      ),
    looker(path) {
      const options = workspace.trusted ? workspace.engineOptions(path) : undefined
      if (options === undefined) return undefined
      const key = JSON.stringify(options)
      let looker = lookers.get(key)
      if (looker === undefined) {
        looker = openBackground(() => host.startEngine({ ...options, engine: 'reference' }))
        lookers.set(key, looker)
      }
      return looker
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
      return { folder, engine, threads, memoryMegabytes: memory, behind: true }
    },
    positions: async (path, asked) => (await placeOf(path)?.background.positions(asked)) ?? asked.keys.map(() => null),
    async close() {
      await Promise.all([
        runs.close(),
        ...[...places.values()].map(({ background }) => background.close()),
        ...[...lookers.values()].map((one) => one.close()),
      ])
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
