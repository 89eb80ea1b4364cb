/** A 2 000-line file parsed and checked, once warm: the time of a keystroke's diagnostics. */
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const code = `export { parse } from './grammar/src/parser.ts'
export { format } from './grammar/src/printer.ts'
export { check } from './server/src/check/check.ts'`
const bundled = await build({
  stdin: { contents: code, resolveDir: root, loader: 'ts' },
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
})
const { parse, format, check } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`)

const stones = readFileSync(`${root}examples/stones.assay`, 'utf8')
const names = ['stones', 'dealer', 'auction', 'grader', 'colours', 'weak_spots', 'solid', 'fair_grader']
let text = ''
for (let copy = 0; text.split('\n').length < 2000; copy++) {
  text += names.reduce((all, name) => all.replace(new RegExp(`\\b${name}\\b(?!\\.csv)`, 'g'), `${name}_${copy}`), stones)
}
const path = '/spec/long.assay'
const number = (name) => ({ name, type: 'number', sqlType: 'DOUBLE' })
const word = (name) => ({ name, type: 'text', sqlType: 'VARCHAR' })
const columns = [...['carat', 'depth', 'table', 'price', 'x', 'y', 'z'].map(number), ...['cut', 'color', 'clarity'].map(word)]
const schemas = new Map(Array.from({ length: 100 }, (_, i) => [`stones_${i}`, columns]))

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const figures = { parse: [], check: [], both: [], format: [] }
for (let run = 0; run < 80; run++) {
  const started = performance.now()
  const parsed = parse(text)
  const between = performance.now()
  const { problems } = check(new Map([[path, parsed]]), schemas, { path })
  const ended = performance.now()
  if (parsed.problems.length || problems.some((p) => p.severity === 'error'))
    throw new Error(problems[0]?.message ?? parsed.problems[0].message)
  format(text)
  const formatted = performance.now()
  if (run < 30) continue
  figures.parse.push(between - started)
  figures.check.push(ended - between)
  figures.both.push(ended - started)
  figures.format.push(formatted - ended)
}
console.log(`| lines | parse ms | check ms | both ms (limit 50) | format ms | load |\n|---|---|---|---|---|---|`)
const shown = Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, median(values).toFixed(1)]))
console.log(
  `| ${text.split('\n').length} | ${shown.parse} | ${shown.check} | ${shown.both} | ${shown.format} | ${loadavg()[0].toFixed(1)} |`,
)
