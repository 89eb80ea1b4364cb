import { type CancellationToken, CancellationTokenSource, type Progress, ProgressLocation, window } from 'vscode'
import type { StatusParams } from '../../server/src/protocol/messages.ts'
import { sameUri } from './addresses.ts'
import type { Server } from './server.ts'
import { stageText } from './stages.ts'

const shownAfterMs = 400

export interface Wait {
  /** The spec whose runs are followed. */
  readonly uri: string
  readonly title: string
  readonly token?: CancellationToken
}

/**
 * Carries out a long command with a notification that says how far it is and can cancel it; what is quick shows none. Stage and count are said in
 * words: each stage counts anew, so a bar over all of them would lie.
 */
export async function withRunProgress<R>(server: Server, wait: Wait, work: (token: CancellationToken) => Promise<R>): Promise<R> {
  const stopping = new CancellationTokenSource()
  const outside = wait.token?.onCancellationRequested(() => stopping.cancel())
  if (wait.token?.isCancellationRequested) stopping.cancel()
  const uri = sameUri(wait.uri)
  let message = ''
  let shown: Progress<{ message?: string }> | undefined
  const following = server.onStatus(({ running }: StatusParams) => {
    const job = running.find((one) => sameUri(one.uri) === uri)
    if (job?.stage === undefined || stopping.token.isCancellationRequested) return
    message = stageText(job)
    shown?.report({ message })
  })
  const running = work(stopping.token)
  const timer = setTimeout(() => {
    const options = { location: ProgressLocation.Notification, title: wait.title, cancellable: true }
    void window.withProgress(options, async (progress, cancelled) => {
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
