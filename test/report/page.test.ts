import { parseHTML } from 'linkedom'
import { describe, expect, test } from 'vitest'
import type { Page, PageAddress } from '../../server/src/protocol/pages.ts'
import type { DiscoverResult, Json, Result } from '../../server/src/protocol/results.ts'
import type { View } from '../../server/src/protocol/views.ts'
import { pageOf } from '../../server/src/report/page.ts'
import { assertion, complaint, diagonal, discover, everyKind, intervene, model, partition, provenance, viewOf } from './samples.ts'

/** Pages of panels, made from views alone. */
const hostile = {
  escape: '\u001b[2J\u001b]0;owned\u0007',
  bidi: 'safe\u202egnp.exe\u2066',
  lines: 'one\ntwo\r\u2028three',
  markup: '</text><script>alert(1)</script><a href="javascript:alert(1)">x</a>',
  lone: 'half\ud800',
  link: 'javascript:alert(1)',
  long: 'x'.repeat(10_000_000),
}
const address: PageAddress = { uri: 'file:///w/a.assay', name: 'few', what: 'result' }
const of = (view: View, more: Partial<PageAddress> = {}) => pageOf({ address: { ...address, ...more }, view, state: 'current' })

const values: Readonly<Record<string, Json>> = { ...hostile, [hostile.markup]: hostile.markup }
const all = Object.values(hostile)
const bad: readonly View[] = [
  {
    ...viewOf({ ...assertion, flagged: all.map((key) => ({ key, severity: 1, rows: [key], values })), sql: hostile.long } as Result),
    text: hostile.long,
  },
  viewOf(
    {
      ...complaint,
      ranking: all.map((key, i) => ({
        key,
        rank: i + 1,
        influence: 1 / (i + 1),
        label: hostile.markup,
        prediction: hostile.bidi,
        treatment: hostile.escape,
        values,
        why: [{ source: hostile.markup, key: hostile.bidi, share: 0.5, label: hostile.escape, prediction: hostile.long }],
      })),
    } as Result,
    Object.fromEntries(all.map((key) => [JSON.stringify(key), diagonal(key)])),
  ),
  viewOf({ ...model, perSlice: all.map((slice) => ({ slice, rows: 10, loss: 1, metric: 0.5 })) } as Result),
  viewOf({ ...partition, slices: all.map((name) => ({ name, predicates: { [name]: name }, rows: 10 })) } as Result),
  viewOf({
    ...discover,
    error: hostile.markup,
    source: hostile.bidi,
    slices: (discover as DiscoverResult).slices!.map((slice, i) => ({
      ...slice,
      where: hostile.markup,
      predicates: { [all[i % 6]!]: all[i % 7]! },
    })),
  } as DiscoverResult),
  viewOf({
    ...intervene,
    before: Object.fromEntries(all.map((name) => [name, 1])),
    after: Object.fromEntries(all.map((name) => [name, 2])),
  } as Result),
  viewOf({
    kind: 'source',
    name: hostile.bidi,
    status: 'ok',
    provenance,
    rows: 9,
    splits: Object.fromEntries(all.map((name) => [name, 1])),
    columns: all.map((name) => ({ name, type: name })),
    preview: {
      columns: all.map((name) => ({ name, type: 'text' })),
      rows: all.map((key) => ({ key, values: all })),
      total: 9,
    },
  } as Result),
  viewOf({
    kind: 'assert',
    name: hostile.bidi,
    status: 'planned',
    provenance,
    steps: all.map((what) => ({ what, sql: what, rows: null })),
  } as Result),
  viewOf({
    kind: 'model',
    name: hostile.bidi,
    status: 'failed',
    provenance,
    message: hostile.markup,
    hint: hostile.escape,
    notes: all,
  } as Result),
]

describe('hostile data', () => {
  test.each(bad.map((view) => [view.result.kind, view.result.status, view] as const))('%s (%s)', async (_, __, view) => {
    const page = await of({ ...view, doc: hostile.lines }, { where: hostile.escape })
    for (const text of shownTexts(page)) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      expect(text.length).toBeLessThan(25_000)
    }
    for (const section of page.sections) {
      if (section.type === 'table') {
        expect(JSON.stringify(section.rows.map((row) => row.values)).length).toBeLessThan(10_000_000)
        continue
      }
      expect(section.svg).not.toMatch(/<script|<style|<foreignObject/i)
      const { document } = parseHTML(`<body>${section.svg}</body>`)
      const attributes = [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes].map((attribute) => attribute.name))
      expect(attributes.filter((name) => /^on|^style$/i.test(name))).toEqual([])
      for (const link of document.querySelectorAll('a')) {
        expect(link.getAttribute('href')).toMatch(/^#[\w-]+\/\d+$/)
        expect(link.getAttribute('aria-label')).toBeTruthy()
      }
    }
  })
})

