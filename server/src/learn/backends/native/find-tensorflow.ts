import { mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Cancelled } from '../../../methods/cancel.ts'
import { complaintOf, type Environment, findProgram, isProgram, run } from './command.ts'
import type { TensorflowOrigin } from './engine-folder.ts'
import { failed, InstallFailed, systemWords } from './sentences.ts'
import { NotAZip, openZip, type Zip, type ZipEntry } from './zip.ts'

/** A TensorFlow that can be compiled against. */
export interface FoundTensorflow {
  readonly version: string
  readonly from: TensorflowOrigin
  readonly place: string
  /** Has the libraries. */
  readonly folder: string
  readonly include: string
  readonly libraries: { readonly cc: string; readonly framework: string }
}

/** Where what a wheel gives is put. */
export interface WheelFolders {
  /** Stays with the engine. */
  readonly site: string
  /** Goes when it is built. */
  readonly build: string
}

const names = {
  cc: /^libtensorflow_cc(\.so\.\d+|\.\d+\.dylib)$/,
  framework: /^libtensorflow_framework(\.so\.\d+|\.\d+\.dylib)$/,
} as const

/** Without importing TensorFlow, which takes seconds. */
const question = `
import importlib.util, json, platform, sys
from importlib import metadata
spec = importlib.util.find_spec('tensorflow')
found = {'executable': sys.executable, 'machine': platform.machine(), 'folder': None, 'version': None}
if spec is not None and spec.submodule_search_locations:
    found['folder'] = list(spec.submodule_search_locations)[0]
    for name in ('tensorflow', 'tensorflow-cpu', 'tensorflow-cpu-aws', 'tensorflow-macos', 'tensorflow-rocm', 'tf-nightly', 'tf-nightly-cpu'):
        try:
            found['version'] = metadata.version(name)
            break
        except metadata.PackageNotFoundError:
            pass
print(json.dumps(found))
`

/** The TensorFlow of the Python named, or of the first on the PATH. */
export async function tensorflowOfPython(given: string | undefined, environment: Environment): Promise<FoundTensorflow> {
  const python = given === undefined ? findPython(environment.env) : givenPython(given)
  if (python === undefined) throw failed.noPython()
  const answer = await askPython(python, given, environment)
  if (answer.folder === null) throw failed.pythonWithoutTensorflow(python)
  const arch = archOf(answer.machine)
  if (arch !== undefined && arch !== process.arch) throw failed.pythonOfOtherArch(python, answer.machine)
  const folder = realpathSync(answer.folder)
  const version = answer.version ?? 'of an unknown version'
  const libraries = librariesIn(folder)
  const include = join(folder, 'include')
  if (libraries === undefined || statSync(join(include, 'tensorflow/c/c_api.h'), { throwIfNoEntry: false }) === undefined)
    throw failed.tensorflowTooOld(version, folder)
  return { version, from: 'python', place: answer.executable || python, folder, include, libraries }
}

interface PythonAnswer {
  readonly executable: string
  readonly machine: string
  readonly folder: string | null
  readonly version: string | null
}

async function askPython(python: string, given: string | undefined, environment: Environment): Promise<PythonAnswer> {
  try {
    const { code, out, all } = await run(python, ['-c', question], environment, { timeoutMs: 60_000 })
    const answer = JSON.parse(out.trim().split('\n').at(-1) ?? '') as PythonAnswer
    if (code !== 0 || typeof answer.machine !== 'string') throw new Error(complaintOf(all, []))
    return answer
  } catch (reason) {
    if (reason instanceof Cancelled) throw reason
    const said = reason instanceof SyntaxError ? 'it does not answer as Python does' : systemWords(reason)
    throw given === undefined ? failed.noPython() : failed.notPython(given, said)
  }
}

/** A program, or the folder of a virtual environment. */
function givenPython(given: string): string {
  const stats = statSync(given, { throwIfNoEntry: false })
  if (stats === undefined) throw failed.noSuchPython(given)
  if (!stats.isDirectory()) {
    if (!isProgram(given)) throw failed.notPython(given, 'it is not a program')
    return given
  }
  const inside = ['bin/python3', 'bin/python'].map((name) => join(given, name)).find(isProgram)
  if (inside === undefined) throw failed.noSuchPython(given)
  return inside
}

export function findPython(env: Environment['env']): string | undefined {
  return findProgram(['python3', 'python'], env)
}

