import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openTables } from '../../server/src/data/duckdb.ts'
import { Interrupted } from '../../server/src/data/tables.ts'
import { fileReading, mnist, place, record, samples, shared, values } from './support.ts'

const here = place()

async function readAll(reading: Parameters<typeof here.tables.read>[1], columns = '*') {
  await here.tables.read('t', reading)
  return record(await here.tables.query(`select ${columns} from t order by "assay row"`))
}

describe('text formats', () => {
  it('csv: types, NULLs, quotes, and the position of every row', async () => {
    const path = here.write(
      'a.csv',
      'n,x,b,d,t,s\n1,1.5,true,2024-02-29,2024-01-01 10:00:00,"a, b"\n,,,,,\n-3,2,false,1999-12-31,2000-01-01 00:00:00.5,"say ""hi"""\n',
    )
    expect(await here.tables.describe(fileReading(path))).toEqual([
      { name: 'n', type: 'number', sqlType: 'BIGINT' },
      { name: 'x', type: 'number', sqlType: 'DOUBLE' },
      { name: 'b', type: 'boolean', sqlType: 'BOOLEAN' },
      { name: 'd', type: 'date', sqlType: 'DATE' },
      { name: 't', type: 'timestamp', sqlType: 'TIMESTAMP' },
      { name: 's', type: 'text', sqlType: 'VARCHAR' },
    ])
    expect(await readAll(fileReading(path))).toEqual({
      n: [1, null, -3],
      x: [1.5, null, 2],
      b: [true, null, false],
      d: ['2024-02-29', null, '1999-12-31'],
      t: ['2024-01-01 10:00:00', null, '2000-01-01 00:00:00.5'],
      s: ['a, b', null, 'say "hi"'],
      'assay row': [0, 1, 2],
    })
  })

  it.each<[string, string, Record<string, string | number | boolean | string[] | Record<string, string>>, Record<string, unknown[]>]>([
    ['delim', 'a^b\n1^2\n', { delim: '^' }, { a: [1], b: [2] }],
    ['header', '1,2\n3,4\n', { header: false }, { column0: [1, 3], column1: [2, 4] }],
    ['quote', "a,b\n'x,y',2\n", { quote: "'" }, { a: ['x,y'], b: [2] }],
    ['escape', 'a,b\n"x\\"y",2\n', { escape: '\\' }, { a: ['x"y'], b: [2] }],
    ['nullstr', 'a,b\n?,2\n1,NA\n', { nullstr: ['?', 'NA'] }, { a: [null, 1], b: [2, null] }],
    ['skip', 'about this file\na,b\n1,2\n', { skip: 1 }, { a: [1], b: [2] }],
    ['types', 'a,b\n1,2\n', { types: { a: 'VARCHAR' } }, { a: ['1'], b: [2] }],
    ['dateformat', 'd\n31.12.2023\n01.02.2024\n', { dateformat: '%d.%m.%Y' }, { d: ['2023-12-31', '2024-02-01'] }],
    ['timestampformat', 't\n31.12.2023 10h\n', { timestampformat: '%d.%m.%Y %Hh' }, { t: ['2023-12-31 10:00:00'] }],
    ['decimal_separator', 'a;b\n1,5;2\n', { delim: ';', decimal_separator: ',', types: { a: 'DOUBLE' } }, { a: [1.5], b: [2] }],
    ['sample_size', 'a\n1\n2\nx\n', { sample_size: -1 }, { a: ['1', '2', 'x'] }],
  ])('csv with %s', async (_, text, options, expected) => {
    const { 'assay row': _rows, ...found } = await readAll(fileReading(here.write('options.csv', text), options))
    expect(found).toEqual(expected)
  })

  it('csv with encoding latin-1, and gzip', async () => {
    const path = here.write('latin.csv', Buffer.from('a,b\ncaf\xe9,1\n', 'latin1'))
    expect((await readAll(fileReading(path, { encoding: 'latin-1' }))).a).toEqual(['café'])
    const packed = here.write('packed.csv.gz', gzipSync('a,b\n1,2\n'))
    expect((await readAll(fileReading(packed))).b).toEqual([2])
  })

  it('tsv is split at tabs only', async () => {
    expect((await readAll(fileReading(here.write('a.tsv', 'a\tb\n1,5\tx;y\n')))).b).toEqual(['x;y'])
  })

  it('a column called rowid does not take the place of the position', async () => {
    expect(await readAll(fileReading(here.write('rowid.csv', 'rowid,x\n9,1\n8,2\n')))).toEqual({
      rowid: [9, 8],
      x: [1, 2],
      'assay row': [0, 1],
    })
  })

  it('json, jsonl, and types for some of their columns', async () => {
    const lines = here.write('a.jsonl', '{"a":1,"b":"x","c":[1,2],"d":{"e":1}}\n{"a":2,"b":null,"c":[],"d":{"e":2}}\n')
    expect((await here.tables.describe(fileReading(lines))).map((column) => column.type)).toEqual(['number', 'text', 'list', 'struct'])
    expect(await readAll(fileReading(lines))).toEqual({
      a: [1, 2],
      b: ['x', null],
      c: ['[1, 2]', '[]'],
      d: ["{'e': 1}", "{'e': 2}"],
      'assay row': [0, 1],
    })
    const array = here.write('a.json', '[{"a": 1, "b": "x"}, {"a": 2}]')
    expect(await readAll(fileReading(array, { types: { A: 'VARCHAR' } }))).toEqual({ a: ['1', '2'], b: ['x', null], 'assay row': [0, 1] })
  })

  it('keeps the order of 200 000 rows read by two threads', async () => {
    const path = here.write('long.csv', `x,y\n${Array.from({ length: 200_000 }, (_, i) => `${i},text ${i % 7}`).join('\n')}\n`)
    await here.tables.read('long', fileReading(path))
    expect(record(await here.tables.query('select count(*) as n, count_if(x = "assay row") as same from long'))).toEqual({
      n: [200_000],
      same: [200_000],
    })
  })
})

