import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { runToy } from '../support/run-toy.ts'

/** Complaints that have nothing to say, and models that influence can hardly be told of: each a sentence, never NaN. */
function table(rows: number, seed: number): string {
  const rng = createRng(seed)
  const lines = ['id,x,y,label']
  for (let id = 0; id < rows; id++) {
    const [x, y] = [rng.next() - 0.5, rng.next() - 0.5]
    lines.push(`${id},${x.toFixed(4)},${y.toFixed(4)},${x + 0.4 * (rng.next() - 0.5) > 0 ? 'spam' : 'ham'}`)
  }
  return `${lines.join('\n')}\n`
}
const files = { 'train.csv': table(120, 1), 'mail.csv': table(60, 2) }
const logistic = 'kind logistic(l2: 0.001); train on train'
const early = 'kind mlp(hidden: [8]); train on train with (epochs: 1, batch: 120)'
const spec = (model: string, query: string, expected: string, method = 'auto', blame = 'influence') => `
source past { from 'train.csv'; key id; label label; split train 100% }
source mail { from 'mail.csv'; key id }
model reader on past { predict label; from x, y; ${model} }
complaint c using reader {
  query ${query}
  expect ${expected}
  method ${method}
  blame top 5 rows of train by ${blame}
}
`
const spam = `select count(*) as n from mail where predict(label) = 'spam'`

const cases: readonly [what: string, text: string, note: RegExp, ranked: number, status: string][] = [
  [
    'a query that no prediction changes',
    spec(logistic, `${spam} or predict(label) = 'ham'`, 'n <= 1'),
    /No prediction of `reader` can change/,
    0,
    'violated',
  ],
  ['a complaint that is satisfied', spec(logistic, spam, 'n <= 60'), /Everything is as expected, so there is nothing to blame/, 0, 'ok'],
  [
    'an empty result',
    spec(logistic, 'select predict(label) as p, count(*) as n from mail where x > 9 group by predict(label)', 'n <= 1'),
    /gives no row that an expectation speaks of/,
    0,
    'ok',
  ],
  ['a sum over no rows', spec(logistic, `${spam} and x > 9`, 'n >= 1'), /No prediction of `reader` can change/, 0, 'violated'],
  [
    'division by a count of zero',
    spec(logistic, `select count_if(predict(label) = 'spam') / count(*) as s from mail where x > 9`, 's <= 0.2'),
    /gives NULL where `s <= 0.2` is expected: whether it holds is unknown.*Nothing is known to be wrong/,
    0,
    'ok',
  ],
  [
    'lower of a division by zero',
    spec(logistic, `select count_if(predict(label) = 'spam') / count(*) as s from mail where x > 9`, 'lower s'),
    /`lower s` divides by a count or sum of zero/,
    0,
    'violated',
  ],
  [
    'a class that no training row has',
    spec(logistic, `select count(*) as n from mail where predict(label) in ('spam', 'egg')`, 'n <= 1'),
    /`reader` knows no class egg. Its classes are ham, spam. It is never predicted/,
    5,
    'violated',
  ],
  [
    'more eigenvectors than parameters',
    spec(logistic, spam, 'n <= 1', 'spectral(k: 500)'),
    /`reader` has 6 parameters: all 6 eigenvectors are used, not 500/,
    5,
    'violated',
  ],
  [
    'more eigenvectors than the rank',
    spec('kind logistic(l2: 0); train on train', spam, 'n <= 1', 'spectral(k: 500)'),
    /has 3 positive eigenvalues, and its 6 parameters give no more than 6: the others are negative or no more than rounding/,
    5,
    'violated',
  ],
  [
    'a network that has just begun to learn',
    spec(early, spam, 'n <= 1'),
    /`reader` stopped with a gradient norm of 0\.\d+: influence assumes an optimum/,
    5,
    'violated',
  ],
  [
    'a Hessian with negative eigenvalues, cg',
    spec(early, spam, 'n <= 1', 'cg'),
    /The Hessian of `reader` is negative in a direction that conjugate gradients met after \d+ iterations/,
    5,
    'violated',
  ],
  [
    'a Hessian with negative eigenvalues, spectral',
    spec(early, spam, 'n <= 1', 'spectral(k: 42)'),
    /The Hessian of `reader` has \d+ positive eigenvalues, and 42 were asked for: the others are negative/,
    5,
    'violated',
  ],
]

describe('a sentence instead of an answer', () => {
  test.each(cases)('%s', async (_, text, note, ranked, status) => {
    const toy = await runToy(text, files)
    expect(toy.problems).toEqual([])
    const result = toy.of('complaint', 'c')
    expect(result.message).toBeUndefined()
    expect(result.notes!.join(' ')).toMatch(note)
    expect(result.status).toBe(status)
    expect(result.ranking).toHaveLength(ranked)
    for (const row of result.ranking!) expect(Number.isFinite(row.influence)).toBe(true)
    for (const value of result.eigenvalues!) expect(value).toBeGreaterThan(0)
    expect(JSON.stringify(result)).not.toMatch(/NaN|Infinity/)
  })

  const broken: readonly [string, string, RegExp][] = [
    ['one row', 'id,x,y,label\n0,1,2,spam\n', /is `spam` in every training row. A model needs two classes/],
    ['no labels', 'id,x,y,label\n0,1,2,\n1,2,3,\n', /Every row of `past` that `reader` would learn from has NULL in `label`/],
    ['equal keys', 'id,x,y,label\n0,1,2,spam\n0,2,3,ham\n', /2 rows of `past` have the key 0/],
  ]
  test.each(broken)('%s: nothing is ranked', async (_, train, message) => {
    const toy = await runToy(spec(logistic, spam, 'n <= 1'), { ...files, 'train.csv': train })
    const told = toy.results.filter((r) => r.status === 'failed').map((r) => r.message)
    expect(told.join(' ')).toMatch(message)
    expect(toy.of('complaint', 'c')).toMatchObject({ status: 'skipped' })
  })
})
