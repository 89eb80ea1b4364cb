import type { ActionId, Page, PageAddress } from './pages.ts'

/** What a panel's page and the extension say to each other. A panel says `ready` first; until then nothing is posted to it. */
export type ToPanel =
  | { readonly type: 'page'; readonly page: Page }
  | { readonly type: 'running'; readonly stage: string; readonly done?: number; readonly of?: number }
  /** The run has ended; a page follows if there is one. */
  | { readonly type: 'idle' }
  /** There is nothing to show: why, and what to do. */
  | { readonly type: 'nothing'; readonly sentence: string }

export type FromPanel =
  | { readonly type: 'ready' }
  | {
      readonly type: 'act'
      readonly action: ActionId
      readonly section?: string
      readonly rows: readonly number[]
      /** Of an action that takes a cell: its column, by its index in the section. */
      readonly column?: number
    }
  | { readonly type: 'cancel' }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'save'; readonly format: 'csv' | 'json' | 'svg'; readonly name: string; readonly text: string }

/** What a panel keeps over a reload of the window, by which it is found again. */
export interface PanelState {
  readonly address: PageAddress
}
