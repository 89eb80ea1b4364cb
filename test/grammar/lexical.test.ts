import { describe, expect, test } from 'vitest'
import { parse } from '../../grammar/src/parser.ts'
import { bare, brief, declaration } from './grammar-file.ts'

const clauses = (text: string): string[] =>
  parse(text).ast.declarations.flatMap((one) =>
    one.clauses.map((clause) => `${clause.word}: ${text.slice(clause.start, clause.end).replace(/\s+/g, ' ')}`),
  )
const names = (text: string): string[] => parse(text).ast.declarations.map((one) => `${one.kind} ${one.name?.text}`)

describe('where declarations begin', () => {
  test('in the first column, brackets or not', () => {
    expect(names('source a { from (select * from (\nslice b on a where x')).toEqual(['source a', 'slice b'])
    expect(names('\uFEFFsource a { from x(1) }\r\nslice b on a where x\r\n')).toEqual(['source a', 'slice b'])
    expect(names('SOURCE a { FROM x(1) }')).toEqual(['source a'])
    expect(names('source a { from x(1) }\rslice b on a where x')).toEqual(['source a', 'slice b'])
  })
  test('clause words of the same name are indented', () => {
    expect(clauses('cycle c for m {\n  discover d\n  acquire a\n  rounds 5\n}')).toEqual([
      'discover: discover d',
      'acquire: acquire a',
      'rounds: rounds 5',
    ])
  })
  test('words of declarations are names elsewhere', () => {
    const text = 'source source { from model(find: 1); key slice, model }\nslice find on source where model = "source" and assert > cycle'
    expect(parse(text).problems).toEqual([])
    expect(names(text)).toEqual(['source source', 'slice find'])
  })
})

describe('where clauses begin', () => {
  const view = 'source a {\n  from (select label,\n    key\n  from b\n  order by label)\n  key label, key\n  label names\n}'
  test('not in brackets, and not behind a comma', () => {
    expect(parse(view).problems).toEqual([])
    expect(clauses(view)).toEqual(['from: from (select label, key from b order by label)', 'key: key label, key', 'label: label names'])
  })
  test('behind a brace, a semicolon, or first on a line', () => {
    expect(clauses('source a { from b; key c\n label d;; ; }')).toEqual(['from: from b', 'key: key c', 'label: label d'])
  })
  test('brackets that do not balance are not counted', () => {
    expect(clauses("source a {\n  from idx(images: 'x'\n  key b\n  label c\n}")).toEqual(['key: key b', 'label: label c'])
    expect(clauses("source a {\n  from idx images: 'x')\n  key b\n  label c\n}").slice(-2)).toEqual(['key: key b', 'label: label c'])
  })
  test('the cost of a supply may begin a line, the cost of a slice is a clause', () => {
    const text = 'acquire a for m {\n  from dealer\n    cost 1.5 per row\n  cost young 2 per row\n  cost "1" 3 per row\n  budget 5\n}'
    expect(parse(text).problems).toEqual([])
    expect(clauses(text)).toEqual([
      'from: from dealer cost 1.5 per row',
      'cost: cost young 2 per row',
      'cost: cost "1" 3 per row',
      'budget: budget 5',
    ])
  })
  test('clause words of other declarations are plain names', () => {
    expect(parse('model m on t {\n  predict\n    label\n  from key,\n    budget, "from"\n  kind\n    logistic\n}').problems).toEqual([])
  })
  test('a half-typed name behind a dot does not swallow the next clause', () => {
    expect(clauses('complaint c using m {\n  query select l.\n  expect x > 1\n}')).toEqual(['expect: expect x > 1'])
  })
})

describe('docs', () => {
  test('directly above, three dashes, at the start of a line', () => {
    const text =
      '--- File.\n---   Still.\n\n-- no\n---- no\n--- One.\n---Two.\nslice a on t where x --- behind\n--- Far.\n\nslice b on t where x\n'
    const { ast } = parse(text)
    expect(ast.doc).toBe('File.\nStill.')
    expect(ast.declarations.map((one) => one.doc)).toEqual(['One.\nTwo.', undefined])
  })
  test('a run right above the first declaration is its own, not the file’s', () => {
    const { ast } = parse('\uFEFF--- Doc.\r\nslice a on t where x')
    expect(ast.doc).toBeUndefined()
    expect(ast.declarations[0]?.doc).toBe('Doc.')
  })
  test('a file of nothing but a doc', () => {
    expect(parse('--- Doc.').ast.doc).toBe('Doc.')
    expect(parse('\n\n--- Doc.\n  \nslice a on t where x').ast.doc).toBe('Doc.')
    expect(parse('-- plain\n--- Doc.\n\n').ast.doc).toBeUndefined()
  })
})

test('dashes in texts are no comments, comments need no blank', () => {
  const slice = declaration('slice a on t where x = \'--\' and y = "a--b"--c\n  and z -- d\n')
  expect(slice.kind === 'slice' && slice.where && brief(slice.where)).toBe("[[x = '--'] and [y = a--b] and z]")
})

test('spans are those of the text, in UTF-16 units', () => {
  const text = '--- 😀\nslice größe on "t t" where a = \'😀\' -- x\n'
  const slice = declaration(text)
  const at = ({ start, end }: { start: number; end: number }): string => text.slice(start, end)
  if (slice.kind !== 'slice') throw new Error('No slice')
  expect([at(slice), at(slice.keyword), at(slice.name!), at(slice.on!), at(slice.where!)]).toEqual([
    'slice größe on "t t" where a = \'😀\'',
    'slice',
    'größe',
    '"t t"',
    "a = '😀'",
  ])
  expect(slice.on).toMatchObject({ text: 't t', quoted: true })
})

test('percent: what stands behind the sign decides', () => {
  const split = declaration('source a { split x 5%, y 12.5%, z 1_0% seed 3 }').clauses[0]
  expect(split?.word === 'split' && split.parts.map((part) => part.percent?.value)).toEqual([0.05, 0.125, 0.1])
})

test('texts keep what they hold', () => {
  const source = declaration("source a { from 'it''s; { ( -- %' with (delim: '\t', quote: '\"') }")
  expect(bare(source.clauses[0])).toMatchObject({ from: { kind: 'file', path: { value: "it's; { ( -- %" } } })
})

test('blanks of other scripts are blanks', () => {
  expect(parse('slice\u00a0a\u2003on t where\u3000x').problems).toEqual([])
})
