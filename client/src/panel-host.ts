import { randomBytes } from 'node:crypto'
import { type Disposable, Uri, ViewColumn, type WebviewPanel, window } from 'vscode'
import type { PageAddress } from '../../server/src/protocol/pages.ts'
import type { FromPanel, ToPanel } from '../../server/src/protocol/panels.ts'
import { panelHtml } from './panel-html.ts'

export const panelType = 'assay.page'

/** One webview: what is posted waits until its page is ready, and the last page and state are posted again whenever it loads anew. */
export interface PanelHost extends Disposable {
  readonly panel: WebviewPanel
  post(message: ToPanel): void
}
export interface PanelListener {
  readonly heard: (message: FromPanel) => void
  readonly shown: () => void
  readonly closed: () => void
}

export function createPanel(title: string): WebviewPanel {
  return window.createWebviewPanel(
    panelType,
    title,
    { viewColumn: ViewColumn.Beside, preserveFocus: true },
    // A table keeps its place and its selection behind another tab.
    { retainContextWhenHidden: true },
  )
}

export function hostPanel(panel: WebviewPanel, extension: Uri, listener: PanelListener): PanelHost {
  const dist = Uri.joinPath(extension, 'dist')
  const { webview } = panel
  let ready = false
  let content: ToPanel | undefined
  let activity: ToPanel | undefined
  webview.options = { enableScripts: true, localResourceRoots: [dist], enableCommandUris: false }
  const media = Uri.joinPath(extension, 'media')
  panel.iconPath = { light: Uri.joinPath(media, 'file-light.svg'), dark: Uri.joinPath(media, 'file-dark.svg') }
  const listening = [
    webview.onDidReceiveMessage((message: FromPanel) => {
      if (message.type !== 'ready') return listener.heard(message)
      ready = true
      for (const last of [content, activity]) if (last) void webview.postMessage(last)
    }),
    panel.onDidChangeViewState(() => panel.visible && listener.shown()),
    panel.onDidDispose(() => {
      ready = false
      for (const one of listening) one.dispose()
      listener.closed()
    }),
  ]
  webview.html = panelHtml({
    script: webview.asWebviewUri(Uri.joinPath(dist, 'panel.js')).toString(),
    style: webview.asWebviewUri(Uri.joinPath(dist, 'panel-style.css')).toString(),
    cspSource: webview.cspSource,
    nonce: randomBytes(18).toString('base64url'),
  })
  return {
    panel,
    post: (message) => {
      if (message.type === 'page' || message.type === 'nothing') content = message
      else activity = message.type === 'idle' ? undefined : message
      if (ready) void webview.postMessage(message)
    },
    dispose: () => panel.dispose(),
  }
}

/** The title of a panel before its page is there. */
export const titleOf = ({ name, what }: PageAddress): string => (what === 'result' ? name : `${name} · ${what}`)
