import { type FoldingRange, FoldingRangeKind } from 'vscode-languageserver'
import { positionAt, type SpecFile } from '../workspace/snapshot.ts'

/** Blocks, clauses of several lines, runs of comments, the imports. Needs only the tree. */
export function foldingRanges(file: SpecFile): FoldingRange[] {
  const ranges: FoldingRange[] = []
  const lineOf = (offset: number) => positionAt(file, offset).line
  const add = (start: number, end: number, kind?: FoldingRangeKind) => {
    if (end > start) ranges.push(kind === undefined ? { startLine: start, endLine: end } : { startLine: start, endLine: end, kind })
  }
  for (const decl of file.ast.declarations) {
    const first = lineOf(decl.keyword.start)
    const last = lineOf(Math.max(decl.end - 1, decl.start))
    // The closing brace stays in sight.
    add(first, file.text[decl.end - 1] === '}' ? last - 1 : last)
    for (const clause of decl.clauses)
      if (lineOf(clause.start) > first) add(lineOf(clause.start), lineOf(Math.max(clause.end - 1, clause.start)))
  }
  let run: { start: number; end: number } | undefined
  for (const comment of file.lexed.comments) {
    if (comment.standing === 'inside') continue
    const line = lineOf(comment.start)
    if (run && line === run.end + 1) run.end = line
    else {
      if (run) add(run.start, run.end, FoldingRangeKind.Comment)
      run = { start: line, end: line }
    }
  }
  if (run) add(run.start, run.end, FoldingRangeKind.Comment)
  const { imports } = file.ast
  if (imports.length > 0) add(lineOf(imports[0]!.start), lineOf(imports.at(-1)!.end), FoldingRangeKind.Imports)
  return ranges
}
