/**
 * A new complaint over what is known: 60 000 training rows, k = 20, an inference table of 10 000 rows × 10 classes, from the hard answer to the top 100 (relaxed value,
 * derivative, ⟨∇q, v_l⟩, ranking) in one thread, through the functions that a run goes through; medians over queries that differ in their constants, after a
 * warm-up. The database's way to relax the same queries, the hard query, and numpy with the same arithmetic beside it.
 */
import { spawnSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { engineFunctions, median, openRun } from './lib-complaints-engine.mjs'
import { seeded } from './lib-complaints-measures.mjs'

const reference = fileURLToPath(new URL('complaints_online_reference.py', import.meta.url))
const [trainingRows, queryRows, classes, features] = [60_000, 10_000, 10, 20]
const repeats = Number(process.env.REPEATS ?? 40)

/** By kind of query: its text for the i-th repeat. All are complained to be too high. */
const kinds = {
  'count of a class': (i) => `select count(*) as n from mail where predict(label) = ${i % 10}`,
  'count of two classes, two conditions': (i) =>
    `select count(*) as n from mail where predict(label) in (${i % 10}, ${(i + 3) % 10}) and x > ${(i % 7) / 10} and region = 'r${i % 4}'`,
  'average of a column, a class': (i) => `select avg(x) as n from mail where predict(label) = ${i % 10} and k <> ${i % 5}`,
  'count of a class, by region': (i) => `select region, count(*) as n from mail where predict(label) = ${i % 10} group by region`,
  'sum over a case': (i) => `select sum(case when predict(label) in (1, ${i % 10}) then x else 0 end) as n from mail where k > ${i % 3}`,
  'errors: every class of every row': (i) => `select count(*) as n from mail where predict(label) <> label and x > ${(i % 9) / 1000 - 10}`,
}

export async function online() {
  const engine = await engineFunctions()
  const next = seeded(5)
  const run = await openRun(engine, { 'train.csv': csv(trainingRows, next), 'mail.csv': csv(queryRows, next) })
  const { ctx } = run
  console.log(
    `Online: ${trainingRows} training rows, k = 20, inference table ${queryRows} × ${classes}, top 100, one thread; load ${loadavg()[0].toFixed(1)}.\n`,
  )
  console.log('| query | relax ms | relax + project + rank ms | with `method auto` ms | the database relaxes in ms | hard query ms |')
  console.log('|---|---|---|---|---|---|')
  try {
    for (const [kind, query] of Object.entries(kinds)) {
      const figures = { relax: [], spectral: [], auto: [], database: [], hard: [] }
      for (const method of ['spectral(k: 20)', 'auto']) {
        for (const [i, plan] of (await plansOf(run, query, method)).entries()) {
          await engine.prepare(ctx, plan)
          const models = []
          for (const model of plan.models) models.push({ ...(await engine.fitModel(ctx, model)), plan: model })
          const { task } = plan
          const asked = await engine.askModels(ctx, task, models)
          const started = performance.now()
          const evaluated = await evaluate(engine, run, task, asked)
          const whole = performance.now() - started
          const ranking = await rank(engine, run, { task, models, asked, evaluated })
          if (evaluated.relaxedBy !== 'typed arrays') throw new Error(`${task.queryText} was relaxed by the ${evaluated.relaxedBy}`)
          if (ranking.rows.length !== 100) throw new Error(`${ranking.rows.length} rows were ranked`)
          figures[method === 'auto' ? 'auto' : 'spectral'].push(ranking.rankMs)
          if (method === 'auto') continue
          figures.relax.push(evaluated.relaxMs)
          figures.hard.push(whole - evaluated.relaxMs)
          if (i % 8 === 0) figures.database.push((await evaluate(engine, run, { ...task, rowwise: undefined }, asked)).relaxMs)
        }
      }
      const ms = (name) => median(figures[name].slice(Math.floor(figures[name].length / 4))).toFixed(2)
      console.log(`| ${kind} | ${ms('relax')} | ${ms('spectral')} | ${ms('auto')} | ${ms('database')} | ${ms('hard')} |`)
    }
  } finally {
    await run.close()
  }
  console.log()
  const numpy = spawnSync(process.env.ASSAY_PYTHON ?? 'python3', [reference], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  })
  if (numpy.status !== 0) return console.log('numpy: not there')
  const { count, errors } = JSON.parse(numpy.stdout)
  console.log(`numpy, one thread, the same arithmetic: count of a class ${count.toFixed(2)} ms, errors ${errors.toFixed(2)} ms.\n`)
}

async function plansOf(run, query, method) {
  const complaints = Array.from({ length: repeats }, (_, i) => {
    const by = query(i).includes('group by') ? ` where region = 'r${i % 4}'` : ''
    return `complaint c${i} using m {\n  query ${query(i)}\n  expect lower n${by}\n  blame top 100 rows of learned\n  method ${method}\n}`
  })
  const text = `source learned { from 'train.csv'; split train 100% }\nsource mail { from 'mail.csv' }
model m on learned { predict label; from ${Array.from({ length: features }, (_, f) => `f${f}`).join(', ')}; kind logistic(l2: 0.001); train on train }
${complaints.join('\n')}\n`
  const names = complaints.map((_, i) => `c${i}`)
  return (await run.plansOf(text, names)).filter((plan) => plan.kind === 'complaint')
}

/** Tables that an earlier complaint of the same run left in the database would be in the way. */
async function evaluate(engine, { ctx }, task, asked) {
  const made = []
  const tables = {
    ...wrapped(ctx.tables),
    create: (name, columns) => {
      made.push(['table', name])
      return ctx.tables.create(name, columns)
    },
    execute: (sql) => {
      const found = /^create (?:or replace )?(?:temp(?:orary)? )?(table|view) ("(?:[^"]|"")*"|\w+)/i.exec(sql)
      if (found) made.push([found[1], found[2]])
      return ctx.tables.execute(sql)
    },
  }
  try {
    return await engine.evaluateComplaint({ ...ctx, tables }, task, asked)
  } finally {
    for (const [kind, name] of made.reverse()) {
      await ctx.tables.execute(`drop ${kind} if exists ${name.startsWith('"') ? name : `"${name.replaceAll('"', '""')}"`}`)
    }
  }
}
const wrapped = (tables) => ({ query: (sql, options) => tables.query(sql, options) })

function rank(engine, { ctx }, { task, models, asked, evaluated }) {
  const model = models.find((m) => m.plan.name === task.model)
  return engine.rankSuspects(ctx, { task, model, predictions: asked[0].predictions, evaluated, suspects: task.suspects, seed: 7 })
}

/** Ten classes around ten centres, one label in ten wrong. */
export function csv(rows, next) {
  const centres = Array.from({ length: classes * features }, (_, i) => Math.sin(i * 12.9898) * 1.5)
  const header = [...Array.from({ length: features }, (_, f) => `f${f}`), 'x', 'k', 'region', 'label'].join(',')
  const lines = Array.from({ length: rows }, () => {
    const label = Math.floor(next() * classes)
    const inputs = Array.from({ length: features }, (_, f) => (centres[label * features + f] + 3 * (next() + next() - 1)).toFixed(3))
    const given = next() < 0.1 ? Math.floor(next() * classes) : label
    return [...inputs, (next() * 2 - 0.5).toFixed(3), Math.floor(next() * 6), `r${Math.floor(next() * 4)}`, given].join(',')
  })
  return `${header}\n${lines.join('\n')}\n`
}
