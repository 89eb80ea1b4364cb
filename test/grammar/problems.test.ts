import { describe, test } from 'vitest'
import { problems } from './grammar-file.ts'

describe('SQL outside the subset', () => {
  test.each([
    `
slice s on t where rank() over (order by x) > 1
                          ^^^^ outside-subset: Window functions (\`over\`) are`,
    `
slice s on t where x = (select max(a) from b)
                        ^^^^^^ outside-subset: A select in place of a value (a scalar subquery) is`,
    `
slice s on t where x = any (select a from b)
                            ^^^^^^ outside-subset: Comparing with \`any\`, \`all\` or \`some\` rows is`,
    `
slice s on t where x ilike 5
                     ^^^^^ outside-subset: \`ilike\` is`,
    `
slice s on t where x like 'a' escape 'b'
                              ^^^^^^ outside-subset: \`like … escape\` is`,
    `
slice s on t where x::int = 1
                    ^^ outside-subset: A cast by \`::\` is`,
    `
slice s on t where x == 1
                     ^^ outside-subset: \`==\` is`,
    `
slice s on t where x ^ 2 > 1
                     ^ outside-subset: Powers by \`^\` and \`**\` are`,
    `
slice s on t where x // 2 = 1
                     ^^ outside-subset: Division by \`//\` is`,
    `
slice s on t where a ~ b
                     ^ outside-subset: Matching by \`~\` is`,
    `
slice s on t where !a
                   ^ outside-subset: \`!\` is`,
    `
slice s on t where a & b
                     ^ outside-subset: Operators on bits are`,
    `
slice s on t where (a, b) in (1)
                     ^ outside-subset: Row values such as \`(a, b)\` are`,
    `
slice s on t where x[1] = 2
                    ^ outside-subset: Taking an element by \`[ ]\` is`,
    `
slice s on t where x > interval '1 day'
                                ^^^^^^^ outside-subset: Intervals are`,
    `
slice s on t where x > date '2020-01-01'
                            ^^^^^^^^^^^^ outside-subset: Dates with their type before them are`,
    `
slice s on t where a is true
                        ^^^^ outside-subset: \`is\` with anything but \`null\` is`,
    `
slice s on t where a is not distinct from b
                            ^^^^^^^^ outside-subset: \`is\` with anything but \`null\` is`,
    `
slice s on t where a isnull
                     ^^^^^^ outside-subset: \`isnull\` and \`notnull\` are`,
    `
slice s on t where count(*) filter (where x) > 1
                            ^^^^^^ outside-subset: \`filter (where …)\` is`,
    `
slice s on t where extract(year from x) = 1
                                ^^^^ outside-subset: Words between arguments, as in \`extract(year from x)\`, are`,
    `
slice s on t where a = $1
                       ^ outside-subset: Placeholders and operators of other dialects are`,
    `
slice s on t where a.b.c = 1
                      ^ outside-subset: A name of three parts is`,
    `
slice s on t where a.f(x) = 1
                      ^ outside-subset: A function of a schema, or of a value (\`x.f()\`), is`,
    `
slice s on t where string_agg(x order by y) = ''
                                ^^^^^ outside-subset: An order inside an aggregate is`,
    `
slice s on t where x -> y = 1
                     ^^ outside-subset: Arrows (\`->\`) are`,
    `
slice s on t where {a: 1} = b
                   ^ outside-subset: Structures in \`{ }\` are`,
    `
slice s on t where x similar to 5
                     ^^^^^^^ outside-subset: Matching by other patterns than \`like\` is`,
    `
slice s on t where x at time zone 5
                     ^^ outside-subset: Time zones and collations in expressions are`,
    `
slice s on t where try_cast(x as int) = 1
                              ^^ outside-subset: An alias here is`,
    `
complaint c using m {
  query select a from b union select c from d
                        ^^^^^ outside-subset: Set operations (\`union\`, \`except\`, \`intersect\`) are
  expect n > 1
}`,
    `
complaint c using m {
  query select a from (select 1) as x
                      ^ outside-subset: A select in place of a table (a derived table) is
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b, c
                       ^ outside-subset: A list of tables behind \`from\` is
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b join c using (k)
                               ^^^^^ outside-subset: A join with \`using (…)\` is
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b natural join c
                        ^^^^^^^ outside-subset: Natural, cross, right and full joins are
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b full join c on x
                        ^^^^ outside-subset: Natural, cross, right and full joins are
  expect n > 1
}`,
    `
complaint c using m {
  query select a from read_csv(1)
                              ^ outside-subset: A function in place of a table is
  expect n > 1
}`,
    `
complaint c using m {
  query select a from 'x.csv'
                      ^^^^^^^ outside-subset: A file in place of a table is
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b limit 5 offset 2
                                ^^^^^^ outside-subset: Clauses of a select beyond where, group by, having, order by and limit are
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b order by x nulls first
                                   ^^^^^ outside-subset: \`nulls first\` and \`nulls last\` are
  expect n > 1
}`,
    `
complaint c using m {
  query select distinct on (a) b from c
                        ^^ outside-subset: \`distinct on\` is
  expect n > 1
}`,
    `
complaint c using m {
  query select * exclude (a) from b
                 ^^^^^^^ outside-subset: A \`*\` with exceptions is
  expect n > 1
}`,
    `
complaint c using m {
  query select top 5 a from b
                   ^ outside-subset: \`select top\` is
  expect n > 1
}`,
    `
complaint c using m {
  query with x as (select 1) select * from x
        ^^^^ outside-subset: A \`with\` before a select is
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b qualify x > 1
                        ^^^^^^^ outside-subset: Clauses of a select beyond where, group by, having, order by and limit are
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b asof join c on x
                        ^^^^ outside-subset: Joins of this kind are
  expect n > 1
}`,
  ])('%s', problems)
})

