import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { madeFolder } from './run-cli.ts'
import { zipOf } from './zip-of.ts'

/**
 * Stand-ins for python, pip, npm, node-gyp, a compiler and the process that tries an engine out: what each does is in an environment variable, so that
 * every way to fail can be had, quickly and without a network.
 */
export interface Fakes {
  readonly npm?: 'offline' | 'full' | 'missing' | 'broken' | 'hangs'
  readonly gyp?: 'error' | 'no-headers' | 'full' | 'nothing' | 'no-python'
  readonly python?: 'no-tensorflow' | 'old-tensorflow' | 'not-python' | 'other-arch' | 'crashes'
  readonly pip?: 'none' | 'offline' | 'nothing-fits' | 'full' | 'broken' | 'only-3.12'
  readonly probe?: 'crash' | 'crash-in-test' | 'fails' | 'does-not-load' | 'gpu' | 'silent'
}

export interface Machine {
  readonly folder: string
  readonly home: string
  readonly bin: string
  readonly python: string
  readonly tensorflow: string
  readonly wheel: string
  readonly probe: URL
  env(fakes?: Fakes): Record<string, string>
  /** Takes a program off the PATH. */
  without(...names: readonly string[]): void
  /** Puts one there. */
  add(name: string, text: string): void
}

const header = '#define C_API\n'
const hereTag = `cp311-cp311-${process.platform === 'darwin' ? 'macosx_12_0' : 'manylinux_2_17'}_${process.arch === 'arm64' ? (process.platform === 'darwin' ? 'arm64' : 'aarch64') : 'x86_64'}`
const machineName = process.arch === 'arm64' ? 'aarch64' : 'x86_64'

export function machine(): Machine {
  const folder = madeFolder()
  const path = (...parts: readonly string[]) => join(folder, ...parts)
  const put = (file: string, text: string) => {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
  }
  const script = (file: string, text: string) => {
    put(file, `#!${process.execPath}\n${text}`)
    chmodSync(file, 0o755)
  }
  const tensorflow = path('python/tensorflow')
  put(join(tensorflow, 'libtensorflow_cc.so.2'), 'library')
  put(join(tensorflow, 'libtensorflow_framework.so.2'), 'library')
  put(join(tensorflow, 'include/tensorflow/c/c_api.h'), header)
  const wheel = path(`tensorflow_cpu-2.18.1-${hereTag}.whl`)
  writeFileSync(wheel, wheelOf({}))
  // What npm has with it lies beside it; the PATH has a link.
  script(path('npm/bin/npm-cli.js'), npm)
  script(path('npm/node_modules/node-gyp/bin/node-gyp.js'), nodeGyp)
  put(path('node-gyp.js'), nodeGyp)
  script(path('bin/python3'), python)
  for (const name of ['g++', 'make']) script(path('bin', name), '')
  symlinkSync(path('npm/bin/npm-cli.js'), path('bin/npm'))
  put(path('probe.mjs'), probe)
  writeFileSync(path('cuda.whl'), zipOf({ 'nvidia/cublas/lib/libcublas.so.12': 'library', 'nvidia/cublas/include/cublas.h': header }))
  put(path('nodedir/include/node/node_api.h'), header)
  mkdirSync(path('tmp'))
  return {
    folder,
    home: path('home of it'),
    bin: path('bin'),
    python: path('bin/python3'),
    tensorflow,
    wheel,
    probe: new URL(`file://${path('probe.mjs')}`),
    env: (fakes = {}) => ({
      PATH: path('bin'),
      ASSAY_HOME: path('home of it'),
      FAKE_TENSORFLOW: tensorflow,
      FAKE_WHEEL: wheel,
      FAKE_CUDA: path('cuda.whl'),
      FAKE_NODE_GYP: path('node-gyp.js'),
      FAKE_MACHINE: machineName,
      npm_config_nodedir: path('nodedir'),
      ...Object.fromEntries(Object.entries(fakes).map(([name, mode]) => [`FAKE_${name.toUpperCase()}`, mode])),
    }),
    add: (name, text) => script(path('bin', name), text),
    without: (...names) => {
      for (const name of names) rmSync(path('bin', name), { force: true })
    },
  }
}

/** A wheel like TensorFlow's, a few bytes long. */
export function wheelOf({
  tag = hereTag,
  libraries = true,
  more = {},
  kind = 'plain',
}: {
  tag?: string
  libraries?: boolean
  more?: Record<string, string>
  kind?: 'plain' | 'zip64'
}): Buffer {
  const files = {
    ...(libraries
      ? { 'tensorflow/libtensorflow_cc.so.2': 'library '.repeat(500), 'tensorflow/libtensorflow_framework.so.2': 'library' }
      : {}),
    'tensorflow/include/tensorflow/c/c_api.h': header,
    'tensorflow/python/not_needed.py': 'pass',
    'tensorflow_cpu-2.18.1.dist-info/WHEEL': `Wheel-Version: 1.0\nTag: ${tag}\n`,
    'tensorflow_cpu-2.18.1.dist-info/METADATA': 'Name: tensorflow_cpu\nVersion: 2.18.1\n',
    ...more,
  }
  return zipOf(files, kind)
}

const prelude = `const fs = require('fs'); const path = require('path'); const env = process.env; const args = process.argv.slice(2)
const fail = (text, code = 1) => { fs.writeSync(2, text + '\\n'); process.exit(code) }
`

