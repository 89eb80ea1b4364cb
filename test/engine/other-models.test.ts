import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { linearFile, withLabels, withMetadata } from '../support/onnx-file.ts'
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
    expect(head.of('complaint', 'few').message).toBeUndefined()
    expect(head.of('complaint', 'few')).toMatchObject({ status: 'violated', actual: plain.of('complaint', 'few').actual })
    expect(blamed(head)).toEqual(blamed(plain))
    const influence = (toy: typeof head) => toy.of('complaint', 'few').ranking!.map((r) => r.influence)
    for (const [i, value] of influence(head).entries()) expect(value).toBeCloseTo(influence(plain)[i]!, 3)
    expect(head.of('intervene', 'drop').after!.few).toBe(plain.of('intervene', 'drop').after!.few)
    expect(head.of('intervene', 'drop').after!.loss).toBeCloseTo(plain.of('intervene', 'drop').after!.loss!, 4)
    expect(head.of('complaint', 'few').ranking![0]!.values).toMatchObject({ a: expect.any(Number) })
  })
})

describe('what a head cannot use', () => {
  const small = (values: readonly unknown[]) => jsonl(values.map((e, i) => ({ e, label: i % 2 === 0 ? 'cat' : 'dog' })))
  const text = `
source past { from 'past.jsonl'; key id; label label; split train 100% }
source mail { from 'mail.jsonl'; key id }
model reader on past { predict label; kind head(embedding: e); train on train }
assert asked on mail using reader { each row; require predict(label) = 'cat' }
`
  const good = [
    [1, 2],
    [2, 1],
    [3, 2],
    [1, 4],
  ]
  const run = (past: readonly unknown[], mail: readonly unknown[] = good) =>
    runToy(text, { 'past.jsonl': small(past), 'mail.jsonl': small(mail) })

  test.each([
    ['another length', [...good, [1, 2, 3]], /`e`, row with key 4 of `past` \(`\[1, 2, 3\]`\), has 3 numbers, and the first one has 2/],
    ['a NULL inside', [...good, [1, null]], /row with key 4 .* at place 2 that is no finite number/],
    [
      'text',
      ['[1,2]', '[1.5, 3]', 'none'],
      /row with key 2 of `past` \(`none`\), cannot be read as a list of numbers: write it as `\[0\.1, 0\.2\]`/,
    ],
    ['numpy’s text', ['[1, 2]', '[1 2]'], /key 1 .* separated by commas/],
    ['nothing', [[], [], []], /are empty lists/],
    ['no row with one', [null, null, null], /has an embedding/],
    [
      'equal ones',
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      /have the same embedding/,
    ],
  ])('%s', async (_, past, message) => {
    const toy = await run(past as unknown[], Array.isArray(past[0]) ? good : ['[1, 2]', '[2, 1]'])
    expect(toy.problems).toEqual([])
    const result = toy.of('model', 'reader')
    expect(result).toMatchObject({ status: 'failed', fault: 'data' })
    expect(result.message).toMatch(message)
  })

  test('rows without one are left out of training, and have no answer', async () => {
    const toy = await run([...good, null, [0, 1]], [...good, null])
    expect(toy.of('model', 'reader')).toMatchObject({ rows: 5, notes: ['1 rows without an embedding were left out of training.'] })
    expect(toy.of('assert', 'asked')).toMatchObject({ checked: 5, unknown: 1 })
  })

  test('other lengths than it was trained on', async () => {
    const toy = await run(good, [...good, [1]])
    expect(toy.of('assert', 'asked').message).toMatch(/row with key 4 of `mail` .* has 1 number, and the model was trained on 2/)
  })
})

describe('a model in ONNX form', () => {
  const csv = `id,a,b,label\n${learned.map((r, id) => `${id},${r.a},${r.b},${r.label}`).join('\n')}\n`
  const text = (kind: string, predict = 'label', more = '') => `
source pets { from 'pets.csv'; key id; label label; split train 100% }
model theirs on pets { predict ${predict}; from a, b; kind ${kind} }
complaint cats using theirs {
  query  select count(*) as n from pets where predict(${predict}) = 'cat'
  expect n = 1
  blame  top 5 rows of pets
}
${more}`
  /** cat where a + b/2 > 0.25, in float64. */
  const score = (r: { a: number; b: number }) => 2 * r.a + r.b - 0.5
  const chance = learned.map((r) => 1 / (1 + Math.exp(-score(r))))
  const cats = chance.filter((p) => p > 0.5).length
  const relaxed = chance.reduce((sum, p) => sum + p, 0)
  const two = [
    [2, 0],
    [1, 0],
  ]

  test.each([
    ['logits', linearFile(two, [-0.5, 0]), "onnx('m.onnx')", /softmax/],
    ['probabilities', linearFile(two, [-0.5, 0], 'Softmax'), "onnx('m.onnx')", undefined],
    ['one score, of the second class', linearFile([[-2], [-1]], [0.5]), "onnx('m.onnx')", /sigmoid/],
    ['one probability, of the second class', linearFile([[-2], [-1]], [0.5], 'Sigmoid'), "onnx('m.onnx')", undefined],
    [
      'classes named in the file',
      withMetadata(
        linearFile(
          [
            [0, 2],
            [0, 1],
          ],
          [0, -0.5],
        ),
        'classes',
        '["dog", "cat"]',
      ),
      "onnx('m.onnx')",
      /softmax/,
    ],
    [
      'classes named here',
      linearFile(
        [
          [0, 2],
          [0, 1],
        ],
        [0, -0.5],
        'Softmax',
      ),
      "onnx('m.onnx', classes: ['dog', cat])",
      undefined,
    ],
    ['a value inside', linearFile(two, [-0.5, 0], 'Softmax'), "onnx('m.onnx', output: 'z')", /`z` .* softmax/],
    ['labels beside probabilities', withLabels(linearFile(two, [-0.5, 0], 'Softmax'), 'y'), "onnx('m.onnx')", undefined],
  ])('%s', async (_, file, kind, note) => {
    const toy = await runToy(text(kind), { 'pets.csv': csv, 'm.onnx': file })
    expect(toy.problems).toEqual([])
    const model = toy.of('model', 'theirs')
    expect(model.message).toBeUndefined()
    const right = learned.filter((r, i) => chance[i]! > 0.5 === (r.label === 'cat')).length
    expect(model.metrics!.accuracy).toBeCloseTo(right / learned.length, 9)
    const complaint = toy.of('complaint', 'cats')
    expect(complaint).toMatchObject({ status: 'violated', actual: cats, ranking: [] })
    expect(complaint.relaxed).toBeCloseTo(relaxed, 3)
    expect(complaint.notes!.join(' ')).toMatch(/head\(embedding: onnx/)
    if (note) expect(model.notes!.join(' ')).toMatch(note)
    else expect(model.notes).toBeUndefined()
  })
})
