import { describe, expect, it } from 'vitest'
import { parse } from '../../grammar/src/parser.ts'
import { joinPath } from '../../server/src/check/paths.ts'
import { allReadings, importPaths, readings } from '../../server/src/check/readings.ts'
import { checkFile, names, problems } from '../support/check-file.ts'

const DATA = `source people { from 'people.csv'; split train 80%, valid 20% }
model m on people { predict city; from age; kind logistic; train on train }
slice old on people where age > 60
slice wrong on people where agee > 60
slice after on people where wrong
`

describe('imports', () => {
  it('bring what they name, and what that needs', () => {
    const checked = checkFile("import { m, OLD } from 'data.assay'\nassert a on people { each row; require age > 0 }\n", {
      'data.assay': DATA,
    })
    expect(checked.problems.map((one) => one.code)).toEqual(['unknown-name'])
    const named = checkFile(
      "import { m, people } from 'data.assay'\nassert a on people using m { each row; require predict(city) = city }\n",
      {
        'data.assay': DATA,
      },
    )
    expect(named.problems).toEqual([])
    expect(names(named)).toBe('people m a')
    expect(named.spec.declarations[0]?.path).toBe('/spec/data.assay')
  })

  it('are told apart from what the file declares', () => {
    problems(
      `import { people, nobody, old, wrong } from 'data.assay'
                 ^^^^^^ import-unknown
                              ^^^^^ import-broken
import { m } from 'data.assay'`,
      { 'data.assay': DATA },
    )
    problems(
      `import { m } from 'data.assay'
         ^ import-clash
source people { from 'people.csv' }`,
      { 'data.assay': DATA },
    )
    problems(
      `import { people } from 'data.assay'
         ^^^^^^ duplicate-name
source people { from 'people.csv' }`,
      { 'data.assay': DATA },
    )
    problems(
      `import { m, people } from 'data.assay'
assert a on people using m { each row; require predict(city) = agee }
                                                               ^^^^ unknown-column: age`,
      { 'data.assay': DATA },
    )
  })

  it('that cannot be read are reported once', () => {
    problems(`import { a, b } from 'gone.assay'
                     ^^^^^^^^^^^^ import-missing
assert x on a { each row; require foo = 5 }
slice s on a where foo = 5 and b`)
    problems(`import { a } from 'test.assay'
                  ^^^^^^^^^^^^ import-itself`)
    problems(
      `import { a } from 'one.assay'
         ^ import-broken`,
      { 'one.assay': "import { x } from 'test.assay'\nslice a on x where y > 5\n" },
    )
    const circle = { 'one.assay': "import { b } from 'two.assay'\n", 'two.assay': "import { a } from 'one.assay'\n" }
    problems(
      `import { a } from 'one.assay'
         ^ import-unknown`,
      circle,
    )
  })

  it('say the reason of what is wrong elsewhere', () => {
    const [found] = checkFile("import { after } from 'data.assay'\n", { 'data.assay': DATA }).problems
    expect(found?.message).toBe('`after` has an error in `data.assay`: No column `agee` in `people`. Did you mean `age`?')
    const [syntax] = checkFile("import { a } from 'x.assay'\n", { 'x.assay': 'slice a on people where age >\n' }).problems
    expect(syntax?.code).toBe('import-broken')
    expect(syntax?.message).toContain('x.assay')
  })
})

