import type { Action, TableSection } from '../../server/src/protocol/pages.ts'
import { type Grid, grid } from './grid.ts'
import { freshId, h } from './h.ts'
import { host } from './host.ts'
import { icon } from './icons.ts'
import { csvOf, fileName, jsonOf } from './save.ts'
import { type Memory, rowId } from './state.ts'
import { counted, figure, prose, shown } from './text.ts'
import { type Button, badge, button, textField } from './ui.ts'
import { nameOf, whyPane } from './why.ts'

/** A table with its name, filter, copies and the bar of what can be done with selected rows; beside it, when a row is opened, that row in full. */
export interface TableView {
  readonly element: HTMLElement
  /** Unfolds, selects the row and goes there. */
  goTo(index: number): void
  focus(): void
  /** Once in the page: where it had been scrolled to. */
  restore(): void
}

/** With fewer rows than this there is nothing to look for. */
const fewRows = 8

export function tableSection(section: TableSection, fileParts: readonly string[], memory: Memory): TableView {
  const state = memory.section(section.id)
  const titleId = freshId('title')
  const bodyId = freshId('body')
  let view: Opened | undefined

  const toggle = h(
    'button',
    {
      class: 'fold',
      attributes: { type: 'button', 'aria-controls': bodyId },
      on: { click: () => setFolded(!(state.folded ?? section.folded)) },
    },
    icon('chevron'),
    h('span', { id: titleId }, shown(section.title, 300)),
  )
  const body = h('div', { id: bodyId, class: 'section-body' })
  const tools = h('div', { class: 'tools' })
  const rows = badge(
    section.total === undefined
      ? counted(section.rows.length, 'row')
      : `${figure(section.rows.length)} of ${counted(section.total, 'row')}`,
  )
  const element = h(
    'section',
    { class: 'section table', attributes: { 'aria-labelledby': titleId, 'data-section': section.id } },
    h('div', { class: 'section-head' }, h('h2', {}, toggle), rows, tools),
    body,
  )

  /** What is folded is not made: a page may hold tables that nobody opens. */
  function show(): void {
    const folded = state.folded ?? section.folded ?? false
    toggle.setAttribute('aria-expanded', String(!folded))
    body.hidden = folded
    tools.hidden = folded
    if (folded || view) return
    view = openedTable(section, titleId, fileParts, memory)
    tools.append(...view.tools)
    body.append(...view.elements)
  }
  function setFolded(folded: boolean): void {
    state.folded = folded
    show()
    if (!folded) view?.restore()
    memory.save()
  }
  show()
  return {
    element,
    goTo: (index) => {
      if (state.folded ?? section.folded) setFolded(false)
      element.scrollIntoView({ block: 'nearest' })
      view?.goTo(index)
    },
    focus: () => {
      if (state.folded ?? section.folded) setFolded(false)
      element.scrollIntoView({ block: 'nearest' })
      view?.grid.focus()
    },
    restore: () => view?.restore(),
  }
}

interface Opened {
  readonly tools: readonly HTMLElement[]
  readonly elements: readonly HTMLElement[]
  readonly grid: Grid
  goTo(index: number): void
  restore(): void
}

