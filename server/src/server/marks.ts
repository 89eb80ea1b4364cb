import { dirname } from 'node:path'
import { askedFor, rangeFor } from '../cli/flagged-rows.ts'
import { contentOfBytes, type RowPlace, type TextRange } from '../data/find-rows.ts'
import { findAgain, type PlacedRow, placeRows, type RowsAsked, textFiles } from '../data/place-rows.ts'
import { declarationDiagnostic, type Mark, markDiagnostics, type Ruling } from '../features/marks.ts'
import type { Change } from '../workspace/documents.ts'
import { type Flag, type Flagged, flaggedBy } from '../workspace/flagged.ts'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { bytesOfLines, type DataFiles, dataFiles, type LinesChanged } from './data-files.ts'
import type { Workspace } from './workspace.ts'

/**
 * Flagged rows, marked where the data is. A rule's rows are looked for once it has a result that speaks of the data as they are: in the files, by key, one search after another and
 * each giving way to whatever else is to be done. From then on a mark belongs to what its row says:
 *
 * - Rows that move, in an editor or in the saved file, keep their marks: they are found again by key, or by content where there is no key.
 * - A row that says something else loses its mark at once. It is judged again when its rule is run again, on command.
 * - All marks of a rule go when the rule passes, when it is no longer declared, or when its spec goes. While it is being rewritten its marks stay and say so; when the spec is closed then, or
 *   the data have changed, they go. Those of a result that still holds outlast the spec's closing: the file of data is no better for it.
 * - Opening a file of data looks for specs in the workspace that read it and have such a result.
 *
 * Nothing is marked in data that an editor does not show as lines (Parquet, images, compressed files, views that compute rows): the declaration says so in their place.
 */
export interface Marks {
  /** The spec, its results or its data may be others than before. */
  refresh(spec: string): void
  refreshAll(): void
  openData(path: string, uri: string, version: number, text: string): void
  changeData(path: string, changes: readonly Change[], version: number): void
  closeData(path: string): void
  /** What a spec says about rows that cannot be marked. */
  onSpec(snapshot: Snapshot): ReturnType<typeof declarationDiagnostic>[]
  close(): void
}

export interface MarksTeller {
  /** Diagnostics of a file of data. */
  data(uri: string, version: number | undefined, diagnostics: ReturnType<typeof markDiagnostics>): void
  /** What `onSpec` answers about a spec has changed. */
  spec(path: string): void
}

const afterEditMs = 300
const mostSpecs = 200
/** Suspects further down say ever less, and would drown what is flagged by rules. */
const mostSuspects = 25
const mostOf = ({ rule }: Flagged) => (rule.kind === 'complaint' ? mostSuspects : Number.POSITIVE_INFINITY)

export function isDataFile(path: string): boolean {
  return /\.(csv|tsv|tab|txt|jsonl|ndjson)$/i.test(path)
}

interface Entry {
  ruling: Ruling
  readonly asked: RowsAsked | undefined
  readonly flags: ReadonlyMap<string, Flag>
  readonly sought: number
  /** The data's state that `found` is of. */
  readonly stamp: string
  /** Where rows stood and what they said when the rule spoke of them; absent while they are looked for. */
  found?: ReadonlyMap<string, PlacedRow>
  /** The state of changed data in which they were last looked for. */
  lookedAt?: string
  /** Where they stand now. */
  placed: Map<string, PlacedRow>
}

