import { describe, expect, it } from 'vitest'
import { checkFile, names, problems } from '../support/check-file.ts'

describe('sources', () => {
  it('need what they read', () => {
    problems(`
source a { key id }
       ^ missing-clause
source b { from 'people.xlsx' }
                ^^^^^^^^^^^^^ unknown-format
source c { from 'people.dat' with (format: csv) }
source d { from 'people.dat' with (format: xlsx) }
                                           ^^^^ wrong-option
source e { from idxx(images: 'a') }
                ^^^^ unknown-reader: idx
source f { from idx(labels: 'a') }
                ^^^^^^^^^^^^^^^^ missing-option
source g { from idx(images: 'a', labels: 'b'); label label; key index }
source h { from images('x/*.png', label: folder); key any_thing }
source i { from database('postgres://x', table: 't'); secret 'S' }
source j { from 'people.csv'; secret 'S' }
                              ^^^^^^ secret-without-database`)
  })

  it('in the wrong quotes are one mistake, one problem', () => {
    const { problems: found, syntax } = checkFile('source k { from "people.csv" }\nslice of_k on k where age > 3')
    expect(syntax.map((one) => one.code)).toEqual(['name-for-string'])
    expect(found).toEqual([])
  })

  it('check the options of readers', () => {
    problems(`
source a { from 'people.csv' with (delim: ';', header: true, skip: 2, nullstr: '?', types: [age: INTEGER, income: decimal(10, 2)]) }
source b { from 'people.csv' with (delimiter: ';') }
                                   ^^^^^^^^^ unknown-option
source c { from 'people.csv' with (delim: 5) }
                                          ^ wrong-option
source d { from 'people.csv' with (skip: -1) }
                                         ^^ out-of-range
source e { from 'people.parquet' with (delim: ';') }
                                       ^^^^^^^^^^ option-not-for-format
source f { from 'people.csv' with (types: [age: INTEGR]) }
                                           ^^^^^^^^^^^ unknown-type
source g { from 'people.csv' with (skip: 1, skip: 2) }
                                            ^^^^^^^ repeated-option`)
  })

  it('have keys, orders and labels among their columns', () => {
    problems(`
source a { from 'people.csv'; key ID, NAME; order by born desc, age; label city }
source b { from 'people.csv'; key idd }
                                  ^^^ unknown-column: id
source c { from 'people.csv'; key id, "id" }
                                      ^^^^ repeated-column
source d { from 'people.csv'; key face }
                                  ^^^^ not-a-key
source e { from 'people.csv'; key tags }
                                  ^^^^ not-a-key
source f { from 'people.csv'; label citty }
                                    ^^^^^ unknown-column: city
source g { from 'people.csv'; label face }
                                    ^^^^ unusable-column
source h { from 'people.csv'; order by agee }
                                       ^^^^ unknown-column: age
source i { from 'people.csv'; key id; key name }
                                      ^^^ repeated-clause
source a { from 'people.csv' }
       ^ duplicate-name`)
  })

  it('keep the data layer’s sentence about a file, and are quiet about what needs it', () => {
    problems(`
source a { from 'broken.csv'; key id; label whatever; split train 80% }
                ^^^^^^^^^^^^ data-missing: people.csv
source v { from (select anything as x from a where nothing > 5) }
slice s on a where foo = 'x'
slice t on v where x > 5 and s
model m on a { predict p; from q, r; kind logistic; train on train }
assert ok on a.train using m { each row; require predict(p) = 'x' }`)
  })

  it('rename columns in snake case', () => {
    const { spec, problems: found } = checkFile(`
source odd { from 'odd.csv'; names snake; key two_words }
slice s on odd where petal_length_cm = 'x' and größe = 'y'
`)
    expect(found).toEqual([])
    const source = spec.declarations[0]
    expect(source?.kind === 'source' && source.schema.map((one) => `${one.name} < ${one.from}`)).toEqual([
      'two_words < two words',
      'größe < Größe',
      'été < ÉTÉ',
      'select < undefined',
      'say_so < say "so"',
      'petal_length_cm < Petal Length (cm)',
    ])
  })
})

describe('hostile names', () => {
  it('are names like others', () => {
    problems(`
source "a"";drop table x--" { from 'odd.csv'; key "two words"; label "select"; split "the train" 50%, ";" 50% }
slice "__proto__" on "A"";DROP TABLE x--" where "say ""so""" = 'it''s' and "Größe" <> '😀'
slice "constructor" on "a"";drop table x--" where "__proto__" and split = 'the train'
slice "😀" on "a"";drop table x--" where "constructor" or "toString"
                                                          ^^^^^^^^^^ not-for-columns
source toString { from (select "two words" as "__proto__", "select" as "hasOwnProperty" from "a"";drop table x--") }
slice t on toString where "__PROTO__" > 5 and hasownproperty < 3
source w { from 'people.csv' with (types: [__proto__: INTEGER, age: 'INTEGER); drop table x']) }
                                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown-type`)
  })
})

