/** partition, discover, assert, review: declarations that look for rows and parts of the data. */
import type * as ast from './ast.ts'
import { DataRules } from './data-rules.ts'
import type { Token } from './lexer.ts'
import type { Body } from './parser-base.ts'
import { Comma, LeftParen, RightParen } from './vocabulary.ts'

export abstract class FindingRules extends DataRules {
  readonly partitionBy = this.RULE('partitionBy', (): Body<ast.PartitionByClause> => ({ columns: this.SUBRULE(this.binnedColumns) }))
  readonly partitionTree = this.RULE('partitionTree', (): Body<ast.TreeClause> => ({ options: this.SUBRULE(this.options) }))
  readonly minimum = this.RULE('minimum', (): Body<ast.MinimumClause> => ({ rows: this.SUBRULE(this.rows) }))

  readonly discoverOver = this.RULE('discoverOver', (): Body<ast.OverClause> => ({ columns: this.SUBRULE(this.binnedColumns) }))
  readonly discoverSupport = this.RULE('discoverSupport', (): Body<ast.SupportClause> => ({ amount: this.SUBRULE(this.atLeastAmount) }))
  readonly discoverDepth = this.RULE('discoverDepth', (): Body<ast.DepthClause> => ({ depth: this.whole(1) }))
  readonly discoverTop = this.RULE('discoverTop', (): Body<ast.TopClause> => ({ top: this.whole(1) }))
  readonly discoverAlpha = this.RULE('discoverAlpha', (): Body<ast.AlphaClause> => ({ alpha: this.quantity(1) }))
  readonly discoverControl = this.RULE('discoverControl', (): Body<ast.ControlClause> => {
    this.keyword(1, 'fdr')
    return { fdr: this.percent(1) }
  })

  /** `error EXPR`, `severity EXPR`, `proxy EXPR`, `value EXPR` */
  readonly valueBody = this.RULE('valueBody', (): { value: ast.Expr } => ({ value: this.SUBRULE(this.expression) }))
  /** `require EXPR`, `where EXPR` */
  readonly conditionBody = this.RULE('conditionBody', (): { condition: ast.Expr } => ({ condition: this.SUBRULE(this.expression) }))

  readonly assertEach = this.RULE('assertEach', (): Body<ast.EachClause> => {
    const start = this.at()
    const scope = this.OR<ast.Scope>({
      ERR_MSG: '`row`, `table`, `group by …`, `window of …` or `track by …`',
      DEF: [
        { ALT: () => ({ kind: this.oneOf(2, 'row', 'table'), start, end: this.until() }) },
        {
          ALT: () => {
            this.keyword(1, 'group')
            this.keyword(1, 'by')
            return { kind: 'group', by: this.SUBRULE(this.expressions), start, end: this.until() }
          },
        },
        { ALT: () => this.SUBRULE(this.windowScope) },
        {
          ALT: () => {
            this.keyword(1, 'track')
            this.keyword(2, 'by')
            const by = this.SUBRULE(this.setting)
            const orderBy = this.SUBRULE(this.orderClause)
            return { kind: 'track', by, orderBy, start, end: this.until() }
          },
        },
      ],
    })
    return { scope }
  })

  private readonly windowScope = this.RULE('windowScope', (): ast.Scope => {
    const start = this.at()
    this.keyword(1, 'window')
    this.keyword(1, 'of')
    const of = this.windowSize(
      this.numberOrDuration(1),
      this.OPTION3(() => this.keyword(1, 'rows')),
      'rows needed',
    )
    const step = this.OPTION4(() => {
      this.keyword(1, 'step')
      return this.windowSize(
        this.numberOrDuration(2),
        this.OPTION5(() => this.keyword(2, 'rows')),
        'rows optional',
      )
    })
    const by = this.OPTION6(() => {
      this.keyword(1, 'by')
      return this.SUBRULE(this.names)
    })
    const orderBy = this.SUBRULE(this.orderClause)
    return { kind: 'window', of, ...(step && { step }), by: by ?? [], orderBy, start, end: this.until() }
  })

  private windowSize(
    size: ast.NumberLiteral | ast.DurationLiteral,
    rows: Token | undefined,
    unit: 'rows needed' | 'rows optional',
  ): ast.WindowSize {
    const { start } = size
    if (size.kind === 'duration') return size
    if (rows === undefined && unit === 'rows needed')
      this.note('expected', size, { expected: '`rows` or a unit of time behind the size of the window', found: size.text })
    if (!Number.isSafeInteger(size.value)) this.note('not-whole-number', size, { text: size.text })
    return { unit: 'rows', value: size.value, start, end: this.until() }
  }

  /** `order by …` */
  private readonly orderClause = this.RULE('orderClause', (): ast.OrderItem[] => {
    this.keyword(1, 'order')
    this.keyword(1, 'by')
    return this.SUBRULE(this.orderItems)
  })

  readonly assertLearn = this.RULE('assertLearn', (): Body<ast.LearnClause> => {
    const likely = this.oneOf(1, 'likelihood', 'unlikelihood')
    this.keyword(1, 'of')
    this.CONSUME(LeftParen)
    const of = this.SUBRULE(this.expressions)
    this.CONSUME(RightParen)
    const given = this.OPTION(() => {
      this.keyword(1, 'given')
      return this.name(1)
    })
    this.keyword(1, 'on')
    return { likely, of, ...(given && { given }), on: this.SUBRULE(this.ref) }
  })

  readonly assertLevel = this.RULE('assertLevel', (): Body<ast.LevelClause> => {
    return { level: this.oneOf(1, 'error', 'warning', 'info') }
  })

  /** `above 5%` */
  readonly above = this.RULE('above', (): { above: ast.PercentLiteral } => {
    this.keyword(1, 'above')
    return { above: this.percent(1) }
  })

  readonly assertCorrect = this.RULE('assertCorrect', (): Body<ast.CorrectClause> => {
    this.keyword(1, 'with')
    return { setting: this.SUBRULE(this.setting) }
  })

  readonly reviewFlagged = this.RULE('reviewFlagged', (): Body<ast.FlaggedClause> => {
    this.keyword(1, 'by')
    return { by: this.list(1, Comma, () => this.name(1)) }
  })
  readonly labelBudget = this.RULE('labelBudget', (): Body<ast.LabelBudgetClause> => ({ labels: this.SUBRULE(this.labels) }))
  readonly reviewAsk = this.RULE('reviewAsk', (): Body<ast.ReviewAskClause> => ({ oracle: this.name(1) }))
}