describe('expressions', () => {
  test.each([
    `
slice s on t where a < b < c
                         ^ chained-comparison: Comparisons do not chain: join two of them with \`and\` instead of a second \`<\``,
    `
slice s on t where a between 1
                     ^^^^^^^ between-without-and: A \`between\` needs two bounds: write \`between 1 and 2\``,
    `
slice s on t where a between 1 or 2
                     ^^^^^^^ between-without-and: A \`between\` needs two bounds: write \`between 1 and 2\``,
    `
slice s on t where 7919% 100 = 1
                   ^^^^^ blank-before-percent: 7919 %`,
    `
slice s on t where x = 7919% y
                       ^^^^^ blank-before-percent: 7919 %`,
    `
slice s on t where * > 1
                   ^ misplaced-star: A \`*\` for all columns stands only in a select list and in \`count(*)\``,
    `
slice s on t where a.* = 1
                     ^ misplaced-star: A \`*\` for all columns stands only in a select list and in \`count(*)\``,
    `
slice s on t where x =
                     ^ expected: Expected an expression, found the end of the declaration`,
    `
slice s on t where and x
                   ^^^ expected: Expected an expression, found \`and\``,
    `
slice s on t where (a = 1
                   ^ unclosed-bracket: This \`(\` is not closed: write \`)\``,
    `
slice s on t where f([a, b
                     ^ unclosed-bracket: This \`[\` is not closed: write \`]\``,
    `
slice s on t where a = 1)
                        ^ expected: Expected the end of the slice, found \`)\``,
    `
slice s on t where a b
                     ^ expected: Expected the end of the slice, found \`b\``,
    `
slice s on t where case a end
                          ^^^ expected: Expected \`when\`, found \`end\`. If it is a name, write \`"end"\``,
    `
slice s on t where case when a then b
                                    ^ expected: Expected \`end\`, found the end of the declaration`,
    `
slice s on t where x not 5
                         ^ expected: Expected \`in\`, \`like\` or \`between\`, found \`5\``,
    `
slice s on t where x in y
                        ^ expected: Expected \`(\`, found \`y\``,
    `
slice s on t where x in ()
                         ^ expected: Expected \`select\` or an expression, found \`)\``,
    `
slice s on t where cast(x) = 1
                         ^ expected: Expected \`as\`, found \`)\``,
    `
slice s on t where order = 1
                   ^^^^^ expected: Expected an expression, found \`order\`. If it is a name, write \`"order"\``,
    `
complaint c using m {
  query select count(*) n from mail
                        ^ missing-as: as n
  expect n > 1
}`,
    `
complaint c using m {
  query select count(*) as n from mail m where x
                                       ^ missing-as: as m
  expect n > 1
}`,
    `
complaint c using m {
  query select a
               ^ expected: Expected \`from\`, found the end of the clause
  expect n > 1
}`,
    `
complaint c using m {
  query select a, from b
                ^ clause-after-comma: \`from\` begins a clause, but the comma before it promises one more item: remove the comma
  expect n > 1
}`,
    `
complaint c using m {
  query select from b
               ^^^^ expected: Expected an expression, found \`from\`
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b where
                        ^^^^^ expected: Expected an expression, found the end of the clause
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b join c
                             ^ expected: Expected \`on\`, found the end of the clause
  expect n > 1
}`,
    `
complaint c using m {
  query select a from b group x
                              ^ expected: Expected \`by\`, found \`x\`
  expect n > 1
}`,
    `
complaint c using m {
  query select a as 'n' from b
                    ^^^ string-for-name: "n"
  expect n > 1
}`,
    `
complaint c using m {
  query select a as order from b
                    ^^^^^ reserved-name: "order"
  expect n > 1
}`,
  ])('%s', problems)
})

