import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { declaredKey, keyedSelect, keyText, rowKey, unsoundKeyQuery } from '../../server/src/data/keys.ts'
import { conditionNames, needsKey, overlapQuery, type Splits, splitName } from '../../server/src/data/splits.ts'
import { binary, column, literal } from '../../server/src/sql/build.ts'
import { printExpr, printSelect } from '../../server/src/sql/print.ts'
import { KEY, ROW, type Schema } from '../../server/src/sql/tree.ts'
import { place, record } from './support.ts'

const here = place()

const schema: Schema = [
  { name: 'a', type: 'number', sqlType: 'INTEGER' },
  { name: 'b', type: 'text', sqlType: 'VARCHAR' },
  { name: 'y', type: 'blob', sqlType: 'BLOB' },
  { name: 'l', type: 'list', sqlType: 'VARCHAR[]' },
]

/** Rows as SQL values, in the order given. */
async function keysOf(rows: readonly string[], declared: readonly string[] = []): Promise<string[]> {
  const from = `(select *, row_number() over () - 1 as "assay row" from (values ${rows.map((row) => `(${row})`).join(', ')}) v(a, b, y, l))`
  const key = printExpr(keyText(rowKey(declared, schema)))
  return record(await here.tables.query(`select ${key} as k from ${from} order by "assay row"`)).k as string[]
}

describe('the key of a row', () => {
  const rows = [
    `1, 'x', 'p'::BLOB, ['m']`,
    `2, 'x', 'p'::BLOB, ['m']`,
    `1, 'x', 'p'::BLOB, ['m']`,
    `null, 'null', null, null`,
    `1, null, 'p'::BLOB, []`,
  ]
  it('is the declared column, or a JSON array of several', async () => {
    expect(await keysOf(rows.slice(0, 2), ['a'])).toEqual(['1', '2'])
    expect(await keysOf([...rows.slice(0, 2), rows[3]!], ['b', 'a'])).toEqual(['["x",1]', '["x",2]', '["null",null]'])
  })
  it('else tells rows apart by content, and equal ones by an ordinal', async () => {
    const keys = await keysOf(rows)
    expect(new Set(keys).size).toBe(rows.length)
    expect(keys[0]).toMatch(/^[0-9a-f]{16}$/)
    expect(keys[2]).toBe(`${keys[0]}.1`)
  })
  it('does not depend on the order of rows', async () => {
    const forwards = await keysOf(rows)
    const backwards = await keysOf([...rows].reverse())
    expect([...backwards].sort()).toEqual([...forwards].sort())
    expect(backwards[0]).toBe(forwards[4])
  })
  it('is the same as an expression and as a table', async () => {
    const values = [...rows, ...rows].map((row) => `(${row})`).join(', ')
    await here.tables.execute(
      `create or replace table whole as select *, row_number() over () - 1 as "${ROW}" from (values ${values}) v(a, b, y, l)`,
    )
    for (const declared of [[], ['a'], ['b', 'a']]) {
      const found = record(
        await here.tables.query(`select * from (${printSelect(keyedSelect('whole', declared, schema))}) order by "${ROW}"`),
      )
      expect(Object.keys(found)).toEqual(['a', 'b', 'y', 'l', ROW, KEY])
      expect(found[KEY]!.map((key) => (key === null ? null : String(key)))).toEqual(await keysOf([...rows, ...rows], declared))
    }
  })
  it.each([
    [`1, 'a', null, ['x, y']`, `1, 'a', null, ['x', 'y']`],
    [`1, '', null, null`, `1, null, null, null`],
    [`1, 'null', null, null`, `1, null, null, null`],
    [`null, '1', null, null`, `1, null, null, null`],
    [`1, '","', null, null`, `1, '', null, null`],
    [`1, 'a', 'p'::BLOB, null`, `1, 'a', 'q'::BLOB, null`],
  ])('differs where rows differ: %s and %s', async (first, second) => {
    expect(new Set(await keysOf([first, second])).size).toBe(2)
  })
})

