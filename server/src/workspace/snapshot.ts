import { dirname } from 'node:path'
import type * as ast from '../../../grammar/src/ast.ts'
import { type Lexed, lex } from '../../../grammar/src/lexer.ts'
import { parseLexed } from '../../../grammar/src/parser.ts'
import { type LineStarts, lineStarts, placeAt } from '../../../grammar/src/positions.ts'
import { type Checked, check } from '../check/check.ts'
import { allReadings, importPaths } from '../check/readings.ts'
import type { Spec } from '../check/spec.ts'
import type { SourceFacts } from '../protocol/facts.ts'
import type { Result } from '../protocol/results.ts'
import type { Reading, Schema } from '../sql/tree.ts'
import { clampedOffset, type Position, type Range } from './documents.ts'
import { occurrencesIn } from './occurrences.ts'
import type { Described } from './schemas.ts'
import type { Occurrence } from './target.ts'

/** A file as it was read: the first phase, known at once whatever else is missing. */
export interface SpecFile {
  readonly path: string
  readonly text: string
  readonly starts: LineStarts
  readonly lexed: Lexed
  readonly ast: ast.File
  readonly problems: readonly ast.Problem[]
}

/** What a run left behind for a declaration. */
export interface LastResult {
  readonly result: Result
  /** Whether it still speaks of what is written and of the data as they are. */
  readonly state: 'current' | 'spec changed' | 'data changed'
}

/**
 * All that a language feature may ask about a file at one moment. Later phases are worked out when first asked for and kept: a feature that needs
 * only the tree pays for nothing else. Nothing in it waits: a schema that is not known yet leaves its source open to any column.
 */
export interface Snapshot extends SpecFile {
  readonly version: number | undefined
  /** The file itself and what it imports. */
  readonly files: ReadonlyMap<string, SpecFile>
  /** What its sources read; their schemas are wanted. */
  readonly readings: readonly { readonly name: string; readonly reading: Reading }[]
  readonly checked: Checked
  /** Every name that stands for something, in the order of the text. */
  readonly occurrences: readonly Occurrence[]
  /** Folders of the workspace and the like are the surroundings' business; a location needs only this. */
  uri(path: string): string
  last(name: string): LastResult | undefined
  /** Has the rows of a source or slice counted in the background; whether that is under way. */
  counting(name: string): boolean
  /** Facts of a source's columns; what is not known is looked for in the background. */
  facts(source: string): SourceFacts | 'counting' | undefined
}

export interface SnapshotSurroundings {
  /** As opened in the editor, else as it is on disk. */
  file(path: string): SpecFile | undefined
  /** What is known now, without asking anybody. */
  described(reading: Reading): Described | undefined
  uri(path: string): string
  version?(path: string): number | undefined
  last?(spec: Spec, name: string): LastResult | undefined
  count?(spec: Spec, name: string): boolean
  facts?(spec: Spec, source: string): SourceFacts | 'counting' | undefined
}

export function specFile(path: string, text: string): SpecFile {
  const lexed = lex(text)
  const { ast, problems } = parseLexed(text, lexed)
  return { path, text, starts: lineStarts(text), lexed, ast, problems }
}

/** The snapshot of a file; undefined where there is none. O(size of the files) once checked. */
export function takeSnapshot(path: string, around: SnapshotSurroundings): Snapshot | undefined {
  const own = around.file(path)
  if (own === undefined) return undefined
  const files = new Map<string, SpecFile>()
  const open = (file: SpecFile) => {
    files.set(file.path, file)
    for (const imported of importPaths(file.ast, dirname(file.path))) {
      const other = files.has(imported) ? undefined : around.file(imported)
      if (other) open(other)
    }
  }
  open(own)
  const readings = once(() => allReadings(files, path))
  const checked = once(() => {
    const schemas = new Map<string, Schema | Extract<Described, { problem: unknown }>>()
    for (const { name, reading } of readings()) {
      const known = around.described(reading)
      if (known && !schemas.has(name)) schemas.set(name, 'schema' in known ? known.schema : known)
    }
    return check(files, schemas, { path })
  })
  const occurrences = once(() => occurrencesIn(own, checked()))
  const results = new Map<string, LastResult | undefined>()
  return {
    ...own,
    version: around.version?.(path),
    files,
    get readings() {
      return readings()
    },
    get checked() {
      return checked()
    },
    get occurrences() {
      return occurrences()
    },
    uri: around.uri,
    last: (name) => {
      if (!results.has(name)) results.set(name, around.last?.(checked().spec, name))
      return results.get(name)
    },
    counting: (name) => around.count?.(checked().spec, name) ?? false,
    facts: (source) => around.facts?.(checked().spec, source),
  }
}

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** All problems of the file itself, in the order of its text. */
export function problemsOf(snapshot: Snapshot): ast.Problem[] {
  return [...snapshot.problems, ...snapshot.checked.problems].sort((a, b) => a.start - b.start || a.end - b.end)
}

export function positionAt(file: Pick<SpecFile, 'starts'>, offset: number): Position {
  const { line, column } = placeAt(file.starts, offset)
  return { line: line - 1, character: column - 1 }
}
export function rangeOf(file: Pick<SpecFile, 'starts'>, span: ast.Span): Range {
  return { start: positionAt(file, span.start), end: positionAt(file, span.end) }
}
export function offsetOf(file: Pick<SpecFile, 'starts' | 'text'>, position: Position): number {
  return clampedOffset(file.starts, file.text.length, position)
}

/** The declaration that an offset is in; between two of them, none. */
export function declarationAt(file: Pick<SpecFile, 'ast'>, offset: number): ast.Declaration | undefined {
  return file.ast.declarations.find((one) => one.start <= offset && offset <= one.end)
}
