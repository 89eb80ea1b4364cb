import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, parse } from 'node:path'

/** Where cache and results of a spec live: `root` is the nearest folder above it that has `.assay`, `.git` or `package.json`. */
export function projectRoot(specPath: string): string {
  const own = dirname(specPath)
  const top = parse(own).root
  for (let folder = own; ; folder = dirname(folder)) {
    if (['.assay', '.git', 'package.json'].some((mark) => existsSync(join(folder, mark)))) return folder
    if (folder === top) return own
  }
}

/** The folder itself, made if need be; under `ASSAY_HOME` where the project's own cannot be written. Undefined where neither can. */
export function cacheFolder(specPath: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const root = projectRoot(specPath)
  const own = join(root, '.assay')
  if (usable(own)) return own
  const digest = createHash('sha256').update(root).digest('hex').slice(0, 12)
  const elsewhere = join(assayHome(env), 'projects', `${basename(root) || 'root'}-${digest}`)
  return usable(elsewhere) ? elsewhere : undefined
}

/** What belongs to the user and to no project: `ASSAY_HOME`, else the platform's folder for data of programs. */
export function assayHome(env: Readonly<Record<string, string | undefined>>): string {
  if (env.ASSAY_HOME) return env.ASSAY_HOME
  if (process.platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'assay')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'assay')
  return join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'assay')
}

function usable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    // Nothing in here belongs under version control.
    if (!existsSync(join(folder, '.gitignore'))) writeFileSync(join(folder, '.gitignore'), '*\n')
    return true
  } catch {
    return false
  }
}
