import type { Plan } from '../plan/plan.ts'
import type { Result } from '../protocol/results.ts'
import type { Outcome } from './events.ts'

/** A failure is a result like any other: a sentence, what to do, and the provenance that is known. */
export function failedOutcome(plan: Pick<Plan, 'kind' | 'name' | 'hash' | 'seed'>, message: string, hint?: string, elapsedMs = 0): Outcome {
  const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs }
  return { result: { kind: plan.kind, name: plan.name, status: 'failed', provenance, message, hint } as Result, pictures: {} }
}
