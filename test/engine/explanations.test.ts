import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import type { ComplaintResult } from '../../server/src/protocol/results.ts'
import { runToy } from '../support/run-toy.ts'

interface Person {
  readonly id: number
  readonly age: number
  readonly workclass: string
  readonly sex: string
  readonly education: string
  readonly hours: number
  readonly score: number
  readonly income: string
  readonly wrong: boolean
}

/** In `past` six in ten men in the private sector who earn little are labelled as earning much. */
function people(rows: number, seed: number, corrupted: boolean): Person[] {
  const rng = createRng(seed)
  const pick = <T>(values: readonly T[]) => values[Math.floor(rng.next() * values.length)]!
  return Array.from({ length: rows }, (_, id) => {
    const age = 18 + Math.floor(rng.next() * 60)
    const workclass = rng.next() < 0.5 ? 'Private' : pick(['State-gov', "Self-emp'd", 'Federal-gov'])
    const sex = rng.next() < 0.5 ? 'Male' : 'Female'
    const education = pick(['HS-grad', 'Bachelors', 'Masters', '11th'])
    const hours = 20 + Math.floor(rng.next() * 40)
    const score = Math.round(rng.next() * 1e6) / 1e6
    const rich = (hours - 40) / 6 + (education === 'Masters' ? 3 : education === 'Bachelors' ? 1 : -2) + 2 * (rng.next() - 0.5) > 0
    const wrong = corrupted && !rich && workclass === 'Private' && sex === 'Male' && rng.next() < 0.6
    return { id, age, workclass, sex, education, hours, score, income: rich || wrong ? '>50K' : '<=50K', wrong }
  })
}
const names = ['id', 'age', 'workclass', 'sex', 'education', 'hours', 'score', 'income'] as const
const csv = (rows: readonly Person[]) => `${[names.join(), ...rows.map((row) => names.map((name) => row[name]).join())].join('\n')}\n`
const past = people(1500, 1, true)
const wrong = past.filter((row) => row.wrong).length
const files = { 'past.csv': csv(past), 'mail.csv': csv(people(800, 2, false)) }

const head = (inputs = 'age, workclass, sex, education, hours', split = 'train 100%') => `
source past { from 'past.csv'; key id; label income; split ${split} }
source mail { from 'mail.csv'; key id }
model earner on past { predict income; from ${inputs}; kind logistic(l2: 0.001); train on train }
`
const complaint = (body: string) => `complaint rich using earner {
  query  select count(*) as n from mail where predict(income) = '>50K' and sex = 'Male'
  ${body}
}
`
const run = async (body: string, text = head(), given: Readonly<Record<string, string>> = files): Promise<ComplaintResult> => {
  const toy = await runToy(text + complaint(body), given)
  expect(toy.problems).toEqual([])
  expect(toy.refused).toEqual([])
  return toy.of('complaint', 'rich')
}

/** The figures of every description once more, row by row. */
function recounted(result: ComplaintResult, matches: (row: Person, condition: Readonly<Record<string, unknown>>) => boolean) {
  const suspects = new Set(result.ranking!.map((row) => row.key))
  const seen = new Set<number>()
  return result.explanation!.map(({ predicates }) => {
    const rows = past.filter((row) => matches(row, predicates))
    const blamed = rows.filter((row) => suspects.has(row.id))
    const adds = blamed.filter((row) => !seen.has(row.id)).length
    for (const row of rows) seen.add(row.id)
    return {
      rows: rows.length,
      suspects: blamed.length,
      adds,
      precision: blamed.length / rows.length,
      coverage: blamed.length / suspects.size,
    }
  })
}

function within(row: Person, predicates: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(predicates).every(([name, value]) => {
    const own = row[name as keyof Person]
    const bin = /^\[(.*), (.*)([)\]])$/.exec(String(value))
    if (!bin) return String(own) === String(value)
    return Number(own) >= Number(bin[1]) && (bin[3] === ']' ? Number(own) <= Number(bin[2]) : Number(own) < Number(bin[2]))
  })
}

