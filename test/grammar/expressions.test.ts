import { describe, expect, test } from 'vitest'
import { parse } from '../../grammar/src/parser.ts'
import { printExpr } from '../../grammar/src/printer.ts'
import { bare, brief, expression } from './grammar-file.ts'

const codes = (text: string): string[] => parse(text).problems.map((one) => one.code)

const trees: readonly (readonly [string, string])[] = [
  ['a or b and c', '[a or [b and c]]'],
  ['a and b and c', '[a and b and c]'],
  ['(a and b) and c', '[[a and b] and c]'],
  ['not a = b', '[not [a = b]]'],
  ['not a and b', '[[not a] and b]'],
  ['not not a', '[not [not a]]'],
  ['a = not b', '[a = [not b]]'],
  ['a = b is null', '[[a = b] is null]'],
  ['a is not null and b', '[[a is not null] and b]'],
  ['a between 1 and 2 and b', '[[a between 1 2] and b]'],
  ['a not between 1 and 2 + 3 or b', '[[a not between 1 [2 + 3]] or b]'],
  ['a between b and c = d', '[[a between b c] = d]'],
  ['a in (1, 2) = b', '[[a in 1 2] = b]'],
  ['a not in (select b from c)', '[a not in select]'],
  ["a like 'x' || b", "[a like ['x' || b]]"],
  ["a not like 'x%' and b", "[[a not like 'x%'] and b]"],
  ['a || b + c', '[a || [b + c]]'],
  ['a - b - c', '[[a - b] - c]'],
  ['a - (b - c)', '[a - [b - c]]'],
  ['a + b * c % d / e', '[a + [[[b * c] % d] / e]]'],
  ['-a * b', '[[- a] * b]'],
  ['- -a', '[- [- a]]'],
  ['+a', '[+ a]'],
  ['a < -1', '[a < [- 1]]'],
  ['a <> b', '[a <> b]'],
  ['a != b', '[a <> b]'],
  ['id*7919%100', '[[id * 7919] % 100]'],
  ['id % 10 = 5%', '[[id % 10] = 0.05]'],
  ['x > 29%', '[x > 0.29]'],
  ['x%(2)', '[x % 2]'],
  ['5%y = 1', '[[5 % y] = 1]'],
  ["5%'a' = 1", "[[5 % 'a'] = 1]"],
  ['gap < 1.5 s', '[gap < 1.5s]'],
  ['gap < 30min', '[gap < 1800s]'],
  ['gap < 2 H', '[gap < 7200s]'],
  ['min(x) < 3 ms', '[min(x) < 0.003s]'],
  ['x = 1_000.5', '[x = 1000.5]'],
  ['x = 1e-3', '[x = 0.001]'],
  ['x = .5', '[x = 0.5]'],
  ["x = 'it''s'", "[x = 'it's']"],
  ["x = ''", "[x = '']"],
  ['count(*) > 1', '[count(*) > 1]'],
  ['COUNT(DISTINCT x) > 1', '[count(distinct x) > 1]'],
  ['blips(x, within: 3 s) = 0', '[blips(x, within: 3s) = 0]'],
  ['f(order: 1, from: 2)', 'f(order: 1, from: 2)'],
  ['now() > x', '[now() > x]'],
  ['left(a, 1) = right(b, 2)', '[left(a, 1) = right(b, 2)]'],
  ['l.order = r.select', '[l.order = r.select]'],
  ['l."from" = "order"', '[l.from = order]'],
  ['"say ""so""" = 1', '[say "so" = 1]'],
  ['größe > 1 and 名前 = 2', '[[größe > 1] and [名前 = 2]]'],
  ['top = key and label > rows', '[[top = key] and [label > rows]]'],
  ['s = d and h = min and ms = 1', '[[s = d] and [h = min] and [ms = 1]]'],
  ['case when a then 1 else 2 end = 1', '[case(; a → 1; 2) = 1]'],
  ['case x when 1 then 2 end is null', '[case(x; 1 → 2; ) is null]'],
  ['cast(a as double precision) > 1', '[cast(a, double precision) > 1]'],
  ['cast(a as DECIMAL(10,2)) > 1', '[cast(a, decimal(10, 2)) > 1]'],
  ['cast(a as integer[]) is null', '[cast(a, integer[]) is null]'],
  ['exists (select * from t where a = 1)', 'exists(select)'],
  ['a in ([1, 2], [])', '[a in list(1, 2) list()]'],
  ['TRUE and False or NULL', '[[true and false] or null]'],
  ['predict(l.label) = predict(r.label, m)', '[predict(l.label) = predict(r.label, m)]'],
]

