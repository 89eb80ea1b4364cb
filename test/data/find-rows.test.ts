import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTables } from '../../server/src/data/duckdb.ts'
import { keyedSelect } from '../../server/src/data/keys.ts'
import { type PlacedRow, placeRows } from '../../server/src/data/place-rows.ts'
import type { FileReading } from '../../server/src/data/reading.ts'
import { rowPositions } from '../../server/src/data/row-positions.ts'
import type { Tables } from '../../server/src/data/tables.ts'
import { printSelect } from '../../server/src/sql/print.ts'
import { KEY, type ReadingOption } from '../../server/src/sql/tree.ts'
import { toyFolder } from '../support/run-toy.ts'

/**
 * Where rows stand in texts. A fixture marks what is to be found: `«` and `»` stand around the cell of column `v` in each wanted row; they are not part
 * of the text. The keys are the database's own: the rows' values of `k`, or hashes of their content.
 */
interface Fixture {
  readonly text: string
  readonly name?: string
  readonly options?: Readonly<Record<string, ReadingOption>>
  readonly key?: readonly string[]
  readonly more?: Readonly<Record<string, string>>
}

let tables: Tables
beforeAll(async () => void (tables = await openTables({ threads: 1 })))
afterAll(() => tables.close())

async function found({
  text,
  name = 'data.csv',
  options = {},
  key = ['k'],
  more = {},
}: Fixture): Promise<{ wanted: string[]; places: string[] }> {
  const clean = text.replace(/[«»]/g, '')
  const folder = toyFolder({
    [name]: clean,
    ...Object.fromEntries(Object.entries(more).map(([file, other]) => [file, other.replace(/[«»]/g, '')])),
  })
  const format = name.endsWith('.jsonl') ? 'jsonl' : name.endsWith('.tsv') ? 'tsv' : 'csv'
  const path = Object.keys(more).length > 0 ? join(folder, '*.csv') : join(folder, name)
  const reading: FileReading = { kind: 'file', format, path, options }
  const columns = await tables.describe(reading)
  await tables.read('r', reading)
  const keys = await tables.query(`${printSelect(keyedSelect('r', key, columns))} order by "assay row"`)
  const data = keys.columns.find((one) => one.name === KEY)!.data
  const all = Array.from({ length: keys.rows }, (_, i) =>
    data.kind === 'text'
      ? data.dictionary[data.codes[i]!]!
      : data.kind === 'number'
        ? data.values[i]!
        : data.kind === 'boolean'
          ? data.values[i] === 1
          : '',
  )
  const rows = all.map((one, i) => ({ id: String(i), key: key.length > 1 ? JSON.parse(String(one)) : one, values: {} }))
  const texts = Object.entries({ [name]: text, ...more }).sort(([a], [b]) => (a < b ? -1 : 1))
  const placed = await placeRows({ reading, columns, key, rows, cells: ['v'] }, (asked) => rowPositions(tables, asked))
  const shown = (place: PlacedRow | undefined) => {
    const cell = place?.cells.get('v')
    return cell === undefined
      ? 'none'
      : `${place!.path.slice(folder.length + 1)} ${cell.start.line}:${cell.start.character}-${cell.end.line}:${cell.end.character}`
  }
  const wanted = texts.flatMap(([file, marked]) => marks(marked).map((one) => `${file} ${one}`))
  return { wanted, places: rows.map((row) => shown(placed.get(row.id))) }
}

/** Places between the marks, by lines as editors count them. */
function marks(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  const open: string[] = []
  const shut: string[] = []
  for (const [i, line] of lines.entries()) {
    const clean = (upTo: number) => line.slice(0, upTo).replace(/[«»]/g, '').length
    for (let at = 0; at < line.length; at++) {
      if (line[at] === '«') open.push(`${i}:${clean(at)}`)
      if (line[at] === '»') shut.push(`${i}:${clean(at)}`)
    }
  }
  return open.map((one, i) => `${one}-${shut[i]}`)
}

