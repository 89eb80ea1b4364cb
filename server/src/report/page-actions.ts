import type { Action, PageAddress } from '../protocol/pages.ts'
import type { ComplaintResult, Result } from '../protocol/results.ts'

/** What a page offers: for the whole of it, and for selected rows of each of its tables. Carrying it out is the server's (`server/acts.ts`). */
export function pageActions({ what }: PageAddress, result: Result): Action[] {
  const declaration: Action = { id: 'declaration', title: 'Go to declaration' }
  if (what === 'preview') return result.kind === 'complaint' ? [...aboutQuery(result), declaration] : [declaration]
  const runs: Action = { id: 'run', title: what === 'plan' ? 'Run' : 'Run again', primary: true }
  return [runs, ...(what === 'result' ? previews(result) : []), declaration]
}

function previews({ kind }: Result): Action[] {
  if (kind === 'source' || kind === 'slice') return [{ id: 'preview-slice', title: 'Preview rows' }]
  if (kind === 'complaint') return [{ id: 'preview-query', title: 'Preview query' }]
  return kind === 'model' ? [{ id: 'preview-query', title: 'Preview predictions' }] : []
}

/** What can be done with a query over predictions; before that its models have to be trained. */
function aboutQuery({ preview }: ComplaintResult): Action[] {
  const train: Action[] = preview?.untrained ? [{ id: 'train', title: 'Train and preview', primary: true }] : []
  return preview ? [...train, { id: 'ask-query', title: 'Ask another query…' }] : []
}

/** What can be expected of what a query gives. A query that always gives one row cannot have another. */
function expectations({ preview }: ComplaintResult): Action[] {
  if (preview === undefined) return []
  const cells: Action[] = [
    { id: 'expect-lower', title: 'Should be lower', takes: 'cell' },
    { id: 'expect-higher', title: 'Should be higher', takes: 'cell' },
    { id: 'expect-equal', title: 'Should be…', takes: 'cell' },
  ]
  const rows: Action[] = [
    { id: 'expect-none', title: 'Should not be here', takes: 'rows' },
    { id: 'expect-row', title: 'A row is missing…', takes: 'table' },
  ]
  const isMeasured = preview.columns.some(({ role, type }) => role === 'measured' && type === 'number')
  return [...(isMeasured ? cells : []), ...(preview.shape === 'one' ? [] : rows)]
}

export function rowActions(table: string, result: Result): Action[] {
  switch (`${result.kind} ${table}`) {
    case 'complaint suspects':
      return [
        { id: 'intervene-remove', title: 'Try without them', primary: true },
        ...(canRelabel(result as ComplaintResult) ? [{ id: 'intervene-relabel' as const, title: 'Try relabelled' }] : []),
        showRow,
      ]
    case 'assert flagged':
      return [showRow, { id: 'exclude', title: 'Exclude in a view' }]
    case 'complaint rows':
      return expectations(result as ComplaintResult)
    case 'complaint explanation':
    case 'discover slices':
      return [{ id: 'keep-slice', title: 'Keep as slice', primary: true }, previewSlice]
    case 'partition slices':
    case 'model slices':
    case 'source splits':
      return [previewSlice]
    case 'source rows':
    case 'slice rows':
      return [showRow]
    default:
      return []
  }
}

const showRow: Action = { id: 'show-row', title: 'Show in data', single: true }
const previewSlice: Action = { id: 'preview-slice', title: 'Preview rows', single: true }

/** A label can be mended where it is one of a model's classes: then its treatment or the model's opinion says to which. */
function canRelabel({ ranking = [] }: ComplaintResult): boolean {
  return ranking.some((row) => row.confidence !== undefined)
}
