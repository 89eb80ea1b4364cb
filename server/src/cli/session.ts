import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { findFiles } from '../data/files.ts'
import type { Engine } from '../engine/events.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Reading } from '../sql/tree.ts'
import { assayHome, cacheFolder, projectRoot } from '../workspace/folder.ts'
import { type Loaded, loadSpec } from '../workspace/load.ts'
import { type Described, schemaReader } from '../workspace/schemas.ts'
import { absolute, readSpec, Unreadable } from './inputs.ts'
import { EXIT, type Io } from './io.ts'
import { interrupted, noCacheFolder } from './sentences.ts'
import type { Settings } from './settings.ts'

/** One command at work: its engine (started when first needed, ended with the command) and the files it opens. */
export interface Session {
  readonly io: Io
  readonly settings: Settings
  load(file: string): Promise<Loaded>
  engine(): Engine
  /** The user has interrupted: what waits for something else than the engine ends. */
  isStopping(): boolean
}

export interface SessionOptions {
  /** What a command says when it is interrupted, and the exit code then. */
  readonly words: string
  code(): number
  /** What is looked at to know the columns of a reading, where that is not the reading itself; `folder` is for a while. */
  looksAt?(reading: Reading, folder: string): Reading
}
const usual: SessionOptions = { words: interrupted, code: () => EXIT.interrupted }

const hardStopMs = 950

/** Runs a command's work; ends its engine afterwards, and within a second when the user interrupts. Returns the exit code. */
export async function inSession(
  first: string,
  settings: Settings,
  io: Io,
  work: (session: Session) => Promise<number>,
  { words, code: interruptedCode, looksAt }: SessionOptions = usual,
): Promise<number> {
  const path = absolute(io.cwd, first)
  let folder: string | undefined
  let engine: Engine | undefined
  let stopping = false

  const ownFolder = () => {
    folder ??= cacheFolder(path, io.env)
    if (folder === undefined) throw new Unreadable('no-cache-folder', noCacheFolder(projectRoot(path)))
    return folder
  }
  const startedEngine = () => {
    engine ??= io.startEngine({ folder: ownFolder(), engine: settings.engine, threads: settings.threads, home: assayHome(io.env) })
    return engine
  }
  const stopListening = io.onInterrupt(() => {
    if (stopping) return leave()
    stopping = true
    io.err.write(`\n${words}\n`)
    setTimeout(leave, engine ? hardStopMs : 0).unref()
    engine?.cancel()
  })
  const leave = () => {
    removeTemporaries(folder)
    io.exit(interruptedCode())
  }

  let describe: ((readings: readonly Reading[]) => Promise<readonly Described[]>) | undefined
  const session: Session = {
    io,
    settings,
    engine: startedEngine,
    isStopping: () => stopping,
    load: (file) => {
      const looked = (reading: Reading, i: number) => looksAt?.(reading, join(ownFolder(), 'tmp', `${process.pid}-look-${i}`)) ?? reading
      describe ??= schemaReader({ describe: (readings) => startedEngine().describe(readings.map(looked)), fingerprint }, ownFolder())
      const spec = absolute(io.cwd, file)
      return loadSpec(spec, { read: (other) => readSpec(other, other === spec ? file : other), describe })
    },
  }
  try {
    const code = await work(session)
    return stopping ? interruptedCode() : code
  } catch (reason) {
    if (reason instanceof Cancelled) return interruptedCode()
    throw reason
  } finally {
    await engine?.close()
    stopListening()
    removeTemporaries(folder)
  }
}

function fingerprint(reading: Reading): string | undefined {
  const paths = reading.kind === 'file' ? [reading.path] : [reading.images, ...(reading.labels ? [reading.labels] : [])]
  try {
    return JSON.stringify(paths.map((path) => findFiles(path).map((file) => [file.path, file.bytes, file.modifiedMs])))
  } catch {
    return undefined
  }
}

/** What this process began to write and did not finish, and what processes left that were killed. */
function removeTemporaries(folder: string | undefined): void {
  if (folder === undefined) return
  const temporary = join(folder, 'tmp')
  try {
    for (const name of readdirSync(temporary))
      if (isAbandoned(join(temporary, name), Number.parseInt(name, 10))) rmSync(join(temporary, name), { recursive: true, force: true })
  } catch {
    // There is none.
  }
}

const abandonedAfterMs = 3_600_000

/** Another machine's process may share the folder: only what nobody has touched for an hour is a dead one's. */
function isAbandoned(path: string, pid: number): boolean {
  if (pid === process.pid) return true
  if (!Number.isInteger(pid) || Date.now() - statSync(path).mtimeMs < abandonedAfterMs) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (reason) {
    return (reason as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
