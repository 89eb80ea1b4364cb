import { DataProblem } from '../data/tables.ts'
import type { FittedModel } from './models.ts'

/** A class was named that no training row has. */
export function unknownClass(model: FittedModel, value: string | number | boolean): DataProblem {
  const known = model.labels?.values ?? []
  const shown = known.slice(0, 20).join(', ')
  return new DataProblem(
    'unknown-class',
    `\`${model.plan.name}\` knows no class ${String(value)}. Its classes are ${shown}${known.length > 20 ? ` and ${known.length - 20} more` : ''}.`,
  )
}
