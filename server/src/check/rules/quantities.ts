import type * as ast from '../../../../grammar/src/ast.ts'
import { report, type Site } from '../scope.ts'

/** A number of rows is whole and at least one; a share lies above 0 % and below 100 %. */
export function checkAmount(amount: ast.Amount, what: string, site: Site): void {
  if (amount.unit === 'rows') {
    if (amount.value < 1 || !Number.isInteger(amount.value)) report(site, 'out-of-range', amount, { what, wanted: '1 row or more' })
  } else if (!(amount.value > 0 && amount.value < 1)) report(site, 'out-of-range', amount, { what, wanted: 'above 0 % and below 100 %' })
}

export function checkCount(quantity: ast.Quantity | undefined, what: string, site: Site): void {
  if (quantity && (quantity.value < 1 || !Number.isInteger(quantity.value))) {
    report(site, 'out-of-range', quantity, { what, wanted: 'a whole number from 1 on' })
  }
}

export function checkCost(quantity: ast.Quantity | undefined, what: string, site: Site): void {
  if (quantity && !(quantity.value >= 0)) report(site, 'out-of-range', quantity, { what, wanted: '0 or more' })
}

/** A share of rows that verdicts are compared with. */
export function checkShare(percent: ast.PercentLiteral | undefined, what: string, site: Site): void {
  if (percent && !(percent.value >= 0 && percent.value <= 1))
    report(site, 'out-of-range', percent, { what, wanted: 'between 0 % and 100 %' })
}
