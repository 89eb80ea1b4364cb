import type * as ast from '../../../../grammar/src/ast.ts'
import type { ExprScope } from '../expression-scope.ts'
import { checkCondition } from '../expressions.ts'
import { report, type Site } from '../scope.ts'
import { DOUBLE, INTEGER, type Typed } from '../types.ts'

const WORDS: ReadonlyMap<string, Typed> = new Map([
  ['rounds', INTEGER],
  ['spent', DOUBLE],
  ['loss', DOUBLE],
  ['unfairness', DOUBLE],
  ['imbalance', DOUBLE],
])

/** `stop when` speaks of the course of things, not of rows: rounds, spent, loss, unfairness, imbalance. */
export function checkStop(clause: ast.StopClause | undefined, site: Site): void {
  if (clause === undefined) return
  const scope: ExprScope = {
    site,
    tables: [],
    models: { kind: 'refused', where: '`stop when`' },
    noAggregates: '`stop when`',
    words: WORDS,
    query: (select) => {
      report(site, 'not-boolean', select, { what: '`stop when`', type: 'list' })
      return []
    },
  }
  checkCondition(clause.when, scope, '`stop when`')
}
