import type * as ast from '../../../../grammar/src/ast.ts'
import type { Column } from '../../sql/tree.ts'
import { report, type Site } from '../scope.ts'
import { isWhole } from '../types.ts'

/** The kind of a model must fit what it predicts: linear predicts numbers, logistic classes. */
export function checkTarget(kind: string, target: Column, at: ast.Span, site: Site): void {
  const { name: column, type, sqlType } = target
  if (type === 'unknown') return
  if (kind === 'linear' && type !== 'number')
    report(site, 'wrong-target', at, { kind, column, type, remedy: 'use `logistic` to predict classes' })
  if (
    (kind === 'logistic' || kind === 'head') &&
    type === 'number' &&
    !isWhole(target) &&
    /DOUBLE|FLOAT|REAL|DECIMAL|NUMERIC/i.test(sqlType)
  ) {
    report(site, 'number-as-classes', at, { column, sqlType })
  }
  if (type === 'date' || type === 'timestamp')
    report(site, 'wrong-target', at, { kind, column, type, remedy: 'compute a number or classes from it in a view' })
}