describe('what the suspects have in common', () => {
  test('the condition under which labels went wrong is found first', async () => {
    const result = await run(`expect lower n\n  blame top ${wrong} rows of train by influence\n  explain by slices`)
    expect(result.explanation![0]).toMatchObject({
      predicates: { workclass: 'Private', sex: 'Male' },
      where: "workclass = 'Private' and sex = 'Male'",
    })
    expect(result.explanation![0]!.qValue).toBeLessThan(1e-6)
    expect(recounted(result, within)).toEqual(
      result.explanation!.map(({ rows, suspects, adds, precision, coverage }) => ({ rows, suspects, adds, precision, coverage })),
    )
  })

  test('columns and bins may be named; what is named is all that is looked at', async () => {
    const result = await run(
      `expect lower n\n  blame top ${wrong} rows of train by influence\n  explain by slices over sex, hours bins 4, income`,
    )
    const shown = result.explanation!.map(({ predicates }) => predicates)
    expect(shown[0]).toMatchObject({ sex: 'Male', income: '>50K' })
    expect(shown.every((one) => Object.keys(one).every((name) => ['sex', 'hours', 'income'].includes(name)))).toBe(true)
    expect(recounted(result, within)).toEqual(
      result.explanation!.map(({ rows, suspects, adds, precision, coverage }) => ({ rows, suspects, adds, precision, coverage })),
    )
  })

  test('the order of rows in the file does not matter', async () => {
    const body = `expect lower n\n  blame top 60 rows of train by influence\n  explain by slices`
    const [a, b] = await Promise.all([run(body), run(body, head(), { ...files, 'past.csv': csv([...past].reverse()) })])
    expect(a.explanation!.length).toBeGreaterThan(0)
    expect(b.explanation).toEqual(a.explanation)
  })

  test('rows that could not be blamed do not count', async () => {
    const text = head().replace('model', 'source young { from (select * from past where age < 40); key id }\nmodel')
    const result = await run(
      `expect lower n\n  blame top 50 rows of young by influence\n  explain by slices over workclass, sex, age`,
      text,
    )
    const young = past.filter((row) => row.age < 40)
    const [first] = result.explanation!
    expect(first!.predicates).toEqual({ workclass: 'Private', sex: 'Male' })
    expect(first!.rows).toBe(young.filter((row) => row.workclass === 'Private' && row.sex === 'Male').length)
  })

  test('a model without inputs to slice by: its label, what it predicts and other columns', async () => {
    const lines = past.map(({ age, hours, education, ...rest }) => {
      const learned = education === 'Masters' ? 3 : education === 'Bachelors' ? 1 : -2
      return JSON.stringify({ ...rest, wrong: undefined, embedding: [age / 50, hours / 10, learned] })
    })
    const mail = people(800, 2, false).map(({ age, hours, education, ...rest }) => {
      const learned = education === 'Masters' ? 3 : education === 'Bachelors' ? 1 : -2
      return JSON.stringify({ ...rest, embedding: [age / 50, hours / 10, learned] })
    })
    const text = head()
      .replaceAll('.csv', '.jsonl')
      .replace('from age, workclass, sex, education, hours; kind logistic(l2: 0.001)', 'kind head(embedding: embedding, l2: 0.001)')
    const result = await run(`expect lower n\n  blame top 80 rows of train by influence\n  explain by slices`, text, {
      'past.jsonl': lines.join('\n'),
      'mail.jsonl': mail.join('\n'),
    })
    const [first] = result.explanation!
    expect(first!.predicates).toMatchObject({ income: '>50K', 'predict(income)': '<=50K' })
    expect(first!.where).toContain("income = '>50K' and predict(income) = '<=50K'")
    expect(first!.coverage).toBeGreaterThan(0.5)
  })
})

test('pictures: their labels, which are numbers, and what the model takes them for', async () => {
  const rng = createRng(5)
  const n = 300
  const truth = Uint8Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 7 : 1))
  const given = truth.map((label) => (label === 1 && rng.next() < 0.3 ? 7 : label))
  const images = Uint8Array.from({ length: 4 * n }, (_, i) => {
    const bright = truth[i >> 2] === 7 ? i % 4 < 2 : i % 4 >= 2
    return Math.floor((bright ? 150 : 0) + 105 * rng.next())
  })
  const idx = (header: readonly number[], data: Uint8Array) =>
    Uint8Array.from([0, 0, 8, header.length, ...header.flatMap((size) => [0, 0, size >> 8, size & 255]), ...data])
  const toy = await runToy(
    `source past { from idx(images: 'images.idx', labels: 'given.idx'); key index; label label; split train 100% }
source mail { from idx(images: 'images.idx', labels: 'truth.idx'); key index }
model reader on past { predict label; from image; kind logistic(l2: 0.01); train on train }
complaint sevens using reader {
  query select sum(score(label, 7)) as n from mail
  expect lower n
  blame top 40 rows of train by influence
  explain by slices
}`,
    { 'images.idx': idx([n, 2, 2], images), 'given.idx': idx([n], given), 'truth.idx': idx([n], truth) },
  )
  expect(toy.problems).toEqual([])
  const [first] = toy.of('complaint', 'sevens').explanation!
  expect(first).toMatchObject({ predicates: { label: 7, 'predict(label)': 1 }, where: 'label = 7 and predict(label) = 1' })
  const ranked = toy.of('complaint', 'sevens').ranking!
  expect(first!.suspects).toBe(ranked.filter((row) => row.label === 7 && row.prediction === 1).length)
})

describe('where there is little to describe', () => {
  const explain = (blame: string, over = '') => run(`expect lower n\n  blame ${blame}\n  explain by slices${over}`)

  test.each([
    ['one suspect', 'top 1 rows of train by influence', '', /there is one only\. Blame more rows\./],
    ['every row', 'top 9999 rows of train by loss', '', /every row that could be blamed is one of them\. Blame fewer rows\./],
    ['chance', 'top 40 rows of train by random', '', /Nothing tells the suspects from the other rows: of \d+ conditions/],
    ['an id', 'top 40 rows of train by influence', ' over id', /The suspects are not described: `id` has another value in every row/],
  ])('%s: a sentence, and the complaint runs', async (_, blame, over, sentence) => {
    const result = await explain(blame, over)
    expect(result).toMatchObject({ status: 'violated', explanation: [] })
    expect(result.ranking!.length).toBeGreaterThan(0)
    expect(result.notes!.join(' ')).toMatch(sentence)
  })

  test('a complaint that is satisfied blames nobody, and describes nobody', async () => {
    const result = await run('expect n <= 800\n  blame top 20 rows of train by influence\n  explain by slices')
    expect(result).toMatchObject({ status: 'ok', ranking: [], explanation: [] })
  })

  test('not asked for: not looked for', async () => {
    const result = await run('expect lower n\n  blame top 20 rows of train by influence')
    expect(result.explanation).toEqual([])
  })
})
