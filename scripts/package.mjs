/**
 * `npm run package`: a `.vsix` for one platform, with everything that runs in it and nothing else. What goes in is copied into a folder of its own, file by
 * file; of the packages that the bundle loads at run time, exactly the files that a bundler would follow, and this platform's libraries.
 *
 *     node scripts/package.mjs [--target linux-x64] [--out FILE]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { makeSample } from './make-sample.mjs'

/** Run from npm's cache: its 275 packages are nobody's dependency. */
const vsce = '@vscode/vsce@3.9.2'
const root = fileURLToPath(new URL('..', import.meta.url))
const { values: asked } = parseArgs({
  options: { target: { type: 'string', default: `${process.platform}-${process.arch}` }, out: { type: 'string' } },
})
const [platform, arch] = asked.target.split('-')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const out = asked.out ?? join(root, 'dist', `${manifest.name}-${manifest.version}-${asked.target}.vsix`)

const stage = mkdtempSync(join(tmpdir(), 'assay-package-'))
try {
  stageProgram()
  await stagePackages()
  makeSample(join(stage, 'sample'))
  // For this checkout, when it runs as an extension itself.
  makeSample(join(root, 'dist/sample'))
  const words = [
    'package',
    '--no-dependencies',
    '--target',
    asked.target,
    '--out',
    out,
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
  ]
  const ended = spawnSync('npm', ['exec', '--yes', '--', vsce, ...words], {
    cwd: stage,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (ended.status !== 0) stop(`${vsce} made no package:\n${ended.stdout}${ended.stderr}`)
  const parts = ['dist', 'dist/node_modules', 'sample'].map((name) => `${name} ${megabytes(sizeOf(join(stage, name)))}`)
  console.log(
    `${relative(process.cwd(), out)}: ${megabytes(statSync(out).size)}; installed ${megabytes(sizeOf(stage))} (${parts.join(', ')}).`,
  )
} finally {
  rmSync(stage, { recursive: true, force: true })
}

/** The bundle, the grammar, the pictures, and a manifest without what only a checkout needs. */
function stageProgram() {
  const built = JSON.parse(readFileSync(join(root, 'dist/.built.json'), 'utf8')).files
  for (const name of built) if (!name.startsWith('methods.')) copy(`dist/${name}`)
  for (const name of ['bin', 'media', 'LICENSE', 'README.md', 'CHANGELOG.md']) copy(name)
  // What the README shows.
  for (const name of readdirSync(join(root, 'docs'))) if (name.endsWith('.png')) copy(`docs/${name}`)
  for (const name of readdirSync(join(root, 'grammar'))) if (name.endsWith('.json') && name !== 'tsconfig.json') copy(`grammar/${name}`)
  const {
    scripts,
    dependencies,
    optionalDependencies,
    peerDependencies,
    peerDependenciesMeta,
    devDependencies,
    allowScripts,
    exports,
    ...kept
  } = manifest
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(kept, undefined, 2)}\n`)
}

/** Into `dist/node_modules`, where the bundle looks first; `vsce` leaves out a `node_modules` at the top. */
async function stagePackages() {
  const loaded = ['@duckdb/node-api', '@duckdb/node-bindings', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', 'onnxruntime-node']
  // Which of these is loaded is decided where it runs.
  const natives = /\.node$|^@duckdb\/node-bindings-/
  const traced = await build({
    absWorkingDir: root,
    stdin: { contents: loaded.map((name) => `require('${name}')`).join('\n'), resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    metafile: true,
    logLevel: 'error',
    // As they are named here, even where `node_modules` is a link to another checkout's.
    preserveSymlinks: true,
    loader: { '.node': 'empty' },
    // TensorFlow.js would fetch models with it; nothing here is fetched.
    external: ['node-fetch'],
    plugins: [{ name: 'natives', setup: ({ onResolve }) => onResolve({ filter: natives }, ({ path }) => ({ path, external: true })) }],
  })
  const files = Object.keys(traced.metafile.inputs).filter((path) => path.startsWith('node_modules/') && !path.endsWith('.node'))
  const untraced = loaded.find((name) => !files.some((file) => file.startsWith(`node_modules/${name}/`)))
  if (untraced) stop(`${untraced} is not installed here: npm ci`)
  for (const file of files) copy(file, `dist/${file}`)
  for (const folder of new Set(files.flatMap(manifestFolders))) copyManifest(folder)

  const bindings = `node_modules/@duckdb/node-bindings-${asked.target}`
  const runtime = `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}`
  if (!existsSync(join(root, bindings))) {
    stop(
      `DuckDB's library for ${asked.target} is not installed: npm install --no-save --force ${bindings.slice('node_modules/'.length)}@${manifest.dependencies['@duckdb/node-bindings']}`,
    )
  }
  copyManifest(bindings)
  for (const name of readdirSync(join(root, bindings)))
    if (/^duckdb\.node$|^(lib)?duckdb\.(so|dylib|dll)/.test(name)) copy(`${bindings}/${name}`, `dist/${bindings}/${name}`)
  // What ONNX Runtime has no binary for runs on WebAssembly.
  if (existsSync(join(root, runtime))) copy(runtime, `dist/${runtime}`)
  const wasm = 'node_modules/@tensorflow/tfjs-backend-wasm/dist'
  for (const name of readdirSync(join(root, wasm))) if (name.endsWith('.wasm')) copy(`${wasm}/${name}`, `dist/${wasm}/${name}`)
}

/** A package's own manifest and licence. */
function copyManifest(folder) {
  const isKept = (name) => /^package\.json$|^licen[cs]e|^notice|^thirdparty/i.test(name)
  for (const name of readdirSync(join(root, folder))) if (isKept(name)) copy(`${folder}/${name}`, `dist/${folder}/${name}`)
}
/** Where manifests are that a file is read by: its package's, and those below it that say which kind of module it is. */
function manifestFolders(file) {
  const folders = []
  for (let folder = dirname(file); !/node_modules(\/@[^/]+)?$/.test(folder); folder = dirname(folder)) {
    if (existsSync(join(root, folder, 'package.json'))) folders.push(folder)
  }
  return folders
}
function copy(from, to = from) {
  mkdirSync(dirname(join(stage, to)), { recursive: true })
  cpSync(join(root, from), join(stage, to), { recursive: true })
}
function sizeOf(path) {
  const stats = statSync(path)
  return stats.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stats.size
}
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
function stop(sentence) {
  rmSync(stage, { recursive: true, force: true })
  console.error(sentence)
  process.exit(1)
}
