import { describe, expect, test } from 'vitest'
import { commandLine, taskArguments, taskRequest } from '../../client/src/command-line.ts'
import { fileNameFor } from '../../client/src/file-names.ts'
import { pathFrom, specText } from '../../client/src/spec-text.ts'

describe('a spec names its data from its own folder, with slashes', () => {
  test.each([
    ['/home/a b/specs', '/home/a b/specs/people.csv', 'people.csv'],
    ['/home/a b/specs', '/home/a b/my data/people.csv', '../my data/people.csv'],
    ['C:\\Users\\Ann Lee\\specs', 'C:\\Users\\Ann Lee\\specs\\people.csv', 'people.csv'],
    ['c:\\Users\\Ann Lee\\specs', 'C:\\Users\\Ann Lee\\data\\people.csv', '../data/people.csv'],
    ['C:\\specs', 'D:\\data\\people.csv', 'D:/data/people.csv'],
    ['\\\\server\\share\\specs', '\\\\server\\share\\data.csv', '../data.csv'],
  ])('%s and %s: %s', (folder, file, expected) => expect(pathFrom(folder, file)).toBe(expected))

  test.each([
    ["it's.csv", /^source it_s \{\n {2}from 'it''s\.csv'/],
    ['../2024 sales.parquet', /^source data_2024_sales \{/],
    ['---.csv', /^source data \{/],
    ['Größe.csv', /^source Größe \{/],
    [undefined, /^source data \{\n {2}from 'data\.csv'/],
  ])('%s', (path, expected) => expect(specText(path)).toMatch(expected))
})

describe('names of files that are saved', () => {
  test.each([
    ['many_ones · complaint', 'csv', 'many_ones-·-complaint.csv'],
    ['a/b\\c: d?', 'json', 'a-b-c-d.json'],
    ['../../etc/passwd', 'csv', 'etc-passwd.csv'],
    ['con', 'csv', 'assay-con.csv'],
    ['', 'svg', 'assay.svg'],
    ['rows.csv', 'csv', 'rows.csv'],
    ['\u202Egnp', 'svg', 'gnp.svg'],
  ])('%s', (text, extension, expected) => expect(fileNameFor(text, extension)).toBe(expected))
})

describe('what tasks and terminals start', () => {
  const entry = 'C:\\Program Files\\Assay\\bin\\assay.mjs'
  test('the editor’s own program, as Node; paths stay one argument each', () => {
    const file = 'my specs\\a b.assay'
    expect(commandLine({ entry, own: 'C:\\Code\\Code.exe' }, ['check', file])).toEqual({
      program: 'C:\\Code\\Code.exe',
      args: [entry, 'check', file],
      env: { ELECTRON_RUN_AS_NODE: '1' },
    })
  })
  test('another Node where the settings name one', () => {
    expect(commandLine({ entry, own: 'code', runtime: '/opt/node/bin/node' }, ['doctor'])).toMatchObject({
      program: '/opt/node/bin/node',
      env: {},
    })
  })
  test('settings become options; names are for runs only, and none is an option', () => {
    const request = { command: 'run', file: '-odd.assay', names: ['a', 'b'] } as const
    expect(taskArguments(request, { engine: 'wasm', threads: 2 })).toEqual([
      'run',
      '--engine',
      'wasm',
      '--threads',
      '2',
      '--',
      '-odd.assay',
      'a',
      'b',
    ])
    expect(taskArguments({ ...request, command: 'check' }, { engine: 'auto', threads: null })).toEqual(['check', '--', '-odd.assay'])
  })
  test.each([
    [
      { type: 'assay', command: 'run', file: 'a.assay', names: ['x', 3] },
      { command: 'run', file: 'a.assay', names: ['x'] },
    ],
    [
      { type: 'assay', command: 'check', file: 'a.assay' },
      { command: 'check', file: 'a.assay', names: undefined },
    ],
    [{ type: 'assay', command: 'destroy', file: 'a.assay' }, undefined],
    [{ type: 'assay', command: 'run' }, undefined],
  ])('%o', (definition, expected) => expect(taskRequest(definition)).toEqual(expected))
})
