/** Expressions: read as a flat row of operands and operators, which is quick, and sorted by precedence afterwards. */
import type { ParserMethod } from 'chevrotain'
import type * as ast from './ast.ts'
import { endOf, spanOf, type Token } from './lexer.ts'
import { BaseRules, percentOf } from './parser-base.ts'
import { type Infix, type Part, treeOf } from './precedence.ts'
import { refuse } from './refusal.ts'
import {
  Colon,
  Comma,
  Digits,
  Dot,
  Label,
  LeftBracket,
  LeftParen,
  Name,
  Operator,
  Percent,
  Prefix,
  RightBracket,
  RightParen,
  Star,
  word,
} from './vocabulary.ts'

/** The expression that is being read, innermost. */
interface Frame {
  readonly parts: Part[]
  readonly starAllowed: boolean
}

export abstract class ExpressionRules extends BaseRules {
  abstract readonly select: ParserMethod<[], ast.Select>

  private frame: Frame = { parts: [], starAllowed: false }
  /** Whether the expression about to be read may be a `*`. */
  protected starMayFollow = false

  readonly expression = this.RULE('expression', (): ast.Expr => {
    const outer = this.frame
    const frame: Frame = { parts: [], starAllowed: this.starMayFollow }
    this.frame = frame
    this.starMayFollow = false
    this.deeper()
    this.SUBRULE(this.operand)
    this.MANY(this.operation)
    this.depth--
    this.frame = outer
    return this.live ? treeOf(frame.parts) : placeholder
  })

  /** Signs and `not`, then a value; adds to the frame. */
  private readonly operand = this.RULE('operand', (): void => {
    this.MANY1(this.prefix)
    const start = this.at()
    const value = this.OR1(this.operandKinds)
    if (this.live) this.frame.parts.push({ kind: 'operand', value, start, end: this.until() })
  })

  private readonly prefix = (): void => {
    const token = this.consume(1, Prefix) as Token
    const op = token.tokenType === this.not ? 'not' : this.sign(token) === '-' ? '-' : '+'
    this.frame.parts.push({ kind: 'prefix', op, token })
  }

  private readonly operation = (): void => {
    this.OR1(this.operations)
  }

  private readonly not = word('not')

  // One array for all calls: chevrotain asks for alternatives at every operand, and closures made each time would cost a third of the parse.
  private readonly operations = [
    {
      ALT: (): void => {
        const token = this.consume(1, Operator) as Token
        this.frame.parts.push({ kind: 'infix', op: infixOf(token.image), negated: false, token })
        this.subrule(1, this.operand)
      },
    },
    { ALT: (): void => this.subrule(1, this.isNull) },
    {
      ALT: (): void => {
        const token = this.keyword(1, 'in')
        this.subrule(1, this.inList, { ARGS: [token, false] })
      },
    },
    { ALT: (): void => this.subrule(1, this.negatedOperation) },
  ]

  private readonly negatedOperation = this.RULE('negatedOperation', (): void => {
    const token = this.keyword(1, 'not')
    this.OR({
      ERR_MSG: '`in`, `like` or `between`',
      DEF: [
        {
          ALT: () => {
            this.keyword(1, 'in')
            this.subrule(1, this.inList, { ARGS: [token, true] })
          },
        },
        {
          ALT: () => {
            this.keyword(1, 'like')
            this.frame.parts.push({ kind: 'infix', op: 'like', negated: true, token })
            this.subrule(1, this.operand)
          },
        },
        {
          ALT: () => {
            this.keyword(1, 'between')
            this.frame.parts.push({ kind: 'infix', op: 'between', negated: true, token })
            this.subrule(2, this.operand)
          },
        },
      ],
    })
  })

  private readonly isNull = this.RULE('isNull', (): void => {
    const token = this.keyword(1, 'is')
    const not = this.option(1, () => this.keyword(1, 'not'))
    this.keyword(1, 'null')
    this.frame.parts.push({ kind: 'is_null', negated: not !== undefined, token, end: this.until() })
  })

