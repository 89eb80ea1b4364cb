import type { Tensor } from '@tensorflow/tfjs-core'
import type { Loaded } from './ladder.ts'
import { type Tfjs, tfjsDevice } from './tfjs.ts'
import { requireVulkan } from './vulkan.ts'

/** What we use of WebGPU; the types of the package want the DOM's. */
interface Gpu {
  requestAdapter(): Promise<Adapter | null>
}
interface Adapter {
  readonly info: {
    readonly isFallbackAdapter?: boolean
    readonly vendor?: string
    readonly architecture?: string
    readonly description?: string
  }
}

/**
 * TensorFlow.js on WebGPU by Dawn (npm's `webgpu`). A software adapter is refused: WebAssembly is 10 to 100 times faster. The backend reads
 * WebGPU's names from the global object, where a browser has them and Node does not.
 */
export async function loadWebgpu(search: 'quiet' | 'thorough'): Promise<Loaded<Tensor>> {
  if (search === 'quiet') requireVulkan()
  const name = 'webgpu'
  const dawn = (await import(name)) as { create(options: readonly string[]): Gpu; globals: object }
  const gpu = dawn.create([])
  const adapter = await gpu.requestAdapter()
  if (adapter === null) throw new Error('There is no graphics adapter.')
  if (adapter.info.isFallbackAdapter === true) throw new Error('The only graphics adapter is emulated in software.')
  Object.assign(globalThis, dawn.globals)
  const navigator = (globalThis as { navigator?: object }).navigator ?? {}
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  const tf: Tfjs = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-backend-webgpu')
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js could not start on WebGPU.')
  const { description, vendor, architecture } = adapter.info
  return {
    device: tfjsDevice(tf, 'webgpu', { transposes: 'flags', reads: 'async', batchWork: 2e10, memory: 1e9 }),
    description: `WebGPU on ${description || [vendor, architecture].filter(Boolean).join(' ') || 'an unnamed adapter'}`,
    dispose: () => {},
  }
}
