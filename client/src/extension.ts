import { type Disposable, type ExtensionContext, window, workspace } from 'vscode'
import type { PageAddress } from '../../server/src/protocol/pages.ts'
import { panelActs } from './acts.ts'
import { guarded, tellFailure } from './failures.ts'
import { languageModelTools } from './language-model-tools.ts'
import { registerPalette } from './palette.ts'
import { makePanels } from './panels.ts'
import { runOnSave } from './run-on-save.ts'
import { commandOf, makeRunner } from './runner.ts'
import { makeSample } from './sample.ts'
import { openServer } from './server.ts'
import { showStatus } from './status-item.ts'
import { provideTasks } from './tasks.ts'
import { testExplorer } from './test-explorer.ts'
import { tellTrust } from './trust.ts'

/**
 * The extension for VS Code: everything that names the editor. It computes nothing; it asks the language server, a process of its own, shows what
 * that answers, and carries out what the user chooses. Not here: the language (grammar, server) and what a panel draws (client/webview).
 */
export interface Extension {
  /** For tests and other extensions: resolves when the server answers. */
  ready(): Promise<void>
}

export function activate(context: ExtensionContext): Extension {
  const log = window.createOutputChannel('Assay', { log: true })
  const open = (address: PageAddress) => panels.open(address)
  const server = openServer({
    extension: context.extensionUri,
    log,
    execute: guarded(async (command, argument) => commandOf(server, runner, open)(command, argument)),
  })
  const runner = makeRunner(server, open)
  const act = panelActs(server, runner, open)
  const panels = makePanels(context, server, { heard: act, isRunning: runner.isRunning })
  const sample = makeSample(context, server, runner)
  const parts: Disposable[] = [
    showStatus(server),
    tellTrust(server),
    provideTasks(context),
    testExplorer(server, runner),
    runOnSave(server, runner, log),
    ...languageModelTools(server, runner),
    ...registerPalette({ context, log, server, runner, sample, open }),
    startWhenNeeded(() => server.ready()),
    log,
  ]
  context.subscriptions.push(...parts)
  ends.add(server.close)
  return { ready: async () => void (await server.ready()) }
}

/** A workspace that only has specs somewhere costs no process; one that is open does. */
function startWhenNeeded(start: () => Promise<unknown>): Disposable {
  let started = false
  const look = () => {
    if (started || !workspace.textDocuments.some((document) => document.languageId === 'assay')) return
    started = true
    start().catch(tellFailure)
  }
  look()
  return workspace.onDidOpenTextDocument(look)
}

/** The editor gives `deactivate` nothing to find its servers by. */
const ends = new Set<() => Promise<void>>()

export async function deactivate(): Promise<void> {
  await Promise.all([...ends].map((end) => end()))
  ends.clear()
}
