import type { ChartSection, TableSection } from '../../server/src/protocol/pages.ts'
import { h } from './h.ts'
import { host } from './host.ts'
import { rowLink, safeSvg } from './safe-svg.ts'
import { fileName, svgFile } from './save.ts'
import { prose, shown } from './text.ts'
import { button } from './ui.ts'

/**
 * A chart with its sentence. Marks that stand for a row lead to it; they are one stop in the tab order, among them the arrows go. The mark under the
 * pointer or the focus is read out below the chart.
 */
export function chartSection(
  section: ChartSection,
  twin: TableSection | undefined,
  fileParts: readonly string[],
  goTo: (table: string, row: number) => void,
  showTable: (table: string) => void,
): HTMLElement {
  const drawings = safeSvg(section.svg)
  const readout = h('p', { class: 'readout quiet', attributes: { 'aria-hidden': 'true' } })
  const plots = h('div', { class: 'plots' }, ...drawings)
  for (const drawing of drawings) {
    const marks = [...drawing.querySelectorAll<SVGAElement>('a[href]')]
    // An image has no parts for a reader; a chart whose marks can be followed is a group of links.
    drawing.setAttribute('role', marks.length > 0 ? 'group' : 'img')
    if (!drawing.hasAttribute('aria-label')) drawing.setAttribute('aria-label', shown(section.sentence, 600))
    if (marks.length > 0) walkable(drawing, marks, twin, readout, goTo)
  }
  const buttons = h(
    'div',
    { class: 'copies' },
    twin &&
      button({ label: 'Table', name: `Show the table: ${twin.title}`, icon: 'table', look: 'quiet', onPress: () => showTable(twin.id) })
        .element,
    drawings.length > 0 &&
      button({
        label: 'SVG',
        name: 'Save the chart as SVG',
        icon: 'save',
        look: 'quiet',
        onPress: () =>
          host.postMessage({ type: 'save', format: 'svg', name: fileName([...fileParts, section.id], 'svg'), text: svgFile(drawings) }),
      }).element,
  )
  const lost = drawings.length === 0 ? h('p', { class: 'quiet' }, 'The chart cannot be drawn. Its table has the same numbers.') : undefined
  const figure = h(
    'figure',
    { class: 'chart' },
    lost ?? plots,
    h('figcaption', {}, h('span', {}, ...prose(section.sentence)), buttons),
    drawings.some((drawing) => drawing.querySelector('a[href]')) && readout,
  )
  const widest = Math.max(0, ...drawings.map((drawing) => drawing.viewBox.baseVal?.width ?? 0))
  if (widest > 0) figure.style.setProperty('--wide', `${widest}px`)
  return figure
}

function walkable(
  drawing: SVGSVGElement,
  marks: readonly SVGAElement[],
  twin: TableSection | undefined,
  readout: HTMLElement,
  goTo: (table: string, row: number) => void,
): void {
  let current = 0
  const linkOf = (mark: SVGAElement) => rowLink(mark.getAttribute('href'))!
  const enter = (position: number) => {
    marks[current]!.setAttribute('tabindex', '-1')
    current = Math.max(0, Math.min(marks.length - 1, position))
    marks[current]!.setAttribute('tabindex', '0')
    marks[current]!.focus()
  }
  for (const [i, mark] of marks.entries()) {
    const { table, row } = linkOf(mark)
    const told = describe(twin?.id === table ? twin : undefined, row)
    mark.setAttribute('tabindex', i === 0 ? '0' : '-1')
    mark.setAttribute('aria-label', told)
    for (const title of mark.querySelectorAll('title')) title.remove()
    mark.addEventListener('focus', () => {
      readout.textContent = told
    })
    mark.addEventListener('pointerenter', () => {
      readout.textContent = told
    })
    mark.addEventListener('click', (event) => {
      event.preventDefault()
      // The editor opens what it takes for a link to elsewhere.
      event.stopPropagation()
      current = i
      goTo(table, row)
    })
  }
  drawing.addEventListener('pointerleave', () => {
    if (!drawing.contains(document.activeElement)) readout.textContent = ''
  })
  const steps: Readonly<Record<string, () => number>> = {
    ArrowRight: () => current + 1,
    ArrowDown: () => current + 1,
    ArrowLeft: () => current - 1,
    ArrowUp: () => current - 1,
    Home: () => 0,
    End: () => marks.length - 1,
  }
  drawing.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const step = steps[event.key]
    if (!step) return
    event.preventDefault()
    enter(step())
  })
}

/** The row's cells, by which its mark is known. */
function describe(twin: TableSection | undefined, row: number): string {
  const cells = twin?.rows[row]?.cells
  if (!twin || !cells) return `Row ${row + 1}`
  const told = twin.columns.flatMap((column, c) =>
    column.type === 'picture' || !cells[c] ? [] : [`${shown(column.name, 60)} ${shown(cells[c], 60)}`],
  )
  return told.slice(0, 6).join(' · ')
}
