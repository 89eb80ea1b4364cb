import type {
  AssertResult,
  ComplaintResult,
  DiscoverResult,
  IndexResult,
  InterveneResult,
  ModelResult,
  PartitionResult,
  Preview,
  Result,
  SourceResult,
} from '../protocol/results.ts'
import { changeText } from './chart-wording.ts'
import { explanationTable } from './explanation-table.ts'
import { arrow, finite, keyField, number, rowCounts, type Table, table, text, valueField } from './fields.ts'
import { cell, figure, figures, probability, share } from './figures.ts'
import { rankingTitle, scoreOf } from './ranking-wording.ts'
import {
  cutText,
  declarationsOf,
  expectedText,
  flaggedCutText,
  measureName,
  metricFigure,
  opinion,
  predicateText,
  previewCutText,
} from './wording.ts'

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
    case 'index':
      return rankedTables(result, limit)
    default:
      return []
  }
}

function sourceTables(result: SourceResult): Table[] {
  return [...columnsTable(result), ...splitsTable(result)]
}

function splitsTable({ splits = {}, rows }: SourceResult): Table[] {
  const names = Object.keys(splits)
  if (names.length === 0) return []
  const sizes = names.map((name) => splits[name]!)
  const parts = sizes.map((size) => (rows ? size / rows : Number.NaN))
  return [
    table({ id: 'splits', title: 'Splits', keys: names }, [
      text(
        'split',
        names,
        names.map((name) => cell(name, 60)),
      ),
      rowCounts(sizes),
      number('share', parts.map(finite), parts.map(share)),
    ]),
  ]
}

function columnsTable({ columns = [] }: SourceResult): Table[] {
  if (columns.length === 0) return []
  const names = columns.map((one) => one.name)
  const types = columns.map((one) => one.type)
  return [
    table({ id: 'columns', title: 'Columns' }, [
      text(
        'column',
        names,
        names.map((name) => cell(name, 60)),
      ),
      text(
        'type',
        types,
        types.map((type) => cell(type, 40)),
      ),
    ]),
  ]
}

/** The first rows of a source or slice; pictures stand in a column of their own. */
export function previewTable({ columns, rows, total }: Preview): Table {
  const keys = rows.map((row) => row.key)
  const fields = columns.flatMap((column, c) =>
    column.type === 'image'
      ? []
      : [
          valueField(
            column.name,
            rows.map((row) => row.values[c]),
            400,
          ),
        ],
  )
  const note = total === undefined || total > rows.length ? previewCutText(rows.length, total) : undefined
  return table({ id: 'rows', title: 'Rows', keys, note }, fields.length > 0 ? fields : [keyField(keys)])
}

function modelTables(result: ModelResult): Table[] {
  const slices = result.perSlice ?? []
  if (slices.length === 0) return []
  const metric = sliceMetric(result)
  const names = slices.map((s) => s.slice)
  const losses = slices.map((s) => s.loss)
  return [
    table({ id: 'slices', title: 'By slice', keys: names }, [
      text(
        'slice',
        names,
        names.map((name) => cell(name, 60)),
      ),
      rowCounts(slices.map((s) => s.rows)),
      number('loss', losses.map(finite), figures(losses)),
      number(
        metric,
        slices.map((s) => finite(s.metric)),
        slices.map((s) => metricFigure(metric, s.metric)),
      ),
    ]),
  ]
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
  const names = shown.map((s) => s.name)
  return [
    table({ id: 'slices', title: 'Slices', keys: names, note: cut(shown.length, slices.length) }, [
      text(
        'slice',
        names,
        names.map((name) => cell(name, 60)),
      ),
      rowCounts(shown.map((s) => s.rows)),
      number(
        'share',
        shown.map((s) => finite(s.rows / total)),
        shown.map((s) => share(s.rows / total)),
      ),
    ]),
  ]
}

