/**
 * Where declarations and clauses begin, found from line starts and words alone, before anything is parsed. These are the places where reading
 * starts again after an error, so a lost bracket or brace costs one declaration at most. Linear in the number of tokens.
 */
import type { DeclarationKind, Problem } from './ast.ts'
import { endOf, spanOf, type Token } from './lexer.ts'
import { problem } from './messages.ts'
import { nearest } from './nearest.ts'
import { clausesOf, declarationWord, declarationWords, isReserved } from './tokens.ts'
import {
  Bare,
  Colon,
  Digits,
  Dot,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Minus,
  RightBrace,
  RightBracket,
  RightParen,
  Semicolon,
  wordOfType,
} from './vocabulary.ts'

/** The tokens of one declaration or import. */
export interface Piece {
  readonly kind: DeclarationKind | 'import'
  readonly opening: Token
  /** All tokens behind the opening word. */
  readonly tokens: Token[]
  /** The opening word was not quite it; a problem says so. */
  readonly misspelt: boolean
}

/** The tokens of one clause; the first is its word, unless that could not be recognised. */
export type Segment = Token[]

export interface Block {
  readonly header: Token[]
  readonly open?: Token
  readonly close?: Token
  readonly segments: readonly Segment[]
  /** What stands behind the end of the block. */
  readonly rest: readonly Token[]
  readonly strayBraces: readonly Token[]
}

const isWord = (token: Token): boolean => token.tokenType === Bare || wordOfType(token.tokenType) !== undefined
const openers = [...declarationWords.map((one) => one.word), 'import']

const kindOpenedBy = (token: Token): Piece['kind'] | undefined => {
  const text = wordOfType(token.tokenType)
  if (text === undefined) return undefined
  return text === 'import' ? 'import' : declarationWord(text)?.word
}

/** The declarations and imports of a file; what belongs to none of them is skipped with a problem. */
export const splitFile = (tokens: readonly Token[]): { readonly pieces: readonly Piece[]; readonly problems: readonly Problem[] } => {
  const pieces: Piece[] = []
  const problems: Problem[] = []
  let current: { kind: Piece['kind'] | undefined; tokens: Token[] } | undefined
  let braces = 0
  let brackets = 0
  let blockClosed = true

  const begin = (kind: Piece['kind'] | undefined, opening: Token, misspelt: boolean): void => {
    current = { kind, tokens: [] }
    if (kind !== undefined) pieces.push({ kind, opening, tokens: current.tokens, misspelt })
    braces = 0
    brackets = 0
    blockClosed = false
  }

  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    if (token.standing !== 'inside' && isWord(token)) {
      const kind = kindOpenedBy(token)
      if (token.standing === 'column one' && kind !== undefined) {
        begin(kind, token, false)
        continue
      }
      const nothingOpen = braces === 0 && brackets === 0
      if (
        token.standing === 'line start' &&
        kind !== undefined &&
        nothingOpen &&
        (blockClosed || opensForSure(tokens, at, current?.kind))
      ) {
        problems.push(problem('indented-declaration', spanOf(token), { word: token.image }))
        begin(kind, token, false)
        continue
      }
      if (token.standing === 'column one' && nothingOpen && kind === undefined) {
        if (current !== undefined && isReserved(token.image)) {
          problems.push(problem('unindented-line', spanOf(token), { word: token.image }))
        } else {
          const meant = nearest(token.image, openers)
          problems.push(problem('unknown-declaration', spanOf(token), { word: token.image, nearest: meant }, meant))
          begin(meant as Piece['kind'] | undefined, token, true)
          continue
        }
      }
    }
    const behindBlock = blockClosed && current?.kind !== undefined && token.standing !== 'inside' && token.tokenType !== RightBrace
    if (current === undefined || behindBlock) {
      problems.push(problem('outside-declaration', spanOf(token), { found: `\`${token.image}\`` }))
      begin(undefined, token, false)
      // An indented declaration may follow at once.
      blockClosed = true
      continue
    }
    current.tokens.push(token)
    if (token.tokenType === LeftBrace) braces++
    else if (token.tokenType === LeftParen || token.tokenType === LeftBracket) brackets++
    else if (token.tokenType === RightParen || token.tokenType === RightBracket) brackets = Math.max(0, brackets - 1)
    else if (token.tokenType === RightBrace) {
      braces = Math.max(0, braces - 1)
      brackets = 0
      if (braces === 0) blockClosed = true
    }
  }
  return { pieces, problems }
}

