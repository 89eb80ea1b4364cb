import type { Engine, EngineOptions, Outcome, RunEvent } from '../engine/events.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Plan } from '../plan/plan.ts'
import type { BackendInfo, Result } from '../protocol/results.ts'

/** One thing to run, on behalf of a file. */
export interface Job {
  readonly path: string
  readonly plans: readonly Plan[]
  readonly options: EngineOptions
  follow(event: RunEvent): void
  /** Takes what stops this job and no other. */
  onCancel(stop: () => void): void
}
export interface Finished {
  readonly outcomes: readonly Outcome[]
  readonly backend: BackendInfo | null
}

/** Runs, one after another for each engine; engines start with their first run and stay. */
export interface Runs {
  run(job: Job): Promise<Finished>
  /** Stops what runs or waits for a file, or one declaration of it; answers how many runs that were. */
  cancel(path: string, name?: string): number
  close(): Promise<void>
}

interface Waiting {
  readonly job: Job
  readonly engine: Engine
  state: 'waiting' | 'running' | 'cancelled'
}

export function makeRuns(startEngine: (options: EngineOptions) => Engine): Runs {
  const engines = new Map<string, { readonly engine: Engine; tail: Promise<unknown> }>()
  const jobs = new Set<Waiting>()
  const engineFor = (options: EngineOptions) => {
    const key = JSON.stringify(options)
    const known = engines.get(key)
    if (known) return known
    const fresh = { engine: startEngine(options), tail: Promise.resolve() as Promise<unknown> }
    engines.set(key, fresh)
    return fresh
  }
  const carryOut = async (waiting: Waiting): Promise<Finished> => {
    const { job, engine } = waiting
    const outcomes: Outcome[] = []
    let backend: BackendInfo | null = null
    const rest = () => job.plans.filter((plan) => !outcomes.some((one) => one.result.name === plan.name)).map(cancelledOutcome)
    if (waiting.state === 'cancelled') return { outcomes: rest(), backend }
    waiting.state = 'running'
    try {
      const all = await engine.run(job.plans, (event) => {
        if (event.kind === 'backend') backend = event.backend
        if (event.kind === 'finished') outcomes.push(event.outcome)
        job.follow(event)
      })
      return { outcomes: all, backend }
    } catch (reason) {
      if (!(reason instanceof Cancelled)) throw reason
    }
    return { outcomes: [...outcomes, ...rest()], backend }
  }
  const stop = (waiting: Waiting): boolean => {
    if (waiting.state === 'cancelled' || !jobs.has(waiting)) return false
    if (waiting.state === 'running') waiting.engine.cancel()
    waiting.state = 'cancelled'
    return true
  }
  return {
    run(job) {
      const place = engineFor(job.options)
      const waiting: Waiting = { job, engine: place.engine, state: 'waiting' }
      jobs.add(waiting)
      job.onCancel(() => void stop(waiting))
      const done = place.tail.then(() => carryOut(waiting)).finally(() => jobs.delete(waiting))
      place.tail = done.catch(() => {})
      return done
    },
    cancel(path, name) {
      let n = 0
      for (const waiting of jobs) {
        const { job } = waiting
        const meant = job.path === path && (name === undefined || job.plans.some((plan) => plan.name.toLowerCase() === name.toLowerCase()))
        if (meant && stop(waiting)) n++
      }
      return n
    },
    async close() {
      await Promise.all([...engines.values()].map(({ engine }) => engine.close()))
      engines.clear()
    },
  }
}

function cancelledOutcome(plan: Plan): Outcome {
  const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs: 0 }
  return { result: { kind: plan.kind, name: plan.name, status: 'cancelled', provenance } as Result, pictures: {} }
}
