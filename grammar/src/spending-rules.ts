/** acquire, cycle, find, estimate: declarations that spend money or labels. */
import type * as ast from './ast.ts'
import { ComplaintRules } from './complaint-rules.ts'
import type { Body } from './parser-base.ts'
import { AtLeast, AtMost, Plus, Star } from './vocabulary.ts'

export abstract class SpendingRules extends ComplaintRules {
  readonly acquireSlices = this.RULE('acquireSlices', (): Body<ast.SlicesClause> => ({ names: this.SUBRULE(this.names) }))

  readonly acquireWant = this.RULE('acquireWant', (): Body<ast.WantClause> => {
    const slice = this.name(1)
    return { slice, rows: this.SUBRULE(this.rows) }
  })

  readonly acquireFrom = this.RULE('acquireFrom', (): Body<ast.SupplyClause> => {
    const ref = this.SUBRULE(this.ref)
    this.keyword(1, 'cost')
    const cost = this.quantity(1)
    this.keyword(1, 'per')
    const per = this.oneOf(1, 'row', 'draw')
    const limit = this.OPTION2(() => {
      this.keyword(1, 'limit')
      return this.SUBRULE(this.rows)
    })
    const where = this.OPTION3(() => {
      this.keyword(1, 'where')
      return this.SUBRULE(this.expression)
    })
    return { ref, cost, per, ...(limit && { limit }), ...(where && { where }) }
  })

  readonly acquireCost = this.RULE('acquireCost', (): Body<ast.SliceCostClause> => {
    const slice = this.name(1)
    return { slice, ...this.SUBRULE(this.perRow) }
  })

  readonly acquireBudget = this.RULE('acquireBudget', (): Body<ast.BudgetClause> => ({ budget: this.quantity(1) }))

  readonly acquireMinimize = this.RULE('acquireMinimize', (): Body<ast.MinimizeClause> => {
    this.keyword(1, 'loss')
    const unfairness = this.OPTION2(() => {
      this.CONSUME(Plus)
      const weight = this.quantity(1)
      this.CONSUME(Star)
      this.keyword(1, 'unfairness')
      return weight
    })
    return { ...(unfairness && { unfairness }) }
  })

  /** `stop when EXPR` */
  readonly stop = this.RULE('stop', (): Body<ast.StopClause> => {
    this.keyword(1, 'when')
    return { when: this.SUBRULE(this.expression) }
  })

  readonly nameBody = this.RULE('nameBody', (): { name: ast.Name } => ({ name: this.name(1) }))
  readonly cycleRounds = this.RULE('cycleRounds', (): Body<ast.RoundsClause> => ({ rounds: this.whole(1) }))

  readonly estimateRange = this.RULE('estimateRange', (): Body<ast.RangeClause> => {
    const low = this.quantity(1)
    this.keyword(1, 'to')
    return { low, high: this.quantity(2) }
  })

  /** `>= 90% with confidence 95%` */
  readonly promiseAtLeast = this.RULE('promiseAtLeast', (): Body<ast.PromiseClause> => {
    this.CONSUME(AtLeast)
    const target = this.percent(1).value
    return { target, relative: false, confidence: this.SUBRULE(this.confidence) }
  })

  /** `<= 0.1 with confidence 95%`; a percentage is of the estimate. */
  readonly promiseAtMost = this.RULE('promiseAtMost', (): Body<ast.PromiseClause> => {
    this.CONSUME(AtMost)
    const found = this.OR<{ target: number; relative: boolean }>({
      ERR_MSG: 'a number, or a percentage of the estimate',
      DEF: [
        { ALT: () => ({ target: this.number(1).value, relative: false }) },
        { ALT: () => ({ target: this.percent(1).value, relative: true }) },
      ],
    })
    return { ...found, confidence: this.SUBRULE(this.confidence) }
  })

  private readonly confidence = this.RULE('confidence', (): number => {
    this.keyword(1, 'with')
    this.keyword(1, 'confidence')
    return this.percent(1).value
  })
}
