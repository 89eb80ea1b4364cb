import { parentPort, workerData } from 'node:worker_threads'
import type { PositionsAsked } from '../data/row-positions.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Plan } from '../plan/plan.ts'
import type { Reading } from '../sql/tree.ts'
import type { Call, Reply } from './client.ts'
import { openEngine } from './engine.ts'
import type { EngineOptions, FollowRequest, IndexFiles, PreviewRequest } from './events.ts'
import { stepBack } from './step-back.ts'

/** The engine's thread: `openEngine` behind messages. The flag in shared memory stops loops that never look at their messages. */
const CLOSING_MS = 200
const port = parentPort!
const { options, flag } = workerData as { options: EngineOptions; flag: SharedArrayBuffer }
if (options.behind) stepBack()
const engine = openEngine(options, new Int32Array(flag))
const reply = (message: Reply) => port.postMessage(message)

port.on('message', (message: Call | 'cancel' | 'end') => {
  if (message === 'cancel') return engine.cancel()
  if (message === 'end') return end()
  const { id, args } = message
  const emit = (event: Extract<Reply, { kind: 'event' }>['event']) => reply({ id, kind: 'event', event })
  const answer = (): Promise<unknown> => {
    switch (message.method) {
      case 'describe':
        return engine.describe(args[0] as readonly Reading[])
      case 'run':
        return engine.run(args[0] as readonly Plan[], emit)
      case 'index':
        return engine.index(args[0] as Plan, args[1] as string, emit, args[2] as IndexFiles | undefined)
      case 'follow':
        return engine.follow(args[0] as readonly Plan[], args[1] as FollowRequest, emit)
      case 'positions':
        return engine.positions(args[0] as PositionsAsked)
      case 'preview':
        return engine.preview(args[0] as Plan, args[1] as PreviewRequest, emit)
      case 'profile':
        return engine.profile(args[0] as Plan)
      case 'close':
        return engine.close()
    }
  }
  answer().then(
    (value) => reply({ id, kind: 'answer', value }),
    (reason) =>
      reply(reason instanceof Cancelled ? { id, kind: 'cancelled' } : { id, kind: 'error', message: String(reason?.message ?? reason) }),
  )
})

/** Between two native calls, never inside one. What is under way is cut short; what is open gets a moment to be closed. */
function end(): void {
  engine.cancel()
  const moment = new Promise((resume) => setTimeout(resume, CLOSING_MS))
  void Promise.race([engine.close(), moment]).finally(() => process.exit(0))
}
