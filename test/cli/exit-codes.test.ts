import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { main } from '../../server/src/cli.ts'
import { type Answers, madeFolder, runCli } from './run-cli.ts'

/** LANGUAGE, "Command line": the table of exit codes, one door, an engine that computes nothing. */
const good = `source people {
  from  'people.csv'
  key   name
  split train 100%
}

slice old on people where age > 30

model rich on people {
  predict income
  from    age
  kind    linear
  train   on train
}

assert adult on people {
  each    row
  require age >= 18
}

oracle truth on people {
  ask  age
  from column age
}

find rare on people {
  where  ask(truth, age) > 90
  recall >= 90% with confidence 95%
  budget 100 labels
}
`
const bad = `${good}
slice wrong on people where agee > 30
`
const files = {
  'good.assay': good,
  'bad.assay': bad,
  'broken.assay': "source people {\n  frm 'people.csv'\n}\n",
  'people.csv': 'name,age,income\nann,31,1\n',
}
const violated: Answers = { adult: { status: 'violated', level: 'error', checked: 3, failed: 1 } }

const table: readonly (readonly [string, string, number, Answers?])[] = [
  ['everything holds', 'run good.assay', 0],
  ['an assertion fails', 'run good.assay', 1, violated],
  ['an assertion of level warning fails', 'run good.assay adult', 0, { adult: { status: 'violated', level: 'warning' } }],
  ['the data is wrong', 'run good.assay people', 2, { people: { status: 'failed', fault: 'data', message: 'A row is short.' } }],
  ['a run fails', 'run good.assay', 3, { ...violated, rich: { status: 'failed', message: 'NaN in step 3.' } }],
  ['the highest that applies', 'run good.assay', 2, { ...violated, people: { status: 'failed', fault: 'data' } }],
  ['what cannot be run, in a whole file', 'run good.assay', 0],
  ['what cannot be run, by name', 'run good.assay rare', 3],
  ['an error anywhere, without names', 'run bad.assay', 2],
  ['an error elsewhere, by name', 'run bad.assay adult', 0],
  ['an error in what was asked for', 'run bad.assay wrong', 2],
  ['a syntax error', 'run broken.assay', 2],
  ['a name that is not declared', 'run good.assay adlt', 2],
  ['a file that is not there', 'run nope.assay', 2],
  ['a folder', 'run .', 2],
  ['check of a good file', 'check good.assay', 0],
  ['check of a bad one', 'check good.assay bad.assay', 2],
  ['a plan', 'plan good.assay adult', 0],
  ['a plan of what cannot be run', 'plan good.assay rare', 3],
  ['an index', 'index good.assay rich', 0],
  ['an index of what is no model', 'index good.assay people', 2],
  ['results in a format of a later version', 'plan good.assay old --format sarif', 3],
  ['a command of a later version', 'suggest', 3],
  ['another', 'engine install --python /usr/bin/python3', 3],
  ['another', 'lsp --stdio', 3],
  ['an unknown command', 'chek good.assay', 2],
  ['an unknown option', 'run good.assay --sed 1', 2],
  ['an option without sense', 'run good.assay --threads 0', 2],
  ['a report that cannot be written', 'run good.assay --out people.csv/report.json', 2],
  ['help', '--help', 0],
  ['the version', '--version', 0],
]

describe('exit codes', () => {
  const cases = table.map(([what, line, code, answers]) => ({ what, line, code, answers }))
  test.each(cases)('$what: assay $line → $code', async ({ line, code, answers }) => {
    const ran = await runCli(line.split(' '), files, answers)
    expect(ran.code, ran.err + ran.out).toBe(code)
    if (code >= 2) expect(ran.err + ran.out).toMatch(/\S+ \S+ \S+/)
    expect(ran.err + ran.out).not.toMatch(/^ {4}at /m)
  })
})

describe('nothing is computed that should not be', () => {
  test.each([
    ['run bad.assay', []],
    ['run bad.assay wrong', []],
    ['run good.assay rare', []],
    ['run good.assay adult', ['people', 'adult']],
    ['run good.assay ADULT', ['people', 'adult']],
    ['plan good.assay adult', []],
    ['check good.assay', []],
  ] as const)('assay %s runs %j', async (line, plans) => {
    expect((await runCli(line.split(' '), files)).plans).toEqual(plans)
  })
})

describe('what is said', () => {
  test('a name almost right', async () =>
    expect((await runCli(['run', 'good.assay', 'adlt'], files)).err).toContain('Did you mean `adult`?'))
  test('a file almost right', async () => expect((await runCli(['run', 'god.assay'], files)).err).toContain('Did you mean `good.assay`?'))
  test('a problem with its place, and what was not done', async () => {
    const { out, err } = await runCli(['run', 'bad.assay'], files)
    expect(out).toBe('')
    expect(err).toMatch(/bad\.assay:32:29 error No column `agee` in `people`\. Did you mean `age`\?/)
    expect(err).toContain('Nothing was computed')
  })
  test('check prints problems as its result', async () => {
    const { out, err } = await runCli(['check', 'bad.assay'], files)
    expect(out).toMatch(/^bad\.assay:32:29 error /)
    expect(err).toBe('')
  })
  test('results go to stdout, the backend and progress to stderr', async () => {
    const { out, err } = await runCli(['run', 'good.assay'], files, violated)
    expect(out).toContain('assert adult · FAILS')
    expect(out).toContain('find rare · skipped')
    expect(err).toContain('backend fake (none), self-test passed')
    expect(err).not.toContain('FAILS')
  })
})

describe('files', () => {
  test('--out holds the whole report, and nothing else is left beside it', async () => {
    const { folder, out } = await runCli(
      ['run', 'good.assay', '--format', 'html', '--out', 'reports/r.html', '--report', 'second.html'],
      files,
    )
    expect(out).toBe('')
    expect(readFileSync(join(folder, 'reports/r.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
    expect(readdirSync(join(folder, 'reports'))).toEqual(['r.html'])
    expect(existsSync(join(folder, 'second.html'))).toBe(true)
  })
  test('what a killed process left behind goes; what may be in use stays', async () => {
    const folder = madeFolder()
    const temporary = join(folder, '.assay/tmp')
    mkdirSync(temporary)
    writeFileSync(join(folder, 'a.assay'), '-- nothing\n')
    // No process has this number: Linux stops at 2^22.
    const left = ['99999999-1-old', '99999999-2-new', `${process.ppid}-1-old`]
    for (const name of left) writeFileSync(join(temporary, name), 'half')
    for (const name of left.filter((n) => n.endsWith('old'))) utimesSync(join(temporary, name), 1, 1)
    const silent = { write: () => undefined, columns: undefined }
    const io = { cwd: folder, env: {}, out: silent, err: silent, onInterrupt: () => () => {}, exit: () => {} }
    await main(['check', 'a.assay', 'a.assay'], { ...io, startEngine: () => Promise.reject(new Error('not needed')) as never })
    expect(readdirSync(temporary).sort()).toEqual(['99999999-2-new', `${process.ppid}-1-old`].sort())
  })
  test('the cache is in the folder of the spec, and out of version control', async () => {
    const { folder } = await runCli(['check', 'good.assay'], files)
    expect(readFileSync(join(folder, '.assay/.gitignore'), 'utf8')).toBe('*\n')
    expect(readdirSync(join(folder, '.assay/schemas'))).toHaveLength(1)
    expect(readdirSync(join(folder, '.assay/tmp'))).toEqual([])
  })
})
