import type { Page } from '../../server/src/protocol/pages.ts'
import { h } from './h.ts'
import { host } from './host.ts'
import type { Memory } from './state.ts'
import { shown, shownLines } from './text.ts'
import { button } from './ui.ts'

/** Where it comes from: the declaration as written, the SQL, and the line by which the result is known again. */
export function about(page: Page, memory: Memory): HTMLElement {
  return h(
    'footer',
    { class: 'about' },
    page.text && text('declaration', 'As declared', page.text, memory, 'closed'),
    page.sql && text('sql', 'The SQL', page.sql, memory, page.address.what === 'plan' ? 'open' : 'closed'),
    page.provenance && h('p', { class: 'provenance' }, shown(page.provenance, 2_000)),
  )
}

function text(id: string, title: string, content: string, memory: Memory, first: 'open' | 'closed'): HTMLElement {
  const copy = button({
    label: 'Copy',
    name: `Copy: ${title}`,
    icon: 'copy',
    look: 'quiet',
    onPress: () => host.postMessage({ type: 'copy', text: content }),
  })
  const details = h(
    'details',
    { class: 'text' },
    h('summary', {}, title),
    h(
      'div',
      { class: 'code' },
      h('pre', { attributes: { tabindex: '0', 'aria-label': title }, role: 'region' }, shownLines(content)),
      copy.element,
    ),
  )
  details.open = memory.kept.texts[id] ?? first === 'open'
  details.addEventListener('toggle', () => {
    memory.kept.texts[id] = details.open
    memory.save()
  })
  return details
}