/** Everything that a panel shows; values and keys are for sorting and saving. Lines of what keeps its lines, one by one. */
function shownTexts(page: Page): string[] {
  const texts = [
    page.title,
    page.verdict,
    page.provenance,
    ...page.sentences,
    ...page.notes,
    ...page.figures.flatMap((one) => [one.name, one.value]),
  ]
  for (const text of [page.text, page.doc ?? '', page.sql ?? '']) texts.push(...text.split('\n'))
  for (const section of page.sections) {
    if (section.type === 'chart') {
      texts.push(section.sentence)
      continue
    }
    texts.push(section.title, section.note ?? '', ...section.columns.map((one) => one.name))
    for (const row of section.rows) texts.push(...row.cells, ...(row.why ?? []).map((one) => one.text))
  }
  return texts
}

describe('every kind', () => {
  test.each(everyKind.map((result) => [result.kind, result] as const))('%s', async (_, result) => {
    const page = await of(viewOf(result))
    expect(page).toMatchObject({ schema: 'assay-page/1', kind: result.kind, address })
    const ids = page.sections.map((one) => one.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const section of page.sections) {
      if (section.type === 'chart') {
        expect(ids).toContain(section.table)
        continue
      }
      for (const row of section.rows) {
        expect(row.cells).toHaveLength(section.columns.length)
        expect(row.values).toHaveLength(section.columns.length)
        section.columns.forEach((column, c) => {
          if (column.type === 'number') expect(row.values[c] === null || typeof row.values[c] === 'number').toBe(true)
        })
      }
    }
  })

  test('pictures stand in a column of their own, behind the rank; why says through which rows', async () => {
    const ranking = [1000, 1007, 1014].map((key, i) => ({
      key,
      rank: i + 1,
      influence: 3 - i,
      why: [{ source: 'mail', key: 5, share: 0.031, label: 1, prediction: 7, confidence: 0.93 }],
    }))
    const pictures = { '1000': diagonal(1000), '1007': diagonal(1007), '1014': diagonal(1014), '["mail",5]': diagonal(5) }
    const page = await of(viewOf({ ...complaint, ranking } as Result, pictures))
    const [section] = page.sections
    if (section?.type !== 'table') throw new Error('a table comes first')
    expect(section.columns.slice(0, 3)).toEqual([
      { name: 'rank', type: 'number' },
      { name: 'picture', type: 'picture' },
      { name: 'key', type: 'text' },
    ])
    expect(section.rows[1]).toMatchObject({
      cells: ['2', 'row 1007', '1007', '2'],
      values: [2, null, 1007, 2],
      picture: expect.stringMatching(/^data:image\/png;base64,/),
      why: [
        {
          text: '5 of mail: 3.1 % of what it does for the complaint goes through this row; label 1; the model says 7 (0.93).',
          picture: expect.stringMatching(/^data:image\/png/),
        },
      ],
    })
  })

  test('rows of a preview: numbers as numbers, pictures in place of bytes', async () => {
    const result = {
      kind: 'source',
      name: 'mail',
      status: 'ok',
      provenance,
      rows: 10_000,
      preview: {
        columns: [
          { name: 'index', type: 'number' },
          { name: 'image', type: 'image' },
        ],
        rows: [{ key: 0, values: [0, '784 bytes'] }],
        total: 10_000,
      },
    } as Result
    const page = await of(viewOf(result, { '0': diagonal(0) }), { what: 'preview' })
    expect(page.sections[0]).toMatchObject({
      id: 'rows',
      columns: [{ type: 'picture' }, { name: 'index', type: 'number' }],
      rows: [{ cells: ['row 0', '0'], key: 0 }],
      note: 'The first 1 of 10 000 rows.',
      actions: [{ id: 'show-row', single: true }],
    })
    expect(page.actions.map((one) => one.id)).toEqual(['declaration'])
  })
})
