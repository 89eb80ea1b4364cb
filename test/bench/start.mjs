/**
 * The README's second command as a stranger runs it: `examples/digits.assay` in a folder without a cache, then again with it. Whole-process seconds and peak
 * resident memory (from /proc, where there is one), for each engine that npm alone brings.
 */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const engines = (process.env.ENGINES ?? 'auto,onnx,wasm').split(',')

function run(folder, engine) {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(
      process.execPath,
      [join(root, 'bin/assay.mjs'), 'run', 'examples/digits.assay', '--format', 'json', '--engine', engine],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    let output = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    let peak = 0
    const watch = setInterval(() => {
      try {
        peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? peak)
      } catch {
        // Gone, or no /proc here.
      }
    }, 50)
    child.on('close', () => {
      clearInterval(watch)
      resolve({ seconds: (performance.now() - started) / 1000, peakMb: peak / 1024, result: JSON.parse(output) })
    })
  })
}

console.log('| engine | first run s | second run s | peak MB | index s | rank ms | iterations | load |')
console.log('|---|---|---|---|---|---|---|---|')
for (const engine of engines) {
  const folder = mkdtempSync(join(tmpdir(), 'assay-start-'))
  try {
    mkdirSync(join(folder, 'examples'))
    copyFileSync(join(root, 'examples/digits.assay'), join(folder, 'examples/digits.assay'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{}')
    const first = await run(folder, engine)
    const second = await run(folder, engine)
    const complaint = first.result.results.find((r) => r.kind === 'complaint')
    const model = first.result.results.find((r) => r.kind === 'model')
    const load = loadavg()[0].toFixed(1)
    const again = second.result.results.find((r) => r.kind === 'complaint')
    console.log(
      `| ${first.result.backend.name} | ${first.seconds.toFixed(1)} | ${second.seconds.toFixed(1)} | ${Math.max(first.peakMb, second.peakMb).toFixed(0)} | ${(complaint.indexMs / 1000).toFixed(1)} | ${again.rankMs.toFixed(1)} | ${model.epochs} | ${load} |`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
