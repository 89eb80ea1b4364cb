import type { Problem } from '../../grammar/src/ast.ts'
import { lineStarts, placeAt } from '../../grammar/src/positions.ts'

/** What a fixture expects: a problem of this code under these carets, whose sentence or hint holds the detail. */
export interface Expected {
  readonly line: number
  readonly column: number
  readonly length: number
  readonly code: string
  readonly detail: string
}

const expectation = /^(\s*)(\^+) ([a-z-]+)(?:: (.*))?$/

/** Takes the lines `    ^^^^ code: detail` out of a fixture; each belongs to the line of text above it. */
export const readFixture = (annotated: string): { readonly text: string; readonly expected: readonly Expected[] } => {
  const lines: string[] = []
  const expected: Expected[] = []
  for (const line of annotated.replace(/^\n/, '').split('\n')) {
    const [, indent, carets, code, detail = ''] = expectation.exec(line) ?? []
    if (code === undefined) lines.push(line)
    else expected.push({ line: lines.length, column: indent!.length + 1, length: carets!.length, code, detail })
  }
  return { text: lines.join('\n'), expected }
}

/** The text with its problems written below its lines as a fixture has them; a detail that is expected and true stands for the whole sentence. */
export const writeFixture = (text: string, problems: readonly Problem[], expected: readonly Expected[]): string => {
  const starts = lineStarts(text)
  const lines = text.split('\n')
  const notes: string[][] = lines.map(() => [])
  for (const problem of problems) {
    const { line, column } = placeAt(starts, problem.start)
    const length = Math.max(
      1,
      Math.min(problem.end, text.indexOf('\n', problem.start) < 0 ? text.length : text.indexOf('\n', problem.start)) - problem.start,
    )
    const match = expected.find((one) => one.line === line && one.column === column && one.length === length && one.code === problem.code)
    const held = match !== undefined && (problem.message.includes(match.detail) || problem.hint === match.detail)
    const detail = held ? match.detail : problem.message
    notes[line - 1]!.push(`${' '.repeat(column - 1)}${'^'.repeat(length)} ${problem.code}${detail === '' ? '' : `: ${detail}`}`)
  }
  return lines.flatMap((line, index) => [line, ...notes[index]!]).join('\n')
}