function openedTable(section: TableSection, titleId: string, fileParts: readonly string[], memory: Memory): Opened {
  const state = memory.section(section.id)
  const act: Acting = (action, rows, column) =>
    host.postMessage({ type: 'act', action: action.id, section: section.id, rows, ...(column === undefined ? {} : { column }) })

  const pane = whyPane({ section, onClose: close, onAct: (action, index, column) => act(action, [index], column) })
  const nothing = h('p', { class: 'nothing-found', role: 'status' })
  const status = h('p', { class: 'quiet status', role: 'status' })
  const bar = selectionBar(section, act, () => table.clearSelection())
  const table = grid({
    section,
    state,
    labelledBy: titleId,
    save: memory.save,
    onSelection: () => showSelection(),
    onOrder: () => showOrder(),
    onActive: (index) => {
      if (pane.open()) open(index)
      showSelection()
    },
    onOpen: (index) => {
      const fresh = !pane.open()
      open(index)
      if (fresh) pane.element.scrollIntoView({ block: 'nearest' })
    },
    onClose: close,
    onCopy: () => copy(),
  })
  const beside = h('div', { class: 'beside' }, table.element, pane.element)

  let waiting: ReturnType<typeof setTimeout> | undefined
  const filter = textField({
    name: `Filter ${section.title}`,
    placeholder: 'Filter',
    onInput: (value) => {
      clearTimeout(waiting)
      waiting = setTimeout(() => table.filter(value), section.rows.length > 5_000 ? 160 : 40)
    },
  })
  filter.set(state.filter ?? '')
  filter.element.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') table.focus()
    else if (event.key === 'Escape' && filter.value() !== '') {
      clearTimeout(waiting)
      filter.set('')
      table.filter('')
    } else return
    event.preventDefault()
  })

  const copyButton = button({ label: 'Copy', name: `Copy ${section.title} as CSV`, icon: 'copy', look: 'quiet', onPress: () => copy() })
  const save = (format: 'csv' | 'json') => {
    const text = format === 'csv' ? csvOf(section, taken()) : jsonOf(section, taken())
    host.postMessage({ type: 'save', format, name: fileName([...fileParts, section.id], format), text })
  }
  const copies = h(
    'div',
    { class: 'copies' },
    copyButton.element,
    button({ label: 'CSV', name: `Save ${section.title} as CSV`, icon: 'save', look: 'quiet', onPress: () => save('csv') }).element,
    button({ label: 'JSON', name: `Save ${section.title} as JSON`, icon: 'save', look: 'quiet', onPress: () => save('json') }).element,
  )

  /** What is copied and saved: the selected rows, or else all that the filter leaves, in the order shown. */
  function taken(): readonly number[] {
    const chosen = new Set(table.selection())
    const order = table.shownRows()
    if (chosen.size === 0) return [...order]
    const seen = [...order].filter((index) => chosen.has(index))
    return seen.length > 0 ? seen : [...chosen]
  }
  function copy(): void {
    const indices = taken()
    host.postMessage({ type: 'copy', text: csvOf(section, indices) })
    status.textContent = `Copied ${counted(indices.length, 'row')}`
  }
  function open(index: number): void {
    pane.show(index)
    beside.classList.add('with-why')
    table.markOpen(index)
    state.opened = true
    memory.save()
  }
  function close(): void {
    if (!pane.open()) return
    const inside = pane.element.contains(document.activeElement)
    pane.hide()
    beside.classList.remove('with-why')
    table.markOpen(undefined)
    state.opened = false
    if (inside) table.focus()
    memory.save()
  }
  function showSelection(): void {
    bar?.show({ selection: table.selection(), active: table.active(), aim: table.aim() })
  }
  function showOrder(): void {
    const shownCount = table.shownRows().length
    const all = section.rows.length
    status.textContent = shownCount === all ? '' : `${figure(shownCount)} of ${counted(all, 'row')}`
    nothing.hidden = shownCount > 0
    nothing.textContent = all === 0 ? 'No rows.' : shownCount === 0 ? `No row contains “${shown(state.filter ?? '', 80)}”.` : ''
  }
  showSelection()
  showOrder()
  const note = section.note ? h('p', { class: 'quiet' }, ...prose(section.note)) : undefined
  return {
    tools: [status, ...(section.rows.length > fewRows ? [filter.element] : []), copies],
    elements: [...(bar ? [bar.element] : []), beside, nothing, ...(note ? [note] : [])],
    grid: table,
    goTo: (index) => {
      if (state.filter) {
        filter.set('')
        table.filter('')
      }
      if (section.rows[index]?.why) open(index)
      table.goTo(index)
    },
    restore: () => {
      table.restoreScroll()
      const active = section.rows.length > 0 && state.opened ? indexOfActive(section, state.active) : undefined
      if (active !== undefined) open(active)
    },
  }
}

