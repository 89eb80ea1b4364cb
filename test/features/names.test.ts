import { describe, expect, test } from 'vitest'
import type { Location, WorkspaceEdit } from 'vscode-languageserver'
import { definition } from '../../server/src/features/definition.ts'
import { hover } from '../../server/src/features/hover.ts'
import { documentLinks } from '../../server/src/features/links.ts'
import { references } from '../../server/src/features/references.ts'
import { prepareRename, rename } from '../../server/src/features/rename.ts'
import { semanticLegend, semanticTokens } from '../../server/src/features/semantic-tokens.ts'
import { offsetOf, type Snapshot } from '../../server/src/workspace/snapshot.ts'
import { at, edited, snapshotOf, type World } from './door.ts'

const spec = `--- Who lives here.
source people {
  from 'people.csv'
  key id
  label married
  split train 80%, rest 20%
}
source adults { from (select id, age as years, income from people as p where p.age >= 18 and split = 'train') }
slice old on people where age > 60
model m on people { predict married; from age, income; kind logistic(l2: 0.1); train on train }
complaint c using m {
  query  select count(*) as n from adults where predict(married) and years > 30
  expect n <= 10
  blame  top 5 rows of train by influence
}
intervene i { for c; remove where old; retrain m; compare c, accuracy on people }
`
/** The cursor in the nth occurrence of a text in the spec. */
function cursorIn(text: string, nth = 1, inside = 1): string {
  let found = -1
  for (let i = 0; i < nth; i++) found = spec.indexOf(text, found + 1)
  expect(found, text).toBeGreaterThanOrEqual(0)
  return `${spec.slice(0, found + inside)}|${spec.slice(found + inside)}`
}
function hoverText(fixture: string, world?: World): string {
  const { snapshot, position } = at(fixture, world)
  const contents = hover(snapshot, position)?.contents
  return contents && typeof contents === 'object' && 'value' in contents ? contents.value : ''
}
const textAt = (snapshot: Snapshot, { range }: Location): string =>
  snapshot.text.slice(offsetOf(snapshot, range.start), offsetOf(snapshot, range.end))

describe('hover', () => {
  const hovers: readonly (readonly [string, string, readonly string[]])[] = [
    ['a source', cursorIn('people where'), ['source people {', 'Who lives here.', 'source · 11 columns · key `id` · splits train, rest']],
    [
      'a model',
      cursorIn('using m', 1, 6),
      ['model m on people', 'on `people` · classification · predicts `married` (boolean) · from 2 columns'],
    ],
    ['a column', cursorIn('age > 60'), ['number · `INTEGER` · column of `people`']],
    ['a column of a view', cursorIn('years > 30'), ['number · `INTEGER` · column of `adults`']],
    ['a key', cursorIn('key id', 1, 5), ['Identifies a row']],
    ['a split', cursorIn('of train', 1, 4), ['people.train', 'split of `people`']],
    ['a kind', cursorIn('logistic'), ['logistic(l2: 0.001)', 'L-BFGS']],
    ['an option', cursorIn('l2: 0.1'), ['l2']],
    ['our function', cursorIn('predict(married)'), ['predict(column [, model])']],
    ['a function of the database', cursorIn('count(*)'), ['aggregate of the database']],
    ['a column of a result', cursorIn('n <= 10', 1, 0), ['column of the result of `c`']],
    ['a pseudo-column', cursorIn("split = 'train'"), ['pseudo-column: the split that the row is in (train, rest)']],
    ['the word of a clause', cursorIn('blame'), ['top INT rows of SPLIT']],
    ['the word of a declaration', cursorIn('intervene'), ['Try a repair on a copy']],
  ]
  test.each(hovers.map(([name, fixture, parts]) => ({ name, fixture, parts })))('$name', ({ fixture, parts }) => {
    const text = hoverText(fixture)
    for (const part of parts) expect(text).toContain(part)
  })

  test('facts of a column, as far as they are known; estimates say so', () => {
    const over = cursorIn('age > 60')
    expect(hoverText(over)).not.toContain('NULL')
    expect(hoverText(over, { facts: { people: 'counting' } })).toMatch(/column of `people`\n\ncounting …$/)
    const age = { name: 'Age', nulls: 0.125, low: 18, high: 97, distinct: 80 }
    const known = (more: object, rows: number) => ({ facts: { people: { rows, seen: 400, columns: [{ ...age, ...more }] } } })
    expect(hoverText(over, known({}, 400))).toMatch(/12\.5 % NULL · 18 to 97 · 80 different values$/)
    expect(hoverText(over, known({ about: true }, 4_000_000))).toMatch(
      /about 12\.5 % NULL · 18 to 97 seen · about 80 different values · from 400 of 4 000 000 rows$/,
    )
    expect(hoverText(over, known({ nulls: 0, low: '[x](y)', high: '\u202e', distinct: 1 }, 400))).toMatch(
      /no NULLs · \\\[x\\\]\(y\) to \\\\u202e · 1 different value$/,
    )
  })

  test('nothing over nothing', () => {
    expect(hoverText('-- sour|ce')).toBe('')
    expect(hoverText(cursorIn("'people.csv'"))).toBe('')
    expect(hoverText(`source people { from 'people.csv' }\nslice s on people where nothi|ng > 1`)).toBe('')
  })

  test('the last result, and whether it still holds', () => {
    const provenance = { dataHash: 'abcdef', planHash: 'x', seed: 7, rows: 50, elapsedMs: 5 }
    const results = {
      old: { result: { kind: 'slice', name: 'old', status: 'ok', rows: 10, share: 0.2, provenance }, state: 'data changed' },
    } as const
    const text = hoverText(cursorIn('old on'), { results })
    expect(text).toContain('**done** (before the data changed): 10 rows, 20 %')
    expect(text).toContain('data abcdef')
  })

  test('a schema that is not known yet is said to be so', () => {
    expect(hoverText(`source pe|ople { from 'people.csv' }`, { blind: true })).toContain('columns not known yet')
  })

  test('hostile text stays text', () => {
    const fixture = `--- <script>alert(1)</script> ![x](javascript:alert(1)) [y](command:evil) \`\`\`\nsource pe|ople { from 'people.csv' }`
    const text = hoverText(fixture)
    expect(text).toContain('\\<script\\>')
    expect(text).toContain('\\!\\[x\\](javascript')
    expect(text).toContain('\\[y\\](command')
  })
})

