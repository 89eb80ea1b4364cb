import { describe, expect, test } from 'vitest'
import { bare, declaration } from './grammar-file.ts'

const number = (value: number) => ({ kind: 'number', value })
const name = (text: string) => ({ text, quoted: false })
const column = (text: string) => ({ kind: 'column', name: name(text) })
const setting = (text: string) => ({ kind: 'setting', name: name(text) })
const top = (rows: number, of: string) => ({ top: { value: rows }, of: name(of) })

/** A clause of a kind of declaration, and what its node must hold. */
const table: readonly (readonly [kind: string, clause: string, node: object])[] = [
  ['source s', "from 'a.csv'", { from: { kind: 'file', path: { value: 'a.csv' } } }],
  [
    'source s',
    "from 'a' with (format: csv, skip: 1)",
    { from: { options: { args: [{ label: name('format'), value: setting('csv') }, { value: number(1) }] } } },
  ],
  [
    'source s',
    "from idx(images: 'i')",
    { from: { kind: 'reader', setting: { name: name('idx'), called: true, args: [{ label: name('images') }] } } },
  ],
  [
    'source s',
    'from (select * from t.train as x)',
    { from: { kind: 'view', select: { from: { ref: { source: name('t'), split: name('train') }, alias: name('x') } } } },
  ],
  ['source s', 'key a, "b c"', { columns: [name('a'), { text: 'b c', quoted: true }] }],
  ['source s', 'order by a desc, b asc, c', { items: [{ descending: true }, { descending: false }, { descending: false }] }],
  ['source s', 'label label', { column: name('label') }],
  ['source s', 'names SNAKE', { style: 'snake' }],
  ['source s', "secret 'x'", { secret: { value: 'x' } }],
  [
    'source s',
    'split a where x > 1, b 20% by hash(k, l) seed 3',
    { parts: [{ name: name('a') }, { percent: { value: 0.2 } }], hash: [name('k'), name('l')], seed: { value: 3 } },
  ],
  ['oracle o on t.train', 'ask a, b', { columns: [name('a'), name('b')] }],
  ['oracle o on t', 'from column c', { column: name('c') }],
  ['oracle o on t', "queue 'q'", { path: { value: 'q' } }],
  ['oracle o on t', 'cost 0.05 per row', { cost: { value: 0.05 } }],
  ['model m on t', 'predict label', { column: name('label') }],
  ['model m on t', 'from a, "from"', { columns: [name('a'), { text: 'from', quoted: true }] }],
  [
    'model m on t',
    'kind mlp(hidden: [64, 32], l2: 1e-4)',
    {
      setting: {
        called: true,
        args: [{ value: { kind: 'values', items: [{ value: number(64) }, { value: number(32) }] } }, { value: number(1e-4) }],
      },
    },
  ],
  [
    'model m on t',
    'kind column(p, scores: [cat: a, dog: b])',
    { setting: { args: [{ value: setting('p') }, { value: { items: [{ label: name('cat') }, { label: name('dog') }] } }] } },
  ],
  ['model m on t', 'kind logistic', { setting: { called: false, args: [] } }],
  ['model m on t', 'train on train with (seed: 7)', { split: name('train'), options: { args: [{ value: number(7) }] } }],
  ['model m on t', 'validate on valid', { split: name('valid') }],
  [
    'partition p on t',
    'by a bins 5, b bins [0, -1.5, 1e3], c',
    { columns: [{ bins: 5 }, { edges: [0, -1.5, 1000] }, { column: name('c') }] },
  ],
  ['partition p on t', 'tree (threshold: 0.9)', { options: { args: [{ label: name('threshold') }] } }],
  ['partition p on t', 'minimum 50 rows', { rows: { value: 50 } }],
  ['discover d on t.valid using m against n', 'over a, b bins 3', { columns: [{ column: name('a') }, { bins: 3 }] }],
  ['discover d on t', 'error abs(x)', { value: { kind: 'call' } }],
  ['discover d on t', 'support >= 1%', { amount: { unit: 'percent', value: 0.01 } }],
  ['discover d on t', 'support >= 100 rows', { amount: { unit: 'rows', value: 100 } }],
  ['discover d on t', 'depth 3', { depth: { value: 3 } }],
  ['discover d on t', 'top 10', { top: { value: 10 } }],
  ['discover d on t', 'alpha 0.95', { alpha: { value: 0.95 } }],
  ['discover d on t', 'control fdr 5%', { fdr: { value: 0.05 } }],
  ['assert a on t using m, n', 'each row', { scope: { kind: 'row' } }],
  ['assert a on t', 'each table', { scope: { kind: 'table' } }],
  ['assert a on t', 'each group by a, b + 1', { scope: { kind: 'group', by: [column('a'), { kind: 'binary' }] } }],
  [
    'assert a on t',
    'each window of 5 rows order by t',
    { scope: { kind: 'window', of: { unit: 'rows', value: 5 }, by: [], orderBy: [{ value: column('t') }] } },
  ],
  [
    'assert a on t',
    'each window of 30 s step 5 by k order by t desc',
    { scope: { of: { kind: 'duration', value: 30 }, step: { unit: 'rows', value: 5 }, by: [name('k')] } },
  ],
  [
    'assert a on t',
    'each window of 1 h step 30min order by t',
    { scope: { of: { value: 3600 }, step: { kind: 'duration', value: 1800 } } },
  ],
  ['assert a on t', 'each track by iou(x1, y1) order by t', { scope: { kind: 'track', by: { called: true } } }],
  ['assert a on t', 'each track by car order by t', { scope: { kind: 'track', by: { called: false } } }],
  [
    'assert a on t',
    'learn unlikelihood of (a, b + 1) given c on t.train',
    { likely: 'unlikelihood', of: [column('a'), {}], given: name('c'), on: { split: name('train') } },
  ],
  ['assert a on t', 'require x > 0', { condition: { kind: 'binary' } }],
  ['assert a on t', 'severity x', { value: column('x') }],
  ['assert a on t', 'level WARNING', { level: 'warning' }],
  ['assert a on t', 'warn above 1%', { above: { value: 0.01 } }],
  ['assert a on t', 'fail above 0%', { above: { value: 0 } }],
  ['assert a on t', 'correct with majority', { setting: setting('majority') }],
  ['review r on t.train using m', 'flagged by a, b', { by: [name('a'), name('b')] }],
  ['review r on t using m', 'strategy bal', { setting: setting('bal') }],
  ['review r on t using m', 'budget 1_000 labels', { labels: { value: 1000 } }],
  ['review r on t using m', 'ask o', { oracle: name('o') }],
  ['complaint c using m', 'query select distinct a from t limit 5', { select: { distinct: true, limit: { value: 5 } } }],
  [
    'complaint c using m',
    'query select a from t as x inner join u on x.a = u.a left outer join v on true',
    { select: { joins: [{ side: 'inner' }, { side: 'left' }] } },
  ],
  ['complaint c using m', 'expect no row where a = 1', { expectation: { kind: 'no_row' } }],
  ['complaint c using m', 'expect row where a = 1', { expectation: { kind: 'row' } }],
  ['complaint c using m', 'expect "row" where a = 1', { expectation: { kind: 'condition', condition: { kind: 'column' }, where: {} } }],
  ['complaint c using m', 'expect row > 1', { expectation: { kind: 'condition', condition: { kind: 'binary' } } }],
  ['complaint c using m', 'expect no > 1', { expectation: { kind: 'condition' } }],
  [
    'complaint c using m',
    'expect lower sevens where city = 1',
    { expectation: { kind: 'direction', direction: 'lower', column: name('sevens'), where: {} } },
  ],
  ['complaint c using m', 'expect higher lower', { expectation: { kind: 'direction', direction: 'higher', column: name('lower') } }],
  ['complaint c using m', "expect lower(name) = 'a'", { expectation: { kind: 'condition', condition: { left: { kind: 'call' } } } }],
  ['complaint c using m', 'expect lower > 3', { expectation: { kind: 'condition' } }],
  ['complaint c using m', 'blame top 25 rows of train', { suspects: { ...top(25, 'train'), by: 'influence' } }],
  [
    'complaint c using m',
    'blame top 25 rows of train by influence of relabel(to: -1)',
    { suspects: { influenceOf: { args: [{ value: number(-1) }] } } },
  ],
  ['complaint c using m', 'blame top 25 rows of train by self_influence', { suspects: { by: 'self_influence' } }],
  ['complaint c using m', 'method spectral(k: auto)', { setting: { called: true } }],
  ['complaint c using m', 'explain by slices', { over: [] }],
  ['complaint c using m', 'explain by slices over a bins 3', { over: [{ bins: 3 }] }],
  ['intervene i', 'for c', { complaint: name('c') }],
  ['intervene i', 'remove top 5 rows of train by loss', { target: { kind: 'suspects', suspects: { by: 'loss' } } }],
  ['intervene i', 'remove where x = 1', { target: { kind: 'where' } }],
  ['intervene i', "relabel top 5 rows of train to 'a'", { to: { kind: 'string', value: 'a' } }],
  ['intervene i', 'denoise top 5 rows of train with median(size: 3)', { filter: { called: true } }],
  ['intervene i', 'replace top 5 rows of train by random with clean', { source: name('clean'), target: { suspects: { by: 'random' } } }],
  ['intervene i', 'set a = b + 1 on top 5 rows of train', { column: name('a'), value: { kind: 'binary' }, target: { kind: 'suspects' } }],
  ['intervene i', "set a = 'x' where key in ('1', '2')", { target: { kind: 'where', where: { kind: 'in' } } }],
  ['intervene i', 'retrain m, n', { models: [name('m'), name('n')] }],
  ['intervene i', 'compare c, accuracy on t.valid', { measures: [{ name: name('c') }, { on: { split: name('valid') } }] }],
  ['acquire a for m', 'slices s, p', { names: [name('s'), name('p')] }],
  ['acquire a for m', 'want s 50 rows', { slice: name('s'), rows: { value: 50 } }],
  [
    'acquire a for m',
    'from t.pool cost 1.5 per draw limit 10 rows where x > 1',
    { ref: { split: name('pool') }, cost: { value: 1.5 }, per: 'draw', limit: { value: 10 }, where: {} },
  ],
  ['acquire a for m', 'cost s 2 per row', { slice: name('s'), cost: { value: 2 } }],
  ['acquire a for m', 'budget 500', { budget: { value: 500 } }],
  ['acquire a for m', 'minimize loss', {}],
  ['acquire a for m', 'minimize loss + 0.5 * unfairness', { unfairness: { value: 0.5 } }],
  ['acquire a for m', 'strategy moderate(step: 1)', { setting: { called: true } }],
  ['acquire a for m', 'curve exhaustive', { setting: setting('exhaustive') }],
  ['acquire a for m', 'sampling ucb', { setting: setting('ucb') }],
  ['acquire a for m', 'minimum 5 rows', { rows: { value: 5 } }],
  ['acquire a for m', 'stop when loss < 0.1', { when: { kind: 'binary' } }],
  ['acquire a for m', "into 'x.parquet'", { path: { value: 'x.parquet' } }],
  ['cycle c for m', 'discover d', { name: name('d') }],
  ['cycle c for m', 'acquire a', { name: name('a') }],
  ['cycle c for m', 'rounds 5', { rounds: { value: 5 } }],
  ['cycle c for m', 'stop when rounds > 3', { when: { kind: 'binary' } }],
  ['find f on t using m, n', 'where ask(o, c) = 1', { condition: { left: { callee: name('ask') } } }],
  ['find f on t', 'proxy score(c, 1)', { value: { kind: 'call' } }],
  ['find f on t', 'recall >= 90% with confidence 95%', { target: 0.9, relative: false, confidence: 0.95 }],
  ['find f on t', 'precision >= 29% with confidence 95%', { target: 0.29 }],
  ['find f on t', 'budget 10 labels', { labels: { value: 10 } }],
  ['find f on t', 'method supg(bound: finite)', { setting: { called: true } }],
  ['estimate e on t.train', 'value x', { value: column('x') }],
  ['estimate e on t', 'range -5 to 1e6', { low: { value: -5 }, high: { value: 1e6 } }],
  ['estimate e on t', 'error <= 0.1 with confidence 95%', { target: 0.1, relative: false }],
  ['estimate e on t', 'error <= 5% with confidence 95%', { target: 0.05, relative: true }],
]

