/** Answers of the language server over a real connection while a model trains on 60 000 × 784 rows: hovers, and a keystroke's diagnostics with their debounce. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Loading the extension's bundle in a fresh process, the editor's interface replaced by something that answers anything: what activation costs but for the editor's own part. */
const loading = `
const Module = require('node:module')
const anything = new Proxy(class {}, { get: (_, name) => (name === 'prototype' ? {} : anything), apply: () => anything })
const load = Module._load
Module._load = (name, ...rest) => (name === 'vscode' ? anything : load(name, ...rest))
const began = performance.now()
require(${JSON.stringify(join(root, 'dist/client.cjs'))})
process.stdout.write(String(performance.now() - began))`
const loads = Array.from({ length: 9 }, () => Number(execFileSync(process.execPath, ['-e', loading], { encoding: 'utf8' }))).sort(
  (a, b) => a - b,
)
console.log(`loading the extension's bundle: ${loads[4].toFixed(0)} ms, at most ${loads[8].toFixed(0)} of 9 (limit 300, with activation)`)

const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
writeFileSync(join(folder, 'package.json'), '{}')
// Hardly regularised, so that training outlasts the measurement.
const text = readFileSync(join(root, 'examples/digits.assay'), 'utf8')
  .replaceAll("'../node_modules", `'${root}node_modules`)
  .replace('l2: 0.001', 'l2: 0.000001')
const uri = pathToFileURL(join(folder, 'digits.assay')).href
writeFileSync(join(folder, 'digits.assay'), text)

const started = performance.now()
const child = spawn(process.execPath, [join(root, 'bin/assay.mjs'), 'lsp', '--stdio'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin))
let version = 1
const published = new Map()
let stage = ''
connection.onNotification('textDocument/publishDiagnostics', (params) => published.get(params.version)?.())
connection.onNotification('assay/status', ({ running }) => {
  stage = running[0]?.stage ?? ''
})
connection.onRequest(() => null)
connection.listen()
await connection.sendRequest('initialize', { processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities: {} })
const startMs = performance.now() - started
connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'assay', version, text } })

const lines = text.split('\n')
const spot = (i) => {
  const line = (i * 7919) % lines.length
  return { line, character: (i * 31) % Math.max(1, lines[line].length) }
}
const hover = async (i) => {
  const before = performance.now()
  await connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: spot(i) })
  return performance.now() - before
}
const complete = async (i) => {
  const before = performance.now()
  await connection.sendRequest('textDocument/completion', { textDocument: { uri }, position: spot(i) })
  return performance.now() - before
}
const keystroke = () => {
  const before = performance.now()
  const next = ++version
  const answered = new Promise((resolve) => published.set(next, resolve))
  const end = { line: lines.length - 1, character: 0 }
  connection.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: next },
    contentChanges: [{ range: { start: end, end }, text: '-' }],
  })
  return answered.then(() => performance.now() - before)
}
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))].toFixed(1)

async function measure(name) {
  const hovers = []
  const completions = []
  const keystrokes = []
  for (let i = 0; i < 300; i++) {
    hovers.push(await hover(i))
    if (i % 5 === 0) completions.push(await complete(i))
    if (i % 10 === 0) keystrokes.push(await keystroke())
    await rest(5)
  }
  const cells = [
    quantile(hovers, 0.5),
    quantile(hovers, 0.99),
    quantile(completions, 0.99),
    quantile(keystrokes, 0.5),
    quantile(keystrokes, 0.95),
  ]
  console.log(`| ${name} | ${cells.join(' | ')} | ${loadavg()[0].toFixed(1)} |`)
}

console.log(`start to the answer to initialize: ${startMs.toFixed(0)} ms`)
console.log(
  '| while | hover ms, median | 99 % (limit 50) | completion ms, 99 % | diagnostics ms, median | 95 % (limit 250) | load |\n|---|---|---|---|---|---|---|',
)
await rest(3000)
await measure('idle')
const running = connection.sendRequest('workspace/executeCommand', { command: 'assay.run', arguments: [{ uri, names: ['reader'] }] })
while (!/train/.test(stage)) await rest(50)
await measure('training')
const wasTraining = /train/.test(stage)
await connection.sendRequest('workspace/executeCommand', { command: 'assay.cancel', arguments: [{ uri }] })
const file = await running
if (!wasTraining)
  console.log(`The training ended before the measurement did (${file.results.map((one) => `${one.name} ${one.status}`).join(', ')}).`)
child.stdin.end()
await new Promise((resolve) => child.on('close', resolve))
rmSync(folder, { recursive: true, force: true })
