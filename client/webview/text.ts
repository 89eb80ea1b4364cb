import { h } from './h.ts'

/**
 * Text as it may be shown. The server has made it harmless already; this is the second lock: what controls a terminal or turns the direction of writing
 * is spelled out, and what nobody can read for its length is cut. O(limit).
 */
export function shown(text: string, limit = 2_000): string {
  const whole = text.length <= limit ? text : `${text.slice(0, limit)}… (${figure(text.length)} characters)`
  // Most text is plain, and asking that is ten times faster.
  return /^[ -~]*$/.test(whole) ? whole : whole.replace(dangerous, spell)
}

/** The same where line breaks mean something: a doc comment, SQL, a declaration. */
export function shownLines(text: string, limit = 100_000): string {
  const whole = text.length <= limit ? text : `${text.slice(0, limit)}\n… (${figure(text.length)} characters)`
  return whole.replace(dangerous, (letter) => (letter === '\n' || letter === '\t' ? letter : letter === '\r' ? '' : spell(letter)))
}

/** A sentence; what stands between backticks is code. */
export function prose(sentence: string): Node[] {
  // A number does not break between its groups.
  const parts = shown(sentence, 4_000)
    .replace(/(?<=\d) (?=\d{3}(?!\d))/g, '\u00a0')
    .split('`')
  return parts.map((part, i) => {
    if (i % 2 === 0) return document.createTextNode(part)
    return i < parts.length - 1 ? h('code', {}, part) : document.createTextNode(`\`${part}`)
  })
}

const thousands = /\B(?=(\d{3})+(?!\d))/g
/** A count with blanks between thousands, as everywhere in Assay. */
export function figure(count: number): string {
  return String(count).replace(thousands, ' ')
}

export function counted(count: number, what: string): string {
  return `${figure(count)} ${what}${count === 1 ? '' : 's'}`
}

const dangerous = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
function spell(letter: string): string {
  const code = letter.codePointAt(0)!
  if (letter === '\n') return '\\n'
  if (letter === '\r') return '\\r'
  if (letter === '\t') return '\\t'
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}
