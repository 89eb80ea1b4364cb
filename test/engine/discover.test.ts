import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../server/src/engine/engine.ts'
import type { RunEvent } from '../../server/src/engine/events.ts'
import { Cancelled } from '../../server/src/methods/cancel.ts'
import { planFor } from '../../server/src/plan/plan-for.ts'
import type { DiscoverResult } from '../../server/src/protocol/results.ts'
import { declarationsOf } from '../../server/src/report/wording.ts'
import { loadSpec } from '../../server/src/workspace/load.ts'
import { runToy, toyFolder } from '../support/run-toy.ts'

/** Numbers in [0, 1), the same ones each time. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const cities = ['Bonn', 'Köln', "L'Aquila", 'a "b"', '']
/** Errors are worst between 40 and 50 in Bonn (one of five bins of equal weight is [39, 49)). `born`, `seen` and `smokes` tell dates, times and booleans. */
function people(rows: number): string[] {
  const next = sequence(3)
  return Array.from({ length: rows }, (_, id) => {
    const age = 20 + Math.floor(next() * 50)
    const city = cities[Math.floor(next() * 5)]!
    const born = `${1950 + Math.floor(next() * 60)}-0${1 + Math.floor(next() * 9)}-11`
    const seen = next() < 0.1 ? '' : `2024-01-0${1 + Math.floor(next() * 9)} 1${Math.floor(next() * 9)}:30:00`
    const smokes = next() < 0.3
    const weight = (60 + next() * 40).toFixed(3)
    const weak = age >= 40 && age < 50 && city === 'Bonn'
    const wrong = next() < (weak ? 0.8 : smokes ? 0.2 : 0.1) ? 1 : 0
    const loss = (next() * (weak ? 4 : 1)).toFixed(4)
    return [id, age, `"${city.replaceAll('"', '""')}"`, born, seen, smokes, weight, next() < 0.5 ? 0 : 1, wrong, loss].join()
  })
}
const head = 'id,age,"the city",born,seen,smokes,weight,select,wrong,loss'
const csv = (rows: readonly string[]) => `${[head, ...rows].join('\n')}\n`
const rows = people(2000)
const files = { 'people.csv': csv(rows) }
const source = `source people { from 'people.csv' with (nullstr: ''); key id }\n`
const over = 'over age bins 5, "the city", born, seen, smokes, weight, "select"'
const discover = (clauses: string) => `${source}discover weak on people {\n${clauses}\n}\n`

