import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { runToy } from '../support/run-toy.ts'

/** Two blobs in three dimensions, a tenth of the cats labelled dogs: as columns, as a list, as text, and with what does not fit. */
function points(rows: number, seed: number): { readonly a: number; readonly b: number; readonly c: number; readonly label: string }[] {
  const rng = createRng(seed)
  const noise = () => rng.next() + rng.next() + rng.next() - 1.5
  return Array.from({ length: rows }, () => {
    const cat = rng.next() < 0.5
    const [a, b, c] = [noise() + (cat ? 1 : -1), noise(), 0.5 * noise() - (cat ? 1 : 0)].map((x) => Math.round(x * 64) / 64)
    return { a: a!, b: b!, c: c!, label: cat && rng.next() < 0.9 ? 'cat' : 'dog' }
  })
}
const learned = points(120, 1)
const asked = points(60, 2)
const jsonl = (rows: readonly object[]) => `${rows.map((row, id) => JSON.stringify({ id, ...row })).join('\n')}\n`
const withList = (rows: typeof learned) => rows.map((row) => ({ ...row, e: [row.a, row.b, row.c] }))
const withText = (rows: typeof learned) =>
  `id,a,b,c,label,e\n${rows.map((r, id) => `${id},${r.a},${r.b},${r.c},${r.label},"[${r.a}, ${r.b}, ${r.c}]"`).join('\n')}\n`

const spec = (model: string, files: { readonly past: string; readonly mail: string }, more = '') => `
source past { from '${files.past}'; key id; label label; split train 80%, valid 20% }
source mail { from '${files.mail}'; key id }
model reader on past { predict label; ${model}; train on train; validate on valid }
complaint few using reader {
  query  select count(*) as n from mail where predict(label) = 'cat'
  expect n >= 40
  method spectral(k: 4)
  blame  top 20 rows of train by influence
}
${more}`
const repair = `
intervene drop { for few; remove top 10 rows of train by influence; retrain reader; compare few, accuracy, loss }
`
const json = { past: 'past.jsonl', mail: 'mail.jsonl' }
const jsonFiles = { 'past.jsonl': jsonl(withList(learned)), 'mail.jsonl': jsonl(withList(asked)) }

describe('a head on embeddings in a column', () => {
  test.each([
    ['lists in JSON', json, jsonFiles],
    ['text in CSV', { past: 'past.csv', mail: 'mail.csv' }, { 'past.csv': withText(learned), 'mail.csv': withText(asked) }],
  ] as const)('%s: the same model, blame and repair as `logistic` over the numbers', async (_, names, files) => {
    const [head, plain] = await Promise.all([
      runToy(spec('kind head(embedding: e, l2: 0.01)', names, repair), files),
      runToy(spec('from a, b, c; kind logistic(l2: 0.01)', names, repair), files),
    ])
    expect(head.problems).toEqual([])
    const [one, other] = [head.of('model', 'reader'), plain.of('model', 'reader')]
    expect(one).toMatchObject({ status: 'ok', rows: other.rows, parameters: 8, metrics: other.metrics })
    expect(one.loss).toBeCloseTo(other.loss!, 6)
    const blamed = (toy: typeof head) => toy.of('complaint', 'few').ranking!.map((r) => r.key)
    expect(head.of('complaint', 'few')).toMatchObject({ status: 'violated', actual: plain.of('complaint', 'few').actual })
    expect(blamed(head)).toEqual(blamed(plain))
    const influence = (toy: typeof head) => toy.of('complaint', 'few').ranking!.map((r) => r.influence)
    for (const [i, value] of influence(head).entries()) expect(value).toBeCloseTo(influence(plain)[i]!, 3)
    expect(head.of('intervene', 'drop').after!.few).toBe(plain.of('intervene', 'drop').after!.few)
    expect(head.of('intervene', 'drop').after!.loss).toBeCloseTo(plain.of('intervene', 'drop').after!.loss!, 4)
    expect(head.of('complaint', 'few').ranking![0]!.values).toMatchObject({ a: expect.any(Number) })
  })
})
