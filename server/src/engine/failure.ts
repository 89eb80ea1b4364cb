import { DataProblem } from '../data/tables.ts'
import type { Plan } from '../plan/plan.ts'
import type { Provenance, Result } from '../protocol/results.ts'
import type { Outcome } from './events.ts'

/** A failure is a result like any other: a sentence, what to do, and the provenance that is known. */
export function failedOutcome(plan: Pick<Plan, 'kind' | 'name' | 'hash' | 'seed'>, message: string, hint?: string, elapsedMs = 0): Outcome {
  const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs }
  return { result: { kind: plan.kind, name: plan.name, status: 'failed', provenance, message, hint } as Result, pictures: {} }
}

/** What was thrown, as a result: a problem of the data has its own code and remedy. */
export function failureOf(plan: Pick<Plan, 'kind' | 'name'>, reason: unknown, provenance: Provenance): Outcome {
  const data = reason instanceof DataProblem ? reason : undefined
  const members = { status: 'failed', provenance, message: sentence(reason), hint: data?.hint, fault: data && 'data' }
  return { result: { kind: plan.kind, name: plan.name, ...members } as Result, pictures: {} }
}

/** Only the first line of what went wrong, never a stack. */
function sentence(reason: unknown): string {
  const message = reason instanceof Error ? reason.message : String(reason)
  return message.split('\n')[0] || 'Something went wrong for which there are no words.'
}
