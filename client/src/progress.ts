import { type CancellationToken, CancellationTokenSource, type Progress, ProgressLocation, window } from 'vscode'
import type { Server } from './server.ts'

const shownAfterMs = 400
let tokens = 0

export interface Followed {
  readonly token: CancellationToken
  /** The token under which the server tells how far it is. */
  readonly progress: string
}

/**
 * Carries out a long command with a notification that says how far it is and can cancel it; what is quick shows none. Stage and count are said in
 * words: each stage counts anew, so a bar over all of them would lie.
 */
export async function withRunProgress<R>(
  server: Server,
  title: string,
  outer: CancellationToken | undefined,
  work: (how: Followed) => Promise<R>,
): Promise<R> {
  const client = await server.ready()
  const { WorkDoneProgress } = await import('vscode-languageclient/node')
  const name = `assay-run-${++tokens}`
  const stopping = new CancellationTokenSource()
  const outside = outer?.onCancellationRequested(() => stopping.cancel())
  if (outer?.isCancellationRequested) stopping.cancel()
  let message = ''
  let shown: Progress<{ message?: string }> | undefined
  const following = client.onProgress(WorkDoneProgress.type, name, (value) => {
    if (value.kind !== 'report' || value.message === undefined) return
    message = value.message
    shown?.report({ message })
  })
  const running = work({ token: stopping.token, progress: name })
  const timer = setTimeout(() => {
    void window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, async (progress, cancelled) => {
      shown = progress
      progress.report({ message })
      cancelled.onCancellationRequested(() => stopping.cancel())
      await running.catch(() => {})
    })
  }, shownAfterMs)
  try {
    return await running
  } finally {
    clearTimeout(timer)
    following.dispose()
    outside?.dispose()
    stopping.dispose()
  }
}
