import { appendFileSync, readdirSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openTables } from '../../server/src/data/duckdb.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import type { WatchUpdate } from '../../server/src/protocol/watch.ts'
import { runToy, toyFolder } from '../support/run-toy.ts'
import { type Watching, watching } from './watching.ts'

/** A complaint that follows its files says what `assay run` says of the files as they are in the end. */
const NAMES = ['id', 'f', 'g', 'label', 'x', 'c', 'note'] as const
type Row = readonly (number | string | null)[]
const rng = createRng(5)
const rowAt = (i: number): Row => {
  const [f, g] = [rng.next() * 2 - 1, rng.next() * 2 - 1]
  const label = rng.next() < 0.15 ? 'r' : f > 0.3 ? 'p' : g > 0 ? 'q' : 'r'
  const x = rng.next() < 0.1 ? null : Number((rng.next() * 2 - 0.5).toFixed(3))
  return [i, Number(f.toFixed(4)), Number(g.toFixed(4)), label, x, rng.next() < 0.1 ? null : `c${rng.below(3)}`, `a "quoted"\n${i}, line`]
}
const rowsFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => rowAt(from + i))

const quoted = (value: string) => (/[",\t\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
const cells = (row: Row, by: string) =>
  row.map((value) => (value === null ? '' : typeof value === 'string' ? quoted(value) : value)).join(by)
const formats = {
  csv: { head: `${NAMES.join(',')}\n`, line: (row: Row) => `${cells(row, ',')}\n` },
  tsv: { head: `${NAMES.join('\t')}\r\n`, line: (row: Row) => `${cells(row, '\t')}\r\n` },
  jsonl: { head: '', line: (row: Row) => `${JSON.stringify(Object.fromEntries(NAMES.map((name, i) => [name, row[i]])))}\n` },
}
type Format = keyof typeof formats
const textOf = (format: Format, rows: readonly Row[]) => formats[format].head + rows.map(formats[format].line).join('')

const learned = textOf('csv', rowsFrom(0, 120))
interface Asked {
  readonly query?: string
  readonly expectation?: string
  readonly method?: string
  readonly from?: string
  readonly more?: string
  readonly views?: string
  readonly key?: string
}
const specOf = (asked: Asked) => `source learned { from 'learned.csv'; key id; split train 100% }
source seen { from '${asked.from ?? 'seen.csv'}'; ${asked.key ?? 'key id'}${asked.more ?? ''} }
${asked.views ?? ''}
model m on learned { predict label; from f, g; kind logistic(l2: 0.01); train on train }
complaint c using m { query ${asked.query ?? "select count(*) as n from seen where predict(label) = 'p'"}; expect ${asked.expectation ?? 'lower n'}; blame top 8 rows of learned; method ${asked.method ?? 'spectral(k: 3)'} }`

const close = (a: number | null | undefined, b: number | null | undefined) => {
  if (typeof a !== 'number' || typeof b !== 'number') return expect(a ?? null).toBe(b ?? null)
  return expect(Math.abs(a - b)).toBeLessThan(1e-5 * Math.max(1, Math.abs(b)))
}
async function expectSame(update: WatchUpdate, text: string, files: Readonly<Record<string, string>>) {
  const anew = (await runToy(text, files, { names: ['c'] })).of('complaint', 'c')
  expect([update.rows, update.satisfied, update.status]).toEqual([anew.provenance.rows, anew.satisfied, anew.status])
  const byGroup = new Map(update.expectations.map((one) => [JSON.stringify(one.group), one]))
  expect(byGroup.size).toBe(anew.expectations!.length)
  for (const one of anew.expectations!) {
    const mine = byGroup.get(JSON.stringify(one.group))!
    expect([mine.expect, mine.expected, mine.satisfied]).toEqual([one.expect, one.expected, one.satisfied])
    close(mine.actual, one.actual)
    close(mine.relaxed, one.relaxed)
  }
  expect(update.ranking.map((row) => [row.rank, row.key, row.label, row.treatment])).toEqual(
    anew.ranking!.map((row) => [row.rank, row.key, row.label, row.treatment]),
  )
  for (const [i, row] of anew.ranking!.entries()) close(update.ranking[i]!.influence, row.influence)
}

/** Appends the text in pieces, some of which end in the middle of a line, and waits until all of the rows are counted. */
async function grow(watch: Watching, path: string, text: string, rows: number): Promise<WatchUpdate> {
  for (let from = 0; from < text.length; ) {
    const to = Math.min(text.length, from + 1 + rng.below(900))
    appendFileSync(path, text.slice(from, to))
    from = to
    await new Promise((resume) => setTimeout(resume, rng.below(40)))
  }
  for (;;) {
    const update = await watch.update()
    expect(update.how).toBe('batch')
    if (update.rows >= rows) return update
  }
}

describe.each<[Format, Asked]>([
  ['csv', { query: "select c, count(*) as n from seen where predict(label) = 'p' group by c", expectation: 'n <= 2' }],
  ['tsv', { query: "select avg(x) as n from seen where predict(label) in ('p', 'q') and x > 0.1", expectation: 'n >= 2', method: 'auto' }],
  ['jsonl', { query: "select count(*) as n from seen where predict(label) = 'p' and lower(note) like '%line'", expectation: 'n = 3' }],
  [
    'csv',
    {
      query: "select label, avg(score(label, 'q')) as n from calm where predict(label) <> label group by label",
      views: 'source calm { from (select *, x * 2 as y from seen where x > 0) }',
      method: 'auto',
    },
  ],
  [
    'csv',
    {
      key: 'order by id',
      more: '; split early where id < 60, late where id >= 60',
      query: "select count(*) as n from seen.late where predict(label) = 'p'",
      expectation: 'n <= 0',
    },
  ],
])('%s %j', (format, asked) => {
  test('appended in pieces', async () => {
    const rows = rowsFrom(0, 90)
    const name = `seen.${format}`
    const text = specOf({ ...asked, from: name })
    const head = textOf(format, rows.slice(0, 40))
    const folder = toyFolder({ 'toy.assay': text, 'learned.csv': learned, [name]: head })
    const watch = watching(folder)
    const first = await watch.update()
    expect(first.how).toBe('whole')
    const counted = asked.views ? 1 + rows.findLastIndex((row) => Number(row[4] ?? 0) > 0) : rows.length
    const shown = asked.views ? rows.filter((row) => Number(row[4] ?? 0) > 0).length : counted
    const last = await grow(watch, join(folder, name), rows.slice(40).map(formats[format].line).join(''), shown)
    await expectSame(last, text, { 'learned.csv': learned, [name]: textOf(format, rows) })
    expect(await watch.stop()).toBe(last.satisfied ? 0 : 1)
    expect(watch.err()).toContain('Stopped watching.')
    expect(readdirSync(join(folder, '.assay/tmp'))).toEqual([])
  })
})

const seen = rowsFrom(0, 50)
const more = rowsFrom(50, 60)
const csv = (rows: readonly Row[]) => textOf('csv', rows)
const lines = (rows: readonly Row[]) => rows.map(formats.csv.line).join('')
function started(asked: Asked = {}, files: Readonly<Record<string, string | Uint8Array>> = { 'seen.csv': csv(seen) }) {
  const text = specOf(asked)
  const folder = toyFolder({ 'toy.assay': text, 'learned.csv': learned, ...files })
  return { text, folder, path: join(folder, 'seen.csv'), watch: watching(folder) }
}
const noticed = async (watch: Watching, reason: string) => {
  const line = await watch.next()
  if (line.event !== 'notice' || line.reason !== reason) throw new Error(JSON.stringify(line))
  return line.message
}

describe('files that change otherwise', () => {
  test('rewritten, shortened, a number of another type: evaluated anew', async () => {
    const { watch, path, text } = started()
    await watch.update()
    const odd: Row = [1.5, ...more[0]!.slice(1)]
    const changes: readonly [() => void, string, readonly Row[]][] = [
      [() => writeFileSync(path, csv([...more, ...seen])), 'was rewritten', [...more, ...seen]],
      [() => writeFileSync(path, csv(seen.slice(0, 30))), 'shorter', seen.slice(0, 30)],
      [() => appendFileSync(path, lines([odd])), 'is not a BIGINT', [...seen.slice(0, 30), odd]],
    ]
    for (const [change, why, rows] of changes) {
      change()
      expect(await noticed(watch, 'changed')).toContain(why)
      const again = await watch.update()
      expect([again.how, again.rows]).toEqual(['whole', rows.length])
      if (rows.at(-1) === odd) await expectSame(again, text, { 'learned.csv': learned, 'seen.csv': csv(rows) })
    }
    await watch.stop()
  })

  test('the spec itself, edited: evaluated anew; with a mistake or without the complaint: a sentence, until it is right', async () => {
    const { watch, folder, text, path } = started()
    expect(await watch.update()).toMatchObject({ how: 'whole', expectations: [{ expect: 'lower n' }] })
    const spec = join(folder, 'toy.assay')
    const rewritten = (next: string) => {
      writeFileSync(join(folder, 'next'), next)
      renameSync(join(folder, 'next'), spec)
    }
    const lower = text.replace('expect lower n', 'expect n <= 3')
    rewritten(lower)
    expect(await noticed(watch, 'changed')).toBe('The spec has changed. Evaluating anew.')
    expect(await watch.update()).toMatchObject({ how: 'whole', satisfied: false, expectations: [{ expect: 'n <= 3' }] })
    rewritten(lower.replace('predict label;', 'predict lable;'))
    await noticed(watch, 'changed')
    expect(await noticed(watch, 'failed')).toMatch(/^toy\.assay:\d+:\d+: .*`lable`.* Waiting for a change\.$/)
    rewritten(lower.replace('complaint c ', 'complaint other '))
    expect(await noticed(watch, 'failed')).toMatch(/`c`.*Waiting/)
    rmSync(spec)
    expect(await noticed(watch, 'failed')).toMatch(/toy\.assay.*Waiting/)
    rewritten(lower.replace('n <= 3', 'n <= 1000'))
    expect(await watch.update()).toMatchObject({ how: 'whole', satisfied: true, expectations: [{ expect: 'n <= 1000' }] })
    appendFileSync(path, lines(more))
    expect(await watch.update()).toMatchObject({ how: 'batch', rows: 60, satisfied: true })
    expect(await watch.stop()).toBe(0)
  })

  test('gone, and back', async () => {
    const { watch, path } = started()
    await watch.update()
    renameSync(path, `${path}.away`)
    expect(await noticed(watch, 'changed')).toContain('is gone')
    expect(await noticed(watch, 'failed')).toMatch(/There is no file `seen.csv`.*Waiting/)
    renameSync(`${path}.away`, path)
    expect(await watch.update()).toMatchObject({ how: 'whole', rows: 50, added: 0 })
    appendFileSync(path, lines(more))
    expect(await watch.update()).toMatchObject({ how: 'batch', rows: 60, added: 10 })
    await watch.stop()
  })

  test('too few values, a key that is there already, a number that is none: a sentence, then as before', async () => {
    const { watch, path } = started()
    await watch.update()
    const wrong: readonly [string, RegExp][] = [
      ['61,0.5,0.5\n', /3 values|number of values|columns/],
      [lines([seen[7]!]), /2 rows of `seen` have the key 7/],
      [lines([[61, 'much', ...more[0]!.slice(2)]]), /much|`f`/],
    ]
    for (const [line, why] of wrong) {
      appendFileSync(path, line)
      expect(await noticed(watch, 'changed')).toMatch(/cannot be added by themselves/)
      expect(await noticed(watch, 'failed')).toMatch(why)
      writeFileSync(path, csv([...seen, ...more]))
      expect(await watch.update()).toMatchObject({ how: 'whole', rows: 60 })
    }
    expect(watch.lines.map((one) => JSON.stringify(one)).join('')).not.toMatch(/\bat .*\.ts/)
    await watch.stop()
  })

  test('replaced by the same and more: only what is new is counted; a new time alone is nothing', async () => {
    const { watch, path } = started()
    await watch.update()
    writeFileSync(`${path}.new`, csv([...seen, ...more]))
    renameSync(`${path}.new`, path)
    expect(await watch.update()).toMatchObject({ how: 'batch', rows: 60, added: 10 })
    utimesSync(path, new Date(), new Date(Date.now() + 5000))
    appendFileSync(path, lines(rowsFrom(60, 61)))
    expect(await watch.update()).toMatchObject({ how: 'batch', rows: 61, added: 1 })
    await watch.stop()
  })

  test('an unfinished line at the beginning waits, and is told', async () => {
    const { watch, path, text } = started({}, { 'seen.csv': `${csv(seen)}50,0.5` })
    expect(await watch.update()).toMatchObject({ rows: 50, unfinished: 6 })
    appendFileSync(path, ',0.1,p,1,c1,\n51')
    const update = await watch.update()
    expect(update).toMatchObject({ how: 'batch', rows: 51, unfinished: 2 })
    await expectSame(update, text, { 'learned.csv': learned, 'seen.csv': csv([...seen, [50, 0.5, 0.1, 'p', 1, 'c1', null]]) })
    await watch.stop()
  })

  test('the training rows: everything anew', async () => {
    const { watch, folder } = started()
    await watch.update()
    writeFileSync(join(folder, 'learned.csv'), csv(rowsFrom(0, 80)))
    expect(await noticed(watch, 'changed')).toContain('Another file')
    expect(await watch.update()).toMatchObject({ how: 'whole', rows: 50 })
    await watch.stop()
  })
})

describe('a list of files', () => {
  const from = 'seen-*.csv'
  test('the last grows, and others come behind it', async () => {
    const { watch, folder, text } = started({ from }, { 'seen-1.csv': csv(seen.slice(0, 20)), 'seen-2.csv': csv(seen.slice(20, 40)) })
    await watch.update()
    appendFileSync(join(folder, 'seen-2.csv'), lines(seen.slice(40)))
    writeFileSync(join(folder, 'seen-3.csv'), csv(more))
    let last = await watch.update()
    while (last.rows < 60) last = await watch.update()
    expect(last.how).toBe('batch')
    const files = {
      'learned.csv': learned,
      'seen-1.csv': csv(seen.slice(0, 20)),
      'seen-2.csv': csv(seen.slice(20)),
      'seen-3.csv': csv(more),
    }
    await expectSame(last, text, files)
    appendFileSync(join(folder, 'seen-1.csv'), lines(rowsFrom(60, 61)))
    expect(await noticed(watch, 'changed')).toContain('`seen-1.csv` has changed')
    expect(await watch.update()).toMatchObject({ how: 'whole', rows: 61 })
    rmSync(join(folder, 'seen-3.csv'))
    expect(await noticed(watch, 'changed')).toContain('`seen-3.csv` is gone')
    expect(await watch.update()).toMatchObject({ how: 'whole', rows: 51 })
    await watch.stop()
  })
})

test('files of a list that are no text: those that come behind', async () => {
  const tables = await openTables({ threads: 1 })
  const written = async (folder: string, name: string, rows: readonly Row[]) => {
    writeFileSync(join(folder, 'rows.csv'), csv(rows))
    await tables.execute(`copy (select * from read_csv('${join(folder, 'rows.csv')}')) to '${join(folder, 'made')}' (format parquet)`)
    renameSync(join(folder, 'made'), join(folder, name))
  }
  const text = specOf({ from: 'seen-*.parquet' })
  const folder = toyFolder({ 'toy.assay': text, 'learned.csv': learned })
  await written(folder, 'seen-1.parquet', seen)
  const watch = watching(folder)
  expect(await watch.update()).toMatchObject({ how: 'whole', rows: 50 })
  // A file that comes before the first ones have been counted is read with them once more: then the next one.
  let rows = [...seen]
  let update: WatchUpdate
  for (let file = 2; ; file++) {
    await new Promise((resume) => setTimeout(resume, 250 * (file - 2)))
    const added = rowsFrom(rows.length, rows.length + 10)
    rows = [...rows, ...added]
    await written(folder, `seen-${file}.parquet`, added)
    update = await watch.update()
    expect(update.rows).toBe(rows.length)
    if (update.how === 'batch' || file === 7) break
  }
  expect(update).toMatchObject({ how: 'batch', added: 10 })
  await expectSame(update, specOf({}), { 'learned.csv': learned, 'seen.csv': csv(rows) })
  await watch.stop()
  await tables.close()
})

test('a column without values until now, quotes where there were none: all is read again', async () => {
  const plain = seen.map((row) => [...row.slice(0, 4), null, 'c1', null] as Row)
  const { watch, path, text } = started({}, { 'seen.csv': csv(plain) })
  await watch.update()
  const withX: Row = [50, 0.5, 0.1, 'p', 1.5, 'c1', null]
  appendFileSync(path, lines([withX]))
  expect(await noticed(watch, 'changed')).toContain('`x` had no value before')
  expect((await watch.update()).how).toBe('whole')
  const withQuotes: Row = [51, 0.5, 0.1, 'p', 1.5, 'a, b', null]
  appendFileSync(path, lines([withQuotes]))
  expect(await noticed(watch, 'changed')).toContain('quotes')
  await expectSame(await watch.update(), text, { 'learned.csv': learned, 'seen.csv': csv([...plain, withX, withQuotes]) })
  await watch.stop()
})

describe('what cannot be kept batch by batch is evaluated as a whole, and that is said once', () => {
  test.each<[string, Asked, RegExp]>([
    ['spectral without k', { method: 'spectral' }, /without `k`/],
    ['conjugate gradients', { method: 'cg' }, /`method cg`/],
    ['having', { query: "select c, count(*) as n from seen where predict(label) = 'p' group by c having count(*) > 1" }, /`having`/],
    [
      'a view with groups',
      {
        views: 'source per_c { from (select c, avg(f) as f, avg(g) as g from seen group by c) }',
        query: "select count(*) as n from per_c where predict(label) = 'p'",
      },
      /`per_c` is a view/,
    ],
    ['splits by content', { key: '', more: 'split a 50%, b 50%' }, /go by the content/],
  ])('%s', async (name, asked, why) => {
    const { watch, path } = started(asked)
    await watch.update()
    expect(await noticed(watch, 'whole-only')).toMatch(why)
    for (const rows of name === 'having' ? [more.slice(0, 5), more.slice(5)] : []) {
      appendFileSync(path, lines(rows))
      expect(await watch.update()).toMatchObject({ how: 'whole', added: 5 })
    }
    await watch.stop()
    expect(watch.lines.filter((line) => line.event === 'notice')).toHaveLength(1)
  })
})

test('--until-idle ends by itself; --top tells as many rows, and blames them', async () => {
  const { text, folder } = started({ expectation: 'n >= 0' })
  const watch = watching(folder, ['c', '--until-idle', '0.2'])
  expect(await watch.ended).toBe(0)
  expect(watch.lines).toMatchObject([{ event: 'update', satisfied: true, ranking: [] }])
  writeFileSync(join(folder, 'toy.assay'), text.replace('n >= 0', 'lower n'))
  const unmet = watching(folder, ['--until-idle', '0', '--top', '12'])
  expect(await unmet.ended).toBe(1)
  expect((await unmet.update()).ranking).toHaveLength(12)
  truncateSync(join(folder, 'seen.csv'), 0)
  const empty = watching(folder, ['--until-idle', '0'])
  expect(await empty.ended).toBe(2)
})

test.each<[string, readonly string[], RegExp]>([
  ['no complaint', [], /declares no complaint/],
  ['several', [], /Name one of the complaints: `c`, `d`/],
  ['a model', ['m'], /`m` is a model; only a complaint can be watched/],
  ['nobody', ['e'], /declares no `e`/],
])('%s: a sentence', async (what, names, why) => {
  const text = specOf({})
  const [upTo, complaint] = [text.slice(0, text.indexOf('complaint')), text.slice(text.indexOf('complaint'))]
  const both = `${text}\n${complaint.replace('complaint c', 'complaint d')}`
  const folder = toyFolder({
    'toy.assay': what === 'no complaint' ? upTo : what === 'several' ? both : text,
    'learned.csv': learned,
    'seen.csv': csv(seen),
  })
  const watch = watching(folder, names)
  expect(await watch.ended).toBe(2)
  expect(watch.err()).toMatch(why)
})
