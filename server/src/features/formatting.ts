import type { TextEdit } from 'vscode-languageserver'
import { endOf } from '../../../grammar/src/lexer.ts'
import { format } from '../../../grammar/src/printer.ts'
import { rangeOf, type SpecFile, specFile } from '../workspace/snapshot.ts'

/**
 * The edits that bring a file into canonical form: the gaps between tokens that differ, and nothing else, so that the cursor stays where it is.
 * None where the file does not parse. O(length of the text).
 */
export function formattingEdits(file: SpecFile): TextEdit[] {
  const { text, problems } = format(file.text)
  if (problems.length > 0 || text === file.text) return []
  const before = piecesOf(file)
  const after = piecesOf(specFile(file.path, text))
  if (before.length !== after.length) return [trimmed(file, { start: 0, end: file.text.length, text })]
  const edits: TextEdit[] = []
  let oldEnd = 0
  let newEnd = 0
  const replace = (start: number, end: number, newText: string) => {
    if (file.text.slice(start, end) !== newText) edits.push(trimmed(file, { start, end, text: newText }))
  }
  for (const [i, piece] of before.entries()) {
    const other = after[i]!
    replace(oldEnd, piece.start, text.slice(newEnd, other.start))
    replace(piece.start, piece.end, text.slice(other.start, other.end))
    oldEnd = piece.end
    newEnd = other.end
  }
  replace(oldEnd, file.text.length, text.slice(newEnd))
  return edits
}

/** Tokens and comments in the order of the text. */
function piecesOf({ lexed }: SpecFile): { readonly start: number; readonly end: number }[] {
  const pieces = [...lexed.tokens.map((token) => ({ start: token.startOffset, end: endOf(token) })), ...lexed.comments]
  return pieces.sort((a, b) => a.start - b.start)
}

/** Without what is the same at both ends. */
function trimmed(file: SpecFile, edit: { readonly start: number; readonly end: number; readonly text: string }): TextEdit {
  const old = file.text.slice(edit.start, edit.end)
  let head = 0
  while (head < old.length && head < edit.text.length && old[head] === edit.text[head]) head++
  let tail = 0
  while (tail < old.length - head && tail < edit.text.length - head && old.at(-1 - tail) === edit.text.at(-1 - tail)) tail++
  const range = rangeOf(file, { start: edit.start + head, end: edit.end - tail })
  return { range, newText: edit.text.slice(head, edit.text.length - tail) }
}
