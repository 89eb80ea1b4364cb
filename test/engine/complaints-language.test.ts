import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { type Answers, type Lab, openLab } from '../support/complaint-lab.ts'

/** What may be asked of a query over predictions, against arithmetic by hand: `cat` has 0.9 0.6 0.2 0.3 in the four pets, `big` 0.7 0.25 0.5 0.4 in the toys. */
const tables = {
  pets: {
    columns: {
      id: [1, 2, 3, 4],
      name: ['a', 'b', 'c', 'd'],
      owner: ['x', 'x', 'y', null],
      truth: ['cat', 'dog', 'dog', 'cat'],
      guess: ['cat', 'cat', 'dog', 'dog'],
      pc: [0.9, 0.6, 0.2, 0.3],
      pd: [0.1, 0.4, 0.8, 0.7],
      price: [10, 20, 30, 40],
      worth: [12.5, 18.5, 33.5, 37.5],
      value: [11.5, 21.5, 29.5, 39.5],
    },
  },
  toys: {
    columns: {
      id: [1, 2, 3, 4],
      owner: ['x', 'y', 'y', 'x'],
      size: ['big', 'small', 'big', 'small'],
      ps: [0.3, 0.75, 0.5, 0.6],
      pb: [0.7, 0.25, 0.5, 0.4],
    },
  },
}
const models = {
  animals: { text: 'model animals on pets { predict truth; kind column(guess, scores: [cat: pc, dog: pd]) }', classes: ['cat', 'dog'] },
  sizes: { text: 'model sizes on toys { predict size; kind column(size, scores: [big: pb, small: ps]) }', classes: ['big', 'small'] },
  worths: { text: 'model worths on pets { predict worth; kind column(value) }' },
}
const answers: Answers = (model) =>
  Float32Array.from(
    model === 'animals'
      ? [0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.3, 0.7]
      : model === 'sizes'
        ? [0.7, 0.3, 0.25, 0.75, 0.5, 0.5, 0.4, 0.6]
        : tables.pets.columns.value,
  )

let lab: Lab
beforeAll(async () => {
  lab = await openLab(tables, models)
})
afterAll(() => lab.close())

