/** What all rules share: names, numbers and spans. The rules themselves are a chain of classes, one file for each group of declarations. */
import { EmbeddedActionsParser, type IToken, type TokenType } from 'chevrotain'
import type * as ast from './ast.ts'
import { expectations } from './expectations.ts'
import { endOf, spanOf, type Token } from './lexer.ts'
import { type ProblemCode, type ProblemData, problem } from './messages.ts'
import { maxDepth, refuse } from './refusal.ts'
import { durationUnits } from './tokens.ts'
import { Digits, Minus, Name, Percent, Plus, Text, Unit, vocabulary, word } from './vocabulary.ts'

/** What a clause's rule answers: the clause without the word that begins it. */
export type Body<C extends ast.Span> = Omit<C, 'word' | 'keyword' | 'start' | 'end'>

export type Checking = 'grammar checked' | 'grammar trusted'

export abstract class BaseRules extends EmbeddedActionsParser {
  /** What does not stop the reading of a clause. */
  protected readonly noted: ast.Problem[] = []
  /** False while chevrotain records the rules: tokens are placeholders then. */
  protected live = false
  protected depth = 0

  constructor(checking: Checking) {
    // One token of lookahead decides everywhere; where it does not, a rule has a gate.
    super(vocabulary, { maxLookahead: 1, skipValidations: checking === 'grammar trusted', errorMessageProvider: expectations })
  }

  /** Forgets the clause before; chevrotain's `input` setter resets the rest. */
  protected start(tokens: Token[]): void {
    this.input = tokens
    this.depth = 0
    this.noted.length = 0
  }

  protected at(): number {
    return this.LA(1).startOffset
  }
  protected until(): number {
    return endOf(this.LA(0) as Token)
  }
  protected nextIs(type: TokenType): boolean {
    return this.LA(1).tokenType === type
  }

  protected deeper(): void {
    if (++this.depth > maxDepth + 1 && this.live) refuse('too-deep', spanOf(this.LA(1) as Token), { limit: maxDepth })
  }

  protected note<C extends ProblemCode>(code: C, span: ast.Span, data: ProblemData[C]): void {
    if (this.live) this.noted.push(problem(code, span, data))
  }

  protected keyword(index: number, text: string): Token {
    return this.consume(index, word(text)) as Token
  }

  /** One of several words. */
  protected oneOf<W extends string>(index: number, ...words: readonly W[]): W {
    const alternative = (text: W) => ({
      ALT: (): W => {
        this.keyword(index, text)
        return text
      },
    })
    return this.or<W>(index, words.map(alternative))
  }

  protected name(index: number): ast.Name {
    return this.nameOf(this.consume(index, Name) as Token, 'name')
  }

  protected nameOf(token: Token, role: 'name' | 'callee'): ast.Name {
    if (this.live) token.role = role
    const start = token.startOffset
    const end = token.endOffset + 1
    if (token.image[0] !== '"') return { text: token.image, quoted: false, start, end }
    return { text: unquote(token.image), quoted: true, start, end }
  }

  protected text(index: number): ast.StringLiteral {
    const token = this.consume(index, Text) as Token
    return { kind: 'string', value: unquote(token.image), start: token.startOffset, end: endOf(token) }
  }

  /** A number with an optional sign. */
  protected number(index: number): ast.NumberLiteral {
    const start = this.at()
    const sign = this.option(index, () => this.sign(this.consume(index, Minus) as Token))
    const token = this.consume(index, Digits) as Token
    const value = numberOf(token.image)
    return { kind: 'number', value: sign === undefined ? value : -value, text: (sign ?? '') + token.image, start, end: endOf(token) }
  }

  protected quantity(index: number): ast.Quantity {
    const { value, start, end } = this.number(index)
    return { value, start, end }
  }

  protected whole(index: number): ast.Quantity {
    const token = this.consume(index, Digits) as Token
    const value = numberOf(token.image)
    if (!Number.isSafeInteger(value)) this.note('not-whole-number', spanOf(token), { text: token.image })
    return { value, ...spanOf(token) }
  }

  protected percent(index: number): ast.PercentLiteral {
    return percentOf(this.consume(index, Percent) as Token)
  }

  protected sign(token: Token): string {
    if (this.live) token.role = 'sign'
    return token.tokenType === Plus ? '+' : '-'
  }

  /** A number, or a duration where a unit follows. */
  protected numberOrDuration(index: number): ast.NumberLiteral | ast.DurationLiteral {
    const token = this.consume(index, Digits) as Token
    const unit = this.live && !isUnit(this.LA(1)) ? undefined : this.option(index, () => this.consume(index, Unit) as Token)
    const value = numberOf(token.image)
    if (unit === undefined || !this.live) return { kind: 'number', value, text: token.image, start: token.startOffset, end: endOf(token) }
    return durationOf(token, unit)
  }

  /** `a, b, c`, where `one` reads the first and each of the others; a rule may hold one such list for each index. */
  protected list<T>(index: number, comma: TokenType, one: () => T): T[] {
    const items: T[] = []
    const each = {
      SEP: comma,
      DEF: () => {
        items.push(one())
      },
    }
    if (index === 1) this.AT_LEAST_ONE_SEP1(each)
    else if (index === 2) this.AT_LEAST_ONE_SEP2(each)
    else throw new Error('A rule holds at most two lists')
    return items
  }
}

const isUnit = (token: IToken): boolean => token.tokenType.CATEGORIES?.includes(Unit) === true

export const numberOf = (digits: string): number => Number(digits.includes('_') ? digits.replaceAll('_', '') : digits)

export const percentOf = (token: Token): ast.PercentLiteral => ({
  kind: 'percent',
  // Dividing once gives the double nearest to the decimal: 0.29, where 29 * 0.01 gives 0.29000000000000004.
  value: numberOf(token.image.slice(0, -1)) / 100,
  text: token.image,
  ...spanOf(token),
})

const durationOf = (token: Token, unit: Token): ast.DurationLiteral => {
  const amount = numberOf(token.image)
  const name = unit.image.toLowerCase() as ast.DurationUnit
  const text = `${token.image} ${name}`
  return {
    kind: 'duration',
    amount,
    unit: name,
    value: amount * (durationUnits[name] ?? Number.NaN),
    text,
    start: token.startOffset,
    end: endOf(unit),
  }
}

const unquote = (image: string): string => {
  const mark = image[0]!
  const closed = image.length > 1 && image.endsWith(mark)
  const inner = image.slice(1, closed ? -1 : undefined)
  return inner.includes(mark) ? inner.replaceAll(mark + mark, mark) : inner
}
