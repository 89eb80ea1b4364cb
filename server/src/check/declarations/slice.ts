import type * as ast from '../../../../grammar/src/ast.ts'
import { treeOptions } from '../../../../grammar/src/setting-table.ts'
import { clauseOf, nameSpan } from '../clauses.ts'
import { checkCondition, childrenOf } from '../expressions.ts'
import { fold } from '../names.ts'
import { checkBinned } from '../rules/bins.ts'
import { find, type Needed, type PartitionInfo, report, type Site, type SliceInfo, type SourceInfo } from '../scope.ts'
import { rowScope } from '../select.ts'
import { checkOptions } from '../settings.ts'
import type { PartitionSpec, SliceSpec } from '../spec.ts'

type Body<S> = Omit<S, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>

export function checkSlice(decl: ast.SliceDecl, site: Site): { readonly info: SliceInfo; readonly spec?: Body<SliceSpec> } {
  const source = find(site, decl.on, 'source')
  const { where } = decl
  if (source && where)
    checkCondition(where, rowScope(site, source, { kind: 'refused', where: 'a slice' }, 'a slice'), 'The condition of a slice')
  warnShadowed(decl, source, site)
  const columns = where ? neededColumns(where, site) : []
  const info: SliceInfo = { kind: 'slice', name: site.entry.name, source, columns }
  return source && where ? { info, spec: { source: source.name, where } } : { info }
}

export function checkPartition(decl: ast.PartitionDecl, site: Site): { readonly info: PartitionInfo; readonly spec?: Body<PartitionSpec> } {
  const source = find(site, decl.on, 'source')
  const by = clauseOf(decl, 'by')
  const binned = by && checkBinned(by.columns, source, site)
  const treeClause = clauseOf(decl, 'tree')
  const minimum = clauseOf(decl, 'minimum')?.rows
  if (minimum && minimum.value < 1) report(site, 'out-of-range', minimum, { what: 'The smallest size of a slice', wanted: '1 row or more' })
  const tree = treeClause && {
    threshold: checkOptions(treeClause.options.args, treeClause.options, treeOptions, 'tree', site).number('threshold') ?? 0.9,
    minimum: minimum?.value,
  }
  warnShadowed(decl, source, site)
  // A tree chooses its columns when it is grown: all of its source's are needed.
  const columns = (tree ? (source?.schema ?? []) : (binned ?? []).map((one) => one.column)).map(
    ({ name, type }): Needed => ({ name, type, pseudo: false }),
  )
  const info: PartitionInfo = { kind: 'partition', name: site.entry.name, source, columns }
  return source ? { info, spec: { source: source.name, by: binned, tree, minimum: minimum?.value } } : { info }
}

function warnShadowed(decl: ast.SliceDecl | ast.PartitionDecl, source: SourceInfo | undefined, site: Site): void {
  if (decl.name && /^(split|rowid|key)$/i.test(decl.name.text)) report(site, 'reserved-word', decl.name, { name: decl.name.text })
  else if (source && decl.name && source.columns.has(fold(decl.name.text))) {
    report(site, 'shadowed-name', nameSpan(decl), { name: decl.name.text, kind: decl.kind, source: source.name })
  }
}

/** The columns that a predicate needs wherever it is used, those of slices within it included. */
function neededColumns(where: ast.Expr, site: Site): Needed[] {
  const needed = new Map<string, Needed>()
  const need = (one: Needed): void => {
    const folded = fold(one.name)
    if (!needed.has(folded)) needed.set(folded, one)
  }
  const visit = (expr: ast.Expr): void => {
    const meaning = site.meanings.get(expr)
    if (meaning?.kind === 'column') need({ name: meaning.column.name, type: meaning.column.type, pseudo: false })
    if (meaning?.kind === 'pseudo') need({ name: meaning.column, type: 'unknown', pseudo: true })
    if (meaning?.kind === 'slice' || meaning?.kind === 'partition') {
      const name = meaning.kind === 'slice' ? meaning.slice : meaning.partition
      const info = site.entry.module.scope.get(fold(name))?.info
      if (info?.kind === 'slice' || info?.kind === 'partition') for (const one of info.columns) need(one)
    }
    for (const child of childrenOf(expr)) visit(child)
  }
  visit(where)
  return [...needed.values()]
}
