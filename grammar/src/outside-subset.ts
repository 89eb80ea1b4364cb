/** SQL that people know and that Assay does not read: how it looks where reading stops, what it is called, and what to write instead. */
import type { TokenType } from 'chevrotain'
import type { Token } from './lexer.ts'
import {
  Bare,
  Comma,
  Digits,
  Dot,
  Factor,
  Foreign,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Name,
  Quoted,
  RightBracket,
  RightParen,
  Star,
  Text,
} from './vocabulary.ts'

export interface Outside {
  readonly construct: string
  readonly remedy: string
}

/** The tokens around the one at which reading stopped. */
interface Around {
  readonly text: string
  readonly type: TokenType
  readonly before: string
  readonly beforeType: TokenType | undefined
  readonly twoBefore: string
  readonly twoBeforeType: TokenType | undefined
  readonly after: string
  /** A select stands before it in the clause. */
  readonly inSelect: boolean
  /** The function whose arguments are being read. */
  readonly callee: string
  readonly expected: string
  /** The word `join` or `from` was the last of the select's words. */
  readonly inTables: boolean
}

interface Form extends Outside {
  readonly fits: (around: Around) => boolean
}

const declareIt = 'declare it as a source, `source name { from (select …) }`, and select from that'
const named = (...words: string[]) => {
  const set = new Set(words)
  return ({ text }: Around): boolean => set.has(text)
}
const behindOperand = ({ beforeType, before }: Around): boolean =>
  beforeType !== undefined && (isName(beforeType) || [RightParen, RightBracket, Digits, Text].includes(beforeType) || before === 'end')
const isName = (type: TokenType): boolean => type === Bare || type === Quoted || type.CATEGORIES?.includes(Name) === true

