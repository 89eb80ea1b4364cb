import type * as ast from '../../../../grammar/src/ast.ts'
import { reportMissing } from '../model-calls.ts'
import { fold } from '../names.ts'
import { type ModelInfo, report, type Site, type SourceInfo } from '../scope.ts'

/** The rule that filtering images needs a model that reads one. Quiet where a column's type is not known. */
export function checkImages(at: ast.Span, model: ModelInfo | undefined, site: Site): void {
  if (model?.source === undefined || site.entry.broken) return
  if (model.inputs.some((input) => input.type === 'image' || input.type === 'unknown')) return
  report(site, 'no-image', at, { model: model.name, inputs: model.inputs.map((input) => input.name) })
}

/**
 * The rule that rows of another source can stand for rows of the model's: known by the same key, with all that the model reads. The target may be absent:
 * then labels stay.
 */
export function checkReplacement(at: ast.Span, model: ModelInfo | undefined, source: SourceInfo | undefined, site: Site): void {
  const own = model?.source
  if (model === undefined || own === undefined || source === undefined) return
  if (own.key.length === 0) {
    report(site, 'replace-keyless', at, { source: own.name })
    return
  }
  reportMissing(at, model, source, { site })
  if (source.open) return
  const wanted = [...own.key.map((name) => own.columns.get(fold(name))), model.target]
  for (const column of wanted) {
    if (column === undefined) continue
    const found = source.columns.get(fold(column.name))
    const { name, type } = column
    if (found === undefined) {
      if (column !== model.target) report(site, 'replace-key', at, { key: name, source: source.name, of: own.name })
    } else if (found.type !== type && found.type !== 'unknown' && type !== 'unknown') {
      report(site, 'replace-type', at, { column: name, source: source.name, is: found.type, wanted: type })
    }
  }
}