export function openMarks(workspace: Workspace, teller: MarksTeller): Marks {
  const open: DataFiles = dataFiles()
  const specs = new Map<string, Map<string, Entry>>()
  /** What was last told of each file that has marks. */
  const published = new Map<string, string>()
  const timers = new Map<string, NodeJS.Timeout>()
  let work: Promise<unknown> = Promise.resolve()
  let closed = false

  const entries = () => [...specs.values()].flatMap((one) => [...one.values()])
  const queue = (job: () => Promise<void>) => {
    work = work.then(() => (closed ? undefined : job())).catch(() => {})
  }
  const publish = (paths: Iterable<string>) => {
    for (const path of new Set(paths)) {
      const marks: Mark[] = []
      let unsought = 0
      for (const { ruling, flags, placed, sought } of entries()) {
        const here = [...placed].filter(([, place]) => place.path === path)
        if (here.length > 0) unsought += Math.min(ruling.flagged.total, mostOf(ruling.flagged)) - sought
        for (const [id, place] of here) marks.push({ ruling, flag: flags.get(id)!, range: rangeFor(ruling.flagged, flags.get(id)!, place) })
      }
      if (marks.length === 0 && !published.has(path)) continue
      const document = open.get(path)
      const uri = document?.uri ?? workspace.files.uri(path)
      const diagnostics = markDiagnostics(marks, workspace.settings.maxPerFile, unsought)
      const said = JSON.stringify([uri, document?.version, diagnostics])
      if (published.get(path) === said) continue
      if (marks.length === 0) published.delete(path)
      else published.set(path, said)
      teller.data(uri, document?.version, diagnostics)
    }
  }
  const pathsOf = (entry: Entry | undefined) => [...new Set([...(entry?.placed.values() ?? [])].map((place) => place.path))]
  const drop = (spec: string, name: string) => {
    const own = specs.get(spec)
    const paths = pathsOf(own?.get(name))
    own?.delete(name)
    publish(paths)
  }

  const atHand = (path: string) => {
    const lines = open.get(path)?.lines
    return lines && (() => bytesOfLines(lines))
  }
  /** Looks again for rows that were found before: in `path`, or wherever they were. */
  const again = (entry: Entry, path?: string) =>
    queue(async () => {
      const { asked, found } = entry
      if (asked === undefined || found === undefined || found.size === 0) return
      const version = path === undefined ? undefined : open.get(path)?.version
      const own = new Set([...found.values()].map((place) => place.path))
      const paths = path === undefined ? [...own] : [path]
      const wanted = path === undefined ? found : new Map([...found].filter(([id]) => (entry.placed.get(id)?.path ?? path) === path))
      const placed = await findAgain(asked, wanted, paths, atHand)
      // Typed on meanwhile: another search is on its way.
      if (path !== undefined && open.get(path)?.version !== version) return
      const before = pathsOf(entry)
      for (const [id, place] of entry.placed) if (paths.includes(place.path) && !placed.has(id)) entry.placed.delete(id)
      for (const [id, place] of placed) entry.placed.set(id, place)
      publish([...before, ...paths])
    })
  const search = (spec: string, name: string, entry: Entry) =>
    queue(async () => {
      const { asked } = entry
      const placed = asked && (await placeRows(asked, (positions) => workspace.positions(spec, positions)).catch(() => undefined))
      if (specs.get(spec)?.get(name) !== entry) return
      const before = pathsOf(entry)
      entry.found = placed ?? new Map()
      entry.placed = new Map(entry.found)
      publish([...before, ...pathsOf(entry)])
      if (entry.found.size < entry.flags.size) teller.spec(spec)
      for (const path of pathsOf(entry)) if (open.get(path)) again(entry, path)
    })

  const refresh = (spec: string) => {
    const snapshot = workspace.trusted ? workspace.snapshot(spec) : undefined
    const own = specs.get(spec) ?? new Map<string, Entry>()
    specs.set(spec, own)
    const named = new Set<string>()
    const isOpen = workspace.files.opened.includes(spec)
    const before = own.size
    for (const decl of snapshot?.ast.declarations ?? []) {
      if ((decl.kind !== 'assert' && decl.kind !== 'complaint') || !decl.name) continue
      const name = decl.name.text
      named.add(name)
      const old = own.get(name)
      const last = snapshot!.last(name)
      const place = { uri: snapshot!.uri(spec), range: rangeOf(snapshot!, decl.name) }
      const stays = (outdated: boolean) => {
        if (old === undefined) return
        if (!isOpen && outdated) return drop(spec, name)
        const same = old.ruling.outdated === outdated && JSON.stringify(old.ruling.place) === JSON.stringify(place)
        old.ruling = { ...old.ruling, place, outdated }
        if (!same) publish(pathsOf(old))
      }
      const isValid = snapshot!.checked.spec.declarations.some((one) => one.name === name && one.path === spec)
      if (!isValid || last?.state === 'spec changed') {
        stays(true)
        continue
      }
      const flagged = last && flaggedBy(snapshot!.checked.spec, last.result)
      if (flagged === undefined) {
        drop(spec, name)
        continue
      }
      if (last!.state === 'data changed') {
        if (old === undefined || old.ruling.flagged.result !== last!.result) drop(spec, name)
        else if (!isOpen) drop(spec, name)
        else {
          stays(false)
          const stamp = stampOf(flagged)
          if (old.lookedAt !== stamp) again(old)
          old.lookedAt = stamp
        }
        continue
      }
      const stamp = `${workspace.settings.maxPerFile} ${stampOf(flagged)}`
      if (old && old.ruling.flagged.result === last!.result && old.stamp === stamp) {
        stays(false)
        continue
      }
      const rows = flagged.rows.slice(0, Math.max(1, Math.min(workspace.settings.maxPerFile, mostOf(flagged))))
      const entry: Entry = {
        ruling: { flagged, place, outdated: false },
        asked: askedFor(flagged, rows),
        flags: new Map(rows.map((row) => [row.id, row])),
        sought: rows.length,
        stamp,
        placed: new Map(),
      }
      // Until they are found anew, rows that are flagged still are marked where they were.
      for (const [id, place] of old?.placed ?? []) if (entry.flags.has(id)) entry.placed.set(id, place)
      own.set(name, entry)
      publish(pathsOf(old))
      search(spec, name, entry)
    }
    for (const name of [...own.keys()]) if (!named.has(name)) drop(spec, name)
    if (own.size !== before) teller.spec(spec)
    if (own.size === 0) specs.delete(spec)
  }

  /** Specs of the workspace that read a file, with what they know of it asked for. */
  const findSpecs = (path: string) =>
    queue(async () => {
      if (!workspace.trusted) return
      const folders = workspace.folders.length > 0 ? workspace.folders : [dirname(path)]
      const all = (await workspace.files.below(folders)).slice(0, mostSpecs)
      for (const spec of all) {
        const reads = workspace.snapshot(spec)?.readings.some(({ reading }) => {
          try {
            return reading.kind === 'file' && textFiles(reading).some((file) => file.path === path)
          } catch {
            return false
          }
        })
        if (!reads) continue
        await workspace.refresh(spec)
        refresh(spec)
      }
    })

  const later = (path: string, ms: number) => {
    clearTimeout(timers.get(path))
    timers.set(
      path,
      setTimeout(() => {
        timers.delete(path)
        for (const entry of entries()) if ([...(entry.found?.values() ?? [])].some((place) => place.path === path)) again(entry, path)
      }, ms),
    )
  }

  return {
    refresh,
    refreshAll: () => {
      for (const spec of new Set([...specs.keys(), ...workspace.files.opened])) refresh(spec)
      publish(published.keys())
    },
    openData(path, uri, version, text) {
      open.open(path, uri, version, text)
      later(path, 0)
      findSpecs(path)
    },
    changeData(path, changes, version) {
      const changed = open.change(path, changes, version)
      if (changed === undefined) return
      const lines = open.get(path)?.lines
      for (const entry of entries()) {
        for (const [id, place] of entry.placed) {
          if (place.path !== path) continue
          const moved = movedBy(place, changed, lines)
          if (moved === undefined) entry.placed.delete(id)
          else if (moved !== 0) entry.placed.set(id, { ...place, ...shifted(place, moved) })
        }
      }
      publish([path])
      later(path, afterEditMs)
    },
    closeData(path) {
      if (open.close(path)) later(path, 0)
    },
    onSpec(snapshot) {
      return [...(specs.get(snapshot.path)?.values() ?? [])].flatMap((entry) => {
        const unplaced = entry.found && [...entry.flags.values()].filter((flag) => !entry.found!.has(flag.id))
        if (!unplaced?.length) return []
        return [declarationDiagnostic(entry.ruling, unplaced, sourcePlace(snapshot, entry.ruling))]
      })
    },
    close() {
      closed = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}

/** By size and time of the files: rows are looked for once for each. */
function stampOf({ origin }: Flagged): string {
  try {
    if (origin?.reading.kind !== 'file') return ''
    return textFiles(origin.reading)
      .map((file) => `${file.path} ${file.bytes} ${file.modifiedMs}`)
      .join('\n')
  } catch {
    return 'gone'
  }
}

/** The source in the spec, or in the one that declares it. */
function sourcePlace(snapshot: Snapshot, { flagged, place }: Ruling): Ruling['place'] {
  for (const file of snapshot.files.values()) {
    const found = file.ast.declarations.find(
      (one) => one.kind === 'source' && one.name?.text.toLowerCase() === flagged.source.toLowerCase(),
    )
    if (found?.name) return { uri: snapshot.uri(file.path), range: rangeOf(file, found.name) }
  }
  return place
}

/** By how many lines edits move a row; undefined where they change what it says, or may have. */
function movedBy(place: PlacedRow, changes: readonly LinesChanged[], lines: readonly string[] | undefined): number | undefined {
  const { start, end } = place.range
  let moved = 0
  let touched = false
  for (const { from, to, by } of changes) {
    const delta = by - (to - from)
    if (end.line + moved < from) continue
    if (start.line + moved < to) touched = true
    if (Number.isFinite(delta)) moved += delta
  }
  if (!touched) return moved
  // An end of line typed before or behind it leaves the row as it is.
  return [0, moved].find((shift) => lines !== undefined && isStill(place, lines, shift))
}

function isStill(place: PlacedRow, lines: readonly string[], shift: number): boolean {
  const text = lines.slice(place.range.start.line + shift, place.range.end.line + shift + 1).join('')
  return contentOfBytes(Buffer.from(text.replace(/(\r\n|\n|\r)$/, ''))) === place.content
}

function shifted(place: RowPlace, by: number): Pick<RowPlace, 'range' | 'cells'> {
  const move = ({ start, end }: TextRange): TextRange => ({
    start: { ...start, line: start.line + by },
    end: { ...end, line: end.line + by },
  })
  return { range: move(place.range), cells: new Map([...place.cells].map(([name, range]) => [name, move(range)])) }
}
