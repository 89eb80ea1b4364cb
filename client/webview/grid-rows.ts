import type { TableSection } from '../../server/src/protocol/pages.ts'
import { h } from './h.ts'
import { icon } from './icons.ts'
import { type Spot, wholeRow } from './spot.ts'
import { shown } from './text.ts'
import { picture } from './why.ts'

/** Makes a grid's rows and fills them, again and again: a row that leaves at the top comes back at the bottom with other text. */
export interface GridRows {
  readonly make: () => HTMLElement
  readonly bind: (row: HTMLElement, position: number) => void
  /** Cells in a row that can have the focus. */
  readonly cells: number
  /** Of these, how many stand before the section's columns. */
  readonly before: number
  cellOf(target: EventTarget | null): number
  positionOf(target: EventTarget | null): number | undefined
  partOf(target: EventTarget | null): 'check' | 'picture' | 'more' | 'cell'
  focusIn(row: HTMLElement | undefined, cell: number): void
}
export interface RowFacts {
  readonly isSelected: (index: number) => boolean
  readonly isOpen: (index: number) => boolean
  readonly spot: () => Spot
  readonly aim: () => number | undefined
  readonly isEntry: (position: number) => boolean
  readonly indexAt: (position: number) => number
}

/** Longer text is cut in the table; the row's pane has all of it. */
const longest = 400

export function gridRows(section: TableSection, selectable: 'selectable' | 'plain', facts: RowFacts): GridRows {
  const bound = new WeakMap<HTMLElement, { position: number; index: number }>()
  const before = selectable === 'selectable' ? 1 : 0
  const count = before + section.columns.length + 1

  function make(): HTMLElement {
    const row = h('div', { class: 'row', role: 'row' })
    if (selectable === 'selectable') row.append(h('div', { class: 'cell check', role: 'gridcell' }, h('i', { class: 'box' })))
    for (const column of section.columns) row.append(h('div', { class: `cell ${column.type}`, role: 'gridcell' }))
    row.append(h('div', { class: 'cell more', role: 'gridcell' }, h('span'), icon('chevron')))
    for (const [i, cell] of [...row.children].entries()) cell.setAttribute('aria-colindex', String(i + 1))
    return row
  }

  function bind(row: HTMLElement, position: number): void {
    const index = facts.indexAt(position)
    const data = section.rows[index]
    if (!data) return
    const chosen = facts.isSelected(index)
    const spot = facts.spot()
    const here = facts.isEntry(position)
    if (bound.get(row)?.index !== index) fill(row, index)
    bound.set(row, { position, index })
    row.setAttribute('aria-rowindex', String(position + 2))
    if (selectable === 'selectable') {
      row.setAttribute('aria-selected', String(chosen))
      row.firstElementChild!.setAttribute('aria-label', chosen ? 'selected' : 'not selected')
    }
    row.classList.toggle('selected', chosen)
    row.classList.toggle('opened', facts.isOpen(index))
    row.classList.toggle('active', spot.row === index)
    row.tabIndex = here && spot.cell === wholeRow ? 0 : -1
    const aim = spot.row === index ? facts.aim() : undefined
    for (let c = 0; c < count; c++) {
      const cell = row.children[c] as HTMLElement
      cell.classList.toggle('aimed', aim !== undefined && c === before + aim)
      if (here && spot.row === index && spot.cell === c) cell.tabIndex = 0
      else if (cell.hasAttribute('tabindex')) cell.removeAttribute('tabindex')
    }
  }

  function fill(row: HTMLElement, index: number): void {
    const data = section.rows[index]!
    for (const [c, column] of section.columns.entries()) {
      const cell = row.children[before + c] as HTMLElement
      const text = shown(data.cells[c] ?? '', longest)
      if (column.type === 'picture') {
        const image = picture(data.picture, text)
        cell.replaceChildren(image ?? document.createTextNode(text))
      } else {
        cell.textContent = text
        if (text.length > 24) cell.title = text
        else cell.removeAttribute('title')
      }
    }
    const why = (data.why?.length ?? 0) > 0
    const more = row.lastElementChild as HTMLElement
    more.classList.toggle('has-why', why)
    more.firstElementChild!.textContent = why ? 'Why' : 'Open'
    more.firstElementChild!.className = why ? '' : 'hidden'
  }

  const rowOf = (target: EventTarget | null) => (target instanceof Element ? target.closest<HTMLElement>('.rows > .row') : null)
  return {
    make,
    bind,
    cells: count,
    before,
    cellOf: (target) => {
      const cell = target instanceof Element ? target.closest('.cell') : null
      return cell ? [...(cell.parentElement?.children ?? [])].indexOf(cell) : -1
    },
    positionOf: (target) => {
      const row = rowOf(target)
      return row ? bound.get(row)?.position : undefined
    },
    partOf: (target) => {
      const classes = target instanceof Element ? target.closest('.cell')?.classList : undefined
      if (classes?.contains('check')) return 'check'
      if (classes?.contains('more')) return 'more'
      return classes?.contains('picture') ? 'picture' : 'cell'
    },
    focusIn: (row, cell) => {
      if (!row) return
      const target = cell === wholeRow ? row : (row.children[cell] as HTMLElement | undefined)
      target?.focus({ preventScroll: cell === wholeRow })
    },
  }
}
