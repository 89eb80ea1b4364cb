type Child = Node | string | undefined | false | null
type Events = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void }
interface Props {
  readonly class?: string
  readonly id?: string
  readonly role?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly on?: Events
}

/** An element with its children. Strings become text nodes, so nothing that comes from data is ever read as markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (props.class) element.className = props.class
  if (props.id) element.id = props.id
  if (props.role) element.setAttribute('role', props.role)
  for (const [name, value] of Object.entries(props.attributes ?? {})) element.setAttribute(name, value)
  for (const [name, listener] of Object.entries(props.on ?? {})) element.addEventListener(name, listener as EventListener)
  append(element, children)
  return element
}

export function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false || child === null || child === '') continue
    parent.appendChild(typeof child === 'string' ? document.createTextNode(child) : child)
  }
}

let made = 0
/** An id that nothing else in the page has. */
export function freshId(what: string): string {
  return `${what}-${++made}`
}
