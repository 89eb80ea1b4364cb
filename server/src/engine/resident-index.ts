import { type ConfidentRows, confidentRows } from '../methods/influence/rank-by-confusion.ts'
import { type ResidentIndex, residentIndex } from '../methods/influence/spectral-kernel.ts'
import type { RunContext } from './context.ts'
import type { DebuggingIndex } from './debugging-index.ts'
import { type LabelTreatment, treatmentName } from './treatments.ts'

/** Where the rows are that the model is sure about, for `auto`; kept likewise. O(n) the first time. */
export function residentConfidence(ctx: RunContext, index: DebuggingIndex): ConfidentRows | undefined {
  if (!index.confusions || index.path === '') return undefined
  const key = `confident ${index.path} ${index.k} ${index.n}`
  const known = ctx.resident.get<ConfidentRows>(key)
  if (known) return known
  const sure = confidentRows(index.confusions)
  return ctx.resident.keep(key, sure, 2 * sure.rows.byteLength)
}

/** A treatment's block where the kernel reads it, kept from one run to the next. Undefined for blocks that no stored index holds. O(k·n) the first time. */
export function residentBlock(ctx: RunContext, index: DebuggingIndex, treatment: LabelTreatment): ResidentIndex | undefined {
  const name = treatmentName(treatment)
  const b = index.blocks.get(name)
  if (!b || index.path === '') return undefined
  const key = `block ${index.path} ${index.k} ${index.n} ${name}`
  return (
    ctx.resident.get<ResidentIndex>(key) ??
    ctx.resident.keep(key, residentIndex({ k: index.k, n: index.n, b }), 4 * (index.k + 1) * index.n)
  )
}
