import { dirname } from 'node:path'
import type * as ast from '../../../grammar/src/ast.ts'
import { parse } from '../../../grammar/src/parser.ts'
import { check } from '../check/check.ts'
import { allReadings, importPaths } from '../check/readings.ts'
import type { Spec } from '../check/spec.ts'
import type { Reading, Schema } from '../sql/tree.ts'
import type { Described } from './schemas.ts'

/**
 * The workspace: from a file on disk (or in an editor) to what check makes of it, with its imports and the schemas of its data. The command
 * line and the language server both open files here. Not here: anything that computes; data is only described, through `describe`.
 */
export interface Surroundings {
  /** Text of a file; throws, with a sentence, where it cannot be read. */
  read(path: string): string
  describe(readings: readonly Reading[]): Promise<readonly Described[]>
}

export interface LoadedFile {
  readonly path: string
  readonly text: string
  readonly ast: ast.File
}
/** A problem and the file that it is in. */
export interface PlacedProblem extends ast.Problem {
  readonly path: string
}
export interface Loaded {
  readonly path: string
  /** The file itself first, then what it imports, each once. */
  readonly files: readonly LoadedFile[]
  readonly spec: Spec
  readonly problems: readonly PlacedProblem[]
}

/** O(size of the files), and one call of `describe`. Imports that cannot be read are left for check to report where they are imported. */
export async function loadSpec(path: string, surroundings: Surroundings): Promise<Loaded> {
  const files = new Map<string, LoadedFile & { readonly problems: readonly ast.Problem[] }>()
  const open = (at: string, text: string) => {
    const { ast, problems } = parse(text)
    files.set(at, { path: at, text, ast, problems })
    for (const imported of importPaths(ast, dirname(at))) {
      if (files.has(imported)) continue
      const other = readable(imported, surroundings)
      if (other !== undefined) open(imported, other)
    }
  }
  open(path, surroundings.read(path))

  const wanted = allReadings(files, path)
  const described = await surroundings.describe(wanted.map((one) => one.reading))
  const schemas = new Map<string, Schema | Extract<Described, { problem: unknown }>>()
  for (const [i, { name }] of wanted.entries()) {
    const answer = described[i]!
    if (!schemas.has(name)) schemas.set(name, 'schema' in answer ? answer.schema : answer)
  }
  const { spec, problems } = check(files, schemas, { path })
  const all = [...(files.get(path)?.problems ?? []), ...problems]
  return { path, files: [...files.values()], spec, problems: all.map((problem) => ({ ...problem, path })) }
}

function readable(path: string, surroundings: Surroundings): string | undefined {
  try {
    return surroundings.read(path)
  } catch {
    return undefined
  }
}
