import type { Bytes } from '../data/text-records.ts'
import type { Change } from '../workspace/documents.ts'

/**
 * Files of data that an editor has open, as lines: an edit costs what it changes, however large the file is. Beyond a size the text is not kept; what is marked
 * in such a file then moves with its lines and is not found again until it is saved.
 */
export interface DataFiles {
  open(path: string, uri: string, version: number, text: string): void
  /** What became of lines; undefined where the file is not open. */
  change(path: string, changes: readonly Change[], version: number): readonly LinesChanged[] | undefined
  close(path: string): boolean
  get(path: string): DataFile | undefined
}
export interface DataFile {
  readonly uri: string
  readonly version: number
  /** Each with its own end of line; absent where the file is too large to be kept. */
  readonly lines?: readonly string[]
}
/** Lines from `from` up to, not including, `to` were replaced by `by` lines. */
export interface LinesChanged {
  readonly from: number
  readonly to: number
  readonly by: number
}

/** Editors hand no larger files over; those that do should not have to pay for them twice. */
const mostCharacters = 2 ** 26

export function dataFiles(): DataFiles {
  const files = new Map<string, { uri: string; version: number; lines?: string[] }>()
  return {
    open: (path, uri, version, text) =>
      void files.set(path, { uri, version, lines: text.length <= mostCharacters ? linesOf(text) : undefined }),
    change(path, changes, version) {
      const file = files.get(path)
      if (file === undefined) return undefined
      file.version = version
      return changes.map((change) => {
        if (change.range === undefined) {
          file.lines = change.text.length <= mostCharacters ? linesOf(change.text) : undefined
          return { from: 0, to: Number.POSITIVE_INFINITY, by: 0 }
        }
        const { start, end } = change.range
        const { lines } = file
        if (lines === undefined) {
          const added = linesOf(change.text).length
          return { from: start.line, to: end.line + 1, by: added }
        }
        const first = Math.min(start.line, lines.length - 1)
        const last = Math.min(end.line, lines.length - 1)
        const before = lines[first]!.slice(0, inLine(lines[first]!, start.line > first ? Number.POSITIVE_INFINITY : start.character))
        const behind = lines[last]!.slice(inLine(lines[last]!, end.line > last ? Number.POSITIVE_INFINITY : end.character))
        const made = linesOf(before + change.text + behind)
        // The line's own end, where something still follows, is in `behind`: a last piece without text is the line after it.
        if (made.at(-1) === '' && last + 1 < lines.length) made.pop()
        if (made.length < 10_000) lines.splice(first, last + 1 - first, ...made)
        else file.lines = [...lines.slice(0, first), ...made, ...lines.slice(last + 1)]
        return { from: first, to: last + 1, by: made.length }
      })
    },
    close: (path) => files.delete(path),
    get: (path) => files.get(path),
  }
}

/** A text's lines with their ends; the last has none. O(length). */
export function linesOf(text: string): string[] {
  const lines: string[] = []
  const end = /\r\n|\n|\r/g
  let start = 0
  while (end.exec(text) !== null) {
    lines.push(text.slice(start, end.lastIndex))
    start = end.lastIndex
  }
  lines.push(text.slice(start))
  return lines
}

function inLine(line: string, character: number): number {
  const end = line.endsWith('\r\n') ? line.length - 2 : /[\r\n]$/.test(line) ? line.length - 1 : line.length
  return Math.min(character, end)
}

/** Lines as bytes, some at a time. */
export function bytesOfLines(lines: readonly string[]): Bytes {
  let at = 0
  return async (atLeast) => {
    if (at >= lines.length) return undefined
    const parts: string[] = []
    for (let length = 0; at < lines.length && length < atLeast; at++) {
      parts.push(lines[at]!)
      length += lines[at]!.length
    }
    return Buffer.from(parts.join(''))
  }
}
