import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../server/src/data/duckdb.ts'
import type { Tables } from '../../server/src/data/tables.ts'
import { binary, call, column, literal, star, when } from '../../server/src/sql/build.ts'
import { isTypeName, printExpr, printSelect } from '../../server/src/sql/print.ts'
import { createAs, drop, readerCall } from '../../server/src/sql/statements.ts'
import type { SqlBinaryOp, SqlExpr, SqlSelect } from '../../server/src/sql/tree.ts'
import { columnTypeOf } from '../../server/src/sql/types.ts'
import { type Random, seeded } from './random.ts'

let tables: Tables
beforeAll(async () => {
  tables = await openTables({ threads: 1 })
})
afterAll(() => tables.close())

const [a, b, c] = ['a', 'b', 'c'].map((name) => column(name)) as [SqlExpr, SqlExpr, SqlExpr]
const not = (operand: SqlExpr): SqlExpr => ({ kind: 'unary', op: 'not', operand })
const minus = (operand: SqlExpr): SqlExpr => ({ kind: 'unary', op: '-', operand })
const and = (...operands: SqlExpr[]): SqlExpr => ({ kind: 'logical', op: 'and', operands })
const or = (...operands: SqlExpr[]): SqlExpr => ({ kind: 'logical', op: 'or', operands })
const one: SqlSelect = { items: [{ value: literal(1) }] }

async function value(sql: string): Promise<unknown> {
  const { data } = (await tables.query(sql)).columns[0]!
  if (data.valid?.[0] === 0) return null
  if (data.kind === 'text') return data.dictionary[data.codes[0]!]
  return data.kind === 'boolean' ? data.values[0] === 1 : data.values[0]
}

describe('parentheses stand where they are needed and nowhere else', () => {
  const table: [SqlExpr, string][] = [
    [binary(binary(a, '+', b), '*', c), '("a" + "b") * "c"'],
    [binary(a, '+', binary(b, '*', c)), '"a" + "b" * "c"'],
    [binary(binary(a, '-', b), '-', c), '"a" - "b" - "c"'],
    [binary(a, '-', binary(b, '-', c)), '"a" - ("b" - "c")'],
    [binary(binary(a, '||', b), '=', c), '"a" || "b" = "c"'],
    [binary(binary(a, '=', b), '=', c), '("a" = "b") = "c"'],
    [binary(a, '||', binary(b, '+', c)), '"a" || "b" + "c"'],
    [and(or(a, b), c), '("a" or "b") and "c"'],
    [or(and(a, b), c), '"a" and "b" or "c"'],
    [not(and(a, b)), 'not ("a" and "b")'],
    [not(binary(a, '=', b)), 'not "a" = "b"'],
    [binary(not(a), '=', b), '(not "a") = "b"'],
    [minus(minus(a)), '-(-"a")'],
    [minus(literal(-1)), '-(-1)'],
    [binary(a, '-', literal(-1)), '"a" - -1'],
    [minus(binary(a, '*', b)), '-("a" * "b")'],
    [binary(minus(a), '*', b), '-"a" * "b"'],
    [{ kind: 'is_null', negated: true, value: binary(a, '=', b) }, '("a" = "b") is not null'],
    [{ kind: 'between', negated: true, value: a, low: binary(b, '+', c), high: or(a, b) }, '"a" not between "b" + "c" and ("a" or "b")'],
    [{ kind: 'in', negated: false, value: a, list: [literal(1), literal('x')] }, `"a" in (1, 'x')`],
    [{ kind: 'in', negated: true, value: a, list: [] }, 'true'],
    [{ kind: 'like', negated: false, value: binary(a, '||', b), pattern: literal('%') }, `"a" || "b" like '%'`],
    [binary(a, 'is not distinct from', binary(b, '<', c)), '"a" is not distinct from ("b" < "c")'],
    [and(), 'true'],
    [or(), 'false'],
    [and(or(a, b)), '"a" or "b"'],
    [not(and(or(a, b))), 'not ("a" or "b")'],
    [{ kind: 'cast', value: a, type: 'DECIMAL(18, 3)', lenient: true }, 'TRY_CAST("a" AS DECIMAL(18, 3))'],
    [{ kind: 'case', subject: a, whens: [when(literal(1), b)], otherwise: c }, 'case "a" when 1 then "b" else "c" end'],
    [{ kind: 'exists', query: one }, 'exists (\n  select 1\n)'],
    [{ kind: 'list', items: [a, literal(2)] }, '["a", 2]'],
    [{ kind: 'interval', seconds: 90 }, `INTERVAL '90 seconds'`],
    [{ kind: 'interval', seconds: 0.0015 }, `INTERVAL '1500 microseconds'`],
    [{ kind: 'call', name: 'count', args: [a], distinct: true, filter: b }, 'count(distinct "a") filter (where "b")'],
    [{ kind: 'call', name: 'list', args: [a], orderBy: [{ value: b, descending: true }] }, 'list("a" order by "b" desc)'],
    [
      {
        kind: 'window',
        call: call('sum', a),
        partitionBy: [b],
        orderBy: [{ value: c, descending: false }],
        frame: 'rows between 3 preceding and current row',
      },
      'sum("a") over (partition by "b" order by "c" rows between 3 preceding and current row)',
    ],
    [{ kind: 'star', table: 't' }, '"t".*'],
  ]
  it.each(table)('%#', (expr, text) => {
    expect(printExpr(expr)).toBe(text)
  })
})

