import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { toyFolder } from '../support/run-toy.ts'
import { clientCapabilities, type LanguageClient, startClient } from './language-client.ts'

/** What happens to a workspace beside the server's work: other windows, files that go, folders that nobody vouches for. A sentence each, and nothing lost. */
const wide = Array.from({ length: 30 }, (_, c) => `x${c}`)
const slow = Array.from({ length: 600 }, (_, r) => `${r},${wide.map((_, c) => ((r * 31 + c * 17) % 97) / 97).join(',')},${(r * 7919) % 3}`)
const spec = `source people { from 'people.csv'; key id }
assert young on people { each row; require age < 50 }

source wide { from 'wide.csv'; key id; split train 100% }
model slow on wide {
  predict y
  from    ${wide.join(', ')}
  kind    logistic
  train   on train
}
`
const people = (age: number) => `id,age\n1,${age}\n2,30\n3,60\n`

async function started(folder: string, options: object = {}): Promise<LanguageClient> {
  const client = startClient(folder)
  await client.request('initialize', {
    processId: null,
    rootUri: pathToFileURL(folder).href,
    capabilities: clientCapabilities,
    initializationOptions: options,
  })
  client.notify('initialized', {})
  return client
}
const ended = async (client: LanguageClient) => {
  await client.request('shutdown', undefined)
  client.notify('exit', undefined)
  expect(await client.ended).toBe(0)
}
const execute = <T = ResultFile>(client: LanguageClient, command: string, args: object) =>
  client.request<T>('workspace/executeCommand', { command, arguments: [args] })

describe('two windows on one workspace', () => {
  const folder = toyFolder({ 'people.csv': people(20), 'wide.csv': `id,${wide.join(',')},y\n${slow.join('\n')}\n`, 'package.json': '{}' })
  const uri = pathToFileURL(join(folder, 'test.assay')).href
  writeFileSync(join(folder, 'test.assay'), spec)
  let windows: readonly LanguageClient[]
  beforeAll(async () => {
    windows = await Promise.all([started(folder), started(folder)])
  })
  afterAll(() => Promise.all(windows.map(ended)))

  test('run the same at once, both to the same result, of which one whole copy is kept', async () => {
    const files = await Promise.all(windows.map((client) => execute(client, 'assay.run', { uri, names: ['young', 'slow'] })))
    const [a, b] = files.map((file) => file.results.map(({ provenance: { elapsedMs: _, ...rest }, ...result }) => ({ ...result, ...rest })))
    expect(a!.map((one) => [one.name, one.status])).toEqual([
      ['people', 'ok'],
      ['young', 'violated'],
      ['wide', 'ok'],
      ['slow', 'ok'],
    ])
    expect(b).toEqual(a)
    expect(readdirSync(join(folder, '.assay', 'tmp'))).toEqual([])
  })

  test('what one window computed, the other knows', async () => {
    const third = await started(folder)
    const known = await execute(third, 'assay.result', { uri, name: 'young' })
    expect(known.results).toMatchObject([{ name: 'young', status: 'violated', failed: 1 }])
    await ended(third)
  })

  test('what is cancelled in one window goes on in the other', async () => {
    const [one, other] = windows as [LanguageClient, LanguageClient]
    const mine = execute(one, 'assay.run', { uri, names: ['slow'], seed: 11 })
    const theirs = execute(other, 'assay.run', { uri, names: ['slow'], seed: 11 })
    await execute(one, 'assay.cancel', { uri })
    expect((await theirs).results.at(-1)).toMatchObject({ name: 'slow', status: 'ok' })
    expect(['ok', 'cancelled']).toContain((await mine).results.at(-1)!.status)
  })
})

