import { type ConfusionKernel, confusionKernel } from '../methods/influence/confusion-kernel.ts'
import { type ResidentIndex, residentIndex } from '../methods/influence/spectral-kernel.ts'
import type { RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import { type LabelTreatment, treatmentName } from './treatments.ts'

/** A treatment's block where it ranks faster: for `auto` by pair of classes, for all others in the order of the rows. */
export interface ResidentBlock {
  readonly index?: ResidentIndex
  readonly confusion?: ConfusionKernel
}

/** Kept from one run to the next. Undefined for blocks that no stored index holds. O(k·n) the first time. */
export function residentBlock(
  ctx: RunContext,
  index: DebuggingIndex,
  treatment: LabelTreatment,
  classes: number,
): ResidentBlock | undefined {
  const name = treatmentName(treatment)
  const b = index.blocks.get(name)
  if (!b || index.path === '') return undefined
  const { k, n } = index
  const key = `block ${index.path} ${k} ${n} ${name}`
  const known = ctx.resident.get<ResidentBlock>(key)
  if (known) return known
  const confusion = treatment === 'auto' && index.confusions ? confusionKernel({ k, n, b, classes, ...index.confusions }) : undefined
  return confusion
    ? ctx.resident.keep(key, { confusion }, confusion.bytes)
    : ctx.resident.keep(key, { index: residentIndex({ k, n, b }) }, 4 * (k + 1) * n)
}
