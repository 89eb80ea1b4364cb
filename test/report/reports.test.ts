import { createHash } from 'node:crypto'
import { decode } from 'fast-png'
import { parseHTML } from 'linkedom'
import { describe, expect, test } from 'vitest'
import type { ComplaintResult, DiscoverResult, Result } from '../../server/src/protocol/results.ts'
import { htmlReport } from '../../server/src/report/html.ts'
import { jsonReport } from '../../server/src/report/json.ts'
import { textReport } from '../../server/src/report/text.ts'
import { assertion, complaint, diagonal, discover, everyKind, intervene, reportOf, skipped, viewOf } from './samples.ts'

const text = (...results: Result[]) => textReport(reportOf(results.map((result) => viewOf(result))), { colour: false, width: 100 })

describe('text', () => {
  test('a complaint: what is, what was expected, who is to blame and what the model thinks of them', () => {
    const said = text(complaint)
    expect(said).toContain('complaint too_many_sevens · STANDS')
    expect(said).toMatch(/sevens <= 1028\s+1 352\s+→\s+<= 1028\s+1 340\.3\s+no/)
    expect(said).toMatch(/rank\s+key\s+label\s+model's opinion\s+influence/)
    expect(said).toMatch(/1\s+1000\s+7\s+1 \(0\.99\)\s+0\.4200/)
    expect(said.match(/relabel to 1/g)).toHaveLength(25)
    expect(said).toContain('data 3fa9c1d2e4b5 · plan 81c7aa0912fe · seed 7 · 60 000 rows · 8.2 s')
    expect(said).toContain('computed on wasm (cpu, 2 threads), self-test passed')
  })

  test('an intervention: before and after', () => {
    expect(text(intervene)).toMatch(/accuracy on mail\s+0\.8812\s+→\s+0\.9134\s+up by 0\.0322/)
  })

  test('the last line counts what happened', () => {
    expect(text(...everyKind)).toContain('7 declarations ran: 1 complaint stands, 1 assertion fails, 1 skipped.')
    expect(text(intervene)).toContain('1 declaration ran: everything holds.')
  })

  test('a baseline is not called influence, and a bound keeps its direction', () => {
    const expectations = ['200 <= n', "n <= 200 where c = 'a <= 3'", 'n = 200'].map((expect) => ({
      expect,
      actual: 7,
      relaxed: 7,
      expected: 200,
      satisfied: false,
    }))
    const said = text({ ...complaint, method: 'loss', expectations } as Result)
    expect(said).toMatch(/model's opinion\s+loss\s+treatment/)
    expect(said).not.toContain('predicted improvement')
    expect([...said.matchAll(/→\s+(\S*) ?200 /g)].map((found) => found[1])).toEqual(['>=', '<=', ''])
  })

  test('an assertion counts what could be judged, and says what its level makes of a failure', () => {
    const failing = { ...assertion, checked: 400, unknown: 18, failed: 11, fraction: 11 / 382 } as Result
    expect(text(failing)).toContain('11 of 382 fail (2.88 %). 18 more are unknown (the rule is NULL): neither passed nor failed.')
    const mild = { ...failing, level: 'warning' } as Result
    expect(text(mild)).toContain('· FAILS (WARNING)')
    expect(text(mild)).toContain('1 declaration ran: 1 assertion fails as a warning.')
    expect(text({ ...failing, status: 'ok', unknown: 400, failed: 0, fraction: 0 } as Result)).toContain(
      'Nothing could be judged. 400 are unknown',
    )
  })

  test('what was skipped says why', () => expect(text(skipped)).toContain('`acquire` is checked and not yet run.'))

  test('slices that repeat another stand below, with their exact rank', () => {
    const { slices } = discover as DiscoverResult
    const overlapping = {
      ...discover,
      slices: slices!.slice(0, 3).map((slice, i) => ({ ...slice, overlaps: i === 1 ? [0] : [] })),
    } as Result
    const ranks = [...text(overlapping).matchAll(/^ {4}(\d) .*?(?: {2}(\d))?$/gm)].map((found) => [found[1], found[2]])
    expect(ranks).toEqual([
      ['1', undefined],
      ['3', undefined],
      ['2', '1'],
    ])
  })

  test('columns stay aligned whatever letters they hold', () => {
    const ranking = ['a', '東京', 'e\u0301e\u0301'].map((key, i) => ({ key, rank: i + 1, influence: 1, label: 'x' }))
    const lines = text({ ...complaint, ranking } as Result).split('\n')
    const rows = lines.filter((line) => / x +1$/.test(line))
    expect(rows).toHaveLength(3)
  })

  test('numbers that are none are said to be', () => {
    const odd = {
      ...complaint,
      expectations: [{ expect: 'm = 1', actual: null, relaxed: Number.NaN, expected: 1, satisfied: false }],
    } as Result
    expect(text(odd)).toMatch(/m = 1\s+none\s+→\s+1\s+none\s+no/)
  })
})

test('json: the result object, numbers that are none as null', () => {
  const report = reportOf([viewOf({ ...complaint, relaxed: Number.POSITIVE_INFINITY } as Result)])
  const read = JSON.parse(jsonReport(report.file))
  expect(read.schema).toBe('assay-result/1')
  expect(read.results[0].relaxed).toBeNull()
  expect(read.results[0].ranking).toHaveLength(25)
})

describe('html', () => {
  const ranking = (complaint as ComplaintResult).ranking!
  const pictures = Object.fromEntries(ranking.map((row) => [JSON.stringify(row.key), diagonal(row.key)]))
  const page = htmlReport(
    reportOf(everyKind.map((result) => viewOf(result, result.kind === 'complaint' ? pictures : {}, 'kind name {\n}'))),
  )
  const documentOf = async () => parseHTML(await page).document

  test('stands alone: no script, no link, no style but the one its policy names', async () => {
    const document = await documentOf()
    expect(document.querySelectorAll('script, link, iframe, object, embed, base')).toHaveLength(0)
    expect(document.querySelectorAll('style')).toHaveLength(1)
    expect(document.querySelectorAll('[style]')).toHaveLength(0)
    const hash = createHash('sha256').update(document.querySelector('style')!.textContent!).digest('base64')
    const policy = document.querySelector('meta[http-equiv]')!.getAttribute('content')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`style-src 'sha256-${hash}'`)
    expect((await page).match(/(?:src|href)="(?!data:image\/png;base64,|#)/g)).toBeNull()
    expect((await page).replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|url\(/)
  })

  test('shows the pictures of the suspects, in order, pixel for pixel', async () => {
    const images = [...(await documentOf()).querySelectorAll('.suspects img')]
    expect(images).toHaveLength(25)
    const png = decode(Buffer.from(images[0]!.getAttribute('src')!.split(',')[1]!, 'base64'))
    expect([png.width, png.height, png.data[0], png.data[1], png.data[9]]).toEqual([8, 8, 255, 0, 255])
  })

  test('each chart is named, said in a sentence, and its numbers stand in a table', async () => {
    const document = await documentOf()
    for (const kind of ['model', 'partition', 'discover', 'complaint', 'intervene']) {
      const section = [...document.querySelectorAll('section')].find((s) => s.querySelector('.kind')?.textContent === kind)!
      const chart = section.querySelector('svg[role=img]')
      expect(chart?.getAttribute('aria-label'), kind).toBeTruthy()
      expect(section.querySelector('figcaption')?.textContent, kind).toMatch(/\.$/)
      expect(section.querySelector('table'), kind).toBeTruthy()
    }
  })

  test('a picture that is not what it says is left out', async () => {
    const broken = { ...diagonal(1000), width: 9 }
    const document = parseHTML(await htmlReport(reportOf([viewOf(complaint, { 1000: broken })]))).document
    expect(document.querySelectorAll('img')).toHaveLength(0)
    expect(document.querySelectorAll('tbody tr').length).toBeGreaterThanOrEqual(25)
  })

  test('a report of nothing is a page too', async () => expect(await htmlReport(reportOf([], { backend: null }))).toContain('<h1>'))
})
