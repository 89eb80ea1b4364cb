import type { PageRow, TableSection } from '../../server/src/protocol/pages.ts'
import type { Json } from '../../server/src/protocol/results.ts'

/**
 * Rows as CSV (RFC 4180: lines end in CR LF, quotes are doubled). Text that a spreadsheet would take for a formula gets an apostrophe before it; what is a
 * number stays one.
 */
export function csvOf(section: TableSection, indices: Iterable<number>): string {
  const columns = saved(section)
  const lines = [columns.map((c) => field(section.columns[c]!.name)).join(',')]
  for (const i of indices) {
    const row = section.rows[i]!
    lines.push(columns.map((c) => field(savedValue(row, c))).join(','))
  }
  return `${lines.join('\r\n')}\r\n`
}

/** Rows as an array of objects, a member a column; columns of the same name are counted. */
export function jsonOf(section: TableSection, indices: Iterable<number>): string {
  const columns = saved(section)
  const names = distinct(columns.map((c) => section.columns[c]!.name))
  const out: Record<string, Json>[] = []
  for (const i of indices) {
    const row = section.rows[i]!
    out.push(Object.fromEntries(columns.map((c, k) => [names[k]!, savedValue(row, c)])))
  }
  return `${JSON.stringify(out, null, 2)}\n`
}

/** Charts as one file, beside each other: the theme's colours are written out, for nobody else knows the custom properties. */
export function svgFile(drawings: readonly SVGSVGElement[]): string {
  const gap = 24
  const sheet = document.createElementNS(svgNamespace, 'svg')
  const ground = document.createElementNS(svgNamespace, 'rect')
  sheet.append(ground)
  let across = 0
  let tallest = 0
  for (const drawing of drawings) {
    const { width, height } = drawing.viewBox.baseVal?.width ? drawing.viewBox.baseVal : drawing.getBoundingClientRect()
    const copy = resolved(drawing)
    for (const [name, value] of Object.entries({ x: across, y: 0, width, height })) copy.setAttribute(name, String(value))
    sheet.append(copy)
    across += width + gap
    tallest = Math.max(tallest, height)
  }
  const size = { width: String(Math.max(0, across - gap)), height: String(tallest) }
  for (const [name, value] of Object.entries(size)) sheet.setAttribute(name, value)
  for (const [name, value] of Object.entries({ ...size, fill: getComputedStyle(document.body).backgroundColor }))
    ground.setAttribute(name, value)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(sheet)}\n`
}

const svgNamespace = 'http://www.w3.org/2000/svg'

function resolved(drawing: SVGSVGElement): SVGSVGElement {
  const copy = drawing.cloneNode(true) as SVGSVGElement
  const originals = [drawing, ...drawing.querySelectorAll('*')]
  for (const [i, element] of [copy, ...copy.querySelectorAll('*')].entries()) {
    const computed = getComputedStyle(originals[i]!)
    for (const name of ['fill', 'stroke', 'color'])
      if (element.hasAttribute(name)) element.setAttribute(name, computed.getPropertyValue(name))
    for (const name of ['tabindex', 'role', 'aria-label', 'class', 'style', 'href']) element.removeAttribute(name)
  }
  const style = getComputedStyle(drawing)
  copy.setAttribute('color', style.color)
  copy.setAttribute('font-family', 'system-ui, sans-serif')
  copy.setAttribute('font-size', style.fontSize)
  return copy
}

/** A name that any file system takes. */
export function fileName(parts: readonly string[], extension: string): string {
  const name = parts
    .join('-')
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 80)
  return `${name || 'assay'}.${extension}`
}

/** Pictures are not saved, their keys are. */
function saved(section: TableSection): number[] {
  return section.columns.flatMap((column, c) => (column.type === 'picture' ? [] : [c]))
}

function savedValue(row: PageRow, c: number): Json {
  return c < row.values.length ? row.values[c]! : (row.cells[c] ?? null)
}

function field(value: Json): string {
  if (value === null) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return times === 1 ? name : `${name} (${times})`
  })
}
