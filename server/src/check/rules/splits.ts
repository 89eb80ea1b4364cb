import type * as ast from '../../../../grammar/src/ast.ts'
import { checkCondition } from '../expressions.ts'
import { repeated } from '../names.ts'
import { findColumn, report, type Site, type SourceInfo } from '../scope.ts'
import { rowScope } from '../select.ts'
import type { SplitSpec } from '../spec.ts'
import { usableColumns } from './columns.ts'

/** Splits are made by conditions, and of what these leave by shares, which make 100 % at most; no two have one name. */
export function checkSplit(clause: ast.SplitClause, source: SourceInfo, site: Site): SplitSpec {
  const scope = rowScope(site, source, { kind: 'refused', where: 'a split' }, 'a split')
  for (const part of clause.parts) checkCondition(part.where, scope, 'The condition of a split')
  for (const { again } of repeated(clause.parts, (part) => part.name.text))
    report(site, 'repeated-split', again.name, { split: again.name.text })
  const byCondition = clause.parts.filter((part) => part.where !== undefined)
  const byShare = clause.parts.filter((part) => part.percent !== undefined)
  const total = byShare.reduce((sum, part) => sum + part.percent!.value, 0)
  // Shares are decimal fractions: 0.7 + 0.2 + 0.1 is above 1 by rounding alone.
  if (total > 1 + 1e-9) report(site, 'split-above-whole', clause.keyword, { percent: Math.round(total * 1e6) / 1e4 })
  for (const part of byShare) if (part.percent!.value === 0) report(site, 'split-empty', part, { split: part.name.text })
  const { hash, seed } = clause
  if (hash && byShare.length === 0 && byCondition.length > 0) report(site, 'hash-without-percent', hash[0] ?? clause.keyword, {})
  if (seed && byShare.length === 0 && byCondition.length > 0) report(site, 'seed-without-percent', seed, {})
  if (seed && (seed.value < 0 || seed.value >= 2 ** 53)) report(site, 'out-of-range', seed, { what: 'The seed', wanted: '0 or more' })
  const hashed = hash?.flatMap((name) => {
    const column = findColumn(site, source, name)
    return column ? [{ column, at: name }] : []
  })
  return {
    parts: clause.parts.map((part) => ({ name: part.name.text, where: part.where, share: part.percent?.value })),
    hash: hashed && usableColumns(hashed, 'hashing', site).map((column) => column.name),
    seed: seed?.value ?? 7,
  }
}
