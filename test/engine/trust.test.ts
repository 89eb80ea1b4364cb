import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import type { ComplaintResult } from '../../server/src/protocol/results.ts'
import { sentences } from '../../server/src/report/wording.ts'
import { runToy } from '../support/run-toy.ts'

/** Points of two kinds; of one kind, three in ten of the training rows are labelled wrongly. */
function blobs(rows: number, seed: number, wrong: number): string {
  const rng = createRng(seed)
  const lines = Array.from({ length: rows }, (_, id) => {
    const yes = rng.next() < 0.5
    const label = yes && rng.next() >= wrong ? 'cat' : 'dog'
    return `${id},${(rng.normal() + (yes ? 1 : -1)).toFixed(4)},${rng.normal().toFixed(4)},${rng.normal().toFixed(4)},${label}`
  })
  return `id,x,y,z,label\n${lines.join('\n')}\n`
}
const files = { 'train.csv': blobs(500, 1, 0.3), 'mail.csv': blobs(400, 2, 0) }
const head = `
source past { from 'train.csv'; key id; label label; split train 100% }
source mail { from 'mail.csv'; key id }
model reader on past {
  predict label
  from    x, y, z
  kind    logistic(l2: 0.001)
  train   on train
}
`
const complaint = (where: string, expected: string, top = 40, of = '') => `
complaint few using reader {
  query  select count(*) as n from mail where predict(label) = 'cat'${where}
  expect ${expected}
  blame  top ${top} rows of train by influence${of}
}
`
async function few(text: string): Promise<ComplaintResult> {
  const toy = await runToy(head + text, files)
  expect(toy.problems).toEqual([])
  return toy.of('complaint', 'few')
}

describe('whether a complaint is strong enough', () => {
  test('about many rows it is; about a few it is less stable, and so weaker', async () => {
    const whole = await few(complaint('', 'n >= 200'))
    const some = await few(complaint(' and id < 12', 'n >= 12'))
    expect(whole.strength!.level).toBe(whole.strength!.stability! >= 0.9 ? 'strong' : 'fair')
    expect(whole.strength!.stability).toBeGreaterThan(0.75)
    expect(some.strength!.stability).toBeLessThan(whole.strength!.stability!)
    expect(some.strength!.rows).toBeLessThan(12.5)
    expect(whole.strength!.rows).toBeGreaterThan(100)
    expect(whole.strength!.share).toBeGreaterThan(0.99)
  })

  test('a number off by less than the model’s own uncertainty may be off by chance', async () => {
    const near = await few(complaint('', 'n >= 1000'))
    expect(near.strength!.deviations).toBeGreaterThan(10)
    const { actual } = near
    const close = await few(complaint('', `n >= ${actual! + 1}`))
    expect(close.strength!.deviations).toBeGreaterThan(0)
    expect(close.strength!.deviations).toBeLessThan(0.5)
    expect(sentences(close).join(' ')).toMatch(/by chance/)
    expect(sentences(near).join(' ')).not.toMatch(/by chance/)
  })

  test('the same seed says the same', async () => {
    const [a, b] = [await few(complaint(' and id < 60', 'n >= 50')), await few(complaint(' and id < 60', 'n >= 50'))]
    expect(a.strength).toEqual(b.strength)
  })

  const silent: [string, string][] = [
    ['it holds', complaint('', 'n >= 0')],
    ['no row is spoken of', complaint(' and id < 0', 'n >= 3')],
    ['a baseline', complaint('', 'n >= 200').replace('by influence', 'by loss')],
    ['conjugate gradients', complaint('', 'n >= 200').replace('  blame', '  method cg\n  blame')],
  ]
  test.each(silent)('nothing is said where %s', async (_, text) => {
    const result = await few(text)
    expect(result.strength).toBeUndefined()
    expect(result.together).toBeUndefined()
    expect(sentences(result).join(' ')).not.toMatch(/NaN|undefined|strong|weak/)
  })
})

describe('suspects together', () => {
  const repair = (fix: string) => `
intervene mended {
  for     few
  ${fix}
  retrain reader
  compare few, accuracy on mail
}
`
  test.each([10, 40, 80])('relabelling the top %i: predicted, and trained again', async (top) => {
    const fix = `relabel top ${top} rows of train by influence of relabel`
    const toy = await runToy(head + complaint('', 'n >= 200', top, ' of relabel') + repair(fix), files)
    expect(toy.problems).toEqual([])
    const { together, actual } = toy.of('complaint', 'few')
    const { before, after, predicted } = toy.of('intervene', 'mended')
    expect(before!.few).toBe(actual)
    expect(together!.rows).toBe(top)
    const moved = after!.few! - before!.few!
    expect(moved).toBeGreaterThan(0)
    expect(Math.abs(together!.expectations![0]!.actual! - after!.few!)).toBeLessThan(0.2 * moved + 2)
    expect(Math.abs(predicted!.few! - after!.few!)).toBeLessThan(0.2 * moved + 2)
    expect(Math.abs(predicted!['accuracy on mail']! - after!['accuracy on mail']!)).toBeLessThan(0.04)
  })

  test('removing: less than, or more than, the influences add up to, and said so', async () => {
    const text = complaint('', 'n >= 200', 60, ' of remove') + repair('remove top 60 rows of train by influence of remove')
    const toy = await runToy(head + text, files)
    const result = toy.of('complaint', 'few')
    const { before, after, predicted } = toy.of('intervene', 'mended')
    const moved = after!.few! - before!.few!
    expect(Math.abs(predicted!.few! - after!.few!)).toBeLessThan(0.25 * moved + 2)
    expect(result.together!.predicted).not.toBeCloseTo(result.together!.sum, 3)
    expect(sentences(result).join(' ')).toMatch(/All 60 suspects treated at once are predicted to improve .* add up to/)
  })
})
