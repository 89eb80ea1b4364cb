import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenedBackend, openBackend } from '../../server/src/learn/backends/ladder.ts'
import { nativeEnvironment } from '../../server/src/learn/backends/native/environment.ts'
import type { Architecture } from '../../server/src/learn/session.ts'
import { apart, architecture, everything, examplesFor, randomVector } from '../learn/problems.ts'

/**
 * A real wheel of TensorFlow, installed by the real command, and used: derivatives, and complaints on MNIST. `ASSAY_NATIVE_WHEEL` names a wheel to be
 * used instead of a download.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'bin/assay.mjs')
const home = mkdtempSync(join(tmpdir(), 'assay native '))
const env = { ...process.env, ASSAY_HOME: home }
const wheel = process.env.ASSAY_NATIVE_WHEEL
afterAll(() => rmSync(home, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
/** Not waited for in place: the runner takes a worker that is silent for a minute for a dead one. */
function node(args: readonly string[], more: Readonly<Record<string, string>> = {}, interruptAfterMs?: number): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args], { env: { ...env, ...more } })
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => {
      if (err === '' && interruptAfterMs !== undefined) setTimeout(() => child.kill('SIGINT'), interruptAfterMs)
      err += data
    })
    child.on('close', (code) => resolve({ code, out, err }))
  })
}
const assay = (...args: readonly string[]) => node([bin, ...args])
const install = ['engine', 'install', ...(wheel === undefined ? ['--download'] : ['--wheel', wheel])]

interface Listed {
  readonly engines: readonly {
    readonly used: boolean
    readonly device: string
    readonly selfTest: string
    readonly logisticHvpMs: number
    readonly tensorflow: { readonly version: string }
  }[]
}

beforeAll(async () => {
  const installed = await assay(...install)
  expect(installed.code, installed.err).toBe(0)
  process.stdout.write(installed.out)
})

test('it is installed, self-tested and timed', async () => {
  const { engines } = JSON.parse((await assay('engine', 'list', '--format', 'json')).out) as Listed
  expect(engines).toMatchObject([{ used: true, selfTest: 'passed' }])
  const [major = 0, minor = 0] = engines[0]!.tensorflow.version.split('.').map(Number)
  expect(major * 100 + minor).toBeGreaterThanOrEqual(215)
  expect(engines[0]!.logisticHvpMs).toBeGreaterThan(0)
  // Nothing of its making is left beside it.
  expect(readdirSync(join(home, 'engines'))).toEqual([`native-${process.platform}-${process.arch}`])
})

describe('derivatives are within 1e-4 of float64', () => {
  const cases: readonly [string, Partial<Architecture>][] = [
    ['logistic regression', {}],
    ['one class against the other', { outputs: 2 }],
    ['linear regression', { task: 'regression', outputs: 1 }],
    ['a layer of relu', { hidden: [8] }],
    ['a layer of tanh', { hidden: [8], activation: 'tanh' }],
    ['a layer of sigmoid', { hidden: [8], activation: 'sigmoid' }],
    ['two layers', { hidden: [9, 7], activation: 'relu' }],
    ['regression with a layer', { task: 'regression', hidden: [8], outputs: 1, activation: 'tanh' }],
  ]
  let native: OpenedBackend
  let reference: OpenedBackend
  beforeAll(async () => {
    Object.assign(process.env, nativeEnvironment(2))
    // A GPU, where there is one: it is what was installed.
    native = await openBackend('gpu', { threads: 2, home }).catch(() => openBackend('native', { threads: 2, home }))
    reference = await openBackend('reference', { threads: 1 })
  })
  afterAll(() => native?.backend.dispose())

  test.each(cases)('%s', async (_, over) => {
    const shape = architecture({ inputs: 20, ...over })
    const examples = examplesFor(shape, 300)
    const found = await native.backend.open(shape, examples)
    const expected = await reference.backend.open(shape, examples)
    const theta = randomVector(found.parameters, 1, 0.3)
    const vectors = [2, 3, 4].map((seed) => randomVector(found.parameters, seed))
    const values = await everything(found, theta, vectors)
    const truth = await everything(expected, theta, vectors)
    found.dispose()
    expected.dispose()
    for (const [name, value] of Object.entries(values)) expect(apart(value, truth[name]!), name).toBeLessThan(1e-4)
  })
})

test('complaints on MNIST find as many corrupted rows as with WebAssembly', async () => {
  const bench = async (engine: string) => {
    const { code, out, err } = await node([join(root, 'test/bench/influence.mjs')], { ENGINE: engine, QUICK: '1', NO_ORACLE: '1' })
    expect(code, err).toBe(0)
    return JSON.parse(out.split('\n', 1)[0]!) as Record<string, number> & { readonly engine: string }
  }
  const native = await bench('native')
  expect(native.engine).toBe('native')
  const wasm = await bench('wasm')
  for (const method of ['auto', 'cg', 'spectral', 'loss']) expect(Math.abs(native[method]! - wasm[method]!), method).toBeLessThan(0.01)
})

test('Ctrl-C while it is installed leaves what was there, and nothing else', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('assay-engine-'))
  const { code, err } = await node([bin, ...install], {}, 1500)
  expect(code, err).toBe(130)
  expect(err).toContain('Nothing was left half-written.')
  expect(readdirSync(join(home, 'engines'))).toEqual([`native-${process.platform}-${process.arch}`])
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('assay-engine-') && !before.includes(name))).toEqual([])
  expect((await assay('engine', 'list')).out).toContain('ready')
})

test('it is removed', async () => {
  expect((await assay('engine', 'remove')).code).toBe(0)
  expect(readdirSync(join(home, 'engines'))).toEqual([])
  expect(existsSync(join(home, 'engine-install.log'))).toBe(false)
})
