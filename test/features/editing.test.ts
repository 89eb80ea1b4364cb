import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { format } from '../../grammar/src/printer.ts'
import { codeActions } from '../../server/src/features/code-actions.ts'
import { diagnosticsOf } from '../../server/src/features/diagnostics.ts'
import { foldingRanges } from '../../server/src/features/folding.ts'
import { formattingEdits } from '../../server/src/features/formatting.ts'
import { inlayHints } from '../../server/src/features/inlay-hints.ts'
import { codeLenses } from '../../server/src/features/lenses.ts'
import { signatureHelp } from '../../server/src/features/signature-help.ts'
import { documentSymbols, workspaceSymbols } from '../../server/src/features/symbols.ts'
import { changed } from '../../server/src/workspace/documents.ts'
import { type LastResult, rangeOf, specFile } from '../../server/src/workspace/snapshot.ts'
import { at, edited, snapshotOf, type World } from './door.ts'

const people = `source people { from 'people.csv'; label married; split train 80%, rest 20% }\n`
const provenance = { dataHash: 'd', planHash: 'p', seed: 7, rows: 3, elapsedMs: 1 }

describe('formatting', () => {
  const examples = ['digits', 'stones'].map((name) => readFileSync(new URL(`../../examples/${name}.assay`, import.meta.url), 'utf8'))
  const everything = readFileSync(new URL('../grammar/everything.assay', import.meta.url), 'utf8')
  const squeezed = (text: string) => text.replace(/[ \t]+/g, ' ').replace(/^ (?=\S)/gm, '  ')

  test.each([...examples, everything, people, ''].flatMap((text) => [text, squeezed(text), text.replaceAll('\n', '\r\n')]))(
    'edits give what `assay format` writes (%#)',
    (text) => {
      const file = specFile('/spec/test.assay', text)
      const wanted = format(text)
      expect(edited(text, formattingEdits(file))).toBe(wanted.problems.length > 0 ? text : wanted.text)
    },
  )

  test('edits touch no more than what changes', () => {
    const file = specFile('/spec/test.assay', `slice a on t   where x=1\nslice b on t where y = 2\n`)
    expect(formattingEdits(file).map((edit) => [edit.range.start, edit.newText])).toEqual([
      [{ line: 0, character: 13 }, ''],
      [{ line: 0, character: 22 }, ' '],
      [{ line: 0, character: 23 }, ' '],
    ])
  })

  test('a file that does not parse is left alone, silently', () => {
    expect(formattingEdits(specFile('/spec/test.assay', 'slice   a on'))).toEqual([])
  })
})

