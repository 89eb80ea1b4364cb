import { describe, expect, it } from 'vitest'
import { checkFile, names, ofExpression } from '../support/check-file.ts'

const table = (rows: readonly (readonly [string, string])[], wrap?: (e: string) => string) => {
  it.each(rows)('%s → %s', (expression, expected) => {
    expect(ofExpression(expression, wrap)).toBe(expected)
  })
}

describe('comparisons', () => {
  table([
    ['age > 5', 'ok'],
    ['age > 5.5', 'ok'],
    ["city = 'Bern'", 'ok'],
    ["age = 'five'", 'not-comparable'],
    ["age = '5'", 'not-comparable'],
    ['city = 5', 'not-comparable'],
    ['5 = city', 'not-comparable'],
    ['city = age', 'not-comparable'],
    ["born > '2020-01-01'", 'ok'],
    ["born > 'yesterday'", 'not-comparable'],
    ["seen > '2020-01-01 10:00:00'", 'ok'],
    ['born < seen', 'ok'],
    ['seen - born < 5 d', 'ok'],
    ['born - born < 5', 'ok'],
    ['seen < 5 s', 'not-comparable'],
    ['income > 5%', 'ok'],
    ['married = true', 'ok'],
    ['married = 1', 'ok'],
    ['married = 2', 'not-comparable'],
    ["married = 'yes'", 'ok'],
    ["married in ('No', 'f')", 'ok'],
    ["married = 'perhaps'", 'not-comparable'],
    ['face = face', 'not-comparable'],
    ['face is null', 'ok'],
    ['age = null', 'ok'],
    ['age between 1 and 5', 'ok'],
    ["age between 1 and 'x'", 'not-comparable'],
    ['age in (1, 2)', 'ok'],
    ["age in (1, 'x')", 'not-comparable'],
    ["city like 'B%'", 'ok'],
    ["age like '5'", 'not-text'],
    ['city like 5', 'not-text'],
  ])
})

describe('arithmetic and logic', () => {
  table([
    ['age + 1 > 2', 'ok'],
    ['-age < 2', 'ok'],
    ["city + 's' = 'x'", 'no-arithmetic'],
    ["-city = 'x'", 'no-arithmetic'],
    ['married + 1 > 1', 'no-arithmetic'],
    ["city || age = 'x'", 'ok'],
    ['seen + 5 min > born', 'ok'],
    ['born + 1 > born', 'ok'],
    ['5 s * 2 < seen - seen', 'ok'],
    ['age + 5 s > 3', 'no-arithmetic'],
    ['id % 10 < 3', 'ok'],
    ['age', 'not-boolean'],
    ['not age', 'not-boolean'],
    ['age and married', 'not-boolean'],
    ['married and not married or age > 1', 'ok'],
    ['case when married then 1 else 2 end > 1', 'ok'],
    ["case when married then 1 else 'x' end > 1", 'mixed-types'],
    ['case when age then 1 end > 1', 'not-boolean'],
    ["case city when 'Bern' then true else false end", 'ok'],
    ['case city when 5 then true else false end', 'not-comparable'],
    ['cast(city as integer) > 5', 'ok'],
    ['cast(city as intger) > 5', 'unknown-type: integer'],
    ['cast(city as decimal(10, 2)) > 5', 'ok'],
    ["cast(city as blobb) = 'x'", 'unknown-type: blob'],
  ])
})

