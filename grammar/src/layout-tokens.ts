/**
 * The tokens of a clause or header as a document: where blanks go, where lines may break, and comments where they were. Works on tokens that have been
 * parsed without an error (see `Token.role`), so it loses nothing that the tree leaves out: parentheses, spellings of numbers, quotes.
 */
import { align, blank, concat, type Doc, fill, group, line, lineBreak, text } from './doc.ts'
import type { Comment, Token } from './lexer.ts'
import {
  Colon,
  Comma,
  Dot,
  Label,
  LeftBracket,
  LeftParen,
  Quoted,
  RightBracket,
  RightParen,
  Semicolon,
  Text,
  wordOfType,
} from './vocabulary.ts'

/** What the layout needs to know about the file around the tokens. */
export interface Setting {
  readonly source: string
  /** Comments before a token, and behind it on its line. */
  readonly before: ReadonlyMap<Token, readonly Comment[]>
  readonly behind: ReadonlyMap<Token, readonly Comment[]>
  /** Words that would open a clause at the start of a line. */
  readonly clauseWords: ReadonlySet<string>
  /** Tokens that end a clause or declaration: what is behind them does not break the lines inside it, and is added by `behindDoc`. */
  readonly last: ReadonlySet<Token>
}

/** A token as the formatter writes it. */
export const spell = (token: Token): string => {
  if (token.role === 'name' || token.tokenType === Quoted || token.tokenType === Text || token.tokenType === Label) return token.image
  if (token.image === '!=') return '<>'
  return token.role === 'callee' || wordOfType(token.tokenType) !== undefined ? token.image.toLowerCase() : token.image
}

export const commentText = (source: string, comment: Comment): string => source.slice(comment.start, comment.end).trimEnd()

/** A token with its comments. */
export const tokenDoc = (token: Token, around: Setting): Doc => {
  const parts: Doc[] = []
  for (const comment of around.before.get(token) ?? []) parts.push(lineBreak, text(commentText(around.source, comment)), lineBreak)
  parts.push(text(spell(token)))
  if (!around.last.has(token) && around.behind.has(token)) parts.push(behindDoc(token, around), lineBreak)
  return concat(parts)
}

/** The comment behind a token on its line. */
export const behindDoc = (token: Token, around: Setting): Doc =>
  concat((around.behind.get(token) ?? []).flatMap((comment) => [blank(2), text(commentText(around.source, comment))]))

/** A run of tokens that begins where the document does. */
export const layTokens = (tokens: readonly Token[], around: Setting): Doc => layList(tokens, 0, tokens.length, around, 'clause')

type Level = 'clause' | 'bracket'

const isWord = (token: Token | undefined, ...words: readonly string[]): boolean => {
  const found = token && wordOfType(token.tokenType)
  return found !== undefined && token?.role === undefined && words.includes(found)
}

/** A break before the token at `at`, or only a blank where the token would be read as a clause there. */
const lineBefore = (tokens: readonly Token[], at: number, around: Setting, level: Level): Doc => {
  const token = tokens[at]!
  const found = wordOfType(token.tokenType)
  const wouldOpen = found !== undefined && around.clauseWords.has(found) && (level === 'clause' || token.role !== undefined)
  return wouldOpen ? blank(1) : line
}

/** The index behind the bracket or `case` that opens at `at`, or `at + 1`. */
const behindGroup = (tokens: readonly Token[], at: number, end: number): number => {
  const token = tokens[at]!
  const opens = token.tokenType === LeftParen || token.tokenType === LeftBracket
  if (!opens && !isWord(token, 'case')) return at + 1
  let depth = 0
  for (let index = at; index < end; index++) {
    const { tokenType } = tokens[index]!
    if (tokenType === LeftParen || tokenType === LeftBracket || isWord(tokens[index], 'case')) depth++
    if (tokenType === RightParen || tokenType === RightBracket || isWord(tokens[index], 'end')) depth--
    if (depth === 0) return index + 1
  }
  return end
}

