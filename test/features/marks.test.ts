import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CodeAction, Diagnostic } from 'vscode-languageserver'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { madeFolder } from '../cli/run-cli.ts'
import { clientCapabilities, type LanguageClient, startClient } from './language-client.ts'

/** Flagged rows where the data is: the server as an editor starts it, on made files. */

type Published = { uri: string; version?: number; diagnostics: Diagnostic[] }

const people = (row: (i: number) => string, n = 50) => `id,name,age\n${Array.from({ length: n }, (_, i) => row(i)).join('\n')}\n`
const plain = (i: number) => `${i},p${i},${i === 7 ? 130 : 20 + (i % 50)}`

/** A server on a folder with files, and what it says of them. */
function started(files: Readonly<Record<string, string>>) {
  const folder = madeFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const uri = (name: string) => pathToFileURL(join(folder, name)).href
  let client: LanguageClient
  beforeAll(async () => {
    client = startClient(folder)
    await client.request('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'test' }],
      capabilities: clientCapabilities,
    })
    client.notify('initialized', {})
  })
  afterAll(() => void client.child.kill())
  const open = (name: string, languageId: string, text = files[name]!) =>
    client.notify('textDocument/didOpen', { textDocument: { uri: uri(name), languageId, version: 1, text } })
  const edit = (name: string, version: number, line: number, from: number, to: number, text: string, endLine = line) => {
    const range = { start: { line, character: from }, end: { line: endLine, character: to } }
    client.notify('textDocument/didChange', { textDocument: { uri: uri(name), version }, contentChanges: [{ range, text }] })
  }
  const run = (name: string, ...names: string[]) =>
    client.request<ResultFile>('workspace/executeCommand', { command: 'assay.run', arguments: [{ uri: uri(name), names }] })
  const told = (name: string, fits: (one: Published) => boolean = () => true) =>
    client.next<Published>('textDocument/publishDiagnostics', (one) => one.uri === uri(name) && fits(one))
  const actions = (name: string, diagnostics: Diagnostic[]) =>
    client.request<CodeAction[]>('textDocument/codeAction', {
      textDocument: { uri: uri(name) },
      range: diagnostics[0]!.range,
      context: { diagnostics },
    })
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, `${name}~`), text)
    renameSync(join(folder, `${name}~`), join(folder, name))
    client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: uri(name), type: 2 }] })
  }
  return {
    folder,
    uri,
    open,
    edit,
    run,
    told,
    actions,
    write,
    request: <T>(m: string, p: unknown) => client.request<T>(m, p),
    notify: (m: string, p: unknown) => client.notify(m, p),
  }
}

const places = (one: Published) =>
  one.diagnostics.map(({ range: { start, end } }) => `${start.line}:${start.character}-${end.line}:${end.character}`)

