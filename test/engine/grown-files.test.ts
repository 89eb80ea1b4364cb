import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { runToy, type Toy, toyFolder } from '../support/run-toy.ts'

/** A file that has only grown: the rows that were there are not predicted again, and nothing else is different. */
const rng = createRng(3)
const line = (i: number) => {
  const [f, g] = [rng.next() * 2 - 1, rng.next() * 2 - 1]
  return `${i},${f.toFixed(4)},${g.toFixed(4)},${f > 0.2 ? 'p' : g > 0 ? 'q' : 'r'}\n`
}
const header = 'id,f,g,label\n'
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i)).join('')
const learned = header + lines(0, 80)
const [first, second, third] = [lines(0, 30), lines(30, 42), lines(42, 47)]
const spec = (from: string) => `source learned { from 'learned.csv'; key id; split train 100% }
source seen { from '${from}'; key id }
model m on learned { predict label; from f, g; kind logistic(l2: 0.01); train on train }
complaint c using m { query select count(*) as n from seen where predict(label) = 'p'; expect lower n; blame top 10 rows of learned; method spectral(k: 3) }
complaint satisfied using m { query select count(*) as n from seen where predict(label) = 'p'; expect n >= 0; blame top 10 rows of learned }`

const answer = (toy: Toy) => {
  const { actual, relaxed, ranking } = toy.of('complaint', 'c')
  return { actual, relaxed, ranking: ranking?.map((row) => ({ key: row.key, influence: row.influence })) }
}
/** Rows of `seen` that the model was asked about. What stands is not ranked, so nothing else asks. */
const asked = (toy: Toy) => toy.events.flatMap((e) => (e.kind === 'step' && e.stage === 'predicting seen' && e.of > 0 ? [e.of] : []))

test('a text file with lines at its end', async () => {
  const folder = toyFolder({ 'learned.csv': learned, 'seen.csv': header + first })
  const run = (names: readonly string[]) => runToy(spec('seen.csv'), {}, { folder, names })
  expect(asked(await run(['satisfied']))).toEqual([30])
  await run(['c'])
  for (const more of [second, third]) {
    appendFileSync(join(folder, 'seen.csv'), more)
    expect(asked(await run(['satisfied']))).toEqual([more.split('\n').length - 1])
    expect(asked(await run(['satisfied']))).toEqual([])
    await run(['c'])
  }
  const grown = await run(['c'])
  const anew = await runToy(spec('seen.csv'), { 'learned.csv': learned, 'seen.csv': header + first + second + third }, { names: ['c'] })
  expect(answer(grown)).toEqual(answer(anew))
})

test('another file beside the first', async () => {
  const folder = toyFolder({ 'learned.csv': learned, 'seen-1.csv': header + first })
  const run = () => runToy(spec('seen-*.csv'), {}, { folder, names: ['satisfied'] })
  expect(asked(await run())).toEqual([30])
  writeFileSync(join(folder, 'seen-2.csv'), header + second)
  expect(asked(await run())).toEqual([12])
})

test.each([
  ['a line changed', header + second + first],
  ['a last line that went on', header + first.trimEnd() + second],
  ['fewer lines', header + first.split('\n').slice(0, 20).join('\n')],
])('%s: everything again', async (_, changed) => {
  const folder = toyFolder({ 'learned.csv': learned, 'seen.csv': header + first.trimEnd() })
  const names = ['satisfied']
  await runToy(spec('seen.csv'), {}, { folder, names })
  writeFileSync(join(folder, 'seen.csv'), changed)
  const again = await runToy(spec('seen.csv'), {}, { folder, names })
  const anew = await runToy(spec('seen.csv'), { 'learned.csv': learned, 'seen.csv': changed }, { names })
  expect(asked(again)).toEqual(asked(anew))
  expect(again.results.map((r) => r.status)).toEqual(anew.results.map((r) => r.status))
})
