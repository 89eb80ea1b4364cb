import type * as ast from '../../../../grammar/src/ast.ts'
import { findColumn, report, type Site, type SourceInfo } from '../scope.ts'
import type { BinnedSpec } from '../spec.ts'
import { usableColumns } from './columns.ts'

/** Columns to slice by: they exist, numbers alone have bins, at least two of them, and edges rise. */
export function checkBinned(columns: readonly ast.Binned[], source: SourceInfo | undefined, site: Site): BinnedSpec[] {
  const found = columns.flatMap((binned) => {
    const column = findColumn(site, source, binned.column)
    return column ? [{ column, at: binned.column, binned }] : []
  })
  const usable = usableColumns(found, 'slicing', site)
  for (const { column, binned } of found) {
    const isBinned = binned.bins !== undefined || binned.edges !== undefined
    if (isBinned && column.type !== 'number' && column.type !== 'unknown')
      report(site, 'bins-need-number', binned, { column: column.name, type: column.type })
    if (binned.bins !== undefined && (binned.bins < 2 || binned.bins > 1000)) {
      report(site, 'out-of-range', binned, { what: `The number of bins of \`${column.name}\``, wanted: 'between 2 and 1000' })
    }
    const { edges } = binned
    if (edges && (edges.length < 2 || edges.some((edge, i) => i > 0 && edge <= edges[i - 1]!)))
      report(site, 'edges-not-rising', binned, { column: column.name })
  }
  return found
    .filter((one) => usable.includes(one.column))
    .map(({ column, binned }) => ({ column, bins: binned.bins, edges: binned.edges }))
}
