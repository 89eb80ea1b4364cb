import { openSession } from '../open-session.ts'
import type { Device } from '../pass.ts'
import { createRng } from '../rng.ts'
import type { Architecture, Examples, Session } from '../session.ts'
import { referenceDevice } from './reference.ts'

/** What a device must be able to do, each tested for itself. */
export const capabilities = ['gradient', 'tangents', 'hessian'] as const
export type Capability = (typeof capabilities)[number]

/** Relative to the largest entry; float32 sums over a few hundred terms stay well below. */
const allowed = 1e-4

/**
 * Our layers on this device against float64 loops: the gradient of the cross-entropy, directional derivatives and Hessian products of a small network with a
 * hidden layer, and of a logistic regression. Gives the capabilities that failed, with how far off they were.
 */
export async function selfTest<H>(device: Device<H>): Promise<{ readonly passed: boolean; readonly summary: string }> {
  const failures: string[] = []
  for (const architecture of architectures) {
    const examples = sample(architecture)
    const tested = await openSession(device, architecture, examples)
    const reference = await openSession(referenceDevice, architecture, examples)
    const rng = createRng(7)
    const theta = Float64Array.from({ length: tested.parameters }, () => rng.normal() * 0.5)
    const vectors = [0, 1, 2].map(() => Float64Array.from({ length: tested.parameters }, () => rng.normal()))
    try {
      for (const capability of capabilities) {
        const apart = difference(await compute(tested, capability, theta, vectors), await compute(reference, capability, theta, vectors))
        if (!(apart <= allowed))
          failures.push(
            `${capability} of a ${architecture.hidden.length > 0 ? 'network' : 'logistic regression'} is off by ${apart.toExponential(1)}`,
          )
      }
    } finally {
      tested.dispose()
      reference.dispose()
    }
  }
  return { passed: failures.length === 0, summary: failures.length === 0 ? 'passed' : failures.join('; ') }
}

const architectures: readonly Architecture[] = [
  { task: 'classification', inputs: 7, hidden: [], activation: 'relu', outputs: 3, l2: 1e-3 },
  { task: 'classification', inputs: 7, hidden: [6], activation: 'tanh', outputs: 3, l2: 1e-3 },
  { task: 'classification', inputs: 7, hidden: [6, 5], activation: 'relu', outputs: 3, l2: 1e-3 },
]

function sample({ inputs, outputs }: Architecture): Examples {
  const rows = 37
  const rng = createRng(3)
  const x = Float32Array.from({ length: rows * inputs }, () => rng.normal())
  return { rows, x, y: Int32Array.from({ length: rows }, () => rng.below(outputs)) }
}

async function compute(
  session: Session,
  capability: Capability,
  theta: Float64Array,
  vectors: readonly Float64Array[],
): Promise<ArrayLike<number>[]> {
  const breathe = (): void => {}
  switch (capability) {
    case 'gradient':
      return [(await session.gradient(theta, breathe)).gradient]
    case 'tangents':
      return [await session.lossTangents(theta, vectors, breathe)]
    case 'hessian':
      return session.hessianProducts(theta, vectors, breathe)
  }
}

function difference(found: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  let apart = 0
  let largest = 0
  expected.forEach((row, index) => {
    for (let i = 0; i < row.length; i++) {
      // NaN must not pass for "no larger".
      const off = Math.abs(found[index]![i]! - row[i]!)
      apart = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(apart, off)
      largest = Math.max(largest, Math.abs(row[i]!))
    }
  })
  return apart / largest
}
