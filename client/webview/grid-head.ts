import type { TableSection } from '../../server/src/protocol/pages.ts'
import { h } from './h.ts'
import { icon } from './icons.ts'
import type { Spot } from './spot.ts'
import type { Sort } from './state.ts'
import { shown } from './text.ts'

/** The heads of a grid's columns: the first selects, the others sort. */
export interface GridHead {
  readonly element: HTMLElement
  readonly count: number
  show(sort: Sort | undefined, spot: Spot, selection: 'none' | 'some' | 'all'): void
  focus(cell: number): void
  press(cell: number): void
}

export function gridHead(
  section: TableSection,
  selectable: 'selectable' | 'plain',
  onSort: (column: number) => void,
  onAll: () => void,
): GridHead {
  const cells: HTMLElement[] = []
  const actions: (() => void)[] = []
  const add = (cell: HTMLElement, act: () => void) => {
    cell.tabIndex = -1
    cell.setAttribute('aria-colindex', String(cells.length + 1))
    cell.addEventListener('click', act)
    cells.push(cell)
    actions.push(act)
  }
  const all =
    selectable === 'selectable'
      ? h(
          'div',
          { class: 'cell check', role: 'columnheader', attributes: { 'aria-label': 'Select all rows', title: 'Select all rows' } },
          h('i', { class: 'box' }),
        )
      : undefined
  if (all) add(all, onAll)
  const columns = section.columns.map((column, c) => {
    const cell = h(
      'div',
      { class: `cell ${column.type}`, role: 'columnheader' },
      h('span', { class: 'name', attributes: { title: shown(column.name, 400) } }, shown(column.name, 200)),
      column.type !== 'picture' && icon('up'),
      column.type !== 'picture' && icon('down'),
    )
    add(cell, () => onSort(c))
    return cell
  })
  const more = h('div', { class: 'cell more', role: 'columnheader' }, h('span', { class: 'hidden' }, 'Open the row'))
  add(more, () => {})
  return {
    element: h(
      'div',
      { class: 'head', role: 'rowgroup' },
      h('div', { class: 'row', role: 'row', attributes: { 'aria-rowindex': '1' } }, ...cells),
    ),
    count: cells.length,
    show: (sort, spot, selection) => {
      for (const [i, cell] of cells.entries()) cell.tabIndex = spot.row === 'heads' && spot.cell === i ? 0 : -1
      for (const [c, cell] of columns.entries()) {
        const column = section.columns[c]!
        if (column.type === 'picture') continue
        cell.setAttribute('aria-sort', sort?.column === column.name ? sort.order : 'none')
      }
      all?.classList.toggle('on', selection === 'all')
      all?.classList.toggle('half', selection === 'some')
      all?.setAttribute('aria-label', selection === 'all' ? 'Select no row' : 'Select all rows')
    },
    focus: (cell) => cells[Math.min(cell, cells.length - 1)]?.focus(),
    press: (cell) => actions[cell]?.(),
  }
}
