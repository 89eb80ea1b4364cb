/**
 * The language, from text to tree. `parse` is the door; behind it `lexer.ts` makes tokens, `split.ts` finds declarations and clauses by line starts
 * and words, and each of these is read by itself with the rules of the `*-rules.ts` files, so that an error stays where it is. `tokens.ts` and
 * `setting-table.ts` hold the words; `messages.ts` the sentences; `printer.ts` goes the other way. What is deliberately not here: whether clauses are missing
 * or doubled, and what names mean (`check`), and anything that knows a file, an editor or Node.
 */
import type { IRecognitionException } from 'chevrotain'
import type * as ast from './ast.ts'
import { clauseReaders, headerReaders } from './clause-readers.ts'
import type { Head } from './data-rules.ts'
import { docAbove, fileDoc } from './doc-comments.ts'
import { endOf, type Lexed, lex, spanOf, type Token } from './lexer.ts'
import { problem } from './messages.ts'
import type { Checking } from './parser-base.ts'
import { lineStarts, placeAt } from './positions.ts'
import { Refusal } from './refusal.ts'
import { SpendingRules } from './spending-rules.ts'
import { type Piece, splitBlock, splitFile } from './split.ts'
import { type Explained, explain, type Reading, unknownClause } from './syntax-error.ts'
import { clausesOf } from './tokens.ts'
import { wordOfType } from './vocabulary.ts'

export interface Parsed {
  readonly ast: ast.File
  readonly problems: ast.Problem[]
}

/** The tree of a file and what is wrong with it. Never throws; linear in the length of the text. */
export const parse = (text: string): Parsed => parseLexed(text, lex(text))

/** `parse` on tokens that the caller goes on using: they learn what they are (see `Token.role`). */
export const parseLexed = (text: string, { tokens, comments, problems: lexical }: Lexed): Parsed => {
  const { pieces, problems: structural } = splitFile(tokens)
  const problems = [...lexical, ...structural]
  const imports: ast.Import[] = []
  const declarations: ast.Declaration[] = []
  for (const piece of pieces) {
    if (piece.kind === 'import') {
      imports.push(readImport(piece, problems))
      continue
    }
    const doc = docAbove(text, comments, piece.opening.startOffset)
    declarations.push(readDeclaration(piece, piece.kind, doc, problems))
  }
  const doc = fileDoc(text, comments)
  const told = withoutEchoes(text, problems, lexical)
  told.sort((a, b) => a.start - b.start || a.end - b.end)
  const broken = withBroken(declarations, told)
  return { ast: { ...(doc !== undefined && { doc }), imports, declarations: broken, start: 0, end: text.length }, problems: told }
}

interface Read<T> extends Pick<Explained, 'resume' | 'lost'> {
  readonly value: T | undefined
  readonly problems: readonly ast.Problem[]
}

export class AssayParser extends SpendingRules {
  constructor(checking: Checking) {
    super(checking)
    this.performSelfAnalysis()
    this.live = true
  }

  /** Reads all of `reading.tokens` but the first by one rule. */
  read<T>(reading: Reading, rule: (rules: SpendingRules) => T): Read<T> {
    this.start(reading.tokens.slice(1))
    let value: T | undefined
    try {
      value = rule(this)
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown
      return { value: undefined, problems: [...this.noted, thrown.problem] }
    }
    const [error] = this.errors
    if (error === undefined) return { value, problems: this.noted.length === 0 ? none : [...this.noted] }
    const { problem: found, resume, lost } = explain(error as IRecognitionException, reading)
    return { value, problems: [...this.noted, found], resume, lost }
  }

  /** Like `read`, for a rule that fills `head`. */
  readHead(reading: Reading, rule: (rules: SpendingRules) => void): Read<Head> {
    this.head = {}
    return { ...this.read(reading, rule), value: this.head }
  }
}

const none: readonly ast.Problem[] = []

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => (made ??= make())
}
/** Made when first needed: analysing the grammar takes far longer than reading a file. */
const rules = once(() => new AssayParser('grammar trusted'))

const readImport = ({ opening, tokens }: Piece, problems: ast.Problem[]): ast.Import => {
  const all = [opening, ...tokens]
  const { value, problems: found } = rules().read({ what: 'import', kind: 'import', tokens: all, next: undefined }, (one) =>
    one.importBody(),
  )
  problems.push(...found)
  return {
    names: value?.names ?? [],
    ...(value?.path && { path: value.path }),
    start: opening.startOffset,
    end: endOf(all[all.length - 1]!),
  }
}

