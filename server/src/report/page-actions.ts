import type { Action, PageAddress } from '../protocol/pages.ts'
import type { ComplaintResult, Result } from '../protocol/results.ts'

/** What a page offers: for the whole of it, and for selected rows of each of its tables. Carrying it out is the server's (`server/acts.ts`). */
export function pageActions({ what }: PageAddress, result: Result): Action[] {
  const declaration: Action = { id: 'declaration', title: 'Go to declaration' }
  if (what === 'preview') return [declaration]
  const runs: Action = { id: 'run', title: what === 'plan' ? 'Run' : 'Run again', primary: true }
  const rows: Action = { id: 'preview-slice', title: 'Preview rows' }
  return [runs, ...(what === 'result' && (result.kind === 'source' || result.kind === 'slice') ? [rows] : []), declaration]
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