describe('words and characters', () => {
  test.each([
    `
slice s on t where x = 'abc
                       ^^^^ unterminated-string: This text has no end: close it with \`'\` on the same line`,
    `
slice s on t where x = "abc
                       ^^^^ unterminated-string: This quoted name has no end: close it with \`"\` on the same line`,
    `
slice s on t where x > 12abc
                       ^^^^^ number-touches-word: A name cannot begin with a digit: put a blank between \`12\` and \`abc\`, or quote the name`,
    `
slice s on t where x > 5 /* no */ and y
                         ^^^^^^^^ block-comment: There are no \`/* */\` comments: begin each line of the comment with \`--\``,
    `
slice s on t where x § 1
                     ^ unknown-character: The character \`§\` has no meaning here: remove it, or quote the name or text that it belongs to`,
    `
slice s on t where x = ""
                       ^^ empty-name: A quoted name needs at least one character`,
    `
slice s on t where x ‮‮= 1
                     ^^ unknown-character: The character \`U+202E\` has no meaning here: remove it, or quote the name or text that it belongs to`,
  ])('%s', problems)
})

describe('clauses', () => {
  test.each([
    `
source x {
  lable x
  ^^^^^ unknown-clause: label
  from 'a'
}`,
    `
source x {
  from 'a'
  lable x
  ^^^^^ unknown-clause: label
}`,
    `
source x {
  from 'a' key b
           ^^^ missing-separator: \`key\` begins a clause: put it on a line of its own, or \`;\` before it
}`,
    `
source x {
  key a,
       ^ clause-after-comma: \`label\` begins a clause, but the comma before it promises one more item: remove the comma
  label b
}`,
    `
source x {
  key a, label b
       ^ clause-after-comma: \`label\` begins a clause, but the comma before it promises one more item: remove the comma
}`,
    `
source x {
  frobnicate
  ^^^^^^^^^^ unknown-clause: A source has no clause \`frobnicate\`. It may have \`from\`, \`key\`, \`order\`, \`label\`, \`names\`, \`secret\`, \`split\`
  from 'a'
}`,
    `
source x {
  from data.csv
       ^^^^^^^^ name-for-string: 'data.csv'
}`,
    `
source x {
  from "data.csv"
       ^^^^^^^^^^ name-for-string: Expected a file in single quotes: write \`'data.csv'\`
}`,
    `
source x {
  label 'x'
        ^^^ string-for-name: "x"
}`,
    `
source x {
  label order
        ^^^^^ reserved-name: "order"
}`,
    `
source x {
  split a 5 %
          ^^^ blank-inside-percent: 5%
}`,
    `
source x {
  split a 5, b 10%
          ^ expected: Expected a percentage such as \`80%\`, or \`where …\`, found \`5\`
}`,
    `
source x {
  from 'a' with x
                ^ expected: Expected \`(\`, found \`x\`
}`,
    `
source x {
  from 'a' with (x: 1, 2)
                       ^ positional-after-named: An option without a name stands before the named ones: move it to the front, or name it
}`,
    `
source x {
  names foo
        ^^^ expected: Expected \`as_is\` or \`snake\`, found \`foo\`
}`,
    `
source x {
  from idx(a: 'x', ,)
                   ^ expected: Expected a value, found \`,\`
}`,
    `
source x {
  from
  ^^^^ expected: Expected a file such as 'data.csv', a view in \`( )\`, or a reader such as \`idx(…)\`, found the end of the clause
}`,
    `
source x {
  key a b
        ^ expected: Expected the end of the clause \`key\`, found \`b\`
}`,
    `
source x {
  secret x
         ^ name-for-string: 'x'
}`,
    `
discover d on t {
  support 5%
          ^^ expected: Expected \`>=\`, found \`5%\`
  support >= 5
             ^ expected: Expected \`rows\`, found the end of the clause
  depth 2.5
        ^^^ not-whole-number: A whole number is needed here, and \`2.5\` is none
}`,
    `
assert a on t {
  each foo
       ^^^ expected: Expected \`row\`, \`table\`, \`group by …\`, \`window of …\` or \`track by …\`, found \`foo\`
  require x
  warn above 5
             ^ expected: Expected a percentage such as \`5%\`, found \`5\`
  fail 5%
       ^^ expected: Expected \`above\`, found \`5%\`
  each window of 5 order by x
                 ^ expected: Expected \`rows\` or a unit of time behind the size of the window, found 5
}`,
    `
complaint c using m {
  expect no rows
            ^^^^ expected: Expected the end of the clause \`expect\`, found \`rows\`
  blame top 5 of train
              ^^ expected: Expected \`rows\`, found \`of\`
}`,
    `
find f on t {
  recall > 90%
         ^ expected: Expected \`>=\`, found \`>\`
  recall >= 0.9 with confidence 95%
            ^^^ expected: Expected a percentage such as \`5%\`, found \`0.9\`
  budget 5
         ^ expected: Expected \`labels\`, found the end of the clause
}`,
  ])('%s', problems)
})

