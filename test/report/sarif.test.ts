import { describe, expect, test } from 'vitest'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { type SarifFacts, sarifReport } from '../../server/src/report/sarif.ts'
import { runCli } from '../cli/run-cli.ts'
import { checkSarif, type Sarif } from './sarif-structure.ts'

const spec = `source people {
  from 'people data.csv'
  key  name
}

--- Nobody is that old.
assert plausible on people {
  each    row
  require age < 120
}

assert grouped on people {
  each    group by income
  require count(*) < 2
  level   info
}
`
const data = 'name,age,income\nAnn,30,1\nBob,130,1\n"Cé\ncile",140,2\n'
const row = (key: string, age: number) => ({ key, severity: 1, rows: [key], values: { age } })
const answers = {
  plausible: {
    status: 'violated',
    level: 'error',
    checked: 3,
    failed: 4,
    total: 4,
    flagged: [row('Bob', 130), row('Cé\ncile', 140), row('Zoe', 121)],
  },
  grouped: {
    status: 'violated',
    level: 'info',
    total: 1,
    flagged: [{ key: 1, severity: 1, rows: ['Ann', 'Bob'], values: { income: 1, 'count(*)': 2 } }],
  },
} as const

async function ran(line: string, files: Readonly<Record<string, string>> = { 'a.assay': spec, 'people data.csv': data }) {
  const { code, out, err } = await runCli(line.split(' '), files, answers as never)
  const log = JSON.parse(out) as Sarif
  checkSarif(log)
  return { code, log, err, results: log.runs[0]!.results, driver: log.runs[0]!.tool.driver }
}
const regionOf = (one: Sarif['runs'][0]['results'][0]) => {
  const { artifactLocation, region } = one.locations[0]!.physicalLocation
  return `${artifactLocation.uri} ${region.startLine}:${region.startColumn}-${region.endLine}:${region.endColumn}`
}

describe('results as SARIF', () => {
  test('flagged rows at their cells, those that are not found at their rule; exit codes as ever', async () => {
    const { code, results, driver } = await ran('run a.assay --format sarif')
    expect(code).toBe(1)
    expect(driver.rules.map((rule) => [rule.id, rule.shortDescription.text, rule.defaultConfiguration.level])).toEqual([
      ['assert/plausible', 'Nobody is that old.', 'error'],
      ['assert/grouped', 'The assertion grouped.', 'note'],
    ])
    expect(results.map((one) => [one.ruleId, one.level, regionOf(one)])).toEqual([
      ['assert/plausible', 'error', 'people%20data.csv 3:5-3:8'],
      ['assert/plausible', 'error', 'people%20data.csv 5:7-5:10'],
      ['assert/plausible', 'error', 'a.assay 7:1-10:2'],
      ['assert/plausible', 'error', 'a.assay 7:1-10:2'],
      ['assert/grouped', 'note', 'people%20data.csv 2:1-2:9'],
    ])
    expect(results[0]!.message.text).toBe('`plausible` fails: age is 130, and `age < 120` must hold. Severity 1.')
    expect(results[3]!.message.text).toMatch(/^1 more row fails\./)
    expect(results[0]!.relatedLocations?.[0]?.physicalLocation.region.startLine).toBe(7)
  })

  test('fingerprints follow keys, not lines', async () => {
    const prints = async (text: string) => {
      const { results } = await ran('run a.assay plausible --format sarif', { 'a.assay': spec, 'people data.csv': text })
      return results.map((one) => Object.values(one.partialFingerprints).join())
    }
    const before = await prints(data)
    expect(await prints('name,age,income\n"Cé\ncile",140,2\nAnn,30,1\n\nBob,130,1\n')).toEqual(before)
    expect(new Set(before).size).toBe(4)
  })

  test('problems, where nothing is run', async () => {
    const { code, results } = await ran('check a.assay --format sarif', {
      'a.assay': spec.replace('age <', 'aeg <'),
      'people data.csv': data,
    })
    expect(code).toBe(2)
    expect(results.map((one) => [one.ruleId, regionOf(one)])).toEqual([['unknown-column', 'a.assay 9:11-9:14']])
    expect((await ran('check a.assay --format sarif')).results).toEqual([])
    expect((await ran('run a.assay nothing --format sarif')).results.map((one) => one.ruleId)).toEqual(['unknown-name'])
    expect((await ran('check none.assay --format sarif')).results.map((one) => one.ruleId)).toEqual(['missing-file'])
  })

  test('other commands say that they have none', async () => {
    const { code, err } = await runCli(['plan', 'a.assay', 'plausible', '--format', 'sarif'], { 'a.assay': spec, 'people data.csv': data })
    expect([code, err]).toEqual([3, 'This version cannot do SARIF of a command other than `check` and `run` yet.\n'])
  })

  test('what failed, complaints that stand, and hostile text', () => {
    const provenance = { dataHash: 'd', planHash: 'p', seed: 7, rows: 3, elapsedMs: 1 }
    const hostile = 'see [here](javascript:alert(1)) {0} \u202e\u0007<script>'
    const file: ResultFile = {
      schema: 'assay-result/1',
      file: 'a.assay',
      backend: null,
      problems: [
        {
          code: 'bad-data',
          severity: 'warning',
          message: hostile,
          file: 'C:\\data\\ä b#.csv',
          line: 1,
          column: 1,
          endLine: 1,
          endColumn: 1,
        },
      ],
      results: [
        { kind: 'model', name: 'm', status: 'failed', provenance, message: hostile },
        {
          kind: 'complaint',
          name: 'c',
          status: 'violated',
          provenance,
          expectations: [{ expect: 'n <= 2', actual: 3, relaxed: 3, expected: 2, satisfied: false }],
          ranking: [],
        },
      ],
    }
    const facts: SarifFacts = {
      version: '1',
      base: 'file:///x/',
      rules: new Map(),
      rows: [
        {
          rule: 'c',
          key: hostile,
          text: hostile,
          severity: 0.5,
          level: 'info',
          place: { file: '/d/\ud800.csv', line: 2, column: 1, endLine: 2, endColumn: 4 },
        },
      ],
    }
    const text = sarifReport(file, facts)
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    const log = JSON.parse(text) as Sarif
    checkSarif(log)
    const [run] = log.runs
    expect(run!.invocations[0]).toMatchObject({ executionSuccessful: false, toolExecutionNotifications: [{ level: 'error' }] })
    expect(run!.results.map((one) => [one.ruleId, one.level])).toEqual([
      ['complaint/c', 'error'],
      ['complaint/c', 'note'],
      ['bad-data', 'warning'],
    ])
    expect(run!.results[1]!.message.text).toBe('see \\[here\\](javascript:alert(1)) {{0}} \\\\u202e\\\\u0007<script>')
    expect(run!.results[2]!.locations[0]!.physicalLocation.artifactLocation.uri).toBe('file:///C:/data/%C3%A4%20b%23.csv')
  })
})
