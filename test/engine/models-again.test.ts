import { describe, expect, test } from 'vitest'
import { runToy } from '../support/run-toy.ts'

/** One fit serves all plans of a run that ask for it: each under its own name, and with its own slices. */
const rows = Array.from({ length: 60 }, (_, i) => `${i},${(i * 7) % 10},${(i * 7) % 10 > 4 ? 1 : 0}`)
const files = { 'a.csv': `id,x,y\n${rows.join('\n')}\n` }
const model = (name: string) => `model ${name} on a { predict y; from x; kind logistic; train on train; validate on rest }\n`
const source = `source a { from 'a.csv'; key id; split train 50%, rest 50% }\n`

describe('a model that was fitted for something else', () => {
  test('is measured on the slices of its source all the same', async () => {
    const text = `${source}${model('m')}slice low on a where x < 3\nassert right on a using m { each row; require predict(y) = y }\n`
    // The assertion first: it asks the model and knows nothing of slices.
    const { of } = await runToy(text, files, { names: ['right', 'm'] })
    expect(of('model', 'm').perSlice?.map((one) => one.slice)).toEqual(['low'])
  })

  test('goes by the name that asks: two declarations that say the same are two models', async () => {
    const { of } = await runToy(`${source}${model('m')}${model('twin')}`, files)
    expect(of('model', 'twin').status).toBe('ok')
    expect(of('model', 'twin').metrics).toEqual(of('model', 'm').metrics)
  })
})
