import { describe, expect, test } from 'vitest'
import { needsNoModel } from '../../client/src/model-free.ts'
import { asked, reasonOf, summaryOf } from '../../client/src/outcomes.ts'
import { planLines } from '../../client/src/plan-lines.ts'
import { serverSettings } from '../../client/src/server-settings.ts'
import { failureMarkdown, testVerdict } from '../../client/src/test-messages.ts'
import { checkAnswer, resultAnswer } from '../../client/src/tool-answers.ts'
import type { FlaggedRow, Result, ResultFile } from '../../server/src/protocol/results.ts'

const provenance = { dataHash: 'd', planHash: 'p', seed: 7, rows: 3, elapsedMs: 5 }
const result = (given: object): Result => ({ kind: 'assert', name: 'plausible', status: 'ok', provenance, ...given }) as Result
const flagged: FlaggedRow[] = Array.from({ length: 12 }, (_, key) => ({ key, severity: 1, rows: [key], values: { note: `a | b ${key}` } }))
const failing = result({ status: 'violated', checked: 300, failed: 12, unknown: 2, flagged, total: 4812 })
const file = (results: readonly Result[]): ResultFile => ({
  schema: 'assay-result/1',
  file: 'a.assay',
  backend: null,
  results,
  problems: [],
})

describe('a run in words', () => {
  test.each([
    [[result({})], '1 declaration ran: everything holds.'],
    [
      [failing, result({ kind: 'complaint', status: 'violated' }), result({ status: 'failed' })],
      '3 declarations ran: 1 assertion fails, 1 complaint stands, 1 could not be computed.',
    ],
    [[result({}), result({ status: 'skipped' })], '1 declaration ran: everything holds; 1 was skipped.'],
  ])('%#', (results, expected) => expect(summaryOf(results)).toBe(expected))

  test('what was asked for, whatever else was computed, in any case of letters', () => {
    expect(asked(file([failing, result({ name: 'other' })]), ['Plausible'])).toEqual([failing])
  })

  test.each([
    [{ message: 'No file `a.csv`.', hint: 'Is it `b.csv`?' }, 'No file `a.csv`. Is it `b.csv`?'],
    [{ message: 'No column `vists`.', hint: 'visits' }, 'No column `vists`. Try visits.'],
    [{ message: 'Did you mean `visits`?', hint: 'visits' }, 'Did you mean `visits`?'],
    [{}, ''],
  ])('%o', (given, expected) => expect(reasonOf(given)).toBe(expected))
})

describe('a test', () => {
  test.each([
    [result({ checked: 3, unknown: 0 }), 'passed'],
    [failing, 'failed'],
    [result({ kind: 'complaint', status: 'violated' }), 'failed'],
    [result({ status: 'failed' }), 'errored'],
    [result({ checked: 3, unknown: 3 }), 'skipped'],
    [result({ status: 'skipped' }), 'skipped'],
    [result({ status: 'cancelled' }), 'skipped'],
    [undefined, 'skipped'],
  ])('%#', (given, expected) => expect(testVerdict(given)).toBe(expected))

  test('that fails shows its first ten rows and how many more there are', () => {
    const lines = failureMarkdown(failing).split('\n')
    expect(lines[0]).toBe('12 of 300 fail. 2 are unknown.')
    expect(lines.slice(2, 5)).toEqual(['| `key` | `note` |', '| --- | --- |', '| `0` | `a ¦ b 0` |'])
    expect(lines.at(-1)).toBe('and 4802 more')
  })

  test('of a complaint shows what is expected, and suspects', () => {
    const ranking = [{ key: 5, influence: 0.123456, rank: 1, label: '7', prediction: '1' }]
    const expectations = [{ expect: 'n <= 99', actual: 118, relaxed: 135, expected: 99, satisfied: false }]
    const said = failureMarkdown(result({ kind: 'complaint', status: 'violated', ranking, expectations }))
    expect(said).toContain('`n <= 99` is expected, and the query gives 118.')
    expect(said).toContain('| `5` | `7` | `1` | `0.1235` |')
  })
})

describe('what a chat assistant is given', () => {
  test('is JSON of a sane size, however long the lists', () => {
    const many = Array.from({ length: 5000 }, (_, key) => ({ key, severity: 1, rows: [key], values: { note: 'x'.repeat(1000) } }))
    const text = resultAnswer(file([result({ status: 'violated', flagged: many, total: 5000 })]))
    expect(text.length).toBeLessThanOrEqual(24_000)
    expect(JSON.parse(text).results[0]).toMatchObject({ status: 'violated', total: 5000 })
    expect(text).toMatch(/… and 49\d\d more/)
  })
  test.each([2_000_000, 24_000, 5000, 300, 10])('is whole JSON, in at most %i characters where anything fits', (most) => {
    const results = Array.from({ length: 60 }, (_, i) => result({ name: `n${i}`, message: 'x'.repeat(400) }))
    const text = resultAnswer(file(results), most)
    expect(JSON.parse(text).schema).toBe('assay-result/1')
    if (most > 100) expect(text.length).toBeLessThanOrEqual(most)
  })
  test('has problems and what is declared', () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } }
    const text = checkAnswer(file([]), [{ name: 'people', kind: 'source', range, nameRange: range }])
    expect(JSON.parse(text)).toEqual({ file: 'a.assay', problems: [], declarations: [{ name: 'people', kind: 'source' }] })
  })
})

test('a plan that is asked about says its steps and what they cost', () => {
  const steps = [
    { what: 'read pool', rows: null },
    { what: 'buy', rows: 500, cost: 0.1 },
    { what: 'buy', rows: 20, cost: 0.2 },
  ]
  expect(planLines({ steps })).toEqual([
    '1. read pool',
    '2. buy (500 rows, cost 0.1)',
    '3. buy (20 rows, cost 0.2)',
    'Altogether at most 0.3.',
  ])
})

test.each([
  [['read people', 'judge rows'], true],
  [['read people', 'train churn', 'judge rows'], false],
  [['read people', 'predict people with churn', 'judge rows'], false],
  [[], false],
])('saving runs %j: %s', (steps, expected) => {
  expect(needsNoModel({ steps: steps.map((what) => ({ what, rows: null })) })).toBe(expected)
})

test('settings have the names that the server knows', () => {
  expect(serverSettings({ engine: 'wasm', diagnostics: { maxPerFile: 5 }, run: { onSave: 'off' } })).toEqual({
    engine: 'wasm',
    maxPerFile: 5,
    run: { onSave: 'off' },
  })
  expect(serverSettings(null)).toBeNull()
})
