import { lineStarts, offsetAt } from '../../../grammar/src/positions.ts'

/** Lines and characters count from 0, characters in UTF-16 units: how editors say where something is. */
export interface Position {
  readonly line: number
  readonly character: number
}
export interface Range {
  readonly start: Position
  readonly end: Position
}

export interface Document {
  /** As the editor spells it. */
  readonly uri: string
  readonly path: string
  readonly version: number
  readonly text: string
}

/** What an editor says has changed: a range's new text, or the whole of it. */
export interface Change {
  readonly range?: Range
  readonly text: string
}

/** The document after changes, each applied to what the ones before it left. O(length of the text) a change. */
export function changed(document: Document, changes: readonly Change[], version: number): Document {
  let { text } = document
  for (const change of changes) {
    if (change.range === undefined) {
      text = change.text
      continue
    }
    const starts = lineStarts(text)
    const at = (position: Position) => clampedOffset(starts, text.length, position)
    text = text.slice(0, at(change.range.start)) + change.text + text.slice(at(change.range.end))
  }
  return { ...document, text, version }
}

/** A position beyond its line is its line's end, as the protocol has it. */
export function clampedOffset(starts: readonly number[], length: number, position: Position): number {
  if (position.line >= starts.length) return length
  const next = starts[position.line + 1] ?? length
  return Math.min(offsetAt(starts, { line: position.line + 1, column: position.character + 1 }), next)
}
