import type { DeclarationKind } from '../../../grammar/src/ast.ts'
import { endOf, type Token } from '../../../grammar/src/lexer.ts'
import { type Piece, splitBlock, splitFile } from '../../../grammar/src/split.ts'
import {
  Bare,
  Comma,
  Dot,
  LeftBracket,
  LeftParen,
  Operator,
  Percent,
  Quoted,
  RightBracket,
  RightParen,
  Semicolon,
  Text,
  wordOfType,
} from '../../../grammar/src/vocabulary.ts'
import type { SpecFile } from '../workspace/snapshot.ts'

/** Where in the grammar a cursor stands, told from tokens alone: what is being typed hardly ever parses. */
export type Place =
  | { readonly kind: 'nowhere' }
  /** Where a declaration may begin. */
  | { readonly kind: 'top' }
  | { readonly kind: 'header'; readonly decl: DeclarationKind | 'import'; readonly before: readonly Token[] }
  /** Where a clause may begin; `clause` is the one above, if an expression in it may go on here. */
  | {
      readonly kind: 'clauses'
      readonly decl: DeclarationKind
      readonly used: readonly string[]
      readonly opening: Token
      readonly clause?: InClause
    }
  | ({ readonly kind: 'clause'; readonly opening: Token } & InClause)

export interface InClause {
  readonly decl: DeclarationKind
  readonly word: string
  /** The clause's tokens behind its word, up to the cursor, without the word that is being typed. */
  readonly before: readonly Token[]
  /** All of its tokens. */
  readonly all: readonly Token[]
}

export const isWordToken = (token: Token): boolean =>
  token.tokenType === Bare || token.tokenType === Quoted || wordOfType(token.tokenType) !== undefined
export const lower = (token: Token | undefined): string => token?.image.toLowerCase() ?? ''

/** The word that ends at the cursor or goes on behind it. */
export function typedAt(file: SpecFile, offset: number): Token | undefined {
  return file.lexed.tokens.find((token) => token.startOffset < offset && offset <= endOf(token) && isWordToken(token))
}

/** O(tokens of the file). */
export function placeAt(file: SpecFile, offset: number): Place {
  const { tokens, comments } = file.lexed
  if (comments.some((comment) => comment.start < offset && offset <= comment.end)) return { kind: 'nowhere' }
  if (tokens.some((token) => token.tokenType === Text && token.startOffset < offset && offset < endOf(token))) return { kind: 'nowhere' }
  const typed = typedAt(file, offset)
  const cursor = typed?.startOffset ?? offset
  const lineStart = file.text.lastIndexOf('\n', cursor - 1) + 1
  const firstOnLine = file.text.slice(lineStart, cursor).trim() === ''
  const others = tokens.filter((token) => token !== typed)
  const piece = pieceAt(splitFile(others).pieces, cursor)
  if (piece === undefined) return firstOnLine ? { kind: 'top' } : { kind: 'nowhere' }

  const behind = piece.tokens.filter((token) => token.startOffset < cursor)
  const { kind: decl, opening } = piece
  if (decl === 'import' || decl === 'slice')
    return firstOnLine && cursor === lineStart ? { kind: 'top' } : { kind: 'header', decl, before: behind }
  const { header, open, close, segments } = splitBlock({ ...piece, tokens: behind })
  if (open === undefined) return firstOnLine && cursor === lineStart ? { kind: 'top' } : { kind: 'header', decl, before: header }
  if (close !== undefined && depthOf(behind) === 0) return firstOnLine ? { kind: 'top' } : { kind: 'nowhere' }

  const whole = splitBlock(piece).segments
  const segment = segments.at(-1)
  const last = behind.at(-1)
  const word = segment && wordOfType(segment[0]!.tokenType)
  const all = whole.find((one) => one[0] === segment?.[0])?.slice(1) ?? []
  const clause: InClause | undefined = segment && word ? { decl, word, before: segment.slice(1), all } : undefined
  const fresh = last === open || last?.tokenType === Semicolon
  const nextLine = firstOnLine && !goesOn(clause?.before ?? [])
  if (fresh || nextLine || clause === undefined) {
    const used = whole.flatMap((one) => wordOfType(one[0]!.tokenType) ?? [])
    return { kind: 'clauses', decl, used, opening, clause: fresh ? undefined : clause }
  }
  return { kind: 'clause', opening, ...clause }
}

function pieceAt(pieces: readonly Piece[], cursor: number): Piece | undefined {
  return pieces.filter((piece) => piece.opening.startOffset < cursor).at(-1)
}

const depthOf = (tokens: readonly Token[]): number =>
  tokens.reduce((depth, token) => depth + (token.image === '{' ? 1 : token.image === '}' ? -1 : 0), 0)

/** Whether what was written promises more: an open bracket, a comma, an operator. */
function goesOn(before: readonly Token[]): boolean {
  const last = before.at(-1)
  if (last === undefined) return true
  return enclosing(before) !== undefined || last.tokenType === Comma || isOperator(last)
}

export function isOperator(token: Token | undefined): boolean {
  if (token === undefined || token.tokenType === Percent) return false
  const { tokenType } = token
  return tokenType === Operator || (tokenType.CATEGORIES ?? []).includes(Operator) || lower(token) === 'not'
}

export interface Enclosing {
  readonly open: Token
  /** The word right before the bracket. */
  readonly callee?: Token
  readonly argument: number
  /** The name before the colon of this argument. */
  readonly label?: string
  readonly labels: readonly string[]
  /** Index of the bracket in the tokens. */
  readonly at: number
}

/** The innermost bracket that is open behind these tokens. */
export function enclosing(before: readonly Token[]): Enclosing | undefined {
  const open: number[] = []
  for (const [at, { tokenType }] of before.entries()) {
    if (tokenType === LeftParen || tokenType === LeftBracket) open.push(at)
    if (tokenType === RightParen || tokenType === RightBracket) open.pop()
  }
  const at = open.at(-1)
  if (at === undefined) return undefined
  const inside = before.slice(at + 1)
  let argument = 0
  let label: string | undefined
  const labels: string[] = []
  let depth = 0
  for (const [i, token] of inside.entries()) {
    const { tokenType } = token
    if (tokenType === LeftParen || tokenType === LeftBracket) depth++
    if (tokenType === RightParen || tokenType === RightBracket) depth--
    if (depth > 0) continue
    if (tokenType === Comma) {
      argument++
      label = undefined
    }
    if (inside[i + 1]?.image === ':') {
      label = lower(token)
      labels.push(label)
    }
  }
  const callee = before[at - 1]
  return { open: before[at]!, callee: callee && isWordToken(callee) ? callee : undefined, argument, label, labels, at }
}

/** The name before a dot that the cursor stands behind. */
export function qualifier(before: readonly Token[]): Token | undefined {
  const dot = before.at(-1)
  if (dot?.tokenType !== Dot) return undefined
  const name = before.at(-2)
  return name && isWordToken(name) ? name : undefined
}

/** A name's text as written, without quotes. */
export const nameText = (token: Token): string =>
  token.tokenType === Quoted ? token.image.slice(1, -1).replaceAll('""', '"') : token.image
