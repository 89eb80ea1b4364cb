import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf, clausesOf } from '../clauses.ts'
import { reportMissing } from '../model-calls.ts'
import { checkCount } from '../rules/quantities.ts'
import { find, findRef, type OtherInfo, report, type Site } from '../scope.ts'
import { checkSetting } from '../settings.ts'

export function checkReview(decl: ast.ReviewDecl, site: Site): OtherInfo {
  const on = findRef(site, decl.on)
  const model = find(site, decl.using, 'model')
  if (decl.using === undefined && !site.entry.hasSyntaxError) {
    report(site, 'missing-using', decl.name ?? decl.keyword, { kind: 'review', why: 'which says what it is sure of' })
  }
  if (on && model && decl.using) reportMissing(decl.using, model, on.source, { site })
  const flagged = clausesOf(decl, 'flagged').flatMap((clause) => clause.by)
  for (const name of flagged) find(site, name, 'assert')
  const strategy = clauseOf(decl, 'strategy')
  const setting = strategy && checkSetting(strategy.setting, 'review strategy', site)
  if (flagged.length === 0 && !site.entry.hasSyntaxError && (setting?.name === 'bal' || !strategy)) {
    report(site, 'missing-clause', strategy?.setting ?? decl.name ?? decl.keyword, { kind: 'review', word: 'flagged by' })
  }
  checkCount(clauseOf(decl, 'budget')?.labels, 'The budget of labels', site)
  find(site, clauseOf(decl, 'ask')?.oracle, 'oracle')
  return { kind: 'review', name: site.entry.name, source: on?.source }
}
