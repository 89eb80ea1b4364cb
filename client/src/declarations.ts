/** What is declared in a spec, as the server's outline tells it. Lines count from 0. */
export interface Declared {
  readonly name: string
  /** `assert`, `complaint`, … */
  readonly kind: string
  readonly range: Span
  readonly nameRange: Span
}
export interface Span {
  readonly start: Place
  readonly end: Place
}
interface Place {
  readonly line: number
  readonly character: number
}

/** The protocol's document symbol, as far as it is read here: its detail begins with the kind. */
export interface OutlineSymbol {
  readonly name: string
  readonly detail?: string
  readonly range: Span
  readonly selectionRange: Span
}

export function declaredOf(symbols: readonly OutlineSymbol[]): Declared[] {
  return symbols.map(({ name, detail, range, selectionRange }) => ({ name, kind: kindIn(detail), range, nameRange: selectionRange }))
}

/** `assert · frames` → `assert`. */
export const kindIn = (detail: string | undefined): string => (detail ?? '').split(' · ')[0]!.trim()

/** The declaration that a cursor is in, or whose comment it is in. */
export function declaredAt(declared: readonly Declared[], line: number, lineText: (line: number) => string): Declared | undefined {
  const around = declared.find(({ range }) => range.start.line <= line && line <= range.end.line)
  if (around) return around
  let at = line
  while (/^\s*--/.test(lineText(at))) at++
  return at === line ? undefined : declared.find(({ range }) => range.start.line === at)
}

/** Names of the language are the same in upper and lower case. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export const spends = (kind: string): boolean => kind === 'acquire' || kind === 'cycle'
