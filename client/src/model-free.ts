import type { Result } from '../../server/src/protocol/results.ts'

/** Whether a plan only reads and judges: a step that is not known here may train. */
export const needsNoModel = ({ steps = [] }: Pick<Result, 'steps'>): boolean =>
  steps.length > 0 && steps.every(({ what }) => what === 'judge rows' || what.startsWith('read '))