describe('flagged rows in an open file of data', () => {
  const spec = `source people {\n  from 'people.csv'\n  key  id\n}\n\n--- Nobody is that old.\nassert plausible on people {\n  each    row\n  require age < 120\n}\n`
  const at = started({ 'people.csv': people(plain), 'people.assay': spec })

  test('are marked at the cell, say what is wrong and lead to the rule', async () => {
    at.open('people.assay', 'assay')
    at.open('people.csv', 'csv')
    await at.run('people.assay', 'plausible')
    const published = await at.told('people.csv', (one) => one.diagnostics.length > 0)
    expect(published).toMatchObject({
      version: 1,
      diagnostics: [
        {
          range: { start: { line: 8, character: 5 }, end: { line: 8, character: 8 } },
          severity: 1,
          source: 'assay',
          code: 'plausible',
          codeDescription: { href: `${at.uri('people.assay')}#L7` },
          message: '`plausible` fails: age is 130, and `age < 120` must hold. Severity 1.',
          relatedInformation: [
            { message: 'Nobody is that old.', location: { uri: at.uri('people.assay'), range: { start: { line: 6, character: 7 } } } },
          ],
          data: { rule: 'plausible', key: 7, uri: at.uri('people.assay') },
        },
      ],
    })
    const actions = await at.actions('people.csv', published.diagnostics)
    expect(actions.map((one) => one.title)).toEqual([
      'Show the rule `plausible`',
      'Exclude flagged rows: keep those that pass `plausible`',
      'Exclude the flagged row, by key',
    ])
    expect(actions[0]!.command).toMatchObject({ command: 'assay.show', arguments: [{ uri: at.uri('people.assay') }] })
    expect(Object.keys(actions[2]!.edit!.changes!)).toEqual([at.uri('people.assay')])
  })

  test('move with the lines above them, at once', async () => {
    at.edit('people.csv', 2, 3, 0, 0, '100,new,30\n')
    expect(places(await at.told('people.csv', (one) => one.version === 2))).toEqual(['9:5-9:8'])
  })

  test('lose their mark at once when they say something else, and have it back when they say it again', async () => {
    at.edit('people.csv', 3, 9, 2, 4, 'px')
    expect(places(await at.told('people.csv', (one) => one.version === 3))).toEqual([])
    at.edit('people.csv', 4, 9, 2, 4, 'p7')
    expect(places(await at.told('people.csv', (one) => one.version === 4 && one.diagnostics.length > 0))).toEqual(['9:5-9:8'])
  })

  test('keep their mark when they are moved elsewhere', async () => {
    at.edit('people.csv', 5, 9, 0, 0, '', 10)
    expect(places(await at.told('people.csv', (one) => one.version === 5))).toEqual([])
    at.edit('people.csv', 6, 1, 0, 0, '7,p7,130\n')
    expect(places(await at.told('people.csv', (one) => one.version === 6 && one.diagnostics.length > 0))).toEqual(['1:5-1:8'])
  })

  test('are as they are on disk once the file is closed', async () => {
    at.notify('textDocument/didClose', { textDocument: { uri: at.uri('people.csv') } })
    expect(places(await at.told('people.csv', (one) => one.version === undefined))).toEqual(['8:5-8:8'])
  })

  test('are found again by key in a saved file of other content', async () => {
    const sorted = people(plain).split('\n').slice(1, -1).reverse().join('\n')
    at.write('people.csv', `id,name,age\n${sorted}\n`)
    expect(places(await at.told('people.csv'))).toEqual(['43:5-43:8'])
    at.write(
      'people.csv',
      people((i) => (i === 7 ? '7,p7,131' : plain(i))),
    )
    expect(places(await at.told('people.csv'))).toEqual([])
    await at.run('people.assay', 'plausible')
    expect(places(await at.told('people.csv'))).toEqual(['8:5-8:8'])
  })

  test('say so while their rule is being rewritten, and go with it', async () => {
    at.edit('people.assay', 2, 8, 16, 19, '125')
    const published = await at.told('people.csv')
    expect(published.diagnostics[0]!.message).toMatch(/ The rule was changed since: run it again\.$/)
    at.edit('people.assay', 3, 5, 0, 1, '', 9)
    expect(places(await at.told('people.csv'))).toEqual([])
  })

  test('are there when the file of data is opened, from a result that was stored', async () => {
    at.write('people.assay', spec)
    at.notify('textDocument/didClose', { textDocument: { uri: at.uri('people.assay') } })
    at.open(
      'people.csv',
      'csv',
      people((i) => (i === 7 ? '7,p7,131' : plain(i))),
    )
    expect(places(await at.told('people.csv', (one) => one.diagnostics.length > 0))).toEqual(['8:5-8:8'])
  })
})

