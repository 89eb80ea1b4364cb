/** From "this token was not expected" to a sentence that says what is wrong and what to write. */
import type { IRecognitionException, TokenType } from 'chevrotain'
import type { DeclarationKind, Problem, Span } from './ast.ts'
import { endOf, spanOf, type Token } from './lexer.ts'
import { problem } from './messages.ts'
import { nearest } from './nearest.ts'
import { outsideSubset } from './outside-subset.ts'
import { looksLikeHeader } from './split.ts'
import { clausesOf, isReserved } from './tokens.ts'
import {
  Bare,
  Comma,
  Digits,
  Dot,
  Factor,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Name,
  Percent,
  Quoted,
  RightBracket,
  RightParen,
  Text,
  wordOfType,
} from './vocabulary.ts'

/** What was being read when it failed. */
export interface Reading {
  readonly what: 'clause' | 'header' | 'import'
  readonly kind: DeclarationKind | 'import'
  /** All tokens, the opening word included. */
  readonly tokens: readonly Token[]
  /** What stands right behind them. */
  readonly next: Token | undefined
}

export interface Explained {
  readonly problem: Problem
  /** Where a declaration whose word is lost seems to begin, as an index into the tokens; what stands before is complete. */
  readonly lost?: number
  /** Where a clause begins after all, as an index into the tokens, and the word it should have begun with. */
  readonly resume?: { readonly at: number; readonly word: string }
}

export const explain = (error: IRecognitionException, reading: Reading): Explained => {
  const { tokens, kind } = reading
  const complete = error.name === 'NotAllInputParsedException'
  const expected = complete ? '' : error.message
  const found = tokens.indexOf(error.token as Token)
  if (found < 0) return { problem: atTheEnd(expected, reading) }
  const token = tokens[found]!
  const before = tokens[found - 1]

  const clauses = kind === 'import' ? new Map<string, unknown>() : clausesOf(kind)
  const firstOnLine = token.standing !== 'inside'
  const text = wordOfType(token.tokenType)
  const mayBeClause = reading.what === 'clause' && complete && text !== undefined && clauses.has(text)
  if (mayBeClause && !firstOnLine)
    return { problem: problem('missing-separator', spanOf(token), { word: text }), resume: { at: found, word: text } }
  const wordBefore = before && wordOfType(before.tokenType)
  if (reading.what === 'clause' && wordBefore !== undefined && clauses.has(wordBefore) && tokens[found - 2]?.tokenType === Comma)
    return { problem: problem('clause-after-comma', spanOf(tokens[found - 2]!), { word: wordBefore }) }

  if (before?.tokenType === Comma && text !== undefined && isReserved(text) && selectWords.has(text))
    return { problem: problem('clause-after-comma', spanOf(before), { word: text }) }
  if (kind === 'slice' && complete && firstOnLine && looksLikeHeader(tokens, found))
    return { problem: problem('outside-declaration', spanOf(token), { found: foundPhrase(token) }), lost: found }
  const outside = outsideSubset(tokens, found, expected)
  if (outside !== undefined) return { problem: problem('outside-subset', spanOf(token), outside) }
  if (before?.tokenType === Percent && !firstOnLine && asksForRemainder(token, wordOfType(tokens[0]!.tokenType)))
    return { problem: problem('blank-before-percent', spanOf(before), { text: before.image }, before.image.replace('%', ' %')) }

  const following = tokens[found + 1]
  if (kind === 'source' && wordOfType(tokens[0]!.tokenType) === 'from' && complete && found === 2 && isPathMark(token)) {
    const path = tokens
      .slice(1)
      .map((one) => one.image)
      .join('')
    const span = { start: before!.startOffset, end: endOf(tokens[tokens.length - 1]!) }
    return { problem: problem('name-for-string', span, { text: path, what: 'a file in single quotes' }, `'${path}'`) }
  }
  if (token.tokenType === Factor && token.image === '%' && before?.tokenType === Digits && complete)
    return { problem: blankInside(before, token) }
  if (expected.includes('a percentage') && token.tokenType === Digits && following?.image === '%')
    return { problem: blankInside(token, following) }
  if (
    isName(token) &&
    before !== undefined &&
    isSelectBehind(tokens, found) &&
    endsOperand(before) &&
    !isReserved(token.image) &&
    !firstOnLine
  )
    return { problem: problem('missing-as', spanOf(token), { alias: token.image }, `as ${token.image}`) }

  if (reading.what === 'clause' && firstOnLine && isName(token) && token.tokenType !== Quoted) return unknownClause(token, found, kind)
  if (expected === labelOf(Name)) {
    if (token.tokenType === Text) {
      const inner = token.image.slice(1, -1)
      return { problem: problem('string-for-name', spanOf(token), { text: inner }, `"${inner}"`) }
    }
    if (isReserved(token.image)) return { problem: problem('reserved-name', spanOf(token), { word: token.image }, `"${token.image}"`) }
  }
  if (expected === labelOf(Text) && isName(token)) {
    const inner = token.tokenType === Quoted ? token.image.slice(1, -1) : token.image
    return { problem: problem('name-for-string', spanOf(token), { text: inner, what: expected }, `'${inner}'`) }
  }
  const phrase = complete ? endPhrase(reading) : expected
  const name = !complete && text !== undefined && columnLike.has(text) ? text : undefined
  return { problem: problem('expected', spanOf(token), { expected: phrase, found: foundPhrase(token), name }) }
}

