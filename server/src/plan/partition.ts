import type { BinnedSpec, DeclarationSpec, PartitionSpec, Spec } from '../check/spec.ts'
import { printExpr } from '../sql/print.ts'
import type { Column, SqlExpr } from '../sql/tree.ts'
import { same, sourceNamed } from './expression.ts'
import type { PartitionPlan, PartitionTask } from './plan.ts'
import { dependsOnData, partitionColumns, partitionExpression, partitionMacro, partText } from './predicates.ts'
import { slicedColumn } from './sliced-columns.ts'

/** A partition's own task, and the partitions that others name: which have to be found in the data before any SQL that calls them runs. */
export function partitionTask(spec: Spec, partition: PartitionSpec): PartitionTask {
  const column = (name: string): SqlExpr => ({ kind: 'column', name })
  return {
    kind: 'partition',
    source: sourceNamed(spec, partition.source).name,
    by: dependsOnData(partition)
      ? []
      : (partition.by ?? []).map((b) => ({
          name: b.column.name,
          sql: printExpr(b.edges ? partText(b, column(b.column.name)) : column(b.column.name)),
          binned: b.edges !== undefined,
        })),
    sql: printExpr(partitionExpression(spec, partition.name, column)),
  }
}

/** Partitions that depend on the data among all that these declarations need, in the order of need. */
export function partitionPlans(spec: Spec, names: readonly string[]): PartitionPlan[] {
  const found = new Map<string, PartitionPlan>()
  const seen = new Set<string>()
  const visit = (name: string) => {
    const declaration = declared(spec, name)
    if (declaration === undefined || seen.has(declaration.name)) return
    seen.add(declaration.name)
    for (const need of declaration.needs) visit(need)
    if (declaration.kind === 'partition' && dependsOnData(declaration)) found.set(declaration.name, partitionPlan(spec, declaration))
  }
  for (const name of names) visit(name)
  return [...found.values()]
}

/** Sources, and the partitions that depend on data, behind what a declaration needs: a view may name a slice, and that a partition. */
export function sourcesBehind(spec: Spec, needs: readonly string[]): string[] {
  const sources = needs.flatMap((name): string[] => {
    const declaration = declared(spec, name)
    if (declaration?.kind === 'source') return [declaration.name]
    if (declaration?.kind === 'slice') return sourcesBehind(spec, declaration.needs)
    return declaration?.kind === 'partition' && dependsOnData(declaration) ? [declaration.source] : []
  })
  return [...new Set(sources)]
}

function partitionPlan(spec: Spec, partition: PartitionSpec): PartitionPlan {
  const { by, tree, minimum } = partition
  const binned = new Map((by ?? []).map((b): [string, BinnedSpec] => [b.column.name, b]))
  return {
    name: partition.name,
    source: sourceNamed(spec, partition.source).name,
    macro: partitionMacro(spec, partition),
    columns: partitionColumns(spec, partition).map((column) => partColumn(column, binned.get(column.name))),
    tree,
    minimum,
  }
}

/** A column that a partition names stands for its own values, unless bins are asked for; a tree bins numbers as `discover` does. */
function partColumn(column: Column, binned: BinnedSpec | undefined) {
  const sliced = slicedColumn(binned ?? { column })
  return binned && !binned.bins && !binned.edges ? { ...sliced, by: { kind: 'values' } as const } : sliced
}

function declared(spec: Spec, name: string): DeclarationSpec | undefined {
  return spec.declarations.find((d) => same(d.name, name))
}
