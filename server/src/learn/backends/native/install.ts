import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { Cancelled } from '../../../methods/cancel.ts'
import type { Environment } from './command.ts'
import { compileBinding, findToolchain, type Toolchain } from './compile-binding.ts'
import { downloadTensorflow } from './download-tensorflow.ts'
import {
  type EngineManifest,
  engineName,
  enginesFolder,
  type InstalledEngine,
  installedEngines,
  libraryFile,
  manifestFile,
  newManifest,
  readEngine,
  unfinished,
  wheelFolder,
} from './engine-folder.ts'
import { fetchBinding, findNodeGyp } from './fetch-binding.ts'
import { type FoundTensorflow, tensorflowOfPython, tensorflowOfWheel, withWheel } from './find-tensorflow.ts'
import { failed, InstallFailed, noEngine, systemWords } from './sentences.ts'
import { tryOut } from './try-out.ts'

/**
 * Native TensorFlow, made to install: the binding of tfjs-node-gpu is fetched from npm without its own download, compiled against the TensorFlow
 * that a Python or a wheel has, and tried out in a process of its own. It is built beside the place where it will be, and takes it by renaming,
 * so that it is there as a whole or not at all.
 */
export interface InstallRequest {
  /** None: the Python on the PATH. */
  readonly python?: string
  readonly wheel?: string
  /** The version wanted, or `newest`. */
  readonly download?: string
}

export interface InstallOptions {
  /** The user's folder of Assay. */
  readonly home: string
  readonly env: Environment['env']
  readonly signal: AbortSignal
  /** The program that tries an engine out. */
  readonly probe: URL
  progress(step: string): void
}

/** Bytes: the packages of npm, and of the wheel what is not known before it is there. */
const roomForBinding = 400e6
const roomForDownload = 1500e6
const keptLog = 4 << 20

