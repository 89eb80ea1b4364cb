import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadOnnx } from '../../server/src/learn/backends/onnx.ts'
import { slowness } from '../support/slowness.ts'

const absent = await loadOnnx('cpu', 1).then(
  (loaded) => Promise.resolve(loaded.dispose()).then(() => undefined),
  (failure: Error) => failure.message,
)
if (absent !== undefined) console.warn(`Skipped: ${absent}`)

const root = join(import.meta.dirname, '../..')
let folder: string
let script: string

describe.skipIf(absent !== undefined)('in a worker thread', () => {
  beforeAll(async () => {
    // Inside the repository, so that the packages left out of the bundle are found.
    await mkdir(join(root, 'dist'), { recursive: true })
    folder = await mkdtemp(join(root, 'dist', 'test-onnx-'))
    script = join(folder, 'worker.mjs')
    await build({
      stdin: {
        contents: `
          import { parentPort, workerData } from 'node:worker_threads'
          import { loadOnnx } from './server/src/learn/backends/onnx.ts'
          import { openSession } from './server/src/learn/open-session.ts'
          import { architecture, examplesFor, randomVector } from './test/learn/problems.ts'
          const { device } = await loadOnnx('cpu', 2)
          const shape = architecture({ inputs: 64, hidden: [256] })
          const session = await openSession(device, shape, examplesFor(shape, workerData.rows))
          const theta = randomVector(session.parameters, 1, 0.1)
          const product = async () => (await session.hessianProducts(theta, [theta], () => {}))[0]
          parentPort.postMessage(await product())
          while (workerData.forever) await product()`,
        resolveDir: root,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      outfile: script,
      logLevel: 'silent',
    })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const started = (workerData: {
    readonly rows: number
    readonly forever: boolean
  }): { worker: Worker; product: Promise<Float64Array> } => {
    const worker = new Worker(script, { workerData })
    const product = new Promise<Float64Array>((resume, refuse) => {
      worker.once('message', resume)
      worker.once('error', refuse)
    })
    return { worker, product }
  }

  it('two run at once and agree', async () => {
    const both = [0, 1].map(() => started({ rows: 600, forever: false }))
    const [one, two] = await Promise.all(both.map(({ product }) => product))
    expect(one).toEqual(two)
    await Promise.all(both.map(({ worker }) => worker.terminate()))
  })

  it('ended in the middle of a pass, it leaves nothing behind, and the next one works', async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { worker, product } = started({ rows: 2000, forever: true })
      await product
      const before = performance.now()
      await worker.terminate()
      // A batch is what it waits for at most.
      expect(performance.now() - before).toBeLessThan(1000 * slowness())
    }
    const { worker, product } = started({ rows: 600, forever: false })
    expect((await product).every(Number.isFinite)).toBe(true)
    await worker.terminate()
  })
})