/** A clause whose word is not one of the declaration's. */
export const unknownClause = (token: Token, at: number, kind: DeclarationKind | 'import'): Explained => {
  const known = kind === 'import' ? [] : [...clausesOf(kind).keys()]
  const word = nearest(token.image, known)
  const found = problem('unknown-clause', spanOf(token), { kind, word: token.image, nearest: word, known }, word)
  return word === undefined ? { problem: found } : { problem: found, resume: { at, word } }
}

const atTheEnd = (expected: string, { tokens, next, what, kind }: Reading): Problem => {
  const last = tokens[tokens.length - 1]!
  const word = next && wordOfType(next.tokenType)
  if (what === 'clause' && last.tokenType === Comma && word !== undefined) return problem('clause-after-comma', spanOf(last), { word })
  if (expected === '`)`' || expected === '`]`') {
    const open = unclosed(tokens)
    if (open !== undefined)
      return problem('unclosed-bracket', spanOf(open), { bracket: open.image, close: open.tokenType === LeftParen ? ')' : ']' })
  }
  if (what === 'clause') return problem('expected', spanOf(last), { expected, found: 'the end of the clause' })
  if (next?.tokenType === LeftBrace) return problem('expected', spanOf(next), { expected, found: '`{`' })
  return problem('expected', spanOf(last), { expected, found: kind === 'import' ? 'the end of the import' : 'the end of the declaration' })
}

/** The innermost bracket that is still open at the end. */
const unclosed = (tokens: readonly Token[]): Token | undefined => {
  const open: Token[] = []
  for (const token of tokens) {
    if (token.tokenType === LeftParen || token.tokenType === LeftBracket) open.push(token)
    if (token.tokenType === RightParen || token.tokenType === RightBracket) open.pop()
  }
  return open.pop()
}

const selectWords = new Set(['from', 'where', 'group', 'having', 'order', 'limit', 'join', 'inner', 'on'])
/** Reserved words that data often has as column names. */
const columnLike = new Set([
  'order',
  'group',
  'limit',
  'offset',
  'end',
  'left',
  'right',
  'full',
  'natural',
  'over',
  'with',
  'case',
  'like',
  'asc',
  'desc',
  'require',
  'expect',
])

const isPathMark = (token: Token): boolean => token.tokenType === Dot || token.image === '/'

const labelOf = (type: TokenType): string => type.LABEL ?? type.name
const isName = (token: Token): boolean =>
  token.tokenType === Bare || token.tokenType === Quoted || token.tokenType.CATEGORIES?.includes(Name) === true
const endsOperand = (token: Token): boolean =>
  isName(token) ||
  [RightParen, Digits, Text, Percent].includes(token.tokenType) ||
  ['end', 'true', 'false', 'null'].includes(wordOfType(token.tokenType) ?? '')
const isSelectBehind = (tokens: readonly Token[], at: number): boolean =>
  tokens.some((token, index) => index < at && wordOfType(token.tokenType) === 'select')
const asksForRemainder = (token: Token, clause: string | undefined): boolean =>
  token.tokenType === Digits || token.tokenType === LeftParen || (clause !== 'split' && isName(token))

const blankInside = (digits: Token, percent: Token): Problem => {
  const span: Span = { start: digits.startOffset, end: endOf(percent) }
  return problem('blank-inside-percent', span, { number: digits.image }, `${digits.image}%`)
}

const endPhrase = ({ what, kind, tokens }: Reading): string => {
  if (what === 'clause') return `the end of the clause \`${tokens[0]!.image.toLowerCase()}\``
  if (what === 'import') return 'the end of the import'
  return kind === 'slice' ? 'the end of the slice' : '`{`'
}

const foundPhrase = (token: Token): string => {
  if (token.tokenType === Text) return `the text ${shortened(token.image)}`
  return `\`${shortened(token.image)}\``
}

const shortened = (image: string): string => (image.length > 40 ? `${image.slice(0, 39)}…` : image)