describe('globs', () => {
  it('read files in the order of their paths', async () => {
    here.write('many/b.csv', 'x\n3\n4\n')
    here.write('many/a.csv', 'x\n1\n2\n')
    here.write('many/deep/c.csv', 'x\n5\n')
    expect(await readAll(fileReading(join(here.folder, 'many/*.csv')))).toEqual({ x: [1, 2, 3, 4], 'assay row': [0, 1, 2, 3] })
    expect((await readAll(fileReading(join(here.folder, 'many/**/*.csv')))).x).toEqual([1, 2, 3, 4, 5])
    expect((await readAll(fileReading(join(here.folder, 'many/[!a].csv')))).x).toEqual([3, 4])
  })
  it('a file whose name is a glob is that file', async () => {
    here.write('odd[1]*.csv', 'x\n1\n')
    here.write('odd1.csv', 'x\n2\n')
    expect((await readAll(fileReading(join(here.folder, 'odd[1]*.csv')))).x).toEqual([1])
  })
})

describe('parquet', () => {
  it('streams, and numbers rows over several files', async () => {
    const write = async (name: string, from: number, to: number) => {
      await here.tables.execute(
        `copy (select i as x, 'r' || i as s from range(${from}, ${to}) r(i)) to '${join(here.folder, name)}' (row_group_size 2048)`,
      )
    }
    await write('p1.parquet', 0, 5000)
    await write('p2.parquet', 5000, 9000)
    expect(await here.tables.describe(fileReading(join(here.folder, 'p1.parquet')))).toEqual([
      { name: 'x', type: 'number', sqlType: 'BIGINT' },
      { name: 's', type: 'text', sqlType: 'VARCHAR' },
    ])
    for (const [glob, rows] of [
      ['p1.parquet', 5000],
      ['p?.parquet', 9000],
    ] as const) {
      await here.tables.read('p', fileReading(join(here.folder, glob), {}, 'parquet'))
      expect(record(await here.tables.query('select count(*) as n, count_if(x = "assay row") as same from p'))).toEqual({
        n: [rows],
        same: [rows],
      })
    }
    expect(record(await here.tables.query('select * from p where x = 7777'))).toEqual({ x: [7777], s: ['r7777'], 'assay row': [7777] })
  })
})