describe('the worst slices', () => {
  test('are found over columns of every kind; errors are an expression', async () => {
    const toy = await runToy(discover(`${over}\nerror wrong`), files)
    expect(toy.problems).toEqual([])
    const result = toy.of('discover', 'weak')
    expect(result).toMatchObject({ status: 'ok', source: 'people', error: 'wrong' })
    expect(result.slices![0]).toMatchObject({
      predicates: { age: '[39, 49)', 'the city': 'Bonn' },
      where: `age >= 39 and age < 49 and "the city" = 'Bonn'`,
      maxError: 1,
      replicated: true,
      overlaps: [],
      test: "Fisher's exact test, one-sided",
    })
    expect(result.meanError).toBeCloseTo(
      result.slices![0]!.meanError / (1 + (result.slices![0]!.score + 0.05 * (2000 / result.slices![0]!.size - 1)) / 0.95),
      9,
    )
    expect(result.levels!.map((level) => level.depth)).toEqual([1, 2, 3])
    expect(result.provenance.rows).toBe(2000)
  })

  test('are as large as the declaration that keeps them says', async () => {
    const kinds = ['age bins 5', '"the city"', 'born', 'seen', 'smokes', 'weight', '"select"']
    const declared = kinds.map(
      (kind, i) => `discover d${i} on people { over ${kind}; error loss; alpha 1; depth 1; top 50; support >= 1 rows }`,
    )
    const first = await runToy(source + declared.join('\n'), files)
    expect(first.problems).toEqual([])
    const found = kinds.map((_, i) => first.of('discover', `d${i}`))
    const texts = found.flatMap((result) => allRepresentatives(result))
    expect(texts.length).toBeGreaterThan(12)
    const second = await runToy(source + texts.join('\n'), files)
    expect(second.problems).toEqual([])
    const sizes = found.flatMap((result) => result.slices!.map((slice) => slice.size))
    expect(second.results.flatMap((r) => (r.kind === 'slice' ? [r.rows] : []))).toEqual(sizes)
  })

  test('a bin is a half-open range, the last one closed; NULL and few numbers stand for themselves', async () => {
    const toy = await runToy(
      discover(`over age bins 5, seen, "select"\nerror 1 + loss * 0\nalpha 1\ndepth 1\ntop 50\nsupport >= 1 rows`),
      files,
    )
    expect(toy.of('discover', 'weak').slices).toEqual([])
    const all = await runToy(
      discover(
        `over seen, "select", age bins 2\nerror case when seen is null or age >= 45 or "select" = 1 then 1 else 0 end\nalpha 1\ndepth 1\ntop 50`,
      ),
      files,
    )
    const shown = all.of('discover', 'weak').slices!.map((slice) => slice.predicates)
    expect(shown).toContainEqual({ seen: null })
    expect(shown).toContainEqual({ select: 1 })
    expect(shown).toContainEqual({ age: expect.stringMatching(/^\[4\d, 69\]$/) })
  })

  test('the order of rows in the file does not matter', async () => {
    const text = discover(`${over}\nerror loss\ntop 20`)
    const [a, b] = await Promise.all([runToy(text, files), runToy(text, { 'people.csv': csv([...rows].reverse()) })])
    const shown = ({ provenance: _, ...rest }: DiscoverResult) => rest
    expect(shown(b.of('discover', 'weak'))).toEqual(shown(a.of('discover', 'weak')))
  })

  test.each(['wrong', 'loss'])('are the same when rows stay in the database (error %s)', async (error) => {
    const text = discover(`${over}\nerror ${error}\ntop 20\nsupport >= 40 rows`)
    const [memory, database] = await Promise.all([runToy(text, files), runToy(text, files, { inMemoryRows: 1000 })])
    const [a, b] = [memory.of('discover', 'weak'), database.of('discover', 'weak')]
    const exact = (r: DiscoverResult) => r.slices!.map(({ predicates, where, size, overlaps }) => ({ predicates, where, size, overlaps }))
    expect(exact(b)).toEqual(exact(a))
    expect(b.levels).toEqual(a.levels)
    expect(b.hypotheses).toBe(a.hypotheses)
    for (const [i, slice] of a.slices!.entries()) {
      for (const name of ['score', 'sumError', 'maxError', 'meanError'] as const) expect(b.slices![i]![name]).toBeCloseTo(slice[name], 8)
    }
    expect(b.notes!.join(' ')).toContain('searched where they are')
  })
})

/** Every slice as a declaration, those that repeat others too. */
function allRepresentatives(result: DiscoverResult): string[] {
  return declarationsOf({ ...result, slices: result.slices!.map((slice) => ({ ...slice, overlaps: [] })) })
}

