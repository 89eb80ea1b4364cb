import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import type { ComplaintResult } from '../../server/src/protocol/results.ts'
import { openPanels, tableOf } from './panels-door.ts'

/** Complaints that are written from what a query over predictions gives. */
function people(rows: number, seed: number): string {
  const rng = createRng(seed)
  const lines = ['id,x,y,"größe ""cm""",day,label']
  for (let id = 0; id < rows; id++) {
    const yes = rng.next() < 0.5
    const size = id % 7 === 0 ? '' : ["it's", 'groß', 'a "b"', 'ж'][id % 4]!.replaceAll('"', '""')
    const day = id % 5 === 0 ? '' : `2024-0${1 + (id % 3)}-01`
    const quoted = size === '' ? '' : `"${size}"`
    lines.push(`${id},${(rng.next() + (yes ? 1 : -1)).toFixed(4)},${rng.next().toFixed(4)},${quoted},${day},${yes ? 'cat' : 'dog'}`)
  }
  return `${lines.join('\n')}\n`
}
const files = { 'past.csv': people(200, 1), 'mail.csv': people(120, 2) }
const spec = `source past {
  from  'past.csv'
  key   id
  label label
  split train 80%, valid 20%
}
source mail { from 'mail.csv'; key id }
model reader on past {
  predict  label
  from     x, y
  kind     logistic(l2: 0.001)
  train    on train
  validate on valid
}
model other on past {
  predict label
  from    x
  kind    logistic(l2: 0.01)
  train   on train
}

complaint few using reader {
  query   select count(*) as n from mail where predict(label) = 'cat'
  expect  n >= 119 -- nearly all
  blame   top 20 rows of train by influence
}
complaint sizes using reader { query select "größe ""cm""", day, count(*) as "how many" from mail where predict(label) = 'cat' group by "größe ""cm""", day; expect lower "how many"; blame top 5 rows of train }
complaint single using reader {
  query  select id, x, predict(label) as said, score(label, 'cat') as p from mail where predict(label) = 'cat'
  expect no row where id = 3
  blame  top 5 rows of train
}
complaint coarse using reader {
  query  select count(*) as n from mail where predict(label) = 'cat' group by day
  expect lower n
  blame  top 5 rows of train
}
complaint classes using reader {
  query  select predict(label) as digit, count(*) as n, avg(x) as "row" from mail group by predict(label)
  expect lower n where digit = 'cat'
  blame  top 5 rows of train
}
`
const rowsOf = (page: Awaited<ReturnType<ReturnType<typeof openPanels>['page']>>) => tableOf(page, 'rows')

describe('a preview of a query', () => {
  const { page, run, act } = openPanels(files, spec)

  test('trains nothing: it says what has to be trained, and offers it', async () => {
    const before = (await page('few', { what: 'preview' }))!
    expect(before).toMatchObject({
      title: 'few · query',
      verdict: 'not trained yet',
      mood: 'quiet',
      sections: [],
      sentences: ['`reader` has not been trained on this data, and a preview trains nothing. Train it first.'],
      actions: [{ id: 'train', title: 'Train and preview' }, { id: 'ask-query' }, { id: 'declaration' }],
    })
    const answer = await act(before, 'train')
    expect(answer).toEqual({ run: { uri: before.address.uri, names: ['reader'], then: before.address } })
    await run(...answer.run!.names)
    const after = (await page('few', { what: 'preview' }))!
    expect(rowsOf(after).columns).toEqual([{ name: 'n', type: 'number', measured: true }])
    expect(rowsOf(after).rows).toHaveLength(1)
    expect(rowsOf(after).actions.map(({ id, takes }) => [id, takes])).toEqual([
      ['expect-lower', 'cell'],
      ['expect-higher', 'cell'],
      ['expect-equal', 'cell'],
    ])
    expect(after.sentences).toEqual(['What the query gives over what `reader` predicts now.'])
    expect(after).toMatchObject({ verdict: '', mood: 'quiet', figures: [], sql: expect.stringMatching(/^select count/) })
  })

  test('gives what an explained complaint counts', async () => {
    const [result] = (await run('few')).results.filter((one) => one.kind === 'complaint') as ComplaintResult[]
    expect(rowsOf(await page('few', { what: 'preview' })).rows[0]!.values).toEqual([result!.actual])
  })

  test('has every row, whatever is expected of which; rows and groups have their keys', async () => {
    const single = rowsOf(await page('single', { what: 'preview' }))
    const few = rowsOf(await page('few', { what: 'preview' })).rows[0]!.values[0]
    expect(single.rows).toHaveLength(few as number)
    expect(single.columns.map((one) => one.measured ?? false)).toEqual([false, false, false, true])
    expect(single.rows.every((row) => row.values[2] === 'cat' && (row.values[3] as number) > 0.5)).toBe(true)
    const classes = rowsOf(await page('classes', { what: 'preview' }))
    expect(classes.rows.map(({ key }) => key)).toEqual(['cat', 'dog'])
    expect(classes.rows.reduce((sum, row) => sum + (row.values[1] as number), 0)).toBe(120)
    const limited = rowsOf(await page('single', { what: 'preview', limit: 3 }))
    expect([limited.rows.length, limited.total]).toEqual([3, few])
  })

  test('of a model: how often each class is predicted; or any query', async () => {
    const shown = (await page('reader', { what: 'preview' }))!
    expect(shown.text).toBe('select predict(label) as predicted, count(*) as n from past.valid group by predict(label)')
    expect(rowsOf(shown).rows).toHaveLength(2)
    const both = 'select count(*) as n from mail where predict(label, reader) = predict(label, other)'
    await expect(page('reader', { what: 'preview', query: both })).resolves.toMatchObject({
      sentences: ['`other` has not been trained on this data, and a preview trains nothing. Train it first.'],
    })
    await run('other')
    expect(rowsOf(await page('reader', { what: 'preview', query: both })).rows[0]!.values[0]).toBeGreaterThan(80)
  })

  test.each([
    ['select count(*) as n from mail', /^This cannot be asked: /],
    ['select predict(label) as l from mail order by 1', /remove `order by`/],
    ['select predict(nothing) as l from mail', /^This cannot be asked: /],
    ['select 1 } model x on y {', /^This is no query: /],
    ['', /^This is no query: /],
  ])('refuses %j in a sentence', async (query, sentence) => {
    await expect(page('reader', { what: 'preview', query })).rejects.toThrow(sentence)
    const shown = (await page('reader', { what: 'preview' }))!
    const answer = await act(shown, 'ask-query', [], undefined, { input: query })
    expect(answer).toMatchObject({ ask: { value: query, problem: expect.stringMatching(sentence) } })
  })

  test('another query is asked for, and shown', async () => {
    const shown = (await page('few', { what: 'preview' }))!
    const { ask } = await act(shown, 'ask-query')
    expect(ask).toEqual({
      title: 'A query over what reader predicts',
      prompt: 'select … from …, with predict(…) or score(…, …)',
      value: "select count(*) as n from mail where predict(label) = 'cat'",
    })
    const input = "select  count( * ) as n\nfrom mail where predict(label)='dog'"
    const query = "select count(*) as n from mail where predict(label) = 'dog'"
    expect(await act(shown, 'ask-query', [], undefined, { input })).toEqual({
      open: { uri: shown.address.uri, name: 'reader', what: 'preview', query },
    })
  })
})

