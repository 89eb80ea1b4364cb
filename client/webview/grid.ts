import type { TableSection } from '../../server/src/protocol/pages.ts'
import { layoutOf } from './columns.ts'
import { gridHead } from './grid-head.ts'
import { gridRows } from './grid-rows.ts'
import { h } from './h.ts'
import { orderOf } from './order.ts'
import { type Spot, wholeRow } from './spot.ts'
import { mostKept, rowId, type SectionState, type Sort } from './state.ts'
import { virtualRows } from './virtual-rows.ts'

/**
 * A table that can be walked by keyboard (ARIA's grid, one stop in the tab order). The focus is on a row: arrows, PageUp, PageDown, Home and End go from row
 * to row; ArrowRight enters the row's cells, ArrowLeft leaves them; above the first row are the heads, which sort. Space selects, Shift extends,
 * Ctrl+A takes every row shown, Enter opens the row.
 */
export interface Grid {
  readonly element: HTMLElement
  /** Indices of the section's rows, as they are shown. */
  readonly shownRows: () => Uint32Array
  /** Indices of the selected rows, in the order of the section. */
  readonly selection: () => readonly number[]
  /** The row that has, or last had, the focus; and the measured column that actions on a cell are about. */
  readonly active: () => number | undefined
  readonly aim: () => number | undefined
  filter(text: string): void
  clearSelection(): void
  /** Goes to a row, from elsewhere: a chart. */
  goTo(index: number): void
  focus(): void
  /** The pane has been opened or closed: marks the row that it shows. */
  markOpen(index: number | undefined): void
  restoreScroll(): void
}
export interface GridOptions {
  readonly section: TableSection
  readonly state: SectionState
  readonly labelledBy: string
  readonly save: () => void
  readonly onSelection: () => void
  readonly onOrder: () => void
  /** The focus is on a row, or has come to another cell of it. */
  readonly onActive: (index: number) => void
  readonly onOpen: (index: number) => void
  readonly onClose: () => void
  readonly onCopy: () => void
}