/** Representatives first, then slices that repeat one of them; the number is the exact rank. */
function discoverTables(result: DiscoverResult): Table[] {
  const ranked = (result.slices ?? []).map((slice, i) => ({ ...slice, rank: i + 1, repeats: slice.overlaps.filter((other) => other < i) }))
  if (ranked.length === 0) return []
  const slices = [...ranked.filter((s) => s.repeats.length === 0), ...ranked.filter((s) => s.repeats.length > 0)]
  const repeated = slices.some((s) => s.repeats.length > 0)
  const ranks = slices.map((s) => s.rank)
  const plain = (head: string, of: (slice: (typeof slices)[number]) => number) =>
    number(head, slices.map(of).map(finite), figures(slices.map(of)))
  const chance = (head: string, of: (slice: (typeof slices)[number]) => number) =>
    number(
      head,
      slices.map((s) => finite(of(s))),
      slices.map((s) => probability(of(s))),
    )
  const predicates = slices.map((s) => predicateText(s.predicates))
  const declarations = declarationsOf(result)
  return [
    table({ id: 'slices', title: 'Worst slices', keys: ranks }, [
      number('#', ranks, ranks.map(String)),
      text('slice', predicates, predicates),
      rowCounts(slices.map((s) => s.size)),
      plain('mean error', (s) => s.meanError),
      number(
        'interval',
        slices.map((s) => s.interval.map(finite)),
        slices.map((s) => (Number.isFinite(s.interval[0]) ? `${figure(s.interval[0], 3)} to ${figure(s.interval[1], 3)}` : 'none')),
      ),
      plain('effect', (s) => s.effectSize),
      plain('score', (s) => s.score),
      chance('p', (s) => s.pValue),
      chance('q', (s) => s.qValue),
      text(
        'replicated',
        slices.map((s) => s.replicated),
        slices.map((s) => (s.replicated ? 'yes' : 'no')),
      ),
      repeated
        ? text(
            'repeats #',
            slices.map((s) => s.repeats.map((other) => other + 1)),
            slices.map((s) => s.repeats.map((other) => other + 1).join(', ')),
          )
        : undefined,
    ]),
    ...(declarations.length > 0
      ? [table({ id: 'declarations', title: 'To keep one, paste' }, [text('declaration', declarations, declarations)])]
      : []),
  ]
}

function assertTables(result: AssertResult, limit: number): Table[] {
  const flagged = result.flagged ?? []
  if (flagged.length === 0) return []
  const shown = flagged.slice(0, limit)
  const names = [...new Set(shown.flatMap((row) => Object.keys(row.values)))]
  const keys = shown.map((row) => row.key)
  const severities = shown.map((row) => row.severity)
  const total = result.total ?? flagged.length
  const note = total > shown.length ? flaggedCutText(shown.length, total) : undefined
  return [
    table({ id: 'flagged', title: 'Flagged rows', keys, note }, [
      keyField(keys),
      number('severity', severities.map(finite), figures(severities)),
      ...names.map((name) =>
        valueField(
          name,
          shown.map((row) => row.values[name]),
          40,
        ),
      ),
      shown.some((row) => row.correction !== undefined)
        ? text(
            'suggested',
            shown.map((row) => row.correction ?? null),
            shown.map((row) => cell(row.correction, 40)),
          )
        : undefined,
    ]),
  ]
}

function complaintTables(result: ComplaintResult, limit: number): Table[] {
  return [...expectationTable(result), ...explanationTable(result), ...rankingTable(result, limit)]
}

