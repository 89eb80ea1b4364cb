import type { PrepareRenameResult, TextEdit, WorkspaceEdit } from 'vscode-languageserver'
import { printName, printText } from '../../../grammar/src/printer.ts'
import { fold } from '../check/names.ts'
import type { Position } from '../workspace/documents.ts'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import type { Occurrence, Target } from '../workspace/target.ts'
import { occurrenceAt } from './at.ts'
import { occurrencesOf } from './references.ts'

export interface Refused {
  readonly refused: string
}

/** What would be renamed; or why it cannot be, in a sentence. */
export function prepareRename(snapshot: Snapshot, at: Position): PrepareRenameResult | Refused {
  const found = occurrenceAt(snapshot, at)
  if (found === undefined) return { refused: 'There is no name here that could be renamed.' }
  const why = refusal(snapshot, found.target)
  if (why !== undefined) return { refused: why }
  return { range: rangeOf(snapshot, inner(found)), placeholder: nameOf(found.target) }
}

/** The edits in this file and in the others that reach it. */
export function rename(snapshot: Snapshot, at: Position, newName: string, others: readonly Snapshot[]): WorkspaceEdit | Refused {
  const found = occurrenceAt(snapshot, at)
  if (found === undefined) return { refused: 'There is no name here that could be renamed.' }
  const name = newName.trim().replace(/^"((?:[^"]|"")+)"$/, (_, inside: string) => inside.replaceAll('""', '"'))
  const why = refusal(snapshot, found.target) ?? wrongName(snapshot, found.target, name, others)
  if (why !== undefined) return { refused: why }
  const changes: Record<string, TextEdit[]> = {}
  for (const one of occurrencesOf(found.target, [snapshot, ...others])) {
    const edits = (changes[one.snapshot.uri(one.snapshot.path)] ??= [])
    edits.push({ range: rangeOf(one.snapshot, one), newText: one.literal ? printText(name) : printName({ text: name }) })
  }
  return { changes }
}

/** Of a text in quotes, what is between them. */
const inner = (one: Occurrence) => (one.literal ? { start: one.start + 1, end: one.end - 1 } : one)

function nameOf(target: Target): string {
  return target.kind === 'file' ? target.path : target.name
}

function refusal(snapshot: Snapshot, target: Target): string | undefined {
  switch (target.kind) {
    case 'declaration':
    case 'split':
    case 'output':
    case 'alias':
      return undefined
    case 'column': {
      const named = snapshot.occurrences.some(
        (one) =>
          one.defines &&
          one.target.kind === 'column' &&
          fold(one.target.name) === fold(target.name) &&
          fold(one.target.source) === fold(target.source),
      )
      return named
        ? undefined
        : `\`${target.name}\` is a column of the data: give it another name in a view, as \`select ${target.name} as …\`.`
    }
    case 'file':
      return 'A path is not renamed here: rename the file, then write its new path.'
    default:
      return `\`${target.name}\` is a word of the language and cannot be renamed.`
  }
}

function wrongName(snapshot: Snapshot, target: Target, name: string, others: readonly Snapshot[]): string | undefined {
  if (name === '' || /[\r\n]/.test(name)) return 'A name needs at least one character and stands on one line.'
  if (target.kind !== 'declaration') return undefined
  for (const one of [snapshot, ...others]) {
    const taken = one.checked.reached.get(fold(name))
    const isItself = taken && taken.path === target.path && fold(taken.name) === fold(target.name)
    if (taken && !isItself) return `\`${name}\` is taken: \`${one.path}\` has a ${taken.decl.kind} of that name.`
  }
  return undefined
}
