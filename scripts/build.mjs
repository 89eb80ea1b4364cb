/**
 * Bundles what runs: the command line and the engine's worker (sharing chunks; the report's charts load only when asked for), the editor's extension and
 * the page of its panels, and the methods as a library in both module systems, with their types.
 * Does nothing when nothing has changed. `--force` builds all the same.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const stamp = join(dist, '.built.json')
const methods = 'server/src/methods/methods.ts'

const state = fingerprint([
  'grammar/src',
  'server/src',
  'client',
  'package.json',
  'package-lock.json',
  'scripts/build.mjs',
  'tsconfig.base.json',
])
if (process.argv.includes('--force') || !isBuilt(state)) {
  // esbuild has said what is wrong, and where.
  await build().catch((reason) => {
    if (!reason.errors) console.error(reason)
    process.exit(1)
  })
}

async function build() {
  const started = performance.now()
  const { build: bundle } = await import('esbuild')
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    write: false,
    outdir: 'dist',
    logLevel: 'warning',
    legalComments: 'external',
    // Native and wasm packages find their own files; linkedom's canvas is optional and absent.
    external: ['@duckdb/*', '@tensorflow/*', 'onnxruntime-node', 'webgpu', 'canvas'],
  }
  const esm = { ...common, format: 'esm', outExtension: { '.js': '.mjs' } }
  const builds = [
    bundle({
      ...esm,
      entryPoints: { main: 'server/src/main.ts', worker: 'server/src/engine/worker.ts', probe: 'server/src/engine/probe-native.ts' },
      splitting: true,
      chunkNames: 'chunk-[hash]',
      // Bundled CommonJS packages ask for Node's own modules through require.
      banner: { js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);" },
    }),
  ]
  const minify = { minify: true, keepNames: true }
  builds.push(
    bundle({
      ...common,
      ...minify,
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      entryPoints: { client: 'client/src/extension.ts' },
      external: ['vscode'],
    }),
    bundle({
      ...common,
      ...minify,
      platform: 'browser',
      target: 'es2022',
      format: 'iife',
      external: [],
      entryPoints: { panel: 'client/webview/panel.ts', 'panel-style': 'client/webview/panel.css' },
    }),
  )
  if (existsSync(join(root, methods))) {
    builds.push(bundle({ ...esm, entryPoints: { methods } }))
    builds.push(bundle({ ...common, format: 'cjs', outExtension: { '.js': '.cjs' }, entryPoints: { methods } }))
  }
  const files = (await Promise.all(builds)).flatMap((result) => result.outputFiles)
  if (existsSync(join(root, methods))) emitTypes()
  writeAll(files)
  writeFileSync(stamp, JSON.stringify({ state, files: files.map((file) => basename(file.path)) }))
  console.error(`built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

/** Chunks first, entries last, each by renaming, so that a process that starts meanwhile sees a whole program; then what is no longer used goes. */
function writeAll(files) {
  mkdirSync(dist, { recursive: true })
  const isChunk = (file) => basename(file.path).startsWith('chunk-')
  for (const file of [...files.filter(isChunk), ...files.filter((file) => !isChunk(file))]) {
    const temporary = `${file.path}.${process.pid}`
    writeFileSync(temporary, file.contents)
    renameSync(temporary, file.path)
  }
  const kept = new Set(files.map((file) => basename(file.path)))
  for (const name of readdirSync(dist)) if (name.startsWith('chunk-') && !kept.has(name)) rmSync(join(dist, name), { force: true })
}

function emitTypes() {
  const options = [
    '--declaration',
    '--emitDeclarationOnly',
    '--rootDir',
    '.',
    '--outDir',
    'dist/types',
    '--target',
    'es2022',
    '--lib',
    'es2023',
  ]
  const modules = [
    '--module',
    'nodenext',
    '--strict',
    '--allowImportingTsExtensions',
    '--skipLibCheck',
    '--types',
    'node',
    '--ignoreConfig',
  ]
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...modules, methods], {
    cwd: root,
    encoding: 'utf8',
  })
  if (tsc.status === 0) return
  process.stderr.write(tsc.stdout + tsc.stderr)
  process.exit(1)
}

function isBuilt(now) {
  try {
    const before = JSON.parse(readFileSync(stamp, 'utf8'))
    return before.state === now && before.files.every((name) => existsSync(join(dist, name)))
  } catch {
    return false
  }
}

/** Sizes and times of everything that goes into the bundles. */
function fingerprint(inputs) {
  const hash = createHash('sha256').update(process.version)
  const visit = (path) => {
    const stats = statSync(path)
    if (!stats.isDirectory()) return hash.update(`${relative(root, path)} ${stats.size} ${stats.mtimeMs}\n`)
    for (const name of readdirSync(path).sort()) visit(join(path, name))
  }
  for (const input of inputs) if (existsSync(join(root, input))) visit(join(root, input))
  return hash.digest('hex')
}
