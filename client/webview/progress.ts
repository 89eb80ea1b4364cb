import type { ToPanel } from '../../server/src/protocol/panels.ts'
import { h } from './h.ts'
import { figure, prose } from './text.ts'
import { button, ring } from './ui.ts'

/** A run under way: its stage, how far it is, and a button that ends it. What was shown before stays below it. */
export interface Progress {
  readonly element: HTMLElement
  show(running: Extract<ToPanel, { type: 'running' }>): void
  hide(): void
}

export function progress(onCancel: () => void): Progress {
  let said = ''
  let cancelled = false
  const stage = h('span', { class: 'stage', role: 'status' })
  const count = h('span', { class: 'count quiet' })
  const done = h('div', { class: 'done' })
  const cancel = button({
    label: 'Cancel',
    name: 'Cancel the run',
    look: 'secondary',
    onPress: () => {
      onCancel()
      cancelled = true
      stage.textContent = 'Cancelling'
      cancel.enable('disabled')
    },
  })
  const track = h('div', { class: 'track', attributes: { 'aria-hidden': 'true' } }, done)
  const element = h(
    'div',
    { class: 'progress' },
    h('div', { class: 'progress-line' }, ring('Running'), stage, count, cancel.element),
    track,
  )
  element.hidden = true
  return {
    element,
    show: (running) => {
      if (element.hidden) {
        cancelled = false
        cancel.enable('enabled')
      }
      element.hidden = false
      // Said aloud only when the stage changes, not with every count.
      if (running.stage !== said && !cancelled) stage.replaceChildren(...prose(running.stage))
      said = running.stage
      const known = running.done !== undefined && running.of !== undefined && running.of > 0
      count.textContent = known
        ? `${figure(running.done!)} of ${figure(running.of!)}`
        : running.done === undefined
          ? ''
          : figure(running.done)
      track.classList.toggle('unknown', !known)
      done.style.width = known ? `${Math.min(100, (100 * running.done!) / running.of!)}%` : ''
    },
    hide: () => {
      element.hidden = true
      stage.textContent = ''
      said = ''
    },
  }
}