function expectationTable(result: ComplaintResult): Table[] {
  const all = result.expectations ?? []
  if (all.length === 0) return []
  const shown = all.slice(0, 100)
  const groups = shown.map((e) => (e.group ? predicateText(e.group) : ''))
  return [
    table({ id: 'expected', title: 'Expected', note: cut(shown.length, all.length, 'expectation') }, [
      text(
        'expect',
        shown.map((e) => e.expect),
        shown.map((e) => cell(e.expect, 80)),
      ),
      all.some((expectation) => expectation.group) ? text('where', groups, groups) : undefined,
      number(
        'actual',
        shown.map((e) => finite(e.actual)),
        shown.map((e) => figure(e.actual)),
      ),
      arrow(shown.length),
      text(
        'expected',
        shown.map((e) => e.expected),
        shown.map(expectedText),
      ),
      number(
        'relaxed',
        shown.map((e) => finite(e.relaxed)),
        shown.map((e) => figure(e.relaxed)),
      ),
      text(
        'met',
        shown.map((e) => e.satisfied),
        shown.map((e) => (e.satisfied ? (e.actual === null ? 'unknown' : 'yes') : 'no')),
      ),
    ]),
  ]
}

function rankingTable(result: ComplaintResult, limit: number): Table[] {
  const ranking = result.ranking ?? []
  if (ranking.length === 0) return []
  const shown = ranking.slice(0, limit)
  const names = [...new Set(shown.flatMap((row) => Object.keys(row.values ?? {})))].slice(0, 8)
  const has = (test: (row: (typeof shown)[number]) => boolean) => shown.some(test)
  const keys = shown.map((row) => row.key)
  const influences = shown.map((row) => row.influence)
  return [
    table({ id: 'suspects', title: rankingTitle(result), keys, note: cut(shown.length, ranking.length) }, [
      number(
        'rank',
        shown.map((row) => row.rank),
        shown.map((row) => String(row.rank)),
      ),
      keyField(keys),
      has((row) => row.label !== undefined)
        ? text(
            'label',
            shown.map((row) => row.label ?? null),
            shown.map((row) => cell(row.label, 32)),
          )
        : undefined,
      has((row) => row.prediction !== undefined)
        ? text(
            "model's opinion",
            shown.map((row) => row.prediction ?? null),
            shown.map(opinion),
          )
        : undefined,
      number(scoreOf(result).name, influences.map(finite), figures(influences)),
      has((row) => row.treatment !== undefined)
        ? text(
            'treatment',
            shown.map((row) => row.treatment ?? null),
            shown.map((row) => cell(row.treatment, 40)),
          )
        : undefined,
      ...names.map((name) => {
        const values = shown.map((row) => row.values?.[name])
        return { ...valueField(name, values, 24), align: 'left' as const }
      }),
    ]),
  ]
}

/** Complaints that came from elsewhere, each with its suspects. */
function rankedTables({ ranked = [], ...base }: IndexResult, limit: number): Table[] {
  return ranked.flatMap(({ complaint, ranking }, i) =>
    rankingTable({ ...base, kind: 'complaint', name: complaint, ranking }, limit).map((one) => ({
      ...one,
      id: i === 0 ? one.id : `${one.id}-${i + 1}`,
      title: `${one.title} of ${measureName(complaint)}`,
    })),
  )
}

function interveneTables(result: InterveneResult): Table[] {
  const names = Object.keys(result.before ?? {})
  if (names.length === 0) return []
  const before = names.map((name) => result.before?.[name])
  const after = names.map((name) => result.after?.[name])
  return [
    table({ id: 'measures', title: 'Before and after', keys: names }, [
      text('measure', names, names.map(measureName)),
      number(
        'before',
        before.map(finite),
        before.map((value) => figure(value)),
      ),
      result.predicted
        ? number(
            'predicted',
            names.map((name) => finite(result.predicted?.[name])),
            names.map((name) => figure(result.predicted?.[name])),
          )
        : undefined,
      arrow(names.length),
      number(
        'after',
        after.map(finite),
        after.map((value) => figure(value)),
      ),
      text(
        'change',
        names.map((_, i) => (finite(before[i]) === null || finite(after[i]) === null ? null : after[i]! - before[i]!)),
        names.map((_, i) => changeText(before[i], after[i])),
      ),
    ]),
  ]
}

function cut(shown: number, total: number, noun?: string): string | undefined {
  return shown < total ? cutText(shown, total, noun) : undefined
}
