import { type CodeAction, CodeActionKind, type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver'
import type { PlaceInText } from '../protocol/messages.ts'
import { showCommand } from '../protocol/messages.ts'
import type { Key } from '../protocol/results.ts'
import { count, keyText } from '../report/figures.ts'
import { inert } from '../report/inert.ts'
import { rowWords } from '../report/row-words.ts'
import type { Range } from '../workspace/documents.ts'
import type { Flag, Flagged } from '../workspace/flagged.ts'

/** What is held against rows by one rule, and where the rule stands. */
export interface Ruling {
  readonly flagged: Flagged
  /** The rule's name in its spec. */
  readonly place: { readonly uri: string; readonly range: Range }
  /** The rule was changed since it last ran. */
  readonly outdated: boolean
}
/** A flagged row where it stands in a file of data. */
export interface Mark {
  readonly ruling: Ruling
  readonly flag: Flag
  /** The cell that the rule speaks of, else the row. */
  readonly range: Range
}
/** Of a diagnostic on a flagged row: what a code action has to know. */
export interface MarkData {
  readonly rule: string
  readonly key: Key
  readonly uri: string
}

const messageLimit = 600

/** At most `most` marks of a file, the worst first, and how many rows more are flagged: `unsought` of them were not even looked for. */
export function markDiagnostics(marks: readonly Mark[], most: number, unsought: number): Diagnostic[] {
  const sorted = [...marks].sort((a, b) => weight(a) - weight(b) || severityOf(b) - severityOf(a))
  const shown = sorted.slice(0, Math.max(0, most))
  const diagnostics = shown.map(markDiagnostic)
  const rest = sorted.length - shown.length + unsought
  if (rest <= 0 || sorted.length === 0) return diagnostics
  const rulings = [...new Set(sorted.map((mark) => mark.ruling))]
  const named = rulings.slice(0, 5).map(({ flagged }) => `\`${inert(flagged.rule.name, 60)}\``)
  return [
    ...diagnostics,
    {
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      severity: sorted.every((mark) => weight(mark) === DiagnosticSeverity.Hint) ? DiagnosticSeverity.Hint : DiagnosticSeverity.Information,
      source: 'assay',
      code: rulings[0]!.flagged.rule.name,
      message: `and ${count(rest, 'more row')}, flagged by ${named.join(', ')}`,
      relatedInformation: rulings.slice(0, 5).map(related),
    },
  ]
}

export function markDiagnostic({ ruling, flag, range }: Mark): Diagnostic {
  const { rule } = ruling.flagged
  const data: MarkData = { rule: rule.name, key: flag.key, uri: ruling.place.uri }
  return {
    range,
    severity: weight({ ruling, flag, range }),
    code: rule.name,
    codeDescription: { href: `${ruling.place.uri}#L${ruling.place.range.start.line + 1}` },
    source: 'assay',
    message: inert(`${wordsOf(ruling.flagged, flag)}${ruling.outdated ? ' The rule was changed since: run it again.' : ''}`, messageLimit),
    relatedInformation: [related(ruling)],
    data,
  }
}

/** For rows that cannot be shown where they are: one on the declaration, with the worst of them. */
export function declarationDiagnostic(
  ruling: Ruling,
  unplaced: readonly Flag[],
  source: { readonly uri: string; readonly range: Range },
): Diagnostic {
  const { flagged, place } = ruling
  const n = flagged.total
  const what =
    flagged.rule.kind === 'assert'
      ? `${count(n, flagged.rule.each.kind === 'group' ? 'group' : 'row')} of \`${flagged.source}\` ${n === 1 ? 'fails' : 'fail'} \`${flagged.rule.name}\``
      : `${count(n, 'row')} of \`${flagged.source}\` ${n === 1 ? 'is' : 'are'} suspected by \`${flagged.rule.name}\``
  const some = unplaced.length < Math.min(flagged.rows.length, n) ? ' Some of them' : n === 1 ? ' It' : ' They'
  const data: Omit<MarkData, 'key'> = { rule: flagged.rule.name, uri: place.uri }
  return {
    range: place.range,
    severity: severities[flagged.level],
    code: flagged.rule.name,
    source: 'assay',
    message: inert(
      `${what}.${some} cannot be marked in the data itself: see Show rows.${ruling.outdated ? ' The rule was changed since: run it again.' : ''}`,
      messageLimit,
    ),
    relatedInformation: unplaced.slice(0, 5).map((flag) => ({
      location: source,
      message: inert(`${keyText(flag.key)}: ${wordsOf(flagged, flag)}`, messageLimit),
    })),
    data,
  }
}

/** On a flagged row: to its rule. What it leads to in the spec is `code-actions.ts`'s. */
export function markActions(diagnostics: readonly Diagnostic[], place: (data: MarkData) => PlaceInText | undefined): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const data = markDataOf(diagnostic)
    const at = data && place(data)
    if (data === undefined || at === undefined) return []
    const title = `Show the rule \`${inert(data.rule, 60)}\``
    return [{ title, kind: CodeActionKind.QuickFix, diagnostics: [diagnostic], command: { title, command: showCommand, arguments: [at] } }]
  })
}

/** Diagnostics come back from the editor: nothing is taken for granted. */
export function markDataOf({ data, source }: Diagnostic): MarkData | undefined {
  const given = data as Partial<MarkData> | undefined | null
  if (source !== 'assay' || typeof given?.rule !== 'string' || typeof given.uri !== 'string' || given.key === undefined) return undefined
  return given as MarkData
}

function related({ flagged, place }: Ruling) {
  const { rule } = flagged
  const doc = rule.doc?.split('\n')[0]
  const message = doc === undefined || doc === '' ? `The ${rule.kind === 'assert' ? 'assertion' : 'complaint'} \`${rule.name}\`` : doc
  return { location: place, message: inert(message, 200) }
}

const wordsOf = (flagged: Flagged, { about }: Flag) =>
  rowWords({ name: flagged.rule.name, total: flagged.total, result: flagged.result }, about)

/** A suspect is a hint: it may be right, and must not hide what a rule says is wrong. */
const weight = ({ ruling, flag }: Mark) => (flag.about.kind === 'suspect' ? DiagnosticSeverity.Hint : severities[ruling.flagged.level])
const severityOf = ({ flag: { about } }: Mark) => (about.kind === 'suspect' ? -about.row.rank : about.row.severity)
const severities: Readonly<Record<Flagged['level'], DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
}
