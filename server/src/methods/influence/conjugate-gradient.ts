import { breathe, type CancelToken } from '../cancel.ts'
import type { Product } from './lanczos.ts'

export interface ConjugateGradientOptions {
  /** 20 unless given. */
  readonly iterations?: number
  /** ‖residual‖ relative to ‖right side‖; 1e-4 unless given. */
  readonly tolerance?: number
  /** Added to the diagonal; 0 unless given. */
  readonly damping?: number
  readonly token?: CancelToken
}

export interface Solution {
  readonly solution: Float64Array
  /** ‖H·x − b‖/‖b‖, from the recurrence. */
  readonly residual: number
  readonly iterations: number
  readonly products: number
  readonly converged: boolean
  /** The operator is not positive along some direction met: the solution is the last before it, and damping is the remedy. */
  readonly negativeCurvature: boolean
}

/** Solves (H + damping)·x = b for a positive definite H (Hestenes & Stiefel 1952) from 0. One product and 10·p operations an iteration. */
export async function conjugateGradient(hvp: Product, rhs: Float64Array, o: ConjugateGradientOptions = {}): Promise<Solution> {
  const { iterations = 20, tolerance = 1e-4, damping = 0, token } = o
  const size = rhs.length
  const solution = new Float64Array(size)
  const residual = rhs.slice()
  let square = dot(residual, residual)
  if (!Number.isFinite(square)) throw new RangeError('The right side of the equations is not finite.')
  const whole = Math.sqrt(square)
  let done = 0
  let negativeCurvature = false
  const direction = residual.slice()
  while (whole > 0 && done < iterations && Math.sqrt(square) > tolerance * whole) {
    await breathe(token)
    const image = await hvp(direction)
    done++
    if (image.length !== size) throw new RangeError(`A product has ${image.length} entries where ${size} were expected.`)
    const curvature = dot(direction, image) + damping * dot(direction, direction)
    if (!Number.isFinite(curvature)) throw new RangeError('A Hessian product is not finite: the model or its data is not.')
    if (curvature <= 0) {
      negativeCurvature = true
      break
    }
    const length = square / curvature
    for (let i = 0; i < size; i++) {
      solution[i] = solution[i]! + length * direction[i]!
      residual[i] = residual[i]! - length * (image[i]! + damping * direction[i]!)
    }
    const next = dot(residual, residual)
    const carried = next / square
    square = next
    for (let i = 0; i < size; i++) direction[i] = residual[i]! + carried * direction[i]!
  }
  const relative = whole === 0 ? 0 : Math.sqrt(square) / whole
  return { solution, residual: relative, iterations: done, products: done, converged: relative <= tolerance, negativeCurvature }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
