/**
 * Text for notifications, which show links written as `[text](address)` and would follow commands in them: what came from data or files loses
 * its control characters and cannot be a link.
 */
export function inertText(text: string, limit = 400): string {
  const oneLine = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').replaceAll('](', '] (')
  return oneLine.length > limit ? `${oneLine.slice(0, limit - 1)}…` : oneLine
}

/** A cell of a markdown table as code: nothing in it is a link, a picture, or a new cell. */
export function markdownCell(text: string, limit = 80): string {
  const plain = inertText(text, limit).replaceAll('`', 'ˋ').replaceAll('\\', '⧵').replaceAll('|', '¦')
  return plain.trim() === '' ? ' ' : `\`${plain}\``
}
