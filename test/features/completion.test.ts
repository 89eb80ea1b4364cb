import { describe, expect, test } from 'vitest'
import { items, offered } from './door.ts'

const people = `source people { from 'people.csv'; label married; split train 80%, rest 20% }\n`
const model = `${people}model m on people { predict married; from age, income; kind logistic; train on train }\n`
const columns = ['id', 'name', 'age', 'income', 'city', 'married', 'born', 'seen', 'face', 'tags', 'address']

/** Fixture, what must be offered (in this order), what must not. */
type Row = readonly [name: string, fixture: string, offers: readonly string[], not?: readonly string[]]
const table: readonly Row[] = [
  ['an empty file', '|', ['source', 'model', 'import']],
  ['a declaration begun', `${people}mo|`, ['model', 'assert'], ['age']],
  ['behind a block', `${people}|`, ['model'], ['from']],
  ['a header wants a source', `${people}slice s on |`, ['people'], ['age', 'where']],
  ['a header wants its next word', `${people}slice s |`, ['on']],
  ['a split in a header', `${people}assert a on people.|`, ['train', 'rest']],
  ['a model in a header', `${model}complaint c using |`, ['m'], ['people']],
  [
    'only clauses not yet used',
    `${people}model m on people {\n  predict married\n  |\n}`,
    ['kind', 'from', 'train', 'validate'],
    ['predict'],
  ],
  ['the clause being typed', `${people}model m on people {\n  predict married\n  ki|\n}`, ['kind', 'from']],
  ['clauses that may repeat', `${people}assert a on people {\n  require age > 1\n  |\n}`, ['each', 'learn', 'require']],
  ['columns of this source', `${people}model m on people { predict | }`, columns, ['people', 'and']],
  ['more columns of a list', `${people}model m on people { from age, | }`, columns],
  ['nothing behind a list', `${people}model m on people { from age | }`, [], columns],
  ['kinds of model', `${people}model m on people { kind | }`, ['logistic', 'linear', 'mlp', 'column']],
  ['options of a kind', `${people}model m on people { kind mlp(|) }`, ['hidden', 'l2']],
  ['options not yet given', `${people}model m on people { kind mlp(l2: 1, |) }`, ['hidden'], ['l2']],
  ['the default of an option', `${people}model m on people { kind mlp(hidden: |) }`, ['[64]']],
  ['options of training', `${people}model m on people { train on train with (|) }`, ['batch', 'epochs', 'folds', 'patience', 'seed']],
  ['splits of this source', `${people}model m on people { train on | }`, ['train', 'rest']],
  ['a bracket on its own line', `${people}model m on people {\n  train on train with (epochs: 3,\n    |\n}`, ['batch'], ['kind', 'epochs']],
  ['an expression', `${people}slice s on people where |`, [...columns, 'key', 'rowid', 'split'], ['and']],
  ['behind an operator', `${people}slice s on people where age > 3 and |`, columns],
  ['what joins operands', `${people}slice s on people where age |`, ['and', 'or', 'in', 'between'], ['age']],
  ['slices of this source', `${people}slice s on people where age > 1\nslice t on people where |`, ['s'], ['t']],
  [
    'no slices of another',
    `${people}source stones { from 'stones.csv' }\nslice big on stones where carat > 1\nslice t on people where |`,
    ['age'],
    ['big', 'carat'],
  ],
  ['a quoted column', `source odd { from 'odd.csv' }\nslice s on odd where |`, ['two words']],
  ['tables of a query', `${people}source v { from (select | from people as p) }`, [...columns, 'p'], ['s']],
  ['columns of an alias', `${people}source v { from (select p.| from people as p) }`, columns, ['train']],
  ['sources in a query', `${people}source v { from (select * from |) }`, ['people']],
  ['splits in a query', `${people}source v { from (select * from people.|) }`, ['train', 'rest'], columns],
  ['words of a query', `${people}source v { from (select * from people |) }`, ['where', 'group by', 'join']],
  [
    'what a model says',
    `${model}complaint c using m { query select count(*) as n from people where | }`,
    ['predict(married)', 'score(married, )'],
  ],
  [
    'columns of a result',
    `${model}complaint c using m {\n  query select count(*) as n from people where predict(married)\n  expect |\n}`,
    ['n'],
    ['age'],
  ],
  ['suspects, step by step', `${model}complaint c using m { blame top 25 | }`, ['rows']],
  ['whose rows', `${model}complaint c using m { blame top 25 rows of | }`, ['train', 'rest', 'people']],
  ['by what', `${model}complaint c using m { blame top 25 rows of train by | }`, ['influence', 'loss']],
  ['methods', `${model}complaint c using m { method | }`, ['auto', 'spectral', 'cg']],
  ['complaints and metrics', `${model}complaint c using m { }\nintervene i { compare | }`, ['c', 'accuracy', 'loss']],
  ['scopes', `${people}assert a on people { each | }`, ['row', 'table', 'group by']],
  ['levels', `${people}assert a on people { level | }`, ['error', 'warning', 'info']],
  ['words of stop', `${model}acquire a for m { stop when | }`, ['rounds', 'spent', 'loss', 'unfairness', 'imbalance'], ['age']],
  ['oracles', `${people}oracle o on people { ask married; from column married }\nreview r on people using m { ask | }`, ['o'], ['people']],
  ['reader options', `source s { from 'people.csv' with (|) }`, ['delim', 'format', 'header']],
  ['nothing in a comment', `${people}-- sli|`, []],
  ['nothing in a text', `source s { from 'peo|ple.csv' }`, []],
]

