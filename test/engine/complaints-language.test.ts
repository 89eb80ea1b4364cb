import { expect, test } from 'vitest'
import { runToy } from '../support/run-toy.ts'

const pets = `id,name,owner,truth,guess,pc,pd,price
1,a,x,cat,cat,0.9,0.1,10
2,b,x,dog,cat,0.6,0.4,20
3,c,y,dog,dog,0.2,0.8,30
4,d,,cat,dog,0.3,0.7,40
`
const toys = `id,owner,kind,big,ps,pb
1,x,ball,big,0.3,0.7
2,y,bone,small,0.75,0.25
3,y,ball,big,0.5,0.5
4,x,bone,small,0.6,0.4
`
const head = `source pets { from 'pets.csv'; key id; label truth }
source toys { from 'toys.csv'; key id; label big }
model theirs on pets { predict truth; kind column(guess, scores: [pc, pd]) }
model sizes on toys { predict big; kind column(big, scores: [pb, ps]) }
`
const ask = async (query: string, expect: string) => {
  const using = [/predict\(truth\)|\.truth|score/.test(query) ? ['theirs'] : [], /big\)/.test(query) ? ['sizes'] : []].flat().join(', ')
  const toy = await runToy(`${head}complaint c using ${using} {\n query ${query}\n expect ${expect}\n blame top 5 rows of pets\n}\n`, {
    'pets.csv': pets,
    'toys.csv': toys,
  })
  expect_(toy.problems)
  return toy.of('complaint', 'c')
}
const expect_ = (problems: readonly unknown[]) => expect(problems).toEqual([])

test.each([
  [
    "select count(*) as n from pets join toys on pets.owner = toys.owner where predict(pets.truth) = 'cat' and predict(toys.big) = 'big'",
    'n = 0',
    2,
    0.9 * 0.7 + 0.9 * 0.4 + 0.6 * 0.7 + 0.6 * 0.4 + 0.2 * 0.25 + 0.2 * 0.5,
  ],
  [
    'select count(*) as n from pets as a join pets as b on predict(a.truth) = predict(b.truth)',
    'n = 0',
    8,
    4 +
      2 *
        (0.9 * 0.6 +
          0.1 * 0.4 +
          0.9 * 0.2 +
          0.1 * 0.8 +
          0.9 * 0.3 +
          0.1 * 0.7 +
          0.6 * 0.2 +
          0.4 * 0.8 +
          0.6 * 0.3 +
          0.4 * 0.7 +
          0.2 * 0.3 +
          0.8 * 0.7),
  ],
  [
    "select count(*) as n from pets where exists (select * from toys where toys.owner = pets.owner and predict(toys.big) = 'big') and predict(truth) = 'cat'",
    'n = 0',
    2,
    (0.9 + 0.6) * (1 - 0.3 * 0.6) + 0.2 * (1 - 0.75 * 0.5),
  ],
  [
    "select count(*) as n from pets where owner in (select owner from toys where predict(big) = 'big')",
    'n = 0',
    3,
    2 * (1 - 0.3 * 0.6) + (1 - 0.75 * 0.5),
  ],
  ["select sum(score(truth, 'cat')) as n from pets where score(truth, 'cat') > 0.5", 'n = 0', 1.5, 0.81 + 0.36 + 0.04 + 0.09],
  ["select id, price as n from pets where predict(truth) = 'cat'", 'n <= 15 where id = 2', 20, 20],
  ["select id, price as n from pets where predict(truth) = 'cat'", 'no row where n > 15', 1, 0.6],
  [
    "select owner, count(*) as n from pets where predict(truth) = 'dog' group by owner having count(*) >= 1",
    "row where owner = 'x'",
    0,
    0.24,
  ],
  ["select owner, count(*) as n from pets where predict(truth) = 'cat' group by owner", "no row where owner = 'x'", 1, 1 - 0.1 * 0.4],
  ['select distinct predict(truth) as t from pets', "no row where t = 'cat'", 1, 1 - 0.1 * 0.4 * 0.8 * 0.7],
])('%s / %s', async (query, expected, actual, relaxed) => {
  const result = await ask(query, expected)
  expect(result.message).toBeUndefined()
  expect(result.actual).toBeCloseTo(actual, 6)
  if (expected.startsWith('row where')) expect(result.relaxed).toBeGreaterThan(0)
  else expect(result.relaxed).toBeCloseTo(relaxed, 6)
})
