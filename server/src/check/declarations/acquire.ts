import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf, clausesOf } from '../clauses.ts'
import { checkCondition } from '../expressions.ts'
import { reportMissing } from '../model-calls.ts'
import { fold, repeated, sameName } from '../names.ts'
import { checkCost, checkCount } from '../rules/quantities.ts'
import { checkStop } from '../rules/stop.ts'
import { type AcquireInfo, find, findRef, type ModelInfo, report, type Site } from '../scope.ts'
import { rowScope } from '../select.ts'
import { checkSetting } from '../settings.ts'

export function checkAcquire(decl: ast.AcquireDecl, site: Site): AcquireInfo {
  const model = find(site, decl.model, 'model')
  const slices = clausesOf(decl, 'slices').flatMap((clause) => clause.names)
  const wants = clausesOf(decl, 'want')
  for (const name of slices) checkSliceName(name, site)
  for (const { again } of repeated(slices, (name) => name.text)) report(site, 'repeated-column', again, { column: again.text })
  for (const want of wants) {
    find(site, want.slice, 'slice', 'partition')
    checkCount(want.rows, 'The number of rows that are wanted', site)
  }
  const supplies = clausesOf(decl, 'from')
  for (const supply of supplies) checkSupply(supply, model, site)
  checkCosts(clausesOf(decl, 'cost'), [...slices, ...wants.map((want) => want.slice)], site)
  checkBudget(decl, supplies, site)
  const unfairness = clauseOf(decl, 'minimize')?.unfairness
  checkCost(unfairness, 'The weight of unfairness', site)
  const strategy = clauseOf(decl, 'strategy')
  if (strategy) checkSetting(strategy.setting, 'acquire strategy', site)
  const curve = clauseOf(decl, 'curve')
  if (curve) checkSetting(curve.setting, 'curve', site)
  const sampling = clauseOf(decl, 'sampling')
  if (sampling) checkSetting(sampling.setting, 'sampling', site)
  checkCount(clauseOf(decl, 'minimum')?.rows, 'The smallest size of a slice', site)
  checkStop(clauseOf(decl, 'stop'), site)
  return { kind: 'acquire', name: site.entry.name }
}

function checkSliceName(name: ast.Name, site: Site): void {
  find(site, name, 'slice', 'partition', 'discover')
}

function checkSupply(supply: ast.SupplyClause, model: ModelInfo | undefined, site: Site): void {
  const on = findRef(site, supply.ref)
  checkCost(supply.cost, 'The cost of a row', site)
  checkCount(supply.limit, 'The limit of rows', site)
  if (on === undefined) return
  if (model) reportMissing(supply.ref, model, on.source, { site })
  if (model?.target && !on.source.open && on.source !== model.source && !on.source.columns.has(fold(model.target.name))) {
    report(site, 'missing-input', supply.ref, { model: model.name, input: model.target.name, source: on.source.name })
  }
  checkCondition(supply.where, rowScope(site, on.source, { kind: 'refused', where: 'a supply' }, '`where`'), '`where`')
}

function checkCosts(costs: readonly ast.SliceCostClause[], slices: readonly ast.Name[], site: Site): void {
  for (const { slice, cost } of costs) {
    checkCost(cost, 'The cost of a row', site)
    const found = find(site, slice, 'slice', 'partition')
    if (found && !slices.some((name) => sameName(name.text, slice.text))) report(site, 'slice-not-wanted', slice, { slice: slice.text })
  }
  for (const { again } of repeated(costs, (cost) => cost.slice.text))
    report(site, 'repeated-slice-cost', again, { slice: again.slice.text })
}

function checkBudget(decl: ast.AcquireDecl, supplies: readonly ast.SupplyClause[], site: Site): void {
  const budget = clauseOf(decl, 'budget')?.budget
  if (budget === undefined) return
  if (!(budget.value > 0)) {
    report(site, 'out-of-range', budget, { what: 'The budget', wanted: 'above 0' })
    return
  }
  if (supplies.length === 0 || site.entry.hasSyntaxError) return
  const prices = [...supplies.map((supply) => supply.cost.value), ...clausesOf(decl, 'cost').map((clause) => clause.cost.value)]
  const cheapest = Math.min(...prices)
  if (budget.value < cheapest) report(site, 'budget-below-cheapest', budget, { budget: budget.value, cheapest })
}