describe('readings', () => {
  it('say what sources read, with paths made absolute', () => {
    const file =
      parse(`source a { from '../data/people.csv' with (delim: ';', types: [age: INTEGER, p: decimal(10, 2)], nullstr: ['', '?']) }
source b { from '/abs/x.parquet' }
source c { from 'many/*.jsonl.gz' }
source d { from idx(images: 'i', labels: 'l') }
source e { from (select * from a) }
source f { from 'x.arrow' }
source g { from 'x.dat' with (format: tsv) }
source h { from 'x.unknown' }
source i { from images('*.png') }
`).ast
    expect(readings(file, '/spec/sub').map((one) => JSON.stringify(one))).toEqual([
      '{"name":"a","reading":{"kind":"file","format":"csv","path":"/spec/data/people.csv","options":{"delim":";","types":{"age":"INTEGER","p":"decimal(10, 2)"},"nullstr":["","?"]}}}',
      '{"name":"b","reading":{"kind":"file","format":"parquet","path":"/abs/x.parquet","options":{}}}',
      '{"name":"c","reading":{"kind":"file","format":"jsonl","path":"/spec/sub/many/*.jsonl.gz","options":{}}}',
      '{"name":"d","reading":{"kind":"idx","images":"/spec/sub/i","labels":"/spec/sub/l"}}',
      '{"name":"g","reading":{"kind":"file","format":"tsv","path":"/spec/sub/x.dat","options":{}}}',
    ])
  })

  it('follow imports, each relative to its own file', () => {
    const files = new Map([
      ['/a/main.assay', parse("import { x } from 'b/other.assay'\nsource y { from 'y.csv' }\n")],
      ['/a/b/other.assay', parse("import { y } from '../main.assay'\nsource x { from 'x.csv' }\n")],
    ])
    expect(importPaths(files.get('/a/main.assay')!.ast, '/a')).toEqual(['/a/b/other.assay'])
    expect(allReadings(files, '/a/main.assay').map((one) => `${one.name} ${one.reading.kind === 'file' && one.reading.path}`)).toEqual([
      'y /a/y.csv',
      'x /a/b/x.csv',
    ])
  })

  it.each([
    ['/a/b', 'c.csv', '/a/b/c.csv'],
    ['/a/b', '../c.csv', '/a/c.csv'],
    ['/a/b', './c/../d.csv', '/a/b/d.csv'],
    ['/', '../c.csv', '/c.csv'],
    ['/a', '/x/y.csv', '/x/y.csv'],
    ['/a', 'https://x.org/y.csv', 'https://x.org/y.csv'],
    ['C:\\a\\b', '..\\c.csv', 'C:\\a\\c.csv'],
    ['C:\\a\\b', '../c.csv', 'C:\\a\\c.csv'],
    ['rel', '../../c.csv', '../c.csv'],
    ['/a/with blank', 'ü/{x}*.csv', '/a/with blank/ü/{x}*.csv'],
  ])('%s + %s = %s', (directory, path, expected) => {
    expect(joinPath(directory, path)).toBe(expected)
  })
})

describe('whatever the text', () => {
  const text = `import { a, b } from 'x.assay'\n${DATA}
source v { from (select p.*, case when age > 5 then 'x' else city end as c from people as p left join people as q on p.id = q.id where p.city like 'B%') }
partition parts on people { by age bins [1, 2], city }
discover d on people.valid using m { over age bins 5; support >= 5%; control fdr 5% }
assert q on people using m { each group by city; require avg(age) > 5 and agree(name); severity count(*); fail above 5% }
complaint c using m { query select city, count(*) as n from people where predict(city) = 'x' group by city; expect n <= 5 where city = 'y'; blame top 5 rows of train by influence of relabel(to: 'x'); method cg(iterations: 5) }
intervene i { for c; relabel top 5 rows of train to 'x'; set age = 5 where age > 7; retrain m; compare c, loss on people.valid }
oracle o on people { ask city; queue 'q' }
acquire buy for m { slices parts, old; from people.valid cost 1 per row where age > 5; budget 50; stop when spent > 5 }
find f on people using m { where ask(o, city) = 'x'; proxy score(city, 'x'); recall >= 90% with confidence 95%; budget 5 labels }
`
  it('check does not throw, and reports within the text', () => {
    let state = 7
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) % 2147483648
      return state % below
    }
    const tokens = [...text.matchAll(/[\w.]+|'[^']*'|[^\s\w]|\s+/g)].map((one) => one[0])
    for (let round = 0; round < 120; round++) {
      const cut = [...tokens]
      for (let i = random(6); i >= 0; i--) {
        const at = random(cut.length)
        if (random(3) === 0) cut.splice(at, 1, tokens[random(tokens.length)]!)
        else cut.splice(at, 1 + random(3))
      }
      const mangled = cut.join('')
      const { problems: found } = checkFile(mangled, { 'x.assay': round % 2 ? text : 'source a {' })
      for (const one of found) {
        expect(one.start).toBeGreaterThanOrEqual(0)
        expect(one.end).toBeLessThanOrEqual(mangled.length + 1)
        expect(one.message).not.toMatch(/undefined|NaN|\[object/)
        expect(one.message).toMatch(/[.?]$/)
      }
    }
  })
})
