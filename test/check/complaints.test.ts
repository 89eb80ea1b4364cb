import { describe, expect, it } from 'vitest'
import { checkFile, problems } from '../support/check-file.ts'

const HEAD = `source people { from 'people.csv'; key id; split train 70%, valid 30% }
source mail { from (select age, income, city as region, split as part from people) }
source stones { from 'stones.csv'; split train 50% }
source fresh { from 'people.csv' }
source unlabelled { from (select id, age, income from people) }
source renamed { from (select name as id, age, income, city from people) }
source texts { from (select id, name as age, income, city from people) }
model m on people { predict city; from age, income; kind logistic; train on train }
model n on people { predict income; from age; kind linear; train on train }
`
const complain = (query: string, rest = 'expect n <= 5\n  blame top 5 rows of train') =>
  checkFile(`${HEAD}complaint c using m {\n  query ${query}\n  ${rest}\n}\n`)
const codes = (checked: ReturnType<typeof checkFile>) => [...checked.syntax, ...checked.problems].map((one) => one.code).join(' ') || 'ok'
const later = (checked: ReturnType<typeof checkFile>) => {
  return checked.spec.declarations.some((one) => one.kind === 'complaint') ? 'now' : 'left out'
}

describe('the query of a complaint', () => {
  it.each([
    ["select count(*) as n from mail where predict(city) = 'Bern'", 'ok', 'now'],
    ["select region, count(*) as n from mail where predict(city) = 'Bern' group by region", 'ok', 'now'],
    ['select predict(city) as p, count(*) as n from mail group by predict(city)', 'ok', 'now'],
    ['select predict(city) as p, count(*) as n from mail group by p', 'ok', 'now'],
    ["select avg(case when predict(city) = 'Bern' then 1 else 0 end) as n from mail", 'ok', 'now'],
    ["select sum(income) / count(*) as n from mail where predict(city) = 'Bern'", 'ok', 'now'],
    ["select count(*) as n from people.valid where predict(city) = 'Bern'", 'ok', 'now'],
    ['select count(*) as n from mail', 'no-influence', 'left out'],
    ["select count(*) as n from stones where predict(city) = 'Bern'", 'missing-input', 'left out'],
    ["select count(*) as n from mail where predict(region) = 'Bern'", 'predict-target', 'left out'],
    ["select count(*) as n from mail where predict(city, mm) = 'Bern'", 'unknown-name', 'left out'],
    ["select count(*) as n from mail where predict(city, m) = 'Bern'", 'ok', 'now'],
    ['select count(*) as n from mail where predict(city) = 7', 'not-comparable', 'left out'],
    ['select count(*) as n from mail where predict(city)', 'not-boolean', 'left out'],
    ['select count(*) as n from mail where predict() = 7', 'predict-argument', 'left out'],
    ['select count(distinct predict(city)) as n from mail', 'jumping-aggregate', 'left out'],
    ["select min(age) as n from mail where predict(city) = 'Bern'", 'jumping-aggregate', 'left out'],
    ["select count(*) as n from mail where predict(city) = 'Bern' order by n", 'order-in-complaint', 'left out'],
    ["select count(*) as n from mail where predict(city) = 'Bern' limit 5", 'order-in-complaint', 'left out'],
    ["select count(*) as n from mail as l join people as r on l.age = r.id where predict(l.city) = 'Bern'", 'ok', 'now'],
    ["select count(*) as n from mail as l join people as r on l.age = r.id where predict(city) = 'Bern'", 'predict-table', 'left out'],
    ["select region, count(*) as n from mail where predict(city) = 'Bern' group by region having count(*) > 5", 'ok', 'now'],
    ["select count(*) as n from mail where score(city, 'Bern') > 0.5", 'ok', 'now'],
    ["select count(*) as n from mail where score(city, 'Bern') > age", 'not-relaxable', 'left out'],
    ["select count(*) as n from mail where score(city, 'Bern') = 0.5", 'not-relaxable', 'left out'],
    ["select sum(round(score(city, 'Bern'))) as n from mail", 'not-relaxable', 'left out'],
    ["select sum(ln(score(city, 'Bern'))) as n from mail", 'ok', 'now'],
    ["select score(city, 'Bern') as s, count(*) as n from mail group by s", 'not-relaxable', 'left out'],
    ["select case when score(city, 'Bern') > 0.9 then 'sure' else 'not' end as s, count(*) as n from mail group by s", 'ok', 'now'],
    ['select count(*) as n from mail where score(city, 7) > 0.5', 'not-comparable', 'left out'],
    ["select age as n from mail where predict(city) = 'Bern'", 'ok', 'now'],
    ["select distinct age as n from mail where predict(city) = 'Bern'", 'expect-group', 'left out'],
    ["select distinct count(*) as n from mail where predict(city) = 'Bern' group by region", 'not-relaxable', 'left out'],
    ["select count(*) as n from mail as l left join people as r on l.age = r.id where predict(r.city) = 'Bern'", 'ok', 'now'],
    ['select count(*) as n from mail as l left join people as r on predict(r.city) = l.region', 'not-relaxable', 'left out'],
    ['select count(*) as n from mail as l join people as r on predict(l.city) = predict(r.city)', 'ok', 'now'],
    [
      "select count(*) as n from mail where exists (select 1 from people where people.id = mail.age and predict(people.city) = 'Bern')",
      'ok',
      'now',
    ],
    [
      "select count(*) as n from mail where age not in (select id from people where predict(people.city) = 'Bern')",
      'not-relaxable',
      'left out',
    ],
    [
      "select count(*) as n from mail where age in (select id from people where predict(people.city) = 'Bern' group by id)",
      'not-relaxable',
      'left out',
    ],
    ["select list(age) as ages, count(*) as n from mail where predict(city) = 'Bern'", 'jumping-aggregate', 'left out'],
    ["select skewness(age) as n from mail where predict(city) = 'Bern'", 'not-relaxable', 'left out'],
    ["select stddev(age) / sqrt(count(*)) as n from mail where predict(city) = 'Bern'", 'ok', 'now'],
    ["select count(*) + count(*) % 2 as n from mail where predict(city) = 'Bern'", 'not-relaxable', 'left out'],
    [
      "select region, count(*) as n from mail where predict(city) = 'Bern' group by region having avg(age) > 5 and region <> 'x'",
      'ok',
      'now',
    ],
    [
      "select region, count(*) as n from mail where predict(city) = 'Bern' group by region having sqrt(count(*)) > 5",
      'not-relaxable',
      'left out',
    ],
    [
      "select region, count(*) as n from mail where predict(city) = 'Bern' group by region having avg(age) = 5",
      'not-relaxable',
      'left out',
    ],
    ["select region, count(*) as n from mail where predict(city) = 'Bern' group by region having count(*) = 5", 'ok', 'now'],
    ["select count(*) as n from mail where age in (select p.id from people as p where predict(p.city) = 'Bern')", 'ok', 'now'],
    ["select round(avg(age)) as n from mail where predict(city) = 'Bern'", 'not-relaxable', 'left out'],
    ["select count(*) as n from nobody where predict(city) = 'Bern'", 'unknown-name', 'left out'],
  ])('%s', (query, code, run) => {
    const checked = complain(query)
    expect(codes(checked)).toBe(code)
    expect(later(checked)).toBe(run)
  })

  it.each([
    ['select avg(predict(income)) as n from mail', 'ok'],
    ['select sum(predict(income) * age + 1) / count(*) as n from mail', 'ok'],
    ['select avg(ln(predict(income))) as n from mail', 'ok'],
    ['select avg(round(predict(income))) as n from mail', 'not-relaxable'],
    ['select avg(cast(predict(income) as integer)) as n from mail', 'not-relaxable'],
    ['select count(*) as n from mail where predict(income) > 5', 'ok'],
    ['select count(*) as n from mail where predict(income) between 5 and 10 or 20 <= predict(income)', 'ok'],
    ['select count(*) as n from mail where predict(income) > income', 'not-relaxable'],
    ['select count(*) as n from mail where predict(income) = 5', 'not-relaxable'],
    ['select count(*) as n from mail where predict(income) in (5, 6)', 'not-relaxable'],
    ['select predict(income) as p, count(*) as n from mail group by p', 'not-relaxable'],
  ])('over a predicted number: %s → %s', (query, code) => {
    const checked = checkFile(`${HEAD}complaint c using n {\n  query ${query}\n  expect n <= 5\n  blame top 5 rows of train\n}\n`)
    expect(codes(checked)).toBe(code)
  })
})

