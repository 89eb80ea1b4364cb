import { afterAll, beforeAll, expect, test } from 'vitest'
import { askModels, evaluateComplaint } from '../../server/src/engine/complaint.ts'
import { debuggingIndex } from '../../server/src/engine/debugging-index.ts'
import { maintainComplaint } from '../../server/src/engine/maintained.ts'
import { queryProjections } from '../../server/src/engine/projections.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import { type OpenRun, openRun } from '../support/open-run.ts'

/** A complaint that is kept up to date says what evaluating it from scratch over the same rows says. */
const ROWS = 90
function csv(rows: number, seed: number): string {
  const rng = createRng(seed)
  const line = (i: number) => {
    const [f, g] = [rng.next() * 2 - 1, rng.next() * 2 - 1]
    const label = rng.next() < 0.15 ? 'r' : f > 0.3 ? 'p' : g > 0 ? 'q' : 'r'
    const x = rng.next() < 0.1 ? '' : (rng.next() * 2 - 0.5).toFixed(3)
    return [i, f.toFixed(4), g.toFixed(4), label, (f - g + rng.next()).toFixed(3), x, rng.next() < 0.1 ? '' : `c${rng.below(3)}`].join(',')
  }
  return `id,f,g,label,worth,x,c\n${Array.from({ length: rows }, (_, i) => line(i)).join('\n')}\n`
}
const spec = (query: string, using: string, expectation: string) => `source learned { from 'learned.csv'; key id; split train 100% }
source seen { from 'seen.csv'; key id }
model m on learned { predict label; from f, g; kind logistic(l2: 0.01); train on train }
model w on learned { predict worth; from f, g; kind linear(l2: 0.01); train on train }
complaint c using ${using} { query ${query}; expect ${expectation}; blame top 5 rows of learned; method spectral(k: 3) }`

let run: OpenRun
let serial = 0
beforeAll(async () => {
  run = await openRun({ 'learned.csv': csv(120, 1), 'seen.csv': csv(ROWS, 2) })
})
afterAll(() => run.close())

test.each([
  ["select count(*) as n from seen where predict(label) = 'p'", 'm', 'lower n'],
  ["select count(*) as n from seen where predict(label) in ('p', 'q') and x > 0.1", 'm', 'n = 3'],
  ['select c, count(*) as n from seen where predict(label) <> label group by c', 'm', 'n <= 2'],
  ['select predict(label) as p, avg(x) as n from seen group by predict(label)', 'm', 'lower n'],
  ["select avg(score(label, 'q') * x + 1) as n from seen where score(label, 'p') > 0.4", 'm', 'higher n'],
  ["select stddev_pop(case when predict(label) = 'p' then x else 1 end) as n from seen", 'm', 'lower n'],
  ["select c, sum(x) / (1 + count(*)) as n from seen where lower(c) like 'c%' and predict(label) <> 'r' group by c", 'm', 'lower n'],
  ['select count(*) as n from seen where predict(worth) > 0.5', 'w', 'lower n'],
  ['select avg(predict(worth)) as n from seen where x is not null', 'w', 'lower n'],
])('%s', async (query, using, expectation) => {
  const { ctx } = run
  const { task, models } = await run.complaint(spec(query, using, expectation))
  const model = models.find((m) => m.plan.name === task.model)!
  const index = await debuggingIndex(ctx, model, 3)
  const kept = maintainComplaint(ctx, task, models, index)
  const rng = createRng(7 + serial)
  const between = (from: number, to: number) => `(select * from seen where "assay row" >= ${from} and "assay row" < ${to})`
  for (let from = 0; from < ROWS; ) {
    const to = Math.min(ROWS, from + 1 + rng.below(40))
    await kept.insert(between(from, to))
    // What goes, and comes back.
    if (rng.next() < 0.4) {
      await kept.remove(between(from, to))
      await kept.insert(between(from, to))
    }
    from = to
  }
  const asked = await askModels(ctx, task, models)
  const names: string[] = []
  const tables = {
    query: (sql: string) => ctx.tables.query(sql),
    create: (name: string, columns: never) => {
      names.push(name)
      return ctx.tables.create(name, columns)
    },
    execute: (sql: string) => ctx.tables.execute(sql),
  }
  const whole = await evaluateComplaint({ ...ctx, tables } as unknown as typeof ctx, task, asked)
  expect(whole.relaxedBy).toBe('typed arrays')
  for (const name of names) await ctx.tables.execute(`drop table "${name}"`)
  const told = new Map(kept.told().map((one) => [one.group, one]))
  expect(told.size).toBeGreaterThanOrEqual(whole.expectations.length)
  const close = (a: number | null | undefined, b: number | null | undefined) => {
    if (typeof a !== 'number' || typeof b !== 'number') return expect(a ?? null).toBe(b ?? null)
    return expect(Math.abs(a - b)).toBeLessThan(1e-5 * Math.max(1, Math.abs(b)))
  }
  for (const one of whole.expectations) {
    const mine = told.get(JSON.stringify(one.group ? Object.values(one.group) : []))!
    close(mine.relaxed, one.relaxed)
    close(mine.actual, one.actual)
  }
  const projected = await queryProjections(ctx, model, asked[0]!.predictions, index)
  const wanted = await projected.coefficients(whole.weights)
  const found = kept.coordinates()
  for (const [l, value] of wanted.entries()) close(found[l], value)
  expect(wanted.some((c) => Math.abs(c) > 1e-6)).toBe(true)
  serial++
})

test.each([
  ["select count(*) as n from seen as a join seen as b on a.c = b.c where predict(a.label) = 'p'", 'lower n', 'joins tables'],
  ["select c, count(*) as n from seen where predict(label) = 'p' group by c having count(*) > 2", 'lower n', '`having`'],
  ["select c, count(*) as n from seen where predict(label) = 'p' group by c", "lower n where c = 'c1'", '`where`'],
  ['select id, predict(label) as p from seen', "no row where p = 'q'", 'speaks of rows'],
])('%s / %s cannot be kept: a sentence', async (query, expectation, why) => {
  const { task, models } = await run.complaint(spec(query, 'm', expectation))
  const index = await debuggingIndex(run.ctx, models.find((m) => m.plan.name === task.model)!, 3)
  expect(() => maintainComplaint(run.ctx, task, models, index)).toThrow(why)
})
