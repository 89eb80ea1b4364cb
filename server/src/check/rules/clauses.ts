import type * as ast from '../../../../grammar/src/ast.ts'
import { clausesOf, declarationWord } from '../../../../grammar/src/tokens.ts'
import { report, type Site } from '../scope.ts'

/** How often each clause may stand in a declaration, and which belong together or exclude each other; the counts are the keyword table's. */
export function checkClauses(decl: ast.Declaration, site: Site): void {
  const seen = new Map<string, ast.AnyClause[]>()
  for (const clause of decl.clauses as readonly ast.AnyClause[]) {
    const known = seen.get(clause.word)
    if (known) known.push(clause)
    else seen.set(clause.word, [clause])
  }
  const words = clausesOf(decl.kind)
  for (const [word, clauses] of seen) {
    const times = words.get(word)?.times ?? '*'
    if (times === '*' || times === '+') continue
    for (const again of clauses.slice(1)) report(site, 'repeated-clause', again.keyword, { kind: decl.kind, word })
  }
  // Where a clause could not be read, its absence has been reported in better words.
  if (site.entry.hasSyntaxError) return
  const at = decl.name ?? decl.keyword
  for (const { word, times } of words.values()) {
    if ((times === '!' || times === '+') && !seen.has(word)) report(site, 'missing-clause', at, { kind: decl.kind, word })
  }
  for (const requirement of declarationWord(decl.kind)?.requires ?? []) {
    if (requirement.kind === 'one_of') checkOneOf(decl, requirement.groups, seen, site)
    else if (!requirement.words.some((word) => seen.has(word)) && !isNeedless(decl, requirement.unless)) {
      report(site, 'missing-some-of', at, { kind: decl.kind, words: requirement.words })
    }
  }
}

function checkOneOf(
  decl: ast.Declaration,
  groups: readonly (readonly string[])[],
  seen: ReadonlyMap<string, readonly ast.AnyClause[]>,
  site: Site,
): void {
  const begun = groups.filter((group) => group.some((word) => seen.has(word)))
  const [first, second] = begun
  if (first === undefined) {
    report(site, 'missing-one-of', decl.name ?? decl.keyword, { kind: decl.kind, groups })
    return
  }
  if (second) {
    const other = second.find((word) => seen.has(word))!
    report(site, 'clauses-exclude', seen.get(other)![0]!.keyword, { kind: decl.kind, one: first.find((word) => seen.has(word))!, other })
    return
  }
  for (const word of first) if (!seen.has(word)) report(site, 'missing-clause', decl.name ?? decl.keyword, { kind: decl.kind, word })
}

function isNeedless(decl: ast.Declaration, unless: 'using' | 'column_or_head' | undefined): boolean {
  if (unless === 'using') return 'using' in decl && decl.using !== undefined
  if (unless !== 'column_or_head' || decl.kind !== 'model') return false
  const kind = decl.clauses.find((clause) => clause.word === 'kind')
  return (
    kind !== undefined &&
    /^(column|head)$/i.test(kind.setting.name.text) &&
    !kind.setting.args.some(({ value }) => value.kind === 'setting' && value.called)
  )
}
