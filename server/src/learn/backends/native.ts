import { createRequire } from 'node:module'
import { join } from 'node:path'
import util from 'node:util'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { EngineOptions, Loaded } from './ladder.ts'
import { type InstalledEngine, installedEngines, tensorflowPackage } from './native/engine-folder.ts'
import { type Tfjs, tfjsDevice } from './tfjs.ts'

const require = createRequire(import.meta.url)
const packages = { gpu: [tensorflowPackage], cpu: ['@tensorflow/tfjs-node', tensorflowPackage] } as const

/** What tfjs-node adds to its backend. */
interface NativeBackend {
  readonly isUsingGpuDevice?: boolean
  readonly binding?: { readonly TF_Version?: string }
}

export interface LoadedNative extends Loaded<Tensor> {
  readonly version: string
  readonly kind: 'gpu' | 'cpu'
}

/**
 * TensorFlow in native code: what `assay engine install` has built, else one of the two packages of TensorFlow.js, where it is installed and loads.
 * All register the same backend name, so a process has one of them. `gpu` wants a device that TensorFlow really uses; `cpu` takes what could use
 * a GPU as well, when it runs without one.
 */
export async function loadNative(kind: 'gpu' | 'cpu', { home }: EngineOptions): Promise<LoadedNative> {
  const engines = home === undefined ? [] : installedEngines(home)
  const engine = engines.find(({ ignored }) => ignored === undefined)
  if (engine !== undefined) {
    if (kind === 'gpu' && engine.manifest?.device === 'cpu')
      throw new Error(`TensorFlow ${engine.manifest.tensorflow.version}, as \`assay engine install\` built it, found no GPU.`)
    return demand(kind, loadFrom(engine.folder))
  }
  const name = packages[kind].find(isInstalled)
  if (name === undefined) throw new Error(absence(packages[kind], engines))
  prepare()
  return demand(kind, start(await import(name), name))
}

/** The engine in this folder, whatever else is installed. */
export function loadFrom(folder: string): LoadedNative {
  prepare()
  return start(createRequire(join(folder, 'package.json'))(tensorflowPackage), `\`assay engine install\``)
}

function start(module: Tfjs & { readonly default?: Tfjs }, from: string): LoadedNative {
  const core = module.default ?? module
  core.enableProdMode()
  // It answers at once: the backend is started when the package is loaded.
  core.setBackend('tensorflow').catch(() => {})
  if (core.getBackend() !== 'tensorflow') throw new Error('TensorFlow did not start.')
  const { isUsingGpuDevice, binding } = core.backend() as NativeBackend
  const usesGpu = isUsingGpuDevice === true
  const version = binding?.TF_Version ?? 'of an unknown version'
  const traits = { transposes: 'flags', reads: 'sync', batchWork: usesGpu ? 2e10 : 2e9, memory: usesGpu ? 2e9 : 1e9 } as const
  return {
    version,
    kind: usesGpu ? 'gpu' : 'cpu',
    device: tfjsDevice(core, 'tensorflow', traits),
    description: `TensorFlow ${version} ${usesGpu ? 'on a GPU' : 'on the CPU'} (${from})`,
    dispose: () => {},
  }
}

function demand(kind: 'gpu' | 'cpu', loaded: LoadedNative): LoadedNative {
  if (kind === 'gpu' && loaded.kind === 'cpu') throw new Error('TensorFlow loads, but sees no GPU.')
  return loaded
}

function absence(names: readonly string[], engines: readonly InstalledEngine[]): string {
  const unusable = engines.find(({ ignored }) => ignored !== undefined)
  if (unusable !== undefined) return `The engine in ${unusable.folder} is ignored. ${unusable.ignored}`
  return `The package ${names.map((each) => `\`${each}\``).join(' or ')} is not installed.`
}

/**
 * TensorFlow.js of 2024 uses two functions that Node 23 no longer has; and a second copy of it in a process warns of the first, unless the registry
 * that they share says that this is no development.
 */
function prepare(): void {
  const functions = util as { isNullOrUndefined?: unknown; isArray?: unknown }
  functions.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
  functions.isArray ??= Array.isArray
  const { _tfengine: shared } = globalThis as { _tfengine?: { readonly ENV: { set(flag: string, value: boolean): void } } }
  shared?.ENV.set('PROD', true)
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(`${name}/package.json`)
    return true
  } catch {
    return false
  }
}