export function archOf(machine: string): string | undefined {
  return { x86_64: 'x64', AMD64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' }[machine]
}

function librariesIn(folder: string): FoundTensorflow['libraries'] | undefined {
  const files = readdirSync(folder)
  const cc = files.find((name) => names.cc.test(name))
  const framework = files.find((name) => names.framework.test(name))
  return cc === undefined || framework === undefined ? undefined : { cc, framework }
}

/** Unpacks what is needed of a wheel; any Python's will do, for nothing of Python is used. */
export async function tensorflowOfWheel(
  file: string,
  from: 'wheel' | 'download',
  folders: WheelFolders,
  environment: Environment,
  room: (bytes: number) => void,
): Promise<FoundTensorflow> {
  return withWheel(
    file,
    async (zip) => {
      const wanted = zip.entries.map((entry) => ({ entry, to: destination(entry, folders) })).filter(({ to }) => to !== undefined)
      const inTop = (pattern: RegExp) =>
        wanted.find(({ entry }) => entry.name === `tensorflow/${basename(entry.name)}` && pattern.test(basename(entry.name)))
      const tags = await tagsOf(zip)
      if (!tags.some(fitsHere) && tags.length > 0) throw failed.wheelOfOtherPlatform(file, platformsOf(tags))
      if (inTop(names.cc) === undefined || inTop(names.framework) === undefined) throw failed.notTensorflow(file)
      room(wanted.reduce((sum, { entry }) => sum + entry.bytes, 0))
      mkdirSync(folders.site, { recursive: true })
      for (const { entry, to } of wanted) {
        if (environment.signal.aborted) throw new Cancelled()
        await zip.extract(entry, to!, environment.signal)
      }
      const folder = join(folders.site, 'tensorflow')
      const version = /^Version: (.+)$/m.exec(await metadataOf(zip))?.[1]?.trim() ?? 'of an unknown version'
      return {
        version,
        from,
        place: basename(file),
        folder,
        include: join(folders.build, 'tensorflow/include'),
        libraries: librariesIn(folder)!,
      }
    },
    environment,
  )
}

/** Libraries stay; of the headers those that TensorFlow's interface for C includes, for as long as it is compiled. */
function destination({ name }: ZipEntry, { site, build }: WheelFolders): string | undefined {
  if (/^tensorflow\/lib[^/]*\.(so[.\d]*|dylib)$/.test(name)) return site
  if (/^[^/]+\.(libs|dylibs)\/[^/]+$/.test(name)) return site
  if (/^tensorflow\/include\/(tensorflow|tsl|xla)\/.*\.h$/.test(name)) return build
  return undefined
}

/** Reads a wheel; whatever is wrong with it becomes a sentence. */
export async function withWheel<T>(file: string, use: (zip: Zip) => Promise<T>, { signal }: Environment): Promise<T> {
  let zip: Zip | undefined
  try {
    if (statSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    zip = await openZip(file)
    return await use(zip)
  } catch (reason) {
    if (signal.aborted) throw new Cancelled()
    if (reason instanceof NotAZip) throw failed.notAZip(file, reason.message)
    if (reason instanceof InstallFailed || (reason as NodeJS.ErrnoException).code === 'ENOSPC' || zip !== undefined) throw reason
    throw failed.noSuchWheel(file, systemWords(reason))
  } finally {
    await zip?.close()
  }
}

export async function metadataOf(zip: Zip): Promise<string> {
  const entry = zip.entries.find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name))
  return entry === undefined ? '' : zip.read(entry)
}

async function tagsOf(zip: Zip): Promise<readonly string[]> {
  const entry = zip.entries.find(({ name }) => /^[^/]+\.dist-info\/WHEEL$/.test(name))
  if (entry === undefined) return []
  return [...(await zip.read(entry)).matchAll(/^Tag: (.+)$/gm)].map((match) => match[1]!.trim())
}

/** `cp311-cp311-manylinux_2_17_x86_64`: Python, its interface, the platform. */
function fitsHere(tag: string): boolean {
  const platform = tag.split('-').slice(2).join('-')
  const arch = { x64: /(x86_64|universal2|intel)$/, arm64: /(aarch64|arm64|universal2)$/ }[process.arch as 'x64' | 'arm64']
  const system = { linux: /^(many)?linux/, darwin: /^macosx/ }[process.platform as 'linux' | 'darwin']
  return arch?.test(platform) === true && system?.test(platform) === true
}

function platformsOf(tags: readonly string[]): string {
  return [...new Set(tags.map((tag) => tag.split('-').slice(2).join('-')))].join(', ')
}
