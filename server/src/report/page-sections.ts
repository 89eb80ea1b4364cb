import type { ChartSection, Column, PageRow, Reason, Section, TableSection } from '../protocol/pages.ts'
import type { ComplaintResult, Json, Key, PlannedStep, Preview, RankedRow, Result } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { chartsOf, type Link } from './charts.ts'
import { number, type Table, table, text } from './fields.ts'
import { figure, keyText } from './figures.ts'
import { inert } from './inert.ts'
import { rowActions } from './page-actions.ts'
import { pngUrls } from './pictures.ts'
import { rankingNote } from './ranking-wording.ts'
import { previewTable, tablesOf } from './tables.ts'
import { whyText } from './wording.ts'

/** The tables and charts of a view, most important first: the tables of the reports with their values, keys, pictures and actions. */
export async function sectionsOf(view: View): Promise<Section[]> {
  const { result } = view
  if (result.status === 'planned') return stepsSection(result)
  const urls = await pngUrls(view.pictures)
  const tables: TableSection[] = []
  for (const one of inOrder(result, allTables(result))) tables.push(await tableSection(one, result, urls))
  const charts = await chartSections(result, tables)
  const [first, ...others] = tables
  if (first === undefined) return charts
  // Slices and suspects are read as a list first; of what was compared or counted, the chart says more.
  return result.kind === 'complaint' ? [first, ...charts, ...others] : [...charts, first, ...others]
}

function allTables(result: Result): Table[] {
  const preview = previewIn(result)
  return [...(preview ? [previewTable(preview)] : []), ...tablesOf(result, Number.POSITIVE_INFINITY)]
}

function previewIn(result: Result): Preview | undefined {
  return (result.kind === 'source' || result.kind === 'slice' || result.kind === 'complaint') && result.status === 'ok'
    ? result.preview
    : undefined
}

/** Of a complaint, whom to blame comes before what was expected: that is in the sentences already. */
function inOrder(result: Result, tables: readonly Table[]): Table[] {
  return result.kind === 'complaint' ? [...tables].reverse() : [...tables]
}

async function tableSection(one: Table, result: Result, urls: ReadonlyMap<string, string>): Promise<TableSection> {
  const kept = one.columns.flatMap((column, c) => (column.head === '' ? [] : [c]))
  const pictured = urls.size > 0 && (one.keys?.some((key) => urls.has(JSON.stringify(key))) ?? false)
  // Behind the rank, or first.
  const at = pictured ? (one.columns[0]?.head === 'rank' ? 1 : 0) : -1
  const spliced = <T>(items: readonly T[], picture: T): T[] =>
    pictured ? [...items.slice(0, at), picture, ...items.slice(at)] : [...items]
  const measured = one.id === 'rows' && result.kind === 'complaint' ? measuredIn(result) : []
  const columns = kept.map((c): Column => {
    const type = isNumeric(one, c) ? 'number' : 'text'
    return { name: one.columns[c]!.head, type, ...(measured[c] ? { measured: true } : {}) }
  })
  const ranking = one.id === 'suspects' ? (result as ComplaintResult).ranking : undefined
  const note = [one.note, ranking ? rankingNote(result as ComplaintResult) : undefined].filter((part) => part !== undefined).join(' ')
  const rows: PageRow[] = []
  for (const [r, cells] of one.rows.entries()) {
    // The server has others to answer while a table of 60 000 rows is made.
    if (r % 2000 === 1999) await new Promise<void>((resume) => setImmediate(resume))

    const key = one.keys?.[r]
    const picture = key === undefined || !pictured ? undefined : urls.get(JSON.stringify(key))
    const why = ranking && reasons(ranking[r]!, urls)
    rows.push({
      cells: spliced(
        kept.map((c) => cells[c]!),
        key === undefined ? '' : `row ${keyText(key)}`,
      ),
      values: spliced<Json>(
        kept.map((c) => short(one.values[r]![c]!)),
        null,
      ),
      ...(picture === undefined ? {} : { picture }),
      ...(key === undefined ? {} : { key }),
      ...(why ? { why } : {}),
    })
  }
  return {
    type: 'table',
    id: one.id,
    title: one.title,
    columns: spliced(columns, { name: 'picture', type: 'picture' }),
    rows,
    ...(one.id === 'rows' ? totalOf(result) : {}),
    ...(note === '' ? {} : { note }),
    ...(isAside(one, result) ? { folded: true } : {}),
    actions: rowActions(one.id, result),
  }
}

