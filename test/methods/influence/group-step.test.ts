import { describe, expect, test } from 'vitest'
import { openBackend } from '../../../server/src/learn/backends/ladder.ts'
import { createRng } from '../../../server/src/learn/rng.ts'
import type { Architecture, Examples, Session } from '../../../server/src/learn/session.ts'
import { type GroupRows, groupStep } from '../../../server/src/methods/influence/group-step.ts'
import { lanczos } from '../../../server/src/methods/influence/lanczos.ts'

/** The predictions against really training again: a convex model on points of two overlapping classes, three in ten of one labelled wrongly. */
const breathe = () => {}
const INPUTS = 3
function points(rows: number, seed: number, wrong: number): Required<Examples> {
  const rng = createRng(seed)
  const x = new Float32Array(rows * INPUTS)
  const y = new Int32Array(rows)
  for (let i = 0; i < rows; i++) {
    const c = rng.next() < 0.5 ? 0 : 1
    for (let j = 0; j < INPUTS; j++) x[i * INPUTS + j] = rng.normal() + (j === 0 ? (c === 0 ? 1 : -1) : 0)
    y[i] = c === 0 && rng.next() < wrong ? 1 : c
  }
  return { rows, x, y }
}
const chosen = (set: Required<Examples>, rows: readonly number[]): Required<Examples> => ({
  rows: rows.length,
  x: Float32Array.from(rows.flatMap((row) => [...set.x.subarray(row * INPUTS, (row + 1) * INPUTS)])),
  y: set.y instanceof Int32Array ? Int32Array.from(rows, (row) => set.y[row]!) : Float32Array.from(rows, (row) => set.y[row]!),
})

async function lab(task: Architecture['task']) {
  const { backend } = await openBackend('reference', { threads: 1 })
  const shape: Architecture = {
    task,
    inputs: INPUTS,
    hidden: [],
    activation: 'relu',
    outputs: task === 'regression' ? 1 : 2,
    l2: 0.01,
  }
  const labelled = points(400, 3, 0.3)
  const set = task === 'regression' ? { ...labelled, y: Float32Array.from(labelled.y) } : labelled
  const queried = points(300, 4, 0)
  const options = { epochs: 200, batch: 512, seed: 1, tolerance: 1e-7 }
  const using = async <T>(examples: Examples, use: (session: Session) => Promise<T>): Promise<T> => {
    const session = await backend.open(shape, examples)
    try {
      return await use(session)
    } finally {
      session.dispose()
    }
  }
  const { theta } = await using(set, (session) => session.train(options, breathe, breathe))
  const pairs = await using(set, (session) =>
    lanczos(undefined, session.parameters, { k: session.parameters, hvpBlock: (v) => session.hessianProducts(theta, v, breathe) }),
  )
  const positive = pairs.values.filter((value) => value > 1e-9).length
  const vectors = pairs.vectors.slice(0, positive)
  const values = pairs.values.slice(0, positive).map((value) => value * set.rows)
  /** Σ p(class 0), or the sum of the values. */
  const answers = async (at: Float64Array) => {
    const p = await using(queried, (session) => session.predict(at, breathe))
    const own = p.filter((_, i) => i % shape.outputs === 0)
    return { relaxed: own.reduce((sum, value) => sum + value, 0), hard: own.filter((value) => value > 0.5).length }
  }
  const weights = Float32Array.from({ length: queried.rows * shape.outputs }, (_, i) => (i % shape.outputs === 0 ? 1 : 0))
  const gradient = await using(queried, (session) => session.weightedGradient(theta, weights, breathe))
  const g = vectors.map((v) => v.reduce((sum, x, i) => sum + x * gradient[i]!, 0))
  const rowsOf = (examples: Required<Examples>): Promise<GroupRows> =>
    using(examples, async (session) => ({
      rows: examples.rows,
      p: await session.predict(theta, breathe),
      y: examples.y,
      classes: shape.outputs,
      tangents: await session.outputTangents(theta, vectors, breathe),
    }))
  const tangents = await using(set, (session) => session.lossTangents(theta, vectors, breathe))
  const influence = Float64Array.from({ length: set.rows }, (_, z) =>
    g.reduce((sum, along, l) => sum + (along * tangents[l * set.rows + z]!) / values[l]!, 0),
  )
  const best = [...influence.keys()].sort((a, b) => influence[b]! - influence[a]!)
  const along = vectors.map((v) => v.reduce((sum, x, i) => sum + x * theta[i]!, 0))
  return {
    set,
    best,
    influence,
    before: (await answers(theta)).relaxed,
    hardBefore: (await answers(theta)).hard,
    /** What the step predicts: of q, linear in θ or asked again, and the sum of single influences. */
    predict: async (gone: Required<Examples>, came: Required<Examples> | undefined) => {
      const change = { gone: [await rowsOf(gone)], came: came ? [await rowsOf(came)] : [] }
      const { step, sum, curvature } = groupStep({ values, ...change, penalty: { l2: shape.l2, along } })
      const linear = g.reduce((total, x, l) => total + x * step[l]!, 0)
      const base = (await answers(theta)).relaxed
      const moved = (t: number) => theta.map((x, i) => x + t * vectors.reduce((total, v, l) => total + step[l]! * v[i]!, 0))
      const hard: number[] = []
      let t = 1
      for (let round = 0; round < 3; round++) {
        const there = await answers(moved(t))
        hard.push(there.hard, Number(t.toFixed(2)))
        t *= linear / (there.relaxed - base)
      }
      return { linear, hard, sum: g.reduce((total, x, l) => total + x * sum[l]!, 0), curvature }
    },
    retrained: async (examples: Required<Examples>) => {
      const fitted = await using(examples, (session) => session.train({ ...options, from: theta }, breathe, breathe))
      return answers(fitted.theta)
    },
  }
}

