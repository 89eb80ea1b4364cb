import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf } from '../clauses.ts'
import { fold, repeated } from '../names.ts'
import { checkCost } from '../rules/quantities.ts'
import { findColumn, findRef, type OracleInfo, report, type Site } from '../scope.ts'
import { comparable } from '../types.ts'

/** What an oracle is asked for need not be in the source (a queue's answers are new); a simulation's column must. */
export function checkOracle(decl: ast.OracleDecl, site: Site): OracleInfo {
  const source = findRef(site, decl.on)?.source
  const asked = clauseOf(decl, 'ask')?.columns ?? []
  for (const { again } of repeated(asked, (name) => name.text)) report(site, 'repeated-column', again, { column: again.text })
  const from = clauseOf(decl, 'from')
  const held = from && findColumn(site, source, from.column)
  const [first] = asked
  const known = first && source?.columns.get(fold(first.text))
  if (held && known && !comparable(held, PLAIN, known, PLAIN)) {
    report(site, 'not-comparable', from.column, {
      left: known.type,
      right: held.type,
      remedy: 'answers are of the type of what is asked for',
    })
  }
  const cost = clauseOf(decl, 'cost')?.cost
  checkCost(cost, 'The price of an answer', site)
  return { kind: 'oracle', name: site.entry.name, source, columns: asked.map((name) => name.text), cost: cost?.value }
}

const PLAIN: ast.NullLiteral = { kind: 'null', start: 0, end: 0 }
