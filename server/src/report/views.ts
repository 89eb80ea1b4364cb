import type { Spec } from '../check/spec.ts'
import type { Outcome } from '../engine/events.ts'
import type { ResultFile } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import type { SarifFacts } from './sarif.ts'

/** What a report is made from: the file of results, and a view for each of its results, in the same order. */
export interface Report {
  readonly file: ResultFile
  readonly views: readonly View[]
  /** For SARIF: where rules and rows stand. */
  readonly facts?: SarifFacts
}

/** Views of outcomes: the result, its pictures, and its declaration as written in `texts` (by path). */
export function viewsOf(outcomes: readonly Outcome[], spec: Spec, texts: ReadonlyMap<string, string>): View[] {
  const declared = new Map(spec.declarations.map((declaration) => [declaration.name.toLowerCase(), declaration]))
  return outcomes.map(({ result, pictures }): View => {
    const declaration = declared.get(result.name.toLowerCase())
    const text = declaration ? (texts.get(declaration.path)?.slice(declaration.span.start, declaration.span.end) ?? '') : ''
    return { schema: 'assay-view/1', result, text, doc: declaration?.doc, pictures }
  })
}
