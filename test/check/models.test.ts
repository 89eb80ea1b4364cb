import { describe, expect, it } from 'vitest'
import { checkFile, problems } from '../support/check-file.ts'

describe('models', () => {
  it('say what is predicted from what, how, and from which rows', () => {
    problems(`
source people { from 'people.csv'; key id; split train 70%, valid 30% }
model a on people { predict city; from age, income, face; kind logistic; train on train }
model b on people { predict income; from age; kind linear(l2: 0.5); train on train with (epochs: 5, seed: 1); validate on valid }
model c on people { predict city; kind logistic; train on train }
      ^ missing-some-of
model d on people { from age; kind logistic; train on train }
      ^ missing-clause
model e on people { predict city; from age; train on train }
      ^ missing-clause
model f on people { predict city; from age; kind logistic }
                                            ^^^^ train-missing
model g on people { predict citi; from agee, age; kind logistic; train on trian }
                            ^^^^ unknown-column: city
                                       ^^^^ unknown-column: age
                                                                          ^^^^^ unknown-split: train
model h on persons { predict city; from age; kind logistic; train on train }
           ^^^^^^^ unknown-name
model i on a { predict city; from age; kind logistic; train on train }
           ^ wrong-kind
model j on people { predict city; from age, AGE; kind logistic; train on train }
                                            ^^^ repeated-column
model k on people { predict city; from tags, address; kind logistic; train on train }
                                       ^^^^ unusable-column
                                             ^^^^^^^ unusable-column
model l on people { predict face; from age; kind logistic; train on train }
                            ^^^^ unusable-column
model m on people { predict city; from id, age; kind logistic; train on train }
                                       ^^ key-as-input
model n on people { predict city; from age; kind logistic; train on train; validate on train }
                                                                                       ^^^^^ validates-on-training`)
  })

  it('are of a kind that fits the target', () => {
    problems(`
source people { from 'people.csv'; split train 70%, valid 30% }
model a on people { predict city; from age; kind linear; train on train }
                            ^^^^ wrong-target
model b on people { predict income; from age; kind logistic; train on train }
                            ^^^^^^ number-as-classes
model c on people { predict age; from income; kind logistic; train on train }
model d on people { predict born; from income; kind mlp; train on train }
                            ^^^^ wrong-target
model e on people { predict city; from age; kind logistik; train on train }
                                                 ^^^^^^^^ unknown-setting: logistic
model f on people { predict married; from age; kind mlp(hidden: [64, 32], l2: 0); train on train }
model g on people { predict city; from age; kind cnn(layers: 3); train on train }
model h on people { predict city; kind head(embedding: facce); train on train }
                                                       ^^^^^ unknown-column: face`)
  })

  it('have options in their ranges', () => {
    problems(`
source people { from 'people.csv'; split train 70%, valid 30% }
model a on people { predict city; from age; kind logistic(l2: -1); train on train }
                                                              ^^ out-of-range
model b on people { predict city; from age; kind logistic(l2: 5%); train on train }
                                                              ^^ wrong-option
model c on people { predict city; from age; kind mlp(hidden: [64, 0]); train on train }
                                                             ^^^^^^^ out-of-range
model d on people { predict city; from age; kind mlp(hidden: 'x'); train on train }
                                                             ^^^ wrong-option
model e on people { predict city; from age; kind logistic(l1: 1); train on train }
                                                          ^^ unknown-option: l2
model f on people { predict city; from age; kind logistic(0.1); train on train }
                                                          ^^^ too-many-values
model g on people { predict city; from age; kind logistic; train on train with (epochs: 0) }
                                                                                        ^ out-of-range
model h on people { predict city; from age; kind logistic; train on train with (epochs: 1.5) }
                                                                                        ^^^ wrong-option
model i on people { predict city; from age; kind logistic; train on train with (patience: 3) }
                                                                                ^^^^^^^^^^^ patience-without-validate
model j on people { predict city; from age; kind logistic; train on train with (patience: 3); validate on valid }
model k on people { predict city; from age; kind logistic; train on train with (folds: 1) }
                                                                                       ^ out-of-range
model l on people { predict city; from age; kind logistic; train on train with (folds: 5, sead: 1) }
                                                                                          ^^^^ unknown-option: seed`)
  })

  it('bring predictions along in columns', () => {
    problems(`
source s { from 'scores.csv' }
model a on s { predict y; kind column(guess) }
model b on s { predict y; kind column(guess, scores: [cat: p_cat, dog: p_dog]) }
model c on s { predict y; kind column(guess, scores: [p_cat, p_dogg]) }
                                                             ^^^^^^ unknown-column: p_dog
model d on s { predict y; kind column(gues) }
                                      ^^^^ unknown-column: guess
model e on s { predict y; kind column(ratio) }
                                      ^^^^^ not-comparable
model f on s { predict y; kind column(guess, scores: [cat: p_cat, p_dog]) }
                                                     ^^^^^^^^^^^^^^^^^^^ scores-and-labels
model g on s { predict y; kind column(guess, scores: [x, guess]) }
                                                         ^^^^^ not-number
model h on s { predict y; from x; kind column(guess) }
                          ^^^^ needs-no-inputs
model i on s { predict y; kind column }
                               ^^^^^^ missing-option`)
  })

  it('decide between classes and numbers once', () => {
    const { spec } = checkFile(`
source people { from 'people.csv'; split train 70% }
model a on people { predict age; from income; kind linear; train on train }
model b on people { predict age; from income; kind mlp; train on train }
model c on people { predict income; from age; kind mlp; train on train }
model d on people { predict city; from age; kind mlp; train on train }
`)
    expect(spec.declarations.flatMap((one) => (one.kind === 'model' ? [`${one.name} ${one.task}`] : []))).toEqual([
      'a regression',
      'b classification',
      'c regression',
      'd classification',
    ])
  })
})

