import { factorise, solveInPlace } from './cholesky.ts'
import type { Preconditioner } from './lbfgs.ts'
import type { Device, Named, Pass } from './pass.ts'
import type { Architecture, Breathe, Examples } from './session.ts'

/**
 * An approximate inverse Hessian for models without hidden layers. Their Hessian is Σ_z A(z) ⊗ x xᵀ with A = diag(p) − p·pᵀ (softmax) or 1; it is
 * approximated by one matrix for all outputs, (1/m) Σ a(z)·x xᵀ + l2, over m ≈ 4·d evenly spaced rows, a = the mean of p(1 − p) over the classes (the bound
 * of Böhning 1992 has ½ for it; scale does not matter here, the relative weight of rows does). One matrix for all keeps steps within Σ_c θ_c = 0, where the optimum is.
 * Cost: m·d² operations on the device, d³/3 here, d²·outputs for each application. Not worth it beyond `widest` inputs.
 * On MNIST with l2 1e-3, L-BFGS needs about 50 gradients with it to a norm of 1e-4 and 150 without; more rows change nothing, a renewal after ten iterations saves ten.
 */
export interface Sampled<H> {
  readonly device: Device<H>
  readonly architecture: Architecture
  readonly examples: Examples
  compile(pass: Pass): Promise<(inputs: Named<H>) => Promise<Named<H>>>
}

export const widest = 1200

export async function preconditionerAt<H>(sampled: Sampled<H>, theta: Float64Array, breathe: Breathe): Promise<Preconditioner | undefined> {
  const { architecture, examples, device } = sampled
  const { inputs, outputs, l2 } = architecture
  const size = inputs + 1
  if (inputs > widest) return undefined
  const wanted = Math.min(examples.rows, Math.max(2048, Math.ceil(sampleFactor * size)))
  const perBatch = 1024
  const gram = new Float64Array(size * size)
  const run = await sampled.compile(gramPass(architecture))
  for (let start = 0; start < wanted; start += perBatch) {
    await breathe()
    const rows = Math.min(perBatch, wanted - start)
    const x = new Float32Array(rows * size)
    for (let i = 0; i < rows; i++) {
      const row = Math.floor(((start + i) * examples.rows) / wanted)
      x.set(examples.x.subarray(row * inputs, (row + 1) * inputs), i * size)
      x[i * size + inputs] = 1
    }
    const given = { x: device.upload(x, [rows, size], 'passing'), theta: device.upload(theta, [size, outputs], 'passing') }
    let made: Named<H> = {}
    try {
      made = await run(given)
      const part = await device.read(made.gram!)
      for (let i = 0; i < part.length; i++) gram[i] = gram[i]! + part[i]!
    } finally {
      for (const handle of [...Object.values(made), ...Object.values(given)]) device.release(handle)
    }
  }
  let trace = 0
  for (let i = 0; i < size; i++) trace += gram[i * size + i]! / wanted
  if (!Number.isFinite(trace)) return undefined
  // A sample of m rows misses directions that other rows have; and without l2 the matrix may be singular.
  const ridge = Math.max(l2, (1e-4 * trace) / size, 1e-12)
  for (let i = 0; i < gram.length; i++) gram[i] = gram[i]! / wanted
  for (let i = 0; i < size; i++) gram[i * size + i] = gram[i * size + i]! + ridge
  const factor = await factorise(gram, size, breathe)
  if (factor === undefined) return undefined
  return (gradient) => {
    const solution = gradient.slice()
    solveInPlace(factor, size, solution, outputs)
    return solution
  }
}

const sampleFactor = 4

/** Σ a(z)·x xᵀ over rows that carry a 1 for the bias at their end. */
function gramPass(architecture: Architecture): Pass {
  const { inputs, outputs, task } = architecture
  const size = inputs + 1
  return {
    name: `gram ${task} ${inputs}-${outputs}`,
    inputs: [
      { name: 'x', shape: [-1, size] },
      { name: 'theta', shape: [size, outputs] },
    ],
    outputs: [{ name: 'gram', shape: [size, size], over: 'sum' }],
    build(ops, { x, theta }) {
      if (task === 'regression') return { gram: ops.transposedMatMul(x!, x!) }
      const p = ops.softmax(ops.matMul(x!, theta!))
      const spread = ops.scale(ops.sum(ops.mul(p, ops.sub(ops.constant([1], [1, 1]), p)), 1, 'keep'), 1 / outputs)
      return { gram: ops.transposedMatMul(ops.mul(x!, spread), x!) }
    },
  }
}
