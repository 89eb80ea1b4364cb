/** Settings, their options, and the small pieces that clauses of several declarations share. */
import type * as ast from './ast.ts'
import { spanOf, type Token } from './lexer.ts'
import { percentOf } from './parser-base.ts'
import { SelectRules } from './select-rules.ts'
import { AtLeast, Comma, LeftBracket, LeftParen, Minus, Name, Percent, RightBracket, RightParen } from './vocabulary.ts'

export abstract class SettingRules extends SelectRules {
  readonly setting = this.RULE('setting', (): ast.Setting => {
    const token = this.CONSUME(Name) as Token
    const args = this.OPTION(() => {
      this.CONSUME(LeftParen)
      const list: ast.ValueArg[] = []
      this.MANY_SEP({ SEP: Comma, DEF: () => void list.push(this.SUBRULE(this.argument)) })
      this.CONSUME(RightParen)
      return list
    })
    if (args !== undefined && this.live) this.namedLast(args)
    const name = this.nameOf(token, args === undefined ? 'name' : 'callee')
    return { kind: 'setting', name, args: args ?? [], called: args !== undefined, start: token.startOffset, end: this.until() }
  })

  readonly options = this.RULE('options', (): ast.Options => {
    const start = this.at()
    this.CONSUME(LeftParen)
    const args = this.list(1, Comma, () => this.SUBRULE(this.argument))
    this.CONSUME(RightParen)
    if (this.live) this.namedLast(args)
    return { args, start, end: this.until() }
  })

  private readonly argument = this.RULE('argument', (): ast.ValueArg => {
    const start = this.at()
    const label = this.OPTION(() => this.labelled())
    const value = this.SUBRULE(this.value)
    return { ...(label && { label }), value, start, end: this.until() }
  })

  private readonly value = this.RULE('value', (): ast.Value => {
    this.deeper()
    const found = this.OR<ast.Value>({
      ERR_MSG: 'a value',
      DEF: [
        { ALT: () => this.SUBRULE(this.literal) },
        { ALT: () => this.SUBRULE(this.setting) },
        { ALT: () => this.SUBRULE(this.valueList) },
      ],
    })
    this.depth--
    return found
  })

  private readonly valueList = this.RULE('valueList', (): ast.ValueList => {
    const start = this.at()
    this.CONSUME(LeftBracket)
    const items = this.list(1, Comma, () => this.SUBRULE(this.argument))
    this.CONSUME(RightBracket)
    return { kind: 'values', items, start, end: this.until() }
  })

  readonly literal = this.RULE(
    'literal',
    (): Literal =>
      this.OR<Literal>({
        ERR_MSG: 'a number, a text, `true`, `false` or `null`',
        DEF: [
          { ALT: () => this.numberOrDuration(1) },
          { ALT: () => percentOf(this.CONSUME1(Percent) as Token) },
          {
            ALT: () => {
              const minus = this.CONSUME1(Minus) as Token
              this.sign(minus)
              const value = this.OR2<ast.NumberLiteral | ast.DurationLiteral | ast.PercentLiteral>([
                { ALT: () => this.numberOrDuration(2) },
                { ALT: () => percentOf(this.CONSUME2(Percent) as Token) },
              ])
              return negative(value, minus)
            },
          },
          { ALT: () => this.text(1) },
          { ALT: () => ({ kind: 'boolean', value: true, ...spanOf(this.keyword(1, 'true')) }) },
          { ALT: () => ({ kind: 'boolean', value: false, ...spanOf(this.keyword(1, 'false')) }) },
          { ALT: () => ({ kind: 'null', ...spanOf(this.keyword(1, 'null')) }) },
        ],
      }),
  )

  readonly names = this.RULE('names', (): ast.Name[] => this.list(1, Comma, () => this.name(1)))

  readonly expressions = this.RULE('expressions', (): ast.Expr[] => this.list(1, Comma, () => this.SUBRULE(this.expression)))

  /** `a, b bins 5, c bins [0, 10, 20]`. */
  readonly binnedColumns = this.RULE('binnedColumns', (): ast.Binned[] => this.list(1, Comma, () => this.SUBRULE(this.binned)))

  private readonly binned = this.RULE('binned', (): ast.Binned => {
    const column = this.name(1)
    const bins = this.OPTION(() => {
      this.keyword(1, 'bins')
      return this.OR<{ bins?: number; edges?: number[] }>({
        ERR_MSG: 'a number of bins, or their edges in `[ ]`',
        DEF: [
          { ALT: () => ({ bins: this.whole(1).value }) },
          {
            ALT: () => {
              this.CONSUME(LeftBracket)
              const edges = this.list(1, Comma, () => this.number(2).value)
              this.CONSUME(RightBracket)
              return { edges }
            },
          },
        ],
      })
    })
    return { column, ...bins, start: column.start, end: this.until() }
  })

  /** `>= 1%`, `>= 100 rows`. */
  readonly atLeastAmount = this.RULE('atLeastAmount', (): ast.Amount => {
    this.CONSUME(AtLeast)
    const start = this.at()
    return this.OR<ast.Amount>({
      ERR_MSG: 'a percentage, or a number of rows',
      DEF: [
        { ALT: () => ({ unit: 'percent', value: this.percent(1).value, start, end: this.until() }) },
        {
          ALT: () => {
            const { value } = this.whole(1)
            this.keyword(1, 'rows')
            return { unit: 'rows', value, start, end: this.until() }
          },
        },
      ],
    })
  })

  /** `5 rows` */
  readonly rows = this.RULE('rows', (): ast.Quantity => {
    const count = this.whole(1)
    this.keyword(1, 'rows')
    return count
  })

  /** `1000 labels` */
  readonly labels = this.RULE('labels', (): ast.Quantity => {
    const count = this.whole(1)
    this.keyword(1, 'labels')
    return count
  })

  /** `top 25 rows of train by influence of relabel(to: 1)` */
  readonly suspects = this.RULE('suspects', (): ast.Suspects => {
    const start = this.at()
    let by: ast.SuspectOrder = 'influence'
    let influenceOf: ast.Setting | undefined
    this.keyword(1, 'top')
    const top = this.SUBRULE(this.rows)
    this.keyword(1, 'of')
    const of = this.name(1)
    this.OPTION1(() => {
      this.keyword(1, 'by')
      by = this.OR<ast.SuspectOrder>([
        {
          ALT: () => {
            this.keyword(1, 'influence')
            influenceOf = this.OPTION2(() => {
              this.keyword(2, 'of')
              return this.SUBRULE(this.setting)
            })
            return 'influence'
          },
        },
        { ALT: () => this.oneOf(2, 'loss', 'confidence', 'self_influence', 'random') },
      ])
    })
    return { top, of, by, ...(influenceOf && { influenceOf }), start, end: this.until() }
  })

  private namedLast(args: readonly ast.ValueArg[]): void {
    const named = args.findIndex((one) => one.label !== undefined)
    const late = named < 0 ? undefined : args.slice(named).find((one) => one.label === undefined)
    if (late !== undefined) this.note('positional-after-named', late, {})
  }
}

type Literal = Exclude<ast.Value, ast.Setting | ast.ValueList>
type Signed = ast.NumberLiteral | ast.DurationLiteral | ast.PercentLiteral

const negative = (literal: Signed, minus: Token): Signed => {
  const { startOffset: start } = minus
  const text = `-${literal.text}`
  if (literal.kind === 'duration') return { ...literal, text, value: -literal.value, amount: -literal.amount, start }
  return { ...literal, text, value: -literal.value, start }
}
