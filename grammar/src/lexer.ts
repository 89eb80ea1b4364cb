/**
 * Text to tokens and comments, by hand because chevrotain's lexer cannot see percent signs, units and line starts the way the language needs them;
 * the tokens are chevrotain's. One pass, O(length). Nothing is lost: a character that means nothing becomes a problem, an open text ends with its line.
 */
import type { IToken, TokenType } from 'chevrotain'
import type { Problem } from './ast.ts'
import { problem } from './messages.ts'
import { durationUnits } from './tokens.ts'
import {
  AtLeast,
  AtMost,
  Bare,
  Colon,
  Comma,
  Digits,
  Dot,
  Equal,
  Factor,
  Foreign,
  Label,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Minus,
  OtherComparison,
  Percent,
  Plus,
  Quoted,
  RightBrace,
  RightBracket,
  RightParen,
  Semicolon,
  Star,
  Text,
  typeOfWord,
  word,
  wordOfType,
} from './vocabulary.ts'

/** Where a token or comment stands: in the first column, first on its line, or behind something else. */
export type Standing = 'column one' | 'line start' | 'inside'

export interface Token extends IToken {
  /** Of the last character, as chevrotain has it; `endOf` gives the end that spans use. */
  endOffset: number
  tokenType: TokenType
  standing: Standing
  /** What the parser took it for, where the formatter cannot know: a name, a function's name, a sign before a number or operand. */
  role?: 'name' | 'callee' | 'sign'
}

export interface Comment {
  readonly start: number
  readonly end: number
  readonly standing: Standing
  /** Three dashes, not two and not four. */
  readonly doc: boolean
}

export interface Lexed {
  readonly tokens: Token[]
  readonly comments: readonly Comment[]
  readonly problems: Problem[]
}

export const endOf = (token: Token): number => token.endOffset + 1
export const spanOf = (token: Token): { start: number; end: number } => ({ start: token.startOffset, end: token.endOffset + 1 })

const BOM = 0xfeff
const wideWord = /[\p{L}\p{M}\p{N}_]+/uy
const wideStart = /\p{L}/uy
const wideSpace = /\s/
const numberPattern = /(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y

const markTypes: Readonly<Record<string, TokenType>> = {
  '(': LeftParen,
  ')': RightParen,
  '[': LeftBracket,
  ']': RightBracket,
  '{': LeftBrace,
  '}': RightBrace,
  ',': Comma,
  ';': Semicolon,
  ':': Colon,
  '.': Dot,
  '*': Star,
  '+': Plus,
  '-': Minus,
  '=': Equal,
  '<': OtherComparison,
  '>': OtherComparison,
  '%': Factor,
  '/': Factor,
}
const marks: (TokenType | undefined)[] = []
for (const [mark, type] of Object.entries(markTypes)) marks[mark.charCodeAt(0)] = type
/** Longest first. */
const compounds: readonly (readonly [string, TokenType])[] = [
  ['->>', Foreign],
  ['<>', OtherComparison],
  ['!=', OtherComparison],
  ['<=', AtMost],
  ['>=', AtLeast],
  ['||', Factor],
  ...['::', '->', '==', '**', '//', ':=', '=>', '<<', '>>', '!~', '~~', '&&'].map((text) => [text, Foreign] as const),
]
const compoundStarts = new Set(compounds.map(([text]) => text.charCodeAt(0)))
const foreignMarks = '^&|~@?#$!'

const isWordCode = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || (code >= 48 && code <= 57)
const isDigit = (code: number): boolean => code >= 48 && code <= 57

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** The end of the name that begins at `at`, or `at` where none does. */
const endOfWord = (text: string, at: number): number => {
  const first = text.charCodeAt(at)
  if (isDigit(first) || Number.isNaN(first)) return at
  if (first > 127 && matchAt(wideStart, text, at) === undefined) return at
  let end = at
  while (isWordCode(text.charCodeAt(end))) end++
  return text.charCodeAt(end) > 127 ? end + (matchAt(wideWord, text, end)?.length ?? 0) : end
}

/** Whether a percent sign right before `at` ends a percentage rather than asking for a remainder. */
const endsPercentage = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  if (isDigit(code) || code === 40 || code === 39 || code === 34) return false
  return endOfWord(text, at) === at
}

