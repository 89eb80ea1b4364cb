import type { ColumnFacts, SourceFacts } from '../protocol/facts.ts'
import type { Mood } from '../protocol/pages.ts'
import type {
  AssertResult,
  BackendInfo,
  ComplaintResult,
  DiscoverResult,
  ExpectationResult,
  IndexResult,
  InferenceRow,
  InterveneResult,
  ModelResult,
  PartitionResult,
  Provenance,
  RankedRow,
  Result,
} from '../protocol/results.ts'
import { bytes, cell, count, duration, figure, keyText, share } from './figures.ts'
import { inert } from './inert.ts'
import { predictionSentence, trustSentences } from './strength-wording.ts'

/**
 * Reports: from results to text, JSON and HTML, without computing anything. Every sentence about a result is in this file; those about a
 * spec are `grammar`'s and `check`'s messages. Not here: what the numbers mean (LANGUAGE) and how they came about (engine).
 */

/** What became of a declaration, in one or two words. */
export function verdict(result: Result): string {
  switch (result.status) {
    case 'ok':
      if (result.kind === 'model' && result.origin !== undefined) return 'measured'
      if (result.kind === 'assert' && result.failed) return `holds, ${figure(result.failed)} ${result.failed === 1 ? 'fails' : 'fail'}`
      return okWords[result.kind] ?? 'done'
    case 'violated':
      if (result.kind === 'complaint') return 'stands'
      if (result.kind !== 'assert') return 'violated'
      return isMild(result) ? `fails (${result.level})` : 'fails'
    case 'not-met':
      return 'not met'
    default:
      return result.status
  }
}
/** A failure that its level forgives. */
const isMild = (result: AssertResult) => result.level === 'warning' || result.level === 'info'
const okWords: Readonly<Record<string, string>> = { complaint: 'satisfied', assert: 'holds', model: 'trained', index: 'stored' }

/** How a verdict is coloured, always beside its words. */
export function mood(result: Result): Mood {
  if (result.status === 'violated' || result.status === 'failed' || result.status === 'not-met') return 'bad'
  if (result.status === 'ok') return result.kind === 'assert' && result.failed ? 'warn' : 'good'
  return 'quiet'
}

/** The main sentences about a result; the first says the most. */
export function sentences(result: Result): string[] {
  const why = [result.message === undefined ? undefined : withHint(result.message, result.hint)].filter((part) => part !== undefined)
  if (result.status === 'failed' || result.status === 'skipped')
    return why.length > 0 ? why : [`It ${result.status === 'failed' ? 'failed' : 'was skipped'}.`]
  if (result.status === 'planned') return [`${count(result.steps?.length ?? 0, 'step')}; nothing was computed.`, ...why]
  if (result.status === 'cancelled') return ['It was cancelled before it was done.', ...why]
  const partial = result.status === 'partial' ? ['Cancelled on the way: these are partial results.'] : []
  return [...partial, ...byKind(result), ...why]
}

function byKind(result: Result): string[] {
  switch (result.kind) {
    case 'source':
      return sourceSentences(result)
    case 'slice':
      if (result.rows === undefined) return []
      return [`${count(result.rows, 'row')}${result.share === undefined ? '' : `, ${share(result.share)} of its source`}.`]
    case 'model':
      return modelSentences(result)
    case 'partition':
      return partitionSentences(result)
    case 'discover':
      return discoverSentences(result)
    case 'assert':
      return assertSentences(result)
    case 'complaint':
      return complaintSentences(result)
    case 'intervene':
      return interveneSentences(result)
    case 'index':
      return indexSentences(result)
    default:
      return []
  }
}

function sourceSentences(result: Extract<Result, { kind: 'source' }>): string[] {
  if (result.rows === undefined) return []
  const splits = Object.entries(result.splits ?? {}).map(([name, rows]) => `${inert(name)} ${figure(rows)}`)
  const columns = result.columns ? ` in ${count(result.columns.length, 'column')}` : ''
  return [`${count(result.rows, 'row')}${columns}${splits.length > 0 ? `; splits: ${splits.join(', ')}` : ''}.`]
}

function modelSentences(result: ModelResult): string[] {
  if (result.metrics === undefined) return []
  const metrics = Object.entries(result.metrics).map(([name, value]) => `${name} ${metricFigure(name, value)}`)
  const measured = `${capital(metrics.join(', '))}${measuredWhere(result)}.`
  if (result.origin !== undefined) {
    const how = result.origin === 'brought' ? 'Brought along: predictions for' : 'Trained elsewhere, and run here on'
    const loss = result.loss === undefined ? '' : `, loss ${figure(result.loss)}`
    return [measured, `${how} ${count(result.rows ?? 0, 'row')}${loss}.`]
  }
  const trained = [
    result.rows === undefined ? undefined : `trained on ${count(result.rows, 'row')}`,
    result.parameters === undefined ? undefined : count(result.parameters, 'parameter'),
    result.epochs === undefined ? undefined : count(result.epochs, 'iteration'),
    result.loss === undefined ? undefined : `objective ${figure(result.loss)}`,
    result.gradientNorm === undefined ? undefined : `gradient norm ${figure(result.gradientNorm, 3)}`,
  ].filter((part) => part !== undefined)
  return [measured, ...(trained.length > 0 ? [`${capital(trained.join(', '))}.`] : [])]
}

