/** A whole file in canonical form: declarations, their blocks with an aligned column, and the comments between them. */
import type { DeclarationKind } from './ast.ts'
import { align, blank, concat, type Doc, group, line, render, text } from './doc.ts'
import { behindDoc, commentText, layTokens, type Setting, tokenDoc } from './layout-tokens.ts'
import { type Comment, endOf, type Lexed, type Token } from './lexer.ts'
import { type Block, type Piece, type Segment, splitBlock, splitFile } from './split.ts'
import { clausesOf } from './tokens.ts'
import { Digits, LeftBrace, RightBrace, wordOfType } from './vocabulary.ts'

/** Lines are broken beyond it where they can be. */
const width = 100
/** A declaration written on one line stays there up to this length. */
const oneLineWidth = 120
const indent = 2
/** Blanks behind the longest clause word, unless the author has aligned with another number of at most `widestGap`. */
const usualGap = 2
const widestGap = 4

type Around = Omit<Setting, 'clauseWords' | 'last'>

/** Something at the left margin. */
interface Item {
  readonly start: number
  readonly end: number
  readonly lines: 'one' | 'many'
  readonly render: (headerWidth: number) => string
  /** For a declaration on one line: its kind and the width of what stands before its block. */
  readonly row?: { readonly kind: DeclarationKind; readonly header: number }
}

/** Tokens must have been parsed without a problem. */
export const layFile = (source: string, lexed: Lexed): string => {
  const { pieces } = splitFile(lexed.tokens)
  const marginComments: Comment[] = []
  const around = attach(source, lexed, pieces, marginComments)
  const items: Item[] = [...pieces.map((piece) => layPiece(piece, around)), ...marginComments.map((comment) => layComment(source, comment))]
  items.sort((a, b) => a.start - b.start)

  let out = source.charCodeAt(0) === 0xfeff ? '\uFEFF' : ''
  let headerWidth = 0
  for (const [index, item] of items.entries()) {
    const before = items[index - 1]
    const blankLine = before !== undefined && wantsBlankLine(before, item, source)
    if (blankLine) out += '\n'
    if (before?.row === undefined || item.row === undefined || blankLine || before.row.kind !== item.row.kind)
      headerWidth = columnFrom(items, index, source)
    out += `${item.render(headerWidth)}\n`
  }
  return source.includes('\r\n') ? out.replaceAll('\n', '\r\n') : out
}

/** Comments to the tokens that they stand before or behind; those outside declarations are collected apart. */
const attach = (source: string, { tokens, comments }: Lexed, pieces: readonly Piece[], margin: Comment[]): Around => {
  const before = new Map<Token, Comment[]>()
  const behind = new Map<Token, Comment[]>()
  const openings = new Set(pieces.map((piece) => piece.opening))
  const add = (map: Map<Token, Comment[]>, token: Token, comment: Comment): void => {
    const list = map.get(token)
    if (list === undefined) map.set(token, [comment])
    else list.push(comment)
  }
  let next = 0
  for (const comment of comments) {
    while (next < tokens.length && tokens[next]!.startOffset < comment.start) next++
    const token = tokens[next]
    const last = tokens[next - 1]
    if (last !== undefined && comment.standing === 'inside') add(behind, last, comment)
    else if (token === undefined || openings.has(token)) margin.push(comment)
    else add(before, token, comment)
  }
  return { source, before, behind }
}

const layComment = (source: string, comment: Comment): Item => ({
  start: comment.start,
  end: comment.end,
  lines: 'one',
  render: () => commentText(source, comment),
})

const hasBreak = (source: string, start: number, end: number): boolean => /[\r\n]/.test(source.slice(start, end))

/** The blank lines of the author are kept, one at a time; a declaration of several lines always has one around it. */
const wantsBlankLine = (before: Item, item: Item, source: string): boolean => {
  if (before.lines === 'many') return true
  const isComment = before.row === undefined && source.startsWith('--', before.start)
  if (item.lines === 'many' && !isComment) return true
  return (source.slice(before.end, item.start).match(/\r\n|\r|\n/g)?.length ?? 0) > 1
}

/** The widest header among the declarations on lines right below each other that begin at `index`. */
const columnFrom = (items: readonly Item[], index: number, source: string): number => {
  const first = items[index]!
  if (first.row === undefined) return 0
  let widest = first.row.header
  for (let at = index + 1; at < items.length; at++) {
    const item = items[at]!
    if (item.row === undefined || item.row.kind !== first.row.kind || wantsBlankLine(items[at - 1]!, item, source)) break
    widest = Math.max(widest, item.row.header)
  }
  return widest
}