describe('expectations', () => {
  const query = "select region, count(*) as n, sum(income) as total, count(*) from mail where predict(city) = 'Bern' group by region"
  it.each([
    ['n <= 5', 'ok', 'now'],
    ['5 >= n', 'ok', 'now'],
    ['n = 10 * 3', 'ok', 'now'],
    ['n between 1 and 5', 'ok', 'now'],
    ['total / n < 5', 'ok', 'now'],
    ["n <= 5 where region = 'Bern'", 'ok', 'now'],
    ['lower N', 'ok', 'now'],
    ["higher n where region = 'Bern'", 'ok', 'now'],
    ['"count(*)" <= 5', 'ok', 'now'],
    ["no row where region = 'Bern'", 'ok', 'now'],
    ["row where region = 'Bern' and n > 5", 'ok', 'now'],
    ['row where ln(total) > 5', 'not-relaxable', 'left out'],
    ['m <= 5', 'expect-output', 'left out'],
    ['lower nn', 'expect-output', 'left out'],
    ['n <> 5', 'expect-form', 'left out'],
    ['n <= total', 'expect-form', 'left out'],
    ['n', 'not-boolean expect-form', 'left out'],
    ["n = 'x'", 'expect-form not-comparable', 'left out'],
    ["region = 'Bern'", 'expect-form', 'left out'],
    ['lower region', 'expect-group', 'left out'],
    ['n <= 5 where reg = 1', 'expect-output', 'left out'],
    ['n <= 5 where region', 'not-boolean', 'left out'],
    ['count(*) <= 5', 'misplaced-aggregate expect-form', 'left out'],
  ])('%s → %s', (expectation, code, run) => {
    const checked = complain(query, `expect ${expectation}\n  blame top 5 rows of train`)
    expect(codes(checked).split(' ').sort().join(' ')).toBe(code.split(' ').sort().join(' '))
    expect(later(checked)).toBe(run)
  })
})

