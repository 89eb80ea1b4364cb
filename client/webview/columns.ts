import type { TableSection } from '../../server/src/protocol/pages.ts'

const sample = 240
/** Of a letter's height. Digits and letters of the editor's fonts are about so wide. */
const letter = 0.56
const padding = 24
/** For what opens a row: a word, or only a sign. */
const openWidths = { word: 68, sign: 40 }

export interface Layout {
  /** For `grid-template-columns`: the same in every row, so that columns stand under each other. */
  readonly template: string
  /** Below this the table scrolls sideways. */
  readonly width: string
}

/** Widths from the columns' names and from at most 480 of their cells. Only columns whose text does not fit take what is left over. */
export function layoutOf(section: TableSection, fontSize: number, pictureSize: number, selectable: 'selectable' | 'plain'): Layout {
  const tracks: string[] = []
  let width = 0
  let grows = false
  const add = (least: number, grow: number) => {
    width += least
    grows ||= grow > 0
    tracks.push(grow > 0 ? `minmax(${least}px, ${grow}fr)` : `${least}px`)
  }
  if (selectable === 'selectable') add(36, 0)
  const looked = sampled(section.rows.length)
  for (const [c, column] of section.columns.entries()) {
    if (column.type === 'picture') {
      add(pictureSize + padding, 0)
      continue
    }
    let longest = 0
    for (const i of looked) longest = Math.max(longest, section.rows[i]!.cells[c]?.length ?? 0)
    const head = Math.min(column.name.length, 24) + 1.8
    const most = column.type === 'number' ? 22 : 34
    const letters = Math.max(4, head, Math.min(longest, most))
    add(Math.ceil(letters * fontSize * letter) + padding, longest > most ? Math.min(longest, 120) : 0)
  }
  if (!grows) tracks.push('minmax(0, 1fr)')
  const openWidth = openWidths[section.rows.some((row) => row.why?.length) ? 'word' : 'sign']
  tracks.push(`var(--open, ${openWidth}px)`)
  return { template: tracks.join(' '), width: `calc(${width}px + var(--open, ${openWidth}px))` }
}

/** All of few; of many, the first and then some, at distances that follow no rhythm of the data. */
function sampled(count: number): number[] {
  if (count <= 2 * sample) return Array.from({ length: count }, (_, i) => i)
  const first = Array.from({ length: sample }, (_, i) => i)
  return [...first, ...first.map((i) => Math.floor((((i + 1) * 0.618034) % 1) * count))]
}
