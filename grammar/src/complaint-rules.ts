/** complaint and intervene. */
import type { TokenType } from 'chevrotain'
import type * as ast from './ast.ts'
import { FindingRules } from './finding-rules.ts'
import type { Body } from './parser-base.ts'
import { Comma, Equal, Name, word } from './vocabulary.ts'

/** A fix without its word. */
type Fix = { target: ast.FixTarget; to?: ast.Value; filter?: ast.Setting; source?: ast.Name; column?: ast.Name; value?: ast.Expr }

export abstract class ComplaintRules extends FindingRules {
  readonly complaintQuery = this.RULE('complaintQuery', (): Body<ast.QueryClause> => ({ select: this.SUBRULE(this.select) }))

  private readonly row = word('row')
  private readonly whereWord = word('where')

  /** The first form that fits: `no row where`, `row where`, `lower c`, a condition. Words that open a form stay names elsewhere. */
  readonly complaintExpect = this.RULE('complaintExpect', (): Body<ast.ExpectClause> => {
    const start = this.at()
    const expectation = this.OR<ast.Expectation>({
      ERR_MSG: '`no row where …`, `row where …`, `lower …`, `higher …` or a condition',
      DEF: [
        {
          GATE: () => this.secondIs(this.row),
          ALT: () => {
            this.keyword(1, 'no')
            this.keyword(1, 'row')
            this.keyword(1, 'where')
            return { kind: 'no_row', where: this.SUBRULE1(this.expression), start, end: this.until() }
          },
        },
        {
          GATE: () => this.secondIs(this.whereWord),
          ALT: () => {
            this.keyword(2, 'row')
            this.keyword(2, 'where')
            return { kind: 'row', where: this.SUBRULE2(this.expression), start, end: this.until() }
          },
        },
        { GATE: () => this.namedNext(), ALT: () => this.SUBRULE(this.direction) },
        {
          ALT: () => {
            const condition = this.SUBRULE3(this.expression)
            const where = this.OPTION(() => {
              this.keyword(3, 'where')
              return this.SUBRULE4(this.expression)
            })
            return { kind: 'condition', condition, ...(where && { where }), start, end: this.until() }
          },
        },
      ],
    })
    return { expectation }
  })

  private secondIs(type: TokenType): boolean {
    return this.LA(2).tokenType === type
  }

  private namedNext(): boolean {
    return this.LA(2).tokenType.CATEGORIES?.includes(Name) === true
  }

  private readonly direction = this.RULE('direction', (): ast.Expectation => {
    const start = this.at()
    const direction = this.oneOf(1, 'lower', 'higher')
    const column = this.name(1)
    const where = this.OPTION(() => {
      this.keyword(1, 'where')
      return this.SUBRULE(this.expression)
    })
    return { kind: 'direction', direction, column, ...(where && { where }), start, end: this.until() }
  })

  readonly complaintBlame = this.RULE('complaintBlame', (): Body<ast.BlameClause> => ({ suspects: this.SUBRULE(this.suspects) }))

  readonly complaintExplain = this.RULE('complaintExplain', (): Body<ast.ExplainClause> => {
    this.keyword(1, 'by')
    this.keyword(1, 'slices')
    const over = this.OPTION(() => {
      this.keyword(1, 'over')
      return this.SUBRULE(this.binnedColumns)
    })
    return { over: over ?? [] }
  })

  readonly interveneFor = this.RULE('interveneFor', (): Body<ast.ForClause> => ({ complaint: this.name(1) }))

  readonly fixRemove = this.RULE('fixRemove', (): Fix => {
    const target = this.OR<ast.FixTarget>([
      { ALT: () => ({ kind: 'suspects', suspects: this.SUBRULE(this.suspects) }) },
      {
        ALT: () => {
          this.keyword(1, 'where')
          return { kind: 'where', where: this.SUBRULE(this.expression) }
        },
      },
    ])
    return { target }
  })

  readonly fixRelabel = this.RULE('fixRelabel', (): Fix => {
    const suspects = this.SUBRULE(this.suspects)
    const to = this.OPTION(() => {
      this.keyword(1, 'to')
      return this.SUBRULE(this.literal)
    })
    return { target: { kind: 'suspects', suspects }, ...(to && { to }) }
  })

  readonly fixDenoise = this.RULE('fixDenoise', (): Fix => {
    const suspects = this.SUBRULE(this.suspects)
    const filter = this.OPTION(() => {
      this.keyword(1, 'with')
      return this.SUBRULE(this.setting)
    })
    return { target: { kind: 'suspects', suspects }, ...(filter && { filter }) }
  })

  readonly fixReplace = this.RULE('fixReplace', (): Fix => {
    const suspects = this.SUBRULE(this.suspects)
    this.keyword(1, 'with')
    return { target: { kind: 'suspects', suspects }, source: this.name(1) }
  })

  readonly fixSet = this.RULE('fixSet', (): Fix => {
    const column = this.name(1)
    this.CONSUME(Equal)
    const value = this.SUBRULE1(this.expression)
    const target = this.OR<ast.FixTarget>([
      {
        ALT: () => {
          this.keyword(1, 'on')
          return { kind: 'suspects', suspects: this.SUBRULE(this.suspects) }
        },
      },
      {
        ALT: () => {
          this.keyword(1, 'where')
          return { kind: 'where', where: this.SUBRULE2(this.expression) }
        },
      },
    ])
    return { column, value, target }
  })

  readonly interveneRetrain = this.RULE('interveneRetrain', (): Body<ast.RetrainClause> => ({ models: this.SUBRULE(this.names) }))

  readonly interveneCompare = this.RULE(
    'interveneCompare',
    (): Body<ast.CompareClause> => ({ measures: this.list(1, Comma, () => this.SUBRULE(this.measure)) }),
  )

  private readonly measure = this.RULE('measure', (): ast.Measure => {
    const name = this.name(1)
    const on = this.OPTION(() => {
      this.keyword(1, 'on')
      return this.SUBRULE(this.ref)
    })
    return { name, ...(on && { on }), start: name.start, end: this.until() }
  })
}
