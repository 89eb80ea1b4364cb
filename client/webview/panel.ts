import type { Action, Page } from '../../server/src/protocol/pages.ts'
import type { ToPanel } from '../../server/src/protocol/panels.ts'
import { about } from './about.ts'
import { chartSection } from './chart-section.ts'
import { h } from './h.ts'
import { header } from './header.ts'
import { host } from './host.ts'
import { nothing } from './nothing.ts'
import { progress } from './progress.ts'
import { type Memory, memoryOf } from './state.ts'
import { type TableView, tableSection } from './table-section.ts'
import { registerControls } from './ui.ts'

/**
 * The page inside a panel. It draws the `Page` it is given and computes nothing but order, filters and layout; whatever is pressed becomes a message. Plain
 * functions over the document, no framework. What comes from data goes into the page as text nodes and as PNGs, never as markup; colours, fonts and sizes
 * are the editor's tokens alone (panel.css), so a theme needs no code. Not here: what a result means (the server's pages), and who is told (client/src).
 */
registerControls()

const running = progress(() => host.postMessage({ type: 'cancel' }))
const content = h('main', { class: 'content', attributes: { tabindex: '-1' } })
document.body.append(running.element, content)
let memory: Memory | undefined

window.addEventListener('message', (event: MessageEvent<ToPanel>) => {
  const message = event.data
  switch (message?.type) {
    case 'page':
      if (message.page.schema === 'assay-page/1') draw(message.page)
      else
        nothingBut(
          'This page was made by another version of Assay than the one that this window has loaded. Reload the window (`Developer: Reload Window`).',
        )
      break
    case 'running':
      running.show(message)
      break
    case 'idle':
      running.hide()
      break
    case 'nothing':
      nothingBut(message.sentence)
      break
  }
})
window.addEventListener(
  'scroll',
  () => {
    if (!memory) return
    memory.kept.scroll = window.scrollY
    memory.save()
  },
  { passive: true },
)
host.postMessage({ type: 'ready' })

function nothingBut(sentence: string): void {
  memory = undefined
  content.replaceChildren(nothing(sentence))
}

function draw(page: Page): void {
  const now = (memory = memoryOf(page.address, memory))
  const scroll = now.kept.scroll
  const fileParts = [page.address.name]
  const tables = new Map<string, TableView>()
  const sections: HTMLElement[] = []
  for (const section of page.sections) {
    if (section.type === 'table') {
      const view = tableSection(section, fileParts, now)
      tables.set(section.id, view)
      sections.push(view.element)
      continue
    }
    const twin = page.sections.find((other) => other.type === 'table' && other.id === section.table)
    const follow = (table: string, row: number) => tables.get(table)?.goTo(row)
    // Charts that follow each other stand beside each other where there is room.
    const last = sections.at(-1)
    const row = last?.classList.contains('charts') ? last : h('div', { class: 'charts' })
    if (row !== last) sections.push(row)
    row.append(chartSection(section, twin?.type === 'table' ? twin : undefined, fileParts, follow, (table) => tables.get(table)?.focus()))
  }
  const act = (action: Action) => host.postMessage({ type: 'act', action: action.id, rows: [] })
  const focused = document.activeElement?.closest<HTMLElement>('[role="grid"]')?.closest<HTMLElement>('[data-section]')?.dataset.section
  content.replaceChildren(header(page, act), ...sections, about(page, now))
  for (const table of tables.values()) table.restore()
  window.scrollTo({ top: scroll, behavior: 'instant' })
  // A new result takes the place of the old one under whoever is walking its rows.
  if (focused !== undefined) tables.get(focused)?.focus()
  now.save()
}