/** ` on valid`: which rows a model's metrics are of. */
export function measuredWhere({ measuredOn }: ModelResult): string {
  return measuredOn === undefined ? '' : measuredOn === 'training' ? ' on its training rows' : ` on ${inert(measuredOn)}`
}

export function partitionSentences(result: PartitionResult): string[] {
  if (!result.slices) return []
  const sizes = result.slices.map((slice) => slice.rows)
  if (sizes.length === 0) return ['No slices: there are no rows.']
  return [`${count(sizes.length, 'slice')}, from ${figure(Math.min(...sizes))} to ${count(Math.max(...sizes), 'row')}.`]
}

function discoverSentences(result: DiscoverResult): string[] {
  if (!result.slices) return []
  const mean = result.meanError === undefined ? '' : ` The mean error over all rows is ${figure(result.meanError)}.`
  const worst = result.slices[0]
  if (!worst) return [`There is no slice to report.${mean}`]
  const what = result.slices.length === 1 ? 'The worst slice' : `The worst of ${count(result.slices.length, 'slice')}`
  return [
    `${what} is ${predicateText(worst.predicates)}: mean error ${figure(worst.meanError)} over ${count(worst.size, 'row')}.${mean}`,
    ...discoveryFacts(result),
  ]
}

/** What an error was, and how far the slices can be trusted. */
function discoveryFacts({ error, hypotheses, replicationRate }: DiscoverResult): string[] {
  const of = error === undefined ? '' : `Error: ${inert(error, 200)}.`
  const among = hypotheses === undefined ? '' : ` q-values are over ${count(hypotheses, 'slice')} of sufficient size.`
  const held =
    replicationRate === undefined ? '' : ` Of the slices found on one half of the rows, ${share(replicationRate)} held on the other.`
  return [`${of}${among}${held}`.trim()].filter((sentence) => sentence !== '')
}

function assertSentences(result: AssertResult): string[] {
  const { checked, failed, unknown } = result
  if (checked === undefined || failed === undefined) return []
  const judged = checked - (unknown ?? 0)
  const more = judged > 0 ? ' more' : ''
  const unknowns = unknown
    ? ` ${figure(unknown)}${more} ${unknown === 1 ? 'is' : 'are'} unknown (the rule is NULL): neither passed nor failed.`
    : ''
  if (judged === 0) return [unknown ? `Nothing could be judged.${unknowns}` : 'There was nothing to check.']
  if (failed === 0) return [`${judged === 1 ? 'The one that was checked holds' : `All ${figure(judged)} checked hold`}.${unknowns}`]
  const level = result.status === 'ok' && result.level !== 'error' ? ` Its level is ${result.level}.` : ''
  const allowed = result.status === 'ok' && level === '' ? ' That is within what the assertion allows.' : ''
  return [
    `${figure(failed)} of ${figure(judged)} ${failed === 1 ? 'fails' : 'fail'} (${share(result.fraction)}).${allowed}${level}${unknowns}`,
  ]
}

function complaintSentences(result: ComplaintResult): string[] {
  return [...standing(result), ...trustSentences(result), ...inCommon(result)]
}

/** Above the rows of a query over predictions. */
export function answerSentences({ preview }: ComplaintResult): string[] {
  if (preview === undefined) return []
  const models = preview.using.map((name) => `\`${inert(name, 80)}\``).join(', ')
  const told = [`What the query gives over what ${models} predict${preview.using.length === 1 ? 's' : ''} now.`]
  if (preview.unnamed !== undefined)
    told.push(`It groups by \`${inert(preview.unnamed, 200)}\` and does not give it: select it too, so that one row can be spoken of.`)
  return told
}

function standing(result: ComplaintResult): string[] {
  if (!result.expectations) return []
  const unmet = result.expectations.filter((expectation) => !expectation.satisfied)
  if (result.expectations.length === 0) return ['The query gives no row that the complaint speaks of.']
  const [first] = result.expectations
  if (result.expectations.length === 1 && first) {
    const is = `\`${inert(first.expect, 200)}\` is expected, and the query gives ${figure(first.actual)}`
    if (first.satisfied && first.actual === null)
      return [
        `The complaint does not stand: \`${inert(first.expect, 200)}\` is expected, and the query gives NULL: a division by zero, or an aggregate of no rows.`,
      ]
    return [first.satisfied ? `The complaint is satisfied: ${is}.` : `The complaint stands: ${is}.`]
  }
  if (unmet.length === 0) return ['The complaint is satisfied: the query gives what is expected.']
  return [`The complaint stands: ${figure(unmet.length)} of ${count(result.expectations.length, 'expectation')} are not met.`]
}

