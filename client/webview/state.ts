import type { PageAddress, PageRow } from '../../server/src/protocol/pages.ts'
import type { PanelState } from '../../server/src/protocol/panels.ts'
import { host } from './host.ts'

/** What a panel keeps beside its address: how its page was left. Rows are known by their keys, so that a new result finds them again. */
export interface Kept extends PanelState {
  readonly sections: Record<string, SectionState>
  /** Where the page stood, and which of its foldable texts were open. */
  scroll: number
  texts: Record<string, boolean>
}
export interface SectionState {
  sort?: Sort
  filter?: string
  folded?: boolean
  /** Ids as `rowId` makes them. */
  selected?: readonly string[]
  active?: string
  opened?: boolean
  /** The measured column that was last gone to. */
  aim?: number
  top?: number
  left?: number
}
export interface Sort {
  readonly column: string
  readonly order: 'ascending' | 'descending'
}

export interface Memory {
  readonly kept: Kept
  section(id: string): SectionState
  /** Soon; several changes become one message. */
  save(): void
}

/** Above this many, a selection is not kept: the state travels to the editor's other process each time it changes. */
export const mostKept = 5_000

/** Of the page before it, if that had the same address; else of what the editor has kept. */
export function memoryOf(address: PageAddress, last?: Memory): Memory {
  if (last && isKept(last.kept, address)) return last
  const before = host.getState()
  const kept: Kept = isKept(before, address) ? before : { address, sections: {}, scroll: 0, texts: {} }
  let waiting = false
  const write = () => {
    waiting = false
    host.setState(kept)
  }
  return {
    kept,
    section: (id) => (kept.sections[id] ??= {}),
    save: () => {
      if (!waiting) setTimeout(write, 100)
      waiting = true
    },
  }
}

export function rowId(row: PageRow, index: number): string {
  return row.key === undefined ? `#${index}` : JSON.stringify(row.key)
}

function isKept(state: unknown, address: PageAddress): state is Kept {
  if (typeof state !== 'object' || state === null || !('address' in state) || !('sections' in state) || !('texts' in state)) return false
  const was = state.address as PageAddress
  return (
    was.uri === address.uri &&
    was.name === address.name &&
    was.what === address.what &&
    was.where === address.where &&
    was.query === address.query
  )
}