describe('clauses', () => {
  test.each(table)('%s { %s }', (kind, clause, node) => {
    const found = declaration(`${kind} {\n  ${clause}\n}`).clauses
    expect(found).toHaveLength(1)
    expect(bare(found[0])).toMatchObject({ word: clause.split(' ')[0], ...node })
  })
})

const headers: readonly (readonly [string, object])[] = [
  ['source "a b" {}', { kind: 'source', name: { text: 'a b', quoted: true }, clauses: [] }],
  ['oracle o on t.train {}', { on: { source: name('t'), split: name('train') } }],
  ['model m on t {}', { on: name('t') }],
  ['slice s on t where x', { on: name('t'), where: column('x') }],
  ['partition p on t {}', { on: name('t') }],
  ['discover d on t {}', { on: { source: name('t') } }],
  ['discover d on t.v using m against n {}', { using: name('m'), against: name('n') }],
  ['assert a on t {}', { using: [] }],
  ['assert a on t using m, n {}', { using: [name('m'), name('n')] }],
  ['review r on t using m {}', { using: name('m') }],
  ['complaint c using m, n {}', { using: [name('m'), name('n')] }],
  ['intervene i {}', { name: name('i') }],
  ['acquire a for m {}', { model: name('m') }],
  ['cycle c for m {}', { model: name('m') }],
  ['find f on t using m {}', { using: [name('m')] }],
  ['estimate e on t {}', { on: { source: name('t') }, using: [] }],
]

describe('headers', () => {
  test.each(headers)('%s', (text, node) => {
    expect(bare(declaration(text))).toMatchObject(node)
  })
})
