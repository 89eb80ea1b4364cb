/** Names are compared as DuckDB compares them: ASCII letters in either case, everything else exactly. */
export const fold = (name: string): string =>
  PLAIN.test(name) ? name.toLowerCase() : name.replace(UPPER, (letter) => letter.toLowerCase())
export const sameName = (a: string, b: string): boolean => a === b || fold(a) === fold(b)

const PLAIN = /^[\x20-\x7f]*$/
const UPPER = /[A-Z]/g

/** The first name of each that occurs more than once, with the repetitions. */
export function repeated<T>(items: readonly T[], name: (item: T) => string): readonly { readonly first: T; readonly again: T }[] {
  if (items.length < 2) return []
  const seen = new Map<string, T>()
  const found: { first: T; again: T }[] = []
  for (const item of items) {
    const key = fold(name(item))
    const first = seen.get(key)
    if (first === undefined) seen.set(key, item)
    else found.push({ first, again: item })
  }
  return found
}