const forms: readonly Form[] = [
  {
    fits: named('over'),
    construct: 'Window functions (`over`) are',
    remedy: 'use `each window` of an assertion, or compute the column beforehand',
  },
  {
    fits: named('union', 'except', 'intersect'),
    construct: 'Set operations (`union`, `except`, `intersect`) are',
    remedy: 'declare a source for each part',
  },
  {
    fits: (a) => a.text === 'with' && a.after !== '(' && (a.before === '(' || a.before === 'query' || a.before === ''),
    construct: 'A `with` before a select is',
    remedy: declareIt,
  },
  {
    fits: (a) => a.type === LeftParen && (a.before === 'from' || a.before === 'join') && a.inSelect,
    construct: 'A select in place of a table (a derived table) is',
    remedy: declareIt,
  },
  {
    fits: (a) => a.text === 'select' && ['any', 'all', 'some'].includes(a.twoBefore),
    construct: 'Comparing with `any`, `all` or `some` rows is',
    remedy: 'use `in (select …)` or `exists (select …)`',
  },
  {
    fits: (a) => a.text === 'select',
    construct: 'A select in place of a value (a scalar subquery) is',
    remedy: 'join its source, or declare a source that holds the value',
  },
  { fits: (a) => a.text === 'using' && a.inSelect, construct: 'A join with `using (…)` is', remedy: 'write `on a.key = b.key`' },
  {
    fits: (a) => a.text === 'filter' && a.beforeType === RightParen,
    construct: '`filter (where …)` is',
    remedy: 'use `case when … then … end` inside the aggregate',
  },
  {
    fits: (a) => a.text === 'within' && a.beforeType === RightParen,
    construct: '`within group` is',
    remedy: 'use an aggregate that needs no order, such as `median` or `quantile_cont(x, 0.9)`',
  },
  { fits: named('ilike'), construct: '`ilike` is', remedy: 'write `lower(x) like …`' },
  {
    fits: (a) => a.text === 'similar' || a.text === 'rlike' || a.text === 'regexp' || a.text === 'glob',
    construct: 'Matching by other patterns than `like` is',
    remedy: "write `regexp_matches(x, '…')`",
  },
  { fits: named('escape'), construct: '`like … escape` is', remedy: "write `regexp_matches(x, '…')`" },
  { fits: named('::'), construct: 'A cast by `::` is', remedy: 'write `cast(x as type)`' },
  {
    fits: (a) => a.text === '->' || a.text === '->>',
    construct: 'Arrows (`->`) are',
    remedy: "write `json_extract(x, '$.name')`; there are no functions of one's own",
  },
  { fits: named('=='), construct: '`==` is', remedy: 'write `=`' },
  { fits: named('**', '^'), construct: 'Powers by `^` and `**` are', remedy: 'write `pow(x, 2)`' },
  { fits: named('//'), construct: 'Division by `//` is', remedy: 'write `floor(x / y)`' },
  {
    fits: (a) => a.type === Foreign && ['~', '!~', '~~'].includes(a.text),
    construct: 'Matching by `~` is',
    remedy: "write `regexp_matches(x, '…')`",
  },
  {
    fits: (a) => a.type === Foreign && ['&', '|', '<<', '>>', '&&'].includes(a.text),
    construct: 'Operators on bits are',
    remedy: 'use `and`, `or` between conditions; compute bits in the data beforehand',
  },
  {
    fits: (a) => a.type === Foreign && [':=', '=>'].includes(a.text),
    construct: 'Named arguments by `:=` and `=>` are',
    remedy: 'write `name: value`',
  },
  { fits: named('!'), construct: '`!` is', remedy: 'write `not`' },
  { fits: (a) => a.type === Foreign, construct: 'Placeholders and operators of other dialects are', remedy: 'write the value itself' },
  {
    fits: named('natural', 'cross', 'right', 'full'),
    construct: 'Natural, cross, right and full joins are',
    remedy: 'write `join … on …` or `left join … on …`',
  },
  {
    fits: (a) => a.after === 'join' && ['asof', 'positional', 'semi', 'anti'].includes(a.text),
    construct: 'Joins of this kind are',
    remedy: 'write `join … on …`, or `exists (select …)`',
  },
  {
    fits: (a) => a.type === Comma && a.inTables && behindOperand(a),
    construct: 'A list of tables behind `from` is',
    remedy: 'write `join … on …`',
  },
  {
    fits: (a) => a.type === LeftParen && a.inTables && isName(a.beforeType!),
    construct: 'A function in place of a table is',
    remedy: 'declare a source that reads it',
  },
  {
    fits: (a) => a.type === Text && a.inSelect && (a.before === 'from' || a.before === 'join'),
    construct: 'A file in place of a table is',
    remedy: "declare it as a source, `source name { from 'file' }`",
  },
  {
    fits: (a) => a.inSelect && ['offset', 'qualify', 'window', 'tablesample', 'fetch', 'lateral', 'pivot', 'unpivot'].includes(a.text),
    construct: 'Clauses of a select beyond where, group by, having, order by and limit are',
    remedy: 'leave it out, or compute its result beforehand',
  },
  {
    fits: (a) => a.type === Digits && a.before === 'top' && a.twoBefore === 'select',
    construct: '`select top` is',
    remedy: 'write `limit` at the end',
  },
  {
    fits: (a) => a.type === LeftBracket && behindOperand(a),
    construct: 'Taking an element by `[ ]` is',
    remedy: 'write `list_extract(x, 1)`',
  },
  {
    fits: (a) => a.type === LeftBrace && a.expected === 'an expression',
    construct: 'Structures in `{ }` are',
    remedy: 'name the columns one by one',
  },
  {
    fits: (a) => a.type === Text && a.before === 'interval',
    construct: 'Intervals are',
    remedy: 'write a duration such as `30 s` or `2 d`',
  },
  {
    fits: (a) => a.type === Text && ['date', 'time', 'timestamp'].includes(a.before),
    construct: 'Dates with their type before them are',
    remedy: "write `cast('2024-12-31' as date)`",
  },
  {
    fits: (a) =>
      (a.before === 'is' || (a.before === 'not' && a.twoBefore === 'is')) && ['true', 'false', 'unknown', 'distinct'].includes(a.text),
    construct: '`is` with anything but `null` is',
    remedy: 'write `x`, `not x` or `x = y`, and `coalesce` where NULL must count',
  },
  {
    fits: (a) => (a.text === 'isnull' || a.text === 'notnull') && behindOperand(a),
    construct: '`isnull` and `notnull` are',
    remedy: 'write `is null` or `is not null`',
  },
  { fits: (a) => a.text === 'on' && a.before === 'distinct', construct: '`distinct on` is', remedy: 'group by these columns' },
  { fits: (a) => a.text === 'nulls', construct: '`nulls first` and `nulls last` are', remedy: 'order by `x is null` first' },
  {
    fits: (a) => a.text === 'order' && a.callee !== '',
    construct: 'An order inside an aggregate is',
    remedy: 'use an aggregate that needs no order',
  },
  {
    fits: (a) => a.text === 'from' && a.callee !== '',
    construct: 'Words between arguments, as in `extract(year from x)`, are',
    remedy: "write `date_part('year', x)`, and commas between arguments",
  },
  {
    fits: (a) => a.text === 'at' || a.text === 'collate',
    construct: 'Time zones and collations in expressions are',
    remedy: 'compute the column beforehand',
  },
  {
    fits: (a) => a.beforeType === Star && ['exclude', 'except', 'replace', 'rename'].includes(a.text),
    construct: 'A `*` with exceptions is',
    remedy: 'list the columns',
  },
  {
    fits: (a) => a.text === 'as' && a.inSelect === false && behindOperand(a),
    construct: 'An alias here is',
    remedy: 'leave it out; `try_cast` is `cast`',
  },
  {
    fits: (a) => a.type === LeftParen && isName(a.beforeType ?? Comma) && a.twoBeforeType === Dot,
    construct: 'A function of a schema, or of a value (`x.f()`), is',
    remedy: 'write `f(x)`',
  },
  { fits: (a) => a.type === Dot && a.twoBeforeType === Dot, construct: 'A name of three parts is', remedy: 'write `table.column`' },
  { fits: (a) => a.type === Factor && a.before === '*', construct: 'Operators in a row are', remedy: 'write one of them' },
]

