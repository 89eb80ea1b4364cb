import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { openPanels, tableOf } from './panels-door.ts'

/** What panels ask: pages of results and of rows, and what can be done with the rows in them. */
function blobs(rows: number, seed: number, corrupted: boolean): string {
  const rng = createRng(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next())
  const lines = ['id,x,y,colour,label']
  for (let id = 0; id < rows; id++) {
    const yes = rng.next() < 0.5
    const accident = corrupted && yes && rng.next() < 0.3
    const colour = rng.next() < 0.5 ? 'red' : "bl'ue"
    lines.push(`${id},${(normal() + (yes ? 1.5 : -1.5)).toFixed(4)},${normal().toFixed(4)},${colour},${yes && !accident ? 'cat' : 'dog'}`)
  }
  return `${lines.join('\n')}\n`
}
const files = { 'train.csv': blobs(300, 1, true), 'mail.csv': blobs(200, 2, false), 'twins.csv': 'x,y\n1,a\n2,b\n2,b\n3,c\n' }
const spec = `source past {
  from  'train.csv'
  key   id
  label label
  split train 80%, valid 20%
}
source mail { from 'mail.csv'; key id }
source twins { from 'twins.csv' }
model reader on past {
  predict label
  from    x, y
  kind    logistic(l2: 0.001)
  train   on train
}

--- Too few cats.
complaint few using reader {
  query  select count(*) as n from mail where predict(label) = 'cat'
  expect n >= 105
  blame  top 20 rows of train by influence
}
assert bounded on past {
  each    row
  require x < 2.5
}
assert small on twins {
  each    row
  require x < 2
}
slice red on past where colour = 'red'
partition colours on past { by colour }
discover spots on past using reader {
  over    colour, x bins 3
  support >= 10 rows
  top     3
}
intervene drop {
  for     few
  remove  top 20 rows of train by influence
  retrain reader
}
acquire more for reader {
  slices colours
  from   mail cost 1 per row
  budget 10
}`

describe('pages', () => {
  const panels = openPanels(files, spec)
  const { run, page } = panels

  test('nothing to show before it ran; then the ranking with values and keys, the chart that leads to its rows, what was expected', async () => {
    expect(await page('few')).toBeNull()
    await run('few')
    const shown = await page('few')
    expect(shown).toMatchObject({
      schema: 'assay-page/1',
      title: 'few · complaint',
      verdict: 'stands',
      mood: 'bad',
      state: 'current',
      doc: 'Too few cats.',
      figures: [{ name: 'actual', mood: 'bad' }, { name: 'expected', value: '>= 105' }, {}],
      actions: [{ id: 'run' }, { id: 'preview-query' }, { id: 'declaration' }],
    })
    expect(shown!.text).toMatch(/^complaint few/)
    expect(shown!.sql).toMatch(/^select count/)
    expect(shown!.provenance).toMatch(/^data \w+ · plan \w+ · seed 7/)
    expect(shown!.sections.map((one) => one.id)).toEqual(['suspects', 'chart-0', 'expected'])
    const ranking = tableOf(shown, 'suspects')
    expect(ranking.columns.slice(0, 4)).toEqual([
      { name: 'rank', type: 'number' },
      { name: 'key', type: 'text' },
      { name: 'label', type: 'text' },
      { name: "model's opinion", type: 'text' },
    ])
    expect(ranking.rows).toHaveLength(20)
    expect(ranking.rows[0]).toMatchObject({
      key: expect.any(Number),
      values: [1, expect.any(Number), 'dog', 'cat', expect.any(Number), 'relabel to cat', expect.any(Number), expect.any(Number)],
    })
    const chart = shown!.sections[1]
    expect(chart).toMatchObject({ type: 'chart', table: 'suspects', sentence: expect.stringMatching(/^Predicted improvement/) })
    expect((chart as { svg: string }).svg).toMatch(/<a [^>]*href="#suspects\/19"/)
  })

  test.each([
    ['bounded', 'assert', ['flagged']],
    ['colours', 'partition', ['chart-0', 'slices']],
    ['spots', 'discover', ['chart-0', 'slices', 'declarations']],
    ['drop', 'intervene', ['chart-0', 'measures']],
    ['reader', 'model', ['chart-0', 'slices']],
    ['past', 'source', ['splits', 'columns']],
    ['red', 'slice', []],
  ])('of %s (%s)', async (name, kind, sections) => {
    await run(name)
    const shown = (await page(name))!
    expect(shown.kind).toBe(kind)
    expect(shown.sections.map((one) => one.id).sort()).toEqual([...sections].sort())
    for (const one of shown.sections) {
      if (one.type === 'chart') {
        expect(one.svg).not.toMatch(/<style|style=|<script/)
        for (const [, id, row] of one.svg.matchAll(/href="#(\w+)\/(\d+)"/g)) expect(tableOf(shown, id!).rows[Number(row)]).toBeDefined()
        continue
      }
      for (const row of one.rows) expect([row.cells.length, row.values.length]).toEqual([one.columns.length, one.columns.length])
    }
  })

  test('what is not built yet says so', async () => {
    const file = await run('more')
    expect(file.results.at(-1)).toMatchObject({ name: 'more', status: 'skipped', message: expect.stringContaining('not yet run') })
  })

  test('of a plan: steps, and SQL to copy', async () => {
    const shown = await page('bounded', { what: 'plan' })
    expect(shown).toMatchObject({ title: 'bounded · plan', verdict: 'planned', sections: [{ id: 'steps' }] })
    expect(shown!.sql).toMatch(/^-- judge rows\n/)
  })

  test('of rows: a source, a split, a slice, a condition', async () => {
    const past = await page('past', { what: 'preview', limit: 5 })
    expect(past).toMatchObject({ title: 'past · rows', kind: 'source', verdict: '', figures: [] })
    expect(tableOf(past, 'rows').total).toBe(300)
    expect(tableOf(past, 'rows').rows.map((row) => row.key)).toEqual([0, 1, 2, 3, 4])
    expect(tableOf(past, 'rows').note).toBe('The first 5 of 300 rows.')
    const whole = (await run('past')).results[0] as { splits: Record<string, number> }
    expect(tableOf(await page('past.valid', { what: 'preview' }), 'rows').rows).toHaveLength(whole.splits.valid!)
    const red = tableOf(await page('red', { what: 'preview', where: 'x > 0 and id < 100' }), 'rows')
    expect(red.rows.length).toBeGreaterThan(5)
    for (const { values } of red.rows) expect([values[3], Number(values[1]) > 0]).toEqual(['red', true])
    await expect(page('past', { what: 'preview', where: 'colur = 1' })).rejects.toThrow(/No column `colur`/)
    await expect(page('past', { what: 'preview', where: 'x > 0) or (true' })).resolves.toBeTruthy()
    await expect(page('nobody', { what: 'preview' })).rejects.toThrow(/no source, split or slice `nobody`/)
  })

  test('a result that is out of date is shown as such', async () => {
    panels.change(spec.replace('x < 2.5', 'x < 2'))
    expect((await page('bounded'))!.state).toBe('spec changed')
    panels.change(spec)
    expect((await page('bounded'))!.state).toBe('current')
  })
})

