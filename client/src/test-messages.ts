import type { AssertResult, ComplaintResult, Json, Result } from '../../server/src/protocol/results.ts'
import { inertText, markdownCell } from './inert-text.ts'
import { reasonOf } from './outcomes.ts'

const mostRows = 10

/** What the Test Explorer says of a failing assertion or complaint: one sentence, then the rows that matter most. */
export function failureMarkdown(result: Result): string {
  if (result.kind === 'assert') return [assertSentence(result), flaggedTable(result)].filter((part) => part).join('\n\n')
  if (result.kind === 'complaint') return [complaintSentence(result), rankingTable(result)].filter((part) => part).join('\n\n')
  return escapedSentence(reasonOf(result))
}

/** What a test came to: a verdict that is unknown, or nothing computed, is neither passed nor failed. */
export function testVerdict(result: Result | undefined): 'passed' | 'failed' | 'errored' | 'skipped' {
  switch (result?.status) {
    case 'ok':
      return isUnknown(result) ? 'skipped' : 'passed'
    case 'violated':
    case 'not-met':
      return 'failed'
    case 'failed':
      return 'errored'
    default:
      return 'skipped'
  }
}
const isUnknown = (result: Result) =>
  result.kind === 'assert' && result.checked !== undefined && result.checked > 0 && result.unknown === result.checked

function assertSentence({ failed, checked, unknown }: AssertResult): string {
  if (failed === undefined) return 'It fails.'
  const unknowns = unknown ? ` ${unknown} are unknown.` : ''
  return `${failed} of ${checked ?? failed} fail.${unknowns}`
}

function complaintSentence({ expectations = [] }: ComplaintResult): string {
  const unmet = expectations.filter((one) => !one.satisfied)
  const first = unmet[0]
  if (first === undefined) return 'The complaint stands.'
  const said = `The complaint stands: ${markdownCell(first.expect, 200)} is expected, and the query gives ${first.actual ?? 'nothing'}.`
  return unmet.length === 1 ? said : `${said} ${unmet.length - 1} more expectations are not met.`
}

function flaggedTable({ flagged = [], total }: AssertResult): string {
  const rows = flagged.slice(0, mostRows)
  if (rows.length === 0) return ''
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.values)))]
  const cells = rows.map((row) => [row.key as Json, ...columns.map((column) => row.values[column])])
  return table(['key', ...columns], cells, (total ?? flagged.length) - rows.length)
}

function rankingTable({ ranking = [] }: ComplaintResult): string {
  const rows = ranking.slice(0, mostRows)
  if (rows.length === 0) return ''
  const cells = rows.map((row) => [row.key as Json, row.label, row.prediction, Number(row.influence.toPrecision(4))])
  return table(['key', 'label', 'the model says', 'influence'], cells, ranking.length - rows.length)
}

function table(heads: readonly string[], rows: readonly (readonly (Json | undefined)[])[], more: number): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(heads.map((head) => markdownCell(head))),
    line(heads.map(() => '---')),
    ...rows.map((cells) => line(cells.map((cell) => markdownCell(cellText(cell))))),
    ...(more > 0 ? ['', `and ${more} more`] : []),
  ].join('\n')
}

const cellText = (value: Json | undefined) => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value))
const escapedSentence = (text: string) => inertText(text).replace(/[\\`*_{}[\]<>#|!]/g, '\\$&')
