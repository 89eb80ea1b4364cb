import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { EngineUnavailable, openBackend } from '../../server/src/learn/backends/ladder.ts'
import { referenceDevice, referenceOps } from '../../server/src/learn/backends/reference.ts'
import { selfTest } from '../../server/src/learn/backends/self-test.ts'
import type { Device } from '../../server/src/learn/pass.ts'
import { apart, architecture, everything, examplesFor, randomVector } from './problems.ts'

const options = { threads: 1 }

it('auto gives a backend that passed the self-test, and says why those before it were not taken', async () => {
  const { backend, tried } = await openBackend('auto', options)
  expect(backend.selfTest).toBe('passed')
  expect(backend.device).not.toBe('')
  expect(backend.name).not.toBe('reference')
  for (const { reason } of tried) expect(reason).toMatch(/^[A-Z].*[.!?]$/)
})

it.each(['wasm', 'reference'] as const)('%s is always there', async (name) => {
  const { backend, tried } = await openBackend(name, options)
  expect(backend).toMatchObject({ name, selfTest: 'passed' })
  expect(tried).toEqual([])
  const shape = architecture({ hidden: [4], activation: 'sigmoid' })
  const session = await backend.open(shape, examplesFor(shape, 10))
  expect((await session.predict(randomVector(session.parameters, 1), () => {})).length).toBe(30)
  session.dispose()
  await backend.dispose()
})

it.each(['gpu', 'native', 'webgpu', 'onnx', 'onnx-cuda', 'onnx-webgpu'] as const)(
  '%s asked for by name: it, or a reason and a remedy',
  async (name) => {
    const outcome = await openBackend(name, options).catch((failure) => failure)
    if (!(outcome instanceof EngineUnavailable)) {
      expect(outcome.backend).toMatchObject({ name, selfTest: 'passed' })
      return
    }
    expect(outcome.message).toContain(`\`${name}\``)
    expect(outcome.reason).toMatch(/[.!?]$/)
    expect(outcome.remedy).toMatch(/\.$/)
  },
)

describe('the self-test finds', () => {
  const broken = (over: Partial<typeof referenceOps>): Device<unknown> => {
    const ops = { ...referenceOps, ...over }
    return { ...referenceDevice, compile: async (pass) => async (inputs) => pass.build(ops, inputs as never) } as Device<unknown>
  }
  it.each([
    ['a wrong transpose', { transposedMatMul: (a, b) => referenceOps.scale(referenceOps.transposedMatMul(a, b), 1.001) }, 'gradient'],
    ['a wrong softmax', { softmax: (a) => referenceOps.sigmoid(a) }, 'tangents'],
    ['a step that is always 1', { step: (a) => referenceOps.add(referenceOps.scale(a, 0), referenceOps.constant([1], [1, 1])) }, 'hessian'],
    ['results that are no number', { tanh: (a) => referenceOps.scale(a, Number.NaN) }, 'gradient'],
  ] satisfies [string, Partial<typeof referenceOps>, string][])('%s', async (_, over, capability) => {
    const { passed, summary } = await selfTest(broken(over))
    expect(passed).toBe(false)
    expect(summary).toContain(capability)
  })
})

it('runs in a worker thread, bundled', async () => {
  const root = join(import.meta.dirname, '../..')
  // Inside the repository, so that the packages left out of the bundle are found.
  await mkdir(join(root, 'dist'), { recursive: true })
  const folder = await mkdtemp(join(root, 'dist', 'test-worker-'))
  const outfile = join(folder, 'worker.mjs')
  await build({
    stdin: {
      contents: `
        import { parentPort } from 'node:worker_threads'
        import { openBackend } from './server/src/learn/backends/ladder.ts'
        import { architecture, everything, examplesFor, randomVector } from './test/learn/problems.ts'
        const { backend } = await openBackend('wasm', { threads: 1 })
        const session = await backend.open(architecture(), examplesFor(architecture(), 40))
        const theta = randomVector(session.parameters, 1)
        parentPort.postMessage((await everything(session, theta, [theta])).gradient)`,
      resolveDir: root,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'silent',
  })
  const worker = new Worker(outfile)
  const gradient = await new Promise<ArrayLike<number>>((resume, refuse) => {
    worker.once('message', resume)
    worker.once('error', refuse)
  })
  await worker.terminate()
  await rm(folder, { recursive: true })
  const { backend } = await openBackend('reference', options)
  const session = await backend.open(architecture(), examplesFor(architecture(), 40))
  const theta = randomVector(session.parameters, 1)
  expect(apart(gradient, (await everything(session, theta, [theta])).gradient!)).toBeLessThan(1e-5)
})
