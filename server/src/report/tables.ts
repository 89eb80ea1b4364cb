import type {
  AssertResult,
  ComplaintResult,
  DiscoverResult,
  InterveneResult,
  ModelResult,
  PartitionResult,
  Result,
  SourceResult,
} from '../protocol/results.ts'
import { cell, figure, figures, keyText, share } from './figures.ts'
import type { GridColumn } from './grid.ts'
import {
  changeText,
  cutText,
  declarationsOf,
  expectedText,
  flaggedCutText,
  measureName,
  metricFigure,
  opinion,
  predicateText,
  rankingTitle,
  scoreOf,
} from './wording.ts'

/** One table of a result, as text cells: drawn by `text.ts` with blanks and by `html.ts` with elements. */
export interface Table {
  readonly title: string
  readonly columns: readonly GridColumn[]
  readonly rows: readonly (readonly string[])[]
  /** A sentence below, where rows were left out. */
  readonly note?: string
}

/** The tables that a result shows, most important first. O(rows shown). */
export function tablesOf(result: Result, limit: number): Table[] {
  switch (result.kind) {
    case 'source':
      return sourceTables(result)
    case 'model':
      return modelTables(result)
    case 'partition':
      return partitionTables(result, limit)
    case 'discover':
      return discoverTables(result)
    case 'assert':
      return assertTables(result, limit)
    case 'complaint':
      return complaintTables(result, limit)
    case 'intervene':
      return interveneTables(result)
    default:
      return []
  }
}

const left = (head: string): GridColumn => ({ head, align: 'left' })
const right = (head: string): GridColumn => ({ head, align: 'right' })
/** Rows from columns of cells. */
function zip(columns: readonly (readonly string[])[]): string[][] {
  return (columns[0] ?? []).map((_, r) => columns.map((column) => column[r] ?? ''))
}

function sourceTables(result: SourceResult): Table[] {
  if (!result.columns || result.columns.length === 0) return []
  const rows = result.columns.map((column) => [cell(column.name, 60), cell(column.type, 40)])
  return [{ title: 'Columns', columns: [left('column'), left('type')], rows }]
}

function modelTables(result: ModelResult): Table[] {
  const slices = result.perSlice ?? []
  if (slices.length === 0) return []
  const metric = sliceMetric(result)
  const rows = zip([
    slices.map((s) => cell(s.slice, 60)),
    slices.map((s) => figure(s.rows)),
    figures(slices.map((s) => s.loss)),
    slices.map((s) => metricFigure(metric, s.metric)),
  ])
  return [{ title: 'By slice', columns: [left('slice'), right('rows'), right('loss'), right(metric)], rows }]
}

/** What `perSlice[].metric` is: the first of the model's metrics. */
export function sliceMetric(result: ModelResult): string {
  return Object.keys(result.metrics ?? {}).find((name) => name === 'accuracy' || name === 'rmse') ?? 'metric'
}

function partitionTables(result: PartitionResult, limit: number): Table[] {
  const slices = result.slices ?? []
  if (slices.length === 0) return []
  const shown = slices.slice(0, limit)
  const total = slices.reduce((sum, slice) => sum + slice.rows, 0)
  const rows = shown.map((s) => [cell(s.name, 60), figure(s.rows), share(s.rows / total)])
  return [{ title: 'Slices', columns: [left('slice'), right('rows'), right('share')], rows, note: cut(shown.length, slices.length) }]
}

/** Representatives first, then slices that repeat one of them; the number is the exact rank. */
function discoverTables(result: DiscoverResult): Table[] {
  const ranked = (result.slices ?? []).map((slice, i) => ({ ...slice, rank: i + 1, repeats: slice.overlaps.filter((other) => other < i) }))
  if (ranked.length === 0) return []
  const slices = [...ranked.filter((s) => s.repeats.length === 0), ...ranked.filter((s) => s.repeats.length > 0)]
  const repeated = slices.some((s) => s.repeats.length > 0)
  const rows = zip([
    slices.map((s) => String(s.rank)),
    slices.map((s) => predicateText(s.predicates)),
    slices.map((s) => figure(s.size)),
    figures(slices.map((s) => s.meanError)),
    slices.map((s) => (Number.isFinite(s.interval[0]) ? `${figure(s.interval[0], 3)} to ${figure(s.interval[1], 3)}` : 'none')),
    figures(slices.map((s) => s.effectSize)),
    figures(slices.map((s) => s.score)),
    slices.map((s) => probability(s.pValue)),
    slices.map((s) => probability(s.qValue)),
    slices.map((s) => (s.replicated ? 'yes' : 'no')),
    ...(repeated ? [slices.map((s) => s.repeats.map((other) => other + 1).join(', '))] : []),
  ])
  const numbers = ['mean error', 'interval', 'effect', 'score', 'p', 'q'].map(right)
  const columns = [right('#'), left('slice'), right('rows'), ...numbers, left('replicated'), ...(repeated ? [left('repeats #')] : [])]
  const declarations = declarationsOf(result).map((text) => [text])
  const kept: Table = { title: 'To keep one, paste', columns: [left('declaration')], rows: declarations }
  return [{ title: 'Worst slices', columns, rows }, ...(declarations.length > 0 ? [kept] : [])]
}

