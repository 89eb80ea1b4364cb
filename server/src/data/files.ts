import { type Dirent, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, parse } from 'node:path'
import { nearest } from './nearest.ts'
import * as problem from './problems.ts'

export interface FoundFile {
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
}

/**
 * The files that a path or a glob (`*`, `?`, `[a-z]`, `**` for any folders) names, sorted by path so that the order of rows is the same on every
 * machine. A path that exists as it stands is never taken for a glob. Throws where there is none.
 */
export function findFiles(pathOrGlob: string): readonly FoundFile[] {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(pathOrGlob)) throw problem.remoteFile(pathOrGlob)
  const exact = stat(pathOrGlob)
  if (exact) return [exact]
  if (!hasMagic(pathOrGlob)) throw missing(pathOrGlob)
  const found = expand(pathOrGlob)
  if (found.length === 0) throw problem.nothingMatches(pathOrGlob)
  return found
}

/** The path as a database's glob that stands for nothing but itself. */
export function escapeGlob(path: string): string {
  return path.replace(/[*?[]/g, '[$&]')
}

function stat(path: string): FoundFile | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return undefined
  if (stats.isDirectory()) throw problem.isFolder(path)
  return { path, bytes: stats.size, modifiedMs: stats.mtimeMs }
}

function missing(path: string): Error {
  const names = entries(dirname(path)).flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]))
  return problem.missingFile(path, nearest(basename(path), names))
}

function hasMagic(path: string): boolean {
  return /[*?[]/.test(path)
}

function expand(glob: string): readonly FoundFile[] {
  const { root } = parse(glob)
  const parts = glob.slice(root.length).split(/[/\\]/).filter(Boolean)
  const found: FoundFile[] = []
  const visit = (folder: string, index: number): void => {
    const part = parts[index]!
    const last = index === parts.length - 1
    if (part === '**') {
      if (!last) visit(folder, index + 1)
      for (const entry of entries(folder)) {
        if (entry.isDirectory() && !entry.isSymbolicLink()) visit(join(folder, entry.name), index)
        else if (last) add(join(folder, entry.name))
      }
      return
    }
    if (!hasMagic(part)) {
      const path = join(folder, part)
      if (last) add(path)
      else if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) visit(path, index + 1)
      return
    }
    const pattern = toPattern(part)
    for (const entry of entries(folder)) {
      if (!pattern.test(entry.name)) continue
      const path = join(folder, entry.name)
      if (last) add(path)
      else if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) visit(path, index + 1)
    }
  }
  const add = (path: string): void => {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isFile()) found.push({ path, bytes: stats.size, modifiedMs: stats.mtimeMs })
  }
  visit(root || '.', 0)
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

// As a shell does: a leading dot is only matched by a dot.
function toPattern(part: string): RegExp {
  const body = part.replace(
    /\[(!?)([^\]]+)\]|[*?]|[.+^${}()|\\/[\]]/g,
    (token, negated: string | undefined, members: string | undefined) => {
      if (members !== undefined) return `[${negated ? '^' : ''}${members.replace(/[\\\]^]/g, '\\$&')}]`
      if (token === '*') return '.*'
      return token === '?' ? '.' : `\\${token}`
    },
  )
  return new RegExp(`^${/^[*?[]/.test(part) ? '(?!\\.)' : ''}${body}$`, 'su')
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