describe('reading again under the same name', () => {
  it('replaces what was there, table or view', async () => {
    await here.tables.create('again', {
      rows: 1,
      columns: [{ name: 'x', data: { kind: 'number', values: Float64Array.of(1), integer: true } }],
    })
    await here.tables.read('again', fileReading(here.write('again.csv', 'x\n2\n')))
    expect(record(await here.tables.query('select x from again'))).toEqual({ x: [2] })
    await here.tables.create('again', {
      rows: 1,
      columns: [{ name: 'x', data: { kind: 'number', values: Float64Array.of(3), integer: true } }],
    })
    expect(record(await here.tables.query('select x from again'))).toEqual({ x: [3] })
  })
})

describe('columns out', () => {
  const one = async (expression: string) => (await here.tables.query(`select ${expression} as x`)).columns[0]!.data
  it.each<[string, unknown, string]>([
    ["cast('12.345' as DECIMAL(4,1))", 12.3, 'number'],
    ["cast('-99999999.99' as DECIMAL(10,2))", -99999999.99, 'number'],
    ["cast('123456789012345678.9' as DECIMAL(38,1))", Number('123456789012345678.9'), 'number'],
    ["cast('-0.1234567890123456789012345' as DECIMAL(38,25))", Number('-0.1234567890123456789012345'), 'number'],
    ['cast(-128 as TINYINT)', -128, 'number'],
    ['cast(255 as UTINYINT)', 255, 'number'],
    ['cast(4294967295 as UINTEGER)', 4294967295, 'number'],
    ['cast(-9007199254740991 as BIGINT)', -9007199254740991, 'number'],
    ['cast(9007199254740993 as BIGINT)', '9007199254740993', 'text'],
    ['cast(-9223372036854775808 as BIGINT)', '-9223372036854775808', 'text'],
    ['cast(18446744073709551615 as UBIGINT)', '18446744073709551615', 'text'],
    ['cast(-5 as HUGEINT)', -5, 'number'],
    ["cast('-170141183460469231731687303715884105727' as HUGEINT)", '-170141183460469231731687303715884105727', 'text'],
    ['cast(0.1 as FLOAT)', Math.fround(0.1), 'number'],
    ["cast('nan' as DOUBLE)", Number.NaN, 'number'],
    ["date '0044-03-15 (BC)'", '0044-03-15 (BC)', 'text'],
    ["timestamptz '2024-01-01 00:00:00+02'", '2023-12-31 22:00:00+00', 'text'],
    ["time '10:11:12'", '10:11:12', 'text'],
    ["interval '90 minutes'", '01:30:00', 'text'],
    ["uuid '00000000-0000-0000-0000-000000000001'", '00000000-0000-0000-0000-000000000001', 'text'],
    ["cast('b' as enum('a', 'b'))", 'b', 'text'],
    ['[1, null, 3]', '[1, NULL, 3]', 'text'],
    ["'exactly 12..'", 'exactly 12..', 'text'],
    ["'thirteen bytes'", 'thirteen bytes', 'text'],
    ["'数数数数数数数'", '数数数数数数数', 'text'],
    ["chr(65279) || 'x'", '\uFEFFx', 'text'],
    ["''", '', 'text'],
    ['null', null, 'number'],
    ["'a' < 'b'", true, 'boolean'],
  ])('%s', async (expression, expected, kind) => {
    const data = await one(expression)
    expect(data.kind).toBe(kind)
    expect(values(data)).toEqual([expected])
  })

  it('NULLs anywhere, over many vectors, in every layout', async () => {
    const query = `select i, case when i % 3 > 0 then i end as n, case when i % 5 > 0 then i % 2 = 0 end as b, case when i % 7 > 0 then 'short' || i % 10 end as s,
      case when i % 11 > 0 then repeat('long ', (i % 9)::INT + 1) end as l, case when i % 13 > 0 then ('blob' || repeat('x', (i % 30)::INT))::BLOB end as y,
      case when i % 17 > 0 then date '2000-01-01' + (i % 400)::INT end as d, case when i > 4000 then i end as late from range(10000) r(i) order by i`
    const { columns, rows } = await here.tables.query(query)
    expect(rows).toBe(10_000)
    const found = record({ columns, rows })
    for (let i = 0; i < rows; i++) {
      const row = [found.n![i], found.b![i], found.s![i], found.l![i], found.late![i]]
      const expected = [
        i % 3 ? i : null,
        i % 5 ? i % 2 === 0 : null,
        i % 7 ? `short${i % 10}` : null,
        i % 11 ? 'long '.repeat((i % 9) + 1) : null,
        i > 4000 ? i : null,
      ]
      expect(row).toEqual(expected)
      const bytes = found.y![i] as Uint8Array | null
      expect(bytes && Buffer.from(bytes).toString()).toBe(i % 13 ? `blob${'x'.repeat(i % 30)}` : null)
    }
    expect(found.d!.slice(0, 3)).toEqual([null, '2000-01-02', '2000-01-03'])
  })

  it('integers that grow beyond 2^53 in a later vector turn the column into text', async () => {
    const { columns } = await here.tables.query(
      'select case when i = 1 then null when i < 5000 then i else 9007199254740993 end as x from range(5001) r(i) order by i',
    )
    const found = values(columns[0]!.data)
    expect([found[0], found[1], found[4999], found[5000]]).toEqual(['0', null, '4999', '9007199254740993'])
  })

  it('dictionaries hold each text once, in order of first appearance', async () => {
    const { data } = (
      await here.tables.query(`select s from (values ('b'), ('a'), ('b'), (null), ('a long text of more than 12 bytes'), ('a')) v(s)`)
    ).columns[0]!
    expect(data).toMatchObject({ kind: 'text', dictionary: ['b', 'a', 'a long text of more than 12 bytes'] })
  })

  it('100 000 distinct texts', async () => {
    const { data } = (await here.tables.query(`select 'text number ' || i as s from range(100000) r(i) order by i`)).columns[0]!
    expect(data.kind === 'text' && [data.dictionary.length, data.dictionary[99_999], data.codes[99_999]]).toEqual([
      100_000,
      'text number 99999',
      99_999,
    ])
  })

  it('no rows, and columns of one name', async () => {
    expect(await here.tables.query('select 1 as a where false')).toMatchObject({ rows: 0, columns: [{ name: 'a' }] })
    expect((await here.tables.query('select 1 as a, 2 as a, current_date as d')).columns.map((column) => column.name)).toEqual([
      'a',
      'a',
      'd',
    ])
    expect((await here.tables.query('select 1 as x -- done\n;')).rows).toBe(1)
  })

  it('keeps the order of a query whose columns are asked for as text', async () => {
    const { columns } = await here.tables.query(`select date '2000-01-01' + (i % 977)::INT as d, i from range(20000) r(i) order by hash(i)`)
    const { columns: again } = await here.tables.query('select i from range(20000) r(i) order by hash(i)')
    expect(values(columns[1]!.data)).toEqual(values(again[0]!.data))
  })
})

