import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { nearest } from '../../../grammar/src/nearest.ts'
import type { ReportedProblem } from '../protocol/results.ts'
import { cannotRead, isFolder, missingFile, notText } from './sentences.ts'

/** A file that cannot be used at all: a sentence instead of a stack. */
export class Unreadable extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The text of a spec, `shown` being how the user named it. Throws `Unreadable`. */
export function readSpec(path: string, shown: string): string {
  let bytes: Buffer
  try {
    if (statSync(path).isDirectory()) throw new Unreadable('is-folder', isFolder(shown))
    bytes = readFileSync(path)
  } catch (reason) {
    if (reason instanceof Unreadable) throw reason
    const missing = (reason as NodeJS.ErrnoException).code === 'ENOENT'
    throw missing
      ? new Unreadable('missing-file', missingFile(shown, nearFile(path, shown)))
      : new Unreadable('unreadable-file', cannotRead(shown, reason))
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Unreadable('not-text', notText(shown))
  }
}

function nearFile(path: string, shown: string): string | undefined {
  try {
    const names = readdirSync(dirname(path)).filter((name) => name.endsWith('.assay'))
    const found = nearest(basename(path), names)
    return found === undefined ? undefined : join(dirname(shown), found)
  } catch {
    return undefined
  }
}

/** A problem with a file as a whole stands at its beginning. */
export function wholeFile(file: string, code: string, message: string): ReportedProblem {
  return { code, severity: 'error', message, file, line: 1, column: 1, endLine: 1, endColumn: 1 }
}

/** How paths are shown: the spec as the user named it, others relative to where the command runs if they are below it. */
export function shownPath(cwd: string, named: ReadonlyMap<string, string>): (path: string) => string {
  return (path) => {
    const given = named.get(path)
    if (given !== undefined) return given
    const near = relative(cwd, path)
    return near.startsWith('..') || isAbsolute(near) ? path : near
  }
}

export function absolute(cwd: string, file: string): string {
  return resolve(cwd, file)
}
