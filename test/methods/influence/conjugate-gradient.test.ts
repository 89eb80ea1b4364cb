import { expect, it } from 'vitest'
import { Cancelled } from '../../../server/src/methods/cancel.ts'
import { conjugateGradient } from '../../../server/src/methods/influence/conjugate-gradient.ts'
import { dot, sequence, symmetricWith, times } from './matrices.ts'

const values = Array.from({ length: 30 }, (_, i) => 1 + i / 3)
const { matrix, vectors } = symmetricWith(values, 4)
const next = sequence(9)
const rhs = Float64Array.from({ length: 30 }, () => next() - 0.5)
const hvp = (v: Float64Array): Float64Array => times(matrix, v)

/** Σ (vᵀb)/(λ + damping)·v */
function direct(damping: number): Float64Array {
  const x = new Float64Array(30)
  vectors.forEach((v, l) => {
    const along = dot(v, rhs) / (values[l]! + damping)
    for (let i = 0; i < 30; i++) x[i] = x[i]! + along * v[i]!
  })
  return x
}

it.each([0, 0.5, 10])('equals the direct solution with damping %f', async (damping) => {
  const found = await conjugateGradient(hvp, rhs, { iterations: 60, tolerance: 1e-12, damping })
  expect(found.converged).toBe(true)
  expect(found.products).toBe(found.iterations)
  direct(damping).forEach((x, i) => {
    expect(found.solution[i]!).toBeCloseTo(x, 9)
  })
})

it('stops at the tolerance or after the iterations, and tells the residual', async () => {
  const short = await conjugateGradient(async (v) => hvp(v), rhs, { iterations: 3 })
  expect(short).toMatchObject({ iterations: 3, converged: false, negativeCurvature: false })
  const off = hvp(short.solution).map((x, i) => x - rhs[i]!)
  expect(short.residual).toBeCloseTo(Math.sqrt(dot(off, off) / dot(rhs, rhs)), 10)
  const usual = await conjugateGradient(hvp, rhs)
  expect(usual.converged).toBe(true)
  expect(usual.iterations).toBeLessThanOrEqual(20)
})

it('zero on the right is solved by zero, at no product', async () => {
  expect(await conjugateGradient(hvp, new Float64Array(30))).toMatchObject({ iterations: 0, converged: true, residual: 0 })
})

it('says when the operator curves down, and damping mends it', async () => {
  const bent = (v: Float64Array): Float64Array => v.map((x, i) => (i === 0 ? -1 : 2) * x)
  const b = Float64Array.of(1, 1, 1)
  expect((await conjugateGradient(bent, Float64Array.of(1, 0, 0))).negativeCurvature).toBe(true)
  expect((await conjugateGradient(bent, b)).negativeCurvature).toBe(true)
  const damped = await conjugateGradient(bent, b, { damping: 3, tolerance: 1e-10 })
  expect(damped).toMatchObject({ converged: true, negativeCurvature: false })
  expect(Array.from(damped.solution)).toEqual([1 / 2, 1 / 5, 1 / 5].map((x) => expect.closeTo(x, 9)))
})

it('refuses what is no number, and stops when cancelled', async () => {
  await expect(conjugateGradient(hvp, Float64Array.of(1, Number.NaN))).rejects.toThrow('not finite')
  await expect(conjugateGradient((v) => v.map(() => Number.NaN), rhs)).rejects.toThrow('not finite')
  await expect(conjugateGradient((v) => v.slice(1), rhs)).rejects.toThrow('29 entries')
  await expect(conjugateGradient(hvp, rhs, { token: { cancelled: true } })).rejects.toBeInstanceOf(Cancelled)
})
