import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'
import { startWorker } from '../../server/src/engine/client.ts'
import type { StatusParams } from '../../server/src/protocol/messages.ts'
import type { Page } from '../../server/src/protocol/pages.ts'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { serve } from '../../server/src/server.ts'
import { toyFolder } from '../support/run-toy.ts'
import { slowness } from '../support/slowness.ts'
import { clientCapabilities } from './language-client.ts'

/** The server with an engine whose thread breaks down in the middle of certain runs. */
const root = fileURLToPath(new URL('../..', import.meta.url))

const spec = `source people { from 'people.csv'; key id }
assert leaves on people { each row; require age < 120 }
assert throws on people { each row; require age < 110 }
assert well on people { each row; require age < 100 }
`
const people = `id,age\n${Array.from({ length: 40 }, (_, i) => `${i},${20 + i}`).join('\n')}\n`
/** Before the database is at work: native code that comes back into a thread that is gone would end this process, tests and all. */
const breaking = `
import { parentPort } from 'node:worker_threads'
const on = parentPort.on.bind(parentPort)
parentPort.on = (event, listener) =>
  on(event, (message) => {
    const names = message.method === 'run' ? message.args[0].map((plan) => plan.name) : []
    if (names.includes('leaves')) process.exit(70)
    if (names.includes('throws')) throw new RangeError('Array buffer allocation failed')
    listener(message)
  })
await import(${JSON.stringify(pathToFileURL(join(root, 'dist/worker.mjs')).href)})
`

describe('an engine that breaks down', () => {
  const folder = toyFolder({ 'people.csv': people, 'package.json': '{}', 'test.assay': spec, 'breaking.mjs': breaking })
  const uri = pathToFileURL(join(folder, 'test.assay')).href
  const input = new PassThrough()
  const output = new PassThrough()
  const client = createMessageConnection(new StreamMessageReader(output), new StreamMessageWriter(input))
  const states: StatusParams[] = []
  client.onNotification('assay/status', (params: StatusParams) => void states.push(params))
  client.onRequest((method) => (method === 'workspace/configuration' ? [null] : null))
  const execute = <T>(command: string, args: object) => client.sendRequest<T>('workspace/executeCommand', { command, arguments: [args] })
  beforeAll(async () => {
    const script = pathToFileURL(join(folder, 'breaking.mjs'))
    void serve(
      { input, output },
      { env: {}, startEngine: (options) => startWorker({ ...options, engine: 'reference', threads: 1 }, script) },
    )
    client.listen()
    await client.sendRequest('initialize', { processId: null, rootUri: null, capabilities: clientCapabilities })
    await client.sendNotification('initialized', {})
    await client.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'assay', version: 1, text: spec } })
  })
  afterAll(() => {
    input.end()
    client.dispose()
  })

  test('what is cancelled while the database is loaded ends within a second', async () => {
    for (const delayMs of [0, 150, 400]) {
      const running = execute<ResultFile>('assay.run', { uri, names: ['well'] })
      await new Promise((resume) => setTimeout(resume, delayMs))
      const asked = performance.now()
      const stopped = await execute<number>('assay.cancel', { uri })
      const file = await running
      // On a fast machine it may be over by then.
      if (stopped === 0 && delayMs > 0) continue
      expect(performance.now() - asked).toBeLessThan(1500 * slowness())
      expect(file.results.at(-1)).toMatchObject({ name: 'well', status: 'cancelled' })
    }
  })

  test.each([
    ['leaves', /^The engine stopped in the middle of its work \(it ended with code 70\)/],
    ['throws', /allocation failed/],
  ])('%s one failed result with a remedy, on its page too; the next run works', async (name, words) => {
    const file = await execute<ResultFile>('assay.run', { uri, names: [name] })
    const result = file.results.find((one) => one.name === name)
    expect(result).toMatchObject({ status: 'failed', message: expect.stringMatching(words) })
    expect(result!.message).toMatch(/If memory ran out, use fewer rows/)
    expect(states.at(-1)).toMatchObject({ state: 'failed', running: [], message: expect.stringContaining('stopped in the middle') })
    const page = await client.sendRequest<Page>('assay/page', { uri, name, what: 'result' })
    expect(page).toMatchObject({ verdict: 'failed', mood: 'bad', sections: [] })
    const next = await execute<ResultFile>('assay.run', { uri, names: ['well'] })
    expect(next.results.at(-1)).toMatchObject({ name: 'well', status: 'ok' })
    expect(states.at(-1)).toMatchObject({ state: 'ready', running: [] })
  })

  test('a run that is refused is over for those who follow, too', async () => {
    await expect(execute('assay.run', { uri: `${uri}x`, names: ['gone'] })).rejects.toThrow(/no readable spec/)
    expect(states.at(-2)).toMatchObject({ state: 'running', running: [{ name: 'gone' }] })
    expect(states.at(-1)).toMatchObject({ state: 'ready', running: [] })
  })

  test('the last results name the spec; requests that make no sense are answered in sentences', async () => {
    const last = await execute<ResultFile>('assay.result', { uri, name: 'well' })
    expect(last).toMatchObject({ file: join(folder, 'test.assay'), results: [{ name: 'well' }] })
    const failing = (method: string, params: object) => client.sendRequest(method, params).catch((reason) => String(reason.message))
    expect(await failing('assay/page', { uri })).toMatch(/^A page has an address/)
    expect(await failing('assay/page', { uri: `${uri}x`, name: 'well', what: 'result' })).toMatch(/^There is no readable spec/)
    expect(await failing('assay/act', { address: { uri, name: 'well', what: 'result' }, action: 'run' })).toMatch(
      /^An act has an `address`/,
    )
    expect(await failing('assay/act', { address: { uri, name: 'well', what: 'result' }, action: 'dance', rows: [] })).toMatchObject({
      say: expect.stringMatching(/cannot do that/),
    })
    expect(await failing('assay/view', { uri: `${uri}x`, name: 'well' })).toMatch(/^There is no readable spec/)
    writeFileSync(join(folder, 'people.csv'), `${people}99,200\n`)
    const preview = await execute<ResultFile>('assay.preview', { uri, name: 'people', limit: 3 })
    expect(preview.results).toMatchObject([{ kind: 'source', preview: { total: 41, rows: [{ key: 0 }, { key: 1 }, { key: 2 }] } }])
    expect(await client.sendRequest<Page>('assay/page', { uri, name: 'well', what: 'result' })).toMatchObject({ state: 'data changed' })
  })
})