describe('a file that goes during a run', () => {
  const files = () => ({
    'people.csv': people(20),
    'wide.csv': `id,${wide.join(',')},y\n${slow.join('\n')}\n`,
    'package.json': '{}',
    'test.assay': spec,
  })

  test('makes a sentence of what needs it; all else is computed, and the next run works', async () => {
    const folder = toyFolder(files())
    const uri = pathToFileURL(join(folder, 'test.assay')).href
    const client = await started(folder)
    const running = execute(client, 'assay.run', { uri, names: ['young', 'slow'] })
    type Running = { running: { name: string }[] }
    await client.next<Running>('assay/status', (one) => one.running.length > 0)
    renameSync(join(folder, 'wide.csv'), join(folder, 'away.csv'))
    const { results, problems } = await running
    expect([...results.map((one) => one.status), ...problems.map((one) => one.severity)]).not.toContain('cancelled')
    // It may have been read by then.
    for (const one of results.filter((one) => one.status === 'failed')) expect(one.message).toMatch(/wide/)
    renameSync(join(folder, 'away.csv'), join(folder, 'wide.csv'))
    client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: pathToFileURL(join(folder, 'wide.csv')).href, type: 2 }] })
    expect((await execute(client, 'assay.run', { uri, names: ['young', 'slow'] })).results.map((one) => one.status)).toEqual([
      'ok',
      'violated',
      'ok',
      'ok',
    ])
    await ended(client)
  })

  test('and one that is gone before is named, where the spec names it', async () => {
    const folder = toyFolder(files())
    const uri = pathToFileURL(join(folder, 'test.assay')).href
    const client = await started(folder)
    await execute(client, 'assay.run', { uri, names: ['young'] })
    rmSync(join(folder, 'people.csv'))
    const gone = await execute(client, 'assay.run', { uri, names: ['young'] })
    expect([...gone.problems.map((one) => one.message), ...gone.results.map((one) => one.message ?? '')].join('\n')).toMatch(/people\.csv/)
    // What was known stays known.
    const last = await execute(client, 'assay.result', { uri, name: 'young' })
    expect(last.results).toMatchObject([{ name: 'young', failed: 1 }])
    rmSync(join(folder, 'test.assay'))
    await expect(execute(client, 'assay.run', { uri, names: ['young'] })).rejects.toThrow(/^There is no readable spec at /)
    await ended(client)
  })
})

test('a spec that imports itself says so, and runs what does not depend on it', async () => {
  const folder = toyFolder({ 'people.csv': people(20), 'package.json': '{}', 'test.assay': `import { x } from 'test.assay'\n\n${spec}` })
  const uri = pathToFileURL(join(folder, 'test.assay')).href
  const client = await started(folder)
  const file = await execute(client, 'assay.run', { uri, names: ['young'] })
  expect(file.problems).toContainEqual(expect.objectContaining({ code: 'import-itself', line: 1, message: expect.stringMatching(/\.$/) }))
  expect(file.results.at(-1)).toMatchObject({ name: 'young', status: 'violated' })
  await ended(client)
})

test('until a workspace is trusted no data is read and nothing runs; from then on all works', async () => {
  const folder = toyFolder({ 'people.csv': people(20), 'package.json': '{}', 'test.assay': spec })
  const uri = pathToFileURL(join(folder, 'test.assay')).href
  const client = await started(folder, { trusted: false })
  client.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'assay', version: 1, text: spec.replace('age <', 'agee <') } })
  type Published = { uri: string; diagnostics: { code: string }[] }
  // Its columns are not known: the data are not looked at.
  expect((await client.next<Published>('textDocument/publishDiagnostics', (one) => one.uri === uri)).diagnostics).toEqual([])
  for (const command of ['assay.run', 'assay.plan', 'assay.preview'])
    await expect(execute(client, command, { uri, names: ['young'], name: 'people' })).rejects.toThrow(/^This workspace is not trusted: /)
  expect(await client.request('textDocument/documentSymbol', { textDocument: { uri } })).toHaveLength(4)
  expect(existsSync(join(folder, '.assay'))).toBe(false)
  client.notify('assay/trust', {})
  await client.next<Published>('textDocument/publishDiagnostics', (one) => one.diagnostics[0]?.code === 'unknown-column')
  client.notify('textDocument/didClose', { textDocument: { uri } })
  expect((await execute(client, 'assay.run', { uri, names: ['young'] })).results.at(-1)).toMatchObject({ status: 'violated' })
  await ended(client)
})
