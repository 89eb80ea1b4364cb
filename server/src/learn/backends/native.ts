import { createRequire } from 'node:module'
import type { EngineOptions, Loaded } from './ladder.ts'
import { type Tfjs, tfjsDevice } from './tfjs.ts'

const require = createRequire(import.meta.url)
const packages = { gpu: ['@tensorflow/tfjs-node-gpu'], cpu: ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'] } as const

/** What tfjs-node adds to its backend. */
interface NativeBackend {
  readonly isUsingGpuDevice?: boolean
}

/**
 * TensorFlow in native code, where one of its two packages is installed and loads. Both register the same backend name, so a process has one of
 * them. `gpu` wants a device that TensorFlow really uses; `cpu` takes the package for GPUs as well, when it runs without one.
 */
export async function loadNative(kind: 'gpu' | 'cpu', _options: EngineOptions): Promise<Loaded<import('@tensorflow/tfjs-core').Tensor>> {
  const name = packages[kind].find(installed)
  if (name === undefined) throw new Error(`The package ${packages[kind].map((each) => `\`${each}\``).join(' or ')} is not installed.`)
  const tf = (await import(name)) as Tfjs & { default?: Tfjs }
  const core = tf.default ?? tf
  if (!(await core.setBackend('tensorflow'))) throw new Error('TensorFlow did not start.')
  const usesGpu = (core.backend() as NativeBackend).isUsingGpuDevice === true
  if (kind === 'gpu' && !usesGpu) throw new Error('TensorFlow loads, but sees no GPU.')
  const traits = { transposes: 'flags', reads: 'sync', batchWork: usesGpu ? 2e10 : 2e9, memory: usesGpu ? 2e9 : 1e9 } as const
  return {
    device: tfjsDevice(core, 'tensorflow', traits),
    description: `TensorFlow ${usesGpu ? 'on a GPU' : 'on the CPU'} (${name})`,
    dispose: () => {},
  }
}

function installed(name: string): boolean {
  try {
    require.resolve(`${name}/package.json`)
    return true
  } catch {
    return false
  }
}
