import { nearest } from '../../../grammar/src/nearest.ts'
import type { ReportedProblem } from '../protocol/results.ts'
import type { Loaded, PlacedProblem } from '../workspace/load.ts'
import { wholeFile } from './inputs.ts'
import { unknownName } from './sentences.ts'

const lower = (name: string) => name.toLowerCase()

/** Problems with the names themselves: none is declared so. */
export function unknownNames(loaded: Loaded, names: readonly string[], shown: string): ReportedProblem[] {
  const declared = [...declaredNames(loaded), ...loaded.spec.declarations.map((declaration) => declaration.name)]
  const known = new Set(declared.map(lower))
  const distinct = [...new Set(declared)]
  return names
    .filter((name) => !known.has(lower(name)))
    .map((name) => wholeFile(shown, 'unknown-name', unknownName(name, shown, nearest(name, distinct), distinct)))
}

function declaredNames(loaded: Loaded): string[] {
  return loaded.files[0]?.ast.declarations.flatMap((declaration) => (declaration.name ? [declaration.name.text] : [])) ?? []
}

/** The names and all that they need, in lower case. */
export function withNeeds(loaded: Loaded, names: readonly string[]): ReadonlySet<string> {
  const byName = new Map(loaded.spec.declarations.map((declaration) => [lower(declaration.name), declaration]))
  const seen = new Set<string>()
  const visit = (name: string) => {
    if (seen.has(name)) return
    seen.add(name)
    for (const need of byName.get(name)?.needs ?? []) visit(lower(need))
  }
  for (const name of names) visit(lower(name))
  return seen
}

/** Errors that forbid computing what was asked for: any, without names; else those in what was asked for or in what it needs. */
export function blocking(loaded: Loaded, names: readonly string[]): PlacedProblem[] {
  const errors = loaded.problems.filter((problem) => problem.severity === 'error')
  if (names.length === 0 || errors.length === 0) return errors
  const asked = withNeeds(loaded, names)
  const valid = new Set(loaded.spec.declarations.map((declaration) => lower(declaration.name)))
  const inside = errors.filter((problem) =>
    loaded.files.some(
      (file) =>
        file.path === problem.path &&
        file.ast.declarations.some((d) => d.name && asked.has(lower(d.name.text)) && problem.start >= d.start && problem.start <= d.end),
    ),
  )
  const missing = [...asked].some((name) => !valid.has(name))
  // A declaration that is left out without an error of its own leans on one that has: then every error is to the point.
  return missing && inside.length === 0 ? errors : inside
}