  private readonly inList = this.RULE('inList', (token: Token, negated: boolean): void => {
    const { frame } = this
    this.CONSUME(LeftParen)
    const found = this.OR<{ query?: ast.Select; list?: ast.Expr[] }>([
      { ALT: () => ({ query: this.subrule(1, this.select) }) },
      { ALT: () => ({ list: this.list(1, Comma, () => this.subrule(1, this.expression)) }) },
    ])
    this.CONSUME(RightParen)
    frame.parts.push({ kind: 'in', negated, token, end: this.until(), ...found })
  })

  private readonly operandKinds = {
    ERR_MSG: 'an expression',
    DEF: [
      { ALT: (): ast.Expr => this.nameOrCall() },
      { ALT: (): ast.Expr => this.numberOrDuration(1) },
      { ALT: (): ast.Expr => this.text(1) },
      { ALT: (): ast.Expr => percentOf(this.consume(1, Percent) as Token) },
      {
        ALT: (): ast.Expr => {
          this.consume(1, LeftParen)
          const inner = this.subrule(1, this.expression)
          this.consume(1, RightParen)
          return inner
        },
      },
      { ALT: (): ast.Expr => this.subrule(1, this.listLiteral) },
      {
        ALT: (): ast.Expr => {
          const token = this.consume(1, Star) as Token
          if (this.live && !this.frame.starAllowed) refuse('misplaced-star', spanOf(token), {})
          return { kind: 'star', ...spanOf(token) }
        },
      },
      { ALT: (): ast.Expr => ({ kind: 'boolean', value: true, ...spanOf(this.keyword(1, 'true')) }) },
      { ALT: (): ast.Expr => ({ kind: 'boolean', value: false, ...spanOf(this.keyword(1, 'false')) }) },
      { ALT: (): ast.Expr => ({ kind: 'null', ...spanOf(this.keyword(1, 'null')) }) },
      { ALT: (): ast.Expr => this.subrule(1, this.caseExpression) },
      { ALT: (): ast.Expr => this.subrule(1, this.castExpression) },
      { ALT: (): ast.Expr => this.subrule(1, this.existsExpression) },
    ],
  }

  /** `x`, `l.x`, `l.*`, `f(…)`. */
  private nameOrCall(): ast.Expr {
    const token = this.consume(1, Name) as Token
    const start = token.startOffset
    let found: ast.Expr | undefined
    // Most names are columns: the two looks ahead spare them the closures of the options.
    if (!this.live || this.nextIs(LeftParen))
      this.option(2, () => {
        const { distinct, args } = this.subrule(1, this.callArguments)
        const name = this.nameOf(token, 'callee')
        const callee = name.quoted ? name : { ...name, text: name.text.toLowerCase() }
        found = { kind: 'call', callee, distinct, args, start, end: this.until() }
      })
    if (found !== undefined && this.live) return found
    const first = this.nameOf(token, 'name')
    if (this.live && !this.nextIs(Dot)) return { kind: 'column', name: first, start, end: first.end }
    this.option(3, () => {
      this.consume(1, Dot)
      this.or(2, [
        {
          ALT: () => {
            const star = this.consume(2, Star) as Token
            if (this.live && !this.frame.starAllowed) refuse('misplaced-star', spanOf(star), {})
            found = { kind: 'star', table: first, start, end: endOf(star) }
          },
        },
        {
          ALT: () => {
            const name = this.name(2)
            found = { kind: 'column', table: first, name, start, end: name.end }
          },
        },
      ])
    })
    return found ?? { kind: 'column', name: first, start, end: endOf(token) }
  }