describe('precedence and literals', () => {
  test.each(trees)('%s', (text, tree) => {
    expect(brief(expression(text))).toBe(tree)
  })
})

describe('printing gives back the tree', () => {
  test.each(trees)('%s', (text) => {
    const tree = expression(text)
    const printed = printExpr(tree)
    expect(bare(normalised(expression(printed)))).toEqual(bare(normalised(tree)))
    expect(printExpr(expression(printed))).toBe(printed)
  })
})

/** Durations are printed with a blank before their unit. */
const normalised = (tree: object): unknown =>
  JSON.parse(JSON.stringify(tree, (key, value) => (key === 'text' && typeof value === 'string' ? value.toLowerCase() : value)))

const printed: readonly (readonly [string, string])[] = [
  ['((a))', 'a'],
  ['(a or b) and c', '(a or b) and c'],
  ['a  AND  b', 'a and b'],
  ['(a + b) * c - (d - e)', '(a + b) * c - (d - e)'],
  ['(a = b) = c', '(a = b) = c'],
  ['- (-a)', '- -a'],
  ['-(a + b)', '-(a + b)'],
  ['not (a and b)', 'not (a and b)'],
  ['(not a) = b', '(not a) = b'],
  ['(a between 1 and 2) is null', '(a between 1 and 2) is null'],
  ['COUNT( * )', 'count(*)'],
  ['x > 5%', 'x > 5%'],
  ['x > 30s', 'x > 30 s'],
  [
    'a in (SELECT  b FROM c AS d LEFT JOIN e ON d.x=e.x ORDER BY b DESC LIMIT 5)',
    'a in (select b from c as d left join e on d.x = e.x order by b desc limit 5)',
  ],
]

describe('canonical text', () => {
  test.each(printed)('%s', (text, canonical) => {
    expect(printExpr(expression(text))).toBe(canonical)
  })
})

test('spans cover parentheses of operands and nothing else', () => {
  const text = '(a + b) * (c)'
  const tree = expression(text)
  const offset = 'slice s on t where '.length
  expect([tree.start - offset, tree.end - offset]).toEqual([0, text.length])
  if (tree.kind !== 'binary') throw new Error('No product')
  expect([tree.left.start - offset, tree.left.end - offset]).toEqual([1, 6])
})

test('nesting of 64 is read, of 65 refused, and no depth overflows the stack', () => {
  const nested = (depth: number) => `slice s on t where ${'('.repeat(depth)}a${')'.repeat(depth)}`
  expect(codes(nested(64))).toEqual([])
  expect(codes(nested(65))).toEqual(['too-deep'])
  expect(codes(nested(5_000))).toEqual(['too-deep'])
  expect(codes(`slice s on t where ${'not '.repeat(64)}a`)).toEqual([])
  expect(codes(`slice s on t where ${'not '.repeat(5_000)}a`)).toEqual(['too-deep'])
  expect(codes(`slice s on t where ${'f('.repeat(5_000)}`)).toEqual(['too-deep'])
  expect(codes(`slice s on t where ${'case when '.repeat(5_000)}`)).toEqual(['too-deep'])
  expect(codes(`slice s on t where a ${'in (select b from c where d '.repeat(5_000)}`)).toEqual(['too-deep'])
  expect(codes(`source s { from x(${'['.repeat(5_000)}) }`)).toEqual(['too-deep'])
  expect(codes(`slice s on t where a${' + a'.repeat(499)} > 1`)).toEqual([])
  expect(codes(`slice s on t where a${' + a'.repeat(5_000)} > 1`)).toEqual(['too-long'])
  expect(codes(`slice s on t where a${' and a'.repeat(5_000)}`)).toEqual([])
})