describe('a select prints one clause a line', () => {
  const query: SqlSelect = {
    with: [{ name: 'w', query: { items: [{ value: star }], from: { kind: 'table', name: 't' } } }],
    distinct: true,
    items: [{ value: a, alias: 'x' }, { value: call('count', star) }],
    from: { kind: 'table', name: 'w', alias: 'l' },
    joins: [
      { side: 'left', from: { kind: 'query', query: one, alias: 'r' }, on: binary(a, '=', b) },
      { side: 'cross', from: { kind: 'values', rows: [[literal(1)], [literal(2)]], alias: 'v', columns: ['n'] } },
      { side: 'inner', from: { kind: 'table', name: 't' }, on: literal(true) },
    ],
    where: a,
    groupBy: [a, b],
    having: c,
    qualify: b,
    orderBy: [{ value: a, descending: true }],
    limit: 3,
  }
  it('with every clause', () => {
    expect(printSelect(query)).toMatchInlineSnapshot(`
      "with "w" as (
        select *
        from "t"
      )
      select distinct "a" as "x", count(*)
      from "w" as "l"
      left join (
        select 1
      ) as "r" on "a" = "b"
      cross join (values (1), (2)) as "v"("n")
      join "t" on true
      where "a"
      group by "a", "b"
      having "c"
      qualify "b"
      order by "a" desc
      limit 3"
    `)
  })
})

