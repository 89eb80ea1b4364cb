import { commands, type LogOutputChannel, window } from 'vscode'
import { CloseAction, ErrorAction, type ErrorHandler } from 'vscode-languageclient/node'

const mostInARow = 4
const withinMs = 3 * 60_000

/** A server that ends is started again, with a sentence; one that keeps ending stays away until it is asked for. */
export function crashHandler(log: LogOutputChannel, server: { readonly hasRun: () => boolean; readonly gaveUp: () => void }): ErrorHandler {
  let ends: number[] = []
  return {
    error: (_error, _message, count) => ({ action: (count ?? 0) <= 3 ? ErrorAction.Continue : ErrorAction.Shutdown, handled: true }),
    closed: () => {
      // Whoever wanted it is told that it does not start.
      if (!server.hasRun()) return { action: CloseAction.DoNotRestart, handled: true }
      const now = Date.now()
      ends = [...ends.filter((at) => now - at < withinMs), now]
      if (ends.length <= mostInARow) {
        log.warn('The server ended unexpectedly and is started again.')
        // Once for a row of ends: the log has them all.
        if (ends.length === 1)
          void tell('Assay’s server ended unexpectedly and was started again. Finished results are kept; a run that was under way is lost.')
        return { action: CloseAction.Restart, handled: true }
      }
      ends = []
      log.error('The server ended unexpectedly too often and stays stopped.')
      server.gaveUp()
      void tell(`Assay’s server ended ${mostInARow + 1} times within three minutes and stays stopped.`, 'Restart')
      return { action: CloseAction.DoNotRestart, handled: true }
    },
  }
}

async function tell(sentence: string, ...actions: readonly 'Restart'[]): Promise<void> {
  const chosen = await window.showWarningMessage(sentence, ...actions, 'Show Log')
  if (chosen === 'Show Log') await commands.executeCommand('assay.showLog')
  if (chosen === 'Restart') await commands.executeCommand('assay.restartServer')
}