function assertTables(result: AssertResult, limit: number): Table[] {
  const flagged = result.flagged ?? []
  if (flagged.length === 0) return []
  const shown = flagged.slice(0, limit)
  const names = [...new Set(shown.flatMap((row) => Object.keys(row.values)))]
  const corrected = shown.some((row) => row.correction !== undefined)
  const rows = zip([
    shown.map((row) => keyText(row.key)),
    figures(shown.map((row) => row.severity)),
    ...names.map((name) => shown.map((row) => cell(row.values[name], 40))),
    ...(corrected ? [shown.map((row) => cell(row.correction, 40))] : []),
  ])
  const numeric = (name: string) => shown.every((row) => typeof row.values[name] === 'number' || row.values[name] === null)
  const columns = [left('key'), right('severity'), ...names.map((name) => (numeric(name) ? right(cell(name, 40)) : left(cell(name, 40))))]
  const total = result.total ?? flagged.length
  const note = total > shown.length ? flaggedCutText(shown.length, total) : undefined
  return [{ title: 'Flagged rows', columns: corrected ? [...columns, left('suggested')] : columns, rows, note }]
}

function complaintTables(result: ComplaintResult, limit: number): Table[] {
  return [...expectationTable(result), ...rankingTable(result, limit)]
}

function expectationTable(result: ComplaintResult): Table[] {
  const all = result.expectations ?? []
  if (all.length === 0) return []
  const grouped = all.some((expectation) => expectation.group)
  const shown = all.slice(0, 100)
  const rows = shown.map((e) => [
    cell(e.expect, 80),
    ...(grouped ? [e.group ? predicateText(e.group) : ''] : []),
    figure(e.actual),
    '→',
    expectedText(e),
    figure(e.relaxed),
    e.satisfied ? 'yes' : 'no',
  ])
  const columns = [
    left('expect'),
    ...(grouped ? [left('where')] : []),
    right('actual'),
    left(''),
    left('expected'),
    right('relaxed'),
    left('met'),
  ]
  return [{ title: 'Expected', columns, rows, note: cut(shown.length, all.length, 'expectation') }]
}

function rankingTable(result: ComplaintResult, limit: number): Table[] {
  const ranking = result.ranking ?? []
  if (ranking.length === 0) return []
  const shown = ranking.slice(0, limit)
  const names = [...new Set(shown.flatMap((row) => Object.keys(row.values ?? {})))].slice(0, 8)
  const has = (test: (row: (typeof shown)[number]) => boolean) => shown.some(test)
  const columns: GridColumn[] = [right('rank'), left('key')]
  const cells: string[][] = [shown.map((row) => String(row.rank)), shown.map((row) => keyText(row.key))]
  const add = (column: GridColumn, texts: string[]) => {
    columns.push(column)
    cells.push(texts)
  }
  if (has((row) => row.label !== undefined))
    add(
      left('label'),
      shown.map((row) => cell(row.label, 32)),
    )
  if (has((row) => row.prediction !== undefined)) add(left("model's opinion"), shown.map(opinion))
  add(right(scoreOf(result).name), figures(shown.map((row) => row.influence)))
  if (has((row) => row.treatment !== undefined))
    add(
      left('treatment'),
      shown.map((row) => cell(row.treatment, 40)),
    )
  for (const name of names)
    add(
      left(cell(name, 24)),
      shown.map((row) => cell(row.values?.[name], 24)),
    )
  return [{ title: rankingTitle(result), columns, rows: zip(cells), note: cut(shown.length, ranking.length) }]
}

function interveneTables(result: InterveneResult): Table[] {
  const names = Object.keys(result.before ?? {})
  if (names.length === 0) return []
  const rows = names.map((name) => {
    const before = result.before?.[name]
    const after = result.after?.[name]
    return [measureName(name), figure(before), '→', figure(after), changeText(before, after)]
  })
  return [{ title: 'Before and after', columns: [left('measure'), right('before'), left(''), right('after'), left('change')], rows }]
}

function cut(shown: number, total: number, noun?: string): string | undefined {
  return shown < total ? cutText(shown, total, noun) : undefined
}

function probability(p: number): string {
  if (!Number.isFinite(p)) return 'none'
  if (p < 1e-300) return '< 1e-300'
  return p < 1e-4 ? p.toExponential(1) : p.toFixed(4)
}
