import { isRowwise } from '../check/rowwise-view.ts'
import type { FollowEnd, SpecText } from '../engine/events.ts'
import { frozen, signature, textAt, usualQuotes } from '../engine/growth.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../plan/plan-for.ts'
import type { WatchLine, WatchNotice } from '../protocol/watch.ts'
import { watchJson, watchText } from '../report/watch.ts'
import type { Reading } from '../sql/tree.ts'
import type { Loaded } from '../workspace/load.ts'
import { reportedProblems } from '../workspace/reported.ts'
import { blocking, unknownNames } from './asked.ts'
import { problemFile } from './check.ts'
import { absolute, shownPath, Unreadable, wholeFile } from './inputs.ts'
import { EXIT, type Io } from './io.ts'
import { opened } from './opened.ts'
import { writeProblems } from './output.ts'
import { showProgress } from './progress.ts'
import { noComplaint, notAComplaint, stoppedWatching, whichComplaint } from './sentences.ts'
import { inSession, type Session } from './session.ts'
import type { Settings } from './settings.ts'

export interface WatchSettings extends Settings {
  readonly top?: number
  /** Seconds. */
  readonly every: number
  readonly untilIdle?: number
}

const SHOWN = 10

/**
 * `assay watch FILE [COMPLAINT]`: evaluates a complaint and follows its files until Ctrl-C, or until they are idle. The spec is read once more, and so are
 * the types of its columns, whenever it is edited or files have changed otherwise than by lines at their end. The exit code is that of the last state.
 */
export async function watchCommand(file: string, name: string | undefined, settings: WatchSettings, io: Io): Promise<number> {
  let code: number | undefined
  const options = { words: stoppedWatching, code: () => code ?? EXIT.interrupted, looksAt: wholeLinesOf }
  let rows: number | undefined
  const said = new Set<string>()
  const say = (one: WatchLine) => {
    const line = one.event === 'update' && one.how === 'whole' ? { ...one, added: one.rows - (rows ?? one.rows) } : one
    if (line.event === 'update') {
      code = line.satisfied ? EXIT.ok : EXIT.unmet
      rows = line.rows
    }
    if (line.event === 'notice' && line.reason === 'failed') code = line.fault === 'data' ? EXIT.wrong : EXIT.failed
    if (line.event === 'notice' && line.reason === 'whole-only') {
      if (said.has(line.message)) return
      said.add(line.message)
    }
    io.out.write(settings.format === 'json' ? watchJson(line) : watchText(line, new Date().toTimeString().slice(0, 8)))
  }
  const work = async (session: Session): Promise<number> => {
    const complaint = await asked(session, file, name)
    if (typeof complaint === 'number') return complaint
    const first = await opened(session, file, [complaint])
    if (typeof first === 'number') return first
    const planned = plansOf(first.loaded, complaint, settings)
    if ('refused' in planned) {
      io.err.write(`${planned.refused}\n`)
      return EXIT.failed
    }
    let ready: Ready = { loaded: first.loaded, plans: planned.plans }
    for (let round = 0; ; round++) {
      const end = await follow(session, ready, { complaint, settings, say, round })
      if (end.kind === 'idle') return code ?? EXIT.failed
      if (end.why !== undefined) say(notice(complaint, 'changed', `${end.why} Evaluating anew.`))
      const again = await readAgain(session, file, { complaint, ready, settings, say })
      if (again === 'idle') return code ?? EXIT.failed
      ready = again
    }
  }
  return inSession(file, settings, io, work, options)
}

/** A last line without an end would be taken for one with fewer values. */
function wholeLinesOf(reading: Reading, folder: string): Reading {
  if (reading.kind !== 'file') return reading
  try {
    return frozen(reading, usualQuotes(reading), folder).reading
  } catch {
    return reading
  }
}

const notice = (complaint: string, reason: WatchNotice['reason'], message: string): WatchNotice => ({
  schema: 'assay-watch/1',
  event: 'notice',
  complaint,
  reason,
  message,
})

/** The complaint that is meant; or the exit code, after saying why there is none. */
async function asked(session: Session, file: string, name: string | undefined): Promise<number | string> {
  const { io, settings } = session
  const { files } = await session.load(file)
  const declared = (files[0]?.ast.declarations ?? []).flatMap((d) => (d.name ? [{ kind: d.kind, name: d.name.text }] : []))
  const complaints = declared.filter((d) => d.kind === 'complaint').map((d) => d.name)
  const refuse = async (code: string, message: string) => {
    await writeProblems(problemFile([file], [wholeFile(file, code, message)]), settings, io)
    return EXIT.wrong
  }
  if (name !== undefined) {
    const found = declared.find((d) => d.name.toLowerCase() === name.toLowerCase())
    return found && found.kind !== 'complaint' ? refuse('not-a-complaint', notAComplaint(found.name, found.kind)) : (found?.name ?? name)
  }
  if (complaints.length === 1) return complaints[0]!
  return refuse('which-complaint', complaints.length === 0 ? noComplaint(file) : whichComplaint(complaints))
}