describe('code actions', () => {
  /** Titles and what each would make of the text. */
  function actions(fixture: string, world?: World): Record<string, string> {
    const { snapshot, position, text } = at(fixture, world)
    const found = codeActions(snapshot, { start: position, end: position }).filter((action) => action.edit)
    return Object.fromEntries(found.map((action) => [action.title, edited(text, action.edit!.changes![snapshot.uri(snapshot.path)]!)]))
  }

  test.each([
    ['a column', `${people}slice s on people where a|eg > 1`, 'Write `age`', `${people}slice s on people where age > 1`],
    [
      'a column that needs quotes',
      `source odd { from 'odd.csv' }\nslice s on odd where "two|word" > 1`,
      'Write `"two words"`',
      `source odd { from 'odd.csv' }\nslice s on odd where "two words" > 1`,
    ],
    ['a clause', `source people { fr|m 'people.csv' }`, 'Write `from`', `source people { from 'people.csv' }`],
    ['a declaration', `sou|rc people { from 'people.csv' }`, 'Write `source`', `source people { from 'people.csv' }`],
    [
      'a split in a text',
      `${people}slice s on people where split = 'tr|ian'`,
      "Write `'train'`",
      `${people}slice s on people where split = 'train'`,
    ],
    [
      'a kind of model',
      `${people}model m on people { predict married; from age; kind logi|tsic; train on train }`,
      'Write `logistic`',
      `${people}model m on people { predict married; from age; kind logistic; train on train }`,
    ],
  ])('did you mean: %s', (_, fixture, title, wanted) => expect(actions(fixture)[title]).toBe(wanted))

  test.each([
    [
      'on lines',
      `${people}model m| on people {\n  predict married\n  from    age\n  train   on train\n}\n`,
      'Add `kind`',
      `${people}model m on people {\n  predict married\n  from    age\n  train   on train\n  kind    logistic\n}\n`,
    ],
    ['in one line', `${people}assert a| on people { each row }`, 'Add `require`', `${people}assert a on people { each row; require true }`],
    ['into an empty block', `${people}partition p| on people { }`, 'Add `by`', `${people}partition p on people {\n  by id\n}`],
    [
      'the inputs of a model',
      `source stones { from 'stones.csv'; label cut; split train 50% }\nmodel m| on stones {\n  predict cut\n  kind    logistic\n  train   on train\n}`,
      'Add `from`',
      `source stones { from 'stones.csv'; label cut; split train 50% }\nmodel m on stones {\n  predict cut\n  kind    logistic\n  train   on train\n  from    carat, color, clarity, price\n}`,
    ],
  ])('add a missing clause %s', (_, fixture, title, wanted) => expect(actions(fixture)[title]).toBe(wanted))

  test('a slice that was found is kept as a declaration', () => {
    const slices = [{ where: "city = 'X' and age >= 20", predicates: {} }]
    const results = {
      weak: {
        result: { kind: 'discover', name: 'weak', status: 'ok', provenance, slices } as unknown as LastResult['result'],
        state: 'current' as const,
      },
    }
    const text = `${people}discover weak on people.rest { error age }`
    expect(actions(text.replace('weak', 'we|ak'), { results })["Keep slice 1 as a declaration: city = 'X' and age >= 20"]).toBe(
      `${text}\n\nslice weak_1 on people where city = 'X' and age >= 20`,
    )
  })
})

describe('outline', () => {
  const text = `--- One.\n--- Two.\n\nimport { x } from 'a.assay'\nimport { y } from 'b.assay'\n\nsource people {\n  from 'people.csv'\n  split train 80%,\n        rest 20%\n}\nslice old on people where age > 1\nassert ok on people.rest {\n  each row\n}\nmodel`
  test('one symbol a declaration, splits below their source', () => {
    expect(
      documentSymbols(specFile('/t', text)).map(({ name, detail, children }) => [name, detail, children?.map((one) => one.name)]),
    ).toEqual([
      ['people', 'source', ['train', 'rest']],
      ['old', 'slice · people', []],
      ['ok', 'assert · people.rest', []],
    ])
    const found = (query: string) => workspaceSymbols([specFile('/t', text)], query, (path) => `file://${path}`).map((one) => one.name)
    expect(found('od')).toEqual(['old'])
    expect(found('pple')).toEqual(['people'])
    expect(found('')).toHaveLength(3)
  })
  test('what folds', () => {
    expect(foldingRanges(specFile('/t', text)).map((one) => `${one.startLine}-${one.endLine} ${one.kind ?? ''}`.trim())).toEqual([
      '6-9',
      '8-9',
      '12-13',
      '0-1 comment',
      '3-4 imports',
    ])
  })
})

