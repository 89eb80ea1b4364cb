import { randomUUID } from 'node:crypto'
import {
  type CancellationToken,
  type Connection,
  type ProgressToken,
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  WorkDoneProgressCancelNotification,
  WorkDoneProgressCreateRequest,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageserver/node'
import type { CommandProgress } from './executor.ts'

/** How far commands are, told to the client under the token of its request, or under one made here if it takes those. */
export interface ProgressDesk {
  of(given: ProgressToken | undefined, request: CancellationToken, own: 'may make a token' | 'only that of the client'): CommandProgress
  /** Once the library has installed its own handler, which knows nothing of the tokens that clients make. */
  listen(): void
}

export function progressDesk(connection: Connection): ProgressDesk {
  const stops = new Map<ProgressToken, () => void>()
  return {
    listen: () => void connection.onNotification(WorkDoneProgressCancelNotification.type, ({ token }) => stops.get(token)?.()),
    of(given, request, own) {
      const token = given ?? (own === 'may make a token' ? randomUUID() : undefined)
      // Not waited for: what is asked for can be cancelled from its first moment.
      const taken =
        given === undefined && token !== undefined ? connection.sendRequest(WorkDoneProgressCreateRequest.type, { token }) : undefined
      const tell = (value: WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd) => {
        if (token === undefined) return
        const send = () => void connection.sendProgress(WorkDoneProgress.type, token, value)
        if (taken === undefined) send()
        else void taken.then(send, () => {})
      }
      return {
        begin: (title) => tell({ kind: 'begin', title, percentage: 0, cancellable: true }),
        report: (percentage, message) => tell({ kind: 'report', message, ...(percentage === undefined ? {} : { percentage }) }),
        done: () => {
          if (token !== undefined) stops.delete(token)
          tell({ kind: 'end' })
        },
        onCancel: (stop) => {
          request.onCancellationRequested(stop)
          if (token !== undefined) stops.set(token, stop)
        },
      }
    },
  }
}
