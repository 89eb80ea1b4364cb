import type * as ast from '../../../../grammar/src/ast.ts'
import type { Column } from '../../sql/tree.ts'
import { fold, sameName } from '../names.ts'
import { report, type Site, type SourceInfo } from '../scope.ts'

/**
 * An input must not give the target away: it is not the target, nor a column of a view that is computed from it. The target counts as what it
 * is copied from: `case when index % 10 < 3 then 7 else label end` is `label`, and `index` beside it gives nothing away.
 */
export function checkLeaks(
  inputs: readonly { readonly column: Column; readonly at: ast.Name }[],
  target: Column,
  source: SourceInfo,
  site: Site,
): void {
  const ofTarget = source.lineage(fold(target.name))
  for (const { column, at } of inputs) {
    if (sameName(column.name, target.name)) {
      report(site, 'leaking-target', at, { column: column.name })
      continue
    }
    const ofInput = source.lineage(fold(column.name))
    if (ofTarget === undefined || ofInput === undefined) continue
    if (meet(ofTarget.copied, ofInput.from)) {
      report(site, 'leaking-column', at, { column: column.name, target: target.name, source: source.name })
    } else if (ofTarget.copied.size === 1 && meet(ofTarget.from, ofInput.copied)) {
      report(site, 'target-from-input', at, { column: column.name, target: target.name })
    }
  }
}

function meet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const one of a) if (b.has(one)) return true
  return false
}
