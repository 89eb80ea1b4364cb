import { describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

/** LANGUAGE, "Results as JSON": one object, the same for every command. */
const files = {
  'a.assay': "source people {\n  from 'people.csv'\n  key  name\n}\n\nassert adult on people {\n  each    row\n  require age >= 18\n}\n",
  'b.assay':
    "source people {\n  from 'people.csv'\n}\nslice \u{1f600} on people where agee > 1\nslice old on people where 'é\u{1f600}' = agee\n",
  'people.csv': 'name,age,income\n',
}
const json = async (line: string) => {
  const ran = await runCli(line.split(' '), files)
  return {
    ...ran,
    object: JSON.parse(ran.out) as Record<string, unknown> & { results: Record<string, unknown>[]; problems: Record<string, unknown>[] },
  }
}

describe('the result object', () => {
  test('of a run', async () => {
    const { object } = await json('run a.assay --format json')
    expect(Object.keys(object)).toEqual(['schema', 'file', 'backend', 'results', 'problems'])
    expect(object).toMatchObject({
      schema: 'assay-result/1',
      file: 'a.assay',
      backend: { name: 'fake', device: 'none', selfTest: 'passed' },
      problems: [],
    })
    expect(object.results.map((r) => [r.kind, r.name, r.status])).toEqual([
      ['source', 'people', 'ok'],
      ['assert', 'adult', 'ok'],
    ])
    expect(object.results[0]!.provenance).toEqual({ dataHash: 'd', planHash: expect.any(String), seed: 7, rows: 3, elapsedMs: 1 })
  })

  test('of a check: columns count UTF-16 units from 1, ends are exclusive', async () => {
    const { object, code } = await json('check b.assay --format json')
    expect(code).toBe(2)
    expect(object).toMatchObject({ backend: null, results: [] })
    expect(object.problems.at(-1)).toEqual({
      code: 'unknown-column',
      severity: 'error',
      message: expect.stringContaining('agee'),
      file: 'b.assay',
      line: 5,
      column: 35,
      endLine: 5,
      endColumn: 39,
      hint: 'age',
    })
  })

  test('of a plan', async () => {
    const { object } = await json('plan a.assay adult --format json')
    expect(object.backend).toBeNull()
    expect(object.results).toHaveLength(1)
    expect(object.results[0]).toMatchObject({ kind: 'assert', name: 'adult', status: 'planned' })
    const steps = object.results[0]!.steps as { what: string; sql?: string }[]
    expect(steps.length).toBeGreaterThan(0)
    expect(steps.some((step) => step.sql?.includes('select'))).toBe(true)
    expect(steps.every((step) => 'rows' in step)).toBe(true)
  })

  test('of formatting', async () => {
    const { object, code } = await json('format a.assay --check --format json')
    expect(object).toMatchObject({ schema: 'assay-result/1', results: [] })
    expect(code).toBe(object.problems.length > 0 ? 1 : 0)
  })

  test.each(['run a.assay adlt', 'run nope.assay', 'run b.assay', 'index a.assay people'])('of what is refused: %s', async (line) => {
    const { object, code } = await json(`${line} --format json`)
    expect(code).toBe(2)
    expect(object).toMatchObject({ schema: 'assay-result/1', results: [] })
    expect(object.problems[0]).toMatchObject({ severity: 'error', line: expect.any(Number), message: expect.stringMatching(/\.$|\?$/) })
  })
})
