import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from '../../grammar/src/parser.ts'
import { check } from '../../server/src/check/check.ts'
import { planFor } from '../../server/src/plan/plan-for.ts'
import type { Column, ColumnType, Schema } from '../../server/src/sql/tree.ts'

/** Plans of the examples, as they are stored and hashed: their SQL is reviewed in the diff (`npx vitest run test/plan -u` writes them anew). */
const column = (name: string, type: ColumnType, sqlType: string): Column => ({ name, type, sqlType })
const idx: Schema = [column('index', 'number', 'BIGINT'), column('image', 'image', 'BLOB'), column('label', 'number', 'INTEGER')]
const diamonds: Schema = [
  column('carat', 'number', 'DOUBLE'),
  ...['cut', 'color', 'clarity'].map((name) => column(name, 'text', 'VARCHAR')),
  ...['depth', 'table'].map((name) => column(name, 'number', 'DOUBLE')),
  column('price', 'number', 'BIGINT'),
  ...['x', 'y', 'z'].map((name) => column(name, 'number', 'DOUBLE')),
]
const schemas = new Map<string, Schema>([
  ['digits', idx],
  ['mail', idx],
  ['stones', diamonds],
])

function plans(name: string, names?: readonly string[], seed?: number) {
  const path = fileURLToPath(new URL(`../../examples/${name}.assay`, import.meta.url))
  const folder = fileURLToPath(new URL('../..', import.meta.url))
  const files = new Map([[path, parse(readFileSync(path, 'utf8'))]])
  const { spec, problems } = check(files, schemas, { path })
  expect(problems.filter((p) => p.severity === 'error')).toEqual([])
  const planned = planFor(spec, names, { seed })
  const shown = JSON.parse(JSON.stringify(planned.plans).replaceAll(folder, '/')) as { hash?: string }[]
  for (const plan of shown) delete plan.hash
  return { ...planned, shown }
}

describe('the plans of the examples', () => {
  test.each(['digits', 'stones'])('%s', async (name) => {
    await expect(`${JSON.stringify(plans(name).shown, null, 1)}\n`).toMatchFileSnapshot(`snapshots/${name}.json`)
  })
})

describe('what runs, and in which order', () => {
  test('a name brings what it needs, in the order of need', () => {
    expect(plans('digits', ['too_many_sevens']).plans.map((p) => p.name)).toEqual([
      'digits',
      'mislabelled',
      'reader',
      'mail',
      'too_many_sevens',
    ])
  })
  test('equal plans have equal hashes, and the seed is part of them', () => {
    const hashes = (seed?: number) => plans('digits', undefined, seed).plans.map((p) => p.hash)
    expect(hashes()).toEqual(hashes())
    expect(hashes(8)).not.toEqual(hashes(9))
  })
  test('another slice of its source is another plan for a model, and for nothing that merely asks it', () => {
    const text = `source a { from 'a.csv'; key x; split train 50%, rest 50% }
model m on a { predict y; from x; kind logistic; train on train }
discover d on a using m { over x; support >= 1 rows }
complaint c using m {
  query select count(*) as n from a where predict(y) = 1
  expect n < 2
  blame top 3 rows of train by influence
}
intervene i { for c; remove top 2 rows of train by influence; retrain m; compare c }
`
    const schema = new Map<string, Schema>([['a', [column('x', 'number', 'BIGINT'), column('y', 'number', 'BIGINT')]]])
    const hashes = (more: string) => {
      const parsed = parse(text + more)
      expect(parsed.problems).toEqual([])
      const { spec, problems } = check(new Map([['/t.assay', parsed]]), schema, { path: '/t.assay' })
      expect(problems.filter((p) => p.severity === 'error')).toEqual([])
      const planned = planFor(spec, ['m', 'd', 'c', 'i'], {})
      expect(planned.refused).toEqual([])
      return Object.fromEntries(planned.plans.map((p) => [p.name, p.hash]))
    }
    const before = hashes('')
    const { m, ...others } = hashes('slice s on a where x > 1\npartition p on a { by x bins 2 }\n')
    const { m: old, ...same } = before
    expect(others).toEqual(same)
    expect(Object.keys(same)).toEqual(['a', 'd', 'c', 'i'])
    expect(m).not.toBe(old)
  })
  test('and they do not depend on where the folder lies', () => {
    const hashes = (folder: string) => {
      const text = "source a { from 'a.csv'; key x }\nslice s on a where x > 1\n"
      const path = `${folder}/a.assay`
      const schema = new Map([['a', [column('x', 'number', 'DOUBLE')]]])
      return planFor(check(new Map([[path, parse(text)]]), schema, { path }).spec, undefined, {}).plans.map((p) => p.hash)
    }
    expect(hashes('/here')).toHaveLength(2)
    expect(hashes('/here')).toEqual(hashes('/there/below'))
  })
  test('what this version cannot run is refused in a sentence', () => {
    const { refused } = plans('stones', ['fair_grader'])
    expect(refused.map((r) => [r.name, r.status])).toEqual([['fair_grader', 'skipped']])
    expect(refused[0]!.message).toMatch(/^This version cannot .*\.$/)
  })
})
