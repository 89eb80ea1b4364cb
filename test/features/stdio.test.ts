import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CodeLens, CompletionItem, Diagnostic, Hover } from 'vscode-languageserver'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { madeFolder } from '../cli/run-cli.ts'
import { slowness } from '../support/slowness.ts'
import { clientCapabilities, type LanguageClient, startClient } from './language-client.ts'

/** The server as an editor starts it, on made files. */
const root = fileURLToPath(new URL('../..', import.meta.url))

const spec = `source people {
  from 'people.csv'
  key  id
}

--- Nobody is that old.
assert plausible on people {
  each    row
  require age < 120
}

slice old on people where aeg > 60
`
const wide = Array.from({ length: 40 }, (_, i) => `x${i}`)
const slowSpec = `source wide { from 'wide.csv'; key id; split train 100% }
model slow on wide {
  predict y
  from ${wide.join(', ')}
  kind mlp(hidden: [256, 256])
  train on train with (epochs: 100000, batch: 64)
}
`
type Published = { uri: string; version?: number; diagnostics: Diagnostic[] }

describe('the language server over standard input and output', () => {
  // A blank and a letter beyond ASCII in the path: editors escape them in URIs.
  const folder = madeFolder()
  const path = join(folder, 'my späc.assay')
  const uri = pathToFileURL(path).href
  let client: LanguageClient
  beforeAll(() => {
    const rows = Array.from({ length: 50 }, (_, i) => `${i},${i === 7 ? 130 : 20 + i}`)
    writeFileSync(join(folder, 'people.csv'), `id,age\n${rows.join('\n')}\n`)
    writeFileSync(path, spec)
    client = startClient(folder)
  })
  afterAll(() => void client.child.kill())

  test('says what it can do', async () => {
    const folders = [{ uri: pathToFileURL(folder).href, name: 'test' }]
    const answer = await client.request<{ capabilities: Record<string, unknown> }>('initialize', {
      processId: process.pid,
      rootUri: folders[0]!.uri,
      workspaceFolders: folders,
      capabilities: clientCapabilities,
    })
    expect(answer.capabilities).toMatchObject({ hoverProvider: true, textDocumentSync: { change: 2 } })
    client.notify('initialized', {})
  })

  test('reports problems by version, once schemas are known, and clears them when they are mended', async () => {
    client.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'assay', version: 1, text: spec } })
    const first = await client.next<Published>('textDocument/publishDiagnostics', (one) => one.diagnostics.length > 0)
    expect(first).toMatchObject({
      uri,
      version: 1,
      diagnostics: [{ code: 'unknown-column', data: { hint: 'age' }, range: { start: { line: 11, character: 26 } } }],
    })
    const range = { start: { line: 11, character: 26 }, end: { line: 11, character: 29 } }
    client.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ range, text: 'age' }] })
    const second = await client.next<Published>('textDocument/publishDiagnostics', (one) => one.version === 2)
    expect(second.diagnostics).toEqual([])
  })

  test('answers about names and columns', async () => {
    const hover = await client.request<Hover>('textDocument/hover', { textDocument: { uri }, position: { line: 11, character: 27 } })
    expect(hover.contents).toMatchObject({ value: expect.stringContaining('number · `BIGINT` · column of `people`') })
    const items = await client.request<CompletionItem[]>('textDocument/completion', {
      textDocument: { uri },
      position: { line: 11, character: 26 },
    })
    expect(items.map((item) => item.label)).toEqual(expect.arrayContaining(['id', 'age', 'round']))
  })

  test('runs what is asked for, with progress, and tells what became of it', async () => {
    const file = await client.request<ResultFile>('workspace/executeCommand', {
      command: 'assay.run',
      arguments: [{ uri, names: ['plausible'] }],
    })
    expect(file.schema).toBe('assay-result/1')
    expect(file.results.map((one) => [one.name, one.status])).toEqual([
      ['people', 'ok'],
      ['plausible', 'violated'],
    ])
    expect(file.results[1]).toMatchObject({ failed: 1, flagged: [{ key: 7 }] })
    expect(await client.next<{ value: { kind: string } }>('$/progress', (one) => one.value.kind === 'begin')).toBeDefined()
    expect(await client.next<{ value: { kind: string } }>('$/progress', (one) => one.value.kind === 'end')).toBeDefined()
    const said = await client.next<{ message: string }>('window/showMessage', () => true)
    expect(said.message).toMatch(/^plausible · fails: 1 of 50 fails? \(2 %\)\.$/)

    const lenses = await client.request<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } })
    expect(lenses.map((one) => one.command?.title)).toContain('fails: 1 of 50')
    const hover = await client.request<Hover>('textDocument/hover', { textDocument: { uri }, position: { line: 6, character: 9 } })
    expect(hover.contents).toMatchObject({ value: expect.stringMatching(/Nobody is that old\.[\s\S]*\*\*fails\*\*: 1 of 50 fail/) })
    const stored = await client.request<ResultFile>('workspace/executeCommand', {
      command: 'assay.result',
      arguments: [{ uri, name: 'plausible' }],
    })
    expect(stored.results.map((one) => one.status)).toEqual(['violated'])
    expect(await client.request('assay/view', { uri, name: 'plausible' })).toMatchObject({
      schema: 'assay-view/1',
      doc: 'Nobody is that old.',
    })
  })

  test('tells how far it is under the token that the request brings, and is stopped by it', async () => {
    const under = (token: string) =>
      client.request<ResultFile>('workspace/executeCommand', {
        command: 'assay.run',
        arguments: [{ uri, names: ['plausible'] }],
        workDoneToken: token,
      })
    const progress = (token: string, kind: string) =>
      client.next<{ token: string; value: { kind: string } }>('$/progress', (one) => one.token === token && one.value.kind === kind)
    expect((await under('mine')).results.map((one) => one.status)).toEqual(['ok', 'violated'])
    await progress('mine', 'begin')
    await progress('mine', 'end')
    const stopped = under('stopped')
    client.notify('window/workDoneProgress/cancel', { token: 'stopped' })
    expect((await stopped).results.at(-1)).toMatchObject({ name: 'plausible', status: 'cancelled' })
    await progress('stopped', 'begin')
    await progress('stopped', 'end')
  })

  test('problems of a file that imports another follow it as it is typed', async () => {
    const user = {
      uri: pathToFileURL(join(folder, 'user.assay')).href,
      text: `import { old } from 'my späc.assay'\nimport { people } from 'my späc.assay'\nslice young on people where not old\n`,
    }
    client.notify('textDocument/didOpen', { textDocument: { uri: user.uri, languageId: 'assay', version: 1, text: user.text } })
    const mine = (one: Published) => one.uri === user.uri
    expect((await client.next<Published>('textDocument/publishDiagnostics', mine)).diagnostics).toEqual([])
    const range = { start: { line: 11, character: 6 }, end: { line: 11, character: 9 } }
    client.notify('textDocument/didChange', { textDocument: { uri, version: 3 }, contentChanges: [{ range, text: 'aged' }] })
    const told = await client.next<Published>('textDocument/publishDiagnostics', (one) => mine(one) && one.diagnostics.length > 0)
    expect(told.diagnostics[0]).toMatchObject({ code: 'import-unknown', range: { start: { line: 0, character: 9 } } })
    const back = { start: { line: 11, character: 6 }, end: { line: 11, character: 10 } }
    client.notify('textDocument/didChange', { textDocument: { uri, version: 4 }, contentChanges: [{ range: back, text: 'old' }] })
    await client.next<Published>('textDocument/publishDiagnostics', (one) => mine(one) && one.diagnostics.length === 0)
    const edit = await client.request<{ changes: Record<string, unknown[]> }>('textDocument/rename', {
      textDocument: { uri },
      position: { line: 11, character: 7 },
      newName: 'aged',
    })
    expect(Object.entries(edit.changes).map(([file, edits]) => [file, edits.length])).toEqual([
      [uri, 1],
      [user.uri, 2],
    ])
    client.notify('textDocument/didClose', { textDocument: { uri: user.uri } })
    expect((await client.next<Published>('textDocument/publishDiagnostics', mine)).diagnostics).toEqual([])
  })

  test('stops what runs within a second, answers meanwhile, and runs again', async () => {
    const rows = Array.from(
      { length: 2000 },
      (_, r) => `${r},${wide.map((_, c) => ((r * 31 + c * 17) % 97) / 97).join(',')},${(r * 7919) % 3}`,
    )
    writeFileSync(join(folder, 'wide.csv'), `id,${wide.join(',')},y\n${rows.join('\n')}\n`)
    const other = pathToFileURL(join(folder, 'slow.assay')).href
    client.notify('textDocument/didOpen', { textDocument: { uri: other, languageId: 'assay', version: 1, text: slowSpec } })
    const execute = <T>(command: string, args: object) => client.request<T>('workspace/executeCommand', { command, arguments: [args] })
    const running = execute<ResultFile>('assay.run', { uri: other, names: ['slow'] })
    await client.next<{ value: { kind: string } }>('$/progress', (one) => one.value.kind === 'begin')
    await client.next<{ running: { name: string; stage?: string }[] }>('assay/status', (one) =>
      one.running.some((job) => job.stage?.startsWith('train') ?? false),
    )
    const hover = await client.request<Hover>('textDocument/hover', { textDocument: { uri }, position: { line: 11, character: 14 } })
    expect(hover.contents).toMatchObject({ value: expect.stringContaining('source people') })
    const asked = performance.now()
    expect(await execute('assay.cancel', { uri: other, name: 'slow' })).toBe(1)
    const file = await running
    expect(performance.now() - asked).toBeLessThan(2000 * slowness())
    expect(file.results.map((one) => [one.name, one.status])).toEqual([
      ['wide', 'ok'],
      ['slow', 'cancelled'],
    ])
    // The other way: by the progress that the server made, and only this run of two.
    const first = execute<ResultFile>('assay.run', { uri: other, names: ['slow'] })
    const made = await client.next<{ token: string; value: { kind: string } }>('$/progress', (one) => one.value.kind === 'begin')
    const second = execute<ResultFile>('assay.run', { uri: other, names: ['wide'] })
    client.notify('window/workDoneProgress/cancel', { token: made.token })
    expect((await first).results.map((one) => one.status)).toContain('cancelled')
    expect((await second).results.map((one) => one.status)).toEqual(['ok'])
    const again = await execute<ResultFile>('assay.run', { uri: other, names: ['wide'] })
    expect(again.results).toMatchObject([{ name: 'wide', status: 'ok', rows: 2000 }])
    expect(await execute('assay.cancel', { uri: other })).toBe(0)
  })

  test('a file of data that comes or changes is noticed', async () => {
    const text = `source late { from 'late.csv' }\nslice s on late where a > 1\n`
    const other = pathToFileURL(join(folder, 'late.assay')).href
    const mine = (fits: (one: Published) => boolean) =>
      client.next<Published>('textDocument/publishDiagnostics', (one) => one.uri === other && fits(one))
    client.notify('textDocument/didOpen', { textDocument: { uri: other, languageId: 'assay', version: 1, text } })
    expect((await mine((one) => one.diagnostics.length > 0)).diagnostics).toMatchObject([{ code: 'missing-file' }])
    const data = join(folder, 'late.csv')
    writeFileSync(data, 'b\n1\n')
    const change = { changes: [{ uri: pathToFileURL(data).href, type: 1 }] }
    client.notify('workspace/didChangeWatchedFiles', change)
    await mine((one) => one.diagnostics[0]?.code === 'unknown-column')
    writeFileSync(data, 'a,b\n1,2\n')
    client.notify('workspace/didChangeWatchedFiles', change)
    await mine((one) => one.diagnostics.length === 0)
  })

  test('counts a slice in the background when it is looked at', async () => {
    const look = async () => {
      const hover = await client.request<Hover>('textDocument/hover', { textDocument: { uri }, position: { line: 11, character: 7 } })
      return (hover.contents as { value: string }).value
    }
    expect(await look()).toMatch(/counting rows …$|10 rows/)
    const until = performance.now() + 120_000
    while (!/10 rows, 20 %/.test(await look()) && performance.now() < until) await new Promise((next) => setTimeout(next, 100))
    expect(await look()).toMatch(/\*\*done\*\*: 10 rows, 20 %/)
  })

  test('says in a sentence what it cannot do', async () => {
    const wrong = (args: unknown[], command = 'assay.run') =>
      client.request('workspace/executeCommand', { command, arguments: args }).catch((reason) => String(reason.message))
    expect(await wrong([])).toMatch(/^This command takes one object/)
    expect(await wrong([{ uri: pathToFileURL(join(folder, 'none.assay')).href }])).toMatch(/^There is no readable spec at /)
    expect(await wrong([{ uri }], 'assay.nothing')).toMatch(/assay\.nothing/)
    const unknown = (await wrong([{ uri, names: ['plausibel'] }])) as unknown as ResultFile
    expect(unknown).toMatchObject({ results: [], problems: [{ code: 'unknown-name' }] })
  })

  // A thread that is ended inside a native call takes the whole process with it, by a signal.
  test.each([
    { when: 'after a run', file: path, names: ['plausible'], trains: false },
    { when: 'while a model trains', file: join(folder, 'slow.assay'), names: ['slow'], trains: true },
  ])('ends when it is told to, $when', async ({ file, names, trains }) => {
    const other = startClient(folder)
    await other.request('initialize', { processId: null, rootUri: null, capabilities: {} })
    other.notify('initialized', {})
    writeFileSync(join(folder, 'slow.assay'), slowSpec)
    const ran = other.request('workspace/executeCommand', {
      command: 'assay.run',
      arguments: [{ uri: pathToFileURL(file).href, names }],
    })
    type Running = { running: { stage?: string }[] }
    const training = (one: Running) => one.running.some((job) => job.stage?.startsWith('train') ?? false)
    if (trains) await other.next<Running>('assay/status', training)
    else await ran
    ran.catch(() => {})
    expect(await other.request('shutdown', undefined)).toBeNull()
    other.notify('exit', undefined)
    expect(await other.ended).toBe(0)
    expect(other.log()).toBe('')
  })

  test('ends when its input ends', async () => {
    const other = startClient(folder)
    await other.request('initialize', { processId: null, rootUri: null, capabilities: {} })
    other.child.stdin!.end()
    expect(await other.ended).toBe(0)
  })

  test('asks for --stdio', () => {
    expect(() => execFileSync(process.execPath, [join(root, 'bin/assay.mjs'), 'lsp'], { stdio: 'pipe' })).toThrow(/assay lsp --stdio/)
  })
})
