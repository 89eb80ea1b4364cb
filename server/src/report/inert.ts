/**
 * Text that came from data or from a file, made harmless: control characters (terminal escapes among them), marks that reverse the direction
 * of writing, invisible characters and lone surrogates are spelled out (`\u202e`), and very long text is cut, saying so. O(limit).
 */
export function inert(text: string, limit = 160): string {
  if (text.length <= limit) return text.replace(dangerous, spell)
  const whole = text.codePointAt(limit - 1)! > 0xffff ? limit - 1 : limit
  return `${text.slice(0, whole).replace(dangerous, spell)}… (${text.length} characters)`
}

/** The same for text of several lines, whose breaks stay: a declaration, SQL. */
export function inertLines(text: string, limit = 20_000): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  return cut
    .split(/\r\n|\n/)
    .map((line) => inert(line, limit))
    .join('\n')
}

/** The same for text that JSON has already quoted: what JSON leaves as it is becomes `\uXXXX`, which any reader undoes. */
export function inertJson(json: string): string {
  return json.replace(hiddenInJson, (found) => {
    let out = ''
    for (let i = 0; i < found.length; i++) out += `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`
    return out
  })
}

/** Columns that text takes on a terminal, near enough: marks take none, wide letters and pictographs two. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const letter of text) {
    if (/^\p{M}$/u.test(letter)) continue
    width += wide.test(letter) ? 2 : 1
  }
  return width
}

// Controls, format characters (direction marks, zero-width ones, tags), lone surrogates, line and paragraph separators.
const dangerous = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const hiddenInJson = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])$/u

const shortNames: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
function spell(letter: string): string {
  const code = letter.codePointAt(0)!
  return shortNames[letter] ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`)
}
