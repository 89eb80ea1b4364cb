import type { PositionsAsked } from '../data/row-positions.ts'
import type { Engine, Outcome, PreviewRequest, RunEvent } from '../engine/events.ts'
import type { Plan } from '../plan/plan.ts'
import type { SourceFacts } from '../protocol/facts.ts'
import type { Described } from '../workspace/schemas.ts'
import type { Snapshot } from '../workspace/snapshot.ts'

type Reading = Snapshot['readings'][number]['reading']

export interface Following {
  handle(event: RunEvent): void
  onCancel(stop: () => void): void
}

/** Small questions about data, in an engine of their own, so that they neither wait for what runs nor disturb it. It keeps its thread no longer than it is used. */
export interface Background {
  describe(readings: readonly Reading[]): Promise<readonly Described[]>
  count(plans: readonly Plan[]): Promise<readonly Outcome[]>
  profile(plan: Plan): Promise<SourceFacts>
  preview(plan: Plan, request: PreviewRequest, follow: Following): Promise<Outcome>
  positions(asked: PositionsAsked): Promise<readonly (number | null)[]>
  close(): Promise<void>
}

const idleMs = 30_000

export function openBackground(startEngine: () => Engine): Background {
  let engine: Engine | undefined
  let busy = 0
  let idle: NodeJS.Timeout | undefined
  const using = async <T>(use: (engine: Engine) => Promise<T>): Promise<T> => {
    clearTimeout(idle)
    engine ??= startEngine()
    busy++
    try {
      return await use(engine)
    } finally {
      busy--
      if (busy === 0) {
        idle = setTimeout(() => void engine?.close(), idleMs)
        idle.unref()
      }
    }
  }
  return {
    describe: (readings) => using((one) => one.describe(readings)),
    count: (plans) => using((one) => one.run(plans, () => {})),
    profile: (plan) => using((one) => one.profile(plan)),
    preview: (plan, request, { handle, onCancel }) =>
      using((one) => {
        let done = false
        onCancel(() => {
          if (!done) one.cancel()
        })
        return one.preview(plan, request, handle).finally(() => {
          done = true
        })
      }),
    positions: (asked) => using((one) => one.positions(asked)),
    async close() {
      clearTimeout(idle)
      await engine?.close()
    },
  }
}
