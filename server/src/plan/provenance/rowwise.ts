import { binary, call, column, literal } from '../../sql/build.ts'
import { derivative } from '../../sql/derivative.ts'
import { SPLIT, type SqlExpr } from '../../sql/tree.ts'
import type { RowwisePlan, RowwiseSlot } from '../plan.ts'
import type { Query } from './lineage.ts'

/** The relaxed query as trees, where it reads one table and asks no other; `undefined` otherwise. */
export function rowwisePlan({ select, tables, where, groups, slots, events }: Query): RowwisePlan | undefined {
  const [table, ...others] = tables.tables
  if (!table || others.length > 0 || events.length > 0) return undefined
  const atoms = tables.valueAtoms()
  const variables = tables.variables()
  if (atoms.length + variables.length === 0) return undefined
  const { alias, source, split } = table
  const slope = (value: SqlExpr, name: string): SqlExpr | null => {
    const found = derivative(value, (e) => e.kind === 'column' && e.table === alias && e.name === name)
    return found ? call('coalesce', found, literal(0)) : null
  }
  const plan: RowwisePlan = {
    source,
    alias,
    variables: variables.map((v) => ({ column: v.column, chances: v.asked.chances })),
    values: atoms.map(({ column: name, asked }) => ({ column: name, model: asked.model, label: asked.label })),
    where: [...(split === undefined ? [] : [binary(column(SPLIT, alias), '=', literal(split))]), ...where],
    groups,
    slots: slots.map(
      (slot): RowwiseSlot => (slot.kind === 'sum' ? { ...slot, slopes: atoms.map((a) => slope(slot.value, a.column)) } : slot),
    ),
    having: select.having !== undefined,
  }
  return readsOther(plan) ? undefined : plan
}

/** Whether a query stands anywhere inside. */
function readsOther(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  return 'query' in node && node.query !== undefined ? true : Object.values(node).some(readsOther)
}
