import type { ComplaintResult, DiscoverResult, InterveneResult, Key, ModelResult, PartitionResult, Result } from '../protocol/results.ts'
import { chartSentences } from './chart-wording.ts'
import { figure, keyText } from './figures.ts'
import { inert } from './inert.ts'
import { html } from './markup.ts'
import { scoreOf } from './ranking-wording.ts'
import { sliceMetric } from './tables.ts'
import { measureName, predicateText } from './wording.ts'

/**
 * Charts as SVG text, drawn by Observable Plot on a document without a browser. Loaded only when an HTML report or a panel's page is made.
 * Colours are the page's custom properties; no style element or attribute is left in, so that the page's policy can forbid them.
 */
export interface Chart {
  readonly svg: string
  /** What the chart shows, in one sentence. */
  readonly sentence: string
  /** The table among `tablesOf` that has the same numbers. */
  readonly table: string
}
/** Where a mark leads: to the row of the chart's table that has this key. */
export type Link = (table: string, key: Key) => string | undefined

/** Without `link` no mark leads anywhere. */
export async function chartsOf(result: Result, link: Link = () => undefined): Promise<Chart[]> {
  switch (result.kind) {
    case 'complaint':
      return rankingChart(result, link)
    case 'intervene':
      return interventionCharts(result)
    case 'model':
      return modelChart(result, link)
    case 'partition':
      return partitionChart(result, link)
    case 'discover':
      return discoverChart(result, link)
    default:
      return []
  }
}

type PlotModule = typeof import('@observablehq/plot')
type PlotOptions = Parameters<PlotModule['plot']>[0]

