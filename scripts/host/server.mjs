/** Starts a code-server that asks for nothing and fetches nothing, and waits until it answers. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { versions } from './hosts.mjs'

/**
 * `host` is what `installed()` gave. Answers `{ authority, log(), stop() }`: where it listens, what it said, and its end.
 * `trust` is `all`, or `asked` as in an editor that somebody works in.
 */
export async function startServer(host, { userData, extensions, port, environment = {}, trust = 'all' }) {
  const scratch = mkdtempSync(join(tmpdir(), 'assay-host-'))
  for (const made of [userData, extensions]) mkdirSync(made, { recursive: true })
  writeSettings(userData)
  const authority = `127.0.0.1:${port ?? (await freePort())}`
  const switches = ['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--ignore-last-opened']
  if (trust === 'all') switches.push('--disable-workspace-trust')
  const places = ['--config', join(scratch, 'config.yaml'), '--user-data-dir', userData, '--extensions-dir', extensions]
  const words = [host.entry, '--auth', 'none', '--bind-addr', authority, ...switches, ...places, ...versions[host.version].options]
  const env = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...environment }
  const server = spawn(host.node, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  server.stdout.on('data', (data) => said.push(data))
  server.stderr.on('data', (data) => said.push(data))
  const log = () => Buffer.concat(said).toString()
  const stop = async () => {
    const gone = new Promise((done) => void server.once('exit', done))
    server.kill('SIGTERM')
    if (server.exitCode === null) await Promise.race([gone, sleep(3000, undefined, { ref: false })])
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  }
  for (let tries = 0; tries < 900 && server.exitCode === null; tries++) {
    const isHealthy = await fetch(`http://${authority}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isHealthy) return { authority, log, stop }
    await sleep(100)
  }
  await stop()
  throw new Error(`code-server did not start:\n${log()}`)
}

/** Settings of a machine that asks for nothing; those that are there already stay. */
export function writeSettings(userData) {
  const settings = join(userData, 'User', 'settings.json')
  if (existsSync(settings)) return
  mkdirSync(join(userData, 'User'), { recursive: true })
  const quiet = {
    'chat.disableAIFeatures': true,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.startupEditor': 'none',
    'extensions.autoCheckUpdates': false,
    'extensions.autoUpdate': false,
    'telemetry.telemetryLevel': 'off',
    'git.enabled': false,
  }
  writeFileSync(settings, `${JSON.stringify(quiet, undefined, 2)}\n`)
}

export function freePort() {
  return new Promise((done) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port } = listener.address()
      listener.close(() => done(port))
    })
  })
}
