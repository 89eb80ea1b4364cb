import type * as ast from '../../../../grammar/src/ast.ts'
import type { Models } from '../expression-scope.ts'
import { find, type ModelInfo, report, type Site } from '../scope.ts'

/** The models of `using`: each is one, none twice. */
export function checkUsing(
  names: readonly ast.Name[],
  declaration: string,
  site: Site,
): { readonly models: Models; readonly infos: readonly ModelInfo[] } {
  const infos: ModelInfo[] = []
  let isComplete = true
  for (const name of names) {
    const model = find(site, name, 'model')
    if (model === undefined) isComplete = false
    else if (infos.includes(model)) report(site, 'repeated-column', name, { column: model.name })
    else infos.push(model)
  }
  if (names.length === 0) return { models: { kind: 'none', declaration }, infos }
  return { models: isComplete ? { kind: 'given', models: infos } : { kind: 'unknown' }, infos }
}