describe('features that leak the label', () => {
  it('hold the target, or are computed from it', () => {
    problems(`
source people { from 'people.csv'; split train 100% }
source v { from (select city, city as town, upper(city) as shout, age, age + 1 as next,
                        case when city = 'Bern' then age else 0 end as sly from people)
           split train 100% }
source w { from (select *, town as third from v); split train 100% }
source wrong { from (select id, age, case when id % 10 < 3 then 'x' else city end as city from people); split train 100% }
source rich { from (select age, income, income > 1000 as rich from people); split train 100% }
model a on people { predict city; from age, CITY; kind logistic; train on train }
                                            ^^^^ leaking-target
model b on v { predict city; from age, town, shout, next, sly; kind logistic; train on train }
                                       ^^^^ leaking-column
                                             ^^^^^ leaking-column
                                                          ^^^ leaking-column
model c on w { predict city; from age, third; kind logistic; train on train }
                                       ^^^^^ leaking-column
model d on w { predict third; from age, shout; kind logistic; train on train }
                                        ^^^^^ leaking-column
model e on wrong { predict city; from id, age; kind logistic; train on train }
model f on rich { predict rich; from age, income; kind logistic; train on train }
                                          ^^^^^^ target-from-input`)
  })
})

describe('slices and partitions', () => {
  it('are predicates on every table that has their columns', () => {
    problems(`
source people { from 'people.csv'; split train 70%, valid 30% }
source v { from (select age, city from people) }
source stones { from 'stones.csv' }
slice old on people where age > 60
slice odd on people where old and city = 'Bern' and split = 'train'
slice late on people where rowid > 5
partition cities on people { by city }
partition ages on people { by age bins 5, income bins [0, 10, 20]; minimum 5 rows }
assert a on people.valid { each row; require not old or cities = 'Bern' }
assert b on v { each row; require not old }
assert c on stones { each row; require not old }
                                           ^^^ slice-elsewhere
assert d on v { each row; require late }
                                  ^^^^ slice-elsewhere
assert e on v { each row; require oldd }
                                  ^^^^ unknown-column: old
slice age on people where age > 5
      ^^^ shadowed-name
slice split on people where age > 5
      ^^^^^ reserved-word
slice f on people where cities > 5
                        ^^^^^^^^^^ not-comparable
source j { from (select p.age, p.old as o from people as p join people as q on p.id = q.id where q.old) }
source k { from (select p.age from people as p join people as q on p.id = q.id where old) }
                                                                                     ^^^ ambiguous-column`)
  })

  it('bin numbers, with rising edges', () => {
    problems(`
source people { from 'people.csv' }
partition a on people { by city bins 5 }
                           ^^^^^^^^^^^ bins-need-number
partition b on people { by age bins 1 }
                           ^^^^^^^^^^ out-of-range
partition c on people { by age bins [3, 2] }
                           ^^^^^^^^^^^^^^^ edges-not-rising
partition d on people { by face }
                           ^^^^ unusable-column
partition e on people { by age, age }
                                ^^^ repeated-column
partition f on people { minimum 3 rows }
          ^ missing-one-of
partition g on people { by age; tree (threshold: 0.5) }
                                ^^^^ clauses-exclude
partition h on people { tree (threshold: 1.5) }
                                         ^^^ out-of-range
partition i on people { by age; minimum 0 rows }
                                        ^ out-of-range`)
  })
})