describe('definition', () => {
  const definitions: readonly (readonly [string, string, string])[] = [
    ['a source', cursorIn('on people', 1, 4), 'people'],
    ['at the start of a word', cursorIn('people where', 1, 0), 'people'],
    ['at its end', cursorIn('people where', 1, 6), 'people'],
    ['a model', cursorIn('retrain m', 1, 8), 'm'],
    ['a slice in an expression', cursorIn('where old', 1, 7), 'old'],
    ['a split', cursorIn('of train', 1, 4), 'train'],
    ['a split in a text', cursorIn("'train'", 1, 3), 'train'],
    ['a column of a view', cursorIn('years > 30'), 'years'],
    ['a column that a view hands on', `${spec}slice z on adults where inc|ome > 1`, 'income'],
    ['a column of a file', cursorIn('age > 60'), 'people'],
    ['an alias of a table', cursorIn('p.age', 1, 0), 'p'],
    ['a column of a result', cursorIn('n <= 10', 1, 0), 'n'],
    ['a complaint', cursorIn('compare c', 1, 8), 'c'],
  ]
  test.each(definitions.map(([name, fixture, text]) => ({ name, fixture, text })))('$name', ({ fixture, text }) => {
    const { snapshot, position } = at(fixture)
    const found = definition(snapshot, position)
    expect(found && textAt(snapshot, found)).toBe(text)
  })

  test('a path leads to its file, an imported name to the file that declares it', () => {
    const others = { 'base.assay': spec }
    const { snapshot, position } = at(`import { people } from 'ba|se.assay'`, { others })
    expect(definition(snapshot, position)?.uri).toBe('file:///spec/base.assay')
    const imported = at(`import { people } from 'base.assay'\nslice s on peo|ple where age > 1`, { others })
    expect(definition(imported.snapshot, imported.position)).toMatchObject({
      uri: 'file:///spec/base.assay',
      range: { start: { line: 1, character: 7 } },
    })
  })

  test('paths are links', () => {
    const links = documentLinks(
      snapshotOf(
        `import { a } from 'base.assay'\nsource s { from 'x/people.csv' }\nsource t { from 'x/*.csv' }\nsource d { from idx(images: 'i', labels: 'l') }`,
      ),
    )
    expect(links.map((link) => link.target)).toEqual(['base.assay', 'x/people.csv', 'i', 'l'].map((file) => `file:///spec/${file}`))
  })

  test('a model in ONNX form is a file; its outputs are none, and the column of an embedding is a column', () => {
    const { snapshot, position } = at(`source s { from 'x/people.csv'; split train 100% }
source v { from (select city, [age] as e from s); split train 100% }
model a on s { predict city; from age; kind onnx('net.onnx', output: 'y') }
model b on s { predict city; from age; kind head(embedding: onnx('deep.onnx', output: 'h')); train on train }
model c on v { predict city; kind head(embedding: |e); train on train }`)
    const targets = documentLinks(snapshot).map((link) => link.target)
    expect(targets).toEqual(['x/people.csv', 'net.onnx', 'deep.onnx'].map((file) => `file:///spec/${file}`))
    expect(references(snapshot, position, [], { includeDeclaration: true })).toHaveLength(2)
  })
})

