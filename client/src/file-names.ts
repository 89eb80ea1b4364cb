/** A file's name out of any text, one that every system takes: no separators, no reserved characters or names, no dot or blank at its ends. */
export function fileNameFor(text: string, extension: string): string {
  const own = text.toLowerCase().endsWith(`.${extension}`) ? text.slice(0, -extension.length - 1) : text
  const plain = own
    .replace(/[\p{Cc}\p{Cf}<>:"/\\|?*\s]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80)
  const safe = plain === '' || /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(plain) ? `assay-${plain}`.replace(/-$/, '') : plain
  return `${safe}.${extension}`
}
