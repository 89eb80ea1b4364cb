import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import { problem } from './messages.ts'
import { fold } from './names.ts'
import { directoryOf, joinPath } from './paths.ts'
import type { Entry, Module } from './scope.ts'

/** A file as it was parsed: `parse`'s own answer. */
export interface Parsed {
  readonly ast: ast.File
  readonly problems: readonly ast.Problem[]
}

/** A module for each file that is reached, its names known, nothing checked yet. The last is the file asked for. O(declarations). */
export function loadModules(files: ReadonlyMap<string, Parsed>, path: string): Module[] {
  const loaded = new Map<string, Module>()
  const order: Module[] = []
  const open = new Set<string>()
  const load = (at: string): Module | undefined => {
    const known = loaded.get(at)
    if (known) return known
    const parsed = files.get(at)
    if (parsed === undefined) return undefined
    const module = openModule(at, parsed)
    loaded.set(at, module)
    open.add(at)
    for (const one of parsed.ast.imports) importInto(module, one, open, load)
    open.delete(at)
    order.push(module)
    return module
  }
  load(path)
  return order
}

function openModule(path: string, parsed: Parsed): Module {
  const { declarations } = parsed.ast
  const errors = parsed.problems.filter((one) => one.severity === 'error')
  const entries: Entry[] = []
  const module: Module = { path, file: parsed.ast, syntaxProblems: errors, entries, scope: new Map(), problems: [], missing: new Set() }
  const broken = brokenDeclarations(declarations, errors)
  for (const [i, decl] of declarations.entries()) {
    const reason = broken.get(i)
    const entry: Entry = {
      decl,
      name: decl.name?.text ?? '',
      module,
      state: 'new',
      broken: reason !== undefined || decl.name === undefined,
      reason,
      hasSyntaxError: reason !== undefined,
      needs: new Map(),
    }
    entries.push(entry)
    if (decl.name === undefined) continue
    const taken = module.scope.get(fold(decl.name.text))
    if (taken === undefined) module.scope.set(fold(decl.name.text), entry)
    else {
      entry.broken = true
      module.problems.push(problem('duplicate-name', decl.name, { name: decl.name.text, kind: taken.decl.kind }))
    }
  }
  return module
}

/** The first syntax error of each declaration: what stands between its beginning and the next one's. */
function brokenDeclarations(declarations: readonly ast.Declaration[], errors: readonly ast.Problem[]): Map<number, string> {
  const broken = new Map<number, string>()
  if (errors.length === 0) return broken
  const sorted = [...errors].sort((a, b) => a.start - b.start)
  let at = 0
  for (const [i, decl] of declarations.entries()) {
    const end = declarations[i + 1]?.start ?? Number.POSITIVE_INFINITY
    while (at < sorted.length && sorted[at]!.start < decl.start) at++
    const first = sorted[at]
    if (first && first.start < end) broken.set(i, first.message)
  }
  return broken
}

function importInto(module: Module, one: ast.Import, open: ReadonlySet<string>, load: (path: string) => Module | undefined): void {
  if (one.path === undefined) {
    for (const name of one.names) module.missing.add(fold(name.text))
    return
  }
  const path = joinPath(directoryOf(module.path), one.path.value)
  const code = path === module.path ? 'import-itself' : open.has(path) ? 'import-circle' : 'import-missing'
  const from = code === 'import-missing' ? load(path) : undefined
  if (from === undefined) {
    module.problems.push(problem(code, one.path, { path: one.path.value }))
    for (const name of one.names) module.missing.add(fold(name.text))
    return
  }
  // The first of several of a name is meant, as in the file itself.
  const own = new Map([...from.entries].reverse().map((entry) => [fold(entry.name), entry]))
  for (const name of one.names) {
    const entry = own.get(fold(name.text))
    if (entry === undefined) {
      const near = nearest(
        name.text,
        from.entries.map((each) => each.name).filter((each) => each !== ''),
      )
      module.missing.add(fold(name.text))
      module.problems.push(problem('import-unknown', name, { name: name.text, path: one.path.value, nearest: near }))
      continue
    }
    const taken = module.scope.get(fold(name.text))
    if (taken === entry) continue
    if (taken) module.problems.push(problem('duplicate-name', name, { name: name.text, kind: taken.decl.kind }))
    else module.scope.set(fold(name.text), entry)
  }
}
