import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../server/src/engine/engine.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import { runToy, toyFolder } from '../support/run-toy.ts'

/** Two blobs; in `train`, three in ten rows of class `cat` with x > 1.5 are labelled `dog` by accident. */
function blobs(rows: number, seed: number, corrupted: boolean): { csv: string; wrong: Set<number> } {
  const rng = createRng(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next())
  const lines = ['id,x,y,colour,label']
  const wrong = new Set<number>()
  for (let id = 0; id < rows; id++) {
    const yes = rng.next() < 0.5
    const x = normal() + (yes ? 1.5 : -1.5)
    const y = normal()
    const accident = corrupted && yes && rng.next() < 0.3
    if (accident) wrong.add(id)
    lines.push(`${id},${x.toFixed(4)},${y.toFixed(4)},${rng.next() < 0.5 ? 'red' : 'blue'},${yes && !accident ? 'cat' : 'dog'}`)
  }
  return { csv: `${lines.join('\n')}\n`, wrong }
}
const train = blobs(600, 1, true)
const files = { 'train.csv': train.csv, 'mail.csv': blobs(400, 2, false).csv }

const head = `
source past { from 'train.csv'; key id; label label; split train 100% }
source mail { from 'mail.csv'; key id }
model reader on past {
  predict label
  from    x, y
  kind    logistic(l2: 0.001)
  train   on train
}
`
const complaint = (body: string, name = 'few') => `complaint ${name} using reader {\n${body}\n}\n`
const count = `  query  select count(*) as n from mail where predict(label) = 'cat'`
const top = (by = 'influence', rows = 60) => `  blame  top ${rows} rows of train by ${by}`

describe('a complaint about a count', () => {
  test.each(['auto', 'spectral(k: 6)', 'cg(iterations: 20)'])('method %s blames the rows that were mislabelled', async (method) => {
    const toy = await runToy(head + complaint(`${count}\n  expect n >= 195\n  method ${method}\n${top()}`), files)
    expect(toy.problems).toEqual([])
    const result = toy.of('complaint', 'few')
    expect(result.status).toBe('violated')
    expect(result.actual).toBeLessThan(195)
    expect(result.expected).toBe(195)
    expect(result.ranking).toHaveLength(60)
    const ranking = result.ranking!
    expect(ranking.map((r) => r.rank)).toEqual(ranking.map((_, i) => i + 1))
    for (let i = 1; i < ranking.length; i++) expect(ranking[i]!.influence).toBeLessThanOrEqual(ranking[i - 1]!.influence)
    const hits = ranking.filter((r) => train.wrong.has(r.key as number)).length
    expect(hits).toBeGreaterThan(48)
    expect(ranking[0]).toMatchObject({ label: 'dog', prediction: 'cat' })
  })

  test('the relaxed value is the sum of probabilities; what holds blames nobody', async () => {
    const toy = await runToy(head + complaint(`${count}\n  expect n <= 400\n${top()}`), files)
    const result = toy.of('complaint', 'few')
    expect(result).toMatchObject({ status: 'ok', satisfied: true, ranking: [] })
    expect(Math.abs(result.relaxed! - result.actual!)).toBeLessThan(40)
  })

  test.each(['loss', 'confidence', 'self_influence', 'random'])('baseline %s ranks', async (by) => {
    const toy = await runToy(head + complaint(`${count}\n  expect higher n\n${top(by, 10)}`), files)
    expect(toy.of('complaint', 'few').ranking).toHaveLength(10)
    expect(toy.of('complaint', 'few').method).toBe(by)
  })

  test('the same seed gives the same answer; the order of rows in the file does not matter', async () => {
    const text = head + complaint(`${count}\n  expect n >= 195\n${top()}`)
    const lines = train.csv.trim().split('\n')
    const reversed = [lines[0], ...lines.slice(1).reverse()].join('\n')
    const [a, b, c] = await Promise.all([runToy(text, files), runToy(text, files), runToy(text, { ...files, 'train.csv': reversed })])
    expect(b.of('complaint', 'few').ranking).toEqual(a.of('complaint', 'few').ranking)
    expect(c.of('complaint', 'few').ranking).toEqual(a.of('complaint', 'few').ranking)
  })

  test('a second run uses the model and the index that the first one stored', async () => {
    const text = head + complaint(`${count}\n  expect n >= 195\n${top()}`)
    const first = await runToy(text, files)
    const second = await runToy(text, files, { folder: first.folder })
    expect(second.of('complaint', 'few').ranking).toEqual(first.of('complaint', 'few').ranking)
    const stages = (toy: typeof first) => new Set(toy.events.flatMap((e) => (e.kind === 'step' ? [e.stage] : [])))
    expect(stages(first)).toContain('eigenvectors of the Hessian')
    expect(stages(second)).not.toContain('eigenvectors of the Hessian')
  })
})

