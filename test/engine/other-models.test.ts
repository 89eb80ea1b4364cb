import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../server/src/engine/engine.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import { sentences, verdict } from '../../server/src/report/wording.ts'
import { linearFile, matrix, node, onnxFile, withExternal, withLabels, withMetadata, withZipMap } from '../support/onnx-file.ts'
import { runToy, toyFolder } from '../support/run-toy.ts'

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

describe('labels alone', () => {
  const hidden = onnxFile({
    nodes: [node('Gemm', ['x', 'w'], ['z'])],
    initializers: [matrix('w', [2, 2], [2, 0, 1, 0])],
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [],
  })
  const csv = `id,a,b,label,code\n${learned.map((r, id) => `${id},${r.a},${r.b},${r.label},${r.label === 'cat' ? 0 : 1}`).join('\n')}\n`
  const text = (predict: string, kind: string) => `
source pets { from 'pets.csv'; key id }
model theirs on pets { predict ${predict}; from a, b; kind ${kind} }
`
  const right = learned.filter((r) => 2 * r.a + r.b >= 0 === (r.label === 'cat')).length

  test.each([
    ['places in the ascending order of a text', 'label', "onnx('m.onnx')"],
    ['places in the order given', 'label', "onnx('m.onnx', classes: [cat, dog])"],
    ['the numbers themselves', 'code', "onnx('m.onnx')"],
  ])('%s', async (_, predict, kind) => {
    const toy = await runToy(text(predict, kind), { 'pets.csv': csv, 'm.onnx': withLabels(hidden, 'z') })
    expect(toy.problems).toEqual([])
    expect(toy.of('model', 'theirs').message).toBeUndefined()
    expect(toy.of('model', 'theirs').metrics!.accuracy).toBeCloseTo(right / learned.length, 9)
    expect(toy.of('model', 'theirs').notes!.join(' ')).toMatch(/labels without probabilities/)
  })

  test('maps are refused with the remedy', async () => {
    const toy = await runToy(text('label', "onnx('m.onnx')"), { 'pets.csv': csv, 'm.onnx': withZipMap(withLabels(hidden, 'z'), 'z') })
    expect(toy.of('model', 'theirs')).toMatchObject({ status: 'failed', fault: 'data' })
    expect(toy.of('model', 'theirs').message).toMatch(
      /list of maps \(ZipMap\): convert it again .* `options=\{'zipmap': False\}` in skl2onnx\.$/,
    )
  })
})