function plansOf(
  loaded: Loaded,
  complaint: string,
  settings: WatchSettings,
): { readonly plans: readonly Plan[] } | { readonly refused: string } {
  const { top } = settings
  const declarations = loaded.spec.declarations.map((d) =>
    d.kind === 'complaint' && d.name === complaint && top !== undefined ? { ...d, blame: { ...d.blame, top } } : d,
  )
  const { plans, refused } = planFor({ ...loaded.spec, declarations }, [complaint], { seed: settings.seed })
  return refused.length > 0 ? { refused: refused.map((r) => r.message).join('\n') } : { plans }
}

/** The spec as it was read, and what it comes to for the complaint. */
interface Ready {
  readonly loaded: Loaded
  readonly plans: readonly Plan[]
}

interface Round {
  readonly complaint: string
  readonly settings: WatchSettings
  readonly say: (line: WatchLine) => void
  readonly round: number
}

async function follow(session: Session, { loaded, plans }: Ready, { complaint, settings, say, round }: Round): Promise<FollowEnd> {
  const { io } = session
  const progress = showProgress(io.err)
  const rowwise = loaded.spec.declarations.flatMap((d) => (d.kind === 'source' && d.view && isRowwise(d.view) ? [d.name] : []))
  const { every, untilIdle } = settings
  const looks = { everyMs: every * 1000, idleMs: untilIdle && untilIdle * 1000 }
  const request = { complaint, top: settings.top ?? SHOWN, ...looks, rowwise, spec: textsOf(loaded) }
  try {
    return await session.engine().follow(plans, request, (event) => {
      if (event.kind === 'watched') {
        progress.end()
        return say(event.line)
      }
      if (round === 0 || io.err.columns !== undefined) if (round === 0 || event.kind !== 'finished') progress.handle(event)
    })
  } catch (reason) {
    if (reason instanceof Cancelled) throw reason
    say(notice(complaint, 'failed', `The engine stopped in the middle of its work (${reason instanceof Error ? reason.message : reason}).`))
    return { kind: 'idle' }
  } finally {
    progress.end()
  }
}

interface Again {
  readonly complaint: string
  /** What it was. */
  readonly ready: Ready
  readonly settings: WatchSettings
  readonly say: (line: WatchLine) => void
}

const textsOf = ({ files }: Loaded): readonly SpecText[] => files.map(({ path, text }) => ({ path, text }))

/** The spec as it is now, over the files as they are now: where either is wrong, once it no longer is. */
async function readAgain(session: Session, file: string, { complaint, ready, settings, say }: Again): Promise<Ready | 'idle'> {
  const readings = ready.plans.flatMap((plan) => plan.sources.flatMap((s) => (s.reading ? [s.reading] : [])))
  const texts = new Map<string, string | undefined>(ready.loaded.files.map(({ path, text }) => [path, text]))
  let idleSince = performance.now()
  for (let wrong = ''; ; ) {
    const before = signature(readings)
    for (const path of texts.keys()) texts.set(path, textAt(path))
    const again = await readOnce(session, file, complaint, settings)
    if ('plans' in again) return again
    if (again.wrong !== wrong) say({ ...notice(complaint, 'failed', `${again.wrong} Waiting for a change.`), fault: 'data' })
    wrong = again.wrong
    for (const { path, text } of again.files) texts.set(path, text)
    while (signature(readings) === before && [...texts].every(([path, text]) => textAt(path) === text)) {
      if (session.isStopping()) throw new Cancelled()
      if (settings.untilIdle !== undefined && performance.now() - idleSince > settings.untilIdle * 1000) return 'idle'
      await new Promise((resume) => setTimeout(resume, Math.min(100, settings.every * 1000)))
    }
    idleSince = performance.now()
  }
}

interface NotReady {
  /** What, and where. */
  readonly wrong: string
  readonly files: readonly SpecText[]
}

async function readOnce(session: Session, file: string, complaint: string, settings: WatchSettings): Promise<Ready | NotReady> {
  let loaded: Loaded
  try {
    loaded = await session.load(file)
  } catch (reason) {
    if (!(reason instanceof Unreadable)) throw reason
    return { wrong: reason.message, files: [] }
  }
  const ready = readyFor(loaded, file, complaint, settings, session.io.cwd)
  return typeof ready === 'string' ? { wrong: ready, files: loaded.files } : ready
}

/** What the spec comes to, or what is wrong with it, and where. */
function readyFor(loaded: Loaded, file: string, complaint: string, settings: WatchSettings, cwd: string): Ready | string {
  const [unknown] = unknownNames(loaded, [complaint], file)
  if (unknown) return unknown.message
  const [error] = blocking(loaded, [complaint])
  if (error) {
    const shown = shownPath(cwd, new Map([[absolute(cwd, file), file]]))
    const [placed] = reportedProblems({ files: loaded.files, problems: [error] }, shown)
    return `${placed!.file}:${placed!.line}:${placed!.column}: ${error.message}`
  }
  const planned = plansOf(loaded, complaint, settings)
  return 'refused' in planned ? planned.refused : { loaded, plans: planned.plans }
}
