/**
 * Online ranking from an index in memory: k × n floats, the top 100, one thread; plain typed arrays, and the same index resident in WebAssembly memory,
 * beside numpy's product and argpartition in the same run (influence_reference.py --ranking). Medians after a warm-up.
 */
import { spawnSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

const { rankBySpectrum, residentIndex } = await import(new URL('../../dist/methods.mjs', import.meta.url).href)
const reference = fileURLToPath(new URL('influence_reference.py', import.meta.url))
const python = process.env.ASSAY_PYTHON ?? 'python3'

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const timed = (work, repeat) => {
  for (let i = 0; i < 20; i++) work()
  return median(
    Array.from({ length: repeat }, () => {
      const started = performance.now()
      work()
      return performance.now() - started
    }),
  )
}

console.log('| rows × k, top 100 | plain ms | resident ms | numpy ms (1 thread) | plain / numpy | resident / numpy | load |')
console.log('|---|---|---|---|---|---|---|')
for (const [n, k] of [
  [60_000, 10],
  [60_000, 20],
  [600_000, 20],
]) {
  const b = Float32Array.from({ length: n * k }, () => Math.random() - 0.5)
  const query = Float32Array.from({ length: k }, () => Math.random() - 0.5)
  const index = { k, n, b }
  const resident = residentIndex(index)
  const repeat = n > 100_000 ? 51 : 201
  const plain = timed(() => rankBySpectrum(index, query, 100), repeat)
  const fast = timed(() => rankBySpectrum(resident, query, 100), repeat)
  const same = String(rankBySpectrum(index, query, 100).rows) === String(rankBySpectrum(resident, query, 100).rows)
  if (!same) throw new Error('the two rankings differ')
  const run = spawnSync(python, [reference, '--ranking', n, k, 100, '--threads', '1', '--repeat', repeat].map(String), { encoding: 'utf8' })
  const numpy = run.status === 0 ? JSON.parse(run.stdout).vectorMajor.medianMs : undefined
  const ratio = (ms) => (numpy === undefined ? '–' : (ms / numpy).toFixed(2))
  const load = loadavg()[0].toFixed(1)
  console.log(
    `| ${n} × ${k} | ${plain.toFixed(2)} | ${fast.toFixed(2)} | ${numpy?.toFixed(2) ?? '–'} | ${ratio(plain)} | ${ratio(fast)} | ${load} |`,
  )
}