const layPiece = (piece: Piece, outer: Around): Item => {
  const { opening, tokens, kind } = piece
  const clauseWords = kind === 'import' ? new Set<string>() : new Set(clausesOf(kind).keys())
  const all = [opening, ...tokens]
  const last = all[all.length - 1]!
  const block = splitBlock(piece)
  const around: Setting = { ...outer, clauseWords, last: new Set([last, ...block.segments.map((segment) => segment[segment.length - 1]!)]) }
  const place = { start: opening.startOffset, end: outer.behind.get(last)?.at(-1)?.end ?? endOf(last) }
  const behind = behindDoc(last, around)
  if (kind === 'import') return itemOf(place, concat([layImport(all, around), behind]))
  if (kind === 'slice') return itemOf(place, concat([laySlice(all, around), behind]))

  const oneLine = hasBreak(outer.source, opening.startOffset, endOf(last)) ? undefined : layOneLine(opening, block, kind, behind, around)
  if (oneLine !== undefined) return { ...place, lines: 'one', ...oneLine }
  return itemOf(place, concat([layHeader(opening, block, around), layBlock(block, kind, around), behind]))
}

const itemOf = (place: { start: number; end: number }, doc: Doc): Item => {
  const rendered = render(doc, width)
  return { ...place, lines: rendered.includes('\n') ? 'many' : 'one', render: () => rendered }
}

const layImport = (all: readonly Token[], around: Setting): Doc => {
  const open = all.findIndex((token) => token.tokenType === LeftBrace)
  const close = all.findIndex((token) => token.tokenType === RightBrace)
  const [opening, ...rest] = [all.slice(0, open), all.slice(open, open + 1), all.slice(open + 1, close), all.slice(close)]
  return align(indent, concat([layTokens(opening!, around), ...rest.flatMap((tokens) => [blank(1), layTokens(tokens, around)])]))
}

const laySlice = (all: readonly Token[], around: Setting): Doc => {
  const where = all.findIndex((token) => wordOfType(token.tokenType) === 'where' && token.role === undefined)
  const condition = concat([tokenDoc(all[where]!, around), blank(1), layTokens(all.slice(where + 1), around)])
  return align(indent, group(concat([layOpening(all[0]!, all.slice(1, where), around), line, condition])))
}

/** The opening word and what follows it; a list that is too long is aligned behind the word, never in the first column. */
const layOpening = (opening: Token, header: readonly Token[], around: Setting): Doc =>
  concat([tokenDoc(opening, around), blank(1), layTokens(header, around)])

const layHeader = (opening: Token, { header, open }: Block, around: Setting): Doc =>
  align(indent, concat([layOpening(opening, header, around), blank(1), tokenDoc(open!, around)]))

const layOneLine = (
  opening: Token,
  block: Block,
  kind: DeclarationKind,
  behind: Doc,
  around: Setting,
): Pick<Item, 'render' | 'row'> | undefined => {
  const doc = concat(block.segments.flatMap((segment, index) => [...(index === 0 ? [] : [text(';'), blank(1)]), layFlat(segment, around)]))
  const header = layOpening(opening, block.header, around)
  if (doc.hard || header.hard) return undefined
  const head = render(header, Number.POSITIVE_INFINITY)
  const body = render(doc, Number.POSITIVE_INFINITY)
  const rest = body === '' ? '{ }' : `{ ${body} }`
  if (head.length + 1 + rest.length > oneLineWidth) return undefined
  const tail = render(concat([text(rest), behind]), Number.POSITIVE_INFINITY)
  return { row: { kind, header: head.length }, render: (column) => `${head.padEnd(column)} ${tail}` }
}

const layFlat = (segment: Segment, around: Setting): Doc =>
  concat([tokenDoc(segment[0]!, around), blank(1), layTokens(segment.slice(1), around)])

