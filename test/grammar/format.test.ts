import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lex, type Token } from '../../grammar/src/lexer.ts'
import { parse, parseLexed } from '../../grammar/src/parser.ts'
import { format } from '../../grammar/src/printer.ts'
import { allWords, isReserved } from '../../grammar/src/tokens.ts'
import { makeRandom } from '../support/random-text.ts'
import { bare, fileText, sampleFiles } from './grammar-file.ts'

const layouts: readonly (readonly [name: string, before: string, after: string])[] = [
  ['one line stays one', 'source  a{from   b ;key c;}', 'source a { from b; key c }\n'],
  ['an empty block', 'source a {\n}', 'source a {\n}\n'],
  ['an empty block on one line', 'source a {}', 'source a { }\n'],
  [
    'neighbours on one line share a column',
    'source a { from b }\nsource long_one { from c }\n\nsource d { from e }',
    'source a        { from b }\nsource long_one { from c }\n\nsource d { from e }\n',
  ],
  [
    'of other kinds do not',
    'source a { from b }\npartition long_one on a { by c }',
    'source a { from b }\npartition long_one on a { by c }\n',
  ],
  ['clauses get a column', 'source a {\nfrom b\n   split x 5%\n}', 'source a {\n  from   b\n  split  x 5%\n}\n'],
  ['a column of the author is kept', 'source a {\n  from b\n  key  c\n}', 'source a {\n  from b\n  key  c\n}\n'],
  ['unless it is far off', 'source a {\n  from        b\n  key         c\n}', 'source a {\n  from  b\n  key   c\n}\n'],
  [
    'words in lower case, names as they are',
    'SLICE Dim ON Frames WHERE Brightness<0.2 AND COUNT(*)>1',
    'slice Dim on Frames where Brightness < 0.2 and count(*) > 1\n',
  ],
  [
    'a clause word as a name keeps its case',
    'source a {\n  LABEL Label\n  KEY Key, "From"\n}',
    'source a {\n  label  Label\n  key    Key, "From"\n}\n',
  ],
  [
    'signs and brackets',
    'slice s on t where -x<- 1 and - -y=-(2) and f( a ,b)in( 1,- 2 ) and [ 1 ]=[]',
    'slice s on t where -x < -1 and - -y = -(2) and f(a, b) in (1, -2) and [1] = []\n',
  ],
  ['parentheses are the author’s', 'slice s on t where ((a)) and (b or c)', 'slice s on t where ((a)) and (b or c)\n'],
  [
    'numbers and units',
    'slice s on t where x > 30s and y < 1_000 and z%10 = 5%',
    'slice s on t where x > 30 s and y < 1_000 and z % 10 = 5%\n',
  ],
  ['unequal', 'slice s on t where a != b', 'slice s on t where a <> b\n'],
  ['imports', "import{a,b}from'x'", "import { a, b } from 'x'\n"],
  [
    'blank lines: one at most',
    '\n\nslice a on t where x\n\n\n\nslice b on t where y\n\n\n',
    'slice a on t where x\n\nslice b on t where y\n',
  ],
  [
    'blank lines: one around a block',
    'slice a on t where x\nsource b {\n  from c\n}\nslice d on t where y',
    'slice a on t where x\n\nsource b {\n  from  c\n}\n\nslice d on t where y\n',
  ],
  ['blank lines inside a block', 'source a {\n\n  from b\n\n\n  key c\n\n}', 'source a {\n  from  b\n\n  key   c\n}\n'],
  [
    'comments',
    '-- top\nsource a { -- open\n-- own\nfrom b -- behind\n\n-- above\nkey c,\n  -- inside\n  d -- end\n-- last\n} -- close\n-- bottom',
    '-- top\nsource a {  -- open\n  -- own\n  from  b  -- behind\n\n  -- above\n  key   c,\n        -- inside\n        d  -- end\n  -- last\n}  -- close\n\n-- bottom\n',
  ],
  ['a comment behind a slice does not break it', 'slice a on t where x and y -- why', 'slice a on t where x and y  -- why\n'],
  ['a comment in a condition', 'slice a on t where x and -- why\n  y', 'slice a on t\n  where x\n        and  -- why\n        y\n'],
  ['nothing but comments', '--- a\n\n\n-- b  \n', '--- a\n\n-- b\n'],
  ['nothing', ' \n\n', ''],
  ['line endings and byte-order mark', '\uFEFFsource a {\r\nfrom b\r\n}\r\n', '\uFEFFsource a {\r\n  from  b\r\n}\r\n'],
  [
    'conditions break before and, or',
    `slice s on t where ${'a_rather_long_name > 1 and '.repeat(4)}b or c`,
    'slice s on t\n  where a_rather_long_name > 1\n        and a_rather_long_name > 1\n        and a_rather_long_name > 1\n        and a_rather_long_name > 1\n        and b\n        or c\n',
  ],
  [
    'lists fill their lines',
    `model m on t {\n  from ${Array.from({ length: 14 }, (_, index) => `column_${index}`).join(',')}\n}`,
    'model m on t {\n  from  column_0, column_1, column_2, column_3, column_4, column_5, column_6, column_7, column_8,\n        column_9, column_10, column_11, column_12, column_13\n}\n',
  ],
  [
    'a header that is too long is broken behind its word',
    `assert a on t using ${'a_rather_long_name, '.repeat(5)}b { each row; require x }`,
    'assert a on t using a_rather_long_name, a_rather_long_name, a_rather_long_name, a_rather_long_name,\n       a_rather_long_name, b {\n  each     row\n  require  x\n}\n',
  ],
  [
    'a bare clause word never begins a line',
    `model m on t {\n  from ${'a_rather_long_column_name, '.repeat(3)}kind, train, predict, other, kind\n}`,
    'model m on t {\n  from  a_rather_long_column_name, a_rather_long_column_name, a_rather_long_column_name, kind, train, predict,\n        other, kind\n}\n',
  ],
  [
    'between keeps its and',
    `slice s on t where ${'a_rather_long_name > 1 and '.repeat(3)}x between 1 and 2`,
    'slice s on t\n  where a_rather_long_name > 1\n        and a_rather_long_name > 1\n        and a_rather_long_name > 1\n        and x between 1 and 2\n',
  ],
  [
    'a case breaks before when',
    `assert a on t {\n  severity case when ${'a_rather_long_name > 1 and '.repeat(2)}b then 'first one' when c then 'second' else 'third' end\n}`,
    "assert a on t {\n  severity  case when a_rather_long_name > 1 and a_rather_long_name > 1 and b then 'first one'\n                 when c then 'second'\n                 else 'third'\n            end\n}\n",
  ],
  [
    'supplies get columns',
    'acquire a for m {\n  from x cost 1 per row\n  from longer cost 10 per draw limit 5 rows where z\n  from y cost 2 per row limit 50 rows\n}',
    'acquire a for m {\n  from  x      cost 1 per row\n  from  longer cost 10 per draw  limit 5 rows   where z\n  from  y      cost 2 per row    limit 50 rows\n}\n',
  ],
  [
    'a supply on two lines',
    'acquire a for m {\n  from x\n    cost 1 per row\n  budget 5\n}',
    'acquire a for m {\n  from    x cost 1 per row\n  budget  5\n}\n',
  ],
]

