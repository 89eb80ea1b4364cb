import { describe, expect, it } from 'vitest'
import { checkFile, names, problems } from '../support/check-file.ts'

const HEAD = `source people { from 'people.csv'; order by id; split train 70%, valid 30% }
source bare { from (select age, income from people) }
source stones { from 'stones.csv' }
model m on people { predict city; from age, income; kind logistic; train on train }
model n on people { predict income; from age; kind linear; train on train }
slice old on people where age > 60
partition cities on people { by city }
oracle truth on people { ask city, age; from column city; cost 0.5 per row }
`

describe('assertions', () => {
  it('require what must hold of rows or groups', () => {
    problems(`${HEAD}assert a on people { each row; require age > 0; require income > 0; severity age; level warning; warn above 1%; fail above 5% }
assert b on people { each row }
       ^ missing-clause
assert c on people { require age > 0 }
       ^ missing-clause
assert d on people { each row; require age }
                                       ^^^ not-boolean
assert e on people { each row; require age > 0; severity city }
                                                         ^^^^ not-number
assert f on people { each row; require sum(age) > 0 }
                                       ^^^^^^^^ misplaced-aggregate
assert g on people { each group by city; require sum(age) > 0 and max(income) < 5 * count(*) }
assert h on people { each group by city; require age > 0 }
                                                 ^^^ not-grouped
assert i on people { each group by upper(city); require upper(city) <> 'X' and agree(name); severity count(*) }
assert j on people { each group by face; require count(*) > 1 }
                                   ^^^^ unusable-column
assert k on people { each row; require age > 0; warn above 5%; fail above 1% }
                                                           ^^ warn-above-fail
assert l on people { each row; require 1 = 1 }
                                       ^^^^^ constant-require
assert o on people using m { each row; require predict(city) = city or score(city, 'Bern') > 0.5 }
assert p on people { each row; require predict(city) = city }
                                       ^^^^^^^^^^^^^ no-models
assert q on stones using m { each row; require predict(city) = 'x' }
                                                       ^^^^ missing-input
assert r on people using m, m { each row; require predict(city) = 'x' }
                            ^ repeated-column
assert s on people using n { each row; require score(income, 5) > 0.5 }
                                               ^^^^^^^^^^^^^^^^ score-regression
assert t on people using m { each group by predict(city); require count(*) > 5 }
assert u on people { each group by sum(age); require count(*) > 5 }
                                   ^^^^^^^^ misplaced-aggregate
assert v on people { each row; require old or cities = 'Bern' }
assert w on people using m { each row; require score(city, name) > 0.5 }
                                                           ^^^^ score-class`)
  })

  it('over tables, windows and tracks are checked, and run later', () => {
    problems(`${HEAD}assert a on people { each table; require count(*) > 0 }
assert b on people { each table; require age > 0 }
                                         ^^^ not-grouped
assert c on people { each window of 10 rows by city order by seen; require blips(age, within: 5 s) = 0 and gap(seen) < 5 s }
assert d on people { each window of 10 rows by citty order by seeen; require transitions(age) = 0 }
                                               ^^^^^ unknown-column: city
                                                              ^^^^^ unknown-column: seen
assert e on people { each track by iou(age, income) order by id; require count(*) > 5; correct with majority }
assert f on people { each track by agee order by id; require count(*) > 5; correct with majorty }
                                   ^^^^ unknown-column: age
                                                                                        ^^^^^^^ unknown-setting: majority
assert g on people { learn likelihood of (age, income) given city on people.train }
assert h on people { learn likelihood of (agee) given cit on people.trian }
                                          ^^^^ unknown-column: age
                                                                    ^^^^^ unknown-split: train
assert i on stones { each group by cut; require transitions(price) < 5 }
                                                ^^^^^^^^^^^ needs-order
assert j on people { each table; require blips(age, age) = 0 or gap(city) > 5 or transitions(age, within: 5) = 0 }
                                         ^^^^^^^^^^^^^^^ wrong-argument-count
                                                                    ^^^^ wrong-argument
                                                                                                  ^^^^^^ label-not-allowed`)
    const { spec } = checkFile(`${HEAD}assert a on people { each table; require count(*) > 0 }
assert b on people { each group by city; require transitions(age) = 0 }
assert c on people { each group by city; require agree(age) }
assert d on people { each group by city; require agree(age); correct with majority }
`)
    expect(spec.declarations.flatMap((one) => (one.kind === 'assert' ? [one.later ?? 'now'] : []))).toEqual([
      'assertions on each table',
      '`transitions`',
      'now',
      '`correct with`',
    ])
  })

  it('are left out where they have an error, and the others stay', () => {
    const checked = checkFile(`${HEAD}assert a on people { each row; require agee > 0 }
assert b on people { each row; require age > 0 }
review r on people using m { flagged by a; budget 5 labels }
review s on people using m { flagged by b; budget 5 labels }
`)
    expect(checked.problems.map((one) => one.code)).toEqual(['unknown-column'])
    expect(names(checked).split(' ').slice(-2)).toEqual(['b', 's'])
  })
})