const npm = `${prelude}
if (args[0] === 'config') { console.log('undefined'); process.exit(0) }
if (env.FAKE_NPM === 'offline') fail('npm error code ENOTFOUND\\nnpm error network request to https://registry.npmjs.org failed, reason: getaddrinfo ENOTFOUND')
if (env.FAKE_NPM === 'full') fail('npm error code ENOSPC\\nnpm error nospc ENOSPC: no space left on device, write')
if (env.FAKE_NPM === 'missing') fail('npm error code E404\\nnpm error 404 Not Found')
if (env.FAKE_NPM === 'broken') fail('npm error code EINTEGRITY\\nnpm error sha512 is not what it should be')
if (env.FAKE_NPM === 'hangs') { fs.writeFileSync(path.join(env.ASSAY_HOME, 'npm.pid'), String(process.pid)); setInterval(() => {}, 1000) } else {
const wanted = args.at(-1)
if (!args.includes('--ignore-scripts')) fail('it would run scripts')
if (wanted.startsWith('node-gyp@')) {
  fs.mkdirSync('node_modules/node-gyp/bin', { recursive: true })
  fs.writeFileSync('node_modules/node-gyp/bin/node-gyp.js', fs.readFileSync(env.FAKE_NODE_GYP, 'utf8'))
} else {
  const folder = path.join('node_modules', wanted.slice(0, wanted.lastIndexOf('@')))
  fs.mkdirSync(path.join(folder, 'binding'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ version: wanted.slice(wanted.lastIndexOf('@') + 1) }))
  fs.writeFileSync(path.join(folder, 'binding.gyp'), '{}')
  fs.writeFileSync(path.join(folder, 'index.js.map'), 'a map')
}
}
`

const nodeGyp = `${prelude}
const option = (name) => (args.find((each) => each.startsWith('--' + name + '=')) ?? '').split('=').slice(1).join('=')
if (env.FAKE_GYP === 'error') fail('x'.repeat(3000) + '\\n../binding/tfjs_backend.cc:20:10: fatal error: tensorflow/c/c_api.h: No such file or directory\\nmake: *** Error 1')
if (env.FAKE_GYP === 'no-headers') fail('gyp http GET https://nodejs.org/download/release/v20.0.0/node-v20.0.0-headers.tar.gz\\ngyp WARN install got an error')
if (env.FAKE_GYP === 'full') fail('/tmp/a.s: No space left on device')
if (env.FAKE_GYP === 'no-python') fail('gyp ERR! find Python\\ngyp ERR! stack Error: Could not find any Python installation to use')
if (args[0] !== 'rebuild' || !fs.existsSync('deps/include/tensorflow/c/c_api.h') || !fs.existsSync('deps/lib/libtensorflow' + (process.platform === 'darwin' ? '.2.dylib' : '.so')))
  fail('error: wrong call')
if (env.FAKE_GYP !== 'nothing') {
  fs.mkdirSync(option('module_path'), { recursive: true })
  fs.writeFileSync(path.join(option('module_path'), 'tfjs_binding.node'), env.LDFLAGS)
}
`

const python = `${prelude}
const mode = env.FAKE_PYTHON
if (mode === 'not-python') { console.log('hello'); process.exit(0) }
if (mode === 'crashes') fail('ImportError: no module named encodings')
if (args[0] === '-c') {
  if (mode === 'old-tensorflow') fs.rmSync(path.join(env.FAKE_TENSORFLOW, 'libtensorflow_cc.so.2'), { force: true })
  console.log(JSON.stringify({
    executable: process.argv[1], machine: mode === 'other-arch' ? (env.FAKE_MACHINE === 'x86_64' ? 'aarch64' : 'x86_64') : env.FAKE_MACHINE,
    folder: mode === 'no-tensorflow' ? null : env.FAKE_TENSORFLOW, version: mode === 'old-tensorflow' ? '2.9.1' : '2.18.1' }))
} else {
  const pip = env.FAKE_PIP
  if (pip === 'none') fail(process.argv[1] + ': No module named pip')
  if (pip === 'offline') fail("WARNING: Retrying after connection broken by 'NewConnectionError'\\nERROR: No matching distribution found for tensorflow-cpu")
  if (pip === 'nothing-fits') fail('ERROR: Could not find a version that satisfies the requirement\\nERROR: No matching distribution found for tensorflow-cpu')
  if (pip === 'only-3.12' && !args.includes('3.12')) fail('ERROR: No matching distribution found for tensorflow-cpu')
  if (pip === 'full') fail('ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device')
  if (pip === 'broken') fail('ERROR: Hashes are required in --require-hashes mode')
  for (const wanted of args.filter((arg) => arg.startsWith('nvidia-')))
    fs.copyFileSync(env.FAKE_CUDA, path.join(args[args.indexOf('--dest') + 1], wanted.replace('==', '-') + '-py3-none-any.whl'))
  if (!args.some((arg) => arg.startsWith('nvidia-'))) fs.copyFileSync(env.FAKE_WHEEL, path.join(args[args.indexOf('--dest') + 1], path.basename(env.FAKE_WHEEL)))
}
`

const probe = `
import { existsSync } from 'node:fs'
import { join } from 'node:path'
const say = (line) => console.log(JSON.stringify(line))
const mode = process.env.FAKE_PROBE
const die = () => { process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000) }
const binding = join(process.argv[2], 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node')
if (mode === 'crash') die()
else if (mode === 'silent') process.exit(0)
else if (mode === 'does-not-load' || !existsSync(binding)) { say({ kind: 'failed', reason: 'undefined symbol: TF_NewTensor.' }); process.exit(1) }
else {
  say({ kind: 'loaded', tensorflow: '2.18.1', device: mode === 'gpu' ? 'gpu' : 'cpu' })
  if (mode === 'crash-in-test') die()
  else {
    say({ kind: 'self-test', passed: mode !== 'fails', summary: mode === 'fails' ? 'gradient of a network is off by 1.0e+0' : 'passed' })
    say({ kind: 'speed', logisticHvpMs: 71 })
  }
}
`