describe('groups, sums and averages', () => {
  test('an expectation speaks of every group that its `where` leaves', async () => {
    const query = `  query  select colour, count(*) as n, avg(case when predict(label) = 'cat' then 1.0 else 0.0 end) as share from mail group by colour`
    const toy = await runToy(head + complaint(`${query}\n  expect share >= 0.9 where colour = 'red'\n  expect n = 1\n${top()}`), files)
    expect(toy.problems).toEqual([])
    const { expectations, ranking } = toy.of('complaint', 'few')
    expect(expectations!.map((e) => [e.expect, e.group, e.satisfied])).toEqual([
      ["share >= 0.9 where colour = 'red'", { colour: 'red' }, false],
      ['n = 1', { colour: 'blue' }, false],
      ['n = 1', { colour: 'red' }, false],
    ])
    expect(ranking!.length).toBe(60)
  })

  test('a query that no model can change blames nobody, in a sentence', async () => {
    const query = `  query  select count(*) as n, sum(case when predict(label) = 'dog' then 1 else 0 end) as m from mail where id < 0`
    const toy = await runToy(head + complaint(`${query}\n  expect n >= 1\n${top()}`), files)
    const result = toy.of('complaint', 'few')
    expect(result.ranking).toEqual([])
    expect(result.notes!.join(' ')).toMatch(/nothing|no training row/i)
  })
})

test('a model that speaks of two joined tables is blamed through both', async () => {
  const second = `source post { from 'post.csv'; key id }\n`
  const query = `  query  select count(*) as n from mail as l join post as r on l.id = r.id where predict(l.label) = 'cat' and predict(r.label) = 'cat'`
  const toy = await runToy(second + head + complaint(`${query}\n  expect higher n\n  expect row where n > 300\n${top()}`), {
    ...files,
    'post.csv': blobs(400, 9, false).csv,
  })
  expect(toy.problems).toEqual([])
  const { ranking, expectations, notes } = toy.of('complaint', 'few')
  expect(expectations!.map((e) => [e.expected, e.satisfied])).toEqual([
    ['higher', false],
    ['at least 1', false],
  ])
  expect(notes!.join(' ')).toMatch(/pull equally/)
  expect(ranking!.filter((r) => train.wrong.has(r.key as number)).length).toBeGreaterThan(48)
})

test('an answer of NULL is unknown, and says so', async () => {
  const query = `  query  select avg(case when predict(label) = 'cat' then 1 else 0 end) as share from mail where id < 0`
  const toy = await runToy(head + complaint(`${query}\n  expect share >= 0.5\n${top()}`), files)
  const result = toy.of('complaint', 'few')
  expect(result).toMatchObject({ actual: null, relaxed: null, ranking: [] })
  expect(result.notes!.join(' ')).toMatch(/gives NULL where `share >= 0.5` is expected/)
})

describe('interventions', () => {
  test('removing and relabelling the suspects mends the count; the data is not edited', async () => {
    const text =
      head +
      complaint(`${count}\n  expect n >= 195\n${top()}`) +
      `
intervene dropped {
  for     few
  remove  top 90 rows of train by influence
  retrain reader
  compare few, accuracy on mail
}
intervene mended {
  for     few
  relabel top 90 rows of train by influence
  retrain reader
  compare few, accuracy on mail, loss on mail
}
intervene by_hand {
  for     few
  set     label = 'cat' where x > 1.5
  remove  where x < -100
  retrain reader
  compare few
}
`
    const toy = await runToy(text, files)
    expect(toy.problems).toEqual([])
    for (const name of ['dropped', 'mended']) {
      const { before, after, changedRows } = toy.of('intervene', name)
      expect(changedRows).toBe(90)
      expect(after!.few).toBeGreaterThan(before!.few!)
      expect(after!['accuracy on mail']).toBeGreaterThan(before!['accuracy on mail']!)
    }
    const { before, after } = toy.of('intervene', 'by_hand')
    expect(after!.few).toBeGreaterThan(before!.few!)
  })
})

