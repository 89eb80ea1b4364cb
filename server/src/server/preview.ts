import { printText } from '../../../grammar/src/printer.ts'
import { fold, sameName } from '../check/names.ts'
import type { Outcome } from '../engine/events.ts'
import { named } from '../features/written.ts'
import { Cancelled } from '../methods/cancel.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../plan/plan-for.ts'
import type { PreviewArguments } from '../protocol/messages.ts'
import type { Result } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { inert } from '../report/inert.ts'
import { viewsOf } from '../report/views.ts'
import { problemsOf, type Snapshot } from '../workspace/snapshot.ts'
import { answerOf, askedQuery } from './answers.ts'
import type { Following } from './background.ts'
import { pathOf } from './spec-files.ts'
import { Unable } from './unable.ts'
import type { Workspace } from './workspace.ts'

/** The most rows that a preview brings, whoever asks. */
const MOST = 60_000
/** A slice that stands in no file: what is asked for goes through the same checks as if it were written. */
const ASKED = 'assay preview'

export interface Previewed {
  readonly snapshot: Snapshot
  readonly view: View
}

/** The first rows of a source, a split or a slice, or of those for which a condition holds; of a complaint or a model, rows of a query. */
export async function previewOf(workspace: Workspace, args: PreviewArguments, following: Following): Promise<Previewed> {
  if (!workspace.trusted) throw new Unable('This workspace is not trusted: no data is read until it is.')
  const path = pathOf(args.uri)
  const snapshot = await workspace.ready(path)
  if (snapshot === undefined) throw new Unable(`There is no readable spec at \`${inert(path, 400)}\`.`)
  const asked = args.where === undefined ? askedQuery(workspace, snapshot, args) : undefined
  if (asked) return answerOf(workspace, asked, args, following)
  const { plan, shown, where } = planOf(workspace, snapshot, args)
  const looker = workspace.looker(path)
  if (looker === undefined) throw new Unable('No folder can be written to look at data in.')
  const limit = Math.max(1, Math.min(MOST, Math.floor(args.limit ?? workspace.settings.previewRows)))
  const { result, pictures } = await looker.preview(plan, { limit }, following).catch((reason): Outcome => {
    if (!(reason instanceof Cancelled)) throw reason
    const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs: 0 }
    return { result: { kind: plan.kind, name: shown, status: 'cancelled', provenance } as Result, pictures: {} }
  })
  const preview = 'preview' in result && result.preview ? { preview: { ...result.preview, where } } : {}
  const outcome = { result: { ...result, name: shown, ...preview } as Result, pictures }
  const texts = new Map([...snapshot.files.values()].map((one) => [one.path, one.text]))
  return { snapshot, view: viewsOf([outcome], snapshot.checked.spec, texts)[0]! }
}

interface Asked {
  readonly plan: Plan
  readonly shown: string
  readonly where?: string
}

function planOf(workspace: Workspace, snapshot: Snapshot, { name, where }: PreviewArguments): Asked {
  const { reached, spec } = snapshot.checked
  const dot = name.lastIndexOf('.')
  const own = reached.get(fold(name))
  const split = own === undefined && dot > 0 ? name.slice(dot + 1) : undefined
  const found = own ?? reached.get(fold(name.slice(0, Math.max(dot, 0))))
  if (found === undefined || (found.decl.kind !== 'source' && found.decl.kind !== 'slice'))
    throw new Unable(
      `There is no source, split or slice \`${inert(name, 80)}\` in reach of this file: rows are previewed of those, and of complaints and models.`,
    )
  const error = problemsOf(snapshot).find((one) => one.severity === 'error' && one.start < found.decl.end && one.end > found.decl.start)
  const valid = spec.declarations.some((one) => sameName(one.name, found.name))
  if (!valid)
    throw new Unable(
      `\`${inert(found.name, 80)}\` has an error${found.path === snapshot.path && error ? `: ${error.message}` : ', or needs what has one.'}`,
    )
  if (split === undefined && where === undefined) return { plan: planned(snapshot, found.name), shown: found.name }
  const source = found.decl.kind === 'slice' ? found.decl.on?.text : found.name
  const condition = [
    ...(split === undefined ? [] : [`split = ${printText(split)}`]),
    ...(found.decl.kind === 'slice' ? [named(found.name)] : []),
    ...(where === undefined ? [] : [`(${where.replace(/[\r\n]+/g, ' ')})`]),
  ].join(' and ')
  const text = snapshot.files.get(found.path)!.text
  const added = `${text}\n\nslice ${named(ASKED)} on ${named(source ?? '')} where ${condition}\n`
  const variant = workspace.variant(found.path, added)!
  const wrong = problemsOf(variant).find((one) => one.severity === 'error' && one.end > text.length)
  if (wrong) throw new Unable(`These rows cannot be looked for: ${wrong.message}`)
  return { plan: planned(variant, ASKED), shown: name, where }
}

function planned(snapshot: Snapshot, name: string): Plan {
  const { plans, refused } = planFor(snapshot.checked.spec, [name], {})
  const plan = plans.find((one) => sameName(one.name, name))
  if (plan) return plan
  throw new Unable(refused.find((one) => one.message)?.message ?? `There are no rows of \`${inert(name, 80)}\` to be read.`)
}
