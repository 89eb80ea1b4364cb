import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openTables } from '../../server/src/data/duckdb.ts'
import { openEngine } from '../../server/src/engine/engine.ts'
import { planFor } from '../../server/src/plan/plan-for.ts'
import type { Preview, SliceResult, SourceResult } from '../../server/src/protocol/results.ts'
import { loadSpec } from '../../server/src/workspace/load.ts'
import { runToy, toyFolder } from '../support/run-toy.ts'
import { slowness } from '../support/slowness.ts'

const people = `id,name,age,born\n${Array.from({ length: 30 }, (_, i) => `${i},p${i % 7},${i % 10 === 3 ? '' : 20 + i},20${10 + (i % 10)}-01-0${1 + (i % 9)}`).join('\n')}\n`
const spec = `source people {\n  from 'people.csv'\n  key id\n  split train 80%, test 20%\n}\nsource plain { from 'twins.csv' }\nslice old on people where age > 40\nslice tested on people where split = 'test'\nslice b on plain where x = 2\nslice late on plain where rowid > 2\nsource view { from (select name, count(*) as n from people group by name) }\n`
const twins = 'x,y\n1,a\n2,b\n2,b\n1,a\n2,c\n2,b\n'

async function opened(files: Readonly<Record<string, string>>, text: string) {
  const folder = toyFolder({ ...files, 'toy.assay': text })
  const engine = openEngine({ folder: join(folder, '.assay'), engine: 'reference', threads: 1 })
  afterAll(() => engine.close())
  const loaded = await loadSpec(join(folder, 'toy.assay'), {
    read: (path) => (path.endsWith('toy.assay') ? text : ''),
    describe: (readings) => engine.describe(readings),
  })
  expect(loaded.problems).toEqual([])
  const plan = (name: string) => planFor(loaded.spec, [name], {}).plans.at(-1)!
  return {
    engine,
    folder,
    plan,
    preview: async (name: string, limit = 1000) => {
      const { result, pictures } = await engine.preview(plan(name), { limit }, () => {})
      return { result: result as SourceResult | SliceResult, preview: (result as SourceResult).preview as Preview, pictures }
    },
  }
}

describe('the first rows', () => {
  const world = opened({ 'people.csv': people, 'twins.csv': twins }, spec)

  test('of a source, keyed, counted, in the order of the file', async () => {
    const { result, preview } = await (await world).preview('people', 4)
    expect(result).toMatchObject({ kind: 'source', status: 'ok', rows: 30 })
    expect(preview.columns.map((one) => one.name)).toEqual(['id', 'name', 'age', 'born'])
    expect(preview.rows.map((row) => row.key)).toEqual([0, 1, 2, 3])
    expect(preview.rows[3]!.values).toEqual([3, 'p3', null, '2013-01-04'])
    expect(preview.total).toBe(30)
  })

  test('of a slice, and of a split', async () => {
    const old = await (await world).preview('old')
    expect(old.result.rows).toBe(8)
    expect(old.preview.rows[0]).toMatchObject({ key: 21 })
    const tested = await (await world).preview('tested')
    const { of } = await runToy(spec, { 'people.csv': people, 'twins.csv': twins }, { names: ['people'] })
    expect(tested.preview.total).toBe(of('source', 'people').splits!.test)
  })

  test('of a view', async () => expect((await (await world).preview('view')).preview.total).toBe(7))

  test.each(['plain', 'b', 'late'])('content keys of %s are those of a run', async (name) => {
    const source = name === 'plain' ? 'true' : name === 'b' ? 'x = 2' : 'rowid > 2'
    const text = `source plain { from 'twins.csv' }\nassert all on plain { each row; require not (${source}) }\n`
    const { of } = await runToy(text, { 'twins.csv': twins })
    const { preview } = await (await world).preview(name)
    expect(preview.rows.map((row) => String(row.key)).sort()).toEqual(
      of('assert', 'all')
        .flagged!.map((row) => String(row.key))
        .sort(),
    )
  })

  test('cells are cut, and what cannot be read is one failure', async () => {
    const long = `a,b\n1,${'x'.repeat(200_000)}\n`
    const hostile = await opened({ 'long.csv': long }, `source long { from 'long.csv' }\n`)
    const { preview } = await hostile.preview('long')
    expect(String(preview.rows[0]!.values[1])).toMatch(/^x{1000}… \(200000 characters\)$/)
    writeFileSync(join(hostile.folder, 'long.csv'), 'b\n1\n')
    expect((await hostile.preview('long')).result).toMatchObject({ status: 'failed', message: expect.stringMatching(/\S/) })
  })

  test('of many millions of rows of Parquet', async () => {
    const folder = toyFolder({})
    mkdirSync(folder, { recursive: true })
    const tables = await openTables({ threads: 1 })
    await tables.execute(
      `copy (select i as id, i % 97 as a, (i * 7919) % 1000 / 10 as b from range(5000000) t(i)) to '${join(folder, 'big.parquet')}' (format parquet)`,
    )
    await tables.close()
    const big = await opened({}, `source big { from '${join(folder, 'big.parquet')}' }\nslice s on big where a = 5\n`)
    const started = performance.now()
    const { preview } = await big.preview('big', 100)
    expect(preview.rows).toHaveLength(100)
    expect(preview.total).toBe(5_000_000)
    expect((await big.preview('s', 100)).preview.total).toBe(51547)
    expect(performance.now() - started).toBeLessThan(5000 * slowness())
    const facts = await big.engine.profile(big.plan('big'))
    expect(facts).toMatchObject({
      rows: 5_000_000,
      columns: [
        { name: 'id', about: true },
        { low: 0, high: 96 },
        { low: 0, high: 99.9 },
      ],
    })
    expect(facts.seen).toBeGreaterThan(1_000_000)
    expect(facts.seen).toBeLessThan(3_000_000)
  })
})

test('facts of columns', async () => {
  const { engine, plan } = await opened({ 'people.csv': people, 'twins.csv': twins }, spec)
  expect(await engine.profile(plan('people'))).toEqual({
    rows: 30,
    seen: 30,
    columns: [
      { name: 'id', nulls: 0, low: 0, high: 29, distinct: 30 },
      { name: 'name', nulls: 0, distinct: 7 },
      { name: 'age', nulls: expect.closeTo(0.1), low: 20, high: 49, distinct: 27 },
      { name: 'born', nulls: 0, low: '2010-01-01', high: '2019-01-03', distinct: 30 },
    ],
  })
})
