import type * as ast from '../../../grammar/src/ast.ts'
import { fold, sameName } from '../check/names.ts'
import type { SourceSpec, Spec } from '../check/spec.ts'
import type { Reading, Schema } from '../sql/tree.ts'

/** Where the rows of a source come from: what is read, and which of its columns the source's key and columns are. Columns go by their names in the reading. */
export interface RowOrigin {
  /** The source that reads; the asked one itself, or one that it is a view over. */
  readonly source: SourceSpec
  readonly reading: Reading
  readonly columns: Schema
  /** None: rows go by a hash of their content. */
  readonly key: readonly string[]
  /** The reading's column that a column of the source shows unchanged. */
  column(name: string): string | undefined
}

/**
 * The file behind a source: itself, or seen through views that take rows from one other source and leave the key's columns as they are. A view without a
 * declared key is seen through where it takes all columns as they are: then its rows say what the file's say. Undefined where rows are computed, joined or grouped.
 */
export function originOf(spec: Spec, name: string): RowOrigin | undefined {
  const source = spec.declarations.find((one) => one.kind === 'source' && sameName(one.name, name))
  if (source?.kind !== 'source') return undefined
  if (source.view) return throughView(spec, source, source.view)
  if (source.reading === undefined) return undefined
  const names = new Map(source.schema.map((one) => [fold(one.name), one.from ?? one.name]))
  return {
    source,
    reading: source.reading,
    columns: source.schema.map(({ from, ...column }) => ({ ...column, name: from ?? column.name })),
    key: (source.key ?? []).map((one) => names.get(fold(one)) ?? one),
    column: (one) => names.get(fold(one)),
  }
}

function throughView(spec: Spec, view: SourceSpec, select: ast.Select): RowOrigin | undefined {
  const { from, joins, groupBy, distinct, having } = select
  if (from === undefined || joins.length > 0 || groupBy.length > 0 || distinct || having) return undefined
  const below = originOf(spec, from.ref.source.text)
  const base = spec.declarations.find((one) => one.kind === 'source' && sameName(one.name, from.ref.source.text))
  if (below === undefined || base?.kind !== 'source') return undefined
  // A view's columns in order are its items' in order, each star standing for all columns of what is below.
  const taken = select.items.flatMap(({ value }): (string | undefined)[] => {
    if (value.kind === 'star') return base.schema.map((one) => below.column(one.name))
    const meaning = spec.meanings.get(value)
    return [meaning?.kind === 'column' ? below.column(meaning.column.name) : undefined]
  })
  if (taken.length !== view.schema.length) return undefined
  const names = new Map(view.schema.map((one, i) => [fold(one.name), taken[i]]))
  const column = (one: string) => names.get(fold(one))
  const key = (view.key ?? []).map(column)
  if (key.includes(undefined)) return undefined
  const whole = taken.length === below.columns.length && below.columns.every((one, i) => one.name === taken[i])
  return key.length === 0 && !whole ? undefined : { ...below, key: key as string[], column }
}
