import { declaredKey, keyText } from '../data/keys.ts'
import { needsKey, splitName } from '../data/splits.ts'
import type { Plan, SourcePlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { createAs } from '../sql/statements.ts'
import { KEY, ROW, SPLIT, type SqlExpr } from '../sql/tree.ts'
import type { RunContext } from './context.ts'
import { prepare } from './prepare.ts'

/**
 * Sources for whoever wants only their first rows, or one pass: views down to the files, nothing read beforehand, nothing hashed, no content keys.
 * Where the question itself needs those (rows by number, or a percent split of rows, without a declared key; a partition that the data decides), the
 * sources are prepared as for a run.
 */
export async function lookAt(ctx: RunContext, plan: Plan): Promise<void> {
  if (needsWhole(plan)) return prepare(ctx, { ...plan, sources: plan.sources.map((source) => ({ ...source, keyed: true })) })
  for (const source of plan.sources) await look(ctx, source)
}

function needsWhole(plan: Plan): boolean {
  if (plan.partitions.length > 0) return true
  const own = plan.task.kind === 'slice' ? plan.task.sql : ''
  const texts = [own, ...plan.sources.map((source) => source.select ?? '')]
  // Which of several equal rows has which key depends on all before it.
  const positional = own.includes(quoted(ROW))
  const spoken = (name: string) => texts.some((text) => text.includes(quoted(name)))
  return plan.sources.some(
    ({ key, split }) => key.length === 0 && (positional || spoken(KEY) || (spoken(SPLIT) && split !== undefined && needsKey(split))),
  )
}

const column = (name: string): SqlExpr => ({ kind: 'column', name })
const quoted = (name: string) => printExpr(column(name))

async function look(ctx: RunContext, plan: SourcePlan): Promise<void> {
  ctx.step(`looking at ${plan.name}`, 0, 0)
  const raw = `assay raw ${plan.name}`
  if (plan.reading) await ctx.tables.look(raw, plan.reading)
  else await ctx.tables.execute(createAs('view', raw, `select *, row_number() over () - 1 as ${quoted(ROW)} from (${plan.select})`))
  await ctx.breathe()
  const columns = plan.columns.map((c) => ({ value: column(c.from ?? c.name), alias: c.name }))
  const named = `assay named ${plan.name}`
  await ctx.tables.execute(createAs('view', named, { items: [{ value: column(ROW) }, ...columns], from: { kind: 'table', name: raw } }))
  const declared = plan.key.length > 0
  const split = plan.split && (declared || !needsKey(plan.split)) ? splitName(plan.split, keyText(declaredKey(plan.key))) : undefined
  const hidden = [
    ...(split ? [{ value: split, alias: SPLIT }] : []),
    ...(declared ? [{ value: keyText(declaredKey(plan.key)), alias: KEY }] : []),
  ]
  await ctx.tables.execute(
    createAs('view', plan.name, { items: [{ value: { kind: 'star' } }, ...hidden], from: { kind: 'table', name: named } }),
  )
}
