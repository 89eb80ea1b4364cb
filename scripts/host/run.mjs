/**
 * Runs the suite of `test/host` inside a real editor: VS Code where there is one, else code-server and a headless Chromium.
 *
 *     node scripts/host/run.mjs [--version 4.100.3 | 4.139.1] [--if-possible] [--only PATTERN] [--package]
 *
 * With `--package`, what `npm run package` made is installed into it, and tried instead of the checkout.
 * With `--if-possible`, a machine that has no editor is no failure: one line says what was skipped and why.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { resolveCliArgsFromVSCodeExecutablePath, runTests } from '@vscode/test-electron'
import { build } from 'esbuild'
import { makeWorkspace } from '../../test/host/workspace.mjs'
import { cannot, everyday, findChromium, findVsCode, installed } from './hosts.mjs'
import { freePort, writeSettings } from './server.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values: asked } = parseArgs({
  options: { version: { type: 'string' }, 'if-possible': { type: 'boolean' }, only: { type: 'string' }, package: { type: 'boolean' } },
})
const editor = findEditor()
if (editor.missing) {
  console.log(
    `Skipped: tests inside an editor. Missing: ${editor.missing}. To install: node scripts/host/install.mjs ${asked.version ?? ''}`,
  )
  process.exit(asked['if-possible'] ? 0 : cannot)
}

const out = join(root, 'dist/host')
mkdirSync(out, { recursive: true })
await bundleSuite()
const scratch = mkdtempSync(join(tmpdir(), 'assay-suite-'))
// Away from the workspace's link to `node_modules`: a package has to bring what it loads.
const extensions = mkdtempSync(join(tmpdir(), 'assay-extensions-'))
const counts = join(scratch, 'counts.json')
const started = performance.now()
let code = 0
try {
  const workspace = makeWorkspace(scratch)
  const userData = join(scratch, 'user-data')
  writeSettings(userData)
  if (asked.package) installPackage(userData)
  const debugPort = editor.isReal ? await freePort() : undefined
  await runTests({
    vscodeExecutablePath: editor.program,
    // Something has to be under development for a suite to run.
    extensionDevelopmentPath: asked.package ? join(root, 'test/host/package') : root,
    extensionTestsPath: join(out, 'suite.cjs'),
    launchArgs: [
      workspace,
      `--user-data-dir=${userData}`,
      `--extensions-dir=${extensions}`,
      ...(debugPort ? [`--remote-debugging-port=${debugPort}`] : []),
    ],
    extensionTestsEnv: {
      ASSAY_HOST_VERSION: asked.version ?? everyday,
      ASSAY_HOST_COUNTS: counts,
      ASSAY_HOST_SCREENSHOTS: join(out, 'screenshots'),
      ...(asked.package ? { ASSAY_HOST_SUITE: 'package' } : {}),
      ...(asked.only ? { ASSAY_HOST_ONLY: asked.only } : {}),
      ...(debugPort ? { ASSAY_HOST_CDP: `http://127.0.0.1:${debugPort}` } : {}),
    },
  })
} catch (reason) {
  if (reason?.name !== 'TestRunFailedError' && !('code' in reason)) console.error(reason)
  code = 1
}
console.log(closingLine())
for (const folder of [scratch, extensions]) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
process.exit(code)

function findEditor() {
  const real = asked.version ? undefined : findVsCode()
  if (real) return { program: real, isReal: true, name: 'VS Code' }
  const version = asked.version ?? everyday
  const missing = [installed(version) ? undefined : `VS Code, or code-server ${version}`, findChromium() ? undefined : 'Chromium']
  const program = fileURLToPath(new URL('stand-in.mjs', import.meta.url))
  return { program, isReal: false, name: `code-server ${version}`, missing: missing.filter((name) => name).join(' and ') }
}

/** As a user does, from the command line. */
function installPackage(userData) {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const file = join(root, 'dist', `${name}-${version}-${process.platform}-${process.arch}.vsix`)
  if (!existsSync(file)) throw new Error(`There is no ${file}: npm run package makes it.`)
  const host = installed(asked.version ?? everyday)
  const [program, ...words] = editor.isReal ? resolveCliArgsFromVSCodeExecutablePath(editor.program) : [host.node, host.entry]
  const places = [`--user-data-dir=${userData}`, `--extensions-dir=${extensions}`]
  execFileSync(program, [...words, '--install-extension', file, ...places], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** One file of CommonJS, which is what an editor loads; the libraries stay where they are. */
async function bundleSuite() {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/host/suite/index.ts'],
    outfile: join(out, 'suite.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    external: ['vscode', 'mocha', 'playwright-core', 'axe-core'],
    logLevel: 'warning',
  })
}

/** In the words of the other runner, so that whoever sums the lines sums this one too. A suite that never came to an end is one failure. */
function closingLine() {
  const seen = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 0, pending: 0, ended: false }
  const { passed, pending } = seen
  const failed = seen.failed + (seen.ended ? 0 : 1)
  const parts = [failed > 0 && `${failed} failed`, `${passed} passed`, pending > 0 && `${pending} skipped`].filter((part) => part)
  const seconds = Math.round((performance.now() - started) / 1000)
  return `      Tests  ${parts.join(' | ')} (${passed + failed + pending}) in ${editor.name}, ${seconds} s`
}
