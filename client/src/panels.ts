import {
  type CancellationToken,
  CancellationTokenSource,
  type Disposable,
  type ExtensionContext,
  type Uri,
  type WebviewPanel,
  window,
  workspace,
} from 'vscode'
import { commands, type PageAnswer, requests, type StatusParams } from '../../server/src/protocol/messages.ts'
import type { Page, PageAddress } from '../../server/src/protocol/pages.ts'
import type { FromPanel } from '../../server/src/protocol/panels.ts'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { addressIn, addressKey, sameUri } from './addresses.ts'
import { sameName } from './declarations.ts'
import { asked, firstError, reasonOf } from './outcomes.ts'
import { createPanel, hostPanel, type PanelHost, panelType, titleOf } from './panel-host.ts'
import type { Server } from './server.ts'

/**
 * The panels: one for each declaration and what of it is shown. A panel is found again by its address, so it survives reloads; closing it cancels
 * nothing. What it draws is the server's page; here it is fetched, kept true to the spec and the data, and told about runs.
 */
export interface Panels {
  open(address: PageAddress): Promise<void>
  /** The page that was last shown, for tests and exports. */
  page(address: PageAddress): Page | undefined
}
export interface PanelActions {
  readonly heard: (address: PageAddress, page: Page | undefined, message: FromPanel) => void
  readonly isRunning: (uri: string, name: string) => boolean
}

interface Shown {
  readonly address: PageAddress
  readonly host: PanelHost
  /** Counts fetches: an answer that was overtaken is dropped. */
  asked: number
  /** Ends the fetch under way: a preview may read for long. */
  stop?: CancellationTokenSource
  page?: Page
  running: boolean
}

const afterEditMs = 800
const dataFiles = '**/*.{csv,tsv,tab,json,jsonl,ndjson,parquet}'

export function makePanels(context: ExtensionContext, server: Server, actions: PanelActions): Panels {
  const shown = new Map<string, Shown>()
  const disposables: Disposable[] = []
  let editing: NodeJS.Timeout | undefined

  const host = (address: PageAddress, panel: WebviewPanel): Shown => {
    const key = addressKey(address)
    const one: Shown = {
      address,
      asked: 0,
      running: false,
      host: hostPanel(panel, context.extensionUri, {
        heard: (message) => {
          if (message.type === 'cancel' && !one.running) one.stop?.cancel()
          else actions.heard(address, one.page, message)
        },
        shown: () => follows(address) && void refresh(one, 'if changed'),
        closed: () => {
          // An answer that is still to come has nowhere to go.
          one.asked++
          one.stop?.cancel()
          if (shown.get(key) === one) shown.delete(key)
        },
      }),
    }
    shown.set(key, one)
    return one
  }

  const refresh = async (one: Shown, when: 'always' | 'if changed'): Promise<void> => {
    const mine = ++one.asked
    one.stop?.cancel()
    const stop = (one.stop = new CancellationTokenSource())
    const answer = await fetchPage(server, one.address, stop.token)
    stop.dispose()
    if (mine !== one.asked) return
    one.stop = undefined
    if ('sentence' in answer) {
      if (one.page === undefined || when === 'always') one.host.post({ type: 'nothing', sentence: answer.sentence })
      return
    }
    if (when === 'if changed' && one.page !== undefined && unchanged(one.page, answer.page)) return
    one.page = answer.page
    one.host.panel.title = answer.page.title
    one.host.post({ type: 'page', page: answer.page })
  }

  const refreshAll = (which: (address: PageAddress) => boolean, when: 'always' | 'if changed') => {
    for (const one of shown.values()) if (which(one.address)) void refresh(one, when)
  }

  const follow = ({ running }: StatusParams) => {
    for (const one of shown.values()) {
      const { uri, name, what } = one.address
      if (what === 'plan') continue
      const here = running.filter((job) => sameUri(job.uri) === sameUri(uri))
      const job = here.find((job) => sameName(job.name, name)) ?? (actions.isRunning(uri, name) ? here[0] : undefined)
      if (job) {
        const stage = [sameName(job.name, name) ? '' : job.name, job.stage ?? 'starting'].filter((part) => part).join(': ')
        one.host.post({ type: 'running', stage, done: job.done, of: job.of })
      } else if (one.running) one.host.post({ type: 'idle' })
      one.running = job !== undefined
    }
  }

  const soon = () => {
    clearTimeout(editing)
    editing = setTimeout(() => refreshAll(follows, 'if changed'), afterEditMs)
  }
  disposables.push(
    server.onStatus(follow),
    server.onRan(({ uri, name }) => {
      refreshAll((address) => sameUri(address.uri) === sameUri(uri) && sameName(address.name, name) && address.what === 'result', 'always')
    }),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (document.languageId !== 'assay' || contentChanges.length === 0 || shown.size === 0) return
      // A spec may be imported by the one that a panel belongs to.
      soon()
    }),
    dataWatcher(() => {
      if (shown.size > 0) soon()
    }),
    window.registerWebviewPanelSerializer(panelType, {
      deserializeWebviewPanel: async (panel: WebviewPanel, state: unknown) => {
        const address = addressIn(state)
        if (address === undefined || shown.has(addressKey(address))) return panel.dispose()
        panel.title = titleOf(address)
        void refresh(host(address, panel), 'always')
      },
    }),
    { dispose: () => clearTimeout(editing) },
  )
  context.subscriptions.push(...disposables)

  return {
    open: async (address) => {
      const known = shown.get(addressKey(address))
      if (known) {
        known.host.panel.reveal(undefined, true)
        return refresh(known, 'always')
      }
      const one = host(address, createPanel(titleOf(address)))
      if (address.what === 'preview') one.host.post({ type: 'running', stage: 'reading rows' })
      await refresh(one, 'always')
      if (address.what === 'preview') one.host.post({ type: 'idle' })
    },
    page: (address) => shown.get(addressKey(address))?.page,
  }
}

