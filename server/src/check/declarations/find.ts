import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf } from '../clauses.ts'
import type { ExprScope } from '../expression-scope.ts'
import { checkCondition, some, typeOf } from '../expressions.ts'
import { checkPromises } from '../rules/promises.ts'
import { checkCount } from '../rules/quantities.ts'
import { checkUsing } from '../rules/using.ts'
import { findRef, type OtherInfo, report, type Site } from '../scope.ts'
import { rowScope } from '../select.ts'
import { checkSetting } from '../settings.ts'

/** find and estimate: an expensive predicate that an oracle answers, a cheap proxy, a promise. */
export function checkFind(decl: ast.FindDecl | ast.EstimateDecl, site: Site): OtherInfo {
  const { kind } = decl
  const on = findRef(site, decl.on)
  const { models } = checkUsing(decl.using, kind, site)
  const find: { readonly clauses: readonly (ast.FindClause | ast.EstimateClause)[] } = decl
  const where = clauseOf(find, 'where')?.condition
  const value = clauseOf(find, 'value')?.value
  const proxy = clauseOf(find, 'proxy')?.value
  if (on) {
    const cheap: ExprScope = rowScope(site, on.source, models, 'a search over rows')
    const expensive: ExprScope = { ...cheap, ask: true }
    checkCondition(where, expensive, '`where`')
    if (value) {
      const { type } = typeOf(value, expensive)
      if (type !== 'number' && type !== 'boolean' && type !== 'unknown')
        report(site, 'not-number', value, { what: 'What is estimated', type })
    }
    checkNumberOrBoolean(proxy, cheap, site)
    const asks = [where, value].some(
      (expr) => expr && some(expr, (part) => part.kind === 'call' && part.callee.text.toLowerCase() === 'ask'),
    )
    if (!asks && (where || value) && !site.entry.hasSyntaxError) report(site, 'oracle-needed', where ?? value ?? decl, { kind })
  }
  checkPromises(find.clauses, kind, site)
  const range = clauseOf(find, 'range')
  if (range && range.low.value >= range.high.value) report(site, 'range-order', range, {})
  checkCount(clauseOf(find, 'budget')?.labels, 'The budget of labels', site)
  const method = clauseOf(find, 'method')
  if (method) checkSetting(method.setting, kind === 'find' ? 'find method' : 'estimate method', site)
  return { kind, name: site.entry.name, source: on?.source }
}

function checkNumberOrBoolean(proxy: ast.Expr | undefined, scope: ExprScope, site: Site): void {
  if (proxy === undefined) return
  const { type } = typeOf(proxy, scope)
  if (type !== 'boolean' && type !== 'number' && type !== 'unknown') report(site, 'not-number', proxy, { what: 'A proxy', type })
}