describe('the error of a row', () => {
  /** `new` is worse than `old` for squares, better elsewhere; `p_*` are probabilities. */
  const lines = Array.from({ length: 600 }, (_, i) => {
    const shape = ['square', 'disc', 'star'][i % 3]
    const truth = i % 2 ? 'yes' : 'no'
    const flip = (wrong: boolean) => (wrong ? (truth === 'yes' ? 'no' : 'yes') : truth)
    const newer = flip(shape === 'square' && i % 5 < 3)
    const older = flip(shape === 'star' && i % 5 < 2)
    return [
      i,
      shape,
      i % 7,
      i === 9 ? '' : truth,
      newer,
      older,
      newer === 'no' ? 0.9 : 0.1,
      newer === 'yes' ? 0.9 : 0.1,
      (i % 11) + 0.5,
      (i % 11) + 0.5 + (shape === 'disc' ? 2 : 0),
    ].join()
  })
  const guesses = { 'g.csv': `id,shape,k,truth,newer,older,p_no,p_yes,y,y_hat\n${lines.join('\n')}\n` }
  const text = `source g { from 'g.csv'; key id; split train where k < 3, valid where k >= 3 }
model fresh on g { predict truth; kind column(newer); validate on valid }
model stale on g { predict truth; kind column(older) }
model sure on g { predict truth; kind column(newer, scores: [p_no, p_yes]) }
model number on g { predict y; kind column(y_hat) }
model own on g { predict y; from shape, k; kind linear; train on train; validate on valid }
`
  const cases: [string, string, { error: string; meanError: number; worst: Record<string, unknown>; rows: number }][] = [
    [
      '0/1 for classes brought along',
      'd on g.valid using fresh { over shape }',
      { error: '0/1 error of fresh', meanError: 0.2, worst: { shape: 'square' }, rows: 342 },
    ],
    [
      'squares for numbers',
      'd on g.train using number { over shape }',
      { error: 'squared error of number', meanError: 4 / 3, worst: { shape: 'disc' }, rows: 258 },
    ],
    [
      'cross-entropy where there are probabilities',
      'd on g.train using sure { over shape }',
      { error: 'cross-entropy of sure', meanError: -0.8 * Math.log(0.9) - 0.2 * Math.log(0.1), worst: { shape: 'square' }, rows: 257 },
    ],
    [
      'what a model makes worse',
      'd on g.train using fresh against stale { over shape }',
      { error: 'by how much 0/1 error is higher with fresh than with stale', meanError: 0.2, worst: { shape: 'square' }, rows: 257 },
    ],
    [
      'an expression with predict()',
      `d on g.train using fresh { over shape; error case when predict(truth) <> truth then 2 else 0 end }`,
      { error: 'case when predict(truth) <> truth then 2 else 0 end', meanError: 0.4, worst: { shape: 'square' }, rows: 258 },
    ],
  ]
  test.each(cases)('%s', async (_, declared, expected) => {
    const toy = await runToy(`${text}discover ${declared}`, guesses, { names: ['d'] })
    expect(toy.problems).toEqual([])
    const result = toy.of('discover', 'd')
    expect(result.message).toBeUndefined()
    expect(result.error).toBe(expected.error)
    expect(Math.abs(result.meanError! / expected.meanError - 1)).toBeLessThan(0.1)
    expect(result.slices![0]!.predicates).toEqual(expected.worst)
    expect(result.provenance.rows).toBe(expected.rows)
  })

  test('without clauses: the validation split, the inputs, the loss', async () => {
    const toy = await runToy(`${text}discover d on g using own { }`, guesses, { names: ['d'] })
    const result = toy.of('discover', 'd')
    expect(result).toMatchObject({ status: 'ok', error: 'squared error of own' })
    expect(result.provenance.rows).toBe(lines.filter((line) => Number(line.split(',')[2]) >= 3).length)
  })

  test('a row without an error is left out, and counted', async () => {
    const toy = await runToy(`${text}discover d on g using fresh { over shape, k }`, guesses, { names: ['d'] })
    expect(toy.of('discover', 'd').notes?.join(' ') ?? '').not.toContain('no error')
    const all = await runToy(`${text}discover d on g.train using fresh { over shape, k }`, guesses, { names: ['d'] })
    expect(all.of('discover', 'd').notes!.join(' ')).toContain('One row has no error (NULL) and was left out.')
  })
})

