import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { type CancellationToken, type Disposable, EventEmitter, type LogOutputChannel, Uri, workspace } from 'vscode'
import type { LanguageClient } from 'vscode-languageclient/node'
import { type CommandName, notifications, type RanParams, type StatusParams } from '../../server/src/protocol/messages.ts'
import { type Declared, declaredOf, type OutlineSymbol } from './declarations.ts'

/** The language server as the rest of the extension sees it: started when first needed, started again when it has ended. */
export interface Server {
  /** Rejects in a sentence where it cannot be started. */
  ready(): Promise<LanguageClient>
  request<R>(method: string, params: object, token?: CancellationToken): Promise<R>
  command<R>(command: CommandName, argument: object, token?: CancellationToken): Promise<R>
  declared(uri: string): Promise<readonly Declared[]>
  restart(): Promise<void>
  /** Ends the server's process. */
  close(): Promise<void>
  readonly onStatus: (listen: (status: StatusParams) => void) => Disposable
  readonly onRan: (listen: (ran: RanParams) => void) => Disposable
  readonly onLife: (listen: (life: Life) => void) => Disposable
}
export type Life = 'starting' | 'running' | 'stopped'

export interface ServerOptions {
  readonly extension: Uri
  readonly log: LogOutputChannel
  /** What a command of the server does here, as of a lens. */
  readonly execute: (command: CommandName, argument: unknown) => Promise<unknown>
}

export class Unavailable extends Error {}

/** Codes of the protocol's library for a connection that is gone. */
const connectionInactive = -32096
const pendingRejected = -32097
const endedTooSoon = 'Assay’s server ended before it had answered. Do it again: finished results are kept.'

export function openServer(options: ServerOptions): Server {
  const status = new EventEmitter<StatusParams>()
  const ran = new EventEmitter<RanParams>()
  const life = new EventEmitter<Life>()
  let starting: Promise<LanguageClient> | undefined
  let disposed = false

  const start = async (): Promise<LanguageClient> => {
    const module = Uri.joinPath(options.extension, 'bin', 'assay.mjs').fsPath
    const runtime = workspace.getConfiguration('assay').get<string | null>('runtime') || undefined
    if (!existsSync(module)) throw new Unavailable('A part of this extension is missing (bin/assay.mjs): install it again.')
    if (runtime !== undefined && !(isAbsolute(runtime) && existsSync(runtime)))
      throw new Unavailable(`There is no Node.js at ${runtime}, where the setting assay.runtime says it is. Mend or empty the setting.`)
    const { makeClient } = await import('./language-client.ts')
    const client = makeClient({ ...options, module, runtime, life: (now) => life.fire(now), gaveUp: () => (starting = undefined) })
    client.onNotification(notifications.status, (params: StatusParams) => status.fire(params))
    client.onNotification(notifications.ran, (params: RanParams) => ran.fire(params))
    try {
      await client.start()
    } catch (reason) {
      options.log.error(String(reason instanceof Error ? reason.message : reason))
      await client.dispose().catch(() => {})
      throw new Unavailable('Assay’s server did not start. Its log says why.')
    }
    return client
  }
  const ready = () => {
    if (disposed) return Promise.reject(new Unavailable('The editor is closing.'))
    starting ??= start().catch((reason) => {
      starting = undefined
      life.fire('stopped')
      throw reason
    })
    return starting
  }
  const request = async <R>(method: string, params: object, token?: CancellationToken): Promise<R> => {
    const client = await ready()
    try {
      return await sent<R>(client, method, params, token)
    } catch (reason) {
      const { code } = reason as { readonly code?: unknown }
      throw code === connectionInactive || code === pendingRejected ? new Unavailable(endedTooSoon) : reason
    }
  }
  const sent = <R>(client: LanguageClient, method: string, params: object, token?: CancellationToken): Promise<R> => {
    // A token that is undefined would be sent as a parameter.
    return token ? client.sendRequest<R>(method, params, token) : client.sendRequest<R>(method, params)
  }
  return {
    ready,
    request,
    command: (command, argument, token) => request('workspace/executeCommand', { command, arguments: [argument] }, token),
    declared: async (uri) => {
      const symbols = await request<OutlineSymbol[] | null>('textDocument/documentSymbol', { textDocument: { uri } })
      return declaredOf(symbols ?? [])
    },
    restart: async () => {
      const before = starting
      starting = undefined
      const client = await before?.catch(() => undefined)
      await client?.dispose().catch(() => {})
      await ready()
    },
    onStatus: status.event,
    onRan: ran.event,
    onLife: life.event,
    close: async () => {
      disposed = true
      const client = await starting?.catch(() => undefined)
      await client?.dispose().catch(() => {})
      for (const emitter of [status, ran, life]) emitter.dispose()
    },
  }
}
