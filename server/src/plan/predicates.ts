import { createHash } from 'node:crypto'
import type { BinnedSpec, PartitionSpec, SliceSpec, Spec } from '../check/spec.ts'
import type { Column, SqlExpr } from '../sql/tree.ts'
import { isSliceable } from './sliced-columns.ts'

/**
 * Slices and partitions as predicates. A partition's value in a row is the name of the row's slice, as text: the column's value, `null` for
 * NULL, values of several columns joined by `, `, a bin as `[25, 32)`. Where the data decides the slices (quantile bins, a tree, a smallest
 * size) it is a call of the partition's macro, which the engine defines once it has looked at the data (`PartitionPlan`).
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
  if (dependsOnData(partition)) {
    const args = partitionColumns(spec, partition).map((c) => column(c.name))
    return { kind: 'call', name: partitionMacro(spec, partition), args }
  }
  return joinedText((partition.by ?? []).map((b) => partText(b, column(b.column.name))))
}

/** Texts of several columns with `, ` between them. */
export function joinedText(parts: readonly SqlExpr[]): SqlExpr {
  const glue = (left: SqlExpr, right: SqlExpr): SqlExpr => ({ kind: 'binary', op: '||', left, right })
  return parts.slice(1).reduce((left, right) => glue(glue(left, text(', ')), right), parts[0] ?? text(''))
}

/** What one column says of a row: its value, or the bin between edges that were written down. */
export function partText({ edges }: BinnedSpec, value: SqlExpr): SqlExpr {
  if (edges) return binText(value, edges)
  return { kind: 'call', name: 'coalesce', args: [{ kind: 'cast', value, type: 'varchar' }, text('null')] }
}

export const dependsOnData = ({ by, tree, minimum }: PartitionSpec): boolean =>
  tree !== undefined || minimum !== undefined || (by ?? []).some((b) => b.bins !== undefined)

/** The columns that decide the slice: those named; for a tree all that can be sliced by, without the key and the label. */
export function partitionColumns(spec: Spec, partition: PartitionSpec): readonly Column[] {
  if (!partition.tree) return (partition.by ?? []).map((b) => b.column)
  const source = spec.declarations.find((d) => d.kind === 'source' && d.name.toLowerCase() === partition.source.toLowerCase())
  if (source?.kind !== 'source') throw new Error(`no source ${partition.source}: check should have refused it`)
  const left = new Set([...(source.key ?? []), ...(source.label === undefined ? [] : [source.label])].map((n) => n.toLowerCase()))
  return source.schema.filter((c) => isSliceable(c) && !left.has(c.name.toLowerCase()))
}

/** Names the definition too, so that whatever calls it changes with it. */
export function partitionMacro(spec: Spec, partition: PartitionSpec): string {
  const { name, source, by, tree, minimum } = partition
  const definition = JSON.stringify({ source, by, tree, minimum, columns: partitionColumns(spec, partition) })
  return `assay partition ${name} ${createHash('sha256').update(definition).digest('hex').slice(0, 8)}`
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
      { when: below(first, '<'), then: text(`< ${first}`) },
      ...inner,
    ],
    otherwise: text(`> ${last}`),
  }
}
