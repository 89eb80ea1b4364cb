import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Engines that `assay engine install` has built: folders of the user's, outside any project, each with a manifest that says what it is. Here: where
 * they lie, and which of them this process may load. `install.ts` makes them, `../native.ts` loads them; nothing here runs anything.
 */
export const tensorflowPackage = '@tensorflow/tfjs-node-gpu'
/** The same as our own TensorFlow.js: two copies of its core share one registry, and may do so at the same version only. */
export const packageVersion = '4.22.0'
export const napiVersion = 8
const schema = 'assay-engine/1'

export interface EngineManifest {
  readonly schema: typeof schema
  readonly package: string
  readonly packageVersion: string
  readonly tensorflow: {
    readonly version: string
    readonly from: TensorflowOrigin
    /** The Python, or the file name of the wheel. */
    readonly place: string
    /** Where its libraries lie, if outside this folder. */
    readonly folder?: string
    readonly libraries: readonly LibraryFile[]
  }
  readonly platform: string
  readonly arch: string
  readonly node: string
  /** Of Node's own binary interface, for the record: the binding uses Node-API, which does not change with it. */
  readonly modules: string
  readonly napi: number
  readonly device: 'cpu' | 'gpu'
  readonly selfTest: string
  /** Milliseconds: a Hessian product of a logistic regression, 60 000 × 784 × 10. */
  readonly logisticHvpMs?: number
  readonly installed: string
}

export type TensorflowOrigin = 'python' | 'wheel' | 'download'

export interface LibraryFile {
  readonly name: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface InstalledEngine {
  readonly name: string
  readonly folder: string
  /** Undefined where it cannot be read. */
  readonly manifest: EngineManifest | undefined
  /** Why it is not used: a sentence. */
  readonly ignored?: string
}

export const enginesFolder = (home: string): string => join(home, 'engines')
export const engineName = (platform: string = process.platform, arch: string = process.arch): string => `native-${platform}-${arch}`
/** Folders of installations that have not finished; their names end in the process that makes them. */
export const unfinished = /^\.(building|replaced)-(\d+)$/

export const manifestFile = 'manifest.json'
export const bindingFile = join('node_modules', ...tensorflowPackage.split('/'), 'lib', `napi-v${napiVersion}`, 'tfjs_binding.node')
/** Libraries of a wheel lie here; the binding looks for them there, wherever the engine's folder is moved. */
export const wheelFolder = 'site'

/** All that are there, usable or not; a half-finished installation is none. */
export function installedEngines(home: string): readonly InstalledEngine[] {
  const root = enginesFolder(home)
  let names: readonly string[]
  try {
    names = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  } catch {
    return []
  }
  return names.map((name) => readEngine(name, join(root, name)))
}

export function readEngine(name: string, folder: string): InstalledEngine {
  const again = 'Install it again: `assay engine install`.'
  let manifest: EngineManifest
  try {
    manifest = JSON.parse(readFileSync(join(folder, manifestFile), 'utf8')) as EngineManifest
    if (typeof manifest.schema !== 'string') throw new TypeError('no schema')
  } catch {
    return { name, folder, manifest: undefined, ignored: `It has no manifest that can be read: its installation did not finish. ${again}` }
  }
  if (manifest.schema !== schema)
    return { name, folder, manifest: undefined, ignored: `Another version of Assay installed it (${manifest.schema}). ${again}` }
  const ignored = obstacle(folder, manifest)
  return { name, folder, manifest, ...(ignored === undefined ? {} : { ignored: `${ignored} ${again}` }) }
}

function obstacle(folder: string, manifest: EngineManifest): string | undefined {
  const { platform, arch, napi, tensorflow } = manifest
  if (platform !== process.platform || arch !== process.arch)
    return `It was built for ${platform} on ${arch}; this is ${process.platform} on ${process.arch}.`
  if (manifest.package !== tensorflowPackage || manifest.packageVersion !== packageVersion)
    return `It was built for ${manifest.package} ${manifest.packageVersion}; this version of Assay uses ${packageVersion}.`
  if (napi > Number(process.versions.napi)) return `It needs Node-API ${napi}; this Node has ${process.versions.napi}.`
  if (!existsSync(join(folder, bindingFile))) return 'Its binding is missing.'
  const libraries = tensorflow.folder ?? join(folder, wheelFolder, 'tensorflow')
  for (const library of tensorflow.libraries) {
    const found = libraryFile(libraries, library.name)
    if (found === undefined) return `The TensorFlow that it was built against is no longer in ${libraries}.`
    // An archive tool may keep no fractions of seconds.
    if (found.bytes !== library.bytes || Math.abs(found.modifiedMs - library.modifiedMs) > 2000)
      return `The TensorFlow in ${libraries} has changed since.`
  }
  return undefined
}

export function libraryFile(folder: string, name: string): LibraryFile | undefined {
  const stats = statSync(join(folder, name), { throwIfNoEntry: false })
  return stats && { name, bytes: stats.size, modifiedMs: Math.round(stats.mtimeMs) }
}

export function newManifest(
  parts: Omit<EngineManifest, 'schema' | 'package' | 'packageVersion' | 'platform' | 'arch' | 'napi'>,
): EngineManifest {
  const { platform, arch } = process
  return { schema, package: tensorflowPackage, packageVersion, platform, arch, napi: napiVersion, ...parts }
}
