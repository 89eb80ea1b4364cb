import { factorise, invertLower } from './cholesky.ts'
import type { Preconditioner } from './lbfgs.ts'
import type { Device, Named, Pass } from './pass.ts'
import type { Architecture, Breathe, Examples } from './session.ts'

/**
 * An approximate inverse Hessian for models without hidden layers. Their Hessian is Σ_z A(z) ⊗ x xᵀ with A = diag(p) − p·pᵀ (softmax) or 1; it is
 * approximated by one matrix for all outputs, (1/m) Σ a(z)·x xᵀ + l2, over m ≈ 4·d evenly spaced rows, a = the mean of p(1 − p) over the classes (the bound
 * of Böhning 1992 has ½ for it; scale does not matter here, the relative weight of rows does). One matrix for all keeps steps within Σ_c θ_c = 0, where the optimum is.
 * Cost: m·d² operations on the device, 2·d³/3 here, 4·d²·outputs on the device for each application. Not worth it beyond `widest` inputs.
 * On MNIST with l2 1e-3, L-BFGS needs about 50 gradients with it to a norm of 1e-4 and 150 without; more rows change nothing, a renewal after ten iterations saves ten.
 */
export interface Sampled<H> {
  readonly device: Device<H>
  readonly architecture: Architecture
  readonly examples: Examples
  compile(pass: Pass): Promise<(inputs: Named<H>) => Promise<Named<H>>>
}

export const widest = 1200

/** `release` gives back what it holds on the device. */
export interface Held {
  readonly precondition: Preconditioner
  release(): void
}

export async function preconditionerAt<H>(sampled: Sampled<H>, theta: Float64Array, breathe: Breathe): Promise<Held | undefined> {
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
  const inverse = device.upload(await invertLower(factor, size, breathe), [size, size], 'passing')
  return { precondition: (vectors) => solved(sampled, inverse, vectors), release: () => device.release(inverse) }
}

/** L⁻ᵀ·(L⁻¹·v): symmetric and positive definite however it is rounded. */
async function solved<H>(
  { device, architecture, compile }: Sampled<H>,
  inverse: H,
  vectors: readonly Float64Array[],
): Promise<readonly Float64Array[]> {
  const { outputs } = architecture
  const size = architecture.inputs + 1
  const width = outputs * vectors.length
  const sides = new Float64Array(size * width)
  for (const [v, vector] of vectors.entries())
    for (let i = 0; i < size; i++) for (let c = 0; c < outputs; c++) sides[i * width + v * outputs + c] = vector[i * outputs + c]!
  // Gradients shrink to the end of float32's range where they are squared: what goes in is of size one.
  const scale = largest(sides) || 1
  for (let i = 0; i < sides.length; i++) sides[i] = sides[i]! / scale
  const run = await compile(solvePass(size, width))
  const given = device.upload(sides, [size, width], 'passing')
  let made: Named<H> = {}
  try {
    made = await run({ inverse, sides: given })
    const products = await device.read(made.products!)
    return vectors.map((vector, v) => {
      const product = new Float64Array(vector.length)
      for (let i = 0; i < size; i++)
        for (let c = 0; c < outputs; c++) product[i * outputs + c] = products[i * width + v * outputs + c]! * scale
      return product
    })
  } finally {
    for (const handle of [...Object.values(made), given]) device.release(handle)
  }
}

function largest(values: Float64Array): number {
  let found = 0
  for (const value of values) found = Math.max(found, Math.abs(value))
  return found
}

function solvePass(size: number, width: number): Pass {
  return {
    name: `solve ${size} ${width}`,
    inputs: [
      { name: 'inverse', shape: [size, size] },
      { name: 'sides', shape: [size, width] },
    ],
    outputs: [{ name: 'products', shape: [size, width], over: 'state' }],
    build: (ops, { inverse, sides }) => ({ products: ops.transposedMatMul(inverse!, ops.matMul(inverse!, sides!)) }),
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