describe('what runs later', () => {
  it('is checked: oracles and reviews', () => {
    problems(`${HEAD}oracle a on people { ask city; queue 'labels' }
oracle b on people { ask city }
       ^ missing-one-of
oracle c on people { from column city }
       ^ missing-clause
oracle d on people { ask city; from column citty }
                                           ^^^^^ unknown-column: city
oracle e on people { ask city, City; queue 'q'; cost -1 per row }
                               ^^^^ repeated-column
                                                     ^^ out-of-range
oracle f on people { ask city; queue 'q'; from column city }
                               ^^^^^ clauses-exclude
assert ok on people { each row; require age > 0 }
review g on people using m { flagged by ok; strategy bal; budget 5 labels; ask truth }
review h on people using m { strategy uncertainty; budget 0 labels }
                                                          ^ out-of-range
review i on people using m { strategy bal; budget 5 labels }
                                      ^^^ missing-clause
review j on people using m { flagged by old; strategy bal; budget 5 labels; ask m }
                                        ^^^ wrong-kind
                                                                                ^ wrong-kind
review k on people using m { strategy ball; budget 5 labels }
                                      ^^^^ unknown-setting: bal`)
  })

  it('is checked: acquisitions and cycles', () => {
    problems(`${HEAD}discover d on people using m { over age }
discover dn on people using n { over age }
acquire a for m { slices cities, old; from people.valid cost 1 per row limit 10 rows where age > 5; cost old 3 per row; budget 50; minimize loss + 1 * unfairness; strategy moderate(step: 2); curve power_law(points: 10); sampling ucb; minimum 5 rows; stop when spent > 10 or rounds >= 3; into 'x.parquet' }
acquire b for m { slices cities; from people cost 2 per row; budget 1 }
                                                                    ^ budget-below-cheapest
acquire c for m { slices citties; from stones cost 2 per row; budget 10 }
                         ^^^^^^^ unknown-name: cities
                                       ^^^^^^ missing-input
                                       ^^^^^^ missing-input
acquire e for m { slices m; from people cost 2 per row; budget 10 }
                         ^ wrong-kind
acquire f for m { want old 5 rows; from people cost 2 per draw; budget 10; cost cities 5 per row }
                                                                                ^^^^^^ slice-not-wanted
acquire g for m { from people cost 2 per row; budget 10 }
        ^ missing-one-of
acquire h for m { slices old; budget 10 }
        ^ missing-clause
acquire i for m { slices old; from people cost 2 per row; budget 10; strategy moderat; curve power; sampling ucbb }
                                                                              ^^^^^^^ unknown-setting: moderate
                                                                                             ^^^^^ unknown-setting
                                                                                                             ^^^^ unknown-setting: ucb
acquire j for m { slices old; from people cost 2 per row; budget 10; stop when spend > 5 }
                                                                               ^^^^^ unknown-column: spent
acquire k for m { slices old; from people cost 2 per row; budget 10; stop when loss }
                                                                               ^^^^ not-boolean
acquire l for m { slices old; from people cost -2 per row; budget 0 }
                                               ^^ out-of-range
                                                                  ^ out-of-range
cycle o for m { discover d; acquire a; rounds 3; stop when imbalance < 2 }
cycle p for m { discover dn; acquire a; rounds 0 }
                         ^^ other-model
                                               ^ out-of-range
cycle q for m { discover a; acquire d }
      ^ missing-clause
                         ^ wrong-kind
                                    ^ wrong-kind`)
  })

  it('is checked: find and estimate', () => {
    problems(`${HEAD}find a on people using m { where ask(truth, city) = 'Bern'; proxy score(city, 'Bern'); recall >= 90% with confidence 95%; budget 100 labels; method supg(bound: finite) }
find b on people { where city = 'Bern'; recall >= 90% with confidence 95%; budget 100 labels }
                         ^^^^^^^^^^^^^ oracle-needed
find c on people { where ask(truth, name) = 'Bern'; recall >= 90% with confidence 95%; budget 100 labels }
                                    ^^^^ oracle-column
find d on people { where ask(truth, city) = 5; recall >= 100% with confidence 0%; budget 0 labels }
                         ^^^^^^^^^^^^^^^^^^^^ not-comparable
                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ promise-range
                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ promise-range
                                                                                         ^ out-of-range
find e on people { where ask(trut, city) = 'x'; error <= 0.1 with confidence 95%; budget 5 labels }
                             ^^^^ unknown-name: truth
                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ promise-kind
find f on people { where ask(truth, city) = 'x'; proxy ask(truth, age); recall >= 90% with confidence 95%; budget 5 labels; method supgg }
                                                       ^^^^^^^^^^^^^^^ misplaced-ask
                                                                                                                                   ^^^^^ unknown-setting: supg
find g on people { where ask(truth, city) = 'x'; proxy city; recall >= 90% with confidence 95%; recall >= 80% with confidence 95%; budget 5 labels }
                                                       ^^^^ not-number
                                                                                                ^^^^^^ repeated-clause
find h on people { where ask(truth, city) = 'x' }
     ^ missing-clause
     ^ missing-some-of
estimate i on people { value ask(truth, age); where old; error <= 5% with confidence 95%; range 0 to 100; budget 5 labels; method blazeit(bound: finite) }
estimate j on people { value ask(truth, city); error <= 0.1 with confidence 95%; range 5 to 1; budget 5 labels }
                             ^^^^^^^^^^^^^^^^ not-number
                                                                                 ^^^^^^^^^^^^ range-order
estimate k on people { value ask(truth, age); recall >= 90% with confidence 95%; budget 5 labels; method blazeit(bound: monotone) }
                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ promise-kind
                                                                                                                        ^^^^^^^^ wrong-option`)
  })
})
