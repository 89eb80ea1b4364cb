import { Worker } from 'node:worker_threads'
import { nativeEnvironment } from '../learn/backends/native/environment.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { SourceFacts } from '../protocol/facts.ts'
import type { Described, Engine, EngineOptions, FollowEnd, Outcome, RunEvent } from './events.ts'
import { failedOutcome } from './failure.ts'

/**
 * The engine in a thread of its own: the same door as in this process, over messages. A worker that does not stop within the grace period is left to end
 * by itself and the next call starts a fresh one; one that dies becomes a failed result. A thread is terminated only as a last resort: native code that
 * comes back into a thread that is being torn down ends the whole process (`Napi::Error`).
 */
const GRACE_MS = 700
const LAST_RESORT_MS = 5000

export type Call = {
  readonly id: number
  readonly method: 'describe' | 'run' | 'index' | 'follow' | 'positions' | 'preview' | 'profile' | 'close'
  readonly args: readonly unknown[]
}
export type Reply =
  | { readonly id: number; readonly kind: 'event'; readonly event: RunEvent }
  | { readonly id: number; readonly kind: 'answer'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'cancelled' }
  | { readonly id: number; readonly kind: 'error'; readonly message: string }

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
  readonly emit: (event: RunEvent) => void
}

export function startWorker(options: EngineOptions, script: URL): Engine {
  let worker: Worker | undefined
  let flag = new Int32Array(new SharedArrayBuffer(4))
  let serial = 0
  let cancelling: NodeJS.Timeout | undefined
  const pending = new Map<number, Pending>()

  const settleAll = (settle: (p: Pending) => void) => {
    clearTimeout(cancelling)
    cancelling = undefined
    for (const p of pending.values()) settle(p)
    pending.clear()
  }
  const start = (): Worker => {
    flag = new Int32Array(new SharedArrayBuffer(4))
    for (const [name, value] of Object.entries(nativeEnvironment(options.threads))) process.env[name] ??= value
    const fresh = new Worker(script, { workerData: { options, flag: flag.buffer } })
    fresh.on('message', (reply: Reply) => {
      const call = pending.get(reply.id)
      if (!call) return
      if (reply.kind === 'event') return call.emit(reply.event)
      pending.delete(reply.id)
      if (pending.size === 0) {
        clearTimeout(cancelling)
        cancelling = undefined
      }
      if (reply.kind === 'answer') call.resolve(reply.value as never)
      if (reply.kind === 'cancelled') call.reject(new Cancelled())
      if (reply.kind === 'error') call.reject(new Error(reply.message))
    })
    const lost = (message: string) => {
      if (worker !== fresh) return
      worker = undefined
      settleAll((p) => p.reject(new Error(message)))
    }
    fresh.on('error', (reason) => lost(reason.message))
    fresh.on('exit', (code) => lost(`it ended with code ${code}`))
    worker = fresh
    return fresh
  }
  const call = <T>(method: Call['method'], args: readonly unknown[], emit: (event: RunEvent) => void = () => {}): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const target = worker ?? start()
      Atomics.store(flag, 0, 0)
      const id = serial++
      pending.set(id, { resolve: resolve as (value: never) => void, reject, emit })
      target.postMessage({ id, method, args } satisfies Call)
    })
  /** Resolves once the thread has ended. */
  const stop = async (): Promise<void> => {
    const dying = worker
    worker = undefined
    settleAll((p) => p.reject(new Cancelled()))
    if (!dying) return
    const ended = new Promise<void>((resume) => dying.once('exit', () => resume()))
    Atomics.store(flag, 0, 1)
    dying.postMessage('end')
    dying.unref()
    const lastResort = setTimeout(() => void dying.terminate(), LAST_RESORT_MS)
    await ended
    clearTimeout(lastResort)
  }

  return {
    describe: (readings) => call<readonly Described[]>('describe', [readings]),
    run: async (plans, emit) => {
      const finished: Outcome[] = []
      let current = 0
      try {
        return await call<readonly Outcome[]>('run', [plans], (event) => {
          if (event.kind === 'finished') current = finished.push(event.outcome)
          emit(event)
        })
      } catch (reason) {
        if (reason instanceof Cancelled) throw reason
        // The worker died: what had finished stands, the rest is one failure and its consequences.
        const rest = plans.slice(current).map((plan) => failedOutcome(plan, crash(reason)))
        for (const outcome of rest) emit({ kind: 'finished', outcome })
        return [...finished, ...rest]
      }
    },
    index: async (plan, model, emit, file) => {
      try {
        return await call<Outcome>('index', [plan, model, file], emit)
      } catch (reason) {
        if (reason instanceof Cancelled) throw reason
        return failedOutcome(plan, crash(reason))
      }
    },
    follow: (plans, request, emit) => call<FollowEnd>('follow', [plans, request], emit),
    positions: (asked) => call<readonly (number | null)[]>('positions', [asked]),
    preview: async (plan, request, emit) => {
      try {
        return await call<Outcome>('preview', [plan, request], emit)
      } catch (reason) {
        if (reason instanceof Cancelled) throw reason
        return failedOutcome(plan, crash(reason))
      }
    },
    profile: (plan) => call<SourceFacts>('profile', [plan]),
    cancel: () => {
      if (pending.size === 0) return
      Atomics.store(flag, 0, 1)
      worker?.postMessage('cancel')
      cancelling ??= setTimeout(() => void stop(), GRACE_MS)
    },
    close: stop,
  }
}

const crash = (reason: unknown) =>
  `The engine stopped in the middle of its work (${reason instanceof Error ? reason.message : String(reason)}). ` +
  'If memory ran out, use fewer rows or columns, or give it more with --threads 1; then run again.'