describe('acts', () => {
  const panels = openPanels(files, spec)
  const { run, page, act, insert } = panels

  test('declaration, run', async () => {
    await run('few')
    const shown = (await page('few'))!
    expect(await act(shown, 'declaration')).toMatchObject({ show: { uri: panels.uri, line: 16, character: 10, endCharacter: 13 } })
    expect(await act(shown, 'run')).toEqual({ run: { uri: panels.uri, names: ['few'] } })
    expect(await act(shown, 'intervene-remove')).toEqual({ say: 'No row is selected.' })
  })

  test('an intervention without rows, and one with their labels mended, run', async () => {
    const shown = (await page('few'))!
    const removed = await act(shown, 'intervene-remove', [0, 2], 'suspects')
    expect(removed).toMatchObject({ insert: { uri: panels.uri, line: 21 }, run: { names: ['few_without'] } })
    const [first, , third] = tableOf(shown, 'suspects').rows.map((row) => row.key)
    expect(removed.insert!.text).toBe(
      `\nintervene few_without {\n  for      few\n  remove   where id in (${first}, ${third})\n  retrain  reader\n  compare  few, accuracy on mail\n}\n`,
    )
    insert(removed)
    const relabelled = await act(shown, 'intervene-relabel', [0, 1], 'suspects')
    expect(relabelled.insert!.text).toMatch(/ set +label = 'cat' where id in \(\d+, \d+\)\n/)
    insert(relabelled)
    const { results } = await run('few_without', 'few_relabelled')
    expect(results.filter((one) => one.kind === 'intervene')).toMatchObject([
      { status: 'ok', changedRows: 2 },
      { status: 'ok', changedRows: 2 },
    ])
  })

  test('flagged rows left out in a view, by declared key and by content', async () => {
    await run('bounded', 'small')
    const kept = await act((await page('bounded'))!, 'exclude', [0, 1], 'flagged')
    expect(kept.insert!.text.replace(/\d+/g, '7')).toBe(
      '\nsource past_kept {\n  from   (select * from past where not (id in (7, 7)))\n  key    id\n  label  label\n  split  train 7%, valid 7%\n}\n',
    )
    insert(kept)
    const small = await act((await page('small'))!, 'exclude', [0, 1, 2], 'flagged')
    expect(small.insert!.text).toMatch(/key in \('[0-9a-f]{16}(\.1)?', /)
    insert(small)
    const { results } = await run('past_kept', 'twins_kept')
    expect(results.filter((one) => /_kept$/.test(one.name))).toMatchObject([{ rows: 298 }, { rows: 1 }])
  })

  test('a discovered slice kept, and its rows', async () => {
    await run('spots')
    const shown = (await page('spots'))!
    const kept = await act(shown, 'keep-slice', [0, 1], 'slices')
    insert(kept)
    const rows = await act(shown, 'preview-slice', [0], 'slices')
    expect(rows.open).toMatchObject({ name: 'past', what: 'preview', where: expect.any(String) })
    const preview = await page('past', { what: 'preview', where: rows.open!.where! })
    const size = Number(tableOf(shown, 'slices').rows[0]!.values[2])
    expect(tableOf(preview, 'rows').rows).toHaveLength(size)
  })

  test.each([
    ['colours', 'slices', 1],
    ['reader', 'slices', 0],
    ['past', 'splits', 1],
    ['red', undefined, undefined],
  ])('rows of a part of %s', async (name, section, row) => {
    await run(name)
    const shown = (await page(name))!
    const { open } = await act(shown, 'preview-slice', row === undefined ? [] : [row], section)
    const preview = await page(open!.name, open!)
    const part = row === undefined ? undefined : tableOf(shown, section!).rows[row]!
    const rows = tableOf(preview, 'rows').rows.length
    expect(rows).toBe(name === 'red' ? Number(shown.figures[0]!.value) : part!.values[1])
  })

  test.each([
    ['bounded', 'flagged', undefined],
    ['few', 'suspects', undefined],
    ['past', 'rows', 'preview' as const],
  ])('a row of %s in the data', async (name, section, what) => {
    const shown = (await page(name, what ? { what } : {}))!
    const key = Number(tableOf(shown, section).rows[3]!.key)
    const { show } = await act(shown, 'show-row', [3], section)
    expect(show).toMatchObject({ uri: expect.stringMatching(/train\.csv$/), line: key + 1, character: 0 })
  })

  test('a row that has no line is shown by itself', async () => {
    panels.change(
      `${spec}\nsource counts { from (select colour, count(*) as n from past group by colour) }\nassert many on counts { each row; require n > 1000 }\n`,
    )
    await run('many')
    const answer = await act((await page('many'))!, 'show-row', [0], 'flagged')
    expect(answer).toMatchObject({ say: expect.stringContaining('not read from a text file'), open: { name: 'counts' } })
    expect(tableOf(await page('counts', answer.open), 'rows').rows).toHaveLength(1)
  })
})

describe('rows are named by any key', () => {
  const keys = {
    numbers: ['id', '1\n2\n3', 'id'],
    texts: ['id', "o'a\nb b\n\u00fc", 'id'],
    dates: ['id', '2020-01-01\n2020-01-02\n2020-01-03', 'id'],
    times: ['id', '2020-01-01 10:00:00\n2020-01-02 10:00:00.5\n2020-01-03 00:00:00', 'id'],
    long: ['id', '9007199254740993\n9007199254740995\n9007199254740997', 'id'],
    decimals: ['id', '0.10\n0.25\n1.50', 'id'],
    booleans: ['id', 'true\nfalse', 'id'],
    two: ['a,b', '1,x\n1,y\n2,x', 'a, b'],
    reserved: ['from', '1\n2\n3', '"from"'],
    none: ['id', 'a\nb\nb', undefined],
  } as const
  test.each(Object.entries(keys))('%s', async (_, [head, body, key]) => {
    const csv = `${head},v\n${body
      .split('\n')
      .map((row, i) => `${row},${i}`)
      .join('\n')}\n`
    const text = `source t {\n  from 't.csv'\n${key ? `  key  ${key}\n` : ''}}\nassert low on t { each row; require v < 0 }\n`
    const { run, page, act, insert } = openPanels({ 't.csv': csv }, text)
    await run('low')
    const shown = (await page('low'))!
    const rows = tableOf(shown, 'flagged').rows.length
    insert(await act(shown, 'exclude', [0], 'flagged'))
    expect((await run('t_kept')).results.at(-1)).toMatchObject({ name: 't_kept', status: 'ok', rows: rows - 1 })
    const { show } = await act(shown, 'show-row', [0], 'flagged')
    const value = tableOf(shown, 'flagged').rows[0]!.values.at(-1)
    expect(show).toMatchObject({ line: Number(value) + 1 })
  })

  test('a key that cannot be written is said to be one', async () => {
    const { run, page, act } = openPanels(
      { 't.csv': 'id,v\n"a\nb",1\n' },
      `source t { from 't.csv'; key id }\nassert low on t { each row; require v < 0 }\n`,
    )
    await run('low')
    expect(await act((await page('low'))!, 'exclude', [0], 'flagged')).toEqual({
      say: expect.stringMatching(/cannot be named in a condition/),
    })
  })
})
