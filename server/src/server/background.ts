import type { Engine, Outcome } from '../engine/events.ts'
import type { Plan } from '../plan/plan.ts'
import type { Described } from '../workspace/schemas.ts'
import type { Snapshot } from '../workspace/snapshot.ts'

type Reading = Snapshot['readings'][number]['reading']

/** Small questions about data, in an engine of their own, so that they neither wait for what runs nor disturb it. It keeps its thread no longer than it is used. */
export interface Background {
  describe(readings: readonly Reading[]): Promise<readonly Described[]>
  count(plans: readonly Plan[]): Promise<readonly Outcome[]>
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
    async close() {
      clearTimeout(idle)
      await engine?.close()
    },
  }
}
