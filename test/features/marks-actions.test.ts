import { describe, expect, test } from 'vitest'
import { format } from '../../grammar/src/printer.ts'
import { codeActions } from '../../server/src/features/code-actions.ts'
import { diagnosticsOf } from '../../server/src/features/diagnostics.ts'
import type { Key } from '../../server/src/protocol/results.ts'
import type { LastResult } from '../../server/src/workspace/snapshot.ts'
import { at, edited, snapshotOf, type World } from './door.ts'

/** What a result invites to write into the spec: everything written parses, checks without a problem and is formatted as `assay format` would. */
const provenance = { dataHash: 'd', planHash: 'p', seed: 7, rows: 3, elapsedMs: 1 }
const flagged = (keys: readonly Key[], total = keys.length): LastResult => ({
  result: {
    kind: 'assert',
    name: 'a',
    status: 'violated',
    level: 'error',
    provenance,
    total,
    flagged: keys.map((key) => ({ key, severity: 1, rows: [key], values: {} })),
  },
  state: 'current',
})

function excluded(fixture: string, last: LastResult): Readonly<Record<string, string>> {
  const formatted = format(fixture.replace('|', '')).text
  const world: World = { results: { a: last } }
  const name = /\bassert a\b/.exec(formatted) ?? /\bcomplaint a\b/.exec(formatted)
  const cursor = name!.index + name![0].length
  const { snapshot, position, text } = at(`${formatted.slice(0, cursor)}|${formatted.slice(cursor)}`, world)
  const found = codeActions(snapshot, { start: position, end: position }).filter((one) => one.title.startsWith('Exclude'))
  return Object.fromEntries(
    found.map((action) => {
      if (action.disabled) return [action.title, action.disabled.reason]
      const after = edited(text, action.edit!.changes![snapshot.uri(snapshot.path)]!)
      expect(diagnosticsOf(snapshotOf(after)), after).toEqual([])
      expect(format(after).text).toBe(after)
      return [action.title, squeezed(after.slice(text.trimEnd().length))]
    }),
  )
}
const kept = (source: string, condition: string, more = '') =>
  squeezed(`source ${source}_kept { from (select * from ${source} where ${condition}) ${more} }`)
const squeezed = (text: string) => text.replace(/\s+/g, ' ').trim()