describe('references and rename', () => {
  const count = (fixture: string, includeDeclaration = true) => {
    const { snapshot, position } = at(fixture)
    return references(snapshot, position, [], { includeDeclaration }).length
  }
  test.each([
    ['a source', 'people {', 5],
    ['a split', 'train 80%', 4],
    ['a column of a file', 'age > 60', 4],
    ['a slice', 'old on', 2],
    ['a column of a view', 'years,', 2],
    ['a result column', 'n <= 10', 2],
    ['a complaint', 'c using', 3],
  ])('%s is named in all its places', (_, text, n) => {
    const inside = text.startsWith('n ') ? 0 : 1
    expect(count(cursorIn(text, 1, inside))).toBe(n)
  })

  function renamed(fixture: string, name: string, world?: World): Record<string, string> | string {
    const { snapshot, position } = at(fixture, world)
    const files = Object.keys(world?.others ?? {}).map((file) =>
      snapshotOf(world!.others![file]!, { others: { ...world!.others, 'test.assay': snapshot.text } }, file),
    )
    const answer = rename(snapshot, position, name, files)
    if ('refused' in answer) return answer.refused
    const texts = new Map([snapshot, ...files].map((one) => [one.uri(one.path), one.text]))
    return Object.fromEntries(
      Object.entries((answer as WorkspaceEdit).changes!).map(([uri, edits]) => [
        uri.slice(uri.lastIndexOf('/') + 1),
        edited(texts.get(uri)!, edits),
      ]),
    )
  }

  test.each([0, 3, 6])('a source, the cursor %i letters into its name', (inside) => {
    const { 'test.assay': text } = renamed(cursorIn('people where', 1, inside), 'persons') as Record<string, string>
    expect(text).toBe(spec.replace(/\bpeople\b(?!\.csv)/g, 'persons'))
  })

  test('a split, in texts too; a name that needs quotes gets them', () => {
    const { 'test.assay': text } = renamed(cursorIn('train 80%'), 'learn it') as Record<string, string>
    expect(text).toBe(
      spec
        .replace("'train'", "'learn it'")
        .replace('split train', 'split "learn it"')
        .replace('on train }', 'on "learn it" }')
        .replace('of train', 'of "learn it"'),
    )
  })

  test('across files', () => {
    const others = { 'user.assay': `import { people, old } from 'test.assay'\nslice young on people where not old\n` }
    expect(renamed(cursorIn('old on'), 'aged', { others })).toMatchObject({
      'user.assay': `import { people, aged } from 'test.assay'\nslice young on people where not aged\n`,
      'test.assay': spec.replace('slice old', 'slice aged').replace('where old', 'where aged'),
    })
  })

  test('what cannot be renamed is refused in a sentence', () => {
    expect(renamed(cursorIn('age > 60'), 'x')).toMatch(/^`age` is a column of the data/)
    expect(renamed(cursorIn('count(*)'), 'x')).toMatch(/^`count` is a word of the language/)
    expect(renamed(cursorIn('old on'), 'people')).toMatch(/^`people` is taken/)
    expect(renamed(cursorIn('old on'), ' ')).toMatch(/^A name needs/)
    const { snapshot, position } = at(cursorIn("'people.csv'"))
    expect(prepareRename(snapshot, position)).toMatchObject({ refused: expect.stringMatching(/^A path/) })
  })
})

describe('semantic tokens', () => {
  test('names are what they stand for; unknown ones stay plain', () => {
    const snapshot = snapshotOf(
      `source people { from 'people.csv'; split train 80% }\nslice s on people where age > 1 and nope = 2 and lower(name) = 'x'`,
    )
    const { data } = semanticTokens(snapshot)
    let line = 0
    let character = 0
    const seen: string[] = []
    for (let i = 0; i < data.length; i += 5) {
      character = data[i] === 0 ? character + data[i + 1]! : data[i + 1]!
      line += data[i]!
      const start = offsetOf(snapshot, { line, character })
      seen.push(`${snapshot.text.slice(start, start + data[i + 2]!)} ${semanticLegend.tokenTypes[data[i + 3]!]}`)
    }
    expect(seen).toEqual([
      'people namespace',
      'train enumMember',
      's enum',
      'people namespace',
      'age property',
      'lower function',
      'name property',
    ])
  })
})
