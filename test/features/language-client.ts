import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createMessageConnection, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'

/** A client of the real server: a process of its own, spoken to over its standard input and output as an editor does. */
export interface LanguageClient {
  readonly child: ChildProcess
  readonly connection: MessageConnection
  /** Everything that the server has notified of a method so far, and what is still to come. */
  next<T>(method: string, fits: (params: T) => boolean): Promise<T>
  request<T>(method: string, params: unknown): Promise<T>
  notify(method: string, params: unknown): void
  readonly ended: Promise<number | null>
  readonly log: () => string
}

const bin = fileURLToPath(new URL('../../bin/assay.mjs', import.meta.url))

export function startClient(folder: string): LanguageClient {
  const child = spawn(process.execPath, [bin, 'lsp', '--stdio'], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] })
  let log = ''
  child.stderr!.on('data', (data) => (log += data))
  const connection = createMessageConnection(new StreamMessageReader(child.stdout!), new StreamMessageWriter(child.stdin!))
  const seen: { method: string; params: unknown }[] = []
  const waiting = new Set<() => void>()
  const told = (method: string, params: unknown) => {
    seen.push({ method, params })
    for (const look of [...waiting]) look()
  }
  connection.onNotification(told)
  // The library keeps these to itself.
  connection.onUnhandledProgress((params) => told('$/progress', params))
  connection.onRequest((method) => (method === 'workspace/configuration' ? [null] : null))
  connection.listen()
  return {
    child,
    connection,
    log: () => log,
    ended: new Promise((resolve) => child.on('close', resolve)),
    request: (method, params) => connection.sendRequest(method, params),
    notify: (method, params) => void connection.sendNotification(method, params),
    next: <T>(method: string, fits: (params: T) => boolean) =>
      new Promise<T>((resolve, reject) => {
        const stop = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`no ${method} that fits came; came: ${JSON.stringify(seen.slice(-5))}; log: ${log}`))
        }, 120_000)
        const look = () => {
          const at = seen.findIndex((one) => one.method === method && fits(one.params as T))
          if (at < 0) return
          const [found] = seen.splice(at, 1)
          clearTimeout(stop)
          waiting.delete(look)
          resolve(found!.params as T)
        }
        waiting.add(look)
        look()
      }),
  }
}

export const clientCapabilities = {
  window: { workDoneProgress: true },
  workspace: { configuration: true, codeLens: { refreshSupport: true }, workspaceFolders: true },
  textDocument: { completion: { completionItem: { snippetSupport: true } } },
}