describe('an expectation', () => {
  const panels = openPanels(files, spec)
  const { page, run, act, insert, change } = panels
  const shown = async (name: string) => {
    await run('reader')
    return (await page(name, { what: 'preview' }))!
  }
  const at = (insertion: { readonly line: number; readonly character?: number; readonly text: string } | undefined) => insertion?.text

  test('of the one row: lower, higher, equal to what is typed, in the line below the last', async () => {
    const few = await shown('few')
    expect(await act(few, 'expect-lower', [0], 'rows', { column: 0 })).toEqual({
      insert: { uri: panels.uri, line: 23, character: 32, text: '\n  expect  lower n' },
    })
    expect(at((await act(few, 'expect-higher', [0], 'rows')).insert)).toBe('\n  expect  higher n')
    const { ask } = await act(few, 'expect-equal', [0], 'rows', { column: 0 })
    expect(ask).toEqual({
      title: 'n should be',
      prompt: 'A number, or <= 100, or between 90 and 110',
      value: String(rowsOf(few).rows[0]!.values[0]),
    })
    const typed = async (input: string) => act(few, 'expect-equal', [0], 'rows', { column: 0, input })
    expect(at((await typed('60')).insert)).toBe('\n  expect  n = 60')
    expect(at((await typed(' <= 1e2 ')).insert)).toBe('\n  expect  n <= 1e2')
    expect(at((await typed('between 3 and 5')).insert)).toBe('\n  expect  n between 3 and 5')
    for (const input of ['many', '', '5 }\nslice s on mail where true', '5; blame top 1 rows of train', 'x']) {
      const again = await typed(input)
      expect(again.ask?.problem, input).toMatch(/Write a number|cannot be expected/)
      expect(again.insert).toBeUndefined()
    }
    const text = insert(await act(few, 'expect-lower', [0], 'rows')).text
    expect(text).toContain('  expect  n >= 119 -- nearly all\n  expect  lower n\n  blame')
    expect(await act(few, 'expect-lower', [0], 'rows')).toMatchObject({ say: 'The complaint expects this already.', show: { line: 24 } })
    expect((await run('few')).results.find((one) => one.name === 'few')).toMatchObject({
      status: 'violated',
      expectations: [{}, { expect: 'lower n' }],
    })
    expect(await act(few, 'expect-none', [0], 'rows')).toMatchObject({ say: expect.any(String) })
    change(spec)
  })

  test('of groups: named as the language writes them, whatever they are, and the complaint then speaks of that one', async () => {
    const sizes = await shown('sizes')
    const { rows, columns } = rowsOf(sizes)
    expect(columns.map((one) => one.measured ?? false)).toEqual([false, false, true])
    for (const [i, { values }] of rows.entries()) {
      const [size, day] = values as (string | null)[]
      const answer = await act(sizes, 'expect-higher', [i], 'rows', { column: 2 })
      const sizeIs = size === null ? 'is null' : `= '${size!.replaceAll("'", "''")}'`
      const dayIs = day === null ? 'is null' : `= '${day}'`
      expect(at(answer.insert)).toBe(`; expect higher "how many" where "größe ""cm""" ${sizeIs} and day ${dayIs}`)
      if (i % 4 !== 0) continue
      insert(answer)
      const result = (await run('sizes')).results.find((one) => one.name === 'sizes') as ComplaintResult
      const spoken = result.expectations!.filter((one) => one.expect.startsWith('higher'))
      expect(spoken).toMatchObject([{ actual: values[2] }])
      change(spec)
    }
    expect(rows.length).toBeGreaterThan(12)
  })

  test('of rows: not here, by key; several at once; another is missing', async () => {
    const single = await shown('single')
    const ids = rowsOf(single).rows.map((row) => row.values[0])
    expect(at((await act(single, 'expect-none', [1], 'rows')).insert)).toBe(`\n  expect no row where id = ${ids[1]}`)
    expect(at((await act(single, 'expect-none', [1, 2], 'rows')).insert)).toBe(`\n  expect no row where id = ${ids[1]} or id = ${ids[2]}`)
    expect(at((await act(single, 'expect-lower', [1], 'rows', { column: 3 })).insert)).toBe(`\n  expect lower p where id = ${ids[1]}`)
    expect(await act(single, 'expect-lower', [1, 2], 'rows', { column: 3 })).toEqual({
      say: 'Choose one row: a number is expected of one at a time.',
    })
    expect((await act(single, 'expect-lower', [1], 'rows', { column: 1 })).say).toMatch(/^Choose a number that the model has a say in/)
    expect(await act(single, 'expect-none', [], 'rows')).toEqual({ say: 'Choose a row first.' })
    const missing = await act(single, 'expect-row')
    expect(missing.ask).toEqual({ title: 'A row that should be here', prompt: 'A condition on id, x, said, p', value: 'id = ' })
    const typed = (input: string) => act(single, 'expect-row', [], undefined, { input })
    expect(at((await typed('id=5 and x>0')).insert)).toBe('\n  expect row where id = 5 and x > 0')
    expect(await typed('id = ')).toMatchObject({ ask: { value: 'id = ', problem: expect.stringMatching(/^Write a condition/) } })
    expect((await typed('nobody = 1')).ask).toMatchObject({
      value: 'nobody = 1',
      problem: expect.stringMatching(/^This cannot be expected: .*nobody/),
    })
    expect(await act(await shown('single'), 'expect-none', [1], 'rows')).toHaveProperty('insert')
    insert(await act(single, 'expect-none', [1], 'rows'))
    expect((await run('single')).results.find((one) => one.name === 'single')).toMatchObject({ status: 'violated' })
    change(spec)
  })

  test('of a column whose name begins another form; of groups that the query does not give', async () => {
    const classes = await shown('classes')
    expect(at((await act(classes, 'expect-equal', [0], 'rows', { column: 2, input: '1' })).insert)).toBe(
      '\n  expect "row" = 1 where digit = \'cat\'',
    )
    const coarse = await shown('coarse')
    expect(coarse.sentences[1]).toMatch(/^It groups by `day` and does not give it/)
    expect(await act(coarse, 'expect-lower', [0], 'rows')).toEqual({ say: 'Rows of this result cannot be told apart: select `day` too.' })
  })

  test('of a query that stands in no file: a complaint of its own, which then takes more', async () => {
    const reader = await shown('reader')
    const answer = await act(reader, 'expect-lower', [1], 'rows', { column: 1 })
    expect(at(answer.insert)).toBe(`
complaint reader_n_too_high using reader {
  query  select predict(label) as predicted, count(*) as n from past.valid group by predict(label)
  expect lower n where predicted = 'dog'
  blame  top 25 rows of train by influence
}
`)
    insert(answer)
    expect((await run('reader_n_too_high')).results.at(-1)).toMatchObject({ status: 'violated', ranking: expect.any(Array) })
    expect(at((await act(reader, 'expect-higher', [0], 'rows', { column: 1 })).insert)).toBe("\n  expect higher n where predicted = 'cat'")
    change(spec.replaceAll('reader', 'leser'))
    expect((await act(reader, 'expect-lower', [1], 'rows', { column: 1 })).say).toBe('The query has changed since: preview it again.')
    change(spec)
  })

  test('is not written into a query that has changed since', async () => {
    const few = await shown('few')
    change(spec.replace("as n from mail where predict(label) = 'cat'\n", "as n from mail where predict(label) = 'dog'\n"))
    expect(await act(few, 'expect-lower', [0], 'rows')).toEqual({ say: 'The query has changed since: preview it again.' })
    change(spec)
  })
})