describe('suspects', () => {
  const query = "select count(*) as n from mail where predict(city) = 'Bern'"
  it.each([
    ['top 5 rows of train', 'ok', 'now'],
    ['top 5 rows of TRAIN by loss', 'ok', 'now'],
    ['top 5 rows of people by confidence', 'ok', 'now'],
    ['top 5 rows of valid', 'blame-untrained', 'now'],
    ['top 5 rows of valid by loss', 'ok', 'now'],
    ['top 5 rows of mail by random', 'ok', 'now'],
    ['top 5 rows of train by self_influence', 'ok', 'now'],
    ['top 5 rows of train by influence of remove', 'ok', 'now'],
    ["top 5 rows of train by influence of relabel(to: 'Bern')", 'ok', 'now'],
    ['top 5 rows of train by influence of relabel(to: 7)', 'relabel-value', 'left out'],
    ['top 5 rows of train by influence of denoise(size: 3)', 'no-image', 'left out'],
    ['top 5 rows of train by influence of denoise(size: 4)', 'out-of-range', 'left out'],
    ['top 5 rows of train by influence of replace(with: stones)', 'missing-input replace-key', 'left out'],
    ['top 5 rows of train by influence of replace(with: mail)', 'replace-key', 'left out'],
    ['top 5 rows of train by influence of replace(with: fresh)', 'ok', 'now'],
    ['top 5 rows of train by influence of replace(with: unlabelled)', 'ok', 'now'],
    ['top 5 rows of train by influence of replace(with: renamed)', 'replace-type', 'left out'],
    ['top 5 rows of train by influence of replace(with: texts)', 'input-type', 'left out'],
    ['top 5 rows of train by influence of replace(with: stone)', 'unknown-name', 'left out'],
    ['top 5 rows of train by influence of removal', 'unknown-setting', 'left out'],
    ['top 0 rows of train', 'out-of-range', 'left out'],
    ['top 5 rows of trian', 'blame-unknown', 'left out'],
    ['top 5 rows of stones', 'blame-elsewhere', 'left out'],
    ['top 5 rows of m', 'blame-unknown', 'left out'],
  ])('%s → %s', (blame, code, run) => {
    const checked = complain(query, `expect n <= 5\n  blame ${blame}`)
    expect(codes(checked)).toBe(code)
    expect(later(checked)).toBe(run)
  })

  it.each([
    ['auto', 'ok'],
    ['spectral', 'ok'],
    ['spectral(k: auto)', 'ok'],
    ['spectral(k: 10)', 'ok'],
    ['spectral(k: 0)', 'out-of-range'],
    ['spectral(k: automatic)', 'wrong-option'],
    ['cg(iterations: 20, damping: 0.1)', 'ok'],
    ['cg(iterations: 0)', 'out-of-range'],
    ['cg(damping: -1)', 'out-of-range'],
    ['spectrum', 'unknown-setting'],
  ])('method %s → %s', (method, code) => {
    expect(codes(complain(query, `expect n <= 5\n  blame top 5 rows of train\n  method ${method}`))).toBe(code)
  })

  it('become plain values', () => {
    const { spec } = complain(query, 'expect n <= 5\n  blame top 5 rows of TRAIN\n  method spectral(k: 7)')
    expect(spec.declarations.find((one) => one.kind === 'complaint')).toMatchObject({
      using: ['m'],
      blame: { top: 5, of: { source: 'people', split: 'train' }, by: 'influence', treatment: { kind: 'auto' } },
      method: { kind: 'spectral', k: 7 },
      needs: ['m', 'mail'],
    })
  })

  it.each([
    ['m, n', 'ok'],
    ['n, m', 'blame-silent'],
  ])('are rows of the first of several models: using %s → %s', (using, code) => {
    const checked = checkFile(
      `${HEAD}complaint c using ${using} {\n  query select count(*) as n from mail where predict(city) = 'Bern'\n  expect n <= 5\n  blame top 5 rows of train\n}\n`,
    )
    expect(codes(checked)).toBe(code)
  })
})