export const lex = (text: string): Lexed => {
  const tokens: Token[] = []
  const comments: Comment[] = []
  const problems: Problem[] = []
  const left = word('left')
  const right = word('right')
  let at = text.charCodeAt(0) === BOM ? 1 : 0
  let lineStart = at
  let fresh = true

  const standingNow = (): Standing => {
    if (!fresh) return 'inside'
    return at === lineStart ? 'column one' : 'line start'
  }
  const push = (tokenType: TokenType, end: number): void => {
    const standing = standingNow()
    const image = text.slice(at, end)
    tokens.push({ image, startOffset: at, endOffset: end - 1, tokenTypeIdx: tokenType.tokenTypeIdx!, tokenType, standing, role: undefined })
    fresh = false
    at = end
  }
  const become = (type: TokenType, token: Token | undefined): void => {
    if (token === undefined || !(token.tokenType === Bare || token.tokenType === Quoted || wordOfType(token.tokenType) !== undefined))
      return
    token.tokenType = type
    token.tokenTypeIdx = type.tokenTypeIdx!
  }
  const endOfLine = (): number => {
    let end = at
    while (end < text.length && text.charCodeAt(end) !== 10 && text.charCodeAt(end) !== 13) end++
    return end
  }
  const pushQuoted = (mark: string): void => {
    let end = at + 1
    for (;;) {
      const code = text.charCodeAt(end)
      if (Number.isNaN(code) || code === 10 || code === 13) {
        problems.push(problem('unterminated-string', { start: at, end }, { quote: mark }))
        break
      }
      end++
      if (code !== mark.charCodeAt(0)) continue
      if (text.charCodeAt(end) !== code) break
      end++
    }
    if (mark === '"' && end === at + 2) problems.push(problem('empty-name', { start: at, end }, {}))
    push(mark === '"' ? Quoted : Text, end)
  }
  const pushNumber = (): void => {
    const end = at + matchAt(numberPattern, text, at)!.length
    if (text.charCodeAt(end) === 37 && endsPercentage(text, end + 1)) {
      push(Percent, end + 1)
      return
    }
    const wordEnd = endOfWord(text, end)
    const touching = text.slice(end, wordEnd)
    if (touching !== '' && !Object.hasOwn(durationUnits, touching.toLowerCase()))
      problems.push(problem('number-touches-word', { start: at, end: wordEnd }, { number: text.slice(at, end), word: touching }))
    push(Digits, end)
  }

  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 32 || code === 9 || code === 11 || code === 12) {
      at++
      continue
    }
    if (code === 10 || code === 13) {
      at++
      lineStart = at
      fresh = true
      continue
    }
    if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95) {
      const end = endOfWord(text, at)
      const before = tokens[tokens.length - 1]
      push(typeOfWord(text.slice(at, end)), end)
      const pushed = tokens[tokens.length - 1]!
      // A dot at the end of a line is half-typed: the next line's clause word stays one.
      if (before?.tokenType === Dot && pushed.standing === 'inside') become(Bare, pushed)
      continue
    }
    if (isDigit(code)) {
      pushNumber()
      continue
    }
    if (code === 39 || code === 34) {
      pushQuoted(text[at]!)
      continue
    }
    const next = text.charCodeAt(at + 1)
    if (code === 45 && next === 45) {
      const end = endOfLine()
      const doc = text.charCodeAt(at + 2) === 45 && text.charCodeAt(at + 3) !== 45
      comments.push({ start: at, end, standing: standingNow(), doc: doc && fresh })
      at = end
      continue
    }
    if (code === 46 && isDigit(next) && !touchesOperand(tokens[tokens.length - 1], at)) {
      pushNumber()
      continue
    }
    if (code === 47 && next === 42) {
      const close = text.indexOf('*/', at + 2)
      const end = close < 0 ? endOfLine() : close + 2
      problems.push(problem('block-comment', { start: at, end }, {}))
      const newline = text.lastIndexOf('\n', end - 1)
      if (newline >= at) lineStart = newline + 1
      at = end
      continue
    }
    const compound = compoundStarts.has(code) ? compounds.find(([mark]) => text.startsWith(mark, at)) : undefined
    if (compound !== undefined) {
      push(compound[1], at + compound[0].length)
      continue
    }
    const type = marks[code]
    if (type !== undefined) {
      if (type === Colon) become(Label, tokens[tokens.length - 1])
      if (type === LeftParen && at > 0) {
        const before = tokens[tokens.length - 1]
        if (before !== undefined && before.endOffset === at - 1 && (before.tokenType === left || before.tokenType === right))
          become(Bare, before)
      }
      push(type, at + 1)
      continue
    }
    if (code > 127) {
      const end = endOfWord(text, at)
      if (end > at) {
        push(Bare, end)
        continue
      }
      if (wideSpace.test(text[at]!) || code === BOM) {
        at++
        continue
      }
    }
    if (foreignMarks.includes(text[at]!)) {
      push(Foreign, at + 1)
      continue
    }
    const character = String.fromCodePoint(text.codePointAt(at)!)
    const last = problems[problems.length - 1]
    // A run of such characters, as in a file that is no text, is one problem.
    if (last?.code === 'unknown-character' && last.end === at) problems[problems.length - 1] = { ...last, end: at + character.length }
    else problems.push(problem('unknown-character', { start: at, end: at + character.length }, { character: visible(character) }))
    at += character.length
    fresh = false
  }
  return { tokens, comments, problems }
}

/** `a.5` is no number behind `a`. */
const touchesOperand = (before: Token | undefined, at: number): boolean =>
  before !== undefined &&
  before.endOffset === at - 1 &&
  (isWordCode(before.image.charCodeAt(0)) ||
    before.tokenType === Quoted ||
    before.tokenType === RightParen ||
    before.tokenType === RightBracket)

/** Control and direction characters would vanish from a sentence, or turn it around. */
const visible = (character: string): string =>
  /[\p{C}\p{Z}`]/u.test(character) ? `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}` : character
