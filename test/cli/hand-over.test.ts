import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { main } from '../../server/src/cli.ts'
import { openEngine } from '../../server/src/engine/engine.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import type { ComplaintResult, IndexResult, Result, ResultFile } from '../../server/src/protocol/results.ts'
import { madeFolder } from './run-cli.ts'

/** A model's owner and its user, each in a folder of their own: only the exported file goes from one to the other, and a result back. */
const rng = createRng(5)
const normal = () => Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next())
function blobs(rows: number, wrong: 'some mislabelled' | 'all right', split = 'mine'): string {
  const lines = Array.from({ length: rows }, (_, id) => {
    const yes = rng.next() < 0.5
    const accident = wrong === 'some mislabelled' && yes && rng.next() < 0.3
    return `k${id},${(normal() + (yes ? 1.5 : -1.5)).toFixed(4)},${normal().toFixed(4)},${yes && !accident ? 'cat' : 'dog'},${split}`
  })
  return `id,x,y,label,part\n${lines.join('\n')}\n`
}
const learned = blobs(400, 'some mislabelled', 'past')
const mail = blobs(200, 'all right')

const spec = `
source past { from 'train.csv'; key id; label label; split train 100% }
source early { from (select * from past where x < 0); key id }
source mail { from 'mail.csv'; key id }
slice western on past where x < 0
model reader on past {
  predict label
  from    x, y
  kind    logistic(l2: 0.001)
  train   on train
}
complaint few using reader {
  query  select count(*) as n from mail where predict(label) = 'cat'
  expect n >= 95
  blame  top 20 rows of train by influence
}
assert sure on mail using reader {
  each    row
  require score(label, 'cat') > 0
}
intervene dropped {
  for     few
  remove  top 20 rows of train by influence
  retrain reader
  compare few
}
`
const put = (folder: string, files: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
const ownersFolder = () => put(madeFolder(), { 'spec.assay': spec, 'train.csv': learned, 'mail.csv': mail })

async function assay(folder: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = []
  const err: string[] = []
  const code = await main(args, {
    cwd: folder,
    env: {},
    out: { write: (text) => void out.push(text), columns: undefined },
    err: { write: (text) => void err.push(text), columns: undefined },
    startEngine: (options) => openEngine({ ...options, threads: 1 }),
    onInterrupt: () => () => {},
    exit: () => {},
  })
  return { code, out: out.join(''), err: err.join('') }
}
async function results(folder: string, ...args: string[]): Promise<{ code: number; of: (name: string) => Result; file: ResultFile }> {
  const { code, out, err } = await assay(folder, ...args, '--engine', 'reference', '--format', 'json')
  if (out === '') throw new Error(err)
  const file = JSON.parse(out) as ResultFile
  return { code, file, of: (name) => file.results.find((one) => one.name === name)! }
}
const keys = (result: Result | undefined) => (result as ComplaintResult).ranking?.map((row) => row.key)

describe('a model’s user complains without the training data', () => {
  const owner = ownersFolder()
  const handed = join(owner, 'reader.index')

  test('the same suspects, by their keys; what needs the rows says so', async () => {
    const exported = await results(owner, 'index', 'spec.assay', 'reader', '--export', handed)
    expect(exported.code).toBe(0)
    const there = await results(owner, 'run', 'spec.assay', 'few')

    const user = put(madeFolder(), { 'spec.assay': spec, 'mail.csv': mail })
    expect((await results(user, 'run', 'spec.assay', 'few')).code).toBe(2)
    const imported = await results(user, 'index', 'spec.assay', 'reader', '--import', handed)
    expect(imported.file.problems).toEqual([])
    expect(imported.code).toBe(0)
    const here = await results(user, 'run', 'spec.assay')
    expect(here.code).toBe(1)
    const few = here.of('few') as ComplaintResult
    const whole = there.of('few') as ComplaintResult
    expect(few.status).toBe('violated')
    expect(keys(few)).toEqual(keys(whole))
    expect(few.actual).toBe(whole.actual)
    expect(few.relaxed).toBeCloseTo(whole.relaxed!, 9)
    for (const [i, row] of few.ranking!.entries()) {
      const { influence, label, prediction, treatment } = whole.ranking![i]!
      expect(row).toMatchObject({ label, prediction, treatment })
      expect(row.influence).toBeCloseTo(influence, 6)
    }
    expect(few.ranking![0]!.why?.[0]?.source).toBe('mail')
    expect(few.notes?.join(' ')).toMatch(/imported index.*no file `train.csv`/)
    expect(here.of('reader')).toMatchObject({ status: 'ok', rows: 400 })
    expect(here.of('sure')).toMatchObject({ status: 'ok' })
    for (const name of ['past', 'early', 'western', 'dropped']) {
      expect(here.of(name), name).toMatchObject({ status: 'skipped', message: expect.stringMatching(/not here|only an imported index/) })
    }
    expect((await results(user, 'run', 'spec.assay', 'few')).code).toBe(1)
    expect((await results(user, 'run', 'spec.assay', 'dropped')).code).toBe(3)
    const told = await assay(user, 'run', 'spec.assay', 'few', '--engine', 'reference', '--format', 'sarif')
    expect(told.code).toBe(1)
    expect((await assay(user, 'run', 'spec.assay', '--engine', 'reference')).out).toMatch(/Run this where\s+the training rows are/)
  })

  test('the same where the training file is there and has no training rows', async () => {
    const both = spec.replace('split train 100%', "split train where part = 'past', valid where part = 'mine'")
    const here = put(madeFolder(), { 'spec.assay': both, 'train.csv': learned, 'mail.csv': mail })
    const file = join(here, 'reader.index')
    expect((await results(here, 'index', 'spec.assay', 'reader', '--export', file)).code).toBe(0)
    const user = put(madeFolder(), { 'spec.assay': both, 'train.csv': mail, 'mail.csv': mail })
    expect((await results(user, 'index', 'spec.assay', 'reader', '--import', file)).code).toBe(0)
    const ran = await results(user, 'run', 'spec.assay', 'few', 'past', 'dropped')
    expect(keys(ran.of('few'))).toEqual(keys((await results(here, 'run', 'spec.assay', 'few')).of('few')))
    expect(ran.of('past')).toMatchObject({ status: 'ok', rows: 200 })
    expect(ran.of('dropped')).toMatchObject({ status: 'skipped' })
  })

  test('another declaration is refused; when the data comes after all, it is used', async () => {
    const user = put(madeFolder(), { 'spec.assay': spec.replace('l2: 0.001', 'l2: 0.1'), 'mail.csv': mail })
    const { code, of } = await results(user, 'index', 'spec.assay', 'reader', '--import', handed)
    expect(code).toBe(2)
    expect(of('reader').message).toMatch(/declared otherwise/)
    put(user, { 'spec.assay': spec })
    expect((await results(user, 'run', 'spec.assay', 'few')).code).toBe(2)
    expect((await results(user, 'index', 'spec.assay', 'reader', '--import', handed)).code).toBe(0)
    put(user, { 'train.csv': blobs(300, 'some mislabelled', 'past') })
    const other = (await results(user, 'run', 'spec.assay', 'few')).of('few') as ComplaintResult
    expect(other.notes?.join(' ') ?? '').not.toMatch(/imported index/)
    expect(other.ranking![0]!.values).toBeDefined()
  })

  const unusual: [string, string, RegExp][] = [
    ['cg', 'method cg', /needs the rows/],
    ['loss', 'top 20 rows of train by loss', /needs the rows/],
    ['rows of a view', 'top 20 rows of early by influence', /not here|needs the rows/],
    ['a treatment that is not in the index', "top 20 rows of train by influence of relabel(to: 'cat')", /treatment|needs the rows/],
    ['a method with more directions', 'method spectral(k: 30)', /eigen/],
    ['explanations', 'explain by slices', /explain by slices/],
  ]
  test.each(unusual)('%s: evaluated, and a sentence', async (_, clause, sentence) => {
    const changed = clause.startsWith('top')
      ? spec.replace('blame  top 20 rows of train by influence', `blame ${clause}`)
      : spec.replace('expect n >= 95', `expect n >= 95\n  ${clause}`)
    const user = put(madeFolder(), { 'spec.assay': changed, 'mail.csv': mail })
    expect((await results(user, 'index', 'spec.assay', 'reader', '--import', handed)).code).toBe(0)
    const few = (await results(user, 'run', 'spec.assay', 'few')).of('few') as ComplaintResult
    expect(few.status).toBe('violated')
    expect(few.actual).toBeLessThan(95)
    expect(few.notes!.join(' ')).toMatch(sentence)
    expect(few.notes!.join(' ')).not.toMatch(/NaN/)
  })
})

describe('a complaint as numbers to hand over', () => {
  test('an export that tells nothing of the rows: the user’s complaint names nobody, and the owner ranks it', async () => {
    const owner = ownersFolder()
    const handed = join(owner, 'reader.index')
    expect((await results(owner, 'index', 'spec.assay', 'reader', '--export', handed, '--rows', 'none')).code).toBe(0)
    const content = readFileSync(handed)
    for (const secret of ['k17', 'remove', 'relabel', 'predicted']) expect(content.includes(secret), secret).toBe(false)

    const user = put(madeFolder(), { 'spec.assay': spec, 'mail.csv': mail })
    expect((await results(user, 'index', 'spec.assay', 'reader', '--import', handed)).code).toBe(0)
    const result = join(user, 'result.json')
    const told = await assay(user, 'run', 'spec.assay', 'few', '--engine', 'reference', '--format', 'json', '--out', result)
    expect(told.code).toBe(1)
    const few = (JSON.parse(readFileSync(result, 'utf8')) as ResultFile).results.find((one) => one.name === 'few') as ComplaintResult
    expect(few.ranking).toEqual([])
    expect(few.notes?.join(' ')).toMatch(/hand the result/)
    expect(few.coordinates!.values).toHaveLength(few.coordinates!.k)

    const own = (await results(owner, 'run', 'spec.assay', 'few')).of('few') as ComplaintResult
    rmSync(join(owner, 'mail.csv'))
    const ranked = await results(owner, 'index', 'spec.assay', 'reader', '--rank', result)
    expect(ranked.code).toBe(0)
    const [first] = (ranked.of('reader') as IndexResult).ranked!
    expect(first!.complaint).toBe('few')
    expect(first!.ranking.map((row) => row.key)).toEqual(keys(own))
    for (const [i, row] of first!.ranking.entries()) expect(row.influence).toBeCloseTo(own.ranking![i]!.influence, 5)
    const text = await assay(owner, 'index', 'spec.assay', 'reader', '--rank', result, '--engine', 'reference')
    expect(text.out).toMatch(/suspects of few/)
  })

  test('numbers in place of keys', async () => {
    const owner = ownersFolder()
    const handed = join(owner, 'reader.index')
    await results(owner, 'index', 'spec.assay', 'reader', '--export', handed, '--rows', 'numbers')
    expect(readFileSync(handed).includes('k17')).toBe(false)
    const user = put(madeFolder(), { 'spec.assay': spec, 'mail.csv': mail })
    await results(user, 'index', 'spec.assay', 'reader', '--import', handed)
    const few = (await results(user, 'run', 'spec.assay', 'few')).of('few') as ComplaintResult
    const own = (await results(owner, 'run', 'spec.assay', 'few')).of('few') as ComplaintResult
    const inOrder = [...learned.matchAll(/^(k\d+),/gm)].map((match) => match[1]!).sort()
    expect(few.ranking!.map((row) => inOrder[row.key as number])).toEqual(keys(own))
    const { code, of } = await results(owner, 'index', 'spec.assay', 'reader', '--import', handed)
    expect(code).toBe(2)
    expect(of('reader').message).toMatch(/without the keys/)
  })

  const bad: [string, (folder: string) => string, RegExp][] = [
    ['no file', (folder) => join(folder, 'none.json'), /no file/],
    ['no result', (folder) => join(put(folder, { 'x.json': '{"results": 3}' }), 'x.json'), /no complaint with coordinates/],
    ['not JSON', (folder) => join(folder, 'mail.csv'), /no complaint with coordinates/],
    [
      'another model’s',
      (folder) => {
        const coordinates = { model: 'a', basis: 'b', treatment: 'auto', k: 1, values: [1], top: 3 }
        return join(put(folder, { 'x.json': JSON.stringify({ results: [{ kind: 'complaint', name: 'c', coordinates }] }) }), 'x.json')
      },
      /another index/,
    ],
  ]
  test.each(bad)('%s', async (_, file, sentence) => {
    const owner = ownersFolder()
    const { code, of } = await results(owner, 'index', 'spec.assay', 'reader', '--rank', file(owner))
    expect(code).toBe(2)
    expect(of('reader').message).toMatch(sentence)
  })
})
