import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf, clausesOf } from '../clauses.ts'
import { checkBinned } from '../rules/bins.ts'
import { checkExpectation } from '../rules/expectations.ts'
import { checkRelaxable, influences } from '../rules/influenced-query.ts'
import { checkSuspects } from '../rules/suspects.ts'
import { checkUsing } from '../rules/using.ts'
import { type ComplaintInfo, type ModelInfo, report, type Site } from '../scope.ts'
import { type CheckedSelect, checkOutputNames, checkSelect } from '../select.ts'
import { checkSetting } from '../settings.ts'
import type { ComplaintSpec } from '../spec.ts'

export interface CheckedComplaint {
  readonly info: ComplaintInfo
  readonly spec?: Omit<ComplaintSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>
}

export function checkComplaint(decl: ast.ComplaintDecl, site: Site): CheckedComplaint {
  const { models, infos } = checkUsing(decl.using, 'complaint', site)
  const [first] = infos
  const select = clauseOf(decl, 'query')?.select
  const query = select && checkSelect(select, site, models)
  if (select && query) checkQuery(select, query, models.kind === 'given', site)
  const expect = clausesOf(decl, 'expect').map((clause) => clause.expectation)
  for (const expectation of expect) checkExpectation(expectation, query, site)
  if (query && !site.entry.broken) {
    checkRelaxable(query, expect, site)
    if (first && !influences(query.query, site, first.name)) report(site, 'blame-silent', decl.using[0]!, { model: first.name })
  }
  const blameClause = clauseOf(decl, 'blame')
  const blame = blameClause && checkSuspects(blameClause.suspects, first, site)
  const method = checkMethod(clauseOf(decl, 'method'), site)
  const explainClause = clauseOf(decl, 'explain')
  const explain = explainClause && { over: checkBinned(explainClause.over, blamed(first), site) }

  const info: ComplaintInfo = { kind: 'complaint', name: site.entry.name, models: infos }
  if (query === undefined || blame === undefined || method === undefined) return { info }
  return { info, spec: { using: infos.map((model) => model.name), query: query.query, expect, blame, method, explain } }
}

const blamed = (model: ModelInfo | undefined) => model?.source

function checkQuery(select: ast.Select, query: CheckedSelect, modelsKnown: boolean, site: Site): void {
  checkOutputNames(select, query.outputs, site)
  for (const order of select.orderBy.slice(0, 1)) report(site, 'order-in-complaint', order, { word: 'order by' })
  if (select.limit) report(site, 'order-in-complaint', select.limit, { word: 'limit' })
  if (modelsKnown && !site.entry.broken && !influences(select, site)) report(site, 'no-influence', select, {})
}

function checkMethod(clause: ast.MethodClause | undefined, site: Site): ComplaintSpec['method'] | undefined {
  if (clause === undefined) return { kind: 'auto' }
  const setting = checkSetting(clause.setting, 'complaint method', site)
  if (setting === undefined) return undefined
  if (setting.name === 'spectral') return { kind: 'spectral', k: setting.number('k') }
  if (setting.name !== 'cg') return { kind: 'auto' }
  return { kind: 'cg', iterations: setting.number('iterations') ?? 20, damping: setting.number('damping') ?? 0 }
}
