/**
 * `npm run bench [-- NAME …]`: every benchmark, or the ones named (`NAME:PART,…` where one has parts); each stands in a file of its own beside this one, prints a
 * table of figures beside a reference measured in the same run, and says the machine's load. References in Python (numpy, JAX, scikit-learn) are used where Python has them.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const all = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && name !== 'bench.mjs' && !name.startsWith('lib-'))
  .map((name) => name.slice(0, -4))
const asked = process.argv.slice(2).map((one) => one.split(':'))
const unknown = asked.map(([name]) => name).filter((name) => !all.includes(name))
if (unknown.length) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${all.join(', ')}.`)
  process.exit(2)
}
let failed = 0
for (const [name, parts] of asked.length ? asked : all.map((one) => [one])) {
  const load = loadavg()
    .map((l) => l.toFixed(1))
    .join(' ')
  console.log(`\n== ${name} · Node ${process.versions.node} · ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'} · load ${load}`)
  const { status } = spawnSync(process.execPath, ['--expose-gc', `${folder}${name}.mjs`, ...(parts ? parts.split(',') : [])], {
    stdio: 'inherit',
  })
  if (status !== 0) failed++
}
process.exitCode = failed ? 1 : 0
