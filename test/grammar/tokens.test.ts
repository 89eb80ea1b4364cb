import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { clauseReaders, headerReaders } from '../../grammar/src/clause-readers.ts'
import { nearest } from '../../grammar/src/nearest.ts'
import { AssayParser, parse } from '../../grammar/src/parser.ts'
import { lineStarts, offsetAt, placeAt } from '../../grammar/src/positions.ts'
import { format } from '../../grammar/src/printer.ts'
import { settingOf, settings } from '../../grammar/src/setting-table.ts'
import { tmLanguage } from '../../grammar/src/tmlanguage.ts'
import { clausesOf, declarationWords } from '../../grammar/src/tokens.ts'
import { fileText } from './grammar-file.ts'

test('the grammar has no ambiguities and no doubled indices', () => {
  expect(() => new AssayParser('grammar checked')).not.toThrow()
})

test('every word of the keyword table has a rule, and every rule a word', () => {
  expect(Object.keys(headerReaders).sort()).toEqual(declarationWords.map((one) => one.word).sort())
  for (const { word, clauses } of declarationWords)
    expect(Object.keys(clauseReaders[word]).sort(), word).toEqual(clauses.map((one) => one.word).sort())
})

test('requirements speak of clauses that there are', () => {
  for (const { word, requires } of declarationWords)
    for (const one of requires)
      for (const clause of one.kind === 'one_of' ? one.groups.flat() : one.words)
        expect(clausesOf(word).has(clause), `${word} ${clause}`).toBe(true)
})

test('the fixture of everything uses every clause of every kind', () => {
  const { declarations } = parse(fileText('test/grammar/everything.assay')).ast
  const used = new Set(declarations.flatMap((one) => one.clauses.map((clause) => `${one.kind} ${clause.word}`)))
  const missing = declarationWords
    .flatMap(({ word, clauses }) => clauses.map((one) => `${word} ${one.word}`))
    .filter((one) => !used.has(one))
  expect(missing).toEqual([])
})

test('settings are found in either case, and their defaults parse', () => {
  expect(settingOf('model kind', 'Logistic')?.options[0]).toMatchObject({ name: 'l2', default: '0.001' })
  expect(settingOf('model kind', 'forest')).toBeUndefined()
  for (const [group, all] of Object.entries(settings))
    for (const one of all) {
      const args = one.options.flatMap((option) => (option.default === undefined ? [] : [`${option.name}: ${option.default}`]))
      expect(parse(`model m on t {\n  kind ${one.name}(${args.join(', ')})\n}`).problems, group).toEqual([])
    }
})

test('the TextMate grammar is up to date (node scripts/generate-grammar.mjs)', () => {
  expect(JSON.parse(fileText('grammar/assay.tmLanguage.json'))).toEqual(tmLanguage())
})

test('the TextMate grammar colours every kind of token', () => {
  const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
  const manifest = createRequire(import.meta.url).resolve('vscode-tmgrammar-test/package.json')
  const runner = manifest.replace('package.json', 'dist/unit.js')
  const args = [runner, '-g', path('grammar/assay.tmLanguage.json'), path('test/grammar/highlighting.test.assay')]
  expect(() => execFileSync(process.execPath, args, { stdio: 'pipe' })).not.toThrow()
})

test('snippets parse and are formatted, and there is one for each kind', () => {
  const snippets: Record<string, { prefix: string; body: string[] }> = JSON.parse(fileText('grammar/snippets.json'))
  const kinds = Object.values(snippets).map((one) => one.prefix.split(' ')[0])
  expect([...new Set(kinds)].sort()).toEqual(declarationWords.map((one) => one.word).sort())
  for (const [name, { body }] of Object.entries(snippets)) {
    const text = body
      .join('\n')
      .replace(/\$\{\d+\|(.*?)[,|].*?\|\}/g, '$1')
      .replace(/\$\{\d+:([^}]*)\}/g, '$1')
      .replace('$0', '')
    expect(format(text), name).toEqual({ text, problems: [] })
  }
})

describe('nearest', () => {
  test.each([
    ['lable', 'label'],
    ['brightnes', 'brightness'],
    ['LABEL', 'label'],
    ['ky', 'key'],
    ['form', 'from'],
    ['xyz', undefined],
    ['k', undefined],
    ['', undefined],
  ])('%s → %s', (word, found) => {
    expect(nearest(word, ['key', 'label', 'from', 'brightness'])).toBe(found)
  })
})

describe('positions', () => {
  test.each([
    ['a\nb', 2, { line: 2, column: 1 }],
    ['a\r\nb', 3, { line: 2, column: 1 }],
    ['a\rb', 2, { line: 2, column: 1 }],
    ['a\r\nb', 1, { line: 1, column: 2 }],
    ['😀x', 2, { line: 1, column: 3 }],
    ['', 0, { line: 1, column: 1 }],
    ['ab\n', 3, { line: 2, column: 1 }],
  ])('%j at %d', (text, offset, place) => {
    const starts = lineStarts(text)
    expect(placeAt(starts, offset)).toEqual(place)
    expect(offsetAt(starts, place)).toBe(offset)
  })
})