describe('models of other kinds', () => {
  test('predictions brought along: the complaint is evaluated, nothing is ranked, and a sentence says why', async () => {
    const csv = 'id,truth,guess,p_cat,p_dog\n1,cat,cat,0.9,0.1\n2,dog,cat,0.6,0.4\n3,dog,dog,0.2,0.8\n'
    const toy = await runToy(
      `source pets { from 'pets.csv'; key id; label truth }
model theirs on pets {
  predict truth
  kind    column(guess, scores: [p_cat, p_dog])
}
complaint cats using theirs {
  query  select count(*) as n from pets where predict(truth) = 'cat'
  expect n = 1
  blame  top 5 rows of pets by influence
}
assert sure on pets using theirs {
  each    row
  require score(truth, 'cat') > 0.5 or predict(truth) = 'dog'
}
`,
      { 'pets.csv': csv },
    )
    expect(toy.problems).toEqual([])
    const result = toy.of('complaint', 'cats')
    expect(result).toMatchObject({ actual: 2, expected: 1, satisfied: false, ranking: [] })
    expect(result.relaxed).toBeCloseTo(1.7, 5)
    expect(result.notes!.join(' ')).toMatch(/no training rows/)
    expect(toy.of('assert', 'sure')).toMatchObject({ status: 'ok', checked: 3 })
    expect(toy.of('model', 'theirs').metrics).toMatchObject({ accuracy: 2 / 3 })
  })

  test('regression: an average of predicted values', async () => {
    const lines = ['id,x,y']
    for (let i = 0; i < 200; i++) lines.push(`${i},${i / 20},${(i / 20) * 2 + ((i * 7) % 5) / 10 + (i % 10 === 0 ? 20 : 0)}`)
    const toy = await runToy(
      `source rows { from 'rows.csv'; key id; label y; split train 100% }
model line on rows { predict y; from x; kind linear(l2: 0.0001); train on train }
complaint high using line {
  query  select avg(predict(y)) as mean from rows
  expect mean <= 10.5
  blame  top 20 rows of train by influence
}
`,
      { 'rows.csv': `${lines.join('\n')}\n` },
    )
    expect(toy.problems).toEqual([])
    const result = toy.of('complaint', 'high')
    expect(result.actual).toBeGreaterThan(10.5)
    expect(result.relaxed).toBeCloseTo(result.actual!, 3)
    expect(result.ranking!.map((r) => (r.key as number) % 10)).toEqual(new Array(20).fill(0))
  })
})

describe('what cannot be done is said in a sentence, and the data is at fault', () => {
  const cases: [string, string, RegExp][] = [
    ['one class', 'id,x,y,colour,label\n1,2,3,a,dog\n2,3,4,b,dog\n', /two classes/],
    ['no rows', 'id,x,y,colour,label\n', /header|no rows/],
    ['an all-NULL feature', 'id,x,y,colour,label\n1,,3,a,dog\n2,,4,b,cat\n', /NULL in all/],
    ['a key that repeats', 'id,x,y,colour,label\n1,2,3,a,dog\n1,3,4,b,cat\n', /have the key 1/],
  ]
  test.each(cases)('%s', async (_, csv, sentence) => {
    const toy = await runToy(head + complaint(`${count}\n  expect n >= 195\n${top()}`), { ...files, 'train.csv': csv })
    const said = [...toy.problems.map((p) => p.message), ...toy.results.filter((r) => r.status === 'failed').map((r) => r.message)]
    expect(said.join(' ')).toMatch(sentence)
    expect(toy.results.filter((r) => r.status === 'failed').every((r) => r.fault === 'data')).toBe(true)
    for (const r of toy.results) if (r.status === 'failed' || r.status === 'skipped') expect(r.message).toMatch(/\.$/)
  })
})

describe('the index, handed over', () => {
  const text = head + complaint(`${count}\n  expect n >= 195\n${top()}`)
  const index = async (folder: string, file: { export?: string; import?: string }) => {
    const { plans } = await runToy(text, files, { folder, names: ['reader'] })
    const engine = openEngine({ folder: join(folder, '.assay'), engine: 'reference', threads: 1 })
    const outcome = await engine.index(plans.at(-1)!, 'reader', () => {}, file)
    await engine.close()
    return outcome.result
  }
  test('another machine with the same data uses it; other data or a damaged file is refused', async () => {
    const here = toyFolder(files)
    const exported = join(here, 'reader.index')
    expect(await index(here, { export: exported })).toMatchObject({ kind: 'index', status: 'ok', model: 'reader' })
    expect(readdirSync(here).sort()).toEqual(['.assay', 'mail.csv', 'reader.index', 'toy.assay', 'train.csv'])
    expect(await index(here, { import: join(here, 'none') })).toMatchObject({ status: 'failed', message: expect.stringMatching(/no file/) })

    const there = toyFolder(files)
    expect(await index(there, { import: exported })).toMatchObject({ status: 'ok' })
    const stages = (await runToy(text, files, { folder: there })).events.flatMap((e) => (e.kind === 'step' ? [e.stage] : []))
    expect(stages).not.toContain('eigenvectors of the Hessian')

    const elsewhere = toyFolder({ ...files, 'train.csv': blobs(500, 3, true).csv })
    expect(await index(elsewhere, { import: exported })).toMatchObject({
      status: 'failed',
      fault: 'data',
      message: expect.stringMatching(/other data/),
    })
    writeFileSync(exported, 'nonsense')
    expect(await index(there, { import: exported })).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(/no exported index/),
    })
  })
})
