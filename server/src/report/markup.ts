import { inertLines } from './inert.ts'

/** Markup that is known to be well-formed; everything else that goes into a page is text and is escaped. */
export interface Markup {
  readonly markup: string
}
type Part = Markup | string | number | undefined | readonly Part[]

/** `html\`<td>${text}</td>\``: strings and numbers are escaped and made inert, markup and lists of it go in as they are. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let out = strings[0] ?? ''
  parts.forEach((part, i) => {
    out += textOf(part) + (strings[i + 1] ?? '')
  })
  return { markup: out }
}

/** Markup from a library of ours or from `charts.ts`: never from data. */
export function trusted(markup: string): Markup {
  return { markup }
}

function textOf(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return escaped(inertLines(part))
  if (typeof part === 'number') return String(part)
  if ('markup' in part) return part.markup
  return part.map(textOf).join('')
}

function escaped(text: string): string {
  // Groups of digits stay together.
  return text.replace(/(?<=\d) (?=\d{3}(?!\d))/g, '\u00a0').replace(/[&<>"'`]/g, (letter) => entities[letter] ?? letter)
}
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }
