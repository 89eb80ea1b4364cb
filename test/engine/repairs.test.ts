import { describe, expect, test } from 'vitest'
import { runToy } from '../support/run-toy.ts'

/** Two classes that `a` and `b` tell apart; `bad` rows have both at zero. */
const rows = Array.from({ length: 60 }, (_, i) => {
  const yes = i % 2 === 0
  const bad = i % 6 === 0
  return `${i},${bad ? 0 : yes ? 2 + (i % 5) / 10 : -2 - (i % 7) / 10},${bad ? 0 : yes ? 1 : -1},${yes ? 'cat' : 'dog'},${bad}`
})
const files = { 'pets.csv': `id,a,b,label,bad\n${rows.join('\n')}\n` }
const head = `
source pets { from 'pets.csv'; key id; label label; split train 100% }
model reader on pets {
  predict label
  from    a, b
  kind    logistic
  train   on train
}
complaint few using reader {
  query  select count(*) as n from pets where predict(label) = 'cat'
  expect n = 30
  blame  top 5 rows of train by loss
}
`
const repair = (name: string, fixes: string) =>
  `intervene ${name} {\n  for few\n${fixes}\n  retrain reader\n  compare few, accuracy, loss\n}\n`

describe('a repair', () => {
  test('a column set after another keeps what the first one set', async () => {
    const both = repair('both', '  set a = 2 where bad\n  set b = 1 where bad')
    const other = repair('other', '  set b = 1 where bad\n  set a = 2 where bad')
    const chained = repair('chained', '  set a = 2 where bad\n  set b = a / 2 where bad')
    const one = repair('one', '  set b = 1 where bad')
    const toy = await runToy(head + both + other + chained + one, files)
    const loss = (name: string) => toy.of('intervene', name).after!.loss!
    expect(loss('both')).toBeCloseTo(loss('other'), 6)
    expect(loss('both')).toBeCloseTo(loss('chained'), 6)
    expect(loss('both')).not.toBeCloseTo(loss('one'), 3)
  })

  test.each([
    ["relabel top 5 rows of train by loss to 'zebra'", /knows no class zebra\. Its classes are cat, dog\./],
    ["set label = 'zebra' where bad", /knows no class zebra/],
    ['remove where true', /leave no training row/],
  ])('%s fails with a sentence, and is the data’s fault', async (fix, message) => {
    const toy = await runToy(head + repair('wrong', `  ${fix}`), files, { names: ['wrong'] })
    const result = toy.of('intervene', 'wrong')
    expect(result).toMatchObject({ status: 'failed', fault: 'data' })
    expect(result.message).toMatch(message)
  })
})

test('a column of yes and no is a boolean: its classes may be written as in the file', async () => {
  const said = rows.map((row) => row.replace('cat', 'yes').replace('dog', 'no'))
  const toy = await runToy(
    `${head.replace("'cat'", "'yes'")}
assert sure on pets using reader {
  each    row
  require score(label, 'yes') > 0.5 or predict(label) = 'no'
}
${repair('mended', "  relabel top 5 rows of train by loss to 'No'")}`,
    { 'pets.csv': `id,a,b,label,bad\n${said.join('\n')}\n` },
  )
  expect(toy.problems).toEqual([])
  expect(toy.of('assert', 'sure')).toMatchObject({ status: 'ok', checked: 60, failed: 0 })
  expect(toy.of('intervene', 'mended')).toMatchObject({ status: 'ok', changedRows: 5 })
})

describe('rows of a view', () => {
  const blamed = (view: string) => `${head}source some { from (${view}) }
complaint many using reader {
  query  select count(*) as n from pets where predict(label) = 'cat'
  expect lower n
  blame  top 100 rows of some by loss
}
`
  test('are blamed by their key', async () => {
    const toy = await runToy(blamed('select id, a from pets where bad'), files, { names: ['many'] })
    const keys = toy.of('complaint', 'many').ranking!.map((row) => row.key as number)
    expect(keys.sort((a, b) => a - b)).toEqual([0, 6, 12, 18, 24, 30, 36, 42, 48, 54])
  })

  test('cannot be told without it', async () => {
    const toy = await runToy(blamed('select a from pets where bad'), files, { names: ['many'] })
    expect(toy.of('complaint', 'many').message).toMatch(/Select `id` in `some`/)
  })
})

describe('predictions brought along', () => {
  const csv = 'id,truth,guess,dog_score,cat_score\n1,cat,cat,0.1,0.9\n2,dog,,,\n3,dog,dog,0.8,0.2\n4,cat,dog,0.7,0.3\n'
  const brought = (kind: string) => `
source pets { from 'pets.csv'; key id; label truth }
model theirs on pets { predict truth; kind ${kind} }
assert agreed on pets using theirs { each row; require predict(truth) = truth }
complaint cats using theirs {
  query  select count(*) as n from pets where predict(truth) = 'cat'
  expect n = 1
  blame  top 5 rows of pets
}
`
  test.each(['column(guess)', 'column(guess, scores: [cat_score, dog_score])', 'column(guess, scores: [dog: dog_score, cat: cat_score])'])(
    '%s: a row without one is unknown, and scores go by their names',
    async (kind) => {
      const toy = await runToy(brought(kind), { 'pets.csv': csv })
      expect(toy.problems).toEqual([])
      expect(toy.of('assert', 'agreed')).toMatchObject({ checked: 4, failed: 1, unknown: 1, flagged: [{ key: 4 }] })
      expect(toy.of('complaint', 'cats')).toMatchObject({ actual: 1, satisfied: true })
      expect(toy.of('model', 'theirs').metrics!.accuracy).toBeCloseTo(2 / 3, 6)
    },
  )
})
