import type { PageRow, TableSection } from '../../server/src/protocol/pages.ts'
import { h } from './h.ts'
import { figure, prose, shown } from './text.ts'
import { button } from './ui.ts'

/** What is known of one row, beside its table: its picture in a size that can be looked at, why it is there, every cell in full, and what can be done. */
export interface WhyPane {
  readonly element: HTMLElement
  show(index: number): void
  hide(): void
  readonly open: () => boolean
}
export interface WhyOptions {
  readonly section: TableSection
  readonly onClose: () => void
  readonly onAct: (action: TableSection['actions'][number], index: number, column?: number) => void
}

export function whyPane({ section, onClose, onAct }: WhyOptions): WhyPane {
  const body = h('div', { class: 'why-body' })
  const title = h('h3')
  const element = h(
    'aside',
    { class: 'why', attributes: { 'aria-label': 'The row in full' } },
    h(
      'div',
      { class: 'why-head' },
      title,
      button({ label: '', name: 'Close the row', icon: 'cross', look: 'quiet', onPress: onClose }).element,
    ),
    body,
  )
  element.hidden = true
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') onClose()
  })
  return {
    element,
    show: (index) => {
      const row = section.rows[index]
      if (!row) return
      title.textContent = nameOf(section, row, index)
      body.replaceChildren(...contents(section, row, index, onAct))
      body.scrollTop = 0
      element.hidden = false
    },
    hide: () => {
      element.hidden = true
    },
    open: () => !element.hidden,
  }
}

/** How a row is called: by its key where it has one that can be read. */
export function nameOf(section: TableSection, row: PageRow, index: number): string {
  const { key } = row
  if (key !== undefined && String(key).length <= 60) return `Row ${shown(Array.isArray(key) ? key.map(String).join(', ') : String(key))}`
  const first = section.columns.findIndex((column) => column.type === 'text')
  const text = first >= 0 ? row.cells[first] : undefined
  return text && text.length <= 60 ? shown(text) : `Row ${figure(index + 1)}`
}

/** A picture, if that is what it is: a PNG as a data address, which loads nothing. */
export function picture(address: string | undefined, alt: string): HTMLImageElement | undefined {
  if (!address?.startsWith('data:image/png;base64,')) return undefined
  const image = h('img', { attributes: { alt: shown(alt, 160), draggable: 'false' } })
  image.src = address
  return image
}

function contents(section: TableSection, row: PageRow, index: number, onAct: WhyOptions['onAct']): Node[] {
  const out: Node[] = []
  const column = section.columns.findIndex((one) => one.type === 'picture')
  const large = picture(row.picture, row.cells[column] ?? 'the row as a picture')
  if (large) out.push(h('div', { class: 'large' }, large))
  if (row.why && row.why.length > 0) {
    const reasons = row.why.map((reason) => h('li', {}, picture(reason.picture, ''), h('span', {}, ...prose(reason.text))))
    out.push(h('h4', {}, 'Why this row'), h('ul', { class: 'reasons' }, ...reasons))
  }
  const facts = section.columns.flatMap((one, c) =>
    one.type === 'picture'
      ? []
      : [h('dt', {}, shown(one.name, 200)), h('dd', { class: one.type === 'number' ? 'number' : '' }, shown(row.cells[c] ?? '', 20_000))],
  )
  if (facts.length > 0) out.push(h('h4', {}, 'The row'), h('dl', { class: 'facts' }, ...facts))
  const cells = section.actions.filter((action) => action.takes === 'cell')
  const measured = cells.length === 0 ? [] : section.columns.flatMap((one, c) => (one.measured ? [{ name: shown(one.name, 60), c }] : []))
  for (const { name, c } of measured) {
    const buttons = cells.map(({ title, ...action }) => {
      const onPress = () => onAct({ ...action, title }, index, c)
      return button({ label: title, name: `${name}: ${title}`, look: 'secondary', onPress }).element
    })
    out.push(h('h4', {}, name), h('div', { class: 'why-actions' }, ...buttons))
  }
  const actions = section.actions.filter((action) => action.single || action.takes === 'rows')
  if (actions.length > 0) {
    const buttons = actions.map((action) => button({ label: action.title, look: 'secondary', onPress: () => onAct(action, index) }).element)
    out.push(h('div', { class: 'why-actions' }, ...buttons))
  }
  return out
}
