import { type LogOutputChannel, workspace } from 'vscode'
import { LanguageClient, type LanguageClientOptions, RevealOutputChannelOn, State, TransportKind } from 'vscode-languageclient/node'
import { type ClientOptions, type CommandName, commands } from '../../server/src/protocol/messages.ts'
import { crashHandler } from './crashes.ts'
import type { Life } from './server.ts'
import { serverSettings } from './server-settings.ts'

export interface ClientSetup {
  readonly module: string
  readonly runtime?: string
  readonly log: LogOutputChannel
  readonly execute: (command: CommandName, argument: unknown) => Promise<unknown>
  readonly life: (life: Life) => void
  /** It ended too often, and is not started again by itself. */
  readonly gaveUp: () => void
}

/**
 * The protocol's client. The server is a process of its own, forked with the editor's Node (Electron's as Node), so that it needs nothing
 * installed; standard input and output carry the protocol, because that is the way that other editors use too.
 */
export function makeClient(setup: ClientSetup): LanguageClient {
  const { module, runtime, log } = setup
  const server = { module, runtime, args: ['lsp'], transport: TransportKind.stdio }
  let hasRun = false
  const own = new Set<string>(Object.values(commands))
  const options: LanguageClientOptions = {
    documentSelector: [
      { language: 'assay', scheme: 'file' },
      { language: 'assay', scheme: 'untitled' },
    ],
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: (): ClientOptions => ({ showsResults: true, trusted: workspace.isTrusted }),
    // Said once, where the server was needed.
    initializationFailedHandler: () => false,
    errorHandler: crashHandler(log, { hasRun: () => hasRun, gaveUp: setup.gaveUp }),
    middleware: {
      executeCommand: (command, args, next) => (own.has(command) ? setup.execute(command as CommandName, args[0]) : next(command, args)),
      // Runs show their own progress, where they can be cancelled.
      handleWorkDoneProgress: () => {},
      workspace: {
        configuration: async (params, token, next) => {
          const found = await next(params, token)
          return Array.isArray(found) ? found.map(serverSettings) : found
        },
      },
    },
  }
  const client = new QuietClient('assay', 'Assay', { run: server, debug: server }, options)
  const lives: Partial<Record<State, Life>> = { [State.Running]: 'running', [State.Stopped]: 'stopped', [State.Starting]: 'starting' }
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Running) hasRun = true
    const now = lives[newState]
    if (now) setup.life(now)
  })
  return client
}

/** The library shows its errors to the user as they are, stack traces among them. Here they go to the log; what is shown is said elsewhere, in sentences. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false)
  }
  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false)
  }
  override info(message: string, data?: unknown): void {
    super.info(message, data, false)
  }
}
