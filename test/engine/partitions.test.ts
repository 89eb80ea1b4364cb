import { describe, expect, test } from 'vitest'
import type { PartitionResult } from '../../server/src/protocol/results.ts'
import { runToy } from '../support/run-toy.ts'

/** 240 rows: x is 0 … 239, colour one of four (one of them rare), small is 0 or 1, label alternates. */
const lines = Array.from({ length: 240 }, (_, i) => {
  const colour = i % 60 === 0 ? 'rare' : i % 12 === 1 ? '' : ['red', 'blue', 'other'][i % 3]
  return [i, i, colour, i % 2, i % 4 ? 'yes' : 'no', `2024-0${1 + (i % 3)}-01`].join()
})
const files = { 'rows.csv': `id,x,colour,small,label,day\n${lines.join('\n')}\n` }
const source = `source rows { from 'rows.csv' with (nullstr: ''); key id; label label; split train 50%, valid 50% }\n`
const total = (result: PartitionResult) => result.slices!.reduce((sum, slice) => sum + slice.rows, 0)
const parts = (result: PartitionResult) => Object.fromEntries(result.slices!.map((slice) => [slice.name, slice.rows]))

const cases: [string, string, Record<string, number>, Record<string, unknown>][] = [
  ['quantile bins', 'by x bins 4', { '[0, 59)': 59, '[59, 119)': 60, '[119, 179)': 60, '[179, 239]': 61 }, { x: '[179, 239]' }],
  ['edges written down', 'by x bins [0, 100, 200]', { '< 0': 0, '[0, 100)': 100, '[100, 200]': 101, '> 200': 39 }, { x: '[100, 200]' }],
  ['few numbers stand for themselves', 'by small bins 4', { 0: 120, 1: 120 }, { small: 0 }],
  [
    'values and bins',
    'by small, x bins 2',
    { '0, [0, 119)': 60, '1, [0, 119)': 59, '0, [119, 239]': 60, '1, [119, 239]': 61 },
    { small: 1, x: '[119, 239]' },
  ],
  ['values and NULL', 'by colour', { red: 0, blue: 0, other: 0, rare: 4, null: 20 }, {}],
  ['a smallest size', 'by colour; minimum 21 rows', { '(other)': 24 }, {}],
  ['a smallest size that none reaches', 'by x; minimum 2 rows', { other: 240 }, {}],
]

describe('a partition is disjoint and complete', () => {
  test.each(cases)('%s', async (_, clauses, expected, first) => {
    const toy = await runToy(`${source}partition p on rows { ${clauses} }`, files)
    expect(toy.problems).toEqual([])
    const result = toy.of('partition', 'p')
    expect(result.status).toBe('ok')
    expect(total(result)).toBe(240)
    for (const [name, n] of Object.entries(expected)) if (n > 0) expect(parts(result)[name]).toBe(n)
    expect(result.slices![0]!.predicates).toMatchObject(first)
  })

  test('NULL is null in predicates, and the rest has none', async () => {
    const toy = await runToy(
      `${source}partition p on rows { by colour, x bins 2 }\npartition q on rows { by colour; minimum 21 rows }`,
      files,
    )
    const { slices } = toy.of('partition', 'p')
    expect(slices!.find((slice) => slice.name === 'null, [0, 119)')!.predicates).toEqual({ colour: null, x: '[0, 119)' })
    expect(toy.of('partition', 'q').slices!.find((slice) => slice.name === '(other)')!.predicates).toEqual({})
  })

  test('a tree splits by the most biased column, into parts of the smallest size or more, named by their conditions', async () => {
    const skewed = Array.from({ length: 1000 }, (_, i) => [i, i % 10 === 0 ? 'b' : 'a', i % 4, `t${i}`].join())
    const tree = (options: string) =>
      runToy(`source t { from 't.csv' }\npartition p on t { tree ${options} }`, { 't.csv': `k,side,corner,name\n${skewed.join('\n')}\n` })
    const grown = (await tree('(threshold: 0.98)')).of('partition', 'p')
    expect(grown.message).toBeUndefined()
    expect(parts(grown)).toEqual({ 'side = a': 900, 'side = b': 100 })
    expect(grown.slices!.map((slice) => slice.predicates)).toEqual([{ side: 'a' }, { side: 'b' }])
    const whole = (await tree('(threshold: 0.1)')).of('partition', 'p')
    expect(parts(whole)).toEqual({ all: 1000 })
    const coarse = (await tree('(threshold: 0.98); minimum 200 rows')).of('partition', 'p')
    expect(Math.min(...Object.values(parts(coarse)))).toBeGreaterThanOrEqual(200)
    expect(total(coarse)).toBe(1000)
  })
})

describe('a partition whose slices the data decides is a text wherever it is named', () => {
  test('in slices, assertions, views and per-slice tables; on other sources too', async () => {
    const text = `${source}
partition quarters on rows { by x bins 4 }
partition big on rows { by colour; minimum 30 rows }
source some { from (select * from rows where quarters <> '[0, 59)'); key id }
slice last on rows where quarters = '[179, 239]'
assert filled on rows { each group by quarters; require count(*) >= 59 }
assert known on some { each row; require quarters in ('[59, 119)', '[119, 179)', '[179, 239]') }
model m on rows { predict label; from x, small; kind logistic; train on train; validate on valid }
`
    const checked = await runToy(text, files)
    expect(checked.problems.filter((p) => !p.code.includes('unused'))).toEqual([])
    expect(checked.of('slice', 'last').rows).toBe(61)
    expect(checked.of('source', 'some').rows).toBe(181)
    expect(checked.of('assert', 'filled')).toMatchObject({ status: 'ok', checked: 4 })
    expect(checked.of('assert', 'known')).toMatchObject({ status: 'ok', checked: 181, failed: 0 })
    const names = checked.of('model', 'm').perSlice!.map((slice) => slice.slice)
    expect(names).toContain('quarters: [59, 119)')
    expect(names).toContain('last')
    expect(names.filter((name) => name.startsWith('big: ')).length).toBeGreaterThan(1)
  })

  test('the definition is part of what depends on it: another number of bins is another plan', async () => {
    const text = (bins: number) => `${source}partition p on rows { by x bins ${bins} }\nslice s on rows where p = '[0, 119)'`
    const two = await runToy(text(2), files)
    const again = await runToy(text(3), files, { folder: two.folder })
    expect(two.of('slice', 's').rows).toBe(119)
    expect(again.of('slice', 's').rows).toBe(0)
  })
})

describe('keys are made only where rows are named', () => {
  test('a source without a declared key that is only sliced has none; an assertion over it gets them all the same', async () => {
    const text = `source rows { from 'rows.csv' }
partition p on rows { by small }
assert a on rows { each row; require x < 239 }
`
    const toy = await runToy(text, files)
    expect(toy.plans.map((plan) => [plan.name, plan.sources[0]!.keyed])).toEqual([
      ['rows', false],
      ['p', false],
      ['a', true],
    ])
    expect(toy.of('assert', 'a').flagged![0]!.key).toMatch(/^[0-9a-f]{16}$/)
  })
})
