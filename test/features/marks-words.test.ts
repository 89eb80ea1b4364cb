import { describe, expect, test } from 'vitest'
import { type Mark, markDiagnostic, markDiagnostics } from '../../server/src/features/marks.ts'
import type { Result } from '../../server/src/protocol/results.ts'
import { type Flagged, flaggedBy } from '../../server/src/workspace/flagged.ts'
import { checkFile } from '../support/check-file.ts'

/** What rules hold against rows: which column they speak of, where the rows come from, and how it is said. */
const people = `source people { from 'people.csv'; key id; label married; split train 80%, rest 20% }\n`
const provenance = { dataHash: 'd', planHash: 'p', seed: 7, rows: 3, elapsedMs: 1 }

function flaggedIn(text: string, result: Partial<Result> & Record<string, unknown>): Flagged | undefined {
  const { spec, problems } = checkFile(text)
  expect(problems.filter((one) => one.severity === 'error')).toEqual([])
  return flaggedBy(spec, { kind: 'assert', name: 'a', status: 'violated', provenance, ...result } as Result)
}
const rows = (...values: readonly Record<string, unknown>[]) => ({
  flagged: values.map((one, i) => ({ key: i, severity: 1, rows: [i], values: one })),
})
const place = { uri: 'file:///a.assay', range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } } }
function marksOf(flagged: Flagged): Mark[] {
  const ruling = { flagged, place, outdated: false }
  return flagged.rows.map((flag) => ({ ruling, flag, range: place.range }))
}

describe('the part of a rule that a row fails', () => {
  test.each<readonly [string, Record<string, unknown>, string, string]>([
    ['require age > 0 and income > 0', { age: 3, income: 0 }, 'income', 'income > 0'],
    ["require age > 0; require city <> 'X'", { age: 3, city: 'X' }, 'city', "city <> 'X'"],
    ['require age between 0 and 120', { age: 130 }, 'age', 'age between 0 and 120'],
    ['require name is not null and age > 0', { name: null, age: 3 }, 'name', 'name is not null'],
    ['require age > -5 and income >= age', { age: 3, income: 2 }, 'income', 'income >= age'],
    ['require length(city) < 5', { city: 'a long name' }, 'city', 'length(city) < 5'],
    ['require age > 0 or income > 0', { age: 0, income: 0 }, 'age', 'age > 0 or income > 0'],
  ])('%s', (clauses, values, column, condition) => {
    const flagged = flaggedIn(`${people}assert a on people { each row; ${clauses} }`, rows(values))!
    expect(flagged.rows[0]!.column).toBe(column)
    expect(flagged.rows[0]!.about).toMatchObject({ kind: 'row', condition })
  })
})

describe('where rows come from', () => {
  const origin = (view: string, on = 'v') => {
    const flagged = flaggedIn(`${people}${view}\nassert a on ${on} { each row; require age > 1 }`, rows({ age: 0 }))!
    return (
      flagged.origin &&
      `${flagged.origin.source.name} by ${flagged.origin.key.join(', ') || 'content'}; age is ${flagged.origin.column('age')}`
    )
  }
  test.each([
    ['source v { from (select * from people where age > 3); key id }', 'people by id; age is age'],
    ['source v { from (select id as nr, age from people); key nr }', 'people by id; age is age'],
    ['source v { from (select id, age + 1 as age from people); key id }', 'people by id; age is undefined'],
    ['source v { from (select * from people) }', 'people by content; age is age'],
    [
      'source w { from (select id as k, income as age from people); key k }\nsource v { from (select * from w); key k }',
      'people by id; age is income',
    ],
    ['source v { from (select id + 1 as id, age from people); key id }', undefined],
    ['source v { from (select age from people) }', undefined],
    ['source v { from (select city, max(age) as age from people group by city); key city }', undefined],
  ])('%s', (view, wanted) => expect(origin(view)).toBe(wanted))
})

test('what passes is not flagged; what only warns is a warning', () => {
  const text = `${people}assert a on people { each row; require age > 1; warn above 1%; fail above 50% }`
  expect(flaggedIn(text, { status: 'ok', level: 'error', ...rows({ age: 0 }) })).toBeUndefined()
  expect(flaggedIn(text, { status: 'ok', level: 'warning', ...rows({ age: 0 }) })?.level).toBe('warning')
  expect(flaggedIn(text, { status: 'violated', level: 'error', flagged: [] })).toBeUndefined()
  expect(flaggedIn(text, { name: 'gone', ...rows({ age: 0 }) })).toBeUndefined()
})

test('suspects of a complaint are hints, at their labels', () => {
  const text = `${people}model m on people { predict married; from age; kind logistic; train on train }\ncomplaint c using m { query select count(*) as n from people.rest where predict(married); expect n <= 2; blame top 25 rows of train by influence }`
  const ranking = [
    { key: 3, influence: 0.4213, rank: 1, label: true, prediction: false, confidence: 0.98 },
    { key: 4, influence: 0.1, rank: 2 },
  ]
  const flagged = flaggedIn(text, { kind: 'complaint', name: 'c', ranking })!
  expect(flagged.rows.map((one) => [one.id, one.column])).toEqual([
    ['3', 'married'],
    ['4', 'married'],
  ])
  expect(
    marksOf(flagged)
      .map((one) => markDiagnostic(one))
      .map(({ severity, message }) => [severity, message]),
  ).toEqual([
    [4, 'Suspect 1 of 2 of the complaint `c`: influence 0.4213. Labelled true; the model says false (0.98).'],
    [4, 'Suspect 2 of 2 of the complaint `c`: influence 0.1.'],
  ])
  expect(flaggedIn(text, { kind: 'complaint', name: 'c', status: 'ok', ranking })).toBeUndefined()
})

test('no more than are asked for are shown, the worst first, and the rest counted', () => {
  const flagged = flaggedIn(`${people}assert a on people { each row; require age > 1 }`, {
    total: 4812,
    flagged: Array.from({ length: 200 }, (_, i) => ({ key: i, severity: i, rows: [i], values: { age: 0 } })),
  })!
  const shown = markDiagnostics(marksOf(flagged), 100, flagged.total - 200)
  expect(shown).toHaveLength(101)
  expect([shown[0], shown[99]].map((one) => (one!.data as { key: number }).key)).toEqual([199, 100])
  expect(shown.at(-1)).toMatchObject({ message: 'and 4 712 more rows, flagged by `a`', range: { start: { line: 0 } } })
  expect(markDiagnostics(marksOf(flagged).slice(0, 3), 100, 0)).toHaveLength(3)
})