describe('unsound keys', () => {
  const check = async (values: string) => {
    await here.tables.execute(
      `create or replace table keyed as select *, row_number() over () - 1 as "${ROW}" from (values ${values}) v(k, j)`,
    )
    return record(await here.tables.query(printSelect(unsoundKeyQuery('keyed', declaredKey(['k'])))))
  }
  it('are named by the first row that has one', async () => {
    expect(await check('(1, 0), (2, 0), (3, 0)')).toEqual({ key: [], rows: [] })
    expect(await check('(1, 0), (3, 0), (2, 0), (2, 0), (3, 0), (3, 0)')).toEqual({ key: [3], rows: [3] })
    expect(await check('(1, 0), (null, 0), (2, 0), (2, 0)')).toEqual({ key: [null], rows: [1] })
  })
  it('of several columns are arrays', async () => {
    await check('(1, 1), (1, 2), (1, 1)')
    expect(record(await here.tables.query(printSelect(unsoundKeyQuery('keyed', declaredKey(['k', 'j'])))))).toEqual({
      key: ['[1,1]'],
      rows: [2],
    })
  })
})

describe('splits', () => {
  const shares: Splits = {
    parts: [
      { name: 'train', share: 0.2 },
      { name: 'valid', share: 0.3 },
      { name: 'pool', share: 0.5 },
    ],
    seed: 7,
  }
  const splitOf = async (splits: Splits, from: string, key = 'k') =>
    record(await here.tables.query(`select ${printExpr(splitName(splits, keyText(column(key))))} as s from ${from}`)).s as (string | null)[]

  it('hash the key as the language says: first 8 digits of md5(seed ":" key) over 2^32', async () => {
    const found = await splitOf(shares, '(select i as k from range(5000) r(i)) order by k')
    const expected = Array.from({ length: 5000 }, (_, i) => {
      const place = Number.parseInt(createHash('md5').update(`7:${i}`).digest('hex').slice(0, 8), 16) / 2 ** 32
      return place < 0.2 ? 'train' : place < 0.5 ? 'valid' : 'pool'
    })
    expect(found).toEqual(expected)
    expect(found.filter((name) => name === 'train').length / 5000).toBeCloseTo(0.2, 1)
  })
  it('are vectors that no version may change', async () => {
    expect(await splitOf(shares, `(values ('a'), ('b'), ('c'), ('["x",1]')) v(k)`)).toMatchInlineSnapshot(`
      [
        "valid",
        "pool",
        "pool",
        "pool",
      ]
    `)
  })
  it('of 100 % hold every row, of less leave rows out', async () => {
    const from = '(select i as k from range(1000) r(i))'
    expect(new Set(await splitOf({ parts: [{ name: 'all', share: 1 }], seed: 7 }, from))).toEqual(new Set(['all']))
    expect(
      new Set(await splitOf({ parts: [1, 2, 3].map((i) => ({ name: `${i}`, share: [0.1, 0.2, 0.7][i - 1]! })), seed: 1 }, from)),
    ).toEqual(new Set(['1', '2', '3']))
    expect(new Set(await splitOf({ parts: [{ name: 'half', share: 0.5 }], seed: 7 }, from))).toEqual(new Set(['half', null]))
  })
  it('by hash keep rows together that agree in the columns, NULLs too', async () => {
    const splits: Splits = { ...shares, hash: ['g'] }
    expect(needsKey(splits)).toBe(false)
    const found = record(
      await here.tables.query(
        `select g, count(distinct ${printExpr(splitName(splits, keyText(column('k'))))}) as n, count(${printExpr(splitName(splits, keyText(column('k'))))}) as m
         from (select i as k, case when i % 7 > 0 then i % 7 end as g from range(700) r(i)) group by g`,
      ),
    )
    expect(new Set(found.n)).toEqual(new Set([1]))
    expect(new Set(found.m)).toEqual(new Set([100]))
  })
  it('by condition come first, and a row in two is found by name', async () => {
    const splits: Splits = {
      parts: [
        { name: 'low', where: binary(column('k'), '<', literal(4)) },
        { name: 'rest', share: 1 },
        { name: 'mid', where: binary(column('k'), '>', literal(2)) },
      ],
      seed: 7,
    }
    expect(await splitOf(splits, '(values (1), (3), (9), (null)) v(k)')).toEqual(['low', 'low', 'mid', null])
    await here.tables.execute(`create or replace table overlapping as select 9 - i as k, i as "${ROW}" from range(9) r(i)`)
    const query = overlapQuery('overlapping', splits, column('k'))!
    expect(record(await here.tables.query(printSelect(query)))).toEqual({ key: [3], rows: [1], 'part 0': [true], 'part 1': [true] })
    expect(conditionNames(splits)).toEqual(['low', 'mid'])
    expect(overlapQuery('overlapping', shares, column('k'))).toBeUndefined()
    expect(needsKey(shares)).toBe(true)
  })
})
