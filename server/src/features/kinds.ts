import { CompletionItemKind, SymbolKind } from 'vscode-languageserver'
import type { DeclarationKind } from '../../../grammar/src/ast.ts'

/** How each kind of declaration looks in lists: an icon, a noun. */
export const kindIcons: Readonly<Record<DeclarationKind, CompletionItemKind>> = {
  source: CompletionItemKind.Struct,
  oracle: CompletionItemKind.Interface,
  model: CompletionItemKind.Class,
  slice: CompletionItemKind.Constant,
  partition: CompletionItemKind.Enum,
  discover: CompletionItemKind.Event,
  assert: CompletionItemKind.Property,
  review: CompletionItemKind.Event,
  complaint: CompletionItemKind.Event,
  intervene: CompletionItemKind.Method,
  acquire: CompletionItemKind.Method,
  cycle: CompletionItemKind.Method,
  find: CompletionItemKind.Function,
  estimate: CompletionItemKind.Function,
}

export const symbolKinds: Readonly<Record<DeclarationKind, SymbolKind>> = {
  source: SymbolKind.Struct,
  oracle: SymbolKind.Interface,
  model: SymbolKind.Class,
  slice: SymbolKind.Constant,
  partition: SymbolKind.Enum,
  discover: SymbolKind.Event,
  assert: SymbolKind.Boolean,
  review: SymbolKind.Event,
  complaint: SymbolKind.Event,
  intervene: SymbolKind.Method,
  acquire: SymbolKind.Method,
  cycle: SymbolKind.Method,
  find: SymbolKind.Function,
  estimate: SymbolKind.Function,
}

const nouns: Partial<Record<DeclarationKind, string>> = {
  assert: 'assertion',
  discover: 'discovery',
  intervene: 'intervention',
  acquire: 'acquisition',
  find: 'search',
}
export const nounOf = (kind: DeclarationKind): string => nouns[kind] ?? kind
