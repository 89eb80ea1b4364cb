import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import { runToy } from '../support/run-toy.ts'

/** Through which rows of the query a training row acts. */
function blobs(rows: number, seed: number): string {
  const rng = createRng(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next())
  const lines = ['id,x,y,label']
  for (let id = 0; id < rows; id++) {
    const yes = rng.next() < 0.5
    const wrong = yes && rng.next() < 0.3
    lines.push(`${id},${(normal() + (yes ? 1.5 : -1.5)).toFixed(4)},${normal().toFixed(4)},${yes && !wrong ? 'cat' : 'dog'}`)
  }
  return `${lines.join('\n')}\n`
}
const files = { 'train.csv': blobs(300, 1), 'mail.csv': blobs(120, 2) }
const spec = (where: string, more: string) => `source past { from 'train.csv'; key id; split train 100% }
source mail { from 'mail.csv'; key id }
model reader on past { predict label; from x, y; kind logistic(l2: 0.001); train on train }
complaint few using reader {
  query  select count(*) as n from mail where predict(label) = 'cat'${where}
  expect n higher
  ${more}
}
`
const why = async (where: string, more: string) => {
  const text = spec(where, more).replace('expect n higher', 'expect higher n')
  const toy = await runToy(text, files)
  expect(toy.problems).toEqual([])
  return toy.of('complaint', 'few').ranking!.map((row) => row.why)
}

describe('why a row is blamed', () => {
  test('the shares of what it does are all of it, where the query reads few rows', async () => {
    for (const reasons of await why(' and id in (3)', 'blame top 5 rows of train by influence'))
      expect(reasons).toMatchObject([{ source: 'mail', key: 3, share: 1, prediction: expect.any(String), confidence: expect.any(Number) }])
    for (const reasons of await why(' and id in (3, 7)', 'blame top 5 rows of train by influence')) {
      expect(reasons!.reduce((sum, one) => sum + one.share!, 0)).toBeCloseTo(1, 6)
      expect(reasons!.map((one) => one.key).every((key) => key === 3 || key === 7)).toBe(true)
    }
  })

  test.each(['spectral(k: 6)', 'auto'])('at most three, the greatest first, with what the model says of them (%s)', async (method) => {
    const rows = await why('', `blame top 8 rows of train by influence\n  method ${method}`)
    expect(rows).toHaveLength(8)
    for (const reasons of rows) {
      expect(reasons).toHaveLength(3)
      const shares = reasons!.map((one) => one.share!)
      expect([...shares].sort((a, b) => b - a)).toEqual(shares)
      expect(shares[0]).toBeLessThan(1)
      expect(reasons![0]).toMatchObject({ label: expect.stringMatching(/cat|dog/) })
    }
  })

  test.each([
    ['cg(iterations: 20)', 'influence'],
    ['auto', 'loss'],
  ])('elsewhere the rows that are most alike (%s, by %s)', async (method, by) => {
    const rows = await why('', `blame top 4 rows of train by ${by}\n  method ${method}`)
    for (const reasons of rows) {
      expect(reasons).toHaveLength(3)
      for (const one of reasons!) expect(one).toMatchObject({ likeness: expect.any(Number) })
      expect(reasons![0]!.likeness).toBeGreaterThan(0.9)
    }
  })
})
