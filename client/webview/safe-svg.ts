/**
 * Reads a chart and copies what a chart is made of into the page: shapes, text and links to rows. What is not on these lists is left out, whoever wrote it:
 * the page's policy forbids script and style anyway, and this does not rely on it.
 */
export function safeSvg(text: string): SVGSVGElement[] {
  const read = new DOMParser().parseFromString(
    `<svg xmlns="${namespace}" xmlns:xlink="http://www.w3.org/1999/xlink">${text}</svg>`,
    'image/svg+xml',
  )
  const root = read.documentElement
  if (root.localName !== 'svg' || read.querySelector('parsererror')) return []
  return [...root.children].flatMap((child) => {
    const copy = child.localName === 'svg' ? copied(child, 0) : undefined
    return copy ? [copy as SVGSVGElement] : []
  })
}

/** `#ranking/12`: the table and the row that a mark stands for. */
export function rowLink(address: string | null): { readonly table: string; readonly row: number } | undefined {
  const found = /^#([\w.:-]+)\/(\d{1,9})$/.exec(address ?? '')
  return found ? { table: found[1]!, row: Number(found[2]) } : undefined
}

const namespace = 'http://www.w3.org/2000/svg'
const elements = new Set('svg g path line polyline polygon rect circle ellipse text tspan title desc a'.split(' '))
const attributes = new Set(
  `x y x1 y1 x2 y2 cx cy r rx ry width height d points dx dy transform viewBox preserveAspectRatio fill fill-opacity fill-rule stroke stroke-width stroke-opacity
  stroke-dasharray stroke-linecap stroke-linejoin stroke-miterlimit opacity color text-anchor dominant-baseline font-size font-weight font-family font-style
  font-variant paint-order`.split(/\s+/),
)
const deepest = 32

function copied(from: Element, depth: number): Element | undefined {
  if (from.namespaceURI !== namespace || !elements.has(from.localName) || depth > deepest) return undefined
  const to = document.createElementNS(namespace, from.localName)
  for (const { localName, prefix, value } of from.attributes) {
    if (!prefix && attributes.has(localName) && !/url\s*\(|javascript:/i.test(value)) to.setAttribute(localName, value)
  }
  // Plot names groups after their marks, which a reader should not hear; a drawing's own name is kept.
  if (from.localName === 'svg' && from.hasAttribute('aria-label')) to.setAttribute('aria-label', from.getAttribute('aria-label')!)
  if (from.localName === 'a') {
    const address = from.getAttribute('href')
    if (rowLink(address)) to.setAttribute('href', address!)
  }
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.append(document.createTextNode(child.nodeValue ?? ''))
    else if (child instanceof Element) {
      const copy = copied(child, depth + 1)
      if (copy) to.append(copy)
    }
  }
  return to
}