function indexOfActive(section: TableSection, active: string | undefined): number | undefined {
  if (active === undefined) return undefined
  const index = section.rows.findIndex((row, i) => rowId(row, i) === active)
  return index < 0 ? undefined : index
}

type Acting = (action: Action, rows: readonly number[], column?: number) => void
interface Chosen {
  readonly selection: readonly number[]
  readonly active: number | undefined
  /** The measured column that is meant. */
  readonly aim: number | undefined
}
interface Bar {
  readonly element: HTMLElement
  show(chosen: Chosen): void
}

function selectionBar(section: TableSection, act: Acting, clear: () => void): Bar | undefined {
  if (section.actions.length === 0) return undefined
  let chosen: Chosen = { selection: [], active: undefined, aim: undefined }
  const aiming = section.actions.some((action) => action.takes)
  // Where rows are meant without being selected, what is said follows the focus, which is heard already.
  const said = h('span', { class: 'chosen', ...(aiming ? {} : { role: 'status' }) })
  const press = (action: Action) => {
    const rows = meant(section, chosen, action)
    act(action, action.takes === 'table' ? [] : (rows ?? []), action.takes === 'cell' ? chosen.aim : undefined)
  }
  const buttons: [Action, Button][] = section.actions.map((action) => [
    action,
    button({ label: action.title, look: action.primary ? 'primary' : 'secondary', onPress: () => press(action) }),
  ])
  const clearButton = button({ label: 'Clear', name: 'Clear the selection', look: 'quiet', onPress: clear })
  const element = h('div', { class: 'bar', role: 'toolbar', attributes: { 'aria-label': 'With the selected rows' } })
  element.append(said, ...buttons.map(([, one]) => one.element), clearButton.element)
  return {
    element,
    show: (next) => {
      chosen = next
      const { length } = next.selection
      said.textContent = aiming ? aimText(section, next) : length === 0 ? 'No row selected' : `${counted(length, 'row')} selected`
      if (aiming) element.setAttribute('aria-label', said.textContent)
      for (const [action, one] of buttons) one.enable(meant(section, next, action) ? 'enabled' : 'disabled')
      clearButton.element.hidden = length === 0
      element.classList.toggle('some', length > 0 || (aiming && meant(section, next, { takes: 'rows' }) !== undefined))
    },
  }
}

/** The rows that an action is about; undefined where it cannot be taken. What takes a cell or rows needs no selection: the row with the focus will do, or the only one. */
function meant(
  section: TableSection,
  { selection, active, aim }: Chosen,
  { takes, single }: Pick<Action, 'takes' | 'single'>,
): readonly number[] | undefined {
  if (takes === 'table') return []
  const here = active ?? (section.rows.length === 1 ? 0 : undefined)
  const rows = selection.length > 0 || takes === undefined || here === undefined ? selection : [here]
  if (rows.length === 0 || (takes === 'cell' && aim === undefined)) return undefined
  return rows.length > 1 && (single || takes === 'cell') ? undefined : rows
}

/** `Row cat, n: 47`. */
function aimText(section: TableSection, chosen: Chosen): string {
  const [index, ...others] = meant(section, chosen, { takes: 'rows' }) ?? []
  if (index === undefined) return 'Go to a row or a number'
  if (others.length > 0) return `${counted(others.length + 1, 'row')} selected`
  const row = section.rows[index]!
  const name = section.rows.length === 1 ? '' : nameOf(section, row, index)
  const { aim } = chosen
  if (aim === undefined) return name
  const cell = `${shown(section.columns[aim]!.name, 60)}: ${shown(row.cells[aim] ?? '', 60)}`
  return name === '' ? cell : `${name}, ${cell}`
}
