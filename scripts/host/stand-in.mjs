#!/usr/bin/env node
/**
 * Stands in for the program of VS Code: takes the arguments that `runTests()` gives it and runs them in code-server and a headless Chromium. The exit code
 * is what the suite's `run()` came to. Told by the environment: `ASSAY_HOST_VERSION`, `ASSAY_HOST_LIMIT_MS`, `ASSAY_HOST_VERBOSE`. Tells the suite, as
 * `ASSAY_HOST_CDP`, where the browser can be driven.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { format } from 'node:util'
import { chromium } from 'playwright-core'
import { cannot, everyday, findChromium, installed } from './hosts.mjs'
import { freePort, startServer } from './server.mjs'

const version = process.env.ASSAY_HOST_VERSION ?? everyday
const host = installed(version)
const executablePath = findChromium()
if (!host || !executablePath) {
  console.error(`${host ? 'Chromium' : `code-server ${version}`} is not installed: node scripts/host/install.mjs ${version}`)
  process.exit(cannot)
}

const { options, folder } = readArguments(process.argv.slice(2))
const scratch = mkdtempSync(join(tmpdir(), 'assay-stand-in-'))
const debugPort = await freePort()
let server
let browser
let isFinishing = false
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void finish(130))
try {
  server = await startServer(host, {
    userData: options['user-data-dir']?.[0] ?? join(scratch, 'user-data'),
    extensions: options['extensions-dir']?.[0] ?? join(scratch, 'extensions'),
    environment: { ASSAY_HOST_CDP: `http://127.0.0.1:${debugPort}` },
  })
  browser = await chromium.launch({ executablePath, headless: true, args: browserFlags() })
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } })
  await finish(await runSuite(await context.newPage()))
} catch (reason) {
  if (!isFinishing) console.error(reason)
  await finish(1)
}

/** `--name value`, `--name=value` and `--name` as VS Code knows them, and the folder to open. */
function readArguments(words) {
  const withValue = ['user-data-dir', 'extensions-dir', 'extensionTestsPath', 'extensionDevelopmentPath']
  const options = {}
  const positions = []
  for (let i = 0; i < words.length; i++) {
    const found = /^--([^=]+)(?:=(.*))?$/s.exec(words[i])
    if (found) (options[found[1]] ??= []).push(found[2] ?? (withValue.includes(found[1]) ? words[++i] : 'true'))
    else positions.push(words[i])
  }
  return { options, folder: positions[0] }
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
  const remote = (path) => `vscode-remote://${server.authority}${resolve(path)}`
  const payload = [
    ...(options.extensionDevelopmentPath ?? []).map((path) => ['extensionDevelopmentPath', remote(path)]),
    ...(options.extensionTestsPath ?? []).map((path) => ['extensionTestsPath', remote(path)]),
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ]
  const kind = folder?.endsWith('.code-workspace') ? 'workspace' : 'folder'
  const workspace = folder ? `${kind}=${encodeURIComponent(resolve(folder))}` : 'ew=true'
  await page.goto(`http://${server.authority}/?${workspace}&payload=${encodeURIComponent(JSON.stringify(payload))}`)
  const limit = Number(process.env.ASSAY_HOST_LIMIT_MS ?? 1_200_000)
  const code = await Promise.race([ended, sleep(limit, 124, { ref: false })])
  if (code === 124) console.error(`The suite did not end within ${limit / 1000} s.`)
  return code
}

async function finish(exitCode) {
  if (isFinishing) return
  isFinishing = true
  await browser?.close().catch(() => undefined)
  await server?.stop()
  if (exitCode !== 0 && server) process.stderr.write(`${server.log().split('\n').slice(-15).join('\n')}\n`)
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  process.exit(exitCode)
}
