import { afterEach, expect, it, vi } from 'vitest'
import { adamMemory } from '../../server/src/learn/adam-memory.ts'
import { createRng } from '../../server/src/learn/rng.ts'

const factors = { l2: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-6 }

/** Kingma & Ba 2015, Alg. 1, in float64, with m and v as they stand there; its ε beside √v̂ is ours times √(1 − β₂). */
function paper(theta: readonly number[], slopes: readonly (readonly number[])[], alpha: number): number[] {
  const { l2, beta1, beta2 } = factors
  const epsilon = factors.epsilon * Math.sqrt(1 - beta2)
  const out = [...theta]
  const m = theta.map(() => 0)
  const v = theta.map(() => 0)
  for (const [step, own] of slopes.entries()) {
    const rate = (alpha * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1))
    for (let i = 0; i < out.length; i++) {
      const g = own[i]! + l2 * out[i]!
      m[i] = beta1 * m[i]! + (1 - beta1) * g
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g
      out[i] = out[i]! - (rate * m[i]!) / (Math.sqrt(v[i]!) + epsilon)
    }
  }
  return out
}

afterEach(() => vi.unstubAllGlobals())

it.each([
  ['WebAssembly', 1],
  ['WebAssembly', 3],
  ['WebAssembly', 4],
  ['WebAssembly', 1001],
  ['plain loops', 7],
  ['plain loops', 1001],
] as const)('%s, %i parameters: ten steps are those of the paper', (by, d) => {
  if (by === 'plain loops') vi.stubGlobal('WebAssembly', undefined)
  const rng = createRng(d)
  const random = (scale: number) => Array.from({ length: d }, () => (rng.next() - 0.5) * scale)
  const theta = random(2)
  const slopes = Array.from({ length: 10 }, () => random(0.1))
  const memory = adamMemory(Float64Array.from(theta), factors)
  for (const [step, own] of slopes.entries()) {
    memory.slopes.set(own)
    const rate = (1e-3 * Math.sqrt(1 - factors.beta2 ** (step + 1))) / (1 - factors.beta1 ** (step + 1))
    memory.update((rate * (1 - factors.beta1)) / Math.sqrt(1 - factors.beta2))
  }
  const expected = paper(theta, slopes, 1e-3)
  for (let i = 0; i < d; i++) expect(memory.parameters[i]).toBeCloseTo(expected[i]!, 5)
})

it('a slope of zero where nothing has moved yet moves nothing', () => {
  const memory = adamMemory(new Float64Array(5), factors)
  memory.update(1e-3)
  expect([...memory.parameters]).toEqual([0, 0, 0, 0, 0])
})
