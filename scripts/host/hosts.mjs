/**
 * Editors to test in. A real VS Code is best; where none can be had, code-server from npm and a headless Chromium are one, started by the stand-in
 * (`stand-in.mjs`), which takes the arguments of `code`. `install.mjs` makes a host, this file finds it, `run.mjs` runs the suite in it.
 * Hosts lie outside the work tree, in `ASSAY_HOST` or the user's cache: installing one takes minutes, and it serves every checkout.
 */
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** The versions that the suite is tried on: the oldest that `engines.vscode` admits, and a current one. */
export const versions = {
  '4.100.3': { vscode: '1.100.3', nodeMajor: 20, scripts: false, options: [] },
  // Without the driver option this version never runs a suite, and says nothing.
  '4.139.1': { vscode: '1.139.1', nodeMajor: 24, scripts: true, options: ['--vscode-option', 'enable-smoke-test-driver'] },
}
export const everyday = '4.100.3'
export const current = '4.139.1'

/** The exit code of what this machine cannot do: a caller skips, with the sentence that was printed. */
export const cannot = 4

export function folderOf(version) {
  const base = process.env.ASSAY_HOST ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'assay-host')
  return join(base, `code-server-${version}`)
}

/** What `install.mjs` wrote down last: `{ version, node, entry }`, or nothing where the host is not (or no longer) there. */
export function installed(version) {
  try {
    const host = JSON.parse(readFileSync(join(folderOf(version), 'host.json'), 'utf8'))
    return existsSync(host.node) && existsSync(host.entry) ? host : undefined
  } catch {
    return undefined
  }
}

export function findChromium() {
  return process.env.CHROMIUM ?? onPath(['chromium', 'chromium-browser', 'google-chrome'])
}

/** The program of a real VS Code: `ASSAY_VSCODE`, or the one whose `code` is on the path, where there is a screen for it. */
export function findVsCode() {
  if (process.env.ASSAY_VSCODE) return process.env.ASSAY_VSCODE
  const hasScreen = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY
  const command = hasScreen && onPath(['code', 'code.cmd'])
  if (!command) return undefined
  // The command is a script that starts the program and returns; a test needs the program.
  const bin = dirname(realpathSync(command))
  const programs = [join(bin, '../code'), join(bin, '../Code.exe'), join(bin, '../../../MacOS/Electron')]
  return programs.find((program) => existsSync(program))
}

export function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)
}
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