/** Throws `InstallFailed`, whose message is a sentence with the remedy, or `Cancelled`; leaves nothing behind then. Takes a minute or two, and a download. */
export async function installEngine(request: InstallRequest, options: InstallOptions): Promise<InstalledEngine> {
  const { home, env, signal, progress } = options
  ensurePlatform()
  if ([request.python, request.wheel, request.download].filter((source) => source !== undefined).length > 1) throw failed.twoSources()
  let log = ''
  const environment: Environment = { env, signal, log: (text) => (log = (log + text).slice(-keptLog)) }
  const root = enginesFolder(home)
  const engine = join(root, `.building-${process.pid}`)
  let build: string | undefined
  try {
    prepare(root)
    mkdirSync(engine)
    build = mkdtempSync(join(tmpdir(), 'assay-engine-'))
    const toolchain = await findToolchain(environment)
    const manifest = await built(request, { ...options, engine, build, toolchain, environment })
    writeFileSync(join(engine, manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`)
    progress('putting it in its place')
    const target = join(root, engineName())
    replace(engine, target)
    rmSync(join(home, 'engine-install.log'), { force: true })
    return readEngine(engineName(), target)
  } catch (reason) {
    if (signal.aborted || reason instanceof Cancelled) throw new Cancelled()
    const failure = (reason as NodeJS.ErrnoException).code === 'ENOSPC' ? failed.diskFull(home) : reason
    throw withLog(failure, home, log)
  } finally {
    for (const folder of [engine, ...(build === undefined ? [] : [build])])
      await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

interface Building extends InstallOptions {
  readonly engine: string
  readonly build: string
  readonly toolchain: Toolchain
  readonly environment: Environment
}

async function built(request: InstallRequest, building: Building): Promise<EngineManifest> {
  const { engine, build, toolchain, environment, progress, probe, home } = building
  ensureRoom(home, roomForBinding)
  const tensorflow = await findTensorflow(request, building)
  progress(`TensorFlow ${tensorflow.version} in ${tensorflow.from === 'python' ? tensorflow.folder : tensorflow.place}`)
  progress('fetching the binding from npm')
  await fetchBinding(engine, environment)
  const nodeGyp = await findNodeGyp(join(build, 'node-gyp'), environment)
  progress('compiling it')
  await compileBinding({ engine, build, nodeGyp }, tensorflow, toolchain, environment)
  progress('trying it out in a process of its own')
  const tried = await tryOut(engine, probe, environment)
  const { from, place, folder, libraries } = tensorflow
  return newManifest({
    tensorflow: {
      version: tried.tensorflow,
      from,
      place,
      ...(from === 'python' ? { folder } : {}),
      libraries: [libraries.cc, libraries.framework].map((name) => libraryFile(folder, name)!),
    },
    node: process.version,
    modules: process.versions.modules,
    device: tried.device,
    selfTest: tried.selfTest,
    ...(tried.logisticHvpMs === undefined ? {} : { logisticHvpMs: tried.logisticHvpMs }),
    installed: new Date().toISOString(),
  })
}

async function findTensorflow(request: InstallRequest, building: Building): Promise<FoundTensorflow> {
  const { engine, build, environment, progress, home } = building
  const folders = { site: join(engine, wheelFolder), build: join(build, 'headers') }
  const unpack = (wheel: string, from: 'wheel' | 'download') => {
    progress(`unpacking ${relative(build, wheel).startsWith('..') ? wheel : relative(join(build, 'download'), wheel)}`)
    return tensorflowOfWheel(wheel, from, folders, environment, (bytes) => ensureRoom(home, bytes + roomForBinding))
  }
  if (request.wheel !== undefined) return unpack(resolve(request.wheel), 'wheel')
  if (request.download === undefined) return tensorflowOfPython(request.python, environment)
  ensureRoom(build, roomForDownload)
  progress('downloading TensorFlow with pip (hundreds of megabytes)')
  const version = request.download === 'newest' ? undefined : request.download
  const { wheel, cuda } = await downloadTensorflow(version, join(build, 'download'), environment)
  const found = await unpack(wheel, 'download')
  for (const file of cuda) {
    // Their libraries are looked for in ../nvidia, as pip would have put them.
    await withWheel(
      file,
      async (zip) => {
        const libraries = zip.entries.filter(({ name }) => /^nvidia\/.*\.so[.\d]*$/.test(name))
        ensureRoom(
          home,
          libraries.reduce((sum, entry) => sum + entry.bytes, 0),
        )
        for (const entry of libraries) await zip.extract(entry, folders.site, environment.signal)
      },
      environment,
    )
  }
  return found
}

/** Names removed. Throws `InstallFailed` where there is no such engine. */
export async function removeEngines(home: string, names: readonly string[]): Promise<readonly InstalledEngine[]> {
  const all = installedEngines(home)
  for (const name of names)
    if (!all.some((each) => each.name === name)) {
      throw new InstallFailed(
        noEngine(
          name,
          all.map((each) => each.name),
        ),
        'path',
      )
    }
  const chosen = names.length === 0 ? all : all.filter((each) => names.includes(each.name))
  for (const each of chosen) {
    // From here on it is none, even if its thousands of files take a moment.
    const aside = join(enginesFolder(home), `.replaced-${process.pid}`)
    try {
      renameSync(each.folder, aside)
      await rm(aside, { recursive: true, force: true })
    } catch (reason) {
      throw failed.homeNotWritable(each.folder, systemWords(reason))
    }
  }
  return chosen
}

function ensurePlatform(): void {
  const { platform, arch } = process
  if (platform === 'win32') throw failed.windows()
  if ((platform !== 'linux' && platform !== 'darwin') || (arch !== 'x64' && arch !== 'arm64')) throw failed.otherPlatform(platform, arch)
  if (platform !== 'linux') return
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  if (header.glibcVersionRuntime === undefined) throw failed.musl()
}

/** Makes the folder, and clears what processes that are no more have left in it. */
function prepare(root: string): void {
  try {
    mkdirSync(root, { recursive: true })
    for (const name of readdirSync(root)) {
      const owner = unfinished.exec(name)?.[2]
      if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(root, name), { recursive: true, force: true })
    }
  } catch (reason) {
    throw failed.homeNotWritable(root, systemWords(reason))
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (reason) {
    return (reason as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The old engine goes when the new one is there; what has it loaded keeps it open. */
function replace(engine: string, target: string): void {
  const aside = join(target, '..', `.replaced-${process.pid}`)
  rmSync(aside, { recursive: true, force: true })
  try {
    renameSync(target, aside)
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code !== 'ENOENT') throw reason
  }
  renameSync(engine, target)
  rmSync(aside, { recursive: true, force: true })
}

function ensureRoom(folder: string, needed: number): void {
  let free: number
  try {
    const { bavail, bsize } = statfsSync(folder)
    free = bavail * bsize
  } catch {
    return
  }
  if (free < needed) throw failed.tooLittleRoom(folder, free, needed)
}

/** What other programs said is kept where something failed in them. */
function withLog(failure: unknown, home: string, log: string): unknown {
  if (!(failure instanceof InstallFailed) || failure.fault === 'path' || log.length < 2000) return failure
  const file = join(home, 'engine-install.log')
  try {
    writeFileSync(file, log)
  } catch {
    return failure
  }
  return new InstallFailed(`${failure.message} (All that was said: ${file}.)`, failure.fault, failure.cause)
}