/** Behind a slice or an import, which have no block, an indented declaration shows by what follows its word. */
const opensForSure = (tokens: readonly Token[], at: number, after: Piece['kind'] | undefined): boolean =>
  (after === 'slice' || after === 'import') && tokens[at + 1]?.standing === 'inside' && looksLikeHeader(tokens, at + 1)

/** Whether a name and the word or brace that follows the name of a declaration stand at `at`. */
export const looksLikeHeader = (tokens: readonly Token[], at: number): boolean => {
  const name = tokens[at]
  const next = tokens[at + 1]
  if (name === undefined || next === undefined || !isWord(name) || next.standing !== 'inside') return false
  return next.tokenType === LeftBrace || ['on', 'using', 'for'].includes(wordOfType(next.tokenType) ?? '')
}

/** Header, clauses and end of a declaration's tokens. */
export const splitBlock = (piece: Piece): Block => {
  if (piece.kind === 'slice' || piece.kind === 'import') return { header: piece.tokens, segments: [], rest: [], strayBraces: [] }
  const { tokens } = piece
  const words = clausesOf(piece.kind)
  const openAt = tokens.findIndex((token) => token.tokenType === LeftBrace)
  const closeAt = openAt < 0 ? lastBrace(tokens, 0, tokens.length) : lastBrace(tokens, openAt + 1, nextBrace(tokens, openAt + 1))
  const end = closeAt < 0 ? tokens.length : closeAt
  const counted = bracketsBalance(tokens, end)

  const segments: Segment[] = []
  const strayBraces: Token[] = []
  let segment: Segment | undefined
  let depth = 0
  let boundary = openAt >= 0
  const first = openAt + 1
  let headerEnd = openAt
  for (let at = first; at < end; at++) {
    const token = tokens[at]!
    const { tokenType } = token
    if (depth === 0 || !counted) {
      if (tokenType === Semicolon || tokenType === RightBrace) {
        if (tokenType === RightBrace) strayBraces.push(token)
        if (openAt < 0 && headerEnd < 0) headerEnd = at
        segment = undefined
        boundary = true
        continue
      }
      if (boundary || (token.standing !== 'inside' && opensClause(tokens, at, words, piece.kind, segment))) {
        if (openAt < 0 && headerEnd < 0) headerEnd = at
        segment = []
        segments.push(segment)
        boundary = false
      }
    }
    if (tokenType === LeftParen || tokenType === LeftBracket) depth++
    else if (tokenType === RightParen || tokenType === RightBracket) depth--
    segment?.push(token)
  }
  if (headerEnd < 0) headerEnd = end
  return {
    header: tokens.slice(0, headerEnd),
    open: tokens[openAt],
    close: tokens[closeAt],
    segments,
    rest: closeAt < 0 ? [] : tokens.slice(closeAt + 1),
    strayBraces,
  }
}

const opensClause = (
  tokens: readonly Token[],
  at: number,
  words: ReadonlyMap<string, unknown>,
  kind: DeclarationKind,
  segment: Segment | undefined,
): boolean => {
  const text = wordOfType(tokens[at]!.tokenType)
  if (text === undefined || !words.has(text)) return false
  if (tokens[at - 1]?.tokenType === Dot && endOf(tokens[at - 1]!) === tokens[at]!.startOffset) return false
  if (tokens[at + 1]?.tokenType === Colon) return false
  // `from dealer` may go on with `cost 1.5 per row` on the next line; the clause `cost` names a slice first.
  if (kind === 'acquire' && text === 'cost' && segment !== undefined && wordOfType(segment[0]!.tokenType) === 'from') {
    const next = tokens[at + 1]?.tokenType
    return next !== Digits && next !== Minus
  }
  return true
}

/** Whether round and square brackets close in the order in which they opened. */
const bracketsBalance = (tokens: readonly Token[], end: number): boolean => {
  const open: Token['tokenType'][] = []
  for (let at = 0; at < end; at++) {
    const { tokenType } = tokens[at]!
    if (tokenType === LeftParen) open.push(RightParen)
    else if (tokenType === LeftBracket) open.push(RightBracket)
    else if ((tokenType === RightParen || tokenType === RightBracket) && open.pop() !== tokenType) return false
  }
  return open.length === 0
}

const nextBrace = (tokens: readonly Token[], from: number): number => {
  for (let at = from; at < tokens.length; at++) if (tokens[at]!.tokenType === LeftBrace) return at
  return tokens.length
}

const lastBrace = (tokens: readonly Token[], from: number, to: number): number => {
  for (let at = to - 1; at >= from; at--) if (tokens[at]!.tokenType === RightBrace) return at
  return -1
}
