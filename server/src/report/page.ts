import type { Page, PageAddress } from '../protocol/pages.ts'
import type { Result } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { headline, writtenSql } from './headline.ts'
import { inert, inertLines } from './inert.ts'
import { pageActions } from './page-actions.ts'
import { sectionsOf } from './page-sections.ts'
import { answerSentences, mood, provenanceText, sentences, verdict } from './wording.ts'

/**
 * A result as a panel's page: the words, tables, charts and pictures of the HTML report as plain data, with what can be done about each row.
 * Everything comes out of the stored view; every text in it is inert. O(cells, and pixels shown).
 */
export interface PageMaterial {
  readonly address: PageAddress
  readonly view: View
  readonly state: Page['state']
}

export async function pageOf({ address, view, state }: PageMaterial): Promise<Page> {
  const { result } = view
  return {
    schema: 'assay-page/1',
    address,
    kind: result.kind,
    title: titleOf(address, result.kind),
    ...(address.what === 'preview' && result.status === 'ok'
      ? { verdict: '', mood: 'quiet' }
      : { verdict: isUntrained(result) ? 'not trained yet' : verdict(result), mood: mood(result) }),
    state,
    ...(view.doc ? { doc: inertLines(view.doc, 4000) } : {}),
    text: inertLines(view.text),
    sentences: said(address, result),
    notes: (result.notes ?? []).map((note) => inert(note, 1000)),
    figures: headline(result),
    sections: await sectionsOf(view),
    provenance: result.status === 'skipped' ? '' : provenanceText(result.provenance),
    ...sqlOf(view),
    actions: pageActions(address, result),
  }
}

const isUntrained = (result: Result) => result.kind === 'complaint' && result.preview?.untrained !== undefined

/** What figures and tables of the page say already is not said again. */
function said({ what }: PageAddress, result: Result): string[] {
  const all = sentences(result)
  if (result.status !== 'ok') return all
  if (what === 'preview') return result.kind === 'complaint' ? answerSentences(result) : all.slice(1)
  return result.kind === 'model' && result.metrics !== undefined ? all.slice(1) : all
}

function titleOf({ name, what, where }: PageAddress, kind: string): string {
  const shown = inert(name, 80)
  if (what === 'plan') return `${shown} · plan`
  if (what === 'preview' && kind === 'complaint') return `${shown} · query`
  if (what === 'preview') return `${shown} · rows${where === undefined ? '' : ` where ${inert(where, 60)}`}`
  return `${shown} · ${kind}`
}

function sqlOf({ result }: View): { readonly sql?: string } {
  const steps = (result.status === 'planned' ? (result.steps ?? []) : []).filter((step) => step.sql !== undefined)
  const sql = steps.length > 0 ? steps.map((step) => `-- ${step.what}\n${step.sql};`).join('\n\n') : writtenSql(result)
  return sql === undefined ? {} : { sql: inertLines(sql) }
}
