/** source, oracle, model; and the headers of all declarations, which fill `head` as far as they can be read. */
import type * as ast from './ast.ts'
import type { Body } from './parser-base.ts'
import { SettingRules } from './setting-rules.ts'
import { Comma, LeftBrace, LeftParen, RightBrace, RightParen } from './vocabulary.ts'

/** What a header says, before its kind decides what that is called. */
export interface Head {
  name?: ast.Name
  on?: ast.Ref
  using?: ast.Name[]
  against?: ast.Name
  forModel?: ast.Name
  where?: ast.Expr
}

export abstract class DataRules extends SettingRules {
  protected head: Head = {}

  readonly importBody = this.RULE('importBody', (): { names: ast.Name[]; path: ast.StringLiteral } => {
    this.CONSUME(LeftBrace)
    const names = this.SUBRULE(this.names)
    this.CONSUME(RightBrace)
    this.keyword(1, 'from')
    return { names, path: this.text(1) }
  })

  /** `NAME` */
  readonly plainHeader = this.RULE('plainHeader', (): void => {
    this.head.name = this.name(1)
  })

  /** `NAME on SOURCE` */
  readonly sourceHeader = this.RULE('sourceHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'on')
    const source = this.name(2)
    this.head.on = { source, start: source.start, end: source.end }
  })

  /** `NAME on SOURCE where EXPR` */
  readonly sliceHeader = this.RULE('sliceHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'on')
    const source = this.name(2)
    this.head.on = { source, start: source.start, end: source.end }
    this.keyword(1, 'where')
    this.head.where = this.SUBRULE(this.expression)
  })

  /** `NAME on SOURCE[.SPLIT] [using MODEL, …]` */
  readonly refHeader = this.RULE('refHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'on')
    this.head.on = this.SUBRULE(this.ref)
    this.OPTION(() => {
      this.keyword(1, 'using')
      this.head.using = this.SUBRULE(this.names)
    })
  })

  /** `NAME on SOURCE[.SPLIT]` */
  readonly oracleHeader = this.RULE('oracleHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'on')
    this.head.on = this.SUBRULE(this.ref)
  })

  /** `NAME on SOURCE[.SPLIT] using MODEL` */
  readonly reviewHeader = this.RULE('reviewHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'on')
    this.head.on = this.SUBRULE(this.ref)
    this.keyword(1, 'using')
    this.head.using = [this.name(2)]
  })

  /** `NAME on SOURCE[.SPLIT] [using MODEL [against MODEL]]` */
  readonly discoverHeader = this.RULE('discoverHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'on')
    this.head.on = this.SUBRULE(this.ref)
    this.OPTION1(() => {
      this.keyword(1, 'using')
      this.head.using = [this.name(2)]
      this.OPTION2(() => {
        this.keyword(1, 'against')
        this.head.against = this.name(3)
      })
    })
  })

  /** `NAME using MODEL, …` */
  readonly usingHeader = this.RULE('usingHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'using')
    this.head.using = this.SUBRULE(this.names)
  })

  /** `NAME for MODEL` */
  readonly forHeader = this.RULE('forHeader', (): void => {
    this.head.name = this.name(1)
    this.keyword(1, 'for')
    this.head.forModel = this.name(2)
  })

  readonly sourceFrom = this.RULE('sourceFrom', (): Body<ast.FromClause> => {
    const start = this.at()
    const from = this.OR<ast.FromClause['from']>({
      ERR_MSG: "a file such as 'data.csv', a view in `( )`, or a reader such as `idx(…)`",
      DEF: [
        {
          ALT: () => {
            const path = this.text(1)
            const options = this.OPTION(() => {
              this.keyword(1, 'with')
              return this.SUBRULE(this.options)
            })
            return { kind: 'file', path, ...(options && { options }), start, end: this.until() }
          },
        },
        {
          ALT: () => {
            this.CONSUME(LeftParen)
            const select = this.SUBRULE(this.select)
            this.CONSUME(RightParen)
            return { kind: 'view', select, start, end: this.until() }
          },
        },
        {
          ALT: () => {
            const setting = this.SUBRULE(this.setting)
            if (this.live && setting.name.quoted)
              this.note('name-for-string', setting.name, { text: setting.name.text, what: 'a file in single quotes' })
            return { kind: 'reader', setting, start, end: this.until() }
          },
        },
      ],
    })
    return { from }
  })

  readonly columnsBody = this.RULE('columnsBody', (): { columns: ast.Name[] } => ({ columns: this.SUBRULE(this.names) }))
  readonly columnBody = this.RULE('columnBody', (): { column: ast.Name } => ({ column: this.name(1) }))
  readonly settingBody = this.RULE('settingBody', (): { setting: ast.Setting } => ({ setting: this.SUBRULE(this.setting) }))
  readonly pathBody = this.RULE('pathBody', (): { path: ast.StringLiteral } => ({ path: this.text(1) }))

  readonly sourceOrder = this.RULE('sourceOrder', (): Body<ast.SourceOrderClause> => {
    this.keyword(1, 'by')
    return { items: this.SUBRULE(this.orderItems) }
  })

  readonly sourceNames = this.RULE('sourceNames', (): Body<ast.NamesClause> => {
    return { style: this.oneOf(1, 'as_is', 'snake') }
  })

  readonly sourceSecret = this.RULE('sourceSecret', (): Body<ast.SecretClause> => ({ secret: this.text(1) }))

  readonly sourceSplit = this.RULE('sourceSplit', (): Body<ast.SplitClause> => {
    const parts = this.list(1, Comma, () => this.SUBRULE(this.splitPart))
    const hash = this.OPTION1(() => {
      this.keyword(1, 'by')
      this.keyword(1, 'hash')
      this.CONSUME(LeftParen)
      const columns = this.SUBRULE(this.names)
      this.CONSUME(RightParen)
      return columns
    })
    const seed = this.OPTION2(() => {
      this.keyword(1, 'seed')
      return this.whole(1)
    })
    return { parts, ...(hash && { hash }), ...(seed && { seed }) }
  })

  private readonly splitPart = this.RULE('splitPart', (): ast.SplitPart => {
    const name = this.name(1)
    const rule = this.OR<{ where?: ast.Expr; percent?: ast.PercentLiteral }>({
      ERR_MSG: 'a percentage such as `80%`, or `where …`',
      DEF: [
        {
          ALT: () => {
            this.keyword(1, 'where')
            return { where: this.SUBRULE(this.expression) }
          },
        },
        { ALT: () => ({ percent: this.percent(1) }) },
      ],
    })
    return { name, ...rule, start: name.start, end: this.until() }
  })

  readonly oracleFrom = this.RULE('oracleFrom', (): Body<ast.OracleFromClause> => {
    this.keyword(1, 'column')
    return { column: this.name(1) }
  })

  /** `0.05 per row` */
  readonly perRow = this.RULE('perRow', (): { cost: ast.Quantity } => {
    const cost = this.quantity(1)
    this.keyword(1, 'per')
    this.keyword(1, 'row')
    return { cost }
  })

  readonly modelTrain = this.RULE('modelTrain', (): Body<ast.TrainClause> => {
    this.keyword(1, 'on')
    const split = this.name(1)
    const options = this.OPTION(() => {
      this.keyword(1, 'with')
      return this.SUBRULE(this.options)
    })
    return { split, ...(options && { options }) }
  })

  readonly modelValidate = this.RULE('modelValidate', (): Body<ast.ValidateClause> => {
    this.keyword(1, 'on')
    return { split: this.name(1) }
  })
}