describe('rows are found where they stand', () => {
  test.each<readonly [string, Fixture]>([
    ['plain', { text: 'k,v\n1,«a»\n2,«b»\n' }],
    ['no end of line at the end', { text: 'k,v\n1,«a»\n2,«b»' }],
    ['windows', { text: 'k,v\r\n1,«a»\r\n2,«b»\r\n' }],
    ['byte order mark', { text: '\uFEFFk,v\n1,«a»\n2,«b»\n' }],
    ['quotes with delimiters and lines', { text: 'v,k\n«"x, ""y""\nz"»,1\n«b»,2\n«"c\n\nd"»,3\n' }],
    ['quotes with windows lines', { text: 'v,k\r\n«"x\r\nz"»,1\r\n«b»,2\r\n' }],
    ['letters beyond ASCII and beyond 16 bits', { text: 'k,w,v\nä,é😀,«ö»\n日本,x,«y😀»\n' }],
    ['semicolons', { text: 'k;v\n1;«a»\n2;«b,c»\n' }],
    ['a delimiter that is told', { text: 'k~v\n1~«a»\n2~«b»\n', options: { delim: '~' } }],
    ['tabs', { text: 'k\tv\n1\t«a»\n2\t«b»\n', name: 'data.tsv' }],
    ['numbers as they are written', { text: 'k,v\n007,«a»\n8.50,«b»\n-1e3,«c»\n' }],
    ['long integers', { text: 'k,v\n9007199254740993,«a»\n9007199254740992,«b»\n' }],
    ['true and false', { text: 'k,v\ntrue,«a»\nFalse,«b»\n' }],
    ['dates written otherwise', { text: 'k,v\n31.12.2020,«a»\n01.02.2021,«b»\n', options: { dateformat: '%d.%m.%Y' } }],
    ['empty lines', { text: 'k,v\n\n1,«a»\n\n\n2,«b»\n', key: [] }],
    ['lines above the header', { text: 'made by hand\nk,v\n1,«a»\n2,«b»\n', options: { skip: 1 } }],
    ['empty cells', { text: 'k,v,w\n1,«»,x\n2,«»,y\n' }],
    ['two columns of key', { text: 'k,l,v\n1,a,«a»\n1,b,«b»\n2,a,«c»\n', key: ['k', 'l'] }],
    ['by content', { text: 'a,v\n1.50,«x»\n2,«y»\n3,«"z\nz"»\n', key: [] }],
    ['equal rows, by content', { text: 'a,v\n1,«x»\n2,«y»\n1,«x»\n1,«x»\n', key: [] }],
    ['JSON lines', { text: '{"k": 1, "v": «"a\\"}"»}\n{"v":«[1, {"v": 2}]»,"k":2}\n\n{"k":3,"w":"é😀","v":«null»}\n', name: 'data.jsonl' }],
    ['JSON lines, by content', { text: '{"a": 1, "v": «true»}\n{"a": 2, "v": «false»}\n', name: 'data.jsonl', key: [] }],
    ['several files', { text: 'k,v\n1,«a»\n2,«b»\n', name: 'a.csv', more: { 'b.csv': 'k,v\n3,«c»\n', 'c.csv': 'k,v\n4,«d»\n' } }],
    ['several files, by content', { text: 'k,v\n1,«a»\n2,«b»\n', name: 'a.csv', more: { 'b.csv': 'k,v\n1,«a»\n3,«c»\n' }, key: [] }],
  ])('%s', async (_, fixture) => {
    const { wanted, places } = await found(fixture)
    expect(places).toEqual(wanted)
    expect(places.length).toBeGreaterThan(0)
  })

  test('no header', async () => {
    const folder = toyFolder({ 'data.csv': '1,a\n2,b\n' })
    const reading: FileReading = { kind: 'file', format: 'csv', path: join(folder, 'data.csv'), options: { header: false } }
    const columns = await tables.describe(reading)
    const rows = [{ id: 'x', key: 2, values: {} }]
    const placed = await placeRows({ reading, columns, key: ['column0'], rows, cells: ['column1'] }, async () => [])
    expect(placed.get('x')?.cells.get('column1')).toEqual({ start: { line: 1, character: 2 }, end: { line: 1, character: 3 } })
  })

  test('a row that says something else than it should is not taken for it', async () => {
    const folder = toyFolder({ 'data.csv': 'k,v\n1,5\n2,6\n' })
    const reading: FileReading = { kind: 'file', format: 'csv', path: join(folder, 'data.csv'), options: {} }
    const columns = await tables.describe(reading)
    const rows = [
      { id: 'x', key: 1, values: { v: 5 } },
      { id: 'y', key: 2, values: { v: 7 } },
    ]
    const placed = await placeRows({ reading, columns, key: ['k'], rows, cells: ['v'] }, async () => [null])
    expect([...placed.keys()]).toEqual(['x'])
  })

  test('a large file is looked through piece by piece, and others get their turn', async () => {
    const n = 300_000
    const folder = toyFolder({
      'data.csv': `k,v\n${Array.from({ length: n }, (_, i) => `${i},"a text, in quotes, of row ${i}"`).join('\n')}\n`,
    })
    const reading: FileReading = { kind: 'file', format: 'csv', path: join(folder, 'data.csv'), options: {} }
    const columns = [
      { name: 'k', type: 'number' as const, sqlType: 'BIGINT' },
      { name: 'v', type: 'text' as const, sqlType: 'VARCHAR' },
    ]
    let turns = 0
    const turn = setInterval(() => turns++, 1)
    const rows = [{ id: 'x', key: n - 1, values: { v: `a text, in quotes, of row ${n - 1}` } }]
    const placed = await placeRows({ reading, columns, key: ['k'], rows, cells: ['v'] }, async () => [])
    clearInterval(turn)
    expect(placed.get('x')?.cells.get('v')?.start).toEqual({ line: n, character: 7 })
    expect(turns).toBeGreaterThan(5)
  })

  test('a quote that is never closed is no reason to read everything into memory', async () => {
    const folder = toyFolder({ 'data.csv': `k,v\n1,"open\n${'x'.repeat(21 * 2 ** 20)}\n2,b\n` })
    const reading: FileReading = { kind: 'file', format: 'csv', path: join(folder, 'data.csv'), options: {} }
    const columns = ['k', 'v'].map((name) => ({ name, type: 'text' as const, sqlType: 'VARCHAR' }))
    const placed = await placeRows({ reading, columns, key: ['k'], rows: [{ id: 'x', key: '2', values: {} }], cells: [] }, async () => [
      null,
    ])
    expect(placed.size).toBe(0)
  })

  test.each([
    ['compressed', 'data.csv.gz', {}],
    ['another encoding', 'data.csv', { encoding: 'utf-16' }],
    ['an array of JSON', 'data.json', {}],
  ])('not where a text cannot be read as lines of UTF-8: %s', async (_, name, options) => {
    const folder = toyFolder({ [name]: '[]' })
    writeFileSync(join(folder, name), 'k,v\n1,5\n')
    const format = name.endsWith('json') ? 'json' : 'csv'
    const reading: FileReading = { kind: 'file', format, path: join(folder, name), options }
    const columns = [{ name: 'k', type: 'number' as const, sqlType: 'BIGINT' }]
    expect(
      (await placeRows({ reading, columns, key: ['k'], rows: [{ id: 'x', key: 1, values: {} }], cells: [] }, async () => [null])).size,
    ).toBe(0)
  })
})
