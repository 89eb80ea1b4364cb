/** Where a member's value stands in the text of an object. */
export interface Member {
  readonly start: number
  readonly end: number
}

/**
 * The values of members of the outermost object in a text, by name, up to the last that is wanted; none where the text is no object. A name that is
 * repeated counts where it stands first. O(length of the text); it does not check what it skips.
 */
export function membersOf(text: string, wanted: ReadonlySet<string>): ReadonlyMap<string, Member> {
  const found = new Map<string, Member>()
  let at = blanks(text, 0)
  if (text[at] !== '{') return found
  at++
  while (at < text.length && found.size < wanted.size) {
    at = blanks(text, at)
    if (text[at] === ',') {
      at++
      continue
    }
    if (text[at] !== '"') return found
    const nameEnd = stringEnd(text, at)
    const name = parsed(text.slice(at, nameEnd))
    at = blanks(text, nameEnd)
    if (text[at] !== ':') return found
    const start = blanks(text, at + 1)
    const end = valueEnd(text, start)
    if (end <= start) return found
    if (typeof name === 'string' && wanted.has(name) && !found.has(name)) found.set(name, { start, end })
    at = end
  }
  return found
}

/** What a piece of JSON says; a long integer as the text that it is, for a number would not hold it. */
export function parsed(json: string): unknown {
  if (/^-?\d{16,}$/.test(json)) return json
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function blanks(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  return at
}

function stringEnd(text: string, from: number): number {
  let at = from + 1
  for (;;) {
    at = text.indexOf('"', at)
    if (at < 0) return text.length
    let slashes = 0
    while (text[at - 1 - slashes] === '\\') slashes++
    at++
    if (slashes % 2 === 0) return at
  }
}

function valueEnd(text: string, from: number): number {
  const first = text[from]
  if (first === '"') return stringEnd(text, from)
  if (first !== '{' && first !== '[') {
    let at = from
    while (at < text.length && !',}] \t\r\n'.includes(text[at]!)) at++
    return at
  }
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const letter = text[at]
    if (letter === '"') at = stringEnd(text, at) - 1
    else if (letter === '{' || letter === '[') depth++
    else if ((letter === '}' || letter === ']') && --depth === 0) return at + 1
  }
  return text.length
}