describe('functions', () => {
  table([
    ["lower(city) = 'bern'", 'ok'],
    ["LOWER(City) = 'bern'", 'ok'],
    ["lower(age) = 'x'", 'wrong-argument'],
    ["lowr(city) = 'x'", 'unknown-function: lower'],
    ["lower() = 'x'", 'wrong-argument-count'],
    ["lower(city, city) = 'x'", 'wrong-argument-count'],
    ['round(income) > 5', 'ok'],
    ['round(income, 2) > 5', 'ok'],
    ['round(city) > 5', 'wrong-argument'],
    ['length(city) > 5', 'ok'],
    ["coalesce(city, 'x') = 'x'", 'ok'],
    ['coalesce(city, 5) = 5', 'mixed-types'],
    ['greatest(age, income, 5) > 2', 'ok'],
    ["left(city, 2) = 'Be'", 'ok'],
    ['year(born) > 2000', 'ok'],
    ["date_trunc('month', seen) < seen", 'ok'],
    ["starts_with(city, 'B')", 'ok'],
    ['if(married, 1, 2) = 1', 'ok'],
    ['abs(distinct age) > 1', 'distinct-scalar'],
    ["starts_with(city, prefix: 'B')", 'label-not-allowed'],
    ['sum(age) > 5', 'misplaced-aggregate'],
    ['count(*) > 5', 'misplaced-aggregate'],
    ['abs(*) > 5', 'misplaced-star'],
    ["read_text('/etc/passwd') = 'x'", 'refused-function'],
    ["read_csv('x') = 'x'", 'refused-function'],
    ["glob('*') = 'x'", 'refused-function'],
    ["getenv('HOME') = 'x'", 'refused-function'],
    ["current_setting('x') = 'x'", 'refused-function'],
    ["query('select 1') = 1", 'refused-function'],
    ['random() > 0.5', 'refused-function'],
    ['seen < now()', 'refused-function'],
    ['born < current_date', 'refused-function'],
    ['row_number() > 5', 'refused-function'],
    ["unnest(tags) = 'x'", 'refused-function'],
    ["list_contains(tags, 'x')", 'ok'],
    ['predict(city) = 5', 'misplaced-predict'],
    ['ask(o, city) = 5', 'misplaced-ask'],
    ['agree(city)', 'assertion-aggregate-elsewhere'],
    ['toString() = 5', 'unknown-function'],
    ['constructor(age) = 5', 'unknown-function'],
  ])
})

describe('names', () => {
  table([
    ['AGE > 5', 'ok'],
    ['"Age" > 5', 'ok'],
    ['agee > 5', 'unknown-column: age'],
    ['people.age > 5', 'ok'],
    ['PEOPLE.age > 5', 'ok'],
    ['persons.age > 5', 'unknown-table'],
    ['peple.age > 5', 'unknown-table: people'],
    ["split = 'train'", 'ok'],
    ["split = 'trian'", 'unknown-split: train'],
    ["split in ('train', 'rest')", 'ok'],
    ["split in ('train', 'test')", 'unknown-split: rest'],
    ['rowid < 10', 'ok'],
    ["key = 'x'", 'ok'],
    ['"split" = 1', 'not-comparable'],
    [`"key" = 'x'`, 'ok'],
    ['__proto__ > 5', 'unknown-column'],
    ['constructor > 5', 'unknown-column'],
    ['people > 5', 'not-for-columns'],
    ['s', 'needs-itself'],
    ['exists (select * from people as p where p.age > people.age)', 'ok'],
    ['exists (select * from people where age > 5)', 'repeated-table'],
    ['id in (select p.id from people as p where p.age > 10)', 'ok'],
    ['id in (select * from people as p)', 'one-column-query'],
    ['city in (select p.id from people as p)', 'not-comparable'],
    ['age > (5)', 'ok'],
  ])
})

it('gives names the spelling of the schema', () => {
  const { spec } = checkFile("source people { from 'people.csv' }\nslice old on people where AGE > 5\n")
  const meaning = [...spec.meanings.values()].find((one) => one.kind === 'column')
  expect(meaning).toMatchObject({ kind: 'column', column: { name: 'age', type: 'number' } })
})

it('compares names outside ASCII exactly, as the database does', () => {
  const file = (name: string) => `source odd { from 'odd.csv' }\nslice s on odd where ${name} = 'x'\n`
  expect(checkFile(file('"GRößE"')).problems).toEqual([])
  expect(checkFile(file('größe')).problems).toEqual([])
  expect(checkFile(file('"GRÖSSE"')).problems.map((one) => one.code)).toEqual(['unknown-column'])
  expect(checkFile(file('"été"')).problems.map((one) => one.code)).toEqual(['unknown-column'])
  expect(names(checkFile(file('"say ""so"""')))).toBe('odd s')
})