describe('what goes into a model in ONNX form', () => {
  const rows = learned.slice(0, 20)
  const csv = `id,a,b,c,label\n${rows.map((r, id) => `${id},${id === 3 ? '' : r.a},${r.b},word,${r.label}`).join('\n')}\n`
  const text = (from: string, kind = "onnx('m.onnx')") => `
source pets { from 'pets.csv'; key id; label label }
model theirs on pets { predict label; from ${from}; kind ${kind} }
assert cats on pets using theirs { each row; require predict(label) = 'cat' }
`
  const weights = matrix('w', [2, 2], [2, 0, 1, 0])
  const biases = matrix('d', [2], [-0.5, 0])
  const y = [{ name: 'y', shape: ['n', 2] }]
  const byName = onnxFile({
    nodes: [node('Concat', ['A', 'B'], ['x'], { axis: 1 }), node('Gemm', ['x', 'w', 'd'], ['y'])],
    initializers: [weights, biases],
    inputs: ['B', 'A'].map((name) => ({ name, shape: ['n', 1] })),
    outputs: y,
  })
  const fixed = onnxFile({
    nodes: [node('Gemm', ['x', 'w', 'd'], ['y'])],
    initializers: [weights, biases],
    inputs: [{ name: 'x', shape: [7, 2] }],
    outputs: [{ name: 'y', shape: [7, 2] }],
  })
  const expected = rows.filter((r, id) => id !== 3 && 2 * r.a + r.b - 0.5 <= 0).length

  test.each([
    ['columns by their names', byName, 'b, a'],
    ['batches of seven, the last one filled up', fixed, 'a, b'],
    [
      'all columns at once',
      linearFile(
        [
          [2, 0],
          [1, 0],
        ],
        [-0.5, 0],
      ),
      'a, b',
    ],
  ])('%s; a row with a NULL has no answer', async (_, file, from) => {
    const toy = await runToy(text(from), { 'pets.csv': csv, 'm.onnx': file })
    expect(toy.of('model', 'theirs').message).toBeUndefined()
    expect(toy.of('assert', 'cats')).toMatchObject({ checked: 20, unknown: 1, failed: expected })
  })

  test.each([
    [
      'another number of columns',
      linearFile(
        [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
        [0, 0],
      ),
      'a, b',
      undefined,
      /takes \[n, 3\], and `from` names 2/,
    ],
    ['names that fit no column', byName, 'a, c', undefined, /takes `B`, `A`, and `from` names `a`, `c`/],
    [
      'text for numbers',
      linearFile(
        [
          [1, 0],
          [1, 0],
        ],
        [0, 0],
      ),
      'a, c',
      undefined,
      /takes numbers, and `c` holds text/,
    ],
    [
      'other classes',
      linearFile(
        [
          [1, 0, 0],
          [1, 0, 0],
        ],
        [0, 0, 0],
      ),
      'a, b',
      undefined,
      /gives 3 numbers .* has 2 distinct values: cat, dog\. Name what/,
    ],
    [
      'too few names',
      linearFile(
        [
          [1, 0],
          [1, 0],
        ],
        [0, 0],
      ),
      'a, b',
      "onnx('m.onnx', classes: [cat])",
      /1 classes are named: cat/,
    ],
    [
      'an output that is not there',
      byName,
      'a, b',
      "onnx('m.onnx', output: 'z')",
      /no output and no value inside called `z`. Its outputs are `y`/,
    ],
    [
      'weights in other files',
      withExternal(byName, '../../etc/passwd'),
      'a, b',
      undefined,
      /keeps weights in another file \(`\.\.\/\.\.\/etc\/passwd`\)/,
    ],
    ['half a file', byName.subarray(0, 90), 'a, b', undefined, /is no ONNX model: it was cut short/],
    ['another file', new TextEncoder().encode('import os'), 'a, b', undefined, /is no ONNX model/],
    [
      'an unknown operator',
      onnxFile({ nodes: [node('Evil', ['x'], ['y'])], initializers: [], inputs: y.map((o) => ({ ...o, name: 'x' })), outputs: y }),
      'a, b',
      undefined,
      /cannot be loaded by ONNX Runtime: .*Evil/,
    ],
    [
      'no layer before the last',
      linearFile(
        [
          [1, 0],
          [1, 0],
        ],
        [0, 0],
      ),
      'a, b',
      "head(embedding: onnx('m.onnx')); train on train",
      /no layer before a last dense one.*`y`/,
    ],
    ['a folder', undefined, 'a, b', "onnx('.')", /is no file: name the ONNX file itself/],
    ['no file', undefined, 'a, b', undefined, /There is no file `.*m\.onnx`\. Paths are relative/],
  ] as const)('%s: a sentence', async (_, file, from, kind, message) => {
    const spec = text(from, kind).replace('label label }', 'label label; split train 100% }')
    const toy = await runToy(spec, { 'pets.csv': csv, ...(file && { 'm.onnx': file }) }, { names: ['theirs'] })
    expect(toy.problems).toEqual([])
    expect(toy.of('model', 'theirs')).toMatchObject({ status: 'failed', fault: 'data' })
    expect(toy.of('model', 'theirs').message).toMatch(message)
  })

  test('a number', async () => {
    const file = linearFile([[1], [2]], [0.5])
    const csv = `id,a,b,y\n${rows.map((r, id) => `${id},${r.a},${id === 4 ? '' : r.b},${r.a + 2 * r.b + 1.5}`).join('\n')}\n`
    const spec = `
source points { from 'points.csv'; key id; label y }
model theirs on points { predict y; from a, b; kind onnx('m.onnx') }
assert near on points using theirs { each row; require abs(predict(y) - y) between 0.999 and 1.001 }
`
    const toy = await runToy(spec, { 'points.csv': csv, 'm.onnx': file })
    expect(toy.of('model', 'theirs')).toMatchObject({
      origin: 'elsewhere',
      measuredOn: 'all rows',
      metrics: { rmse: expect.closeTo(1, 5) },
    })
    expect(toy.of('assert', 'near')).toMatchObject({ checked: 20, unknown: 1, failed: 0 })
    expect(sentences(toy.of('model', 'theirs')).join(' ')).toBe('Rmse 1 on all rows. Trained elsewhere, and run here on 20 rows, loss 0.5.')
  })

  test('pictures, in every shape that models ask for', async () => {
    const images = Uint8Array.from({ length: 12 * 4 }, (_, i) => (i * 37) % 256)
    const labels = Uint8Array.from({ length: 12 }, (_, i) => i % 2)
    const idx = (header: readonly number[], data: Uint8Array) =>
      Uint8Array.from([0, 0, 8, header.length, ...header.flatMap((n) => [0, 0, 0, n]), ...data])
    const spec = `
source digits { from idx(images: 'images.idx', labels: 'labels.idx'); key index; label label }
model theirs on digits { predict label; from image; kind onnx('m.onnx') }
complaint ones using theirs { query select sum(score(label, 1)) as n from digits; expect n = 1; blame top 1 rows of digits }
`
    const want = Array.from({ length: 12 }, (_, i) => 1 / (1 + Math.exp(-(images[i * 4]! - images[i * 4 + 3]!) / 255))).reduce(
      (sum, p) => sum + p,
      0,
    )
    for (const shape of [
      ['n', 1, 2, 2],
      ['n', 2, 2, 1],
      ['n', 2, 2],
      ['n', 4],
      ['n', 1, 'h', 'w'],
    ]) {
      const file = onnxFile({
        nodes: [node('Flatten', ['x'], ['f'], { axis: 1 }), node('Gemm', ['f', 'w'], ['y'])],
        initializers: [matrix('w', [4, 2], [0, 1, 0, 0, 0, 0, 0, -1])],
        inputs: [{ name: 'x', shape }],
        outputs: [{ name: 'y', shape: ['n', 2] }],
      })
      const toy = await runToy(spec, { 'images.idx': idx([12, 2, 2], images), 'labels.idx': idx([12], labels), 'm.onnx': file })
      expect(toy.problems).toEqual([])
      expect(toy.of('complaint', 'ones').message).toBeUndefined()
      expect(toy.of('complaint', 'ones').actual).toBeCloseTo(want, 4)
    }
  })
})

describe('a layer of a model in ONNX form as the embedding', () => {
  /** r = relu(x·U), p = softmax(r·V). */
  const u = [
    [1, -0.5, 0.25],
    [0.5, 1, -1],
  ]
  const file = onnxFile({
    nodes: [
      node('Gemm', ['x', 'u'], ['h']),
      node('Relu', ['h'], ['r']),
      node('MatMul', ['r', 'v'], ['z']),
      node('Softmax', ['z'], ['p'], { axis: -1 }),
    ],
    initializers: [matrix('u', [2, 3], u.flat()), matrix('v', [3, 2], [1, 0, 0, 1, 1, 1])],
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [{ name: 'p', shape: ['n', 2] }],
  })
  const hidden = (r: { a: number; b: number }) => u[0]!.map((first, j) => first * r.a + u[1]![j]! * r.b)
  const json = (rows: typeof learned) => jsonl(rows.map((r) => ({ ...r, h: hidden(r), r: hidden(r).map((x) => Math.max(0, x)) })))
  const files = { 'past.jsonl': json(learned), 'mail.jsonl': json(asked), 'm.onnx': file }
  const names = { past: 'past.jsonl', mail: 'mail.jsonl' }
  const set = `\nintervene mended { for few; set a = a + 1 where a > 0; retrain reader; compare few, loss }\n`

  test.each([
    ["from a, b; kind head(embedding: onnx('m.onnx'))", 'r'],
    ["from a, b; kind head(embedding: onnx('m.onnx', output: 'h'))", 'h'],
  ])('%s is a head on its values', async (kind, column) => {
    const [layer, plain] = await Promise.all([
      runToy(spec(kind, names, repair + set), files),
      runToy(spec(`kind head(embedding: ${column})`, names, repair), files),
    ])
    expect(layer.problems).toEqual([])
    expect(layer.of('model', 'reader').loss).toBeCloseTo(plain.of('model', 'reader').loss!, 5)
    expect(layer.of('model', 'reader')).toMatchObject({ parameters: 8, metrics: plain.of('model', 'reader').metrics })
    const blamed = (toy: typeof layer) => toy.of('complaint', 'few').ranking!.map((r) => r.key)
    expect(blamed(layer)).toEqual(blamed(plain))
    expect(layer.of('intervene', 'drop').after!.few).toBe(plain.of('intervene', 'drop').after!.few)
    expect(layer.of('intervene', 'mended')).toMatchObject({ status: 'ok', changedRows: expect.any(Number) })
  })

  test('another file under the same name gives other results', async () => {
    const kind = "from a, b; kind head(embedding: onnx('m.onnx'))"
    const first = await runToy(spec(kind, names), files)
    const again = await runToy(spec(kind, names), {}, { folder: first.folder })
    expect(again.of('complaint', 'few').ranking).toEqual(first.of('complaint', 'few').ranking)
    expect(again.of('model', 'reader').provenance.dataHash).toBe(first.of('model', 'reader').provenance.dataHash)
    writeFileSync(
      join(first.folder, 'm.onnx'),
      onnxFile({
        nodes: [node('Gemm', ['x', 'u'], ['h']), node('Tanh', ['h'], ['r']), node('MatMul', ['r', 'v'], ['z'])],
        initializers: [matrix('u', [2, 3], u.flat()), matrix('v', [3, 2], [1, 0, 0, 1, 1, 1])],
        inputs: [{ name: 'x', shape: ['n', 2] }],
        outputs: [{ name: 'z', shape: ['n', 2] }],
      }),
    )
    const other = await runToy(spec(kind, names), {}, { folder: first.folder })
    expect(other.of('model', 'reader').provenance.dataHash).not.toBe(first.of('model', 'reader').provenance.dataHash)
    expect(other.of('model', 'reader').loss).not.toBeCloseTo(first.of('model', 'reader').loss!, 6)
  })
})

describe('predictions in columns', () => {
  const csv = (rows: readonly string[]) => `id,kind,truth,guess,p_dog,p_cat,size\n${rows.join('\n')}\n`
  const rows = [...Array(40).keys()].map((i) => {
    const cat = i % 2 === 0
    const wrong = i % 8 < 2
    return `${i},${wrong ? 'odd' : 'plain'},${cat ? 'cat' : 'dog'},${cat !== wrong ? 'cat' : 'dog'},${cat !== wrong ? 0.25 : 0.75},${cat !== wrong ? 0.75 : 0.25},${i}`
  })
  const text = (kind = 'column(guess, scores: [dog: p_dog, cat: p_cat])') => `
source pets { from 'pets.csv'; key id; label truth }
model theirs on pets { predict truth; kind ${kind} }
slice odd on pets where kind = 'odd'
discover worst on pets using theirs { over kind, size bins 3; support >= 5 rows }
complaint cats using theirs {
  query  select kind, count(*) as n from pets where predict(truth) = 'cat' group by kind
  expect n <= 4 where kind = 'odd'
  blame  top 5 rows of pets
}
intervene again { for cats; remove where true; retrain theirs; compare cats }
`

  test('are measured, sliced, searched and complained about; what would train is refused', async () => {
    const toy = await runToy(text(), { 'pets.csv': csv(rows) })
    expect(toy.problems).toEqual([])
    const model = toy.of('model', 'theirs')
    expect(model).toMatchObject({ status: 'ok', origin: 'brought', metrics: { accuracy: 0.75 }, measuredOn: 'all rows' })
    expect(model.perSlice).toMatchObject([{ slice: 'odd', rows: 10, metric: 0 }])
    expect(sentences(model).join(' ')).toBe('Accuracy 75 %, auc 0.75 on all rows. Brought along: predictions for 40 rows, loss 0.5623.')
    expect(verdict(model)).toBe('measured')
    expect(toy.of('discover', 'worst').slices![0]!.predicates).toEqual({ kind: 'odd' })
    expect(toy.of('complaint', 'cats')).toMatchObject({ status: 'violated', actual: 5, relaxed: 5, satisfied: false, ranking: [] })
    expect(toy.of('complaint', 'cats').notes!.join(' ')).toMatch(/brings its predictions along, so there are no training rows/)
    expect(toy.of('intervene', 'again')).toMatchObject({ status: 'failed', message: expect.stringMatching(/cannot be trained again/) })
  })

  test.each([
    ['sums beside 1', '40,plain,cat,cat,0.5,0.9,1', /do not sum to 1 in 1 of 41 rows \(by up to 0\.40\)/],
    ['a NULL', '40,plain,cat,cat,,0.9,1', /1 of 41 rows have no score in some column/],
  ])('%s: a note', async (_, row, note) => {
    const toy = await runToy(text(), { 'pets.csv': csv([...rows, row]) }, { names: ['theirs'] })
    expect(toy.of('model', 'theirs').notes!.join(' ')).toMatch(note)
  })

  test('what is no probability names its row', async () => {
    const toy = await runToy(text(), { 'pets.csv': csv([...rows, '40,plain,cat,cat,-2.5,3.5,1']) }, { names: ['theirs'] })
    expect(toy.of('model', 'theirs')).toMatchObject({ status: 'failed', fault: 'data' })
    expect(toy.of('model', 'theirs').message).toMatch(/`p_cat` is 3\.5 in row with key 40 of `pets`, which is no probability/)
  })
})

describe('with a head', () => {
  test('discover slices by the columns beside the embedding', async () => {
    const rows = withList(learned).map((row, i) => ({
      ...row,
      kind: i % 4 === 0 ? 'odd' : 'plain',
      label: i % 4 === 0 ? 'dog' : row.label,
    }))
    const toy = await runToy(
      `
source past { from 'past.jsonl'; key id; label label; split train 50%, valid 50% }
model reader on past { predict label; kind head(embedding: e); train on train; validate on valid }
discover worst on past.valid using reader { support >= 5 rows }
`,
      { 'past.jsonl': jsonl(rows) },
    )
    expect(toy.problems).toEqual([])
    expect(toy.of('discover', 'worst')).toMatchObject({ status: 'ok' })
    expect(toy.of('discover', 'worst').slices!.length).toBeGreaterThan(0)
    expect(Object.keys(toy.of('discover', 'worst').slices![0]!.predicates)).not.toContain('e')
  })

  test.each(['kind head(embedding: e)', "from a, b; kind head(embedding: onnx('m.onnx', output: 'y'))"])(
    'the index of `%s` is handed over to another machine',
    async (kind) => {
      const text = spec(kind, json)
      const all = {
        ...jsonFiles,
        'm.onnx': linearFile(
          [
            [1, 2],
            [0.5, -1],
          ],
          [0, 1],
        ),
      }
      const index = async (folder: string, file: { readonly export?: string; readonly import?: string }) => {
        const { plans } = await runToy(text, all, { folder, names: ['reader'] })
        const engine = openEngine({ folder: join(folder, '.assay'), engine: 'reference', threads: 1 })
        const { result } = await engine.index(plans.at(-1)!, 'reader', () => {}, file)
        await engine.close()
        return result
      }
      const here = toyFolder(all)
      const exported = join(here, 'reader.index')
      expect(await index(here, { export: exported })).toMatchObject({ kind: 'index', status: 'ok' })
      const there = toyFolder(all)
      expect(await index(there, { import: exported })).toMatchObject({ status: 'ok' })
      const [one, other] = [await runToy(text, all, { folder: here }), await runToy(text, all, { folder: there })]
      expect(other.of('complaint', 'few').ranking).toEqual(one.of('complaint', 'few').ranking)
    },
  )
})

test.each(['cnn(layers: 3)', "saved('dir')", 'lstm(units: 8)', 'wrn(depth: 16)'])('%s is refused with what to do instead', async (kind) => {
  const toy = await runToy(spec(`from a, b; kind ${kind}`, json), jsonFiles, { names: ['reader'] })
  expect(toy.refused.find((r) => r.name === 'reader')!.message).toMatch(
    /models of kind `\w+`\. .*`onnx\('file'\)`; .*`head\(embedding: …\)`\.$/,
  )
})
