/** Line drawings on a grid of 16, in the colour of their text. They stand beside words, never instead of them, so they are hidden from readers. */
const drawings = {
  check: ['M2.5 8.5 6.2 12.2 13.5 4'],
  cross: ['M3.5 3.5 12.5 12.5', 'M12.5 3.5 3.5 12.5'],
  dot: ['M8 4.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7'],
  warning: ['M8 2 14.5 13.5H1.5Z', 'M8 6.2V9.6', 'M8 11.3V11.9'],
  chevron: ['M6 3.5 10.5 8 6 12.5'],
  up: ['M8 13V3.5', 'M4 7.2 8 3.2 12 7.2'],
  down: ['M8 3V12.5', 'M4 8.8 8 12.8 12 8.8'],
  search: ['M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9', 'M10.4 10.4 14 14'],
  copy: ['M5.5 5.5h7v8h-7z', 'M3.5 10.5v-8h7'],
  save: ['M8 2.5v7.5', 'M4.8 7 8 10.2 11.2 7', 'M3 13.5h10'],
  table: ['M2.5 3.5h11v9h-11z', 'M2.5 6.5h11', 'M6.5 6.5v6'],
  empty: ['M2.5 4.5h11', 'M2.5 8h7', 'M2.5 11.5h4'],
} as const
export type IconName = keyof typeof drawings

const namespace = 'http://www.w3.org/2000/svg'
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(namespace, 'svg')
  svg.setAttribute('viewBox', '0 0 16 16')
  svg.setAttribute('class', `icon icon-${name}`)
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('focusable', 'false')
  for (const d of drawings[name]) {
    const path = document.createElementNS(namespace, 'path')
    path.setAttribute('d', d)
    svg.append(path)
  }
  return svg
}
