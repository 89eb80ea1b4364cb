/** Which comments document what. */
import type { Comment } from './lexer.ts'

/** The text of the `---` lines that end on the line above `start`. O(log comments + lines of the doc). */
export const docAbove = (text: string, comments: readonly Comment[], start: number): string | undefined => {
  const lines: string[] = []
  let below = start
  for (let at = lastBefore(comments, start); at >= 0; at--) {
    const comment = comments[at]!
    if (!comment.doc || !isOneLineBreak(text.slice(comment.end, below))) break
    lines.unshift(textOf(text, comment))
    below = comment.start
  }
  return lines.length === 0 ? undefined : lines.join('\n')
}

/** The text of the `---` lines that the file begins with, if a blank line or nothing follows them. */
export const fileDoc = (text: string, comments: readonly Comment[]): string | undefined => {
  const lines: string[] = []
  let end = text.charCodeAt(0) === 0xfeff ? 1 : 0
  for (const comment of comments) {
    const gap = text.slice(end, comment.start)
    if (!comment.doc || (lines.length === 0 ? gap.trim() !== '' : !isOneLineBreak(gap))) break
    lines.push(textOf(text, comment))
    end = comment.end
  }
  const below = /^[^\S\r\n]*(?:\r\n|\r(?!\n)|\n)[^\S\r\n]*(?:[\r\n]|$)|^\s*$/.test(text.slice(end))
  return lines.length === 0 || !below ? undefined : lines.join('\n')
}

const lastBefore = (comments: readonly Comment[], offset: number): number => {
  let low = 0
  let high = comments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (comments[middle]!.end <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

const isOneLineBreak = (gap: string): boolean => /^[^\S\r\n]*(\r\n|\r|\n)[^\S\r\n]*$/.test(gap)
const textOf = (text: string, { start, end }: Comment): string => text.slice(start + 3, end).trim()
