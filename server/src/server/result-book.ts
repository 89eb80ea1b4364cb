import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Spec } from '../check/spec.ts'
import type { Outcome } from '../engine/events.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../plan/plan-for.ts'
import type { LastResult } from '../workspace/snapshot.ts'
import { filesOf } from './schema-book.ts'

/** What became of declarations: in this session, and before it as stored under `.assay/results` by plan and data. */
export interface ResultBook {
  keep(path: string, outcome: Outcome): void
  last(spec: Spec, name: string, folder: string | undefined): LastResult | undefined
  outcome(spec: Spec, name: string, folder: string | undefined): Outcome | undefined
}

interface Kept {
  readonly outcome: Outcome
  readonly keptMs: number
}

const largestBytes = 64 * 2 ** 20

export function resultBook(): ResultBook {
  const session = new Map<string, Kept>()
  const stored = new Map<string, Kept>()
  const plansOf = new WeakMap<Spec, ReadonlyMap<string, Plan>>()
  const listings = new Map<string, { readonly stampMs: number; readonly byPlan: ReadonlyMap<string, readonly string[]> }>()
  const key = (path: string, name: string) => `${path}\0${name.toLowerCase()}`

  const planOf = (spec: Spec, name: string): Plan | undefined => {
    let plans = plansOf.get(spec)
    if (plans === undefined) {
      plans = plansByName(spec)
      plansOf.set(spec, plans)
    }
    return plans.get(name.toLowerCase())
  }
  const listing = (folder: string): ReadonlyMap<string, readonly string[]> => {
    try {
      const { mtimeMs } = statSync(folder)
      const known = listings.get(folder)
      if (known?.stampMs === mtimeMs) return known.byPlan
      const byPlan = new Map<string, string[]>()
      for (const file of readdirSync(folder)) {
        const hash = file.slice(0, file.indexOf('-'))
        byPlan.set(hash, [...(byPlan.get(hash) ?? []), file])
      }
      listings.set(folder, { stampMs: mtimeMs, byPlan })
      return byPlan
    } catch {
      return new Map()
    }
  }
  /** The newest result of a plan, whatever the data. */
  const read = (folder: string, hash: string): Kept | undefined => {
    let newest: Kept | undefined
    for (const file of listing(join(folder, 'results')).get(hash) ?? []) {
      const path = join(folder, 'results', file)
      try {
        const { mtimeMs, size } = statSync(path)
        if (size > largestBytes || (newest && newest.keptMs >= mtimeMs)) continue
        const known = stored.get(path)
        newest = known?.keptMs === mtimeMs ? known : { outcome: JSON.parse(readFileSync(path, 'utf8')) as Outcome, keptMs: mtimeMs }
        stored.set(path, newest)
        if (stored.size > 64) stored.delete(stored.keys().next().value!)
      } catch {
        // Gone or half a file: as good as absent.
      }
    }
    return newest
  }
  const find = (spec: Spec, name: string, folder: string | undefined): { readonly kept: Kept; readonly plan?: Plan } | undefined => {
    const plan = planOf(spec, name)
    const own = session.get(key(spec.path, name))
    if (own && plan && own.outcome.result.provenance.planHash === plan.hash) return { kept: own, plan }
    const kept = plan && folder !== undefined ? read(folder, plan.hash) : undefined
    if (kept) return { kept, plan }
    return own && { kept: own }
  }
  return {
    keep: (path, outcome) => void session.set(key(path, outcome.result.name), { outcome, keptMs: Date.now() }),
    last(spec, name, folder) {
      const found = find(spec, name, folder)
      if (found === undefined) return undefined
      const { result } = found.kept.outcome
      const state = found.plan === undefined ? 'spec changed' : changedSince(found.plan, found.kept.keptMs) ? 'data changed' : 'current'
      return { result, state }
    },
    outcome: (spec, name, folder) => find(spec, name, folder)?.kept.outcome,
  }
}

function plansByName(spec: Spec): ReadonlyMap<string, Plan> {
  try {
    return new Map(planFor(spec, undefined, {}).plans.map((plan) => [plan.name.toLowerCase(), plan]))
  } catch {
    return new Map()
  }
}

/** Of a model that was trained elsewhere. */
function modelFiles({ model }: Plan['models'][number]): string[] {
  const onnx = model.kind === 'head' ? model.embedding : model
  return onnx.kind === 'onnx' ? [onnx.path] : []
}

/** By the times of the files: cheap enough to ask at every glance, and never wrong about data that stayed as they are. */
function changedSince(plan: Plan, timeMs: number): boolean {
  try {
    const data = plan.sources.some((source) => source.reading && filesOf(source.reading).some((file) => file.modifiedMs > timeMs))
    return data || plan.models.some((model) => modelFiles(model).some((path) => statSync(path).mtimeMs > timeMs))
  } catch {
    return true
  }
}
