import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { enginesFolder, type InstalledEngine, installedEngines } from '../learn/backends/native/engine-folder.ts'
import { type InstallRequest, installEngine, removeEngines } from '../learn/backends/native/install.ts'
import { InstallFailed } from '../learn/backends/native/sentences.ts'
import { Cancelled } from '../methods/cancel.ts'
import { inert } from '../report/inert.ts'
import { assayHome } from '../workspace/folder.ts'
import { engineLines, installedLines, noEngines, noProbe, removed } from './engine-text.ts'
import { absolute } from './inputs.ts'
import { EXIT, type Io } from './io.ts'
import { interrupted } from './sentences.ts'

/** `assay engine install | list | remove`: native engines for this user on this machine, built here and tried out before they are used. */
export function addEngineCommands(program: Command, io: Io, finish: (work: () => Promise<number>) => Promise<void>): void {
  const engine = program.command('engine').description('install, list, remove native engines for this machine')
  const format = () => new Option('--format <format>', 'how it is written').choices(['text', 'json']).default('text')
  engine
    .command('install')
    .description('build the binding to TensorFlow: against that of a Python, a wheel, or a download')
    .option('--python <path>', 'a Python that has TensorFlow, or the folder of its environment; by default the first on the PATH')
    .option('--wheel <file>', 'a wheel of TensorFlow')
    .option('--download [version]', 'a wheel that pip downloads')
    .addOption(format())
    .action((given: Given) => finish(() => install(given, io)))
  engine
    .command('list', { isDefault: true })
    .description('what is installed, and whether it is used')
    .addOption(format())
    .action(({ format }: Given) => finish(async () => list(format, io)))
  engine
    .command('remove [name...]')
    .description('remove those named, or all')
    .action((names: string[]) => finish(() => remove(names, io)))
}

interface Given {
  readonly python?: string
  readonly wheel?: string
  readonly download?: string | true
  readonly format: 'text' | 'json'
}

async function install(given: Given, io: Io): Promise<number> {
  const home = assayHome(io.env)
  const probe = io.engineProbe
  if (probe === undefined) {
    io.err.write(`${noProbe}\n`)
    return EXIT.failed
  }
  const stopping = new AbortController()
  const stopListening = io.onInterrupt(() => {
    if (stopping.signal.aborted) {
      rmSync(join(enginesFolder(home), `.building-${process.pid}`), { recursive: true, force: true })
      return io.exit(EXIT.interrupted)
    }
    io.err.write(`\n${interrupted}\n`)
    stopping.abort()
  })
  try {
    const installed = await installEngine(requestOf(given, io), {
      home,
      env: io.env,
      signal: stopping.signal,
      probe,
      progress: (step) => io.err.write(`  ${inert(step, 200)}\n`),
    })
    io.out.write(given.format === 'json' ? `${JSON.stringify(engineObject(installed), undefined, 2)}\n` : text(installedLines(installed)))
    return EXIT.ok
  } catch (reason) {
    if (reason instanceof Cancelled) return EXIT.interrupted
    return explain(reason, io)
  } finally {
    stopListening()
  }
}

function requestOf({ python, wheel, download }: Given, { cwd }: Io): InstallRequest {
  return {
    python: python === undefined ? undefined : absolute(cwd, python),
    wheel: wheel === undefined ? undefined : absolute(cwd, wheel),
    download: download === true ? 'newest' : download,
  }
}

function list(format: Given['format'], io: Io): number {
  const home = assayHome(io.env)
  const engines = installedEngines(home)
  if (format === 'json') {
    const object = { schema: 'assay-engines/1', folder: enginesFolder(home), engines: engines.map(engineObject) }
    io.out.write(`${JSON.stringify(object, undefined, 2)}\n`)
    return EXIT.ok
  }
  io.out.write(engines.length === 0 ? `${noEngines(enginesFolder(home))}\n` : text(engines.flatMap(engineLines)))
  return EXIT.ok
}

async function remove(names: readonly string[], io: Io): Promise<number> {
  const home = assayHome(io.env)
  try {
    const gone = await removeEngines(home, names)
    io.out.write(gone.length === 0 ? `${noEngines(enginesFolder(home))}\n` : text(gone.map(removed)))
    return EXIT.ok
  } catch (reason) {
    return explain(reason, io)
  }
}

function explain(reason: unknown, io: Io): number {
  if (!(reason instanceof InstallFailed)) throw reason
  io.err.write(`${inert(reason.message, 2000)}\n`)
  return reason.fault === 'path' ? EXIT.wrong : EXIT.failed
}

function engineObject({ name, folder, manifest, ignored }: InstalledEngine): object {
  const used = ignored === undefined
  const base = { name, used, ...(used ? {} : { reason: ignored }), folder }
  if (manifest === undefined) return base
  const { tensorflow, platform, arch, device, selfTest, logisticHvpMs, installed } = manifest
  const { version, from, place } = tensorflow
  return { ...base, tensorflow: { version, from, place }, platform, arch, device, selfTest, logisticHvpMs, installed }
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
