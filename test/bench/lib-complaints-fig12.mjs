/**
 * Rain++ Figure 12's pattern: Adult (`../shared/data/adult`), labels wrong where features say so: of men in the private sector who earn ≤50K, 50, 60, 70 % (drawn by
 * the seed) are labelled >50K. The complaint: too many are predicted to earn more, of the rows of `adult.test` that a predicate picks (at most as many as truly do would be right).
 * Our reading of its queries, from precise to general: Q4 the share (avg) and Q5 the count among men in the private sector, the very rows whose labels are wrong; Q6 the share among
 * men, and in the private sector; Q7 among everybody. A logistic model on all 14 features. AUC_R, paired by seed. The corrupted rows are known to this file only.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { confidentLearning } from './lib-complaints-label-errors.mjs'
import { aucR, middle, seeded } from './lib-complaints-measures.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = join(root, '../shared/data/adult')
const rates = [0.5, 0.6, 0.7]
const seeds = [1, 2, 3]
const [poor, rich] = ['<=50K', '>50K']
const isRich = `predict(class) = '${rich}'`
const average = `avg(case when ${isRich} then 1 else 0 end)`
const suffers = (row) => row.sex === 'Male' && row.workclass === 'Private'
const queries = {
  'Q4 share, private men': { select: average, where: "sex = 'Male' and workclass = 'Private'", among: suffers, precise: true },
  'Q5 count, private men': {
    select: 'count(*)',
    where: `sex = 'Male' and workclass = 'Private' and ${isRich}`,
    among: suffers,
    counts: true,
    precise: true,
  },
  'Q6 share, men': { select: average, where: "sex = 'Male'", among: (row) => row.sex === 'Male' },
  'Q6 share, private sector': { select: average, where: "workclass = 'Private'", among: (row) => row.workclass === 'Private' },
  'Q7 share, everybody': { select: average, among: () => true },
}
const methods = {
  auto: ['influence', 'auto'],
  'spectral, removal': ['influence of remove', 'spectral'],
  'cg(20), removal': ['influence of remove', 'cg(iterations: 20)'],
}
const baselines = { loss: 'loss', 'self-influence': 'self_influence', random: 'random' }
const wanted = 0.8

export function fig12() {
  console.log('\nRain++ Figure 12’s pattern: Adult, labels of private men wrong, AUC_R, median of the seeds [least, greatest]')
  if (!existsSync(data)) return console.log('Skipped: ../shared/data/adult is not beside this checkout.')
  const [train, test] = [rowsOf('adult.data'), rowsOf('adult.test')]
  const rankings = [...Object.keys(methods), ...Object.keys(baselines), 'confident learning, 5 folds']
  for (const rate of rates) {
    const runs = seeds.map((seed) => measured(train, test, rate, seed))
    console.log(
      `\n${rate * 100} %, ${runs[0].engine}, ${runs.map((r) => r.wrong).join(', ')} of ${train.length} rows wrong, ${runs.map((r) => r.seconds.toFixed(0)).join(', ')} s\n`,
    )
    console.log(`| query | ${rankings.join(' | ')} |\n|---|${rankings.map(() => '---|').join('')}`)
    for (const query of Object.keys(queries))
      console.log(`| ${query} | ${rankings.map((r) => shown(runs.map((run) => run.scores[query][r]))).join(' | ')} |`)
    const of = (query) => middle(runs.map((run) => run.scores[query].auto))
    const names = Object.keys(queries)
    for (const query of names.filter((name) => queries[name].precise))
      say(`${rate * 100} %, ${query}: auto ${of(query).toFixed(3)}, wanted ${wanted}`, of(query) >= wanted)
    const least = Math.min(...names.filter((name) => queries[name].precise).map(of))
    const most = Math.max(...names.filter((name) => !queries[name].precise).map(of))
    say(`${rate * 100} %, precise predicates (${least.toFixed(3)}) beat general ones (${most.toFixed(3)})`, least > most)
  }
}

function say(sentence, held) {
  console.log(`${sentence}: ${held ? 'held' : 'MISSED'}`)
  if (!held) process.exitCode = 1
}

const shown = (values) => `${middle(values).toFixed(3)} [${Math.min(...values).toFixed(2)}, ${Math.max(...values).toFixed(2)}]`

function rowsOf(name) {
  const [header, ...lines] = readFileSync(join(data, name), 'utf8').trim().split(/\r?\n/)
  const names = header.split(',')
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell.trim()])))
}

function measured(train, test, rate, seed) {
  const next = seeded(seed)
  const labels = train.map((row) => {
    const drawn = next() < rate
    return drawn && suffers(row) && row.class === poor ? rich : row.class
  })
  const wrong = train.map((row, i) => labels[i] !== row.class)
  const total = wrong.filter(Boolean).length
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    mkdirSync(join(folder, '.assay'))
    const inputs = Object.keys(train[0]).filter((name) => name !== 'class')
    const csv = (rows, label) =>
      `${[['id', ...inputs, 'class'].join(), ...rows.map((row, i) => [i, ...inputs.map((name) => (row[name] === '?' ? '' : row[name])), label[i]].join())].join('\n')}\n`
    writeFileSync(join(folder, 'train.csv'), csv(train, labels))
    writeFileSync(
      join(folder, 'test.csv'),
      csv(
        test,
        test.map(() => ''),
      ),
    )
    writeFileSync(join(folder, 'spec.assay'), spec(inputs, total, train.length, test))
    const started = performance.now()
    const run = spawnSync(
      process.execPath,
      [join(root, 'bin/assay.mjs'), 'run', 'spec.assay', '--format', 'json', '--engine', process.env.ENGINE ?? 'auto'],
      {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 1 << 30,
      },
    )
    if (!run.stdout) throw new Error(run.stderr)
    const { results, backend } = JSON.parse(run.stdout)
    const ranking = (name) => {
      const found = results.find((r) => r.name === name)
      if (!found?.ranking) throw new Error(`${name}: ${found?.message ?? 'no ranking'}`)
      return found.ranking
    }
    const own = new Float64Array(train.length)
    for (const { key, influence } of ranking('folds')) own[key] = Math.exp(-influence)
    const orders = Object.fromEntries(Object.keys(baselines).map((name, i) => [name, ranking(`base${i}`).map((row) => row.key)]))
    orders['confident learning, 5 folds'] = confidentLearning(
      own,
      labels.map((label) => (label === rich ? 1 : 0)),
    )
    const score = (keys) => aucR(keys, (key) => wrong[key], total)
    const scores = Object.fromEntries(
      Object.keys(queries).map((query, q) => {
        const asked = Object.keys(methods).map((method, i) => [method, ranking(`q${q}_${i}`).map((row) => row.key)])
        return [query, Object.fromEntries([...asked, ...Object.entries(orders)].map(([name, keys]) => [name, score(keys)]))]
      }),
    )
    return { scores, wrong: total, engine: backend.name, seconds: (performance.now() - started) / 1000 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function spec(inputs, total, n, test) {
  const quoted = inputs.map((name) => `"${name}"`).join(', ')
  const model = (name, options) =>
    `model ${name} on past { predict class; from ${quoted}; kind logistic(l2: 0.001); train on train${options} }\n`
  const complaint = (name, query, [by, method], { using = 'reader', top = total } = {}) => {
    const { select, where, among, counts } = queries[query]
    const rows = test.filter(among)
    const truly = rows.filter((row) => row.class.startsWith(rich)).length
    return `complaint ${name} using ${using} {\n  query select ${select} as rich from people${where ? ` where ${where}` : ''}\n  expect rich <= ${counts ? truly : (truly / rows.length).toFixed(6)}\n  method ${method}\n  blame top ${top} rows of train by ${by}\n}\n`
  }
  const [first] = Object.keys(queries)
  const asked = Object.keys(queries).flatMap((query, q) => Object.values(methods).map((how, i) => complaint(`q${q}_${i}`, query, how)))
  const base = Object.values(baselines).map((by, i) => complaint(`base${i}`, first, [by, 'auto']))
  return `source past { from 'train.csv'; key id; label class; split train 100% }
source people { from (select ${['id', ...inputs].map((name) => `"${name}"`).join(', ')} from given); key id }
source given { from 'test.csv'; key id }
${model('reader', '')}${model('folded', ' with (folds: 5)')}
${asked.join('')}${base.join('')}${complaint('folds', first, ['loss', 'auto'], { using: 'folded', top: n })}`
}