/** Of what columns of a query's rows something can be expected, in the order of the table: pictures stand apart. */
const measuredIn = ({ preview }: ComplaintResult): boolean[] =>
  (preview?.columns ?? []).filter(({ type }) => type !== 'image').map(({ role, type }) => role === 'measured' && type === 'number')

function totalOf(result: Result): { readonly total?: number } {
  const preview = previewIn(result)
  return preview?.total === undefined || preview.total <= preview.rows.length ? {} : { total: preview.total }
}

/** A value to sort by and to save; 10 MB of one would be neither. */
const short = (value: Json): Json => (typeof value === 'string' && value.length > longest ? `${value.slice(0, longest)}…` : value)
const longest = 10_000

const isNumeric = (one: Table, c: number) =>
  one.columns[c]!.align === 'right' && one.values.every((row) => typeof row[c] === 'number' || row[c] === null)

/** What repeats something shown already. */
function isAside(one: Table, result: Result): boolean {
  if (one.id === 'declarations') return true
  if (one.id === 'expected') return one.rows.length === 1
  return one.id === 'columns' && (result.kind === 'source' || result.kind === 'slice') && result.preview !== undefined
}

function reasons(row: RankedRow, urls: ReadonlyMap<string, string>): Reason[] | undefined {
  if (!row.why || row.why.length === 0) return undefined
  return row.why.map((one) => {
    const picture = urls.get(JSON.stringify([one.source, one.key]))
    return { text: whyText(one), ...(picture === undefined ? {} : { picture }) }
  })
}

async function chartSections(result: Result, tables: readonly TableSection[]): Promise<ChartSection[]> {
  const places = new Map<string, string>()
  for (const { id, rows } of tables) {
    // No chart has a mark for each of so many rows.
    if (rows.length > mostLinked) continue
    for (const [r, { key }] of rows.entries()) if (key !== undefined) places.set(place(id, key), `#${id}/${r}`)
  }
  const link: Link = (id, key) => places.get(place(id, key))
  const charts = await chartsOf(result, link)
  return charts.map(({ svg, sentence, table: twin }, i) => ({ type: 'chart', id: `chart-${i}`, svg, sentence, table: twin }))
}

const mostLinked = 2000
const place = (id: string, key: Key) => `${id} ${JSON.stringify(key)}`

/** Their SQL is the page's text, with its lines. */
async function stepsSection(result: Result): Promise<Section[]> {
  const steps: readonly PlannedStep[] = result.steps ?? []
  if (steps.length === 0) return []
  const numbers = steps.map((_, i) => i + 1)
  const what = steps.map((step) => step.what)
  const rows = steps.map((step) => step.rows)
  const costs = steps.map((step) => step.cost ?? null)
  const known = (values: readonly (number | null)[]) => values.map((value) => (value === null ? '' : figure(value)))
  const fields = [
    number('#', numbers, numbers.map(String)),
    text(
      'step',
      what,
      what.map((words) => inert(words, 400)),
    ),
    rows.some((value) => value !== null) ? number('rows', rows, known(rows)) : undefined,
    costs.some((value) => value !== null) ? number('cost', costs, known(costs)) : undefined,
  ]
  return [await tableSection(table({ id: 'steps', title: 'Steps' }, fields), result, new Map())]
}
