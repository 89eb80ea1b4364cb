/**
 * Installs what the editor's tests need: Chromium from the distribution and code-server from npm, without any other download.
 *
 *     node scripts/host/install.mjs [4.100.3 | 4.139.1]      the everyday version if none is named
 *
 * Returns at once where it is installed already. Where something is missing that it cannot get (no apt, not root, no network), it says so in one
 * sentence and exits with 4. `ASSAY_HOST` names another folder than the one in the user's cache.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { cannot, everyday, findChromium, folderOf, installed, onPath, versions } from './hosts.mjs'

/** What a caller can mend, or skip. */
class Missing {
  constructor(what) {
    this.what = what
  }
}

const version = process.argv[2] ?? everyday
const wanted = versions[version]
if (!wanted) {
  console.error(`There is no code-server ${version} here: ${Object.keys(versions).join(' or ')}.`)
  process.exit(2)
}
const target = folderOf(version)
const started = performance.now()
try {
  if (installed(version) && findChromium()) {
    console.log(`code-server ${version} is in ${target}.`)
  } else {
    if (process.platform !== 'linux') throw new Missing('Linux: code-server from npm is installed there only')
    setPriority(constants.priority.PRIORITY_LOW)
    installPackages()
    if (!installed(version)) installHost()
    console.log(`Installed code-server ${version} into ${target} in ${Math.round((performance.now() - started) / 1000)} s.`)
  }
} catch (reason) {
  if (!(reason instanceof Missing)) throw reason
  console.error(`code-server ${version} cannot be installed here. Missing: ${reason.what}.`)
  process.exit(cannot)
}

/** What comes from the distribution: told apart by what it puts on the machine, so that other distributions and users without root need nothing of apt. */
function installPackages() {
  const packages = [
    ['chromium', () => findChromium()],
    ['build-essential', () => onPath(['g++']) && onPath(['make'])],
    ['python3', () => onPath(['python3'])],
    ['pkg-config', () => onPath(['pkg-config'])],
    ['libkrb5-dev', () => existsSync('/usr/include/gssapi.h')],
    ['ripgrep', () => onPath(['rg'])],
    ['fonts-dejavu-core', () => existsSync('/usr/share/fonts')],
  ]
  const missing = packages.filter(([, isThere]) => !isThere()).map(([name]) => name)
  if (missing.length === 0) return
  const list = missing.join(', ')
  if (!onPath(['apt-get'])) throw new Missing(`${list}, and apt-get to install it with`)
  if (process.getuid() !== 0) throw new Missing(`${list}; as root: apt-get install --no-install-recommends ${missing.join(' ')}`)
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  step(`apt-get update`, ['apt-get', 'update'], { environment })
  step(`apt-get install ${missing.join(' ')}`, ['apt-get', 'install', '-y', '--no-install-recommends', ...missing], { environment })
}

/** Beside its place, and renamed into it when everything loads: a host that is there is whole. */
function installHost() {
  mkdirSync(dirname(target), { recursive: true })
  const folder = mkdtempSync(`${target}.`)
  try {
    const node = findNode(folder)
    const environment = {
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      // node-gyp would download the headers otherwise.
      npm_config_nodedir: dirname(dirname(realpathSync(node))),
      npm_config_yes: 'true',
      npm_config_build_from_source: 'true',
    }
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    const server = join(folder, 'node_modules/code-server')
    const npm = (words, cwd = folder) => step(`npm ${words.join(' ')}`, ['npm', ...words, '--no-audit', '--no-fund'], { cwd, environment })
    const without = wanted.scripts ? [] : ['--ignore-scripts']
    npm(['install', `code-server@${version}`, ...without])
    if (!wanted.scripts) buildByHand(server, npm)
    // Not every version has every one of them.
    const natives = ['@parcel/watcher', '@vscode/spdlog', 'native-watchdog', 'node-pty']
      .map((name) => join(server, 'lib/vscode/node_modules', name))
      .filter((path) => existsSync(path))
    step('loading what was compiled', [node, '-e', `for (const name of ${JSON.stringify(natives)}) require(name)`])
    rmSync(target, { recursive: true, force: true })
    renameSync(folder, target)
    const moved = (path) => (path.startsWith(folder) ? join(target, path.slice(folder.length)) : path)
    const host = { version, node: moved(node), entry: join(target, 'node_modules/code-server/out/node/entry.js') }
    writeFileSync(join(target, 'host.json'), `${JSON.stringify(host, undefined, 2)}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Its own installation script wants to download: the same steps, compiled here. */
function buildByHand(server, npm) {
  const vscode = join(server, 'lib/vscode')
  npm(['rebuild', 'argon2'])
  npm(['install', '--omit=dev', '--ignore-scripts'], vscode)
  npm(['rebuild', '@parcel/watcher', '@vscode/deviceid', '@vscode/spdlog', 'kerberos', 'native-watchdog', 'node-pty'], vscode)
  npm(['install', '--omit=dev', '--ignore-scripts'], join(vscode, 'extensions'))
  const ripgrep = join(vscode, 'node_modules/@vscode/ripgrep/bin')
  mkdirSync(ripgrep, { recursive: true })
  rmSync(join(ripgrep, 'rg'), { force: true })
  symlinkSync(onPath(['rg']), join(ripgrep, 'rg'))
}

/** The Node that this version is made for: the running one where it is that, with its headers; else npm's. */
function findNode(folder) {
  const major = Number(process.versions.node.split('.')[0])
  const home = dirname(dirname(realpathSync(process.execPath)))
  if (major === wanted.nodeMajor && existsSync(join(home, 'include/node/node.h'))) return process.execPath
  const name = `node-linux-${process.arch}`
  step(`npm install ${name}@${wanted.nodeMajor}`, [
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    '--prefix',
    join(folder, 'node'),
    `${name}@${wanted.nodeMajor}`,
  ])
  return join(folder, 'node/node_modules', name, 'bin/node')
}

function step(what, [program, ...words], { cwd, environment } = {}) {
  const from = performance.now()
  const ended = spawnSync(program, words, { cwd, env: { ...process.env, ...environment }, encoding: 'utf8', maxBuffer: 1 << 28 })
  console.log(`  ${what} (${Math.round((performance.now() - from) / 1000)} s)`)
  if (ended.status === 0) return
  const said = `${ended.stdout ?? ''}\n${ended.stderr ?? ''}`.trim().split('\n')
  console.error(said.slice(-30).join('\n'))
  // The line that says most: npm's word on the network, apt's, or whatever comes last of its kind.
  const reason = /^npm error network|^E: |ENOTFOUND|ECONNREFUSED/
  const error =
    said.find((line) => reason.test(line)) ?? said.findLast((line) => /\berror\b/i.test(line) && !/complete log/.test(line)) ?? said.at(-1)
  throw new Missing(`${what} does not work (${ended.error?.message ?? error})`)
}