/** The tokens at this level, brackets and `case … end` skipped, where `splits` says so. */
const splitPoints = (tokens: readonly Token[], from: number, to: number, splits: (token: Token) => boolean): number[] => {
  const found: number[] = []
  let betweens = 0
  for (let at = from; at < to; at = behindGroup(tokens, at, to)) {
    const token = tokens[at]!
    if (isWord(token, 'between')) betweens++
    const endsBetween = betweens > 0 && isWord(token, 'and')
    if (endsBetween) betweens--
    else if (splits(token)) found.push(at)
  }
  return found
}

/** Items between commas, or a select. */
const layList = (tokens: readonly Token[], from: number, to: number, around: Setting, level: Level): Doc => {
  if (from >= to) return concat([])
  if (isWord(tokens[from], 'select')) return laySelect(tokens, from, to, around, level)
  const commas = splitPoints(tokens, from, to, (token) => token.tokenType === Comma)
  if (commas.length === 0) return layItem(tokens, from, to, around, level)
  const items: Doc[] = []
  const starts: number[] = []
  let start = from
  for (const comma of [...commas, to]) {
    const item = layItem(tokens, start, comma, around, level)
    items.push(comma === to ? item : concat([item, tokenDoc(tokens[comma]!, around)]))
    starts.push(start)
    start = comma + 1
  }
  const labelled = starts.some((at) => tokens[at]?.tokenType === Label)
  const parts = items.flatMap((item, index) => (index === 0 ? [item] : [lineBefore(tokens, starts[index]!, around, level), item]))
  return align('here', labelled ? group(concat(parts)) : fill(parts))
}

/** One item: `where` and its condition apart, `or` and `and` at the start of lines. */
const layItem = (tokens: readonly Token[], from: number, to: number, around: Setting, level: Level): Doc => {
  const [where] = splitPoints(tokens, from, to, (token) => isWord(token, 'where'))
  if (where !== undefined && where > from) {
    const condition = concat([tokenDoc(tokens[where]!, around), blank(1), layCondition(tokens, where + 1, to, around, level, 'or')])
    return align('here', group(concat([layItem(tokens, from, where, around, level), lineBefore(tokens, where, around, level), condition])))
  }
  return layCondition(tokens, from, to, around, level, 'or')
}

const layCondition = (tokens: readonly Token[], from: number, to: number, around: Setting, level: Level, word: 'or' | 'and'): Doc => {
  const points = splitPoints(tokens, from, to, (token) => isWord(token, word))
  const inner = (start: number, end: number): Doc =>
    word === 'or' ? layCondition(tokens, start, end, around, level, 'and') : layRow(tokens, start, end, around)
  if (points.length === 0) return inner(from, to)
  const parts: Doc[] = [inner(from, points[0]!)]
  for (const [index, point] of points.entries()) {
    const end = points[index + 1] ?? to
    parts.push(line, tokenDoc(tokens[point]!, around), blank(1), align('here', inner(point + 1, end)))
  }
  return align('here', group(concat(parts)))
}

/** Tokens one behind the other. */
const layRow = (tokens: readonly Token[], from: number, to: number, around: Setting): Doc => {
  const parts: Doc[] = []
  let at = from
  while (at < to) {
    const token = tokens[at]!
    if (at > from) parts.push(blank(gapBefore(tokens, at)))
    const behind = behindGroup(tokens, at, to)
    if (behind === at + 1) parts.push(tokenDoc(token, around))
    else if (isWord(token, 'case')) parts.push(layCase(tokens, at, behind, around))
    else {
      const inside = align('here', layList(tokens, at + 1, behind - 1, around, 'bracket'))
      parts.push(concat([tokenDoc(token, around), inside, tokenDoc(tokens[behind - 1]!, around)]))
    }
    at = behind
  }
  return concat(parts)
}

/** `case when … then … else … end`; broken, each `when` on a line. */
const layCase = (tokens: readonly Token[], from: number, to: number, around: Setting): Doc => {
  const points = splitPoints(tokens, from + 1, to - 1, (token) => isWord(token, 'when', 'else'))
  const first = points[0] ?? to - 1
  const head: Doc[] = [tokenDoc(tokens[from]!, around), blank(1)]
  if (first > from + 1) head.push(layCondition(tokens, from + 1, first, around, 'bracket', 'or'), blank(1))
  const branches = points.map((point, index) => layBranch(tokens, point, points[index + 1] ?? to - 1, around))
  const body = align('here', concat(branches.flatMap((branch, index) => (index === 0 ? [branch] : [line, branch]))))
  return align('here', group(concat([...head, body, line, tokenDoc(tokens[to - 1]!, around)])))
}

