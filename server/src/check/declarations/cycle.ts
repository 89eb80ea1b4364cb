import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf } from '../clauses.ts'
import { sameName } from '../names.ts'
import { checkCount } from '../rules/quantities.ts'
import { checkStop } from '../rules/stop.ts'
import { find, lookup, type OtherInfo, report, type Site } from '../scope.ts'

export function checkCycle(decl: ast.CycleDecl, site: Site): OtherInfo {
  const model = find(site, decl.model, 'model')
  const discover = clauseOf(decl, 'discover')?.name
  const acquire = clauseOf(decl, 'acquire')?.name
  find(site, discover, 'discover')
  find(site, acquire, 'acquire')
  for (const name of [discover, acquire]) {
    const found = name && lookup(site, name)?.decl
    const other = found?.kind === 'discover' ? found.using : found?.kind === 'acquire' ? found.model : undefined
    if (name && found && other && model && !sameName(other.text, model.name)) {
      report(site, 'other-model', name, { name: name.text, kind: found.kind, model: model.name })
    }
  }
  checkCount(clauseOf(decl, 'rounds')?.rounds, 'The number of rounds', site)
  checkStop(clauseOf(decl, 'stop'), site)
  return { kind: 'cycle', name: site.entry.name }
}
