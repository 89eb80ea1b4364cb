import type { ActionId, Page, PageAddress } from './pages.ts'
import type { BackendInfo, ResultFile, Status } from './results.ts'
import type { View } from './views.ts'

/**
 * What client and server say to each other beyond the language server protocol. Commands are `workspace/executeCommand`, so that any editor can
 * send them; what runs and what lasts is told by `window/workDoneProgress` and, to clients that ask for it, by the notifications below.
 */
export const commands = {
  run: 'assay.run',
  plan: 'assay.plan',
  cancel: 'assay.cancel',
  result: 'assay.result',
  preview: 'assay.preview',
} as const
/** Of `show`: a place in a text. Lines and characters count from 0. */
export interface PlaceInText {
  readonly uri: string
  readonly range: {
    readonly start: { readonly line: number; readonly character: number }
    readonly end: { readonly line: number; readonly character: number }
  }
}
/** The server's own: it has the editor show a `PlaceInText`. */
export const showCommand = 'assay.show'
export type CommandName = (typeof commands)[keyof typeof commands]

/** Of `assay.run` and `assay.plan`: without names, all that can be run. Answers a `ResultFile`. */
export interface RunArguments {
  readonly uri: string
  readonly names?: readonly string[]
  readonly seed?: number
  /** Carry out what spends budget. */
  readonly confirm?: boolean
}
/** Of `assay.cancel`: without a name, whatever runs for the file. Answers how many runs it stopped. */
export interface CancelArguments {
  readonly uri: string
  readonly name?: string
}
/** Of `assay.result`: the last result of a declaration, or of all of them. Answers a `ResultFile`. */
export interface ResultArguments {
  readonly uri: string
  readonly name?: string
}
/**
 * Of `assay.preview`: the first rows of a source, a split (`people.train`) or a slice; or those that a complaint's query, or a query over a model's
 * predictions, gives. Answers a `ResultFile`.
 */
export interface PreviewArguments {
  readonly uri: string
  readonly name: string
  /** Only rows for which this condition of the language holds. */
  readonly where?: string
  /** At most this many, 60 000 at most; the setting `previewRows` unless given. */
  readonly limit?: number
  /** Of a model: `select … from … `, with `predict()` and `score()`. */
  readonly query?: string
}

/** What a client may say of itself in `initializationOptions`. */
export interface ClientOptions {
  /** It shows results itself: the server sends no messages about them. */
  readonly showsResults?: boolean
  /** `false`: nothing is run and no data is read until `assay/trust` says otherwise. */
  readonly trusted?: boolean
  readonly settings?: Partial<Settings>
}

/** The section `assay` of a client's settings. */
export interface Settings {
  readonly engine: string
  readonly threads?: number
  readonly memory?: number
  readonly lenses: boolean
  readonly inlayHints: boolean
  /** Rows of a preview. */
  readonly previewRows: number
  /** Flagged rows that are marked in a file of data. */
  readonly maxPerFile: number
}
export const defaultSettings: Settings = { engine: 'auto', lenses: true, inlayHints: false, previewRows: 1000, maxPerFile: 100 }

export const requests = {
  /** `ResultArguments` → `View | null`: what a panel draws. */
  view: 'assay/view',
  /** `PageAddress` → `Page | null`: the same, in words and cells. */
  page: 'assay/page',
  /** `ActArguments` → `ActAnswer`: carries out what a page offers. */
  act: 'assay/act',
} as const
export type ViewAnswer = View | null
export type PageAnswer = Page | null

/** An action of a page, with rows of a section by their index in `TableSection.rows`. */
export interface ActArguments {
  readonly address: PageAddress
  readonly action: ActionId
  readonly section?: string
  readonly rows: readonly number[]
  /** Of an action that takes a cell: its column, by its index in `TableSection.columns`. */
  readonly column?: number
  /** What the user typed, where the answer to the same act without it was `ask`. */
  readonly input?: string
}
/** What the editor is to do; nothing is written but by its own, undoable edits. */
export interface ActAnswer {
  /** Texts to insert into specs, to be shown before they are saved. */
  readonly insert?: { readonly uri: string; readonly line: number; readonly character?: number; readonly text: string }
  /** A place to show. Lines and characters count from 0. */
  readonly show?: {
    readonly uri: string
    readonly line: number
    readonly character: number
    readonly endLine: number
    readonly endCharacter: number
  }
  /** Another page to open. */
  readonly open?: PageAddress
  /** What to run then; and the page to open when that has succeeded, in place of its results. */
  readonly run?: { readonly uri: string; readonly names: readonly string[]; readonly then?: PageAddress }
  /** The user is to type something first; the act is then sent again with it. `problem`: why what was typed will not do. */
  readonly ask?: { readonly title: string; readonly prompt: string; readonly value: string; readonly problem?: string }
  /** A sentence, where it cannot be done or needs a word. */
  readonly say?: string
}

export const notifications = {
  /** Client to server: the workspace is trusted now. */
  trust: 'assay/trust',
  /** Server to client, `StatusParams`: at each change. */
  status: 'assay/status',
  /** Server to client, `RanParams`: one declaration has a result. */
  ran: 'assay/ran',
} as const
export interface StatusParams {
  readonly state: 'ready' | 'running' | 'failed'
  readonly running: readonly {
    readonly uri: string
    readonly name: string
    readonly stage?: string
    readonly done?: number
    readonly of?: number
  }[]
  readonly backend: BackendInfo | null
  readonly message?: string
}
export interface RanParams {
  readonly uri: string
  readonly name: string
  readonly kind: string
  readonly status: Status
}

export type RunAnswer = ResultFile
