import { expect } from 'vitest'

/**
 * What SARIF 2.1.0 demands of the objects that Assay writes, by section: members that must be there, their types, what indices and bases refer to. The published
 * schema says the same and is not here: tests have no network.
 */
export interface Sarif {
  readonly $schema: string
  readonly version: string
  readonly runs: readonly SarifRun[]
}
interface SarifRun {
  readonly tool: { readonly driver: { readonly name: string; readonly version: string; readonly rules: readonly SarifRule[] } }
  readonly columnKind: string
  readonly originalUriBaseIds: Readonly<Record<string, { readonly uri: string }>>
  readonly invocations: readonly {
    readonly executionSuccessful: boolean
    readonly toolExecutionNotifications: readonly { readonly level: string; readonly message: { readonly text: string } }[]
  }[]
  readonly results: readonly SarifResult[]
}
interface SarifRule {
  readonly id: string
  readonly name: string
  readonly shortDescription: { readonly text: string }
  readonly defaultConfiguration: { readonly level: string }
}
interface SarifResult {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations: readonly SarifLocation[]
  readonly relatedLocations?: readonly (SarifLocation & { readonly message: { readonly text: string } })[]
  readonly partialFingerprints: Readonly<Record<string, string>>
}
interface SarifLocation {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string }
    readonly region: { readonly startLine: number; readonly startColumn: number; readonly endLine: number; readonly endColumn: number }
  }
}

const levels = ['none', 'note', 'warning', 'error']

export function checkSarif(log: Sarif): void {
  // §3.13
  expect(log.version).toBe('2.1.0')
  expect(new URL(log.$schema).pathname).toMatch(/sarif-2\.1\.0\.json$/)
  expect(log.runs).toHaveLength(1)
  for (const run of log.runs) {
    // §3.14, §3.18, §3.19
    const { driver } = run.tool
    expect(driver.name).toBe('Assay')
    expect(driver.version).toMatch(/^[\w.-]+$/)
    expect(['utf16CodeUnits', 'unicodeCodePoints']).toContain(run.columnKind)
    for (const { uri } of Object.values(run.originalUriBaseIds)) {
      expect(new URL(uri).protocol).toBe('file:')
      expect(uri.endsWith('/')).toBe(true)
    }
    // §3.49: ids are unique.
    expect(new Set(driver.rules.map((rule) => rule.id)).size).toBe(driver.rules.length)
    for (const rule of driver.rules) {
      checkMessage(rule.shortDescription)
      expect(levels).toContain(rule.defaultConfiguration.level)
    }
    // §3.20, §3.58
    for (const invocation of run.invocations) {
      expect(typeof invocation.executionSuccessful).toBe('boolean')
      for (const one of invocation.toolExecutionNotifications) {
        expect(levels).toContain(one.level)
        checkMessage(one.message)
      }
    }
    // §3.27
    for (const result of run.results) {
      expect(driver.rules[result.ruleIndex]?.id).toBe(result.ruleId)
      expect(levels).toContain(result.level)
      checkMessage(result.message)
      for (const print of Object.entries(result.partialFingerprints)) expect(print.join(' ')).toMatch(/^[\w/]+\/v\d+ [0-9a-f]{32}$/)
      for (const location of [...result.locations, ...(result.relatedLocations ?? [])]) checkLocation(location, run)
    }
  }
}

/** §3.11: text, with brackets and braces escaped. */
function checkMessage({ text }: { readonly text: string }): void {
  expect(text.length).toBeGreaterThan(0)
  expect(text.replace(/\\[\\[\]]|\{\{|\}\}/g, '')).not.toMatch(/[[\]{}\\]/)
}

/** §3.28, §3.4, §3.30 */
function checkLocation({ physicalLocation: { artifactLocation, region } }: SarifLocation, run: SarifRun): void {
  const base = artifactLocation.uriBaseId === undefined ? undefined : run.originalUriBaseIds[artifactLocation.uriBaseId]?.uri
  if (artifactLocation.uriBaseId !== undefined) expect(base).toBeDefined()
  expect(artifactLocation.uri).toMatch(/^[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+$/)
  expect(new URL(artifactLocation.uri, base).protocol).toBe('file:')
  const { startLine, startColumn, endLine, endColumn } = region
  for (const one of [startLine, startColumn, endLine, endColumn]) expect(Number.isInteger(one) && one >= 1).toBe(true)
  expect(endLine >= startLine && (endLine > startLine || endColumn >= startColumn)).toBe(true)
}
