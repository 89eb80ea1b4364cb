import { commands, type Disposable, type ExtensionContext, type LogOutputChannel, type Uri, window } from 'vscode'
import type { PageAddress } from '../../server/src/protocol/pages.ts'
import { declarationAtCursor, specEditor } from './cursor.ts'
import { guarded } from './failures.ts'
import type { Runner } from './runner.ts'
import type { Sample } from './sample.ts'
import type { Server } from './server.ts'
import { runInTerminal } from './terminals.ts'

export interface PaletteParts {
  readonly context: ExtensionContext
  readonly log: LogOutputChannel
  readonly server: Server
  readonly runner: Runner
  readonly sample: Sample
  readonly open: (address: PageAddress) => Promise<void>
}

/** The commands for the palette, keys and menus. They are there from the start: the server is started when one needs it. */
export function registerPalette({ context, log, server, runner, sample, open }: PaletteParts): Disposable[] {
  const atCursor = (act: (uri: string, name: string) => Promise<unknown>) => async () => {
    const target = await declarationAtCursor(server)
    if (target) await act(target.uri, target.name)
  }
  const inTerminal =
    (title: string, ...args: readonly string[]) =>
    () =>
      runInTerminal(context, title, args)
  const table: Readonly<Record<string, (argument: unknown) => Promise<unknown>>> = {
    runAtCursor: atCursor((uri, name) => runner.run({ uri, names: [name] })),
    planAtCursor: atCursor((uri, name) => open({ uri, name, what: 'plan' })),
    previewAtCursor: atCursor((uri, name) => open({ uri, name, what: 'preview' })),
    resultAtCursor: atCursor((uri, name) => open({ uri, name, what: 'result' })),
    runAll: async () => {
      const editor = specEditor()
      if (editor) await runner.run({ uri: editor.document.uri.toString() })
    },
    cancelRuns: async () => {
      const stopped = await runner.cancel()
      window.setStatusBarMessage(stopped === 0 ? 'Nothing is running.' : `Stopping ${stopped} run${stopped === 1 ? '' : 's'}.`, 4000)
    },
    formatFile: async () => {
      if (specEditor()) await commands.executeCommand('editor.action.formatDocument')
    },
    newSpec: async (clicked) => (await import('./new-spec.ts')).newSpec(clicked as Uri | undefined),
    openSample: () => sample.open(),
    copySample: () => sample.copy(),
    trySampleAssertion: () => sample.attempt('assert'),
    trySampleComplaint: () => sample.attempt('complaint'),
    trySampleIntervention: () => sample.attempt('intervene'),
    trySampleSlice: () => sample.attempt('discover'),
    openWalkthrough: () =>
      Promise.resolve(commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false)),
    setUpGpu: inTerminal('Assay: Set Up GPU', 'engine', 'install'),
    listEngines: inTerminal('Assay: Engines', 'engine', 'list'),
    removeEngines: async () => {
      const yes = 'Remove'
      const sure = await window.showWarningMessage('Remove all engines that were installed for you on this machine?', { modal: true }, yes)
      if (sure === yes) await runInTerminal(context, 'Assay: Remove Engines', ['engine', 'remove'])
    },
    doctor: inTerminal('Assay: Doctor', 'doctor'),
    restartServer: async () => {
      await server.restart()
      window.setStatusBarMessage('Assay’s server was started again.', 4000)
    },
    showLog: async () => log.show(true),
  }
  return Object.entries(table).map(([name, act]) => commands.registerCommand(`assay.${name}`, guarded(act)))
}