const readDeclaration = (piece: Piece, kind: ast.DeclarationKind, doc: string | undefined, problems: ast.Problem[]): ast.Declaration => {
  const { opening } = piece
  const { header, open, close, segments, rest, strayBraces } = splitBlock(piece)
  const reading: Reading = { what: 'header', kind, tokens: [opening, ...header], next: open }
  const { value: head = {}, problems: found, lost } = rules().readHead(reading, headerReaders[kind])
  problems.push(...found)
  if (kind !== 'slice') {
    if (open === undefined && found.length === 0) {
      const next = segments[0]?.[0] ?? close
      const span = next ?? header[header.length - 1] ?? opening
      problems.push(
        problem('missing-block', spanOf(span), { kind, found: next === undefined ? 'the end of the declaration' : `\`${next.image}\`` }),
      )
    }
    if (open !== undefined && close === undefined) problems.push(problem('unclosed-block', spanOf(open), { kind, name: head.name?.text }))
  }
  for (const brace of strayBraces) problems.push(problem('stray-brace', spanOf(brace), {}))
  if (rest[0] !== undefined) problems.push(problem('outside-declaration', spanOf(rest[0]), { found: `\`${rest[0].image}\`` }))

  const clauses: ast.AnyClause[] = []
  for (const [index, segment] of segments.entries()) readClauses(segment, kind, segments[index + 1]?.[0] ?? close, clauses, problems)

  const inHeader = lost === undefined ? header.at(-1) : header[lost - 2]
  const last = close ?? segments.at(-1)?.at(-1) ?? open ?? inHeader ?? opening
  const node: Record<string, unknown> = { kind, keyword: spanOf(opening), clauses, start: opening.startOffset, end: endOf(last) }
  if (doc !== undefined) node.doc = doc
  if (piece.misspelt) node.broken = true
  addHead(node, kind, head)
  // Which fields there are is decided by the tables of rules; the type of a union cannot follow them.
  return node as unknown as ast.Declaration
}

/** The clause of a segment, and those that begin where it turns out to have ended. */
const readClauses = (
  segment: readonly Token[],
  kind: ast.DeclarationKind,
  next: Token | undefined,
  clauses: ast.AnyClause[],
  problems: ast.Problem[],
): void => {
  let tokens = segment
  let word = wordOfType(tokens[0]!.tokenType)
  if (word === undefined || !clausesOf(kind).has(word)) {
    const unknown = unknownClause(tokens[0]!, 0, kind)
    problems.push(unknown.problem)
    word = unknown.resume?.word
  }
  while (word !== undefined) {
    const reading: Reading = { what: 'clause', kind, tokens, next }
    const { value, problems: found, resume } = rules().read(reading, clauseReaders[kind][word]!)
    problems.push(...found)
    const end = endOf(tokens[(resume?.at ?? tokens.length) - 1]!)
    const keyword = spanOf(tokens[0]!)
    if (value !== undefined) clauses.push({ word, keyword, ...value, start: keyword.start, end } as unknown as ast.AnyClause)
    if (resume === undefined) return
    tokens = tokens.slice(resume.at)
    word = resume.word
  }
}

/** What the header says, under the names that the tree has for this kind. */
const addHead = (node: Record<string, unknown>, kind: ast.DeclarationKind, { name, on, using, against, forModel, where }: Head): void => {
  if (name !== undefined) node.name = name
  if (on !== undefined) node.on = kind === 'model' || kind === 'partition' || kind === 'slice' ? on.source : on
  if (where !== undefined) node.where = where
  if (against !== undefined) node.against = against
  if (forModel !== undefined) node.model = forModel
  if (kind === 'assert' || kind === 'complaint' || kind === 'find' || kind === 'estimate') node.using = using ?? []
  else if (using !== undefined) node.using = using[0]
}

/** What was not expected behind a meaningless character or an unclosed text on the same line is their echo. */
const withoutEchoes = (text: string, problems: readonly ast.Problem[], lexical: readonly ast.Problem[]): ast.Problem[] => {
  if (lexical.length === 0) return [...problems]
  const starts = lineStarts(text)
  const firstOnLine = new Map<number, number>()
  for (const { start } of lexical) {
    const { line } = placeAt(starts, start)
    if (!firstOnLine.has(line)) firstOnLine.set(line, start)
  }
  return problems.filter(
    (one) => one.code !== 'expected' || (firstOnLine.get(placeAt(starts, one.start).line) ?? Number.POSITIVE_INFINITY) > one.end,
  )
}

/** Marks the declarations inside which something is wrong. Both lists are in the order of the text. */
const withBroken = (declarations: readonly ast.Declaration[], problems: readonly ast.Problem[]): ast.Declaration[] => {
  let at = 0
  return declarations.map((declaration) => {
    while (at < problems.length && problems[at]!.start < declaration.start) at++
    const isInside = at < problems.length && problems[at]!.start < declaration.end
    return isInside && declaration.broken === undefined ? { ...declaration, broken: true } : declaration
  })
}