const asking = (query: string) => [
  ...(/predict\((\w+\.)?truth|score\(/.test(query) ? ['animals'] : []),
  ...(/predict\((\w+\.)?size/.test(query) ? ['sizes'] : []),
  ...(/predict\((\w+\.)?worth/.test(query) ? ['worths'] : []),
]
const ask = (query: string, expectations: string | readonly string[], given: Answers = answers) =>
  lab.evaluate(lab.task(query, [expectations].flat(), asking(query)), given)

/** Φ of (ŷ − t)/σ̂ summed; residuals of `worths` are 1 −3 4 −2. */
const deviation = Math.sqrt((1 + 9 + 16 + 4) / 4)
const phi = (z: number) => 1 / (1 + Math.exp(-1.5976 * z - 0.070566 * z ** 3))

describe('the relaxed value is the expectation over independent rows', () => {
  test.each([
    [
      "select count(*) as n from pets join toys on pets.owner = toys.owner where predict(pets.truth) = 'cat' and predict(toys.size) = 'big'",
      2,
      (0.9 + 0.6) * (0.7 + 0.4) + 0.2 * (0.25 + 0.5),
    ],
    [
      "select count(*) as n from pets left join toys on pets.owner = toys.owner where predict(pets.truth) = 'cat'",
      4,
      2 * 0.9 + 2 * 0.6 + 2 * 0.2 + 0.3,
    ],
    [
      "select count(*) as n from pets left join toys on pets.owner = toys.owner where predict(toys.size) = 'big' or toys.id is null",
      4,
      2 * (0.7 + 0.4) + 0.25 + 0.5 + 1,
    ],
    [
      "select count(*) as n from pets where predict(truth) = 'cat' and exists (select * from toys where toys.owner = pets.owner and predict(toys.size) = 'big')",
      2,
      (0.9 + 0.6) * (1 - 0.3 * 0.6) + 0.2 * (1 - 0.75 * 0.5),
    ],
    [
      "select count(*) as n from toys where owner in (select owner from pets where predict(pets.truth) = 'cat')",
      2,
      2 * (1 - 0.1 * 0.4) + 2 * 0.2,
    ],
    [
      'select count(*) as n from pets as a where exists (select * from pets as b where a.id <> b.id and predict(a.truth) = predict(b.truth))',
      4,
      0.9 * (1 - 0.4 * 0.8 * 0.7) +
        0.1 * (1 - 0.6 * 0.2 * 0.3) +
        0.6 * (1 - 0.1 * 0.8 * 0.7) +
        0.4 * (1 - 0.9 * 0.2 * 0.3) +
        0.2 * (1 - 0.1 * 0.4 * 0.7) +
        0.8 * (1 - 0.9 * 0.6 * 0.3) +
        0.3 * (1 - 0.1 * 0.4 * 0.8) +
        0.7 * (1 - 0.9 * 0.6 * 0.2),
    ],
    ["select sum(score(truth, 'cat')) as n from pets", 2, 2],
    ["select count(*) as n from pets where score(truth, 'cat') > 0.5", 2, 2],
    ["select count(*) as n from pets where score(truth, 'cat') > 0.75", 1, 0.5 + 0.15 / 0.5 + (0.6 + 0.2 + 0.3) / 1.5],
    ["select sum(price) as n from pets where predict(truth) = 'cat' and predict(truth) = 'dog'", null, 0],
    ["select sum(case when predict(truth) in ('cat', 'dog') then price else 0 end) as n from pets", 100, 100],
    ["select avg(price) as n from pets where predict(truth) = 'cat'", 15, (9 + 12 + 6 + 12) / 2],
    ['select sum(predict(worth) * 2 + 1) as n from pets', 208, 208],
    [
      'select count(*) as n from pets where predict(worth) > 25',
      2,
      [11.5, 21.5, 29.5, 39.5].reduce((s, y) => s + phi((y - 25) / deviation), 0),
    ],
    [
      "select count(*) as n from pets where predict(worth) > 25 and predict(truth) = 'dog'",
      2,
      [11.5, 21.5, 29.5, 39.5].reduce((s, y, i) => s + phi((y - 25) / deviation) * [0.1, 0.4, 0.8, 0.7][i]!, 0),
    ],
  ])('%s', async (query, actual, relaxed) => {
    const { expectations } = await ask(query, 'lower n')
    expect(expectations).toHaveLength(1)
    if (actual === null) expect(expectations[0]!.actual).toBeNull()
    else expect(expectations[0]!.actual).toBeCloseTo(actual, 5)
    expect(expectations[0]!.relaxed).toBeCloseTo(relaxed, query.includes('worth) >') ? 2 : 5)
  })
})

describe('rows that should not be there, or are missing', () => {
  const byOwner = "select owner, count(*) as n from pets where predict(truth) = 'cat' group by owner"
  test.each([
    ["select id, price as n from pets where predict(truth) = 'cat'", 'no row where n > 15', 1, 0.6],
    ["select id, price as n from pets where predict(truth) = 'cat'", 'row where id = 4', 0, 0.3],
    ['select id, predict(truth) as t from pets', "row where t = 'cat' and id > 2", 0, 1 - 0.8 * 0.7],
    [byOwner, "no row where owner = 'x'", 1, 1 - 0.1 * 0.4],
    [byOwner, 'no row where owner is null or n > 5', 0, 0],
    [byOwner, "row where owner = 'y'", 0, 0.2],
    [byOwner, "row where owner = 'z'", 0, 0],
    [`${byOwner} having count(*) > 1`, "no row where owner = 'x'", 1, phi(0) * (1 - 0.1 * 0.4)],
    ['select distinct predict(truth) as t from pets', "no row where t = 'cat'", 1, 1 - 0.1 * 0.4 * 0.8 * 0.7],
  ])('%s / %s', async (query, expectation, actual, relaxed) => {
    const evaluated = await ask(query, expectation)
    expect(evaluated.expectations[0]).toMatchObject({ actual, satisfied: expectation.startsWith('no row') === (actual === 0) })
    expect(evaluated.expectations[0]!.relaxed).toBeCloseTo(relaxed, 6)
    expect(evaluated.weight > 0).toBe(relaxed > 0)
  })
})

describe('several expectations', () => {
  const query =
    "select count(*) as n, avg(case when predict(truth) = 'cat' then 1 else 0 end) as share from pets where predict(truth) = 'cat' or price > 5"
  test('each pulls with the same force, in the units of the first', async () => {
    const dogs = query.replace('count(*) as n', "sum(case when predict(truth) = 'dog' then price else 0 end) as n")
    const share = await ask(query, 'share <= 0.1')
    const both = await ask(dogs, ['share <= 0.1', 'n >= 1000'])
    const twice = await ask(query, ['share <= 0.1', 'share <= 0.2'])
    const length = (w: Float32Array) => Math.sqrt(w.reduce((s, x, i) => s + (x - (w[i & ~1]! + w[i | 1]!) / 2) ** 2, 0))
    expect(twice.weights.map((w) => w / 2)).toEqual(share.weights)
    expect(both.notes.join(' ')).toMatch(/pull equally/)
    expect(length(both.weights) / length(share.weights)).toBeGreaterThan(1.2)
    expect(length(both.weights) / length(share.weights)).toBeLessThan(2.5)
  })
  test('what no prediction can change pulls nothing', async () => {
    const evaluated = await ask(query, ['n = 1', 'share <= 0.1'])
    expect(evaluated.weights).toEqual((await ask(query, 'share <= 0.1')).weights)
    expect((await ask(query, 'n = 1')).weight).toBe(0)
  })
})

describe('what is missing is NULL, never NaN', () => {
  const half: Answers = (model, table) => {
    const values = answers(model, table).slice()
    if (model === 'animals') values.fill(0, 0, 2)
    else values[0] = Number.NaN
    return values
  }
  test.each([
    ["select count(*) as n from pets where predict(truth) = 'cat'", 1, 0.6 + 0.2 + 0.3],
    ['select count(*) as n from pets where predict(truth) is null', 1, 1],
    ["select count(*) as n from pets where predict(truth) <> 'cat' or price < 15", 3, 1 + 0.4 + 0.8 + 0.7],
    ['select avg(predict(worth)) as n from pets', 30.166666666666668, 30.166666666666668],
    ["select avg(price) as n from pets where predict(truth) = 'cat' and id < 0", null, null],
    ["select stddev_pop(price) as n from pets where predict(truth) = 'cat' and id = 2", 0, 0],
  ])('%s', async (query, actual, relaxed) => {
    const { expectations, weights } = await ask(query, 'lower n', half)
    if (actual === null) expect(expectations[0]!.actual).toBeNull()
    else expect(expectations[0]!.actual).toBeCloseTo(actual, 5)
    if (relaxed === null) expect(expectations[0]!.relaxed).toBeNull()
    else expect(expectations[0]!.relaxed).toBeCloseTo(relaxed, 6)
    expect(weights.every(Number.isFinite)).toBe(true)
  })
  test('a group without a name is a group', async () => {
    const { expectations } = await ask("select owner, count(*) as n from pets where predict(truth) = 'dog' group by owner", 'n = 0')
    expect(expectations.map((e) => [e.group!.owner, e.actual, Math.round(e.relaxed! * 1e6) / 1e6])).toEqual([
      ['y', 1, 0.8],
      [null, 1, 0.7],
    ])
  })
  test('an average over nothing says so', async () => {
    const evaluated = await ask("select avg(price) as n from pets where predict(truth) = 'cat' and id < 0", 'lower n')
    expect(evaluated.notes.join(' ')).toMatch(/count or sum of zero/)
  })
})

/** Predictions of every combination of the rows' classes, with its probability. */
function worlds(p: Float32Array, width: number): { p: Float32Array; chance: number }[] {
  const rows = p.length / width
  return Array.from({ length: width ** rows }, (_, world) => {
    const sure = new Float32Array(p.length)
    let chance = 1
    for (let i = 0, rest = world; i < rows; i++, rest = Math.floor(rest / width)) {
      sure[i * width + (rest % width)] = 1
      chance *= p[i * width + (rest % width)]!
    }
    return { p: sure, chance }
  })
}

test.each([
  'select count(*) as n from pets as a join pets as b on predict(a.truth) = predict(b.truth)',
  "select sum(a.price * b.price) as n from pets as a join pets as b on predict(a.truth) = predict(b.truth) where a.owner = 'x'",
  'select sum(a.price + b.id) as n from pets as a join pets as b on predict(a.truth) = predict(b.truth)',
  'select sum(a.price) as n from pets as a join pets as b on a.owner = b.owner and predict(a.truth) <> predict(b.truth)',
  "select count(*) as n from pets as a where predict(a.truth) = 'cat' and exists (select 1 from pets as b where b.price > a.price and predict(b.truth) = 'dog')",
  "select count(*) as n from pets as a join pets as b on a.id < b.id where case when predict(a.truth) = 'cat' then predict(b.truth) = 'dog' else b.id = 4 end",
])('is the mean of the hard answer over all worlds: %s', async (query) => {
  const task = lab.task(query, ['lower n'], ['animals'])
  const p = answers('animals', 'pets')
  const [relaxed] = (await lab.evaluate(task, () => p)).expectations
  let mean = 0
  for (const world of worlds(p, 2)) {
    const { expectations } = await lab.evaluate({ ...task, gradients: [] }, () => world.p)
    mean += world.chance * (expectations[0]!.actual ?? 0)
  }
  expect(relaxed!.relaxed).toBeCloseTo(mean, 4)
})

test('a join on predicted classes of thousands of rows makes no product', async () => {
  const rows = 3000
  const rng = createRng(3)
  const big = await openLab(
    { west: sized(rows), east: sized(rows) },
    { digits: { text: 'model digits on west { predict d; kind column(d) }', classes: [...'0123456789'] } },
  )
  const p = Float32Array.from({ length: rows * 10 }, () => rng.next() / 5)
  const task = big.task('select count(*) as n from west as l join east as r on predict(l.d) = predict(r.d)', ['lower n'], ['digits'])
  const { expectations } = await big.evaluate(task, () => p)
  const sums = Array.from({ length: 10 }, (_, c) => Array.from({ length: rows }, (_, i) => p[i * 10 + c]!).reduce((a, b) => a + b))
  expect(expectations[0]!.relaxed! / sums.reduce((total, s) => total + s * s, 0)).toBeCloseTo(1, 6)
  await big.close()
})

const sized = (rows: number) => ({
  columns: { id: Array.from({ length: rows }, (_, i) => i), d: Array.from({ length: rows }, (_, i) => String(i % 10)) },
})