const layBranch = (tokens: readonly Token[], from: number, to: number, around: Setting): Doc => {
  const [then] = splitPoints(tokens, from + 1, to, (token) => isWord(token, 'then'))
  const word = tokenDoc(tokens[from]!, around)
  if (then === undefined) return concat([word, blank(1), layCondition(tokens, from + 1, to, around, 'bracket', 'or')])
  const condition = layCondition(tokens, from + 1, then, around, 'bracket', 'or')
  const value = layCondition(tokens, then + 1, to, around, 'bracket', 'or')
  return concat([word, blank(1), condition, blank(1), tokenDoc(tokens[then]!, around), blank(1), value])
}

const selectParts = ['from', 'join', 'inner', 'left', 'where', 'group', 'having', 'order', 'limit']

/** Broken, each part on a line; in the list as many items on a line as fit, a `case` on one of its own. */
const laySelect = (tokens: readonly Token[], from: number, to: number, around: Setting, level: Level): Doc => {
  const points = splitPoints(tokens, from + 1, to, (token) => isWord(token, ...selectParts)).filter(
    (at) => !(isWord(tokens[at], 'join') && isWord(tokens[at - 1], 'inner', 'left', 'outer')),
  )
  const ends = [...points.slice(1), to]
  const parts = points.map((point, index) => {
    const end = ends[index]!
    const on = splitPoints(tokens, point, end, (token) => isWord(token, 'on'))[0]
    const words = isWord(tokens[point], 'group', 'order') ? 2 : 1
    const head = layRow(tokens, point, on === undefined ? point + words : on + 1, around)
    const rest = on === undefined ? point + words : on + 1
    return concat([line, head, blank(1), align('here', layList(tokens, rest, end, around, level))])
  })
  return align('here', group(concat([laySelectList(tokens, from, points[0] ?? to, around, level), ...parts])))
}

const laySelectList = (tokens: readonly Token[], from: number, to: number, around: Setting, level: Level): Doc => {
  const head: Doc[] = [tokenDoc(tokens[from]!, around), blank(1)]
  let start = from + 1
  const body: Doc[] = []
  if (isWord(tokens[start], 'distinct')) body.push(tokenDoc(tokens[start++]!, around), blank(1))
  const commas = splitPoints(tokens, start, to, (token) => token.tokenType === Comma)
  const lines: Doc[][] = [[]]
  for (const comma of [...commas, to]) {
    const item = layItem(tokens, start, comma, around, level)
    const doc = comma === to ? item : concat([item, tokenDoc(tokens[comma]!, around)])
    const row = lines[lines.length - 1]!
    const before = lineBefore(tokens, start, around, level)
    if (row.length === 0) row.push(doc)
    else if (before === line && isWord(tokens[start], 'case')) lines.push([doc])
    else row.push(before, doc)
    start = comma + 1
  }
  for (const [index, row] of lines.entries()) body.push(...(index === 0 ? [] : [line]), fill(row))
  return concat([...head, align('here', concat(body))])
}

const tightBehind = new Set([LeftParen, LeftBracket, Dot])
const tightBefore = new Set([RightParen, RightBracket, Comma, Colon, Dot, Semicolon])

/** Blanks between a token and the one before it. */
const gapBefore = (tokens: readonly Token[], at: number): number => {
  const token = tokens[at]!
  const before = tokens[at - 1]!
  const { tokenType } = token
  if (before.role === 'sign') return token.role === 'sign' || token.image.startsWith('-') ? 1 : 0
  if (tightBehind.has(before.tokenType) || tightBefore.has(tokenType)) return 0
  if (tokenType === LeftParen) return before.role === 'callee' || before.role === 'name' || isWord(before, 'cast', 'hash') ? 0 : 1
  if (tokenType === LeftBracket && tokens[at + 1]?.tokenType === RightBracket && before.role === 'name') return 0
  return 1
}
