import type * as ast from '../../../../grammar/src/ast.ts'
import type { Column, ColumnType } from '../../sql/tree.ts'
import { report, type Site } from '../scope.ts'

/** What a column is wanted for, and the types that cannot be that. */
const ROLES = {
  label: {
    says: 'a label',
    refused: ['image', 'blob', 'list', 'struct', 'duration'],
    remedy: 'name a column of numbers, text or booleans',
  },
  input: { says: 'an input', refused: ['blob', 'list', 'struct'], remedy: 'compute numbers or text from it in a view' },
  feeding: {
    says: 'an input of a model in ONNX form',
    refused: ['blob', 'struct', 'date', 'timestamp', 'duration'],
    remedy: 'compute numbers or text from it in a view',
  },
  embedding: {
    says: 'an embedding',
    refused: ['number', 'boolean', 'date', 'timestamp', 'duration', 'image', 'blob', 'struct'],
    remedy: 'name a column that holds a list of numbers, `FLOAT[]` or text as `[0.1, 0.2]`',
  },
  slicing: {
    says: 'what slices are made of',
    refused: ['image', 'blob', 'list', 'struct'],
    remedy: 'name a column of numbers, text or times',
  },
  hashing: {
    says: 'what rows are spread by',
    refused: ['image', 'blob', 'list', 'struct'],
    remedy: 'name a column of numbers, text or times',
  },
} as const satisfies Record<string, { says: string; refused: readonly ColumnType[]; remedy: string }>

/** The rule that columns must be of a type that their use can take; reports those that are not, and answers with the others. */
export function usableColumns(
  columns: readonly { readonly column: Column; readonly at: ast.Span }[],
  role: keyof typeof ROLES,
  site: Site,
): Column[] {
  const { says, refused, remedy } = ROLES[role]
  const usable: Column[] = []
  for (const { column, at } of columns) {
    if ((refused as readonly ColumnType[]).includes(column.type)) {
      report(site, 'unusable-column', at, { column: column.name, type: column.type, role: says, remedy })
    } else if (usable.includes(column)) report(site, 'repeated-column', at, { column: column.name })
    else usable.push(column)
  }
  return usable
}