describe('declarations', () => {
  test.each([
    `
source x
  from 'y'
  ^^^^ missing-block: The block of this source is missing: expected \`{\`, found \`from\`
}`,
    `
source x {
         ^ unclosed-block: The block of source \`x\` is not closed: write \`}\` at its end
  from 'y'
`,
    `
source x from 'y' }
         ^^^^ expected: Expected \`{\`, found \`from\``,
    `
source x { from 'y' } }
                    ^ stray-brace: This \`}\` closes nothing: remove it`,
    `
source x { from 'y' } foo
                      ^^^ outside-declaration: \`foo\` stands outside every declaration: remove it, or put it into a block`,
    `
modle m on t { predict x }
^^^^^ unknown-declaration: model`,
    `
foo bar
^^^ unknown-declaration: No kind of declaration is called \`foo\`
source x { from 'y' }`,
    `
  source x { from 'y' }
  ^^^^^^ indented-declaration: A declaration begins in the first column: remove the blanks before \`source\`
  slice s on x where a
  ^^^^^ indented-declaration: A declaration begins in the first column: remove the blanks before \`slice\`
 source z { from 'a' }
 ^^^^^^ indented-declaration: A declaration begins in the first column: remove the blanks before \`source\``,
    `
slice a on t where x = 1
and y = 2
^^^ unindented-line: \`and\` cannot open a declaration: indent this line if it continues the one above`,
    `
source { from a }
       ^ expected: Expected a name, found \`{\``,
    `
source x y { from a }
         ^ expected: Expected \`{\`, found \`y\``,
    `
model m { predict x }
        ^ expected: Expected \`on\`, found \`{\``,
    `
import a from 'x'
       ^ expected: Expected \`{\`, found \`a\``,
    `
import { a } 'x'
             ^^^ expected: Expected \`from\`, found the text 'x'`,
    `
import {a} from x
                ^ name-for-string: 'x'`,
    `
slice s on t { where x }
             ^ expected: Expected \`where\`, found \`{\``,
    `
slice s where x
        ^^^^^ expected: Expected \`on\`, found \`where\``,
    `
slice
^^^^^ expected: Expected a name, found the end of the declaration`,
    `
source
^^^^^^ expected: Expected a name, found the end of the declaration`,
    `
{
^ outside-declaration: \`{\` stands outside every declaration: remove it, or put it into a block`,
    `
source x {
         ^ unclosed-block: The block of source \`x\` is not closed: write \`}\` at its end`,
    `
source order { from a }
       ^^^^^ reserved-name: "order"`,
    `
cycle c for m {
              ^ unclosed-block: The block of cycle \`c\` is not closed: write \`}\` at its end
  discover d
acquire a
  rounds 5
  ^^^^^^ expected: Expected \`for\`, found \`rounds\`
}`,
  ])('%s', problems)
})
