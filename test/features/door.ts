import { expect } from 'vitest'
import type { CompletionItem, TextEdit } from 'vscode-languageserver'
import { lineStarts, offsetAt } from '../../grammar/src/positions.ts'
import { complete } from '../../server/src/features/completion.ts'
import type { SourceFacts } from '../../server/src/protocol/facts.ts'
import { type LastResult, positionAt, type Snapshot, specFile, takeSnapshot } from '../../server/src/workspace/snapshot.ts'
import { TABLES } from '../support/check-file.ts'

/**
 * The one door to the language features: a fixture holds `|` where the cursor stands. Sources read the made-up files of `check-file.ts`; other specs
 * and last results are handed in by name.
 */
export interface World {
  readonly others?: Readonly<Record<string, string>>
  readonly results?: Readonly<Record<string, LastResult>>
  /** What is known of a source's columns. */
  readonly facts?: Readonly<Record<string, SourceFacts | 'counting'>>
  /** Schemas are not known yet. */
  readonly blind?: true
}

const folder = '/spec'

export function at(fixture: string, world: World = {}) {
  const cursor = fixture.indexOf('|')
  const text = cursor < 0 ? fixture : fixture.slice(0, cursor) + fixture.slice(cursor + 1)
  const snapshot = snapshotOf(text, world)
  return { text, snapshot, position: positionAt(snapshot, Math.max(cursor, 0)) }
}

export function snapshotOf(text: string, world: World = {}, name = 'test.assay'): Snapshot {
  const texts = new Map(Object.entries({ ...world.others, [name]: text }).map(([file, content]) => [`${folder}/${file}`, content]))
  return takeSnapshot(`${folder}/${name}`, {
    file: (path) => (texts.has(path) ? specFile(path, texts.get(path)!) : undefined),
    described: (reading) => {
      if (world.blind || reading.kind !== 'file') return undefined
      const known = TABLES[reading.path.slice(reading.path.lastIndexOf('/') + 1)]
      return known && ('problem' in known ? known : { schema: known })
    },
    uri: (path) => `file://${path}`,
    version: () => 1,
    last: (_, declaration) => world.results?.[declaration],
    facts: (_, source) => world.facts?.[source],
  })!
}

/** Labels offered at the cursor, best first, without the functions of the database. */
export function offered(fixture: string, world: World = {}): string[] {
  return items(fixture, world)
    .filter((item) => !/^[yz]/.test(item.sortText ?? ''))
    .map((item) => item.label)
}
export function items(fixture: string, world: World = {}): CompletionItem[] {
  const { snapshot, position } = at(fixture, world)
  const order = (item: CompletionItem) => item.sortText ?? item.label
  return complete(snapshot, position, { snippets: false }).sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0))
}

/** The text after edits, which must not overlap. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const starts = lineStarts(text)
  const offset = (p: { line: number; character: number }) => offsetAt(starts, { line: p.line + 1, column: p.character + 1 })
  const sorted = edits
    .map((edit) => ({ start: offset(edit.range.start), end: offset(edit.range.end), newText: edit.newText }))
    .sort((a, b) => b.start - a.start)
  for (const [i, edit] of sorted.entries()) if (i > 0) expect(edit.end).toBeLessThanOrEqual(sorted[i - 1]!.start)
  return sorted.reduce((all, edit) => all.slice(0, edit.start) + edit.newText + all.slice(edit.end), text)
}