describe('layout', () => {
  test.each(layouts)('%s', (_, before, after) => {
    expect(format(before)).toEqual({ text: after, problems: [] })
    expect(format(after).text).toBe(after)
  })
})

test('text with a problem comes back as it was', () => {
  const text = 'source   a { from }\n slice b on a where x'
  const { text: after, problems } = format(text)
  expect(after).toBe(text)
  expect(problems.length).toBeGreaterThan(0)
})

test.each(sampleFiles)('%s is formatted', (path) => {
  expect(format(fileText(path))).toEqual({ text: fileText(path), problems: [] })
})

const design = new URL('../../../shared/design/LANGUAGE.md', import.meta.url)
test.skipIf(!existsSync(design))('the examples are those of the design (skipped without ../shared)', () => {
  const section = readFileSync(design, 'utf8').split('## Two examples that must always work')[1]!
  const [digits, stones] = [...section.matchAll(/```\n([\s\S]*?)```/g)].map((found) => found[1])
  expect(fileText('examples/digits.assay')).toBe(digits)
  expect(fileText('examples/stones.assay')).toBe(stones)
})

/** What formatting may not change: the tokens but for separators, letter case of words and spelling of `<>`; the comments; the tree. */
const essence = (text: string): unknown => {
  const { tokens, comments } = lex(text)
  const spelling = ({ image }: Token): string => (image === '!=' ? '<>' : /^["']/.test(image) ? image : image.toLowerCase())
  return {
    tokens: tokens.map(spelling).filter((one) => one !== ';'),
    comments: comments.map((one) => text.slice(one.start, one.end).trimEnd()),
    tree: JSON.stringify(bare(parse(text).ast)).toLowerCase(),
  }
}

/** The text with other blanks, line breaks and comments between its tokens, where they do not matter. */
const disturbed = (text: string, random: (below: number) => number): string => {
  const { tokens, comments } = lex(text)
  const things = [
    ...tokens.map((one) => ({ start: one.startOffset, end: one.endOffset + 1, token: one })),
    ...comments.map((one) => ({ ...one, token: undefined })),
  ]
  things.sort((a, b) => a.start - b.start)
  let out = ''
  let depth = 0
  for (const [index, { start, end, token }] of things.entries()) {
    const gap = text.slice(things[index - 1]?.end ?? 0, start)
    const image = token?.image ?? ''
    if (image === ')' || image === ']') depth--
    const inBrackets = depth > 0 && token !== undefined && things[index - 1]?.token !== undefined
    const roll = random(20)
    if (gap.includes('\n'))
      out +=
        roll === 0
          ? `\n\n\n${gap.replace(/^\n+/, '')}`
          : roll === 1
            ? `  -- note ${index}${gap}`
            : roll === 2
              ? gap.replace(/ +$/, (blanks) => blanks + ' '.repeat(blanks === '' ? 0 : 3))
              : gap
    else if (inBrackets && gap !== '' && roll < 3) out += ['\n      ', ` -- in ${index}\n   `, `\n   -- own ${index}\n      `][roll]
    else out += gap === '' ? '' : ' '.repeat(1 + random(3))
    out +=
      random(10) === 0 && token !== undefined && /^[a-z]+$/.test(image) && token.role === undefined && isKeyword(token)
        ? image.toUpperCase()
        : text.slice(start, end)
    if (image === '(' || image === '[') depth++
  }
  return out + text.slice(things.at(-1)?.end ?? 0)
}
const isKeyword = (token: Token): boolean =>
  ['select', 'from', 'where', 'and', 'or', 'on', 'between', 'case', 'when', 'then', 'end', 'group', 'by', 'in', 'not'].includes(token.image)

describe.each(sampleFiles)('%s, disturbed', (path) => {
  test('formats to the same tokens, comments and tree, and then stays', () => {
    const random = makeRandom(11)
    const text = fileText(path)
    for (let round = 0; round < 12; round++) {
      const before = disturbed(text, random)
      const { text: after, problems } = format(before)
      expect(problems, before).toEqual([])
      expect(essence(after)).toEqual(essence(before))
      expect(format(after).text).toBe(after)
      expect(after).not.toMatch(/[ \t]\n|\n\n\n/)
    }
  })
})

const legalNames = allWords.filter((one) => !isReserved(one))

/** The text with clause words, and names that make lines overflow, in place of some names. */
const renamed = (text: string, random: (below: number) => number): string => {
  const lexed = lex(text)
  parseLexed(text, lexed)
  let out = ''
  let end = 0
  for (const token of lexed.tokens) {
    const other = random(2) === 0 ? legalNames[random(legalNames.length)]! : `n${'x'.repeat(random(60))}`
    out +=
      text.slice(end, token.startOffset) + (token.role === 'name' && !token.image.startsWith('"') && random(4) === 0 ? other : token.image)
    end = token.endOffset + 1
  }
  return (out + text.slice(end)).replace(/\n {3,}/g, ' ')
}

test.each(sampleFiles)('%s with other names: clause words never begin a line', (path) => {
  const random = makeRandom(5)
  for (let round = 0; round < 12; round++) {
    const before = renamed(fileText(path), random)
    const { text: after, problems } = format(before)
    expect(problems, before).toEqual([])
    expect(essence(after)).toEqual(essence(before))
    expect(format(after).text).toBe(after)
  }
})