  private readonly callArguments = this.RULE('callArguments', (): { distinct: boolean; args: ast.Argument[] } => {
    const args: ast.Argument[] = []
    this.CONSUME(LeftParen)
    const distinct = this.OPTION(() => this.keyword(1, 'distinct')) !== undefined
    this.starMayFollow = !distinct
    this.MANY_SEP({
      SEP: Comma,
      DEF: () => {
        const start = this.at()
        const label = this.OPTION1(() => this.labelled())
        const value = this.SUBRULE(this.expression)
        args.push(label === undefined ? { value, start, end: this.until() } : { label, value, start, end: this.until() })
      },
    })
    this.starMayFollow = false
    this.CONSUME(RightParen)
    return { distinct, args }
  })

  /** `label:` */
  protected labelled(): ast.Name {
    const token = this.consume(9, Label) as Token
    this.consume(9, Colon)
    return this.nameOf(token, 'name')
  }

  private readonly listLiteral = this.RULE('listLiteral', (): ast.ListLiteral => {
    const start = this.at()
    const items: ast.Expr[] = []
    this.CONSUME(LeftBracket)
    this.MANY_SEP({ SEP: Comma, DEF: () => void items.push(this.SUBRULE(this.expression)) })
    this.CONSUME(RightBracket)
    return { kind: 'list', items, start, end: this.until() }
  })

  private readonly caseExpression = this.RULE('caseExpression', (): ast.Case => {
    const start = this.at()
    const whens: { when: ast.Expr; then: ast.Expr }[] = []
    this.keyword(1, 'case')
    const subject = this.OPTION1(() => this.SUBRULE1(this.expression))
    this.AT_LEAST_ONE({
      ERR_MSG: '`when`',
      DEF: () => {
        this.keyword(1, 'when')
        const when = this.SUBRULE2(this.expression)
        this.keyword(1, 'then')
        const then = this.SUBRULE3(this.expression)
        whens.push({ when, then })
      },
    })
    const otherwise = this.OPTION2(() => {
      this.keyword(1, 'else')
      return this.SUBRULE4(this.expression)
    })
    this.keyword(1, 'end')
    return { kind: 'case', ...(subject && { subject }), whens, ...(otherwise && { otherwise }), start, end: this.until() }
  })

  private readonly castExpression = this.RULE('castExpression', (): ast.Cast => {
    const start = this.at()
    this.keyword(1, 'cast')
    this.CONSUME1(LeftParen)
    const value = this.SUBRULE1(this.expression)
    this.keyword(1, 'as')
    const type = this.SUBRULE1(this.typeName)
    this.CONSUME1(RightParen)
    return { kind: 'cast', value, type, start, end: this.until() }
  })

  /** `double precision`, `decimal(10, 2)`, `integer[]`. */
  private readonly typeName = this.RULE('typeName', (): ast.TypeName => {
    const start = this.at()
    let text = ''
    this.AT_LEAST_ONE1({
      ERR_MSG: 'a type',
      DEF: () => {
        text += (text === '' ? '' : ' ') + this.name(1).text.toLowerCase()
      },
    })
    this.OPTION1(() => {
      this.CONSUME1(LeftParen)
      text += `(${this.list(1, Comma, () => (this.CONSUME1(Digits) as Token).image).join(', ')})`
      this.CONSUME1(RightParen)
    })
    this.MANY1(() => {
      this.CONSUME1(LeftBracket)
      this.CONSUME1(RightBracket)
      text += '[]'
    })
    return { text, start, end: this.until() }
  })

  private readonly existsExpression = this.RULE('existsExpression', (): ast.Exists => {
    const start = this.at()
    this.keyword(1, 'exists')
    this.CONSUME1(LeftParen)
    this.deeper()
    const query = this.SUBRULE1(this.select)
    this.depth--
    this.CONSUME1(RightParen)
    return { kind: 'exists', query, start, end: this.until() }
  })
}

const placeholder: ast.Expr = { kind: 'null', start: 0, end: 0 }

const infixOf = (image: string): Infix => (image === '!=' ? '<>' : (image.toLowerCase() as Infix))
