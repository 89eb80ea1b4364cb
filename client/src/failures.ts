import { commands, window, workspace } from 'vscode'
import { inertText } from './inert-text.ts'

/** Says why something could not be done, in a sentence with an action; what is known beyond that is in the log. */
export async function tellFailure(reason: unknown): Promise<void> {
  const sentence = inertText(reason instanceof Error ? reason.message : String(reason))
  const actions = workspace.isTrusted ? (['Show Log'] as const) : (['Manage Trust', 'Show Log'] as const)
  const chosen = await window.showErrorMessage(sentence, ...actions)
  if (chosen === 'Show Log') await commands.executeCommand('assay.showLog')
  if (chosen === 'Manage Trust') await commands.executeCommand('workbench.trust.manage')
}

/** A command that fails in a sentence. */
export function guarded<A extends readonly unknown[], R>(act: (...args: A) => Promise<R>): (...args: A) => Promise<R | undefined> {
  return async (...args) => {
    try {
      return await act(...args)
    } catch (reason) {
      void tellFailure(reason)
      return undefined
    }
  }
}
