/** Lines and columns count from 1, columns in UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** The offsets at which lines begin. Lines end at `\n`, `\r\n` or a lone `\r`. */
export type LineStarts = readonly number[]

/** One pass over the text. */
export const lineStarts = (text: string): LineStarts => {
  const starts = [0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10) starts.push(at + 1)
    if (code === 13 && text.charCodeAt(at + 1) !== 10) starts.push(at + 1)
  }
  return starts
}

/** O(log lines). An offset beyond the text is on its last line. */
export const placeAt = (starts: LineStarts, offset: number): Place => {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - starts[low]! + 1 }
}

/** The inverse of `placeAt`; a line beyond the last is taken as the last. */
export const offsetAt = (starts: LineStarts, place: Place): number => {
  const line = Math.min(Math.max(place.line, 1), starts.length)
  return starts[line - 1]! + place.column - 1
}