export function grid(options: GridOptions): Grid {
  const { section, state } = options
  const selectable = section.actions.length > 0 ? 'selectable' : 'plain'
  const withPictures = section.columns.some((column) => column.type === 'picture')
  const { font, fontSize } = getComputedStyle(document.body)
  const pictureSize = 56
  const rowHeight = withPictures ? pictureSize + 9 : Math.round((Number.parseFloat(fontSize) || 13) * 2.15)
  const layout = layoutOf(section, font, pictureSize, selectable)

  const ids = new Map<string, number>()
  if (state.active !== undefined || (state.selected?.length ?? 0) > 0) {
    for (let i = section.rows.length - 1; i >= 0; i--) ids.set(rowId(section.rows[i]!, i), i)
  }
  const selected = new Set<number>((state.selected ?? []).flatMap((id) => ids.get(id) ?? []))
  const spot: Spot = { row: (state.active === undefined ? undefined : ids.get(state.active)) ?? -1, cell: wholeRow }
  let opened: number | undefined
  const measured = section.columns.flatMap((column, c) => (column.measured ? [c] : []))
  let aim: number | undefined = section.columns[state.aim ?? -1]?.measured ? state.aim : measured[0]
  let anchor = -1
  let order: Uint32Array = new Uint32Array()
  let positions: Int32Array = new Int32Array()

  const body = h('div', { class: 'rows', role: 'rowgroup' })
  const head = gridHead(section, selectable, (c) => sortBy(c), toggleAll)
  const element = h(
    'div',
    { class: `grid${withPictures ? ' with-pictures' : ''}`, role: 'grid', attributes: { 'aria-labelledby': options.labelledBy } },
    head.element,
    body,
  )
  element.setAttribute('aria-colcount', String(section.columns.length + (selectable === 'selectable' ? 2 : 1)))
  if (selectable === 'selectable') element.setAttribute('aria-multiselectable', 'true')
  element.style.setProperty('--template', layout.template)
  element.style.setProperty('--least', layout.width)
  element.style.setProperty('--row', `${rowHeight}px`)
  const rows = gridRows(section, selectable, {
    isSelected: (index) => selected.has(index),
    isOpen: (index) => index === opened,
    spot: () => spot,
    aim: () => aim,
    isEntry: (position) => position === entry(),
    indexAt: (position) => order[position]!,
  })
  const virtual = virtualRows({ scroller: element, body, head: head.element, rowHeight: () => rowHeight, ...rows })

  /** The row that Tab leads to. */
  function entry(): number {
    if (spot.row === 'heads') return -1
    return Math.max(0, spot.row < 0 ? 0 : positions[spot.row]!)
  }

  function rearrange(): void {
    order = orderOf(section, state.filter ?? '', state.sort)
    positions = new Int32Array(section.rows.length).fill(-1)
    for (let i = 0; i < order.length; i++) positions[order[i]!] = i
    if (typeof spot.row === 'number' && spot.row >= 0 && positions[spot.row]! < 0) spot.row = -1
    element.setAttribute('aria-rowcount', String(order.length + 1))
    virtual.pin(typeof spot.row === 'number' && spot.row >= 0 ? positions[spot.row]! : -1)
    virtual.reset(order.length)
    showHead()
  }

  function showHead(): void {
    let chosen = 0
    for (const index of selected) if (positions[index]! >= 0) chosen++
    head.show(state.sort, spot, chosen === 0 ? 'none' : chosen === order.length ? 'all' : 'some')
  }

  function sortBy(c: number): void {
    const column = section.columns[c]
    if (!column || column.type === 'picture') return
    const before = state.sort?.column === column.name ? state.sort.order : undefined
    const next: Sort | undefined =
      before === undefined
        ? { column: column.name, order: 'ascending' }
        : before === 'ascending'
          ? { column: column.name, order: 'descending' }
          : undefined
    if (next) state.sort = next
    else delete state.sort
    reordered()
  }

  /** Another order is read from its beginning. */
  function reordered(): void {
    element.scrollTop = 0
    rearrange()
    options.onOrder()
    options.save()
  }

  function selectionChanged(): void {
    state.selected = selected.size <= mostKept ? [...selected].map((i) => rowId(section.rows[i]!, i)) : []
    virtual.refresh()
    showHead()
    options.onSelection()
    options.save()
  }

  function toggle(index: number): void {
    if (selectable === 'plain') return
    if (!selected.delete(index)) selected.add(index)
    anchor = index
    selectionChanged()
  }

  /** From the anchor to here, and nothing else. */
  function extendTo(position: number): void {
    if (selectable === 'plain') return
    const from = anchor >= 0 && positions[anchor]! >= 0 ? positions[anchor]! : position
    if (anchor < 0) anchor = order[position]!
    selected.clear()
    for (let p = Math.min(from, position); p <= Math.max(from, position); p++) selected.add(order[p]!)
    selectionChanged()
  }

  function toggleAll(): void {
    if (selectable === 'plain') return
    const all = order.every((index) => selected.has(index))
    if (all) for (const index of order) selected.delete(index)
    else for (const index of order) selected.add(index)
    selectionChanged()
  }

  function moveTo(position: number, cell: number): void {
    if (order.length === 0) return
    const bounded = Math.max(0, Math.min(order.length - 1, position))
    const index = order[bounded]!
    spot.row = index
    spot.cell = cell
    takeAim(cell)
    state.active = rowId(section.rows[index]!, index)
    virtual.pin(bounded)
    virtual.reveal(bounded)
    virtual.refresh()
    showHead()
    rows.focusIn(virtual.at(bounded), cell)
    options.onActive(index)
    options.save()
  }

  /** What can be expected of a cell is about the measured one that was last gone to. */
  function takeAim(cell: number): void {
    const c = cell - rows.before
    if (cell === wholeRow || !section.columns[c]?.measured) return
    aim = c
    state.aim = c
  }

  function toHeads(cell: number): void {
    spot.row = 'heads'
    spot.cell = Math.max(0, cell)
    virtual.refresh()
    showHead()
    head.focus(spot.cell)
  }

  element.addEventListener('keydown', (event) => {
    if (event.altKey) return
    const command = event.ctrlKey || event.metaKey
    const handled = spot.row === 'heads' ? keyInHeads(event) : keyInRows(event, command)
    if (handled) event.preventDefault()
  })

  function keyInHeads(event: KeyboardEvent): boolean {
    const last = head.count - 1
    switch (event.key) {
      case 'ArrowDown':
        moveTo(0, wholeRow)
        return true
      case 'ArrowLeft':
        toHeads(Math.max(0, spot.cell - 1))
        return true
      case 'ArrowRight':
        toHeads(Math.min(last, spot.cell + 1))
        return true
      case 'Home':
        toHeads(0)
        return true
      case 'End':
        toHeads(last)
        return true
      case 'Enter':
      case ' ':
        head.press(spot.cell)
        return true
      default:
        return false
    }
  }

  function keyInRows(event: KeyboardEvent, command: boolean): boolean {
    const at = typeof spot.row === 'number' && spot.row >= 0 ? positions[spot.row]! : 0
    const inCells = spot.cell !== wholeRow
    const go = (position: number) => {
      const bounded = Math.max(0, Math.min(order.length - 1, position))
      if (event.shiftKey && anchor < 0) anchor = order[at] ?? -1
      moveTo(bounded, spot.cell)
      if (event.shiftKey) extendTo(bounded)
    }
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1)
        return true
      case 'ArrowUp':
        if (at === 0 && !event.shiftKey) toHeads(Math.max(0, spot.cell))
        else go(at - 1)
        return true
      case 'PageDown':
        go(at + virtual.fitting())
        return true
      case 'PageUp':
        go(at - virtual.fitting())
        return true
      case 'Home':
        if (inCells && !command) moveTo(at, 0)
        else go(0)
        return true
      case 'End':
        if (inCells && !command) moveTo(at, rows.cells - 1)
        else go(order.length - 1)
        return true
      case 'ArrowRight':
        moveTo(at, Math.min(rows.cells - 1, spot.cell + 1))
        return true
      case 'ArrowLeft':
        moveTo(at, Math.max(wholeRow, spot.cell - 1))
        return true
      case ' ':
        if (event.shiftKey) extendTo(at)
        else if (order[at] !== undefined) toggle(order[at])
        return true
      case 'Enter':
        if (order[at] !== undefined) options.onOpen(order[at])
        return true
      case 'Escape':
        options.onClose()
        return true
      case 'a':
        if (!command || selectable === 'plain') return false
        for (const index of order) selected.add(index)
        selectionChanged()
        return true
      case 'c':
        if (!command || getSelection()?.toString()) return false
        options.onCopy()
        return true
      default:
        return false
    }
  }

  const indexOf = (event: MouseEvent) => rows.positionOf(event.target)
  body.addEventListener('click', (event) => {
    const position = indexOf(event)
    if (position === undefined) return
    const part = rows.partOf(event.target)
    const index = order[position]!
    if (event.shiftKey && selectable === 'selectable') {
      getSelection()?.removeAllRanges()
      extendTo(position)
    } else if (part === 'check' || event.ctrlKey || event.metaKey) toggle(index)
    const cell = rows.cellOf(event.target)
    moveTo(position, section.columns[cell - rows.before]?.measured ? cell : wholeRow)
    if (part === 'more' || part === 'picture') options.onOpen(index)
  })
  body.addEventListener('dblclick', (event) => {
    const position = indexOf(event)
    if (position !== undefined && rows.partOf(event.target) !== 'check') options.onOpen(order[position]!)
  })
  element.addEventListener('focusin', (event) => {
    // Tab leads to the first row where none has had the focus yet.
    const position = rows.positionOf(event.target)
    if (position === undefined || spot.row === order[position]) return
    spot.row = order[position]!
    spot.cell = wholeRow
    virtual.pin(position)
    options.onActive(spot.row)
  })
  element.addEventListener('scroll', () => {
    state.top = element.scrollTop
    state.left = element.scrollLeft
    options.save()
  })

  rearrange()
  return {
    element,
    shownRows: () => order,
    selection: () => [...selected].sort((a, b) => a - b),
    active: () => (typeof spot.row === 'number' && spot.row >= 0 ? spot.row : undefined),
    aim: () => aim,
    filter: (text) => {
      if (text === '') delete state.filter
      else state.filter = text
      reordered()
    },
    clearSelection: () => {
      selected.clear()
      selectionChanged()
    },
    goTo: (index) => {
      if (positions[index]! < 0) return
      if (selectable === 'selectable') {
        selected.clear()
        selected.add(index)
        anchor = index
        selectionChanged()
      }
      moveTo(positions[index]!, wholeRow)
    },
    focus: () => (spot.row === 'heads' ? head.focus(spot.cell) : moveTo(entry(), spot.cell)),
    markOpen: (index) => {
      opened = index
      virtual.refresh()
    },
    restoreScroll: () => {
      element.scrollTop = state.top ?? 0
      element.scrollLeft = state.left ?? 0
      virtual.draw()
    },
  }
}
