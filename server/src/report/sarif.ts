import { createHash } from 'node:crypto'
import type { Key, ReportedProblem, Result, ResultFile } from '../protocol/results.ts'
import { inert, inertJson } from './inert.ts'
import { sentences, withHint } from './wording.ts'

/**
 * SARIF 2.1.0 (OASIS, 27 March 2020), for tools that show what others have found: rules are assertions, complaints and kinds of problems; results are flagged rows where they stand in
 * the data, complaints that stand and problems, each with a fingerprint that does not depend on lines. Comments name the sections that a choice follows.
 */
export interface SarifFacts {
  readonly version: string
  /** The folder that relative paths are relative to, as a URI that ends with a slash. */
  readonly base: string
  /** Where rules are declared, and their doc comments, by name. */
  readonly rules: ReadonlyMap<string, { readonly place: SarifPlace; readonly doc?: string }>
  readonly rows: readonly SarifRow[]
}
/** Lines and columns count from 1, columns in UTF-16 units, ends exclusive. Absolute paths, or paths below the base. */
export interface SarifPlace {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
}
export interface SarifRow {
  /** The rule's name. */
  readonly rule: string
  readonly key: Key
  readonly text: string
  readonly severity: number
  readonly level: 'error' | 'warning' | 'info'
  /** Absent where the row cannot be found in a text. */
  readonly place?: SarifPlace
}

interface Rule {
  readonly id: string
  readonly name: string
  readonly text: string
  readonly level: SarifLevel
}
type SarifLevel = 'error' | 'warning' | 'note'
const levels: Readonly<Record<'error' | 'warning' | 'info', SarifLevel>> = { error: 'error', warning: 'warning', info: 'note' }

export function sarifReport(file: ResultFile, facts: SarifFacts): string {
  const rules = new Map<string, Rule>()
  const results = [
    ...file.results.flatMap((result) => ruleResults(result, facts, rules)),
    ...file.problems.map((problem) => problemResult(problem, rules)),
  ]
  const index = new Map([...rules.keys()].map((id, i) => [id, i]))
  const failed = file.results.filter((one) => one.status === 'failed')
  const unsaid = file.results.filter((one) => one.status === 'failed' || one.status === 'skipped' || one.status === 'cancelled')
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Assay',
            version: facts.version,
            rules: [...rules.values()].map(({ id, name, text, level }) => ({
              id,
              name,
              shortDescription: { text: message(text) },
              defaultConfiguration: { level },
            })),
          },
        },
        // §3.14.17: columns are counted as everywhere in Assay.
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { [BASE]: { uri: facts.base } },
        invocations: [
          {
            executionSuccessful: failed.length === 0,
            toolExecutionNotifications: unsaid.map((one) => ({
              level: one.status === 'failed' ? 'error' : 'note',
              message: { text: message(`${one.name}: ${sentences(one)[0] ?? one.status}`) },
            })),
          },
        ],
        results: results.map((one) => ({ ...one, ruleIndex: index.get(one.ruleId) })),
      },
    ],
  }
  return `${inertJson(JSON.stringify(log, undefined, 2))}\n`
}

const BASE = 'SPECS'

function ruleResults(result: Result, facts: SarifFacts, rules: Map<string, Rule>) {
  if (result.kind !== 'assert' && result.kind !== 'complaint') return []
  const id = `${result.kind}/${result.name}`
  const declared = facts.rules.get(result.name)
  const rows = facts.rows.filter((row) => row.rule === result.name)
  const level = result.kind === 'assert' ? levels[result.level ?? 'error'] : 'error'
  const text = declared?.doc || `${result.kind === 'assert' ? 'The assertion' : 'The complaint'} ${result.name}.`
  rules.set(id, { id, name: result.name, text, level })
  const at = declared ? [location(declared.place, result.name)] : []
  const whole = (said: string, part: string) => ({
    ruleId: id,
    level,
    message: { text: message(said) },
    locations: at,
    partialFingerprints: { 'assayRule/v1': fingerprint(id, part) },
  })
  // Not a row's fault but the model's: the complaint itself is the finding, its suspects are hints.
  const own = result.kind === 'complaint' && result.status === 'violated' ? [whole(sentences(result).join(' '), '')] : []
  const total = result.kind === 'assert' && rows.length > 0 ? (result.total ?? rows.length) : rows.length
  const rest =
    total > rows.length
      ? [
          whole(
            `${total - rows.length} more ${total - rows.length === 1 ? 'row fails' : 'rows fail'}. ${sentences(result)[0] ?? ''}`,
            'rest',
          ),
        ]
      : []
  return [
    ...own,
    ...rows.map((row) => ({
      ruleId: id,
      level: levels[row.level],
      message: { text: message(row.text) },
      locations: row.place ? [location(row.place, result.name)] : at,
      // §3.27.22: where the rule is written.
      relatedLocations: row.place && declared ? [{ ...location(declared.place, result.name), message: { text: message(text) } }] : [],
      partialFingerprints: { 'assayRow/v1': fingerprint(id, JSON.stringify(row.key)) },
      properties: { key: row.key, severity: row.severity },
    })),
    ...rest,
  ]
}

function problemResult(problem: ReportedProblem, rules: Map<string, Rule>) {
  const level = levels[problem.severity]
  const id = problem.code
  if (!rules.has(id)) rules.set(id, { id, name: id, text: `A problem with a spec or its data: ${id.replaceAll('-', ' ')}.`, level })
  const text = withHint(problem.message, problem.hint)
  return {
    ruleId: id,
    level,
    message: { text: message(text) },
    locations: [location(problem)],
    partialFingerprints: { 'assayProblem/v1': fingerprint(id, `${problem.file}\n${problem.message}`) },
  }
}

function location(place: SarifPlace, rule?: string) {
  const { line, column, endLine, endColumn } = place
  return {
    physicalLocation: {
      artifactLocation: artifact(place.file),
      region: { startLine: line, startColumn: column, endLine, endColumn: line === endLine ? Math.max(column, endColumn) : endColumn },
    },
    ...(rule === undefined ? {} : { logicalLocations: [{ name: rule }] }),
  }
}

/** §3.4.3 and RFC 3986: paths are written as URIs. */
function artifact(file: string): { readonly uri: string; readonly uriBaseId?: string } {
  const path = file.replaceAll('\\', '/')
  const encoded = path
    .split('/')
    .map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, '\ufffd')))
    .join('/')
  if (path.startsWith('/')) return { uri: `file://${encoded}` }
  if (/^[a-z]:\//i.test(path)) return { uri: `file:///${encoded.replace('%3A', ':')}` }
  return { uri: encoded, uriBaseId: BASE }
}

/** §3.11.5, §3.11.6: braces and brackets would be placeholders and links. */
function message(text: string): string {
  return inert(text, 2000)
    .replace(/[\\[\]]/g, '\\$&')
    .replace(/[{}]/g, '$&$&')
}

function fingerprint(rule: string, what: string): string {
  return createHash('sha256').update(`${rule}\n${what}`).digest('hex').slice(0, 32)
}
