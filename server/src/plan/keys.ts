import type { SourceSpec } from '../check/spec.ts'
import { KEY, type SqlExpr } from '../sql/tree.ts'

/** A row's key in a query: the declared column itself, a JSON array of several, or the prepared table's hidden key. */
export function keyExpression(source: Pick<SourceSpec, 'key'>, alias: string): SqlExpr {
  const key = source.key ?? []
  if (key.length === 0) return { kind: 'column', table: alias, name: KEY }
  const columns = key.map((name): SqlExpr => ({ kind: 'column', table: alias, name }))
  if (columns.length === 1) return columns[0]!
  return { kind: 'call', name: 'json_array', args: columns }
}
