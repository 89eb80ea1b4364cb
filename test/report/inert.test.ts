import { parseHTML } from 'linkedom'
import { describe, expect, test } from 'vitest'
import type { Result } from '../../server/src/protocol/results.ts'
import { htmlReport } from '../../server/src/report/html.ts'
import { inert, widthOf } from '../../server/src/report/inert.ts'
import { jsonReport } from '../../server/src/report/json.ts'
import { textReport } from '../../server/src/report/text.ts'
import { assertion, complaint, diagonal, intervene, model, reportOf, viewOf } from './samples.ts'

/** Whatever data or a file holds is shown, and does nothing. */
const hostile = {
  escape: '\u001b[2J\u001b]0;owned\u0007',
  c1: '\u009b31m',
  bidi: 'safe\u202egnp.exe\u2066',
  zeroWidth: 'a\u200bb\ufeff',
  lines: 'one\ntwo\r\u2028three',
  markup: '</td><script>alert(1)</script><img src=x onerror=alert(1)>',
  attribute: '" onmouseover="alert(1)',
  lone: 'half\ud800',
  tags: 'x\u{e0041}',
  long: 'x'.repeat(10_000_000),
}

describe('inert', () => {
  test.each([
    ['plain', 'plain'],
    ['\u001b[31m', '\\u001b[31m'],
    ['a\tb\nc', 'a\\tb\\nc'],
    ['a\u202eb', 'a\\u202eb'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\u{e0041}'],
    ['naïve 東京 👍', 'naïve 東京 👍'],
  ])('%j is written %j', (before, after) => expect(inert(before)).toBe(after))

  test('long text is cut at a whole letter, with its length', () => {
    expect(inert('👍'.repeat(100), 5)).toBe('👍👍… (200 characters)')
    expect(inert(hostile.long, 10)).toBe('xxxxxxxxxx… (10000000 characters)')
  })

  test('width counts what a terminal shows', () => expect(['abc', '東京', 'e\u0301', '👍'].map(widthOf)).toEqual([3, 4, 1, 2]))
})

const values = { ...hostile }
const everywhere: Result[] = [
  {
    ...assertion,
    name: hostile.escape,
    flagged: [{ key: hostile.bidi, severity: 1, rows: [], values: { [hostile.markup]: hostile.c1, ...values } }],
  } as Result,
  {
    ...complaint,
    expectations: [
      {
        expect: hostile.markup,
        actual: 1,
        relaxed: null,
        expected: hostile.escape,
        satisfied: false,
        group: { [hostile.bidi]: hostile.markup },
      },
    ],
    method: hostile.escape,
    ranking: [1, 2, 3].map((rank) => ({
      key: [hostile.markup, hostile.escape],
      rank,
      influence: rank,
      label: hostile.bidi,
      prediction: hostile.attribute,
      confidence: 1,
      treatment: hostile.markup,
      values,
    })),
  } as Result,
  {
    ...model,
    measuredOn: hostile.escape,
    perSlice: [hostile.markup, hostile.escape].map((slice) => ({ slice, rows: 1, loss: 1, metric: 0.5 })),
  } as Result,
  { ...intervene, before: { [hostile.markup]: 1, [hostile.escape]: 2 }, after: { [hostile.markup]: 2, [hostile.escape]: 1 } } as Result,
  { ...model, status: 'failed', message: hostile.escape, hint: hostile.markup, notes: [hostile.bidi] } as Result,
]
const key = JSON.stringify([hostile.markup, hostile.escape])
const report = reportOf(
  everywhere.map((result) => ({
    ...viewOf(result, { [key]: diagonal([hostile.markup]) }, hostile.markup),
    doc: `${hostile.escape}\n${hostile.markup}`,
  })),
  {
    file: hostile.markup,
    problems: [
      {
        code: hostile.escape,
        severity: 'error',
        message: hostile.bidi,
        file: hostile.escape,
        line: 1,
        column: 1,
        endLine: 1,
        endColumn: 1,
        hint: hostile.markup,
      },
    ],
  },
)
const dangerous = /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u

test('text: nothing moves the cursor, turns the writing round or floods the terminal', () => {
  const text = textReport(report, { colour: false, width: 100 })
  expect(text).not.toMatch(dangerous)
  expect(text.length).toBeLessThan(20_000)
})

test('text in colour: only our own escapes', () => {
  const text = textReport(report, { colour: true, width: 100 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escapes that may be there
  expect(text.replace(/\u001b\[(?:1|2|22|31|32|33|39)m/g, '')).not.toMatch(dangerous)
})

test('json: hidden letters are spelled, and read back as they were', () => {
  const small = { ...report.file, file: `${hostile.escape}${hostile.bidi}${hostile.tags}`, results: [], problems: [] }
  const json = jsonReport(small)
  expect(json).not.toMatch(dangerous)
  expect(JSON.parse(json)).toEqual(small)
})

test('html: text stays text', async () => {
  const page = await htmlReport(report)
  expect(dangerous.test(page)).toBe(false)
  expect(page.includes('<script') || page.includes('<img src=x')).toBe(false)
  const elements = [...parseHTML(page).document.querySelectorAll('*')]
  expect(
    elements.filter((element) => /^(script|iframe)$/i.test(element.tagName) || [...element.attributes].some((a) => /^on/i.test(a.name))),
  ).toHaveLength(0)
  expect(page.length).toBeLessThan(400_000)
})
