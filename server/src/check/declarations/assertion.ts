import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf, clausesOf } from '../clauses.ts'
import type { ExprScope, Models } from '../expression-scope.ts'
import { checkCondition, checkNumber, some, typeOf } from '../expressions.ts'
import { checkGrouped, hasAggregate } from '../grouping.ts'
import { usableColumns } from '../rules/columns.ts'
import { checkShare } from '../rules/quantities.ts'
import { checkUsing } from '../rules/using.ts'
import { findColumn, findRef, report, type Site, type SourceInfo } from '../scope.ts'
import { rowScope } from '../select.ts'
import { checkSetting } from '../settings.ts'
import type { AssertSpec } from '../spec.ts'

export type AssertBody = Omit<AssertSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>

export function checkAssert(decl: ast.AssertDecl, site: Site): AssertBody | undefined {
  const on = findRef(site, decl.on)
  const { models, infos } = checkUsing(decl.using, 'assertion', site)
  const scopeClause = clauseOf(decl, 'each')
  const requires = clausesOf(decl, 'require')
  const severity = clauseOf(decl, 'severity')?.value
  const warn = clauseOf(decl, 'warn')?.above
  const fail = clauseOf(decl, 'fail')?.above
  checkShare(warn, 'The share that warns', site)
  checkShare(fail, 'The share that fails', site)
  if (warn && fail && warn.value > fail.value) report(site, 'warn-above-fail', warn, {})
  const correct = clauseOf(decl, 'correct')
  if (correct) checkSetting(correct.setting, 'correct', site)
  const learns = clausesOf(decl, 'learn')
  for (const learn of learns) checkLearn(learn, on?.source, models, site)
  if (on === undefined) return undefined

  const each = scopeClause?.scope
  const scope = scopeOf(each, on.source, models, site)
  const groups = each?.kind === 'group' ? each.by : undefined
  const what = WHAT[each?.kind ?? 'row']
  for (const require of requires) {
    checkCondition(require.condition, scope, '`require`')
    if (scope.noAggregates === undefined) checkGrouped(require.condition, groups ?? [], scope, what)
    if (!speaksOfData(require.condition, scope)) report(site, 'constant-require', require.condition, {})
  }
  if (severity) {
    checkNumber(severity, scope, 'The severity')
    if (scope.noAggregates === undefined) checkGrouped(severity, groups ?? [], scope, what)
  }
  const assertionOnly = [...requires.map((require) => require.condition), ...(severity ? [severity] : [])]
  return {
    on: { source: on.source.name, split: on.split },
    using: infos.map((model) => model.name),
    each: groups
      ? { kind: 'group', by: groups }
      : each === undefined || each.kind === 'row'
        ? { kind: 'row' }
        : { kind: 'later', word: each.kind },
    require: requires.map((require) => require.condition),
    severity,
    level: clauseOf(decl, 'level')?.level ?? 'error',
    warnAbove: warn?.value,
    failAbove: fail?.value,
    later: laterOf(each, learns.length > 0, correct !== undefined, assertionOnly, site),
  }
}

const WHAT: Readonly<Record<ast.Scope['kind'], string>> = {
  row: 'a row',
  table: 'the table',
  group: 'a group',
  window: 'a window',
  track: 'a track',
}

function scopeOf(each: ast.Scope | undefined, source: SourceInfo, models: Models, site: Site): ExprScope {
  const rows = rowScope(site, source, models, 'an assertion on each row')
  if (each === undefined || each.kind === 'row') return rows
  const orders = each.kind === 'window' || each.kind === 'track' ? each.orderBy : []
  const inside: ExprScope = {
    ...rows,
    noAggregates: undefined,
    assertion: true,
    ordered: source.ordered || source.open || orders.length > 0,
  }
  for (const item of orders) typeOf(item.value, { ...rows, noAggregates: '`order by`' })
  if (each.kind === 'group') {
    for (const by of each.by) {
      const { type } = typeOf(by, { ...rows, noAggregates: '`group by`' })
      if (type === 'image' || type === 'list' || type === 'struct') {
        report(site, 'unusable-column', by, {
          column: 'This',
          type,
          role: 'what rows are grouped by',
          remedy: 'group by numbers, text or times',
        })
      }
    }
  }
  if (each.kind === 'window') {
    const found = each.by.flatMap((at) => {
      const column = findColumn(site, source, at)
      return column ? [{ column, at }] : []
    })
    usableColumns(found, 'slicing', site)
    for (const size of [each.of, each.step]) {
      if (size && size.value <= 0) report(site, 'out-of-range', size, { what: 'The size of a window', wanted: 'above 0' })
    }
  }
  if (each.kind === 'track') checkTrack(each.by, source, site)
  return inside
}

function checkTrack(by: ast.Setting, source: SourceInfo, site: Site): void {
  if (!by.called) {
    findColumn(site, source, by.name)
    return
  }
  if (checkSetting(by, 'track', site) === undefined) return
  for (const { value } of by.args) if (value.kind === 'setting') findColumn(site, source, value.name)
}

function checkLearn(learn: ast.LearnClause, source: SourceInfo | undefined, models: Models, site: Site): void {
  const trusted = findRef(site, learn.on)
  const scope = rowScope(site, trusted?.source ?? source, models, '`learn`')
  if (trusted || source) for (const value of learn.of) typeOf(value, scope)
  if (learn.given && trusted) findColumn(site, trusted.source, learn.given)
}

/** A condition of literals alone holds everywhere or nowhere. */
const speaksOfData = (condition: ast.Expr, scope: ExprScope): boolean =>
  scope.site.entry.broken ||
  some(
    condition,
    (part) => part.kind === 'column' || part.kind === 'call' || part.kind === 'exists' || part.kind === 'in' || hasAggregate(part),
  )

function laterOf(
  each: ast.Scope | undefined,
  learns: boolean,
  corrects: boolean,
  parts: readonly ast.Expr[],
  site: Site,
): string | undefined {
  if (learns) return 'assertions that `learn`'
  if (each && each.kind !== 'row' && each.kind !== 'group') return `assertions on each ${each.kind}`
  if (corrects) return '`correct with`'
  for (const part of parts) {
    let word: string | undefined
    some(part, (node) => {
      const meaning = site.meanings.get(node)
      if (meaning?.kind === 'assertion_aggregate' && meaning.name !== 'agree') word ??= meaning.name
      return false
    })
    if (word) return `\`${word}\``
  }
  return undefined
}