describe('splits', () => {
  it('share or choose', () => {
    problems(`
source a { from 'people.csv'; split train 70%, valid 20%, test 10% seed 3 }
source b { from 'people.csv'; split train 70%, valid 40% }
                              ^^^^^ split-above-whole
source c { from 'people.csv'; split train 70%, valid where age > 5 }
source d { from 'people.csv'; split train where age > 5, valid where age <= 5 by hash(id) }
                                                                                      ^^ hash-without-percent
source e { from 'people.csv'; split train 50%, TRAIN 20% }
                                               ^^^^^ repeated-split
source f { from 'people.csv'; split train 50%, rest 0% by hash(city, id) }
                                               ^^^^^^^ split-empty
source g { from 'people.csv'; split train 50% by hash(face) }
                                                      ^^^^ unusable-column
source h { from 'people.csv'; split train where age }
                                                ^^^ not-boolean
source i { from 'people.csv'; split train where split = 'train' }
                                                        ^^^^^^^ unknown-split
source j { from 'people.csv'; split train where count(*) > 5 }
                                                ^^^^^^^^ misplaced-aggregate
source k { from 'folds.csv'; split train where split = 'train', rest where split <> 'train' }
                             ^^^^^ split-hidden`)
  })

  it('are known by name', () => {
    problems(`
source people { from 'people.csv'; split train 70%, valid 30% }
source bare { from 'people.csv' }
assert a on people.trian { each row; require age > 0 }
                   ^^^^^ unknown-split: train
assert b on people.TRAIN { each row; require age > 0 }
assert c on bare.train { each row; require age > 0 }
                 ^^^^^ unknown-split
source v { from (select * from people.valid as p) }
source w { from (select * from people.validd) }
                                      ^^^^^^ unknown-split: valid`)
  })
})

describe('views', () => {
  it('have the columns that they select', () => {
    const { spec } = checkFile(`
source people { from 'people.csv'; split train 80% }
source all_of { from (select * from people where split = 'train') }
source some_of { from (select p.*, age + 1 as next, AGE as a, count from (select 1)) }
source chosen { from (select name, age * 2 as twice, income / 2 as half, cast(age as varchar) as words, 'x' as lit from people as p) }
source grouped { from (select city, count(*) as n, avg(age) as mean, max(name) as last from people group by city) }
`)
    const columns = (name: string) => {
      const found = spec.declarations.find((one) => one.name === name)
      return found?.kind === 'source' ? found.schema.map((one) => `${one.name} ${one.type} ${one.sqlType}`) : undefined
    }
    expect(columns('all_of')).toHaveLength(11)
    expect(columns('some_of')).toBeUndefined()
    expect(columns('chosen')).toEqual([
      'name text VARCHAR',
      'twice number INTEGER',
      'half number DOUBLE',
      'words text VARCHAR',
      'lit text VARCHAR',
    ])
    expect(columns('grouped')).toEqual(['city text VARCHAR', 'n number BIGINT', 'mean number DOUBLE', 'last text VARCHAR'])
  })

  it('name what they compute, once', () => {
    problems(`
source people { from 'people.csv' }
source a { from (select age + 1 from people) }
                        ^^^^^^^ output-needs-name
source b { from (select age, name as AGE from people) }
                                     ^^^ repeated-output
source c { from (select * from people as p join people as q on p.id = q.id) }
                        ^ repeated-output
source d { from (select p.*, q.age as other from people as p left join people as q on p.id = q.id + 1) }
source e { from (select name from people as p join people as q on p.id = q.id) }
                        ^^^^ ambiguous-column
source f { from (select p.name from people as p join people on id = 5) }
                                                               ^^ ambiguous-column
source g { from (select p.name from people as p join people as p on true) }
                                                               ^ repeated-table
source h { from (select z.* from people as p) }
                        ^ unknown-table
source i { from (select predict(city) as c from people) }
                        ^^^^^^^^^^^^^ misplaced-predict
source j { from (select name from nobody) }
                                  ^^^^^^ unknown-name`)
  })

  it('group as SQL does', () => {
    problems(`
source people { from 'people.csv' }
source a { from (select city, age, count(*) as n from people group by city) }
                              ^^^ not-grouped
source b { from (select city as c, count(*) as n from people group by c) }
source c { from (select upper(city) as c, count(*) as n from people group by 1 order by n desc, c) }
source d { from (select city, count(*) as n from people group by 3) }
                        ^^^^ not-grouped
                                                                 ^ bad-position
source e { from (select upper(city) as c, count(*) as n from people group by upper(CITY) having n > 5 and count(*) > 3) }
source f { from (select city, count(*) as n from people) }
                        ^^^^ not-grouped
source g { from (select city from people having age > 5) }
                                                ^^^^^^^ having-without-group
source h { from (select city, sum(count(*)) as n from people group by city) }
                                  ^^^^^^^^ nested-aggregate
source i { from (select sum(age) as n from people where sum(age) > 5) }
                                                        ^^^^^^^^ misplaced-aggregate
source j { from (select *, count(*) as n from people) }
                        ^ not-grouped
source k { from (select count(*) as n from people group by count(*)) }
                                                           ^^^^^^^^ misplaced-aggregate
source l { from (select sum(city) as n from people) }
                            ^^^^ wrong-argument
source z { from (select *, age as years from people order by 2, 12, years) }
source m { from (select avg(married) as n from people) }
                            ^^^^^^^ wrong-argument
source n { from (select city, max(age) - min(age) as range, count(distinct name) as names from people group by city) }`)
  })

  it('cannot need themselves', () => {
    problems(`
source a { from (select * from a) }
                               ^ needs-itself
source b { from (select * from c) }
source c { from (select * from b) }
                               ^ circular
slice s on people where t
slice t on people where s
                        ^ circular
source people { from 'people.csv' }`)
  })

  it('may stand in any order, however long the chain', () => {
    const chain = Array.from({ length: 300 }, (_, i) => `source v${i} { from (select * from ${i === 299 ? 'base' : `v${i + 1}`}) }`)
    const base = "source base { from 'people.csv' }"
    const backwards = checkFile([...chain, base].join('\n'))
    expect(new Set(backwards.problems.map((one) => one.code))).toEqual(new Set(['too-long-chain']))
    const forwards = checkFile([base, ...chain.reverse()].join('\n'))
    expect(forwards.problems).toEqual([])
    expect(names(forwards).split(' ')).toHaveLength(301)
  })
})
