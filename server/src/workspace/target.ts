import type * as ast from '../../../grammar/src/ast.ts'
import type { SettingGroup } from '../../../grammar/src/setting-table.ts'
import { fold } from '../check/names.ts'

/** What a name stands for. Two occurrences mean the same where `targetKey` agrees. */
export type Target =
  | { readonly kind: 'declaration'; readonly path: string; readonly name: string; readonly declaration: ast.DeclarationKind }
  | { readonly kind: 'split'; readonly source: string; readonly name: string }
  | { readonly kind: 'column'; readonly source: string; readonly name: string }
  /** A column of a query's result, or a table's other name within one. */
  | { readonly kind: 'output' | 'alias'; readonly owner: string; readonly name: string }
  | { readonly kind: 'pseudo'; readonly source: string; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'setting'; readonly group: SettingGroup; readonly name: string }
  | { readonly kind: 'option'; readonly of: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }

export interface Occurrence extends ast.Span {
  readonly target: Target
  readonly defines: boolean
  /** Within single quotes: a path, or a split's name. */
  readonly literal: boolean
}

export function targetKey(target: Target): string {
  switch (target.kind) {
    case 'declaration':
      return `declaration ${target.path} ${fold(target.name)}`
    case 'split':
    case 'column':
    case 'pseudo':
      return `${target.kind} ${fold(target.source)} ${fold(target.name)}`
    case 'output':
    case 'alias':
      return `${target.kind} ${fold(target.owner)} ${fold(target.name)}`
    case 'setting':
      return `setting ${target.group} ${target.name}`
    case 'option':
      return `option ${target.of} ${target.name}`
    case 'function':
      return `function ${target.name}`
    case 'file':
      return `file ${target.path}`
  }
}
