import type { FixSpec, InterveneSpec, Spec } from '../check/spec.ts'
import { printExpr } from '../sql/print.ts'
import { complaintTask } from './complaint.ts'
import { dataPlace, same, toSql } from './expression.ts'
import type { ComplaintTask, FixPlan, FixTargetPlan, InterveneTask } from './plan.ts'

/** A repair on a copy: which training rows change and how, which models are trained again, what is compared before and after. */
export function interveneTask(spec: Spec, intervene: InterveneSpec): InterveneTask {
  return {
    kind: 'intervene',
    complaint: complaintNamed(spec, intervene.complaint),
    complaintName: intervene.complaint,
    fixes: intervene.fixes.map((f) => fix(spec, f)),
    retrain: intervene.retrain,
    compare: intervene.compare.map((m) =>
      m.kind === 'metric' ? m : { kind: 'complaint', name: m.complaint, task: complaintNamed(spec, m.complaint), text: m.text },
    ),
  }
}

function complaintNamed(spec: Spec, name: string): ComplaintTask {
  const found = spec.declarations.find((d) => d.kind === 'complaint' && same(d.name, name))
  if (found?.kind !== 'complaint') throw new Error(`no complaint ${name}: check should have refused it`)
  return complaintTask(spec, found)
}

function fix(spec: Spec, f: FixSpec): FixPlan {
  const place = dataPlace(spec)
  const target: FixTargetPlan =
    f.target.kind === 'suspects'
      ? { kind: 'suspects', suspects: f.target.suspects }
      : { kind: 'where', sql: printExpr(toSql(f.target.where, place)) }
  if (f.kind === 'remove') return { kind: 'remove', target }
  if (f.kind === 'relabel') return { kind: 'relabel', target, to: f.to }
  if (f.kind === 'denoise') return { kind: 'denoise', target, size: f.size }
  if (f.kind === 'replace') return { kind: 'replace', target, source: f.source }
  return { kind: 'set', column: f.column.name, sql: printExpr(toSql(f.value, place)), target }
}