describe('what a user wrote stays what he wrote', () => {
  const hostile = [
    'a"b',
    'select',
    'naïve 数',
    'new\nline',
    `it's`,
    '-- x',
    '/* y */',
    'tab\there',
    ' ',
    '𝔘',
    "'); drop table t; --",
    '\\',
    '$1',
    '?',
  ]
  it.each(hostile)('as a name: %j', async (name) => {
    await tables.execute(createAs('table', name, { items: [{ value: literal(7), alias: name }] }))
    const query = printSelect({ items: [{ value: column(name, name), alias: `${name}"` }], from: { kind: 'table', name } })
    const result = await tables.query(query)
    expect(result.columns[0]!.name).toBe(`${name}"`)
    expect(await value(query)).toBe(7)
    await tables.execute(drop('table', name))
  })
  it.each([...hostile, '', 'zero\0byte', '\0', 'a\0'])('as a text: %j', async (text) => {
    expect(await value(`select ${printExpr(literal(text))}`)).toBe(text)
    expect(await value(`select ${printExpr(binary(literal(text), '||', literal('!')))}`)).toBe(`${text}!`)
  })
  it('as a text within a nested query: lines of a literal are not indented', async () => {
    expect(await value(`select ${printExpr({ kind: 'subquery', query: { items: [{ value: literal('a\nb') }] } })}`)).toBe('a\nb')
  })
  it.each([
    0,
    1,
    -1,
    0.1,
    1e-7,
    1e21,
    2 ** 53,
    -1.5e300,
    5e-324,
    123456.789,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ])('as a number: %d', async (number) => {
    expect(await value(`select cast(${printExpr(literal(number))} as DOUBLE)`)).toBe(number)
  })
  it('refuses what cannot be a name, a type or a frame', () => {
    expect(() => printExpr(column('a\0b'))).toThrow(RangeError)
    expect(() => printExpr({ kind: 'cast', value: a, type: 'INT) from secrets --' })).toThrow(RangeError)
    expect(() => printExpr({ kind: 'window', call: call('sum', a), partitionBy: [], orderBy: [], frame: ') --' })).toThrow(RangeError)
  })
  it.each([
    ['INTEGER', true],
    ['DECIMAL(18,3)', true],
    ['INTEGER[]', true],
    ['STRUCT("a b" INTEGER, c VARCHAR[])', true],
    ['TIMESTAMP WITH TIME ZONE', true],
    ['', false],
    ['INT; drop', false],
    ["ENUM('a')", false],
    ['INT)', false],
    ['(INT)', false],
    ['"open', false],
  ])('%j can be a type: %j', (type, answer) => {
    expect(isTypeName(type)).toBe(answer)
  })
})

it('writes a reader with its options', () => {
  expect(readerCall('read_csv', ["a'b.csv"], { delim: ';', header: true, skip: 2, nullstr: ['', 'NA'], types: { "x'": 'VARCHAR' } })).toBe(
    `read_csv(['a''b.csv'], delim = ';', header = true, skip = 2, nullstr = ['', 'NA'], types = {'x''': 'VARCHAR'})`,
  )
})

it.each([
  ['BIGINT', 'number'],
  ['DECIMAL(18,3)', 'number'],
  ['UTINYINT', 'number'],
  ['float', 'number'],
  ['VARCHAR', 'text'],
  ['UUID', 'text'],
  ['BOOLEAN', 'boolean'],
  ['DATE', 'date'],
  ['TIMESTAMP WITH TIME ZONE', 'timestamp'],
  ['TIMESTAMP_NS', 'timestamp'],
  ['INTERVAL', 'duration'],
  ['BLOB', 'blob'],
  ['INTEGER[]', 'list'],
  ['FLOAT[3]', 'list'],
  ['STRUCT(a INTEGER)', 'struct'],
  ['STRUCT(a INTEGER)[]', 'list'],
  ['MAP(VARCHAR, INTEGER)', 'struct'],
  ['TIME', 'unknown'],
  ["ENUM('a', 'b')", 'text'],
] as const)('%s is a %s', (sqlType, type) => {
  expect(columnTypeOf(sqlType)).toBe(type)
})

describe('a tree printed with few parentheses is read as the same tree printed with all', () => {
  const random = seeded(20240607)
  const trees = Array.from({ length: 400 }, () => tree(random, 4))
  it('400 random trees', async () => {
    for (let start = 0; start < trees.length; start += 50) {
      const part = trees.slice(start, start + 50)
      const few = await parsed(`select ${part.map((node) => printExpr(node)).join(', ')}`)
      const all = await parsed(`select ${part.map(fully).join(', ')}`)
      expect(few).toEqual(all)
    }
  })
})

/** How the database reads a statement, without positions. Nested conjunctions of one sort are one, as they are for us. */
async function parsed(sql: string): Promise<unknown> {
  const json = await value(`select json_serialize_sql(${printExpr(literal(sql))})`)
  const tree: unknown = JSON.parse(String(json), (key, part) => (key === 'query_location' ? undefined : part))
  if ((tree as { error: boolean }).error) throw new Error(`${(tree as { error_message: string }).error_message}\n${sql}`)
  return flat(tree)
}