describe('a group of rows, predicted and trained again', () => {
  test('removing the top rows: the step is closer than the sum of influences', async () => {
    const { set, best, influence, before, hardBefore, predict, retrained } = await lab('classification')
    const errors = { step: 0, sum: 0 }
    for (const n of [5, 20, 40, 80, 120]) {
      const rows = best.slice(0, n)
      const gone = new Set(rows)
      const after = await retrained(
        chosen(
          set,
          [...influence.keys()].filter((z) => !gone.has(z)),
        ),
      )
      const real = after.relaxed - before
      const { linear, hard, curvature } = await predict(chosen(set, rows), undefined)
      const sum = rows.reduce((total, z) => total + influence[z]!, 0)
      expect(curvature).toBe('reduced')
      expect(Math.abs(linear - real), `${n} rows`).toBeLessThan(Math.abs(sum - real))
      errors.step += Math.abs(linear - real) / real
      errors.sum += Math.abs(sum - real) / real
      if (process.env.FIGURES) console.log(JSON.stringify({ n, real, sum, linear, hardBefore, hardReal: after.hard, hard }))
    }
    expect(errors.step).toBeLessThan(errors.sum / 2)
  })

  test('relabelling: the sum is the step, for the curvature stays', async () => {
    const { set, best, before, hardBefore, predict, retrained } = await lab('classification')
    for (const n of [5, 20, 40, 80, 120]) {
      const rows = best.slice(0, n)
      const y = set.y.slice() as Int32Array
      for (const row of rows) y[row] = 1 - y[row]!
      const mended = { ...set, y }
      const after = await retrained(mended)
      const real = after.relaxed - before
      const { linear, hard, sum } = await predict(chosen(set, rows), chosen(mended, rows))
      expect(linear).toBeCloseTo(sum, 9)
      expect(Math.abs(linear - real) / real, `${n} rows`).toBeLessThan(0.15)
      if (process.env.FIGURES) console.log(JSON.stringify({ relabel: n, real, sum, linear, hardBefore, hardReal: after.hard, hard }))
    }
  })

  test('a linear model: one step is the optimum', async () => {
    const { set, best, influence, before, predict, retrained } = await lab('regression')
    for (const n of [1, 40, 150]) {
      const rows = best.slice(0, n)
      const rest = [...influence.keys()].filter((z) => !rows.includes(z))
      const real = (await retrained(chosen(set, rest))).relaxed - before
      expect((await predict(chosen(set, rows), undefined)).linear).toBeCloseTo(real, 2)
    }
  })
})

describe('what cannot be', () => {
  const one: GroupRows = { rows: 1, p: Float32Array.of(0.5, 0.5), y: Int32Array.of(0), classes: 2, tangents: Float32Array.of(4, -4) }
  test('curvature that is all gone leaves the sum, and says so', () => {
    const { step, sum, curvature } = groupStep({ values: [1], gone: [one], came: [], penalty: { l2: 0, along: [0] } })
    expect(curvature).toBe('as before')
    expect([...step]).toEqual([...sum])
  })
  test('nothing changed is no step', () => {
    const { step } = groupStep({ values: [2], gone: [one], came: [one], penalty: { l2: 0.1, along: [3] } })
    expect([...step]).toEqual([0])
  })
})
