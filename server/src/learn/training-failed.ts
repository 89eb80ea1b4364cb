import type { Architecture, Examples } from './session.ts'

/** Training came to something that is no number: at which step, and why, as far as can be told. */
export class TrainingFailed extends Error {
  readonly step: number
  readonly reason: string
  constructor(step: number, reason: string) {
    super(`Training stopped at step ${step}: ${reason}.`)
    this.name = 'TrainingFailed'
    this.step = step
    this.reason = reason
  }
}

/** Throws naming the first input that is no finite number; run only after a failure, or on few rows. */
export function requireFinite(examples: Examples, architecture: Architecture): void {
  const { x, y } = examples
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i])) continue
    throw new TrainingFailed(0, `input ${i % architecture.inputs} of row ${Math.floor(i / architecture.inputs)} is ${x[i]}`)
  }
  for (let row = 0; row < (y?.length ?? 0); row++) {
    if (!Number.isFinite(y![row])) throw new TrainingFailed(0, `the label of row ${row} is ${y![row]}`)
  }
}