describe('completion by position', () => {
  test.each(table.map((row) => ({ name: row[0], row })))('$name', ({ row: [, fixture, offers, not = []] }) => {
    const found = offered(fixture)
    expect(found.filter((label) => offers.includes(label)).sort()).toEqual([...offers].sort())
    expect(found.filter((label) => not.includes(label))).toEqual([])
    if (offers.length === 0) expect(found.filter((label) => !/^(bins|with)$/.test(label))).toEqual([])
  })

  test('a column says its type, and what is missing comes first', () => {
    const found = items(`${people}slice s on people where |`)
    expect(found[0]).toMatchObject({ label: 'id', detail: 'number · BIGINT' })
    expect(
      items(`${people}model m on people {\n  from age\n  |\n}`)
        .slice(0, 2)
        .map((item) => item.label),
    ).toEqual(['predict', 'kind'])
  })

  test('what is inserted takes the place of the word that is typed, quoted where it must be', () => {
    const [item] = items(`source odd { from 'odd.csv' }\nslice s on odd where tw|o > 1`).filter((one) => one.label === 'two words')
    expect(item?.textEdit).toEqual({
      range: { start: { line: 1, character: 21 }, end: { line: 1, character: 24 } },
      newText: '"two words"',
    })
  })

  test('imported names are offered', () => {
    const others = { 'base.assay': people }
    expect(offered(`import { people } from 'base.assay'\nslice s on |`, { others })).toEqual(['people'])
    expect(offered(`import { people } from 'base.assay'\nslice s on people where |`, { others })).toContain('income')
  })

  test('hostile names are shown harmless, and inserted as they are', () => {
    const text = 'source "a\u202eb" { from \'people.csv\'; split "x\u0007y" 50% }\nslice s on |'
    expect(items(text)[0]).toMatchObject({ label: 'a\\u202eb', textEdit: { newText: '"a\u202eb"' } })
    expect(items(text.replace('on |', 'on "a\u202eb" where |')).every((item) => !/\p{C}/u.test(`${item.label}${item.detail}`))).toBe(true)
  })

  test('half-typed neighbours do not matter', () => {
    expect(offered(`${people}model m on people {\n  predict married\n  from age,\n  kind |\n}\nassert a on`)).toContain('logistic')
  })
})
