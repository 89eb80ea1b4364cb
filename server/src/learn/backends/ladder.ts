import { openSession } from '../open-session.ts'
import type { Device } from '../pass.ts'
import type { Backend } from '../session.ts'
import { loadNative } from './native.ts'
import { loadOnnx } from './onnx.ts'
import { referenceDevice } from './reference.ts'
import { selfTest } from './self-test.ts'
import { loadWasm } from './wasm.ts'
import { loadWebgpu } from './webgpu.ts'

/**
 * The ladder of engines: tried from the fastest down, each by our own self-test, the first that passes is used. WebAssembly is always there. This
 * folder alone names TensorFlow.js and ONNX Runtime; everything above speaks of `Device`, or of `Session`.
 */
export const engines = ['gpu', 'onnx-cuda', 'webgpu', 'onnx-webgpu', 'onnx', 'native', 'wasm', 'reference'] as const
export type Engine = (typeof engines)[number]

export interface EngineOptions {
  /** Threads of engines that have any. */
  readonly threads: number
  /** Where the binaries for WebAssembly lie, if not in the package. */
  readonly wasmFolder?: string
  /** The user's folder of Assay: the engines that `assay engine install` has built lie in it. */
  readonly home?: string
  /** `thorough`: load what can be loaded, even where libraries then complain on stderr; so when an engine is asked for by name. */
  readonly search?: 'quiet' | 'thorough'
}

export interface Tried {
  readonly engine: Engine
  /** A sentence. */
  readonly reason: string
}

export interface OpenedBackend {
  readonly backend: Backend
  /** What was tried before, and why it was not taken. */
  readonly tried: readonly Tried[]
}

/** An engine that was asked for by name and cannot be had. */
export class EngineUnavailable extends Error {
  readonly engine: Engine
  readonly reason: string
  readonly remedy: string
  constructor(engine: Engine, reason: string, remedy: string, cause?: unknown) {
    super(`The engine \`${engine}\` cannot be used: ${reason} ${remedy}`, { cause })
    this.name = 'EngineUnavailable'
    this.engine = engine
    this.reason = reason
    this.remedy = remedy
  }
}

/** An engine that is there and computes wrongly. */
export class SelfTestFailed extends Error {
  /** What failed, and by how much. */
  readonly summary: string
  constructor(summary: string) {
    super(`It loads, but fails the self-test: ${summary}.`)
    this.name = 'SelfTestFailed'
    this.summary = summary
  }
}

/** A device with its words: made by a rung. */
export interface Loaded<H> {
  readonly device: Device<H>
  readonly description: string
  dispose(): Promise<void> | void
}

/** Gives a ready backend, or throws what is in the way (an `Error` whose message is a sentence). */
export type Rung = (options: EngineOptions) => Promise<Backend>

const rungs: Readonly<Record<Engine, { readonly load: Rung; readonly remedy: string }>> = {
  gpu: {
    load: (options) => ready('gpu', loadNative('gpu', options)),
    remedy: 'With an NVIDIA GPU and its driver, `assay engine install --download` builds it; or use `--engine auto`.',
  },
  'onnx-cuda': {
    load: (options) => ready('onnx-cuda', loadOnnx('cuda', options.threads)),
    remedy:
      'It needs CUDA 12, cuDNN 9 and the CUDA libraries of `onnxruntime-node` (its `script/install.js` fetches them); or use `--engine auto`.',
  },
  webgpu: {
    load: (options) => ready('webgpu', loadWebgpu(options.search ?? 'quiet')),
    remedy: 'It needs the npm package `webgpu` and a graphics driver with Vulkan, Metal or Direct3D 12; or use `--engine auto`.',
  },
  'onnx-webgpu': {
    load: (options) => ready('onnx-webgpu', loadOnnx('webgpu', options.threads, options.search ?? 'quiet')),
    remedy: 'It needs a graphics driver with Vulkan, Metal or Direct3D 12; or use `--engine auto`.',
  },
  native: {
    load: (options) => ready('native', loadNative('cpu', options)),
    remedy: '`assay engine install` builds it against the TensorFlow of your Python, or a wheel; or use `--engine auto`.',
  },
  onnx: {
    load: (options) => ready('onnx', loadOnnx('cpu', options.threads)),
    remedy: 'Install the package `onnxruntime-node`, where it has a binary for this platform; or use `--engine auto`.',
  },
  wasm: { load: (options) => ready('wasm', loadWasm(options.wasmFolder)), remedy: 'Install the packages again (`npm ci`).' },
  reference: {
    load: () =>
      ready('reference', Promise.resolve({ device: referenceDevice, description: 'float64 loops, one thread', dispose: () => {} })),
    remedy: '',
  },
}

/**
 * What `auto` tries, in this order; the float64 loops are only for tests and for those who ask. On the CPU one order does for all kinds of models: `onnx` took 0.5 to
 * 0.8 of the time of `native` for logistic models and networks alike, and `wasm` some five times as long (RESULTS.md, "Rungs of the CPU").
 */
const order: readonly Engine[] = ['gpu', 'webgpu', 'onnx', 'native', 'wasm']

export async function openBackend(preference: Engine | 'auto', options: EngineOptions): Promise<OpenedBackend> {
  if (preference !== 'auto') {
    const { load, remedy } = rungs[preference]
    try {
      return { backend: await load({ search: 'thorough', ...options }), tried: [] }
    } catch (failure) {
      throw new EngineUnavailable(preference, sentence(failure), remedy, failure)
    }
  }
  const tried: Tried[] = []
  for (const engine of order) {
    try {
      return { backend: await rungs[engine].load(options), tried }
    } catch (failure) {
      tried.push({ engine, reason: sentence(failure) })
    }
  }
  throw new EngineUnavailable('wasm', tried.at(-1)!.reason, rungs.wasm.remedy)
}

async function ready<H>(name: Engine, loading: Promise<Loaded<H>>): Promise<Backend> {
  const { device, description, dispose } = await loading
  const { passed, summary } = await selfTest(device)
  if (!passed) {
    await dispose()
    throw new SelfTestFailed(summary)
  }
  return {
    name,
    device: description,
    selfTest: summary,
    open: (architecture, examples) => openSession(device, architecture, examples),
    dispose: async () => dispose(),
  }
}

/** The first line of what was thrown: native loaders append stacks and paths. */
function sentence(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure)
  const first = message.split('\n', 1)[0]!.trim()
  return /[.!?]$/.test(first) ? first : `${first}.`
}
