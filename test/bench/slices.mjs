/**
 * Slices: the time and memory of `findSlices` on Adult (32 561 × 14, numbers in 10 quantile bins, 0/1 loss of a logistic model), its growth
 * with depth and rows, wide data, and the answers of an independent search over all slices. Uses dist/methods.mjs where the build made it, else
 * bundles the sources. With ASSAY_PYTHON naming a Python that has the package `sliceline`, that is timed on the same input. With
 * ASSAY_BENCH_ROWS=10000000 a Parquet file of that many rows × 12 columns is made, and `assay run` searches it: in memory up to 5 million, in the database beyond.
 * `node test/bench/slices.mjs scale` does only that.
 * Adult comes from `data/adult/adult.data` beside or in ../shared; without it random data of that shape stands in.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const adultPath = join(root, '../shared/data/adult/adult.data')
const { findSlices, countSlices, describeSlices, quantileEdges, codeNumbers, codeTexts } = await methods()

if (process.argv[2] === 'memory') {
  await reportMemory()
} else if (process.argv[2] === 'scale') {
  await atScale(Number(process.env.ASSAY_BENCH_ROWS ?? 10_000_000))
} else {
  await main()
}

async function methods() {
  const built = join(root, 'dist/methods.mjs')
  if (existsSync(built)) {
    const bundle = await import(pathToFileURL(built).href)
    if (bundle.findSlices && bundle.countSlices && bundle.describeSlices && bundle.codeNumbers) return bundle
  }
  const folder = mkdtempSync(join(tmpdir(), 'slices-'))
  const outfile = join(folder, 'slices.mjs')
  const names = {
    'find-slices': 'findSlices',
    'count-slices': 'countSlices',
    statistics: 'describeSlices',
    bins: 'quantileEdges, codeNumbers, codeTexts',
  }
  const contents = Object.entries(names).map(([file, what]) => `export { ${what} } from './${file}.ts'`)
  const stdin = { contents: contents.join('\n'), resolveDir: join(root, 'server/src/methods/slices'), loader: 'ts' }
  await build({ stdin, bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error' })
  const bundle = await import(pathToFileURL(outfile).href)
  rmSync(folder, { recursive: true })
  return bundle
}

async function main() {
  const { name, codes, errors } = input()
  const options = { top: 10, alpha: 0.95, support: Math.ceil(errors.length * 0.01), depth: 3 }
  console.log(`${name}: ${errors.length} × ${codes.length}, error rate ${(mean(errors) * 100).toFixed(2)} %, support ${options.support}`)

  console.log('\ndepth   first s   again s   evaluated by level')
  for (const depth of [3, 4, 5]) {
    const first = await timed(() => findSlices(codes, errors, { ...options, depth }))
    const again = await timed(() => findSlices(codes, errors, { ...options, depth }))
    console.log(
      `${depth}       ${seconds(first)}     ${seconds(again)}     ${first.value.levels.map((level) => level.evaluated).join(' ')}`,
    )
  }
  const { value: found } = await timed(() => findSlices(codes, errors, options))
  const loss = errors.map((error, row) => error + fraction(row) * 0.5)
  const general = await timed(() => findSlices(codes, loss, options))
  console.log(`continuous errors, depth 3: ${seconds(general)} s`)
  for (const depth of [3, 4, 5]) {
    const counted = await timed(() => countSlices(codes, { support: options.support, depth }))
    console.log(`all slices of sufficient size, depth ${depth}: ${counted.value} in ${seconds(counted)} s`)
  }
  const hypotheses = await countSlices(codes, { support: options.support, depth: 3 })
  const described = await timed(() => describeSlices(codes, errors, found.slices, { hypotheses }))
  console.log(`statistics of ${found.slices.length} slices: ${seconds(described)} s`)
  const brute = await timed(() => bruteForce(codes, errors, options))
  const same = JSON.stringify(brute.value) === JSON.stringify(found.slices.map(({ size, sumError, score }) => [size, sumError, score]))
  console.log(`every slice without pruning, one after another: ${seconds(brute)} s, ${same ? 'the same answer' : 'ANOTHER ANSWER'}`)
  if (!same) process.exitCode = 1

  console.log('\nrows        s         s per million rows')
  for (const times of [1, 2, 4, 8]) {
    const more = { codes: codes.map((values) => repeated(values, times)), errors: repeated(errors, times) }
    const run = await timed(() => findSlices(more.codes, more.errors, { ...options, support: options.support * times }))
    console.log(`${String(more.errors.length).padEnd(10)}  ${seconds(run)}     ${((run.ms / more.errors.length) * 1000).toFixed(2)}`)
  }

  const wide = planted(30, 15, 20_000)
  const widely = await timed(() => findSlices(wide.codes, wide.errors, { top: 5, alpha: 0.95, support: 32, depth: 3 }))
  const best = widely.value.slices[0].predicates.map(({ column, code }) => `${column}=${code}`).join(' ')
  console.log(`\nwide, 30 columns × 15 values, 20 000 rows, planted ${wide.name}: found ${best} in ${seconds(widely)} s`)

  const memory = spawnSync(process.execPath, [fileURLToPath(import.meta.url), 'memory'], { encoding: 'utf8' })
  console.log(`\nmemory, in a process of its own: ${memory.stdout.trim()}`)
  console.log(`our scores: ${found.slices.map(({ score }) => score.toFixed(6)).join(' ')}`)
  if (process.env.ASSAY_PYTHON) peer(codes, errors, options)
  if (process.env.ASSAY_BENCH_ROWS) await atScale(Number(process.env.ASSAY_BENCH_ROWS))
}

/** `assay run` on a Parquet file of 12 columns: time, peak memory of the process, and the answer. */
async function atScale(rows) {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const folder = mkdtempSync(join(tmpdir(), 'slices-'))
  try {
    const database = await DuckDBInstance.create(':memory:', { memory_limit: '1GB', threads: '2' })
    const connection = await database.connect()
    await connection.run('set preserve_insertion_order = false')
    const draw = (n, salt) => `(hash(i * 31 + ${salt}) % ${n})`
    const columns = [
      `${draw(60, 1)}::int + 18 as age`,
      `${draw(1_000_000, 2)} / 1000.0 as income`,
      `${draw(50, 3)}::int as hours`,
      `'c' || ${draw(40, 4)} as country`,
      `'o' || ${draw(15, 5)} as occupation`,
      `['a', 'b', 'c', null][1 + ${draw(4, 6)}::int] as grade`,
      `${draw(2, 7)}::int as smokes`,
      `${draw(1000, 8)} / 10.0 as score`,
      `${draw(100_000, 9)}::int as zip`,
      `'k' || ${draw(7, 10)} as kind`,
      `${draw(365, 11)}::int as day`,
      `'n' || ${draw(5_000, 12)} as street`,
    ]
    const wrong = `case when ${draw(1000, 13)} < (case when ${draw(7, 10)} = 3 and ${draw(4, 6)} = 1 then 600 else 100 end) then 1 else 0 end as wrong`
    const parquet = join(folder, 'rows.parquet')
    await connection.run(`copy (select ${[...columns, wrong].join(', ')} from range(${rows}) t(i)) to '${parquet}' (format parquet)`)
    const over = columns.map((column) => column.split(' as ').at(-1)).join(', ')
    writeFileSync(join(folder, 'rows.assay'), `source rows { from 'rows.parquet' }\ndiscover weak on rows { over ${over}; error wrong }\n`)
    const run = await peakOf([join(root, 'bin/assay.mjs'), 'run', 'rows.assay', 'weak', '--format', 'json'], folder)
    const weak = JSON.parse(run.stdout).results.find((result) => result.name === 'weak')
    const found = weak.slices?.slice(0, 3).map((slice) => `${slice.where} (${slice.size} rows, score ${slice.score.toFixed(6)})`)
    console.log(
      `\n${rows} rows × ${columns.length} columns from Parquet, planted kind = k3 and grade = b: ${run.seconds} s, peak ${run.megabytes} MB`,
    )
    console.log(found ? found.join('\n') : (weak.message ?? 'no slices'))
    for (const note of weak.notes ?? []) console.log(note)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Peak memory as Linux counts it (VmHWM); elsewhere unknown. */
function peakOf(args, cwd) {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
    let stdout = ''
    let peak = 0
    const look = setInterval(() => {
      try {
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0))
      } catch {
        // Not Linux, or it has just ended.
      }
    }, 100)
    child.stdout.on('data', (part) => {
      stdout += part
    })
    child.on('close', () => {
      clearInterval(look)
      resolve({ stdout, seconds: seconds({ ms: performance.now() - started }), megabytes: peak > 0 ? Math.round(peak / 1024) : 'unknown' })
    })
  })
}