it('columns in come out as they were', async () => {
  const rows = 5000
  const valid = Uint8Array.from({ length: rows }, (_, i) => (i % 4 === 0 ? 0 : 1))
  const integers = Float64Array.from({ length: rows }, (_, i) => (i % 2 ? -1 : 1) * (2 ** 53 - 1 - i))
  const codes = Int32Array.from({ length: rows }, (_, i) => i % 3)
  const blobs = Array.from({ length: rows }, (_, i) => Uint8Array.of(i & 255, 0, 1))
  await here.tables.create('made "up"', {
    rows,
    columns: [
      { name: 'i', data: { kind: 'number', values: integers, integer: true } },
      { name: 'x', data: { kind: 'number', values: integers.map((value) => value / 3), valid, integer: false } },
      { name: 'b', data: { kind: 'boolean', values: Uint8Array.from(codes, (code) => (code === 1 ? 1 : 0)), valid } },
      { name: 's', data: { kind: 'text', codes, dictionary: ['a', 'ü "quoted" and long enough', ''], valid } },
      { name: 'y', data: { kind: 'blob', values: blobs } },
    ],
  })
  const found = record(await here.tables.query('select * from "made ""up"""'))
  expect(found.i).toEqual(Array.from(integers))
  expect(found.x).toEqual(Array.from(integers, (value, i) => (i % 4 ? value / 3 : null)))
  expect(found.b).toEqual(Array.from(codes, (code, i) => (i % 4 ? code === 1 : null)))
  expect(found.s!.slice(0, 6)).toEqual([null, 'ü "quoted" and long enough', '', 'a', null, ''])
  expect(found.y!.slice(254, 257)).toEqual([Uint8Array.of(254, 0, 1), Uint8Array.of(255, 0, 1), Uint8Array.of(0, 0, 1)])
})

