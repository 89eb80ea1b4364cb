import { type Diagnostic, DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver'
import type { Severity } from '../../../grammar/src/ast.ts'
import { inert } from '../report/inert.ts'
import { problemsOf, rangeOf, type Snapshot } from '../workspace/snapshot.ts'

/** Beyond this many, one more says how many there are. */
const shownAtMost = 250

/** What is wrong with a file, at its places. Nothing of the data is shown but column names, and those inert. */
export function diagnosticsOf(snapshot: Snapshot): Diagnostic[] {
  const problems = problemsOf(snapshot)
  const shown = problems.slice(0, shownAtMost).map(
    (problem): Diagnostic => ({
      range: rangeOf(snapshot, problem),
      severity: severities[problem.severity],
      code: problem.code,
      source: 'assay',
      message: inert(problem.message, 2000),
      ...(needless.has(problem.code) ? { tags: [DiagnosticTag.Unnecessary] } : {}),
      ...(problem.hint === undefined ? {} : { data: { hint: problem.hint } }),
    }),
  )
  const rest = problems.length - shown.length
  if (rest > 0) {
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }
    shown.push({ range, severity: DiagnosticSeverity.Information, source: 'assay', message: `And ${rest} more problems in this file.` })
  }
  return shown
}

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
}
const needless = new Set(['repeated-clause', 'seed-without-percent', 'hash-without-percent', 'secret-without-database'])
