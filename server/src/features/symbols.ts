import { type DocumentSymbol, SymbolKind, type WorkspaceSymbol } from 'vscode-languageserver'
import type * as ast from '../../../grammar/src/ast.ts'
import { printRef } from '../../../grammar/src/printer.ts'
import { clauseOf } from '../check/clauses.ts'
import { inert } from '../report/inert.ts'
import { rangeOf, type SpecFile } from '../workspace/snapshot.ts'
import { symbolKinds } from './kinds.ts'

/** The outline: one entry a declaration, with its splits below a source. Needs only the tree. */
export function documentSymbols(file: SpecFile): DocumentSymbol[] {
  return file.ast.declarations.flatMap((decl) => {
    if (decl.name === undefined || decl.name.text === '') return []
    return [
      {
        name: inert(decl.name.text),
        detail: detailOf(decl),
        kind: symbolKinds[decl.kind],
        range: rangeOf(file, decl),
        selectionRange: rangeOf(file, decl.name),
        children: decl.kind === 'source' ? splitSymbols(file, decl) : [],
      },
    ]
  })
}

function splitSymbols(file: SpecFile, decl: ast.SourceDecl): DocumentSymbol[] {
  const parts = clauseOf(decl, 'split')?.parts ?? []
  return parts.map((part) => {
    const range = rangeOf(file, part)
    return {
      name: inert(part.name.text),
      detail: part.percent?.text ?? 'split',
      kind: SymbolKind.EnumMember,
      range,
      selectionRange: rangeOf(file, part.name),
    }
  })
}

/** `assert · frames`, `model · stones`. */
function detailOf(decl: ast.Declaration): string {
  const on = 'on' in decl && decl.on ? ('source' in decl.on ? printRef(decl.on) : decl.on.text) : undefined
  const using = 'using' in decl && decl.using ? (Array.isArray(decl.using) ? decl.using : [decl.using as ast.Name]) : []
  const about = on ?? (using as readonly ast.Name[]).map((name) => name.text).join(', ')
  const model = 'model' in decl && decl.model ? decl.model.text : ''
  return [decl.kind, about || model]
    .filter((part) => part)
    .map((part) => inert(part))
    .join(' · ')
}

/** Declarations of all files whose name has the letters of `query` in their order. */
export function workspaceSymbols(files: readonly SpecFile[], query: string, uri: (path: string) => string): WorkspaceSymbol[] {
  const sought = [...query.toLowerCase()]
  return files.flatMap((file) =>
    file.ast.declarations.flatMap((decl) => {
      if (decl.name === undefined || !matches(decl.name.text.toLowerCase(), sought)) return []
      return [
        {
          name: inert(decl.name.text),
          kind: symbolKinds[decl.kind],
          containerName: detailOf(decl),
          location: { uri: uri(file.path), range: rangeOf(file, decl.name) },
        },
      ]
    }),
  )
}

function matches(name: string, letters: readonly string[]): boolean {
  let at = 0
  for (const letter of letters) {
    const found = name.indexOf(letter, at)
    if (found < 0) return false
    at = found + letter.length
  }
  return true
}
