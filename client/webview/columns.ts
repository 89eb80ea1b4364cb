import type { TableSection } from '../../server/src/protocol/pages.ts'

const sample = 240
/** Of a column, only its longest cells are measured: among those the widest nearly always is. */
const measured = 8
/** For what opens a row: a word where there is room, or only a sign. */
const openWidths = { word: 'var(--open-word)', sign: '40px' }
/** What a column takes at most before it shares what is left over, and a head beside its sign. */
const most = { text: 260, number: 170, head: 190 }

export interface Layout {
  /** For `grid-template-columns`: the same in every row, so that columns stand under each other. */
  readonly template: string
  /** Below this the table scrolls sideways. */
  readonly width: string
}

/** Widths from the columns' names and from at most 480 of their cells. Only columns whose text does not fit take what is left over. */
export function layoutOf(section: TableSection, font: string, pictureSize: number, selectable: 'selectable' | 'plain'): Layout {
  const pen = document.createElement('canvas').getContext('2d')!
  pen.font = font
  const wide = (text: string) => Math.ceil(pen.measureText(text.slice(0, 400)).width)
  const tracks: string[] = []
  const widths: string[] = []
  let grows = false
  const add = (least: string, grow: number) => {
    widths.push(least)
    grows ||= grow > 0
    tracks.push(grow > 0 ? `minmax(${least}, ${grow}fr)` : least)
  }
  if (selectable === 'selectable') add('36px', 0)
  const looked = sampled(section.rows.length)
  for (const [c, column] of section.columns.entries()) {
    if (column.type === 'picture') {
      add(`calc(${pictureSize}px + var(--pad))`, 0)
      continue
    }
    const longest = looked
      .map((i) => section.rows[i]!.cells[c] ?? '')
      .sort((a, b) => b.length - a.length)
      .slice(0, measured)
    const cells = Math.max(0, ...longest.map(wide))
    const head = Math.min(wide(column.name), most.head)
    const room = most[column.type]
    const content = Math.max(24, Math.min(cells, room)) + 2
    // Room for the sign of the order, and about the text, is less in a narrow panel: grid.css.
    add(`calc(max(${content}px, ${head}px + var(--sign)) + var(--pad))`, cells > room ? Math.min(cells, 900) : 0)
  }
  if (!grows) tracks.push('minmax(0, 1fr)')
  const openWidth = openWidths[section.rows.some((row) => row.why?.length) ? 'word' : 'sign']
  tracks.push(`var(--open, ${openWidth})`)
  return { template: tracks.join(' '), width: `calc(${[...widths, `var(--open, ${openWidth})`].join(' + ')})` }
}

/** All of few; of many, the first and then some, at distances that follow no rhythm of the data. */
function sampled(count: number): number[] {
  if (count <= 2 * sample) return Array.from({ length: count }, (_, i) => i)
  const first = Array.from({ length: sample }, (_, i) => i)
  return [...first, ...first.map((i) => Math.floor((((i + 1) * 0.618034) % 1) * count))]
}
