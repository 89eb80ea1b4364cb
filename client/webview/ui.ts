import './policy-nonce.ts'
import { provideVSCodeDesignSystem, vsCodeButton, vsCodeProgressRing, vsCodeTextField } from '@vscode/webview-ui-toolkit'
import { type IconName, icon } from './icons.ts'
import { shown } from './text.ts'

/**
 * The controls, and the only file that names the toolkit they come from: it is archived, and whoever replaces it replaces this. Everything is handed out as a
 * plain element or as a few functions over one.
 */
export interface Button {
  readonly element: HTMLElement
  setLabel(label: string): void
  enable(state: 'enabled' | 'disabled'): void
}
export interface ButtonOptions {
  readonly label: string
  readonly look: 'primary' | 'secondary' | 'quiet'
  readonly icon?: IconName
  /** What a reader hears where the label is not enough. */
  readonly name?: string
  readonly onPress: () => void
}

export function button({ look, icon: drawing, onPress, ...words }: ButtonOptions): Button {
  const label = shown(words.label, 120)
  const name = words.name === undefined ? undefined : shown(words.name, 200)
  const element = document.createElement('vscode-button') as HTMLElement & { disabled: boolean }
  element.setAttribute('aria-label', name ?? label)
  if (name) element.title = name
  element.setAttribute('appearance', look === 'quiet' ? 'icon' : look)
  element.className = `button button-${look}`
  if (drawing) {
    const start = icon(drawing)
    start.setAttribute('slot', 'start')
    element.append(start)
  }
  const text = document.createElement('b')
  text.textContent = label
  if (label) element.append(text)
  else element.classList.add('bare')
  element.addEventListener('click', () => {
    if (!element.disabled) onPress()
  })
  return {
    element,
    setLabel: (next) => {
      text.textContent = next
      if (!name) element.setAttribute('aria-label', next)
    },
    enable: (state) => element.toggleAttribute('disabled', state === 'disabled'),
  }
}

export interface TextField {
  readonly element: HTMLElement
  value(): string
  set(value: string): void
}

export function textField(options: {
  readonly name: string
  readonly placeholder: string
  readonly onInput: (value: string) => void
}): TextField {
  const element = document.createElement('vscode-text-field') as HTMLElement & { value: string; ariaLabel: string | null }
  element.className = 'field'
  element.setAttribute('placeholder', options.placeholder)
  const start = icon('search')
  start.setAttribute('slot', 'start')
  element.append(start)
  element.addEventListener('input', () => options.onInput(element.value))
  // The toolkit names every field "Text field" when it is put into the page.
  customElements
    .whenDefined('vscode-text-field')
    .then(() => requestAnimationFrame(() => element.setAttribute('aria-label', shown(options.name, 200))))
  return {
    element,
    value: () => element.value ?? '',
    set: (value) => {
      element.value = value
    },
  }
}

/** Not the toolkit's, which has a style attribute that the page's policy forbids. */
export function badge(text: string): HTMLElement {
  const element = document.createElement('span')
  element.className = 'badge'
  element.textContent = text
  return element
}

/** Turns until it is taken away. */
export function ring(name: string): HTMLElement {
  const element = document.createElement('vscode-progress-ring')
  element.setAttribute('aria-label', name)
  return element
}

export function registerControls(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeProgressRing(), vsCodeTextField())
  // The toolkit reads colours again when the body's class changes, which it does not when one dark theme follows another; the tokens, on the root, do.
  new MutationObserver(() => {
    document.body.classList.toggle('recoloured')
  }).observe(document.documentElement, { attributes: true, attributeFilter: ['style'] })
}