describe('what cannot be searched is said in a sentence', () => {
  const failures: [string, string, RegExp][] = [
    [
      'negative errors',
      'over age\nerror wrong - 0.5',
      /errors are negative or not a finite number: `wrong - 0.5` is -0.5 in row \d+ of `people`/,
    ],
    ['errors that are no numbers', `over age\nerror cast('nan' as double)`, /2000 errors are negative or not a finite number.*nan/],
    ['infinite errors', `over age\nerror case when id = 7 then cast('inf' as double) else 1 end`, /One error is .* is inf in row 7 /],
    ['no errors at all', 'over age\nerror nullif(wrong, wrong)', /No row of `people` has an error/],
  ]
  test.each(failures)('%s', async (_, clauses, sentence) => {
    const result = (await runToy(discover(clauses), files)).of('discover', 'weak')
    expect(result).toMatchObject({ status: 'failed', fault: 'data' })
    expect(result.message).toMatch(sentence)
  })

  const empty: [string, string, RegExp][] = [
    ['all errors zero', 'over age\nerror wrong * 0', /Every error is 0/],
    ['support above the number of rows', 'over age\nerror wrong\nsupport >= 3000 rows', /3000 rows or more, and there are only 2000/],
    ['an id', 'over id\nerror wrong', /`id` has another value in every row, as an id has: it was left out. `id bins 10`/],
    [
      'values of one row each',
      'over weight_text\nerror wrong',
      /None of the \d+ values of `weight_text` is in 32 rows or more|another value in every row/,
    ],
    ['nothing but chance', 'over "the city"\nerror abs(sin(id))\ncontrol fdr 5%', /score|scores/],
  ]
  test.each(empty)('%s: an empty answer and a note', async (_, clauses, note) => {
    const view = `source texts { from (select *, cast(weight as varchar) as weight_text from people); key id }\n`
    const toy = await runToy(`${source}${view}discover weak on texts {\n${clauses}\n}`, files)
    expect(toy.problems.filter((p) => !/id/.test(p.message))).toEqual([])
    const result = toy.of('discover', 'weak')
    expect(result).toMatchObject({ status: 'ok', slices: [] })
    expect(result.notes!.join(' ')).toMatch(note)
  })

  test('an id among others is left out, and the rest is searched; top may be more than there is', async () => {
    const toy = await runToy(discover(`over id, age bins 5, "the city"\nerror wrong\ntop 500`), files)
    const result = toy.of('discover', 'weak')
    expect(result.notes!.join(' ')).toMatch(/`id` has another value in every row/)
    expect(result.slices!.length).toBeGreaterThan(0)
    expect(result.slices!.length).toBeLessThan(500)
    expect(result.slices!.every((slice) => !('id' in slice.predicates))).toBe(true)
  })

  test('a column of 100 000 values costs no more than its rows', async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `k${i},${i % 3},${i % 3 === 1 && i % 2 ? 1 : 0}`)
    const toy = await runToy(`source t { from 't.csv' }\ndiscover d on t { over name, x; error e }`, {
      't.csv': `name,x,e\n${many.join('\n')}\n`,
    })
    const result = toy.of('discover', 'd')
    expect(result.slices![0]!.predicates).toEqual({ x: 1 })
    expect(result.notes!.join(' ')).toMatch(/`name` has another value in every row/)
    expect(result.levels![0]!.evaluated).toBe(100_003)
  })

  test('with control only slices with a small q-value are listed', async () => {
    const [free, controlled] = await Promise.all([
      runToy(discover(`${over}\nerror wrong\ntop 50`), files),
      runToy(discover(`${over}\nerror wrong\ntop 50\ncontrol fdr 1%`), files),
    ])
    const all = free.of('discover', 'weak').slices!
    const kept = controlled.of('discover', 'weak').slices!
    expect(kept.map((slice) => slice.predicates)).toEqual(all.filter((slice) => slice.qValue <= 0.01).map((slice) => slice.predicates))
    expect(kept.length).toBeGreaterThan(0)
  })
})

describe('a cancelled search', () => {
  test('hands over what is certain after the last finished level, as a partial result', async () => {
    const folder = toyFolder(files)
    writeFileSync(join(folder, 'toy.assay'), discover(`${over}\nerror loss`))
    const engine = openEngine({ folder: join(folder, '.assay'), engine: 'reference', threads: 1 })
    try {
      const { spec } = await loadSpec(join(folder, 'toy.assay'), {
        read: () => discover(`${over}\nerror loss`),
        describe: (readings) => engine.describe(readings),
      })
      const events: RunEvent[] = []
      const running = engine.run(planFor(spec, ['weak'], {}).plans, (event) => {
        events.push(event)
        if (event.kind === 'step' && event.stage === 'searching slices' && event.done >= 1) engine.cancel()
      })
      await expect(running).rejects.toBeInstanceOf(Cancelled)
      const last = events.at(-1)
      expect(last).toMatchObject({ kind: 'finished', outcome: { result: { name: 'weak', status: 'partial' } } })
      if (last?.kind === 'finished' && last.outcome.result.kind === 'discover')
        expect(last.outcome.result.slices!.length).toBeGreaterThan(0)
    } finally {
      await engine.close()
    }
  })
})