describe('interruption', () => {
  it('rejects the running statement and leaves the database usable', async () => {
    const running = here.tables.query('select sum(hash(a.i + b.i)) from range(1000000) a(i), range(100000) b(i)')
    setTimeout(() => here.tables.interrupt(), 50)
    await expect(running).rejects.toBeInstanceOf(Interrupted)
    here.tables.interrupt()
    expect(record(await here.tables.query('select 1 as x'))).toEqual({ x: [1] })
  })
  it('stops what has not begun, and what waits', async () => {
    const slow = 'select sum(hash(a.i + b.i)) from range(1000000) a(i), range(100000) b(i)'
    for (const later of [
      (stop: () => void) => stop(),
      (stop: () => void) => setImmediate(stop),
      (stop: () => void) => setTimeout(stop, 1),
    ]) {
      const statements = [here.tables.query(slow), here.tables.execute(`create table never as ${slow}`), here.tables.query(slow)]
      later(() => here.tables.interrupt())
      for (const outcome of await Promise.allSettled(statements))
        expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Interrupted) })
    }
    expect((await here.tables.query('select * from duckdb_tables() where table_name = $$never$$')).rows).toBe(0)
  })
  it('closing stops what runs', async () => {
    const other = await openTables()
    const running = other.query('select sum(hash(a.i + b.i)) from range(1000000) a(i), range(100000) b(i)')
    const [, outcome] = await Promise.allSettled([other.close(), running])
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Interrupted) })
    await expect(other.query('select 1')).rejects.toBeInstanceOf(Interrupted)
    await other.close()
  })
})

describe('real data', () => {
  it('diamonds: 53 940 rows', async () => {
    const path = join(samples, 'diamonds.csv')
    expect((await here.tables.describe(fileReading(path))).map((column) => column.name)).toEqual([
      'carat',
      'cut',
      'color',
      'clarity',
      'depth',
      'table',
      'price',
      'x',
      'y',
      'z',
    ])
    await here.tables.read('stones', fileReading(path))
    expect(
      record(
        await here.tables.query(
          'select count(*) as n, count_if(x = 0 or y = 0 or z = 0) as flat, sum(price) as p, max("assay row") as last from stones',
        ),
      ),
    ).toEqual({
      n: [53_940],
      flat: [20],
      p: [212_135_217],
      last: [53_939],
    })
  })

  it('penguins, in sample data with NULLs', async () => {
    await here.tables.read('penguins', fileReading(join(samples, 'penguins.csv')))
    expect((await here.tables.query('select * from penguins')).rows).toBe(344)
  })

  it.skipIf(!existsSync(shared))('adult and bank (with ;)', async () => {
    const adult = join(here.folder, 'adult.data.csv')
    copyFileSync(join(shared, 'adult/adult.data'), adult)
    await here.tables.read('adult', fileReading(adult, { nullstr: '?' }))
    expect(record(await here.tables.query('select count(*) as n, count(workclass) as w from adult'))).toEqual({ n: [32_561], w: [30_725] })
    const bank = here.write('bank.csv', readFileSync(join(shared, 'bank/bank-full.csv'), 'utf8').replaceAll(',', ';'))
    await here.tables.read('bank', fileReading(bank))
    expect((await here.tables.query('select age, job from bank')).rows).toBe(45_211)
  })

  it('MNIST: 10 000 images of 784 bytes', async () => {
    const reading = { kind: 'idx', images: join(mnist, 't10k-images-idx3-ubyte'), labels: join(mnist, 't10k-labels-idx1-ubyte') } as const
    await here.tables.read('mail', reading)
    const { columns, rows } = await here.tables.query('select image, label, "assay row", index from mail')
    expect(rows).toBe(10_000)
    const file = readFileSync(reading.images)
    const images = columns[0]!.data
    if (images.kind !== 'blob') throw new Error('images are bytes')
    for (const i of [0, 1, 2047, 2048, 9999])
      expect(Buffer.from(images.values[i]!).equals(file.subarray(16 + i * 784, 16 + (i + 1) * 784))).toBe(true)
    expect(values(columns[1]!.data).slice(0, 5)).toEqual([7, 2, 1, 0, 4])
    expect(values(columns[3]!.data)).toEqual(values(columns[2]!.data))
  })
})
