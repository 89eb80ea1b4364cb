import type { PartitionSpec, SliceSpec, Spec } from '../check/spec.ts'
import type { SqlExpr } from '../sql/tree.ts'

/**
 * Slices and partitions as predicates. A partition's value in a row is the name of the row's slice, as text: the column's value, `null` for
 * NULL, values of several columns joined by `, `, a bin as `[25, 32)`.
 */
export function canonicalSlice(spec: Spec, name: string): SliceSpec {
  const found = spec.declarations.find((d) => d.kind === 'slice' && d.name.toLowerCase() === name.toLowerCase())
  if (found?.kind !== 'slice') throw new Error(`no slice ${name}: check should have refused it`)
  return found
}

export function canonicalPartition(spec: Spec, name: string): PartitionSpec {
  const found = spec.declarations.find((d) => d.kind === 'partition' && d.name.toLowerCase() === name.toLowerCase())
  if (found?.kind !== 'partition') throw new Error(`no partition ${name}: check should have refused it`)
  return found
}

const text = (value: string): SqlExpr => ({ kind: 'literal', value })

export function partitionExpression(spec: Spec, name: string, column: (name: string) => SqlExpr): SqlExpr {
  const partition = canonicalPartition(spec, name)
  const parts = (partition.by ?? []).map(({ column: c, edges }): SqlExpr => {
    const value = column(c.name)
    if (edges) return binText(value, edges)
    return { kind: 'call', name: 'coalesce', args: [{ kind: 'cast', value, type: 'varchar' }, text('null')] }
  })
  return parts.slice(1).reduce(
    (left, right) => ({
      kind: 'binary',
      op: '||',
      left: { kind: 'binary', op: '||', left, right: text(', ') },
      right,
    }),
    parts[0] ?? text(''),
  )
}

/** Half-open bins between edges, the last one closed; values outside the edges belong to open-ended bins. */
function binText(value: SqlExpr, edges: readonly number[]): SqlExpr {
  const below = (edge: number, strict: '<' | '<='): SqlExpr => ({
    kind: 'binary',
    op: strict,
    left: value,
    right: { kind: 'literal', value: edge },
  })
  const first = edges[0]!
  const last = edges[edges.length - 1]!
  const inner = edges.slice(1).map((edge, i) => {
    const closed = i === edges.length - 2
    return { when: below(edge, closed ? '<=' : '<'), then: text(`[${edges[i]}, ${edge}${closed ? ']' : ')'}`) }
  })
  return {
    kind: 'case',
    whens: [
      { when: { kind: 'is_null', negated: false, value }, then: text('null') },
      { when: below(first, '<'), then: text(`below ${first}`) },
      ...inner,
    ],
    otherwise: text(`above ${last}`),
  }
}