/** What most suspects have in common. */
function inCommon({ explanation = [], ranking = [] }: ComplaintResult): string[] {
  const best = explanation[0]
  if (!best) return []
  const how = `precision ${best.precision.toFixed(2)}, coverage ${best.coverage.toFixed(2)}`
  return [`${figure(best.suspects)} of ${count(ranking.length, 'suspect')} have \`${inert(best.where, 400)}\` (${how}).`]
}

/** Below the table of what suspects have in common. */
export const explanationNote =
  'Precision: of the training rows that match, the share that are suspects. Coverage: of the suspects, the share that match. Score: what matching tells about being a suspect, less what the conditions take to write down; 1 is a perfect description.'

function interveneSentences(result: InterveneResult): string[] {
  if (!result.before || !result.after) return []
  const changed =
    result.changedRows === undefined ? '' : `With ${count(result.changedRows, 'row')} changed on a copy and the model trained again: `
  const moves = Object.keys(result.before).map(
    (name) => `${measureName(name)} ${figure(result.before?.[name])} → ${figure(result.after?.[name])}`,
  )
  return [`${changed}${moves.join('; ')}.`, ...predictionSentence(result), 'The data itself is as it was.']
}

function indexSentences(result: IndexResult): string[] {
  if (result.k === undefined) return []
  const size = result.bytes === undefined ? '' : `, ${bytes(result.bytes)}`
  return [
    `The debugging index of ${inert(result.model ?? result.name)} holds ${count(result.k, 'eigenvector')}${size}${result.file ? `: ${inert(result.file, 400)}` : ''}.`,
  ]
}

/** A message and what to do: a sentence of its own, or the text that mends it, unless the message says it already. */
export function withHint(message: string, hint: string | undefined): string {
  const said = inert(message, 2000)
  if (hint === undefined || message.includes(hint)) return said
  const remedy = inert(hint, 2000)
  return /[.!?]$/.test(remedy) ? `${said} ${remedy}` : `${said} Try \`${remedy}\`.`
}

/** What a complaint expects, as short as can be: `<= 1 028`. */
export function expectedText(expectation: ExpectationResult): string {
  if (typeof expectation.expected !== 'number') return cell(expectation.expected, 40)
  const [condition = ''] = expectation.expect.split(' where ')
  const before = /^[-+\d._e%]+\s*([<>])(=?)/i.exec(condition)
  const relation = before ? `${before[1] === '<' ? '>' : '<'}${before[2]}` : /([<>]=?)\s*[-+\d._e%]+$/i.exec(condition)?.[1]
  return relation ? `${relation} ${figure(expectation.expected)}` : figure(expectation.expected)
}

/** `1 (0.98)`: what the model itself would say of the row. */
export function opinion(row: Pick<RankedRow, 'prediction' | 'confidence'>): string {
  if (row.prediction === undefined) return ''
  return row.confidence === undefined ? cell(row.prediction) : `${cell(row.prediction)} (${row.confidence.toFixed(2)})`
}

/** `4112 of mail: 3.1 % of what it does for the complaint; label 1, the model says 7 (0.93).` */
export function whyText(row: InferenceRow): string {
  const through =
    row.share !== undefined
      ? `${share(row.share)} of what it does for the complaint goes through this row`
      : row.likeness !== undefined
        ? `alike in its inputs (cosine ${row.likeness.toFixed(2)})`
        : undefined
  const said = row.prediction === undefined ? undefined : `the model says ${opinion(row)}`
  const facts = [through, row.label === undefined ? undefined : `label ${cell(row.label, 32)}`, said].filter((fact) => fact !== undefined)
  return `${keyText(row.key)} of ${inert(row.source, 80)}: ${facts.join('; ')}.`
}

export function provenanceText(provenance: Provenance): string {
  const parts = [
    provenance.dataHash && `data ${inert(provenance.dataHash.slice(0, 12))}`,
    provenance.planHash && `plan ${inert(provenance.planHash.slice(0, 12))}`,
    provenance.planHash && `seed ${provenance.seed}`,
    provenance.rows > 0 && count(provenance.rows, 'row'),
    provenance.elapsedMs > 0 && duration(provenance.elapsedMs),
  ]
  return parts.filter((part) => part).join(' · ')
}

export function backendText(backend: BackendInfo): string {
  const test = backend.selfTest === 'passed' ? 'self-test passed' : `self-test failed: ${inert(backend.selfTest, 400)}`
  return `${inert(backend.name)} (${inert(backend.device)}), ${test}`
}