describe('rows that are flagged are left out in a view', () => {
  const people = `source people { from 'people.csv'; label married; split train 80%, rest 20% }\n`
  const rest = '  label  married\n  split  train 80%, rest 20%\n'

  test.each<readonly [string, string, LastResult, Readonly<Record<string, string>>]>([
    [
      'by the rule, or by content',
      `${people}assert a on people { each row; require age > 1 }`,
      flagged(["o'x", 'y']),
      {
        'Exclude flagged rows: keep those that pass `a`': kept('people', 'coalesce(age > 1, true)', rest),
        'Exclude the 2 flagged rows, by key': kept('people', "not (key in ('o''x', 'y'))", rest),
      },
    ],
    [
      'of a split only',
      `${people}assert a on people.rest { each row; require age > 1; require income > 0 }`,
      flagged(['x']),
      {
        'Exclude flagged rows: keep those that pass `a`': kept(
          'people',
          "coalesce(split <> 'rest', true) or coalesce((age > 1) and (income > 0), true)",
          rest,
        ),
        'Exclude the flagged row, by key': kept('people', "not (key in ('x'))", rest),
      },
    ],
    [
      'by a declared key',
      `source people { from 'people.csv'; key id }\nassert a on people { each row; require age > 1; severity income }`,
      flagged([1, 2.5]),
      { 'Exclude the 2 flagged rows, by key': kept('people', 'not (id in (1, 2.5))', '  key   id\n') },
    ],
    [
      'by a key of several columns',
      `source people { from 'people.csv'; key name, city }\nassert a on people { each row; require age > 1; severity income }`,
      flagged([
        ['x', "y's"],
        ['z', null],
      ]),
      {
        'Exclude the 2 flagged rows, by key': kept(
          'people',
          "not ((name = 'x' and city = 'y''s') or (name = 'z' and city is null))",
          '  key   name, city\n',
        ),
      },
    ],
    [
      'by a key that comes as text',
      `source people { from 'people.csv'; key born }\nassert a on people { each row; require age > 1; severity income }`,
      flagged(['2020-01-31']),
      { 'Exclude the flagged row, by key': kept('people', "not (cast(born as varchar) in ('2020-01-31'))", '  key   born\n') },
    ],
    [
      'names that need quotes',
      `source odd { from 'odd.csv' }\nassert a on odd { each row; require "two words" > 1 }`,
      flagged(['x']),
      {
        'Exclude flagged rows: keep those that pass `a`': kept('odd', 'coalesce("two words" > 1, true)'),
        'Exclude the flagged row, by key': kept('odd', "not (key in ('x'))"),
      },
    ],
    [
      'more than are listed, by the rule alone',
      `${people}assert a on people { each row; require age > 1 }`,
      flagged(['x'], 4812),
      { 'Exclude flagged rows: keep those that pass `a`': kept('people', 'coalesce(age > 1, true)', rest) },
    ],
    [
      'more than are listed, by a rule that a view cannot repeat',
      `${people}assert a on people { each row; require age > 1; severity income }`,
      flagged(['x'], 4812),
      {
        'Exclude the 4812 flagged rows':
          'There are 4812 of them, more than the 1 that can be listed by key, and the rule is not one that a view can repeat. Narrow the rule, or write the view by hand.',
      },
    ],
    [
      'keys that are no text on one line',
      `source people { from 'people.csv'; key name }\nassert a on people { each row; require age > 1; severity income }`,
      flagged(['x\ny']),
      { 'Exclude the flagged row': 'Their keys cannot be written down. Declare a `key` of numbers or short texts.' },
    ],
    ['nothing where the rule holds', `${people}assert a on people { each row; require age > 1 }`, { ...flagged([]), state: 'current' }, {}],
  ])('%s', (_, fixture, last, wanted) => expect(excluded(fixture, last)).toEqual(wanted))

  test('suspects of a complaint', () => {
    const model = `model m on people { predict married; from age; kind logistic; train on train }\n`
    const complaint = `complaint a using m { query select count(*) as n from people.rest where predict(married); expect n <= 2; blame top 25 rows of train by influence }`
    const last: LastResult = {
      result: {
        kind: 'complaint',
        name: 'a',
        status: 'violated',
        provenance,
        ranking: ['x', 'y'].map((key, i) => ({ key, influence: 1, rank: i + 1 })),
      },
      state: 'current',
    }
    expect(Object.keys(excluded(`${people}${model}${complaint}`, last))).toEqual(['Exclude the 2 suspects, by key'])
  })
})

test('every slice that was found can be kept', () => {
  const slices = Array.from({ length: 12 }, (_, i) => ({ where: `city = 'X${i}' and age>=${i}`, predicates: {} }))
  const last = {
    result: { kind: 'discover', name: 'weak', status: 'ok', provenance, slices } as unknown as LastResult['result'],
    state: 'current' as const,
  }
  const text = format(
    `source people { from 'people.csv'; split train 80%, rest 20% }\ndiscover weak on people.rest { over city; error age }`,
  ).text
  const { snapshot, position } = at(text.replace('weak', 'we|ak'), { results: { weak: last } })
  const found = codeActions(snapshot, { start: position, end: position }).filter((one) => one.title.startsWith('Keep slice'))
  expect(found).toHaveLength(12)
  for (const action of found) {
    const after = edited(text, action.edit!.changes![snapshot.uri(snapshot.path)]!)
    expect(diagnosticsOf(snapshotOf(after))).toEqual([])
    expect(format(after).text).toBe(after)
  }
})
