/**
 * A complaint that is kept up to date (R++ §5.2): 1 000 rows at a time into an inference table, logistic, 20 features and 10 classes, k = 20, through the engine's
 * functions: the batch is handed to the database, predicted, its tangents taken, its sums added. With 100 000 and with 1 000 000 rows already counted; beside
 * it, what evaluating the larger table anew would begin with.
 */
import { loadavg } from 'node:os'
import { engineFunctions, median, openRun } from './lib-complaints-engine.mjs'
import { seeded } from './lib-complaints-measures.mjs'
import { csv } from './lib-complaints-online.mjs'

const [batch, batches] = [1000, 30]
const sizes = (process.env.SIZES ?? '100000,1000000').split(',').map(Number)
const queries = {
  'count of a class': 'select count(*) as n from mail where predict(label) = 7 and x > 0.2',
  'average by region': 'select region, avg(x) as n from mail where predict(label) in (4, 9) group by region',
}

export async function streaming() {
  const engine = await engineFunctions()
  const next = seeded(11)
  const run = await openRun(engine, { 'train.csv': csv(5000, next), 'mail.csv': csv(50_000, next) })
  const { ctx } = run
  console.log(`Streaming: batches of ${batch} rows, logistic, 20 features, 10 classes, k = 20; load ${loadavg()[0].toFixed(1)}.\n`)
  console.log('| query | rows in the table | insert ms | insert + ⟨∇q, v⟩ ms, median | most |')
  console.log('|---|---|---|---|---|')
  try {
    for (const [name, query] of Object.entries(queries)) {
      const { task, models, index } = await complaintOf(engine, run, query)
      const kept = engine.maintainComplaint(ctx, task, models, index)
      let rows = 0
      for (const size of sizes) {
        // The file's rows stand for any rows: only how many have been counted matters here.
        for (; rows < size; rows += 25_000) await kept.insert(rowsOf((rows / 25_000) % 2, 25_000))
        const [inserted, told] = [[], []]
        for (let i = 0; i < batches; i++) {
          const columns = await ctx.tables.query(`select * from ${rowsOf(i, batch)}`)
          const started = performance.now()
          await ctx.tables.create('batch', columns)
          await kept.insert('batch')
          inserted.push(performance.now() - started)
          kept.coordinates()
          told.push(performance.now() - started)
          await ctx.tables.execute('drop table batch')
        }
        const ms = (values) => median(values.slice(5)).toFixed(1)
        console.log(`| ${name} | ${rows} | ${ms(inserted)} | ${ms(told)} | ${Math.max(...told.slice(5)).toFixed(1)} |`)
        rows += batches * batch
      }
    }
  } finally {
    await run.close()
  }
  console.log()
}

const rowsOf = (i, count) => `(select * from mail where "assay row" >= ${i * count} and "assay row" < ${(i + 1) * count})`

async function complaintOf(engine, run, query) {
  const from = Array.from({ length: 20 }, (_, f) => `f${f}`).join(', ')
  const plans = await run.plansOf(`source learned { from 'train.csv'; split train 100% }\nsource mail { from 'mail.csv' }
model m on learned { predict label; from ${from}; kind logistic(l2: 0.001); train on train }
complaint c using m { query ${query}; expect lower n; blame top 100 rows of learned; method spectral(k: 20) }\n`)
  const plan = plans.find((p) => p.kind === 'complaint')
  await engine.prepare(run.ctx, plan)
  const models = []
  for (const model of plan.models) models.push({ ...(await engine.fitModel(run.ctx, model)), plan: model })
  return { task: plan.task, models, index: await engine.debuggingIndex(run.ctx, models[0], 20) }
}
