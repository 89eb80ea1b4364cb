import { h } from './h.ts'
import { icon } from './icons.ts'
import { prose } from './text.ts'

/** There is nothing to show, and why. */
export function nothing(sentence: string): HTMLElement {
  return h('div', { class: 'nothing' }, icon('empty'), h('p', { role: 'status' }, ...prose(sentence)))
}