function flat(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(flat)
  if (typeof node !== 'object' || node === null) return node
  const plain = Object.fromEntries(Object.entries(node).map(([key, part]) => [key, flat(part)])) as Record<string, unknown>
  if (plain.class !== 'CONJUNCTION') return plain
  const children = (plain.children as Record<string, unknown>[]).flatMap((child) =>
    child.class === 'CONJUNCTION' && child.type === plain.type ? (child.children as Record<string, unknown>[]) : [child],
  )
  return { ...plain, children }
}

const OPERATORS: SqlBinaryOp[] = [
  '+',
  '-',
  '*',
  '/',
  '//',
  '%',
  '||',
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'is not distinct from',
  'is distinct from',
]

function tree(random: Random, depth: number): SqlExpr {
  const child = () => tree(random, depth - 1)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  if (depth === 0 || random() < 0.1)
    return pick([a, b, c, literal(1), literal(-2), literal(1.5), literal('x'), literal(null), literal(true)])
  const negated = random() < 0.5
  switch (
    pick([
      'binary',
      'binary',
      'binary',
      'logical',
      'logical',
      'unary',
      'between',
      'in',
      'like',
      'is_null',
      'case',
      'cast',
      'call',
      'list',
      'query',
    ])
  ) {
    case 'binary':
      return binary(child(), pick(OPERATORS), child())
    case 'logical':
      return { kind: 'logical', op: pick(['and', 'or'] as const), operands: Array.from({ length: 2 + Math.floor(random() * 2) }, child) }
    case 'unary':
      return { kind: 'unary', op: pick(['-', '+', 'not'] as const), operand: child() }
    case 'between':
      return { kind: 'between', negated, value: child(), low: child(), high: child() }
    case 'in':
      return { kind: 'in', negated, value: child(), list: [child(), child()] }
    case 'like':
      return { kind: 'like', negated, value: child(), pattern: child() }
    case 'is_null':
      return { kind: 'is_null', negated, value: child() }
    case 'case':
      return { kind: 'case', whens: [when(child(), child())], otherwise: negated ? child() : undefined }
    case 'cast':
      return { kind: 'cast', value: child(), type: 'VARCHAR' }
    case 'call':
      return call('coalesce', child(), child())
    case 'list':
      return { kind: 'list', items: [child(), child()] }
    default:
      return { kind: 'in', negated, value: child(), query: { items: [{ value: child() }] } }
  }
}

/** The same tree by a printer that puts parentheses around everything. */
function fully(node: SqlExpr): string {
  const not = (negated: boolean) => (negated ? 'not ' : '')
  switch (node.kind) {
    case 'binary':
      return `(${fully(node.left)} ${node.op} ${fully(node.right)})`
    case 'logical':
      return `(${node.operands.map(fully).join(` ${node.op} `)})`
    case 'unary':
      return `(${node.op} ${fully(node.operand)})`
    case 'between':
      return `(${fully(node.value)} ${not(node.negated)}between ${fully(node.low)} and ${fully(node.high)})`
    case 'in':
      if (node.query) return `(${fully(node.value)} ${not(node.negated)}in (select ${fully(node.query.items[0]!.value)}))`
      return `(${fully(node.value)} ${not(node.negated)}in (${node.list!.map(fully).join(', ')}))`
    case 'like':
      return `(${fully(node.value)} ${not(node.negated)}like ${fully(node.pattern)})`
    case 'is_null':
      return `(${fully(node.value)} is ${not(node.negated)}null)`
    case 'case': {
      const [part] = node.whens
      return `(case when ${fully(part!.when)} then ${fully(part!.then)}${node.otherwise ? ` else ${fully(node.otherwise)}` : ''} end)`
    }
    case 'cast':
      return `CAST(${fully(node.value)} AS VARCHAR)`
    case 'call':
      return `coalesce(${node.args.map(fully).join(', ')})`
    case 'list':
      return `[${node.items.map(fully).join(', ')}]`
    default:
      return `(${printExpr(node)})`
  }
}