/** What the token at `at` begins or belongs to, if that is SQL outside the subset. `rowValue`: a comma where a parenthesis should close. */
export const outsideSubset = (tokens: readonly Token[], at: number, expected: string): Outside | undefined => {
  const token = tokens[at]
  if (token === undefined) return undefined
  const text = (index: number): string => tokens[index]?.image.toLowerCase() ?? ''
  let inSelect = false
  let inTables = false
  const callees: string[] = []
  for (let index = 0; index < at; index++) {
    const one = text(index)
    if (one === 'select') inSelect = true
    if (one === 'select' || one === 'where' || one === 'group' || one === 'order' || one === 'on') inTables = false
    if (inSelect && (one === 'from' || one === 'join')) inTables = true
    if (one === '(') callees.push(isName(tokens[index - 1]?.tokenType ?? Comma) ? text(index - 1) : '')
    if (one === ')') callees.pop()
  }
  if (token.tokenType === Comma && expected === '`)`' && !inTables)
    return { construct: 'Row values such as `(a, b)` are', remedy: 'compare each column by itself, joined with `and`' }
  const around: Around = {
    text: token.tokenType === Quoted || token.tokenType === Text ? '' : text(at),
    type: token.tokenType,
    before: text(at - 1),
    beforeType: tokens[at - 1]?.tokenType,
    twoBefore: text(at - 2),
    twoBeforeType: tokens[at - 2]?.tokenType,
    after: text(at + 1),
    inSelect,
    inTables,
    callee: callees.at(-1) ?? '',
    expected,
  }
  return forms.find((form) => form.fits(around))
}