describe('flagged rows of other sorts', () => {
  const spec = [
    `source plain { from 'plain.tsv' }`,
    `source lines { from 'lines.jsonl'; key id }`,
    `source few { from (select id as nr, v from lines where v > 0); key nr }`,
    `source counted { from (select v, count(*) as n from lines group by v) }`,
    `assert a on plain { each row; require v > 0 and w <> 'x'; level warning }`,
    `assert b on few { each row; require v < 3 }`,
    `assert c on counted { each row; require n < 2 }`,
    `assert g on lines { each group by v; require count(*) < 2 }`,
    `assert many on plain { each row; require n >= 5000; level info }`,
  ].join('\n')
  const at = started({
    'all.assay': `${spec}\n`,
    'plain.tsv': `n\tv\tw\n${Array.from({ length: 5000 }, (_, i) => `${i}\t${i === 4000 ? 0 : 1}\t${i === 4001 ? 'x' : '"y\nz"'}`).join('\n')}\n`,
    'lines.jsonl': '{"id": 1, "v": 1}\n{"id": 2, "v": 3}\n{"v": 3, "id": 3, "t": "é"}\n',
  })

  test('by content, through views, of groups; more than are shown are counted', async () => {
    at.open('all.assay', 'assay')
    await at.run('all.assay', 'b')
    const views = await at.told('lines.jsonl')
    expect(places(views)).toEqual(['1:15-1:16', '2:6-2:7'])
    await at.run('all.assay', 'g')
    const groups = await at.told('lines.jsonl', (one) => one.diagnostics.length === 3)
    expect(groups.diagnostics.map((one) => one.message)).toContain(
      '`g` fails for the group of 3, of 2 rows, whose first this is: v is 3, count(*) is 2, and `count(*) < 2` must hold. Severity 1.',
    )
    await at.run('all.assay', 'a')
    expect((await at.told('plain.tsv')).diagnostics.map((one) => [one.severity, one.message, one.range.start, one.range.end.line])).toEqual(
      [
        [2, '`a` fails: v is 0, w is y\\nz, and `v > 0` must hold. Severity 1.', { line: 8001, character: 5 }, 8001],
        [2, "`a` fails: v is 1, w is x, and `w <> 'x'` must hold. Severity 1.", { line: 8003, character: 7 }, 8003],
      ],
    )
    await at.run('all.assay', 'many')
    const many = await at.told('plain.tsv', (one) => one.diagnostics.length > 2)
    expect(many.diagnostics).toHaveLength(101)
    expect(many.diagnostics.slice(0, 3).map((one) => [one.severity, one.code])).toEqual([
      [2, 'a'],
      [2, 'a'],
      [3, 'many'],
    ])
    expect(many.diagnostics.at(-1)).toMatchObject({
      range: { start: { line: 0, character: 0 } },
      severity: 3,
      message: 'and 4 902 more rows, flagged by `a`, `many`',
    })
  })

  test('rows that are computed are told on the declaration, with a way to see them', async () => {
    await at.run('all.assay', 'c')
    const { diagnostics } = await at.told('all.assay', (one) => one.diagnostics.some((d) => d.code === 'c'))
    const own = diagnostics.filter((one) => one.code === 'c')
    expect(own).toMatchObject([
      {
        severity: 1,
        range: { start: { line: 6, character: 7 } },
        message: '1 row of `counted` fails `c`. It cannot be marked in the data itself: see Show rows.',
        relatedInformation: [
          { location: { range: { start: { line: 3, character: 7 } } }, message: expect.stringContaining('n is 2, and `n < 2` must hold') },
        ],
      },
    ])
    const actions = await at.actions('all.assay', own)
    expect(actions.find((one) => one.title === 'Show rows')?.command).toEqual({
      title: 'Show rows',
      command: 'assay.result',
      arguments: [{ uri: at.uri('all.assay'), name: 'c' }],
    })
  })
})

describe('hostile data', () => {
  const nasty = '\u202e<script>\u0007\u001b[31m[x](javascript:alert(1))`'
  const long = 5 * 2 ** 20
  const at = started({
    'a.assay': [
      `source t { from 't.csv'; key id }`,
      `source l { from 'l.jsonl'; key id }`,
      `assert short on t { each row; require length(note) < 10 }`,
      `assert brief on l { each row; require length(note) < 10 }\n`,
    ].join('\n'),
    't.csv': `id,note\n1,ok\n2,"${nasty}"\n3,"a\nlong\nnote, of lines"\n`,
    'l.jsonl': `{"id":1,"note":${JSON.stringify(nasty)}}\n{"id":2,"note":"${'é'.repeat(long)}"}\n`,
  })
  const isInert = (diagnostics: readonly Diagnostic[]) => {
    for (const { message, relatedInformation } of diagnostics)
      for (const text of [String(message), ...relatedInformation!.map((one) => one.message)]) {
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u)
        expect(text.length).toBeLessThan(400)
      }
    expect(JSON.stringify(diagnostics).length).toBeLessThan(5000)
  }

  test('is inert and cut in what is said of it', async () => {
    at.open('a.assay', 'assay')
    await at.run('a.assay', 'short')
    const { diagnostics } = await at.told('t.csv')
    expect(places({ uri: '', diagnostics })).toEqual([`2:2-2:${4 + nasty.length}`, '3:2-5:15'])
    expect(diagnostics[0]!.message).toMatch(/^`short` fails: note is \\u202e<script>\\u0007\\u001b/)
    isInert(diagnostics)
  })

  test('a cell of 10 MB is marked like any other', async () => {
    await at.run('a.assay', 'brief')
    const { diagnostics } = await at.told('l.jsonl')
    expect(places({ uri: '', diagnostics })[1]).toBe(`1:15-1:${15 + long + 2}`)
    isInert(diagnostics)
  })
})