/** The last line of a run. */
export function summary(results: readonly Result[]): string {
  const tally = new Map<string, number>()
  const order = ['failed', 'violated', 'not-met', 'cancelled', 'partial', 'skipped']
  for (const result of results) tally.set(result.status, (tally.get(result.status) ?? 0) + 1)
  const violated = (kind: Result['kind']) => results.filter((r) => r.kind === kind && r.status === 'violated').length
  const said = order.flatMap((status) => {
    const n = tally.get(status) ?? 0
    if (n === 0) return []
    if (status !== 'violated') return [`${figure(n)} ${status === 'not-met' ? 'not met' : status}`]
    const complaints = violated('complaint')
    const mild = results.filter((r) => r.kind === 'assert' && r.status === 'violated' && isMild(r)).length
    const assertions = violated('assert') - mild
    return [
      ...(complaints > 0 ? [complaints === 1 ? '1 complaint stands' : `${figure(complaints)} complaints stand`] : []),
      ...(assertions > 0 ? [assertions === 1 ? '1 assertion fails' : `${figure(assertions)} assertions fail`] : []),
      ...(mild > 0 ? [mild === 1 ? '1 assertion fails as a warning' : `${figure(mild)} assertions fail as warnings`] : []),
      ...(n > complaints + assertions + mild ? [`${figure(n - complaints - assertions - mild)} violated`] : []),
    ]
  })
  const planned = tally.get('planned') ?? 0
  if (planned === results.length && planned > 0) return `${count(planned, 'declaration')} planned; nothing was computed.`
  const done = count(results.length - (tally.get('skipped') ?? 0), 'declaration')
  return said.length === 0 ? `${done} ran: everything holds.` : `${done} ran: ${said.join(', ')}.`
}

/** Discovered slices as declarations, ready to paste: representatives only, for the others say much the same. */
export function declarationsOf(result: DiscoverResult): string[] {
  const { source, slices = [] } = result
  if (source === undefined) return []
  const name = (text: string) => (/^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(text) ? text : `"${text.replaceAll('"', '""')}"`)
  return slices.flatMap(({ where, overlaps }, i) =>
    where === undefined || where === '' || overlaps.some((other) => other < i)
      ? []
      : [`slice ${name(`${result.name}_${i + 1}`)} on ${inert(source, 200)} where ${inert(where, 2000)}`],
  )
}

/** `colour = E and price in [1, 3)`, from a result's `predicates`. */
export function predicateText(predicates: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(predicates).map(([column, value]) => {
    if (value === null) return `${inert(column)} is null`
    if (typeof value === 'string' && bin.test(value)) return `${inert(column)} in ${value}`
    if (typeof value === 'string' && outside.test(value)) return `${inert(column)} ${value}`
    return `${inert(column)} = ${cell(value as string)}`
  })
  return parts.length === 0 ? 'all rows' : parts.join(' and ')
}
const bin = /^[[(]-?[\d.,eE+\s∞:TZ-]+[\])]$/
const outside = /^[<>] -?[\d.eE+:TZ -]+$/

export function metricFigure(name: string, value: number): string {
  return name === 'accuracy' ? share(value) : figure(value)
}

/** `accuracy on mail`, a complaint's name: as the user wrote it. */
export function measureName(name: string): string {
  return inert(name, 80)
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `no NULLs · 18 to 97 · 80 different values`; estimates say so. */
export function columnFactsText({ nulls, low, high, distinct, about }: ColumnFacts, { rows, seen }: SourceFacts): string {
  const nearly = about ? 'about ' : ''
  const parts = [
    nulls === 0 ? (seen < rows ? 'no NULLs seen' : 'no NULLs') : `${seen < rows ? 'about ' : ''}${share(nulls)} NULL`,
    low === undefined || low === null ? undefined : `${cell(low, 40)} to ${cell(high, 40)}${seen < rows ? ' seen' : ''}`,
    distinct === undefined ? undefined : `${nearly}${count(distinct, 'different value')}`,
    seen < rows ? `from ${figure(seen)} of ${count(rows, 'row')}` : undefined,
  ]
  return parts.filter((part) => part !== undefined).join(' · ')
}

/** Where a list was cut. */
export function cutText(shown: number, total: number, noun = 'row'): string {
  return `The first ${figure(shown)} of ${count(total, noun)} are shown; --format json has them all.`
}
export function previewCutText(shown: number, total: number | undefined): string {
  if (total === undefined) return `The first ${count(shown, 'row')}; how many there are was not counted, for it takes long.`
  return `The first ${figure(shown)} of ${count(total, 'row')}.`
}
export function flaggedCutText(shown: number, total: number): string {
  return `The ${figure(shown)} most severe of ${figure(total)} are shown.`
}
