import type * as ast from '../../../grammar/src/ast.ts'
import { parse } from '../../../grammar/src/parser.ts'
import { printSelect } from '../../../grammar/src/printer.ts'
import { expressionsOfSelect, walk } from '../../../grammar/src/walker.ts'
import { fold, sameName } from '../check/names.ts'
import type { ComplaintSpec, ModelSpec } from '../check/spec.ts'
import type { Outcome } from '../engine/events.ts'
import { declared, named } from '../features/written.ts'
import { Cancelled } from '../methods/cancel.ts'
import { type AnswerPlan, answerPlan } from '../plan/answer.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../plan/plan-for.ts'
import type { PreviewArguments } from '../protocol/messages.ts'
import type { Result } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { inert } from '../report/inert.ts'
import { problemsOf, type Snapshot } from '../workspace/snapshot.ts'
import type { Following } from './background.ts'
import { Unable } from './unable.ts'
import type { Workspace } from './workspace.ts'

/**
 * Previews of a complaint's query, or of one that stands in no file, over a model's predictions. Such a query is checked and planned as that of a complaint that is
 * written below the file: what is refused there could not be complained of anyway.
 */
export interface AskedQuery {
  /** The file; where the query stands in none, with it. */
  readonly snapshot: Snapshot
  readonly complaint: ComplaintSpec
  /** Whether it stands in the file. */
  readonly written: boolean
  readonly plan: Plan
  readonly answer: AnswerPlan
}

const ASKED = 'assay preview'
const MOST = 60_000

/** What is asked, where a complaint or a model is named; otherwise undefined. Fails in a sentence. */
export function askedQuery(
  workspace: Workspace,
  snapshot: Snapshot,
  { name, query }: Pick<PreviewArguments, 'name' | 'query'>,
): AskedQuery | undefined {
  const found = snapshot.checked.reached.get(fold(name))
  const kind = found?.decl.kind
  if (found === undefined || (kind !== 'complaint' && kind !== 'model')) {
    if (query === undefined) return undefined
    throw new Unable(`There is no model \`${inert(name, 80)}\` in reach of this file: a query is asked over a model's predictions.`)
  }
  const { spec } = snapshot.checked
  const complaint = declared(spec, 'complaint', name)
  const model = declared(spec, 'model', kind === 'model' ? name : complaint?.using[0])
  if (model === undefined) throw new Unable(broken(snapshot, found))
  if (kind === 'complaint' && query === undefined) return askable(snapshot, complaint!, 'written')
  const select = query === undefined ? defaultQuery(model) : readQuery(query)
  const using = [model.name, ...otherModels(snapshot, select, model)]
  const added = `\n\n${complaintText({ name: ASKED, using, query: printSelect(select), expect: 'no row where true', blame: blamed(model) })}`
  const variant = workspace.variant(snapshot.path, snapshot.text + added)
  const wrong = variant && problemsOf(variant).find((one) => one.severity === 'error' && one.end > snapshot.text.length)
  const own = variant && declared(variant.checked.spec, 'complaint', ASKED)
  if (variant === undefined || own === undefined || wrong)
    throw new Unable(`This cannot be asked: ${wrong?.message ?? 'the file is gone.'}`)
  return askable(variant, own, 'asked')
}

function askable(snapshot: Snapshot, complaint: ComplaintSpec, where: 'written' | 'asked'): AskedQuery {
  const { spec } = snapshot.checked
  const { plans, refused } = planFor(spec, [complaint.name], {})
  const plan = plans.find((one) => sameName(one.name, complaint.name))
  if (plan === undefined) throw new Unable(refused.find((one) => one.message)?.message ?? 'This query cannot be answered.')
  return { snapshot, complaint, written: where === 'written', plan, answer: answerPlan(spec, complaint) }
}

