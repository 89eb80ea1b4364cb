import type { Location } from 'vscode-languageserver'
import { clauseOf } from '../check/clauses.ts'
import { fold } from '../check/names.ts'
import { outputName } from '../check/select.ts'
import type { Position } from '../workspace/documents.ts'
import { rangeOf, type Snapshot, type SpecFile } from '../workspace/snapshot.ts'
import { type Target, targetKey } from '../workspace/target.ts'
import { occurrenceAt } from './at.ts'

/** Where what a name stands for is declared: a declaration, a split, a column's place in a view, else its source; a path's file. */
export function definition(snapshot: Snapshot, at: Position): Location | undefined {
  const found = occurrenceAt(snapshot, at)
  return found && definitionOf(snapshot, found.target)
}

export function definitionOf(snapshot: Snapshot, target: Target): Location | undefined {
  if (target.kind === 'file') {
    const start = { line: 0, character: 0 }
    return /[*?]/.test(target.path) ? undefined : { uri: snapshot.uri(target.path), range: { start, end: start } }
  }
  if (target.kind === 'declaration') return declared(snapshot, target.name, target.path)
  if (target.kind === 'column' || target.kind === 'pseudo') return columnOf(snapshot, target.source, target.name)
  if (target.kind === 'split') return splitOf(snapshot, target.source, target.name)
  const key = targetKey(target)
  const own = snapshot.occurrences.find((one) => one.defines && targetKey(one.target) === key)
  return own && { uri: snapshot.uri(snapshot.path), range: rangeOf(snapshot, own) }
}

function declared(snapshot: Snapshot, name: string, path?: string): Location | undefined {
  const found = declarationNamed(snapshot, name, path)
  return found?.decl.name && { uri: snapshot.uri(found.file.path), range: rangeOf(found.file, found.decl.name) }
}

function declarationNamed(snapshot: Snapshot, name: string, path?: string) {
  const reached = snapshot.checked.reached.get(fold(name))
  const first = path ?? reached?.path
  const files = first === undefined ? [...snapshot.files.values()] : [snapshot.files.get(first)]
  for (const file of files) {
    const decl = file?.ast.declarations.find((one) => one.name && fold(one.name.text) === fold(name))
    if (file && decl) return { file, decl }
  }
  return undefined
}

function columnOf(snapshot: Snapshot, source: string, column: string): Location | undefined {
  const found = declarationNamed(snapshot, source)
  if (found?.decl.kind !== 'source') return declared(snapshot, source)
  const from = clauseOf(found.decl, 'from')?.from
  const item = from?.kind === 'view' ? from.select.items.find((one) => fold(outputName(one)) === fold(column)) : undefined
  const span = item ? (item.alias ?? item) : (found.decl.name ?? found.decl.keyword)
  return { uri: snapshot.uri(found.file.path), range: rangeOf(found.file, span) }
}

function splitOf(snapshot: Snapshot, source: string, split: string): Location | undefined {
  const found = declarationNamed(snapshot, source)
  if (found?.decl.kind !== 'source') return undefined
  const part = clauseOf(found.decl, 'split')?.parts.find((one) => fold(one.name.text) === fold(split))
  return part && { uri: snapshot.uri(found.file.path), range: rangeOf(found.file as SpecFile, part.name) }
}
