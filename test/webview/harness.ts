import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type CDPSession, chromium, type Page as Tab } from 'playwright-core'
import type { Page } from '../../server/src/protocol/pages.ts'
import type { FromPanel, ToPanel } from '../../server/src/protocol/panels.ts'
import { tenMegabytes } from './pages.ts'
import { type Theme, themes } from './themes.ts'

/**
 * A panel's page in a real browser, without an editor: the bundle under the policy that the extension sets, a stand-in for the editor's API whose state
 * outlasts a reload, and the tokens of a theme on the root, as the editor writes them.
 */
export interface Workbench {
  open(options?: { readonly theme?: Theme; readonly width?: number; readonly height?: number }): Promise<Panel>
  readonly sizes: { readonly script: number; readonly style: number }
  close(): Promise<void>
}
/** Milliseconds that the page has spent on each since it was loaded. */
export interface Work {
  readonly script: number
  readonly style: number
  readonly layout: number
}
export interface Panel {
  readonly tab: Tab
  post(message: ToPanel): Promise<void>
  /** The page of this name, as on a first visit: nothing of it has been kept. Sent over once. */
  visit(name: string, page: Page): Promise<void>
  /** What the page has said since it was opened, or since `forget`. */
  heard(): Promise<FromPanel[]>
  forget(): Promise<void>
  /** Violations of the policy, errors and dialogs. */
  readonly troubles: string[]
  /** Loads the page again with the state it has kept. */
  reload(): Promise<void>
  dress(theme: Theme): Promise<void>
  /** An expression, evaluated in the page. */
  ask<T>(expression: string): Promise<T>
  /** Keys, one after the other, once the page has settled after each. */
  press(...keys: readonly string[]): Promise<void>
  work(): Promise<Work>
  texts(selector: string): Promise<string[]>
  /** Until an expression holds. */
  until(expression: string): Promise<void>
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const candidates = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
export const chromiumPath = candidates.find((path): path is string => path !== undefined && path !== '' && existsSync(path))

export async function startWorkbench(): Promise<Workbench> {
  const files = await bundle()
  const server = await serve(files)
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  })
  return {
    sizes: { script: files.get('/panel.js')!.length, style: files.get('/panel-style.css')!.length },
    open: async ({ theme = themes[0]!, width = 1100, height = 860 } = {}) => {
      const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: 1 })
      const tab = await context.newPage()
      return openPanel(tab, address, files, theme, () => context.close())
    },
    close: async () => {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function openPanel(tab: Tab, address: string, files: Map<string, string>, theme: Theme, close: () => Promise<void>): Promise<Panel> {
  const troubles: string[] = []
  tab.on('pageerror', (error) => troubles.push(`error: ${error.message}`))
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(`${message.type()}: ${message.text()}`)
  })
  tab.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  let worn = theme
  let devtools: CDPSession | undefined
  const load = async () => {
    await tab.goto(address)
    await tab.evaluate(wear(worn))
  }
  await load()
  let visited: string | undefined
  // Two frames later it has been drawn.
  const send = (message: string) =>
    tab.evaluate(`new Promise((done) => {
      addEventListener('message', () => requestAnimationFrame(() => requestAnimationFrame(done)), { once: true })
      postMessage(${message}, '*')
    })`)
  return {
    tab,
    troubles,
    post: async (message) => {
      await send(JSON.stringify(message))
    },
    visit: async (name, page) => {
      const known = JSON.stringify(name)
      if (!(await tab.evaluate(`!!window.pages?.[${known}]`))) {
        const long = `(_, value) => (value === ${JSON.stringify(tenMegabytes)} ? 'x'.repeat(10_000_000) : value)`
        files.set(
          '/made.js',
          `(window.pages ??= {})[${known}] = JSON.parse(${JSON.stringify(JSON.stringify(page))}, ${name === 'hostile' ? long : undefined})`,
        )
        await tab.evaluate(`new Promise((done) => {
          const script = document.createElement('script')
          Object.assign(script, { nonce: '${nonce}', src: '/made.js?' + ${known}, onload: done })
          document.head.append(script)
        })`)
      }
      await send(`{ type: 'nothing', sentence: '' }`)
      // A page writes down what it keeps a tenth of a second late.
      if (name === visited) await tab.waitForTimeout(120)
      visited = name
      await tab.evaluate(`sessionStorage.clear(); scrollTo(0, 0); document.activeElement?.blur()`)
      await send(`{ type: 'page', page: pages[${known}] }`)
    },
    heard: () => tab.evaluate(`window.heard`) as Promise<FromPanel[]>,
    forget: async () => {
      await tab.evaluate(`window.heard.length = 0`)
    },
    reload: load,
    dress: async (next) => {
      worn = next
      await tab.evaluate(wear(next))
    },
    ask: <T>(expression: string) => tab.evaluate(expression) as Promise<T>,
    press: async (...keys) => {
      for (const key of keys) await tab.keyboard.press(key)
    },
    work: async () => {
      const { metrics } = await (devtools ??= await startDevtools(tab)).send('Performance.getMetrics')
      const of = (name: string) => 1_000 * (metrics.find((one) => one.name === name)?.value ?? 0)
      return { script: of('ScriptDuration'), style: of('RecalcStyleDuration'), layout: of('LayoutDuration') }
    },
    texts: (selector) =>
      tab.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((e) => e.innerText.trim())`) as Promise<string[]>,
    until: async (expression) => {
      const end = performance.now() + 60_000
      while (performance.now() < end) {
        if (await tab.evaluate(`!!(${expression})`)) return
        await tab.waitForTimeout(25)
      }
      throw new Error(`still not so after a minute: ${expression}`)
    },
    close,
  }
}

async function startDevtools(tab: Tab): Promise<CDPSession> {
  const session = await tab.context().newCDPSession(tab)
  await session.send('Performance.enable')
  return session
}

/** The editor writes tokens on the root's style and the kind on the body. */
function wear({ kind, classes, tokens }: Theme): string {
  return `(() => {
    const style = document.documentElement.style
    for (const name of [...style]) if (name.startsWith('--vscode-')) style.removeProperty(name)
    for (const [name, value] of Object.entries(${JSON.stringify(tokens)})) style.setProperty('--vscode-' + name, value)
    document.body.className = ${JSON.stringify(classes)}
    document.body.dataset.vscodeThemeKind = ${JSON.stringify(kind)}
  })()`
}

/** As `scripts/build.mjs` bundles it, from the sources as they are now. */
async function bundle(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { panel: 'client/webview/panel.ts', 'panel-style': 'client/webview/panel.css' },
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    legalComments: 'external',
    outdir: 'dist',
    write: false,
    logLevel: 'silent',
  })
  return new Map(outputFiles.map((file) => [`/${file.path.split(/[\\/]/).at(-1)!}`, file.text]))
}

const nonce = 'c2VjcmV0'
const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'none'; base-uri 'none'; form-action 'none'`
const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Assay</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
/* The editor puts a style of its own before every webview's; these are the rules that may get in the way. */
html { scrollbar-color: var(--vscode-scrollbarSlider-background) var(--vscode-editor-background); }
body { background-color: transparent; color: var(--vscode-editor-foreground); margin: 0; padding: 0 20px; }
img { max-width: 100%; max-height: 100%; }
a { color: var(--vscode-textLink-foreground); }
a:focus, input:focus { outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }
code { font-family: monospace; padding: 1px 3px; border-radius: 4px; }
</style>
<link rel="stylesheet" href="/panel-style.css">
</head>
<body>
<script nonce="${nonce}" src="/editor.js"></script>
<script nonce="${nonce}" src="/panel.js"></script>
</body>
</html>`
const editor = `window.heard = []
addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.sourceFile + ' ' + event.sample))
window.acquireVsCodeApi = () => ({
  postMessage: (message) => window.heard.push(JSON.parse(JSON.stringify(message))),
  getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined,
  setState: (state) => sessionStorage.setItem('state', JSON.stringify(state)),
})`

async function serve(files: Map<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]!
    const text = path === '/' ? page : path === '/editor.js' ? editor : files.get(path)
    const type = path.endsWith('.js') ? 'text/javascript' : path.endsWith('.css') ? 'text/css' : 'text/html'
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': policy })
    response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