/** The clauses on lines of their own, behind the brace that opens the block. */
const layBlock = (block: Block, kind: DeclarationKind, around: Setting): Doc => {
  const { segments, close, open } = block
  const column = indent + clauseColumn(segments, around.source)
  const supplies = kind === 'acquire' ? supplyColumns(segments, around) : new Map<Segment, Doc>()
  const parts: Doc[] = []
  let previous = endOf(open!)
  for (const segment of segments) {
    const start = firstOffset(segment[0]!, around)
    const blankLine = parts.length > 0 && (around.source.slice(previous, start).match(/\r\n|\r|\n/g)?.length ?? 0) > 1
    const body = supplies.get(segment) ?? layTokens(segment.slice(1), around)
    const word = tokenDoc(segment[0]!, around)
    const gap = column - indent - segment[0]!.image.length
    const clause = concat([word, blank(gap), align(column, body), behindDoc(segment[segment.length - 1]!, around)])
    if (blankLine) parts.push(emptyLine)
    parts.push(align(indent, concat([newLine, clause])))
    previous = lastOffset(segment, around)
  }
  // A comment before the brace is indented like the clauses.
  return concat([...parts, align(indent, leadingComments(close!, around)), align(0, newLine), closing(close!, around)])
}

const newLine: Doc = { kind: 'break', hard: true }
const emptyLine: Doc = align(0, concat([newLine, text('')]))

const leadingComments = (token: Token, around: Setting): Doc =>
  concat((around.before.get(token) ?? []).flatMap((comment) => [newLine, text(commentText(around.source, comment))]))

const closing = (token: Token, around: Setting): Doc => tokenDoc(token, { ...around, before: new Map() })

const firstOffset = (token: Token, around: Setting): number => around.before.get(token)?.[0]?.start ?? token.startOffset
const lastOffset = (segment: Segment, around: Setting): number => {
  const last = segment[segment.length - 1]!
  return around.behind.get(last)?.at(-1)?.end ?? endOf(last)
}

/** Where the clauses' contents begin: the author's column if words of several lengths share one that is near the longest, which is no accident. */
const clauseColumn = (segments: readonly Segment[], source: string): number => {
  const lengths = new Set<number>()
  const columns = new Set<number>()
  for (const [word, first] of segments as readonly (readonly Token[])[]) {
    lengths.add(word!.image.length)
    if (first !== undefined) columns.add(hasBreak(source, endOf(word!), first.startOffset) ? 0 : first.startOffset - word!.startOffset)
  }
  const longest = Math.max(0, ...lengths)
  const [column] = columns
  const aligned = lengths.size > 1 && columns.size === 1 && column !== undefined && column > longest && column <= longest + widestGap
  return aligned ? column : longest + usualGap
}

/** `from dealer  cost 1.5 per row  limit 5 rows` below each other get columns. */
const supplyColumns = (segments: readonly Segment[], around: Setting): Map<Segment, Doc> => {
  const laid = new Map<Segment, Doc>()
  let rows: { segment: Segment; cells: Doc[]; widths: number[] }[] = []
  const flush = (): void => {
    const widest = [0, 1, 2].map((cell) => Math.max(...rows.map((row) => row.widths[cell] ?? 0)))
    for (const { segment, cells, widths } of rows) {
      const parts = cells.flatMap((cell, index) => {
        const gap = index === 1 ? 1 : 2
        const before = cells[index - 1]
        return before === undefined ? [cell] : [blank(widest[index - 1]! - widths[index - 1]! + gap), cell]
      })
      laid.set(segment, concat(parts))
    }
    rows = []
  }
  for (const segment of segments) {
    const cells = supplyCells(segment, around)
    if (cells === undefined) {
      flush()
      continue
    }
    rows.push({ segment, cells, widths: cells.map((cell) => render(cell, Number.POSITIVE_INFINITY).length) })
  }
  flush()
  return laid
}

/** Source, cost, limit and condition of a supply; `undefined` for other clauses and where comments stand in between. */
const supplyCells = (segment: Segment, around: Setting): Doc[] | undefined => {
  if (wordOfType(segment[0]!.tokenType) !== 'from') return undefined
  const cuts = [1]
  for (const [at, token] of segment.entries()) {
    const word = token.role === undefined ? wordOfType(token.tokenType) : undefined
    const next = segment[at + 1]
    if (word === 'cost' && cuts.length === 1 && (next?.tokenType === Digits || next?.role === 'sign')) cuts.push(at)
    if (word === 'limit' && cuts.length === 2) cuts.push(at)
    if (word === 'where') {
      cuts.push(at)
      break
    }
  }
  const cells = cuts.map((cut, index) => layTokens(segment.slice(cut, cuts[index + 1]), around))
  return cells.slice(0, -1).some((cell) => cell.hard) ? undefined : cells
}
