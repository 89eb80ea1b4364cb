#!/usr/bin/env node
/**
 * Stands in for the program of VS Code: takes the arguments that `runTests()` gives it and runs them in code-server and a headless Chromium. The exit code
 * is what the suite's `run()` came to. Told by the environment: `ASSAY_HOST_VERSION`, `ASSAY_HOST_LIMIT_MS`, `ASSAY_HOST_VERBOSE`. Tells the suite, as
 * `ASSAY_HOST_CDP`, where the browser can be driven.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { format } from 'node:util'
import { chromium } from 'playwright-core'
import { cannot, everyday, findChromium, installed, versions } from './hosts.mjs'

const version = process.env.ASSAY_HOST_VERSION ?? everyday
const host = installed(version)
const executablePath = findChromium()
if (!host || !executablePath) {
  console.error(`${host ? 'Chromium' : `code-server ${version}`} is not installed: node scripts/host/install.mjs ${version}`)
  process.exit(cannot)
}

const { options, folder } = readArguments(process.argv.slice(2))
const scratch = mkdtempSync(join(tmpdir(), 'assay-host-'))
const userData = options['user-data-dir']?.[0] ?? join(scratch, 'user-data')
const extensions = options['extensions-dir']?.[0] ?? join(scratch, 'extensions')
prepareUser()
const [port, debugPort] = [await freePort(), await freePort()]
const authority = `127.0.0.1:${port}`
const debugAddress = `http://127.0.0.1:${debugPort}`

const log = []
const server = startServer()
let browser
let isFinishing = false
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void finish(130))
let code = 1
try {
  await whenHealthy()
  browser = await chromium.launch({ executablePath, headless: true, args: browserFlags() })
  code = await runSuite(await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage())
} catch (reason) {
  console.error(reason)
}
await finish(code)

/** `--name value`, `--name=value` and `--name` as VS Code knows them, and the folder to open. */
function readArguments(words) {
  const withValue = ['user-data-dir', 'extensions-dir', 'extensionTestsPath', 'extensionDevelopmentPath']
  const options = {}
  const positions = []
  for (let i = 0; i < words.length; i++) {
    const found = /^--([^=]+)(?:=(.*))?$/s.exec(words[i])
    if (!found) positions.push(words[i])
    else (options[found[1]] ??= []).push(found[2] ?? (withValue.includes(found[1]) ? words[++i] : 'true'))
  }
  return { options, folder: positions[0] }
}

/** Settings of a machine that asks for nothing and fetches nothing. */
function prepareUser() {
  const settings = join(userData, 'User', 'settings.json')
  for (const made of [join(userData, 'User'), extensions]) mkdirSync(made, { recursive: true })
  if (existsSync(settings)) return
  const quiet = {
    'chat.disableAIFeatures': true,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.startupEditor': 'none',
    'extensions.autoCheckUpdates': false,
    'extensions.autoUpdate': false,
    'telemetry.telemetryLevel': 'off',
    'git.enabled': false,
  }
  writeFileSync(settings, JSON.stringify(quiet))
}

function startServer() {
  const switches = ['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', '--disable-getting-started-override']
  const places = ['--config', join(scratch, 'config.yaml'), '--user-data-dir', userData, '--extensions-dir', extensions]
  const words = [
    host.entry,
    '--auth',
    'none',
    '--bind-addr',
    authority,
    '--ignore-last-opened',
    ...switches,
    ...places,
    ...versions[version].options,
  ]
  const env = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ASSAY_HOST_CDP: debugAddress }
  const started = spawn(host.node, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  started.stdout.on('data', (data) => log.push(data))
  started.stderr.on('data', (data) => log.push(data))
  return started
}

async function whenHealthy() {
  for (let tries = 0; tries < 300 && server.exitCode === null; tries++) {
    if (
      await fetch(`http://${authority}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return
    await sleep(100)
  }
  throw new Error('code-server did not start.')
}

function browserFlags() {
  const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  return [`--remote-debugging-port=${debugPort}`, '--no-sandbox', '--disable-gpu', ...quiet]
}

/** Opens the workbench with the payload that tells it of an extension and a suite, and waits for what the suite comes to. */
async function runSuite(page) {
  const ended = new Promise((done) => void page.exposeFunction('codeAutomationExit', done))
  const noise =
    /^(Ignoring fetching|Creating a socket|Res(olving|olved) connection|\[(Service Worker|AccountPolicyGate|AgentHost|ChatModel|reconnection)|Updating additional|Creation of workbench)/
  await page.exposeFunction('codeAutomationLog', (type, words) => {
    const text = format(...words)
    if (process.env.ASSAY_HOST_VERBOSE || !noise.test(text)) (type === 'error' ? console.error : console.log)(text)
  })
  const remote = (path) => `vscode-remote://${authority}${resolve(path)}`
  const payload = [
    ...(options.extensionDevelopmentPath ?? []).map((path) => ['extensionDevelopmentPath', remote(path)]),
    ...(options.extensionTestsPath ?? []).map((path) => ['extensionTestsPath', remote(path)]),
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ]
  const kind = folder?.endsWith('.code-workspace') ? 'workspace' : 'folder'
  const workspace = folder ? `${kind}=${encodeURIComponent(resolve(folder))}` : 'ew=true'
  await page.goto(`http://${authority}/?${workspace}&payload=${encodeURIComponent(JSON.stringify(payload))}`)
  const limit = Number(process.env.ASSAY_HOST_LIMIT_MS ?? 300_000)
  return Promise.race([ended, sleep(limit, 124, { ref: false })])
}

async function finish(exitCode) {
  if (isFinishing) return
  isFinishing = true
  if (exitCode === 124) console.error('The suite did not end within its time.')
  await browser?.close().catch(() => undefined)
  const gone = new Promise((done) => void server.once('exit', done))
  server.kill('SIGTERM')
  await Promise.race([gone, sleep(3000)])
  if (exitCode !== 0) process.stderr.write(`${Buffer.concat(log).toString().split('\n').slice(-15).join('\n')}\n`)
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  process.exit(exitCode)
}

function freePort() {
  return new Promise((done) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port } = listener.address()
      listener.close(() => done(port))
    })
  })
}