/** Files of data that something has written, in this editor or outside it. */
function dataWatcher(changed: () => void): Disposable {
  const watcher = workspace.createFileSystemWatcher(dataFiles)
  for (const event of [watcher.onDidChange, watcher.onDidCreate, watcher.onDidDelete]) event(changed)
  return watcher
}

/** The page, or why there is none. */
async function fetchPage(
  server: Server,
  address: PageAddress,
  token: CancellationToken,
): Promise<{ readonly page: Page } | { readonly sentence: string }> {
  try {
    const page = await server.request<PageAnswer>(requests.page, address, token)
    if (page) return { page }
    return { sentence: await whyNone(server, address) }
  } catch (reason) {
    if (token.isCancellationRequested) return { sentence: 'It was cancelled before there was anything to show.' }
    return { sentence: reason instanceof Error ? reason.message : String(reason) }
  }
}

async function whyNone(server: Server, { uri, name, what, where, limit, query }: PageAddress): Promise<string> {
  if (what === 'result') return `${name} has no result yet. Run it from the lens above it, or with Assay: Run Declaration at Cursor.`
  const file = await server.command<ResultFile>(what === 'plan' ? commands.plan : commands.preview, {
    uri,
    name,
    names: [name],
    where,
    limit,
    query,
  })
  const [result] = asked(file, [name])
  const error = firstError(file.problems)
  return (result && reasonOf(result)) || (error && reasonOf(error)) || `There is nothing to show of ${name}.`
}

/** A preview reads rows, which only a command may do; the others are made of what is known. */
const follows = ({ what }: PageAddress) => what !== 'preview'

const unchanged = (a: Page, b: Page) => a.state === b.state && a.verdict === b.verdict && a.provenance === b.provenance && a.text === b.text

/** Where a document opens so that a panel stays in sight. */
export function columnFor(uri: Uri): number | undefined {
  const seen = window.visibleTextEditors.find((editor) => editor.document.uri.toString() === uri.toString())
  if (seen) return seen.viewColumn
  return window.visibleTextEditors.find((editor) => editor.viewColumn !== undefined)?.viewColumn
}
