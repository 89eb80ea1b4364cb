import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf } from '../clauses.ts'
import { checkNumber } from '../expressions.ts'
import { reportMissing } from '../model-calls.ts'
import { fold, sameName } from '../names.ts'
import { checkBinned } from '../rules/bins.ts'
import { checkAmount, checkCount } from '../rules/quantities.ts'
import { type DiscoverInfo, find, findRef, report, type Site } from '../scope.ts'
import { rowScope } from '../select.ts'
import type { DiscoverSpec } from '../spec.ts'

export interface CheckedDiscover {
  readonly info: DiscoverInfo
  readonly spec?: Omit<DiscoverSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>
}

export function checkDiscover(decl: ast.DiscoverDecl, site: Site): CheckedDiscover {
  const on = findRef(site, decl.on)
  const model = find(site, decl.using, 'model')
  const against = find(site, decl.against, 'model')
  if (decl.using && on && model) reportMissing(decl.using, model, on.source, { site })
  if (decl.against && on && against) reportMissing(decl.against, against, on.source, { site })
  if (decl.against && model && against && !sameName(model.targetName, against.targetName)) {
    report(site, 'against-needs-target', decl.against, { one: model.name, other: against.name })
  }
  const errorClause = clauseOf(decl, 'error')
  if (model?.target && on && !errorClause && !on.source.open && decl.using && !on.source.columns.has(fold(model.target.name))) {
    report(site, 'measure-column', decl.using, { name: 'loss', column: model.target.name, source: on.source.name })
  }
  const given = [model, against].flatMap((one) => one ?? [])
  const models = decl.using
    ? model
      ? ({ kind: 'given', models: given } as const)
      : ({ kind: 'unknown' } as const)
    : ({ kind: 'none', declaration: 'discover' } as const)
  if (on) checkNumber(errorClause?.value, rowScope(site, on.source, models, '`error`'), 'The error of a row')

  const overClause = clauseOf(decl, 'over')
  const over = overClause && on && checkBinned(overClause.columns, on.source, site)
  for (const binned of overClause?.columns ?? []) {
    if (model && sameName(binned.column.text, model.targetName)) report(site, 'over-target', binned, { column: binned.column.text })
  }
  if (!overClause && !model && !decl.using && !site.entry.hasSyntaxError)
    report(site, 'missing-clause', decl.name ?? decl.keyword, { kind: 'discover', word: 'over' })

  const support = clauseOf(decl, 'support')?.amount
  if (support) checkAmount(support, 'The support', site)
  const depth = clauseOf(decl, 'depth')?.depth
  checkCount(depth, 'The depth', site)
  const top = clauseOf(decl, 'top')?.top
  checkCount(top, 'The number of slices', site)
  const alpha = clauseOf(decl, 'alpha')?.alpha
  if (alpha && !(alpha.value > 0 && alpha.value <= 1))
    report(site, 'out-of-range', alpha, { what: 'Alpha', wanted: 'above 0 and at most 1' })
  const fdr = clauseOf(decl, 'control')?.fdr
  if (fdr?.value === 0) report(site, 'control-empty', fdr, {})
  else if (fdr && fdr.value >= 1) report(site, 'out-of-range', fdr, { what: 'The rate of false discoveries', wanted: 'below 100 %' })

  const info: DiscoverInfo = { kind: 'discover', name: site.entry.name, source: on?.source }
  if (on === undefined) return { info }
  return {
    info,
    spec: {
      on: { source: on.source.name, split: on.split },
      using: model?.name,
      against: against?.name,
      over,
      error: errorClause?.value,
      support: support && { unit: support.unit === 'percent' ? 'share' : 'rows', value: support.value },
      depth: depth?.value ?? 3,
      top: top?.value ?? 10,
      alpha: alpha?.value ?? 0.95,
      fdr: fdr?.value,
    },
  }
}