describe('signature help', () => {
  test.each([
    [`${people}model m on people { kind mlp(hidden: [64], | ) }`, 'mlp(hidden: [64], l2: 0.0001)', 1],
    [`${people}model m on people { kind mlp(l2: |) }`, 'mlp(hidden: [64], l2: 0.0001)', 1],
    [`${people}model m on people { train on train with (|) }`, 'with(epochs: 50, batch: 512, seed: 7, patience: 5, folds: integer)', 0],
    [`${people}slice s on people where round(income, |`, 'round(whole number, whole number) → whole number', 1],
    [`${people}slice s on people where lower(substr(name, |))`, 'substr(text, whole number) → text', 1],
    [`${people}slice s on people where (age|`, undefined, 0],
    [`${people}slice s on people where age in (|)`, undefined, 0],
  ] as const)('%s', (fixture, label, parameter) => {
    const { snapshot, position } = at(fixture)
    const help = signatureHelp(snapshot, position)
    const active = help?.signatures[help.activeSignature ?? 0]
    expect(active?.label).toBe(label)
    if (label !== undefined) expect(active?.activeParameter).toBe(parameter)
  })
})

describe('lenses and hints', () => {
  const text = `${people}slice old on people where age > 60\nassert ok on people { each row; require age > 1 }\ncycle c for m { }\n`
  const result = { kind: 'assert', name: 'ok', status: 'violated', provenance, checked: 50, failed: 1, fraction: 0.02 } as const
  const size = { kind: 'slice', name: 'old', status: 'ok', provenance, rows: 1200, share: 0.25 } as const

  test('what can be done stands above each declaration, and what became of it', () => {
    const results = { ok: { result, state: 'spec changed' as const } }
    const titles = codeLenses(snapshotOf(text, { results })).map((lens) => `${lens.range.start.line} ${lens.command!.title}`)
    expect(titles).toEqual([
      ...['Preview rows', 'Show SQL', 'Count'].map((one) => `0 ${one}`),
      ...['Preview rows', 'Show SQL', 'Count'].map((one) => `1 ${one}`),
      ...['Check', 'Show SQL', 'fails: 1 of 50 (the spec has changed since)'].map((one) => `2 ${one}`),
      ...['Next round', 'Show plan'].map((one) => `3 ${one}`),
    ])
  })
  test('sizes of slices, where they are known', () => {
    const snapshot = snapshotOf(text, { results: { old: { result: size, state: 'current' } } })
    expect(inlayHints(snapshot, rangeOf(snapshot, { start: 0, end: text.length }))).toMatchObject([
      { position: { line: 1, character: 9 }, label: '1 200 rows, 25 %' },
    ])
  })
})

describe('documents', () => {
  const document = { uri: 'file:///t', path: '/t', version: 1, text: 'one\r\ntwö\n𝒳y' }
  const spot = (line: number, character: number) => ({ line, character })
  test.each([
    ['an insertion', [{ range: { start: spot(1, 2), end: spot(1, 2) }, text: 'X' }], 'one\r\ntwXö\n𝒳y'],
    ['characters beyond the basic plane count two', [{ range: { start: spot(2, 2), end: spot(2, 3) }, text: 'z' }], 'one\r\ntwö\n𝒳z'],
    [
      'one after another',
      [
        { range: { start: spot(0, 0), end: spot(1, 0) }, text: '' },
        { range: { start: spot(0, 0), end: spot(0, 3) }, text: 'a' },
      ],
      'a\n𝒳y',
    ],
    ['beyond the end', [{ range: { start: spot(9, 0), end: spot(12, 4) }, text: '!' }], 'one\r\ntwö\n𝒳y!'],
    ['the whole', [{ text: 'new' }], 'new'],
  ])('%s', (_, changes, wanted) => expect(changed(document, changes, 2)).toMatchObject({ version: 2, text: wanted }))
})

test('problems: at their place, never a flood', () => {
  const many = Array.from({ length: 300 }, (_, i) => `slice s${i} on people where nope${i} > 1`).join('\n')
  const diagnostics = diagnosticsOf(snapshotOf(`${people}${many}`))
  expect(diagnostics).toHaveLength(251)
  expect(diagnostics.at(-1)?.message).toBe('And 50 more problems in this file.')
  expect(diagnosticsOf(snapshotOf(`${people}${many}`, { blind: true }))).toEqual([])
})