describe('discover', () => {
  it('slices the errors of a model or an expression', () => {
    problems(`
source people { from 'people.csv'; split train 70%, valid 30% }
source bare { from (select age, income from people) }
model m on people { predict city; from age, income; kind logistic; train on train }
discover a on people.valid using m { over age bins 5, married; support >= 1%; depth 2; top 5; alpha 0.9; control fdr 5% }
discover b on people { over age; error abs(age - income) }
discover c on people { over age }
         ^ missing-some-of
discover d on people { over age; error city }
                                       ^^^^ not-number
discover e on people using m { support >= 0%; depth 0; top 0; alpha 2; control fdr 0% }
                                          ^^ out-of-range
                                                    ^ out-of-range
                                                           ^ out-of-range
                                                                    ^ out-of-range
                                                                                   ^^ control-empty
discover f on people using m against n { over age }
                                     ^ unknown-name
discover g on people using m { over city }
                                    ^^^^ over-target
discover h on bare using m { over age }
                         ^ measure-column
discover i on people { error abs(age) }
         ^ missing-clause
discover j on people { over age; error case when predict(city) = 'x' then 1 else 0 end }
                                                 ^^^^^^^^^^^^^ no-models`)
  })
})

describe('models that were trained elsewhere', () => {
  it('read a list of numbers, or what an ONNX file needs', () => {
    problems(`
source people { from 'people.csv'; split train 70%, valid 30% }
source v { from (select id, city, [age, income] as e, tags from people); split train 100% }
model a on v { predict city; kind head(embedding: e); train on train }
model b on people { predict city; kind head(embedding: age); train on train }
                                                       ^^^ unusable-column
model c on v { predict city; from e; kind head(embedding: e); train on train }
                             ^^^^ needs-no-inputs
model d on v { predict city; kind head(embedding: e) }
                             ^^^^ train-missing
model e on people { predict income; kind head(embedding: name); train on train }
                            ^^^^^^ number-as-classes
model f on people { predict city; from face; kind head(embedding: onnx('net.onnx')); train on train }
model g on people { predict city; kind head(embedding: onnx('net.onnx')); train on train }
      ^ missing-some-of
model h on people { predict city; from age, income; kind onnx('net.onnx', classes: ['Bern', Basel], output: 'y') }
model i on people { predict city; from age, born; kind onnx('net.onnx') }
                                            ^^^^ unusable-column
model j on people { predict city; from city; kind onnx('net.onnx') }
                                       ^^^^ leaking-target
model k on people { predict city; from age; kind head(embedding: logistic(l2: 1)); train on train }
                                                                 ^^^^^^^^^^^^^^^ wrong-option
model l on people { predict city; from age; kind onnx('net.onnx', klasses: [a]) }
                                                                  ^^^^^^^ unknown-option: classes
model m on people { predict city; kind onnx('net.onnx') }
      ^ missing-some-of`)
  })

  it('name their files from the spec', () => {
    const { spec } = checkFile(`
source people { from 'people.csv'; split train 70% }
model a on people { predict city; from age; kind onnx('models/net.onnx') }
model b on people { predict city; from age; kind head(embedding: onnx('../net.onnx', output: 'h'), l2: 0.1); train on train }
`)
    const models = spec.declarations.flatMap((one) => (one.kind === 'model' ? [one.model] : []))
    expect(models).toMatchObject([
      { kind: 'onnx', path: '/spec/models/net.onnx' },
      { kind: 'head', l2: 0.1, embedding: { kind: 'onnx', path: '/net.onnx', output: 'h' } },
    ])
  })
})
