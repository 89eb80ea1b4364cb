import { describe, expect, test } from 'vitest'
import { runToy } from '../support/run-toy.ts'

const people = `id,name,age,income,city
1,Ada,36,100,Wien
2,"O'Neil, ""Bob""",-4,50,Wien
3,Zoë,,70,Graz
4,دانا,200,-1,Graz
5,Eve,41,80,
`
const source = `source people { from 'people.csv'; key id }\n`

describe('each row', () => {
  test('counts, unknown rows, keys, values and severity', async () => {
    const toy = await runToy(
      `${source}
assert plausible on people {
  each     row
  require  age >= 0
  require  age <= 120
  severity abs(age)
}
`,
      { 'people.csv': people },
    )
    expect(toy.problems).toEqual([])
    const { checked, failed, unknown, fraction, flagged, total, status, level } = toy.of('assert', 'plausible')
    expect({ checked, failed, unknown, fraction, total, status, level }).toEqual({
      checked: 5,
      failed: 2,
      unknown: 1,
      fraction: 0.5,
      total: 2,
      status: 'violated',
      level: 'error',
    })
    expect(flagged).toEqual([
      { key: 4, severity: 200, rows: [4], values: { age: 200 } },
      { key: 2, severity: 4, rows: [2], values: { age: -4 } },
    ])
  })

  const thresholds: [string, string, string][] = [
    ['', 'violated', 'error'],
    ['fail above 50%', 'ok', 'error'],
    ['fail above 49%', 'violated', 'error'],
    ['warn above 10%', 'ok', 'warning'],
    ['level warning', 'violated', 'warning'],
  ]
  test.each(thresholds)('thresholds: %s', async (clause, status, level) => {
    const toy = await runToy(`${source}\nassert plausible on people {\n  each row\n  require age between 0 and 120\n  ${clause}\n}\n`, {
      'people.csv': people,
    })
    expect(toy.of('assert', 'plausible')).toMatchObject({ status, level })
  })

  test('severity 0 abstains, and slices are predicates', async () => {
    const toy = await runToy(
      `${source}
slice viennese on people where city = 'Wien'
assert plausible on people {
  each     row
  require  not viennese or age > 0
  severity case when id = 2 then 0 else 1 end
}
`,
      { 'people.csv': people },
    )
    expect(toy.of('assert', 'plausible')).toMatchObject({ status: 'ok', failed: 0, checked: 5 })
    expect(toy.of('slice', 'viennese')).toMatchObject({ rows: 2, share: 0.4 })
  })

  test('without a declared key rows are named by their content, whatever their order', async () => {
    const text = `source people { from 'people.csv' }\nassert plausible on people {\n  each row\n  require age > 0\n}\n`
    const lines = people.trim().split('\n')
    const shuffled = [lines[0], lines[4], lines[2], lines[1], lines[5], lines[3]].join('\n')
    const [one, other] = await Promise.all([runToy(text, { 'people.csv': people }), runToy(text, { 'people.csv': shuffled })])
    const keys = one.of('assert', 'plausible').flagged!.map((f) => f.key)
    expect(keys).toHaveLength(1)
    expect(other.of('assert', 'plausible').flagged!.map((f) => f.key)).toEqual(keys)
  })
})

describe('each group', () => {
  test('flags groups, with the keys of their rows and the aggregates', async () => {
    const toy = await runToy(
      `${source}
assert agreeing on people {
  each     group by city
  require  sum(income) > 100 and agree(city)
}
`,
      { 'people.csv': people },
    )
    const { checked, failed, flagged } = toy.of('assert', 'agreeing')
    expect({ checked, failed }).toEqual({ checked: 3, failed: 2 })
    expect(flagged).toEqual([
      { key: 'Graz', severity: 1, rows: [3, 4], values: { city: 'Graz', 'sum(income)': 69 } },
      { key: 'null', severity: 1, rows: [5], values: { city: null, 'sum(income)': 80 } },
    ])
  })
})

test('partitions name the slice of each row', async () => {
  const toy = await runToy(
    `${source}\npartition places on people { by city }\nassert home on people {\n  each row\n  require places <> 'Graz'\n}\n`,
    {
      'people.csv': people,
    },
  )
  expect(toy.of('partition', 'places').slices).toEqual([
    { name: 'Graz', predicates: { city: 'Graz' }, rows: 2 },
    { name: 'Wien', predicates: { city: 'Wien' }, rows: 2 },
    { name: 'null', predicates: { city: null }, rows: 1 },
  ])
  expect(toy.of('assert', 'home').flagged!.map((f) => f.key)).toEqual([3, 4])
})

describe('hostile names', () => {
  test('quoted, unicode and reserved column names', async () => {
    const toy = await runToy(
      `source odd { from 'odd.csv'; key "two words" }
assert sound on odd {
  each    row
  require "select" > 0 and "say ""so""" <> 'x' and "Größe" < 10
}
`,
      { 'odd.csv': '"two words","select","say ""so""","Größe"\n1,1,a,2\n2,-1,b,3\n3,5,x,3\n' },
    )
    expect(toy.problems).toEqual([])
    expect(toy.of('assert', 'sound').flagged!.map((f) => f.key)).toEqual([2, 3])
  })
})

test('a view may speak of a slice', async () => {
  const toy = await runToy(
    `${source}slice viennese on people where city = 'Wien'\nsource few { from (select * from people where viennese); key id }\nassert here on few {\n  each row\n  require age > 0\n}\n`,
    { 'people.csv': people },
  )
  expect(toy.problems).toEqual([])
  expect(toy.of('assert', 'here')).toMatchObject({ checked: 2, failed: 1 })
})