async function reportMemory() {
  const { codes, errors } = input()
  const before = process.resourceUsage().maxRSS
  const run = await timed(() => findSlices(codes, errors, { top: 10, alpha: 0.95, support: Math.ceil(errors.length * 0.01), depth: 3 }))
  console.log(
    `peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB (${(before / 1024).toFixed(0)} MB before the search), ${seconds(run)} s`,
  )
}

function input() {
  if (!existsSync(adultPath)) return { name: 'random data in the shape of Adult (no ../shared)', ...planted(14, 10, 32_561) }
  const [head, ...lines] = readFileSync(adultPath, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
  const label = head.length - 1
  const wrong = lines.map((line) => (line[label].startsWith('>') ? 1 : 0))
  const columns = head.slice(0, label).map((_, column) => lines.map((line) => line[column]))
  const coded = columns.map((cells) => {
    if (!cells.every((cell) => cell !== '' && Number.isFinite(Number(cell))))
      return codeTexts(cells.map((cell) => (cell === '?' ? undefined : cell)))
    const numbers = cells.map(Number)
    return codeNumbers(numbers, quantileEdges(numbers, 10))
  })
  const codes = coded.map((column) => column.codes)
  const errors = logisticErrors(
    codes,
    coded.map((column) => column.values.length),
    wrong,
  )
  return { name: 'Adult', codes, errors }
}

/** 0/1 loss of a logistic regression on the one-hot codes: full-batch gradient descent with Nesterov momentum, no randomness. */
function logisticErrors(codes, domains, labels) {
  const starts = []
  let width = 1
  for (const domain of domains) {
    starts.push(width - 1)
    width += domain
  }
  const n = labels.length
  let weights = new Float64Array(width)
  let ahead = weights.slice()
  const score = (at, row) => codes.reduce((sum, values, column) => sum + at[starts[column] + values[row]], at[0])
  for (let step = 1; step <= 120; step++) {
    const gradient = new Float64Array(width)
    for (let row = 0; row < n; row++) {
      const residual = 1 / (1 + Math.exp(-score(ahead, row))) - labels[row]
      gradient[0] += residual
      for (let column = 0; column < codes.length; column++) gradient[starts[column] + codes[column][row]] += residual
    }
    const next = ahead.map((weight, i) => weight - (0.25 / n) * gradient[i])
    ahead = next.map((weight, i) => weight + ((step - 1) / (step + 2)) * (weight - weights[i]))
    weights = next
  }
  return Float64Array.from(labels, (label, row) => ((score(weights, row) > 0 ? 1 : 0) === label ? 0 : 1))
}

/** Random codes; errors of 10 %, but 60 % where columns 3, 7 and 11 have code 2. */
function planted(nColumns, domain, nRows) {
  let state = 7
  const rng = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const codes = Array.from({ length: nColumns }, () => new Int32Array(nRows))
  const errors = new Float64Array(nRows)
  for (let row = 0; row < nRows; row++) {
    for (const values of codes) values[row] = 1 + Math.floor(rng() * domain)
    const weak = rng() < 0.03
    if (weak) for (const column of [3, 7, 11]) codes[column][row] = 2
    errors[row] = rng() < (weak ? 0.6 : 0.1) ? 1 : 0
  }
  return { codes, errors, name: '3=2 7=2 11=2' }
}

/** Every slice of sufficient size by intersecting lists of rows, with no bound at all. */
function bruteForce(codes, errors, { top, alpha, support, depth }) {
  const n = errors.length
  const average = mean(errors)
  const scored = []
  const extend = (rows, from, length) => {
    for (let column = from; column < codes.length; column++) {
      const byCode = new Map()
      for (const row of rows) {
        const code = codes[column][row]
        if (!byCode.has(code)) byCode.set(code, [])
        byCode.get(code).push(row)
      }
      for (const inside of byCode.values()) {
        if (inside.length < support) continue
        const sum = inside.reduce((total, row) => total + errors[row], 0)
        const score = alpha * (sum / inside.length / average - 1) - (1 - alpha) * (n / inside.length - 1)
        if (score > 0) scored.push([inside.length, sum, score])
        if (length < depth) extend(inside, column + 1, length + 1)
      }
    }
  }
  extend([...errors.keys()], 0, 1)
  return scored.sort((a, b) => b[2] - a[2] || b[0] - a[0]).slice(0, top)
}

function peer(codes, errors, { top, alpha, support, depth }) {
  const folder = mkdtempSync(join(tmpdir(), 'slices-'))
  writeFileSync(join(folder, 'input.json'), JSON.stringify({ x: codes.map((values) => [...values]), e: [...errors] }))
  const script = [
    'import json, resource, sys, time, numpy as np',
    'from sliceline.slicefinder import Slicefinder',
    `d = json.load(open(${JSON.stringify(join(folder, 'input.json'))}))`,
    'x = np.array(d["x"]).T; e = np.array(d["e"], dtype=float)',
    `f = Slicefinder(alpha=${alpha}, k=${top}, max_l=${depth}, min_sup=${support}, verbose=False)`,
    't = time.time(); f.fit(x, e); s = time.time() - t',
    'print(f"Python sliceline: {s:.1f} s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, scores", [round(float(v["slice_score"]), 6) for v in f.top_slices_statistics_])',
  ]
  const run = spawnSync(process.env.ASSAY_PYTHON, ['-c', script.join('\n')], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  console.log(run.status === 0 ? run.stdout.trim() : `Python sliceline did not run: ${run.stderr.trim().split('\n').at(-1)}`)
}

async function timed(work) {
  const start = performance.now()
  const value = await work()
  return { value, ms: performance.now() - start }
}

function seconds({ ms }) {
  return (ms / 1000).toFixed(3)
}

function repeated(values, times) {
  const all = new values.constructor(values.length * times)
  for (let i = 0; i < times; i++) all.set(values, i * values.length)
  return all
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** A fixed sequence in [0, 1). */
function fraction(row) {
  return (row * 0.618033988749895) % 1
}
