import { existsSync, realpathSync, rmSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { complaintOf, type Environment, findProgram, run } from './command.ts'
import { packageVersion, tensorflowPackage } from './engine-folder.ts'
import { failed } from './sentences.ts'

const nodeGyp = 'node-gyp@11'

/** Fetches the binding's package, without the download of an old TensorFlow that is its install script, into `folder`. */
export async function fetchBinding(folder: string, environment: Environment): Promise<void> {
  await npmInstall(folder, `${tensorflowPackage}@${packageVersion}`, environment)
  // Nearly half of what it brings, and never loaded.
  const files = await readdir(join(folder, 'node_modules'), { recursive: true })
  for (const file of files) if (file.endsWith('.map')) rmSync(join(folder, 'node_modules', file), { force: true })
}

/** The script of node-gyp that npm has with it; fetched into `folder` where npm is packed in another way. */
export async function findNodeGyp(folder: string, environment: Environment): Promise<string> {
  const npm = npmProgram(environment)
  const script = 'node_modules/node-gyp/bin/node-gyp.js'
  const own = join(dirname(dirname(realpathSync(npm))), script)
  if (existsSync(own)) return own
  await npmInstall(folder, nodeGyp, environment)
  return join(folder, script)
}

export function npmProgram({ env }: Environment): string {
  const npm = findProgram(['npm'], env)
  if (npm === undefined) throw failed.noNpm()
  return npm
}

async function npmInstall(folder: string, wanted: string, environment: Environment): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--no-save', '--loglevel=error', wanted]
  const { code, all } = await run(npmProgram(environment), args, environment, { cwd: folder })
  if (code === 0) return
  if (/ENOSPC|no space left/i.test(all)) throw Object.assign(new Error('The disk is full.'), { code: 'ENOSPC' })
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|network/.test(all))
    throw failed.npmUnreachable()
  if (/E404|ETARGET/.test(all)) throw failed.npmHasNone(wanted)
  throw failed.npmFailed(complaintOf(all, [/^npm (error|ERR!) (?!code|A complete log)/]))
}