function broken(
  snapshot: Snapshot,
  { name, path, decl }: { readonly name: string; readonly path: string; readonly decl: ast.Declaration },
): string {
  const error = problemsOf(snapshot).find((one) => one.severity === 'error' && one.start < decl.end && one.end > decl.start)
  return `\`${inert(name, 80)}\` has an error${path === snapshot.path && error ? `: ${error.message}` : ', or needs what has one.'}`
}

/** How often each class is predicted, or what is predicted on average, where the model validates or else learns. */
function defaultQuery({ source, validate, target, task }: ModelSpec): ast.Select {
  const from = validate === undefined ? named(source) : `${named(source)}.${named(validate)}`
  const predicted = `predict(${named(target.name)})`
  return readQuery(
    task === 'classification'
      ? `select ${predicted} as predicted, count(*) as n from ${from} group by ${predicted}`
      : `select count(*) as n, avg(${predicted}) as mean from ${from}`,
  )
}

/** One query and nothing else, whatever was typed. */
function readQuery(text: string): ast.Select {
  const { ast: file, problems } = parse(`complaint asked using it {\n  query ${text.replace(/[\r\n]+/g, ' ')}\n}\n`)
  const [declaration, ...others] = file.declarations
  const [clause, ...more] = (declaration?.clauses ?? []) as readonly ast.AnyClause[]
  const wrong = problems.find((one) => one.severity === 'error')
  if (wrong || clause?.word !== 'query' || others.length > 0 || more.length > 0)
    throw new Unable(`This is no query: ${wrong?.message ?? 'write one `select`, with `predict()` in it.'}`)
  return clause.select
}

/** `predict(c, other)` asks another model: it is named with the first. */
function otherModels(snapshot: Snapshot, select: ast.Select, first: ModelSpec): string[] {
  const names = new Set<string>()
  const look = (expr: ast.Expr): void => {
    if (expr.kind === 'call') {
      for (const { value } of expr.args) {
        const model = value.kind === 'column' && !value.table ? declared(snapshot.checked.spec, 'model', value.name.text) : undefined
        if (model && model !== first) names.add(model.name)
      }
    }
  }
  for (const expr of expressionsOfSelect(select)) walk(expr, look)
  return [...names]
}

/** Whom a complaint about a model blames unless told otherwise. */
export const blamed = (model: ModelSpec): string => model.train?.split ?? model.source

export interface ComplaintParts {
  readonly name: string
  readonly using: readonly string[]
  readonly query: string
  readonly expect: string
  readonly blame: string
}
export const complaintText = ({ name, using, query, expect, blame }: ComplaintParts): string =>
  `complaint ${named(name)} using ${using.map(named).join(', ')} {
  query  ${query}
  expect ${expect}
  blame  top 25 rows of ${named(blame)} by influence
}
`

/** The first rows of what is asked, over what the models are now: nothing is trained for it. */
export async function answerOf(
  workspace: Workspace,
  { snapshot, complaint, written, plan, answer }: AskedQuery,
  args: PreviewArguments,
  following: Following,
): Promise<{ readonly snapshot: Snapshot; readonly view: View }> {
  const looker = workspace.looker(snapshot.path)
  if (looker === undefined) throw new Unable('No folder can be written to look at data in.')
  const limit = Math.max(1, Math.min(MOST, Math.floor(args.limit ?? workspace.settings.previewRows)))
  const { result, pictures } = await looker.preview(plan, { limit, answer }, following).catch((reason): Outcome => {
    if (!(reason instanceof Cancelled)) throw reason
    const provenance = { dataHash: '', planHash: plan.hash, seed: plan.seed, rows: 0, elapsedMs: 0 }
    return { result: { kind: 'complaint', name: args.name, status: 'cancelled', provenance }, pictures: {} }
  })
  const text = snapshot.files.get(complaint.path)?.text.slice(complaint.span.start, complaint.span.end) ?? ''
  const view: View = {
    schema: 'assay-view/1',
    result: { ...result, name: args.name } as Result,
    text: written ? text : answer.queryText,
    ...(written && complaint.doc ? { doc: complaint.doc } : {}),
    pictures,
  }
  return { snapshot, view }
}
