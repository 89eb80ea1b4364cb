import type { SemanticTokens, SemanticTokensLegend } from 'vscode-languageserver'
import type { DeclarationKind } from '../../../grammar/src/ast.ts'
import { positionAt, type Snapshot } from '../workspace/snapshot.ts'
import type { Occurrence, Target } from '../workspace/target.ts'

const types = [
  'namespace',
  'class',
  'enum',
  'enumMember',
  'property',
  'variable',
  'function',
  'parameter',
  'macro',
  'event',
  'interface',
] as const
const modifiers = ['declaration', 'defaultLibrary', 'readonly'] as const
type Type = (typeof types)[number]
type Modifier = (typeof modifiers)[number]

export const semanticLegend: SemanticTokensLegend = { tokenTypes: [...types], tokenModifiers: [...modifiers] }

/** What each known name is: columns, slices, models and functions look different; a name that stands for nothing stays plain. O(names). */
export function semanticTokens(snapshot: Snapshot): SemanticTokens {
  const data: number[] = []
  let line = 0
  let character = 0
  let end = 0
  for (const one of snapshot.occurrences) {
    const type = typeOf(one.target)
    // Texts keep the colour of texts; what overlaps is named once.
    if (type === undefined || one.literal || one.start < end) continue
    const at = positionAt(snapshot, one.start)
    const sameLine = at.line === line
    data.push(
      at.line - line,
      sameLine ? at.character - character : at.character,
      one.end - one.start,
      types.indexOf(type),
      modifiersOf(one),
    )
    line = at.line
    character = at.character
    end = one.end
  }
  return { data }
}

function typeOf(target: Target): Type | undefined {
  switch (target.kind) {
    case 'declaration':
      return declarationTypes[target.declaration] ?? 'event'
    case 'split':
      return 'enumMember'
    case 'column':
    case 'pseudo':
      return 'property'
    case 'output':
    case 'alias':
      return 'variable'
    case 'function':
      return 'function'
    case 'setting':
      return 'macro'
    case 'option':
      return 'parameter'
    case 'file':
      return undefined
  }
}
const declarationTypes: Partial<Record<DeclarationKind, Type>> = {
  source: 'namespace',
  model: 'class',
  oracle: 'interface',
  slice: 'enum',
  partition: 'enum',
}

function modifiersOf({ target, defines }: Occurrence): number {
  const set: Modifier[] = []
  if (defines) set.push('declaration')
  if (target.kind === 'function' || target.kind === 'setting') set.push('defaultLibrary')
  if (target.kind === 'pseudo') set.push('readonly')
  return set.reduce((bits, one) => bits | (1 << modifiers.indexOf(one)), 0)
}
