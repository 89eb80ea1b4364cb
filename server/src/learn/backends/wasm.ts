import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Loaded } from './ladder.ts'
import { type Tfjs, tfjsDevice } from './tfjs.ts'

const require = createRequire(import.meta.url)

/** TensorFlow.js on WebAssembly: SIMD, one thread (it has no threads in Node). Binaries from `folder`, or from the package. */
export async function loadWasm(folder?: string): Promise<Loaded<Tensor>> {
  const tf: Tfjs = await import('@tensorflow/tfjs-core')
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const from = folder ?? join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist')
  // Paths can only be set before the first start.
  if (tf.engine().registry.wasm === undefined) wasm.setWasmPaths(`${from}/`)
  if (!(await tf.setBackend('wasm'))) throw new Error(`WebAssembly could not be started from ${from}.`)
  return {
    device: tfjsDevice(tf, 'wasm', { transposes: 'explicit', reads: 'sync', batchWork: 2.5e8, memory: 768e6 }),
    description: 'WebAssembly with SIMD, one thread',
    dispose: () => {},
  }
}
