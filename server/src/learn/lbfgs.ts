/**
 * Minimises a smooth function by L-BFGS (Liu & Nocedal 1989; two-loop recursion, Nocedal & Wright 2006, Alg. 7.4) in float64 over a gradient that
 * may carry float32 noise: steps are accepted by the *approximate* Wolfe conditions of Hager & Zhang (2005, §1.2), which compare slopes where
 * differences of the function are lost in rounding, and a pair that shows no curvature is left out (cautious updating, Li & Fukushima 2001).
 * Cost of an iteration: one evaluation, rarely two, and 4·memory·p operations.
 */
export interface LbfgsOptions {
  /** Stop at this Euclidean norm of the gradient. */
  readonly tolerance: number
  readonly iterations: number
  /** Pairs remembered. */
  readonly memory: number
  /** An approximate inverse Hessian for this point; asked before every iteration, and where it gives none the last one stays. */
  readonly precondition?: (theta: Float64Array, iteration: number) => Promise<Preconditioner | undefined>
  readonly progress?: (iteration: number, gradientNorm: number) => void
}

/** The products of an approximate inverse Hessian, symmetric and positive definite, with several vectors at once. */
export type Preconditioner = (vectors: readonly Float64Array[]) => Promise<readonly Float64Array[]>

export interface Evaluation {
  readonly loss: number
  readonly gradient: Float64Array
}

export interface Minimum {
  readonly theta: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly iterations: number
  readonly evaluations: number
  readonly end: 'converged' | 'iterations' | 'no-progress' | 'not-finite'
}

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly inverse: number
}

/** Iterations without a better gradient norm after which rounding has the last word. */
const patience = 30

export async function minimise(
  evaluate: (theta: Float64Array) => Promise<Evaluation>,
  start: Float64Array,
  options: LbfgsOptions,
): Promise<Minimum> {
  let evaluations = 0
  const at = async (theta: Float64Array): Promise<Evaluation> => {
    evaluations++
    return evaluate(theta)
  }
  let theta: Float64Array = start.slice()
  let here = await at(theta)
  let norm = length(here.gradient)
  let best = { theta, loss: here.loss, norm }
  let bestAt = 0
  let pairs: Pair[] = []
  let precondition: Preconditioner | undefined
  let iteration = 0
  const finish = (end: Minimum['end']): Minimum => ({
    theta: best.theta,
    loss: best.loss,
    gradientNorm: best.norm,
    iterations: iteration,
    evaluations,
    end,
  })
  if (!Number.isFinite(here.loss) || !Number.isFinite(norm)) return finish('not-finite')

  for (; iteration < options.iterations; iteration++) {
    if (norm <= options.tolerance) return finish('converged')
    if (iteration - bestAt >= patience) return finish('no-progress')
    precondition = (await options.precondition?.(theta, iteration)) ?? precondition
    let direction = await twoLoop(here.gradient, pairs, precondition)
    let slope = dot(direction, here.gradient)
    if (!(slope < 0)) {
      pairs = []
      direction = await twoLoop(here.gradient, pairs, precondition)
      slope = dot(direction, here.gradient)
    }
    if (!(slope < 0)) return finish('no-progress')
    const first = pairs.length > 0 || precondition !== undefined ? 1 : Math.min(1, 1 / norm)
    const found = await search(at, theta, here, direction, slope, first)
    if (found === 'not-finite') return finish('not-finite')
    if (found === undefined) {
      if (pairs.length === 0) return finish('no-progress')
      pairs = []
      continue
    }
    const step = difference(found.theta, theta)
    const change = difference(found.gradient, here.gradient)
    const curvature = dot(step, change)
    if (curvature > 1e-10 * dot(step, step)) {
      pairs.push({ step, change, inverse: 1 / curvature })
      if (pairs.length > options.memory) pairs.shift()
    }
    theta = found.theta
    here = found
    norm = length(here.gradient)
    if (norm < best.norm) {
      if (norm < 0.98 * best.norm) bestAt = iteration + 1
      best = { theta, loss: here.loss, norm }
    }
    options.progress?.(iteration + 1, norm)
  }
  return finish(norm <= options.tolerance ? 'converged' : 'iterations')
}

/** −H·g, H from the pairs on top of the preconditioner, scaled by the last pair. */
async function twoLoop(
  gradient: Float64Array,
  pairs: readonly Pair[],
  precondition: Preconditioner = async (vectors) => vectors,
): Promise<Float64Array> {
  const current = gradient.map((value) => -value)
  const factors = new Float64Array(pairs.length)
  for (let index = pairs.length - 1; index >= 0; index--) {
    const { step, change, inverse } = pairs[index]!
    factors[index] = inverse * dot(step, current)
    addTo(current, change, -factors[index]!)
  }
  const last = pairs.at(-1)
  const [product, turned] = await precondition(last === undefined ? [current] : [current, last.change])
  const direction = product!
  if (last !== undefined && turned !== undefined) {
    const factor = 1 / (last.inverse * dot(last.change, turned))
    for (let i = 0; i < direction.length; i++) direction[i] = direction[i]! * factor
  }
  pairs.forEach(({ step, change, inverse }, index) => {
    addTo(direction, step, factors[index]! - inverse * dot(change, direction))
  })
  return direction
}

interface Found extends Evaluation {
  readonly theta: Float64Array
}

const sufficient = 1e-4
const flat = 0.9
/** What float32 sums may add to the loss without meaning anything. */
const noise = 1e-7

/** A step length that satisfies the Wolfe conditions or their approximate form, by bracketing and interpolation of slopes. */
async function search(
  at: (theta: Float64Array) => Promise<Evaluation>,
  theta: Float64Array,
  here: Evaluation,
  direction: Float64Array,
  slope: number,
  first: number,
): Promise<Found | 'not-finite' | undefined> {
  let low = { length: 0, slope }
  let high: { length: number; slope: number } | undefined
  let length = first
  let finite = false
  for (let trial = 0; trial < 20; trial++) {
    const there = theta.map((value, i) => value + length * direction[i]!)
    const found = await at(there)
    const slopeThere = dot(found.gradient, direction)
    if (!Number.isFinite(found.loss) || !Number.isFinite(slopeThere)) {
      high = { length, slope: Number.NaN }
      length = low.length + (length - low.length) * 0.1
      continue
    }
    finite = true
    const rises = found.loss > here.loss + noise * Math.abs(here.loss)
    const falls = found.loss <= here.loss + sufficient * length * slope || (!rises && slopeThere <= (2 * sufficient - 1) * slope)
    if (falls && slopeThere >= flat * slope) return { ...found, theta: there }
    if (rises || slopeThere >= 0) high = { length, slope: slopeThere }
    else low = { length, slope: slopeThere }
    length = nextLength(low, high)
    if (high !== undefined && high.length - low.length < 1e-12 * high.length) return undefined
  }
  return finite ? undefined : 'not-finite'
}

function nextLength(low: { length: number; slope: number }, high: { length: number; slope: number } | undefined): number {
  if (high === undefined) return low.length * 3
  const width = high.length - low.length
  // The root of the line through both slopes, kept away from the ends; bisection where there is none.
  const root = high.slope > 0 ? -low.slope / (high.slope - low.slope) : 0.5
  return low.length + width * Math.max(0.1, Math.min(0.9, root))
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function length(a: Float64Array): number {
  return Math.sqrt(dot(a, a))
}

function addTo(target: Float64Array, a: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + factor * a[i]!
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!)
}
