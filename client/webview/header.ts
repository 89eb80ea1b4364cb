import type { Action, Figure, Mood, Page } from '../../server/src/protocol/pages.ts'
import { append, h } from './h.ts'
import { type IconName, icon } from './icons.ts'
import { prose, shown, shownLines } from './text.ts'
import { button } from './ui.ts'

const signs: Readonly<Record<Mood, IconName>> = { good: 'check', warn: 'warning', bad: 'cross', quiet: 'dot' }
const states: Readonly<Record<Page['state'], string | undefined>> = {
  current: undefined,
  'spec changed': 'The declaration has changed since this was computed.',
  'data changed': 'The data has changed since this was computed.',
}

/** What the page is about and what came out: name, verdict, sentences, figures. */
export function header(page: Page, act: (action: Action) => void): HTMLElement {
  const [name, ...rest] = page.title.split(' · ')
  const element = h('header', { class: 'header' })
  append(element, [
    h(
      'div',
      { class: 'title' },
      h('h1', {}, shown(name ?? page.title, 300), rest.length > 0 && h('span', { class: 'kind' }, ` · ${shown(rest.join(' · '), 300)}`)),
      page.verdict !== '' && h('span', { class: `verdict is-${page.mood}` }, icon(signs[page.mood]), shown(page.verdict, 200)),
    ),
    states[page.state] && h('p', { class: 'stale', role: 'note' }, icon('warning'), states[page.state]),
    page.doc && h('p', { class: 'doc' }, shownLines(page.doc, 8_000)),
    ...page.sentences.map((sentence, i) => h('p', { class: i === 0 ? 'lead' : 'sentence' }, ...prose(sentence))),
    page.figures.length > 0 && figures(page.figures),
    ...page.notes.map((note) => h('p', { class: 'note' }, ...prose(note))),
    page.actions.length > 0 && actions(page.actions, act),
  ])
  return element
}

function figures(all: readonly Figure[]): HTMLElement {
  return h(
    'dl',
    { class: 'figures' },
    ...all.map((one) =>
      h(
        'div',
        { class: `figure is-${one.mood}` },
        h('dt', {}, shown(one.name, 120)),
        h('dd', {}, one.mood !== 'quiet' && icon(signs[one.mood]), h('span', {}, shown(one.value, 120))),
      ),
    ),
  )
}

function actions(all: readonly Action[], act: (action: Action) => void): HTMLElement {
  return h(
    'div',
    { class: 'actions' },
    ...all.map(
      (action) => button({ label: action.title, look: action.primary ? 'primary' : 'secondary', onPress: () => act(action) }).element,
    ),
  )
}