describe('interventions', () => {
  const complaint = `${HEAD}complaint c using m {
  query select count(*) as n from mail where predict(city) = 'Bern'
  expect n <= 5
  blame top 5 rows of train
}
`
  const intervene = (body: string) => checkFile(`${complaint}intervene i {\n  for c\n  ${body}\n}\n`)
  it.each([
    ['remove top 5 rows of train; retrain m; compare c, accuracy on people.valid', 'ok'],
    ["relabel top 5 rows of train to 'Bern'; retrain m; compare c", 'ok'],
    ['relabel top 5 rows of train to 5; retrain m; compare c', 'relabel-value'],
    ['remove where age > 5; retrain m; compare loss', 'ok'],
    ['remove where agee > 5; retrain m; compare loss', 'unknown-column'],
    ['remove where age; retrain m; compare loss', 'not-boolean'],
    ["remove where predict(city) = 'x'; retrain m; compare loss", 'misplaced-predict'],
    ['set age = age + 1 where age > 5; retrain m; compare c', 'ok'],
    ["set age = 'x' on top 5 rows of train; retrain m; compare c", 'set-type'],
    ['set agee = 5 where age > 5; retrain m; compare c', 'unknown-column'],
    ['retrain m; compare c', 'missing-some-of'],
    ['remove top 5 rows of train; compare c', 'missing-clause'],
    ['remove top 5 rows of train; retrain n; compare c', 'retrain-other'],
    ['remove top 5 rows of train; retrain people; compare c', 'wrong-kind'],
    ['remove top 5 rows of train; retrain m; compare acuracy', 'unknown-measure'],
    ['remove top 5 rows of train; retrain m; compare rmse', 'measure-task'],
    ['remove top 5 rows of train; retrain m; compare c on people', 'measure-place'],
    ['remove top 5 rows of train; retrain m; compare accuracy on mail', 'measure-column'],
    ['remove top 5 rows of train; retrain m; compare accuracy on stones', 'missing-input measure-column'],
    ['remove top 5 rows of train; retrain m; compare accuracy on people.trian', 'unknown-split'],
    ['denoise top 5 rows of train with median(size: 3); retrain m; compare c', 'no-image'],
    ['denoise top 5 rows of train with mean; retrain m; compare c', 'unknown-setting'],
    ['denoise top 5 rows of train with median(size: 4); retrain m; compare c', 'out-of-range'],
    ['replace top 5 rows of train with stones; retrain m; compare c', 'missing-input replace-key'],
    ['replace top 5 rows of train with fresh; retrain m; compare c', 'ok'],
    ['replace top 5 rows of train with freshly; retrain m; compare c', 'unknown-name'],
    ['replace top 5 rows of train with renamed; retrain m; compare c', 'replace-type'],
  ])('%s → %s', (body, code) => {
    expect(codes(intervene(body))).toBe(code)
  })

  it('are quiet about a complaint with an error', () => {
    problems(`${HEAD}complaint c using m {
  query select count(*) as n from mail where predict(cty) = 'Bern'
                                                     ^^^ predict-target: city
  expect n <= 5
  blame top 5 rows of train
}
intervene i {
  for c
  remove top 5 rows of train
  retrain m
  compare c, accuracy on people.valid
}`)
  })

  it('compare the complaint where nothing is named', () => {
    const { spec } = intervene('remove top 5 rows of train; retrain m')
    expect(spec.declarations.at(-1)).toMatchObject({ kind: 'intervene', compare: [{ kind: 'complaint', complaint: 'c' }] })
  })
})
