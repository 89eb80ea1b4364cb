import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { functionNamed, functionNames } from '../../server/src/check/function-signatures.ts'
import { sourcePlans } from '../../server/src/plan/tables.ts'
import { KEY, ROW, SPLIT } from '../../server/src/sql/tree.ts'
import { columnTypeOf } from '../../server/src/sql/types.ts'
import { checkFile, TABLES } from '../support/check-file.ts'

/** What check lets pass, the database takes, and the types that check foresees are those that it gives. */
let connection: DuckDBConnection
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect()
  const schema = TABLES['people.csv']
  if (schema === undefined || 'problem' in schema) throw new Error('no schema')
  const columns = schema.map((one) => `"${one.name}" ${one.sqlType}`)
  await connection.run(`create table people (${columns.join(', ')}, "${ROW}" bigint, "${KEY}" varchar, "${SPLIT}" varchar)`)
})
afterAll(() => connection.closeSync())

/** The type that the database gives an expression over `people`, as the language calls it, or what it says against it. */
async function described(expression: string, tail = ''): Promise<{ readonly ours: string; readonly theirs: string }> {
  const checked = checkFile(`source people { from 'people.csv' }\nsource v { from (select ${expression} as e from people${tail}) }\n`)
  const view = checked.spec.declarations.find((one) => one.name === 'v')
  if (view?.kind !== 'source') return { ours: [...checked.syntax, ...checked.problems].map((one) => one.message).join(' '), theirs: '' }
  const plan = sourcePlans(checked.spec, ['v']).find((one) => one.name === 'v')
  const ours = view.schema[0]!.type
  try {
    const rows = (await connection.runAndReadAll(`describe ${plan?.select}`)).getRowObjectsJson()
    return { ours, theirs: columnTypeOf(String(rows[0]?.column_type)) }
  } catch (reason) {
    return { ours, theirs: String(reason).split('\n')[0]! }
  }
}

const EXPRESSIONS = [
  'age + 1',
  'age / 2',
  'age % 10',
  '-income',
  'age + income * 2',
  'born + 1',
  'born - born',
  'seen - seen',
  'seen - born',
  'seen + 5 min',
  'born + 5 d',
  '5 s * 2',
  '5 s / 2',
  'not married',
  'married = 1',
  "married = 'true'",
  "married in ('yes', 'N', '0')",
  "born > '2020-01-01'",
  "seen between '2020-01-01' and '2020-01-02 10:00:00'",
  "city || age || 'x'",
  'age in (1, 2.5)',
  "born in ('2020-01-01')",
  "city like 'B%'",
  'face is null',
  'case when married then 1 else 2.5 end',
  "case when married then born else '2020-01-01' end",
  'case when married then born else seen end',
  "case city when 'x' then 1 end",
  "coalesce(city, 'x')",
  'coalesce(age, income)',
  'ifnull(age, 1)',
  'nullif(age, 1)',
  'if(married, age, income)',
  'greatest(age, income, 5)',
  'least(born, seen)',
  'cast(age as varchar)',
  'cast(city as decimal(10, 2))',
  'cast(born as timestamp)',
  'cast(age as integer[])',
  "date_trunc('month', seen)",
  "date_part('year', born)",
  'year(born)',
  "strftime(born, '%Y')",
  'round(income, 2)',
  'round(age)',
  'abs(age)',
  'length(city)',
  'len(tags)',
  "list_contains(tags, 'x')",
  '[1, 2, 3]',
  "md5(city || 'x')",
  "split_part(city, '-', 1)",
  "regexp_matches(city, '^B')",
  'split',
  'key',
  'rowid',
  '5%',
  'exists (select * from people as p where p.age > people.age)',
  'id in (select p.id from people as p)',
]
const AGGREGATES = [
  'count(*)',
  'count(distinct name)',
  'sum(age)',
  'sum(income)',
  'sum(married)',
  'avg(age)',
  'min(born)',
  'max(name)',
  'median(age)',
  'any_value(city)',
  'mode(city)',
  'arg_max(name, age)',
  'quantile_cont(income, 0.5)',
  "string_agg(name, ',')",
  'bool_and(married)',
  'stddev(income)',
  'weighted_avg(income, age)',
  'count(*) + sum(age) / 2',
  'list(name)',
]

describe('check and the database', () => {
  it.each(EXPRESSIONS)('agree on %s', async (expression) => {
    const { ours, theirs } = await described(expression)
    expect(theirs).toBe(ours)
  })
  it.each(AGGREGATES)('agree on %s', async (expression) => {
    const { ours, theirs } = await described(expression, ' group by city having count(*) > 1 order by 1')
    expect(theirs).toBe(ours)
  })

  it('agree on the table of functions', async () => {
    const sample: Readonly<Record<string, string>> = {
      I: 'id',
      N: 'income',
      T: 'city',
      B: 'married',
      D: 'born',
      S: 'seen',
      V: '(seen - seen)',
      Y: 'face',
      A: 'age',
    }
    const wrong: string[] = []
    let compared = 0
    let refused = 0
    for (const name of functionNames()) {
      for (const { parameters, rest, returns } of functionNamed(name)?.signatures ?? []) {
        if (/[LU]/.test(parameters) || (parameters === '' && rest)) continue
        const call = `${name}(${[...parameters].map((letter) => sample[letter]).join(', ')})`
        const { ours, theirs } = await described(call)
        if (theirs.includes('Error')) refused++
        else {
          compared++
          if (ours !== theirs && ours !== 'unknown') wrong.push(`${call} → ${returns}: ${ours}, the database says ${theirs}`)
        }
      }
    }
    expect(wrong).toEqual([])
    // Some want constants where the sample gives columns.
    expect(refused).toBeLessThan(compared / 8)
  })
})