async function draw(sentence: string, build: (plot: PlotModule) => PlotOptions): Promise<string> {
  const [plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')])
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const svg = plot.plot({ ...build(plot), document, className: 'plot' })
  for (const style of [...svg.querySelectorAll('style')]) style.remove()
  for (const element of [svg, ...svg.querySelectorAll('[style]')]) element.removeAttribute('style')
  const links = [...svg.querySelectorAll('a')]
  const labels = links.map((link) => link.querySelector('title')?.textContent ?? '')
  for (const [i, link] of links.entries()) {
    const href = link.getAttribute('xlink:href') ?? link.getAttribute('href') ?? ''
    link.removeAttribute('xlink:href')
    link.setAttribute('href', href)
    // Reached through the table by keyboard: a chart is no list to tab through.
    link.setAttribute('tabindex', '-1')
    link.setAttribute('aria-label', `label ${i}`)
  }
  // What stands inside an image is hidden from screen readers, links too.
  // linkedom leaves < in attributes as it is, and a saved chart is XML: labels are escaped here.
  const drawn: string = svg.outerHTML
  const markup = drawn.replace(/ aria-label="label (\d+)"/g, (_, i) => html` aria-label="${labels[Number(i)]}"`.markup)
  return markup.replace('<svg ', html`<svg role="${links.length > 0 ? 'group' : 'img'}" aria-label="${sentence}" `.markup)
}

const accent = 'var(--accent)'
const faint = 'var(--line)'
const quiet = 'var(--quiet)'
const width = 680

async function rankingChart(result: ComplaintResult, link: Link): Promise<Chart[]> {
  const ranking = (result.ranking ?? []).filter((row) => Number.isFinite(row.influence))
  if (ranking.length < 3) return []
  const sentence = chartSentences.ranking(result)
  const points = thinned(ranking, 600).map((row) => ({
    rank: row.rank,
    influence: row.influence,
    href: link('suspects', row.key),
    title: `${figure(row.rank)}: ${keyText(row.key)}`,
  }))
  const svg = await draw(sentence, (plot) => ({
    width,
    height: 220,
    marginLeft: 60,
    x: { label: 'rank', tickFormat: (d: number) => (Number.isInteger(d) ? figure(d) : '') },
    y: { label: scoreOf(result).name, grid: true, zero: true, nice: true },
    marks: [
      plot.gridY({ stroke: faint, strokeOpacity: 1 }),
      plot.areaY(points, { x: 'rank', y: 'influence', fill: accent, fillOpacity: 0.12 }),
      plot.lineY(points, { x: 'rank', y: 'influence', stroke: accent, strokeWidth: 2 }),
      ...(points.length <= 60 ? [plot.dot(points, { x: 'rank', y: 'influence', fill: accent, r: 3, ...linked(points) })] : []),
      plot.ruleY([0], { stroke: quiet }),
    ],
  }))
  return [{ svg, sentence, table: 'suspects' }]
}

/** The channels of marks that lead somewhere, if any does. */
const linked = (marks: readonly { readonly href?: string }[]) =>
  marks.some((mark) => mark.href !== undefined) ? { href: 'href', title: 'title' } : {}

/**
 * Each measure on its own scale, for counts and rates do not share an axis: an arrow from before to after. Positions are read, not lengths, so the axis
 * need not begin at zero and a small change is seen.
 */
async function interventionCharts(result: InterveneResult): Promise<Chart[]> {
  const names = Object.keys(result.before ?? {}).filter(
    (name) => Number.isFinite(result.before?.[name]) && Number.isFinite(result.after?.[name]),
  )
  const charts: Chart[] = []
  for (const name of names) {
    const before = result.before![name]!
    const after = result.after![name]!
    const sentence = chartSentences.measure(result, name)
    charts.push({
      sentence,
      table: 'measures',
      svg: await draw(sentence, (plot) => ({
        width: 320,
        height: 112,
        marginLeft: 36,
        marginRight: 36,
        marginTop: 30,
        marginBottom: 26,
        x: { label: null, domain: around(before, after), ticks: 4, tickFormat: (d: number) => figure(d) },
        y: { axis: null, domain: [0, 1] },
        marks: [
          plot.text([measureName(name)], {
            frameAnchor: 'top-left',
            dx: -36,
            dy: -26,
            fill: 'currentColor',
            fontWeight: 600,
            fontSize: 12,
          }),
          plot.ruleY([0.4], { stroke: faint }),
          plot.arrow([0], {
            x1: before,
            x2: after,
            y1: 0.4,
            y2: 0.4,
            inset: 7,
            headLength: before === after ? 0 : 7,
            stroke: accent,
            strokeWidth: 2,
          }),
          plot.dot([before], { x: (d: number) => d, y: 0.4, r: 5, stroke: quiet, strokeWidth: 2 }),
          plot.dot([after], { x: (d: number) => d, y: 0.4, r: 5, fill: accent }),
          ...(before === after
            ? [label(plot, `${figure(after)} before and after`, after)]
            : [label(plot, `before ${figure(before)}`, before), label(plot, `after ${figure(after)}`, after)]),
        ],
      })),
    })
  }
  return charts
}

const label = (plot: PlotModule, words: string, x: number) =>
  plot.text([words], { x: [x], y: [0.4], dy: -14, fill: 'currentColor', fontWeight: 600 })

/** A scale on which two values stand apart, with room for their figures. */
function around(a: number, b: number): [number, number] {
  const apart = Math.abs(a - b)
  const room = apart > 0 ? 0.4 * apart : Math.max(Math.abs(a) / 10, 1e-6)
  return [Math.min(a, b) - room, Math.max(a, b) + room]
}

async function modelChart(result: ModelResult, link: Link): Promise<Chart[]> {
  const slices = (result.perSlice ?? []).filter((slice) => Number.isFinite(slice.metric)).slice(0, 40)
  if (slices.length < 2) return []
  const metric = sliceMetric(result)
  const sentence = chartSentences.model(result, metric)
  const rows = slices.map((slice) => ({
    slice: inert(slice.slice, 28),
    value: slice.metric,
    href: link('slices', slice.slice),
    title: `${inert(slice.slice, 60)}: ${figure(slice.metric)}`,
  }))
  const overall = result.metrics?.[metric]
  const svg = await draw(sentence, (plot) => ({
    width,
    height: 60 + rows.length * 22,
    marginLeft: 190,
    marginRight: 60,
    x: { label: metric, grid: true, nice: true, ...(metric === 'accuracy' ? { tickFormat: '.0%' } : { zero: true }) },
    y: { label: null, domain: rows.map((row) => row.slice), tickSize: 0 },
    marks: [
      plot.gridX({ stroke: faint, strokeOpacity: 1 }),
      ...(overall === undefined ? [] : [plot.ruleX([overall], { stroke: quiet, strokeDasharray: '4 3' })]),
      plot.ruleY(rows, { y: 'slice', x1: overall ?? 0, x2: 'value', stroke: accent, strokeOpacity: 0.4, strokeWidth: 2 }),
      plot.dot(rows, { y: 'slice', x: 'value', fill: accent, r: 5, ...linked(rows) }),
    ],
  }))
  return [{ svg, sentence, table: 'slices' }]
}

async function partitionChart(result: PartitionResult, link: Link): Promise<Chart[]> {
  const slices = (result.slices ?? []).slice(0, 40)
  if (slices.length < 2) return []
  const sentence = chartSentences.partition(result)
  const rows = slices.map((slice) => ({
    slice: inert(slice.name, 28),
    rows: slice.rows,
    href: link('slices', slice.name),
    title: `${inert(slice.name, 60)}: ${figure(slice.rows)}`,
  }))
  const svg = await draw(sentence, (plot) => ({
    width,
    height: 60 + rows.length * 22,
    marginLeft: 190,
    marginRight: 60,
    x: { label: 'rows', nice: true, tickFormat: (d: number) => figure(d) },
    y: { label: null, domain: rows.map((row) => row.slice), tickSize: 0 },
    marks: [
      plot.gridX({ stroke: faint, strokeOpacity: 1 }),
      plot.barX(rows, { x: 'rows', y: 'slice', fill: accent, rx: 2, ...linked(rows) }),
      plot.ruleX([0], { stroke: quiet }),
    ],
  }))
  return [{ svg, sentence, table: 'slices' }]
}

async function discoverChart(result: DiscoverResult, link: Link): Promise<Chart[]> {
  const slices = result.slices ?? []
  if (slices.length === 0 || slices.some((slice) => slice.size <= 0)) return []
  const sentence = chartSentences.discover(result)
  const rows = slices.map((slice, i) => ({
    number: String(i + 1),
    size: slice.size,
    mean: slice.meanError,
    low: Math.max(0, slice.interval[0]),
    high: slice.interval[1],
    href: link('slices', i + 1),
    title: predicateText(slice.predicates),
  }))
  const sizes = rows.map((row) => row.size)
  const ends = rows.flatMap((row) => [row.low, row.mean, row.high]).filter(Number.isFinite)
  const svg = await draw(sentence, (plot) => ({
    width,
    height: 300,
    marginLeft: 60,
    x: {
      type: 'log',
      label: 'rows',
      domain: [Math.min(...sizes) / 1.3, Math.max(...sizes) * 1.3],
      ticks: 5,
      tickFormat: (d: number) => figure(d),
    },
    // The ends of all intervals are in sight.
    y: {
      label: 'mean error',
      nice: true,
      ticks: 6,
      domain: [Math.min(...ends, result.meanError ?? Number.POSITIVE_INFINITY), Math.max(...ends, result.meanError ?? 0)],
    },
    marks: [
      plot.gridY({ ticks: 6, stroke: faint, strokeOpacity: 1 }),
      ...(result.meanError === undefined ? [] : [plot.ruleY([result.meanError], { stroke: quiet, strokeDasharray: '4 3' })]),
      plot.ruleX(rows, { x: 'size', y1: 'low', y2: 'high', stroke: accent, strokeOpacity: 0.5, strokeWidth: 2 }),
      plot.dot(rows, { x: 'size', y: 'mean', fill: accent, r: 5, title: 'title', ...linked(rows) }),
      plot.text(rows, { x: 'size', y: 'mean', text: 'number', dx: 10, textAnchor: 'start', fill: 'currentColor' }),
    ],
  }))
  return [{ svg, sentence, table: 'slices' }]
}

function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  const step = (items.length - 1) / (most - 1)
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)]!)
}
