import type * as ast from '../../../../grammar/src/ast.ts'
import { repeated } from '../names.ts'
import { report, type Site } from '../scope.ts'

/** Recall and precision are promised of rows, an error of a number; every share and confidence lies strictly between 0 and 100 %. */
export function checkPromises(clauses: readonly (ast.FindClause | ast.EstimateClause)[], kind: 'find' | 'estimate', site: Site): void {
  const promises = clauses.filter(
    (clause): clause is ast.PromiseClause => clause.word === 'recall' || clause.word === 'precision' || clause.word === 'error',
  )
  for (const { again } of repeated(promises, (promise) => promise.word))
    report(site, 'repeated-clause', again.keyword, { kind, word: again.word })
  for (const promise of promises) {
    const { word, target, confidence } = promise
    const wanted = kind === 'find' ? '`recall` or `precision`' : '`error`'
    if ((word === 'error') !== (kind === 'estimate')) report(site, 'promise-kind', promise, { kind, word, wanted })
    else if (word === 'error' ? !(target > 0) || (promise.relative && target >= 1) : !(target > 0 && target < 1)) {
      if (word === 'error' && !promise.relative) report(site, 'out-of-range', promise, { what: 'An error', wanted: 'above 0' })
      else report(site, 'promise-range', promise, { what: `The ${word} of a promise` })
    }
    if (!(confidence > 0 && confidence < 1)) report(site, 'promise-range', promise, { what: 'The confidence of a promise' })
  }
}
