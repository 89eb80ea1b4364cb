import { keptOf, type Network, networkOf, pull, pullTangents, push, restore, solve, type Trace } from './network.ts'
import type { Ops } from './ops.ts'
import { parameterShapes } from './parameters.ts'
import type { OutputSpec, Pass, TensorSpec } from './pass.ts'
import type { Architecture } from './session.ts'

/**
 * Everything that a session asks of a device, as passes: forward, loss and gradient, tangents, Hessian products, a step of Adam. Names of
 * tensors: `x`, `y` (one-hot classes, or values), parameters `w0 b0 w1 …`, directions `v:w0 …`, sums `g:w0 …`, kept activations `k0 k1 …`
 * (the last are the predictions).
 *
 * Passes that need activations come in three forms: `fresh` computes them; `keeping` does so and hands them out beside its results; `kept` takes
 * them as inputs, from a pass at the same θ that handed them out.
 */
export type Start = 'fresh' | 'keeping' | 'kept'

/** Predictions and activations, a row each: what the `kept` form of the other passes takes. */
export function forwardPass(architecture: Architecture): Pass {
  const network = networkOf(architecture)
  return {
    name: `forward ${signature(architecture)}`,
    inputs: [rowsOf('x', architecture.inputs), ...parametersOf(architecture)],
    outputs: handedOut(architecture, 'keeping'),
    build: (ops, inputs) => keptTensors(network, solve(network, ops, parameters(architecture, inputs), inputs.x!), 'keeping'),
  }
}

/** ℓ(z), [n, 1]. */
export function lossPass(architecture: Architecture): Pass {
  const network = networkOf(architecture)
  return {
    name: `loss ${signature(architecture)}`,
    inputs: [rowsOf('x', architecture.inputs), rowsOf('y', architecture.outputs), ...parametersOf(architecture)],
    outputs: [{ ...rowsOf('loss', 1), over: 'rows' }],
    build(ops, inputs) {
      const { outputs } = solve(network, ops, parameters(architecture, inputs), inputs.x!)
      return { loss: network.head.losses(ops, outputs, inputs.y!) }
    },
  }
}

/** ℓ(z) of every row and Σ ∇ℓ(z). */
export function gradientPass(architecture: Architecture): Pass {
  const network = networkOf(architecture)
  return {
    name: `gradient ${signature(architecture)}`,
    inputs: [rowsOf('x', architecture.inputs), rowsOf('y', architecture.outputs), ...parametersOf(architecture)],
    outputs: [{ ...rowsOf('loss', 1), over: 'rows' }, ...sumsOf(architecture, 1)],
    build(ops, inputs) {
      const trace = solve(network, ops, parameters(architecture, inputs), inputs.x!)
      const loss = network.head.losses(ops, trace.outputs, inputs.y!)
      const gradient = pull(network, ops, trace, network.head.cotangent(ops, trace.predictions, inputs.y!))
      return { loss, ...named(architecture, 'g:', gradient) }
    },
  }
}

/** Σ H(z)·v for `count` directions: one read of the rows for all of them. */
export function hessianPass(architecture: Architecture, count: number, start: Start): Pass {
  const network = networkOf(architecture)
  return {
    name: `hessian ${count} ${start} ${signature(architecture)}`,
    inputs: [...derivativeInputs(architecture, count, start), rowsOf('y', architecture.outputs)],
    outputs: [...sumsOf(architecture, count), ...handedOut(architecture, start)],
    build(ops, inputs) {
      const trace = begin(network, architecture, ops, inputs, start)
      const directions = parameters(architecture, inputs, 'v:')
      const tangents = push(network, ops, trace, directions, count)
      const cotangent = network.head.cotangent(ops, trace.predictions, inputs.y!)
      const tangent = network.head.cotangentTangent(ops, trace.predictions, tangents.at(-1)!)
      const sums = pullTangents(network, ops, trace, { count, directions, tangents }, cotangent, tangent)
      return { ...named(architecture, 'g:', sums), ...keptTensors(network, trace, start) }
    },
  }
}

/** ⟨v, ∇ℓ(z)⟩ of every row, [n, count]. */
export function lossTangentsPass(architecture: Architecture, count: number, start: Start): Pass {
  const network = networkOf(architecture)
  return {
    name: `loss-tangents ${count} ${start} ${signature(architecture)}`,
    inputs: [...derivativeInputs(architecture, count, start), rowsOf('y', architecture.outputs)],
    outputs: [{ ...rowsOf('tangents', count), over: 'rows' }, ...handedOut(architecture, start)],
    build(ops, inputs) {
      const trace = begin(network, architecture, ops, inputs, start)
      const tangents = push(network, ops, trace, parameters(architecture, inputs, 'v:'), count)
      const cotangent = network.head.cotangent(ops, trace.predictions, inputs.y!)
      const products = ops.mul(tangents.at(-1)!, ops.reshape(cotangent, [-1, 1, architecture.outputs]))
      return { tangents: ops.sum(products, 2, 'drop'), ...keptTensors(network, trace, start) }
    },
  }
}

/** ⟨v, ∇ output_c(z)⟩ of every row, before the link, [n, count, outputs]. */
export function outputTangentsPass(architecture: Architecture, count: number, start: Start): Pass {
  const network = networkOf(architecture)
  return {
    name: `output-tangents ${count} ${start} ${signature(architecture)}`,
    inputs: derivativeInputs(architecture, count, start),
    outputs: [{ name: 'tangents', shape: [-1, count, architecture.outputs], over: 'rows' }, ...handedOut(architecture, start)],
    build(ops, inputs) {
      const trace = begin(network, architecture, ops, inputs, start)
      const tangents = push(network, ops, trace, parameters(architecture, inputs, 'v:'), count)
      return { tangents: tangents.at(-1)!, ...keptTensors(network, trace, start) }
    },
  }
}

/** Σ_z Σ_c weights · ∇ prediction_c(z), with the weights as `weights` [n, outputs]. */
export function weightedGradientPass(architecture: Architecture, start: Exclude<Start, 'keeping'>): Pass {
  const network = networkOf(architecture)
  return {
    name: `weighted-gradient ${start} ${signature(architecture)}`,
    inputs: [...derivativeInputs(architecture, 0, start), rowsOf('weights', architecture.outputs)],
    outputs: sumsOf(architecture, 1),
    build(ops, inputs) {
      const trace = begin(network, architecture, ops, inputs, start)
      return named(architecture, 'g:', pull(network, ops, trace, network.head.pull(ops, trace.predictions, inputs.weights!)))
    },
  }
}

export const adam = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const

/**
 * The mean gradient of a batch, without the penalty's share, `share` [1, 1] being 1/n. Instead of the loss, which nobody reads, `health` has the sum of each
 * row's predictions: no number as soon as one of them is none.
 */
export function batchGradientPass(architecture: Architecture): Pass {
  const network = networkOf(architecture)
  const gradient = gradientPass(architecture)
  return {
    name: `batch-gradient ${signature(architecture)}`,
    inputs: [...gradient.inputs, { name: 'share', shape: [1, 1] }],
    outputs: [{ ...rowsOf('health', 1), over: 'rows' }, ...sumsOf(architecture, 1)],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>) {
      const trace = solve(network, ops, parameters(architecture, inputs), inputs.x!)
      // Dividing the cotangent by n saves a sweep over all parameters.
      const cotangent = ops.mul(network.head.cotangent(ops, trace.predictions, inputs.y!), inputs.share!)
      return { health: ops.sum(trace.predictions, 1, 'keep'), ...named(architecture, 'g:', pull(network, ops, trace, cotangent)) }
    },
  }
}

/** The same, of those rows of `all:x` and `all:y` whose numbers are `chosen`: the device picks them, with all its threads, where examples lie in memory it reads. */
export function chosenGradientPass(architecture: Architecture, rows: number): Pass {
  const gradient = batchGradientPass(architecture)
  const [x, y, ...others] = gradient.inputs
  return {
    name: `chosen-gradient ${rows} ${signature(architecture)}`,
    inputs: [
      { name: 'chosen', shape: [-1] },
      { name: 'all:x', shape: [rows, x!.shape[1]!] },
      { name: 'all:y', shape: [rows, y!.shape[1]!] },
      ...others,
    ],
    outputs: gradient.outputs,
    build(ops, inputs) {
      const of = (name: string) => ops.rowsAt(inputs[`all:${name}`]!, inputs.chosen!)
      return gradient.build(ops, { ...inputs, x: of('x'), y: of('y') })
    },
  }
}

/**
 * A step of Adam (Kingma & Ba 2015, Alg. 1, in the order of computation that their §2 gives): parameters and moments in, parameters and moments
 * out. `rate` [1, 1] is α·√(1 − β₂ᵗ)/(1 − β₁ᵗ), `share` [1, 1] is 1/n of the batch. Moments: `m:w0 …`, `s:w0 …`, which are m/(1 − β₁) and v/(1 − β₂) of
 * the paper: each operation saved is a sweep over all parameters.
 */
export function adamPass(architecture: Architecture): Pass {
  const gradient = batchGradientPass(architecture)
  const own = parametersOf(architecture)
  const states = [...own, ...own.map(prefixed('m:')), ...own.map(prefixed('s:'))]
  const scale = Math.sqrt(1 - adam.beta2)
  return {
    name: `adam ${signature(architecture)}`,
    inputs: [...gradient.inputs, ...states.slice(own.length), { name: 'rate', shape: [1, 1] }],
    outputs: [{ ...rowsOf('health', 1), over: 'rows' }, ...states.map((spec) => ({ ...spec, over: 'state' as const }))],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>) {
      const made = gradient.build(ops, inputs)
      const results: Record<string, T> = { health: made.health! }
      const rate = ops.scale(inputs.rate!, (1 - adam.beta1) / scale)
      for (const { name } of own) {
        const value = inputs[name]!
        const loss = made[`g:${name}`]!
        const slope = architecture.l2 === 0 ? loss : ops.add(loss, ops.scale(value, architecture.l2))
        const mean = ops.add(ops.scale(inputs[`m:${name}`]!, adam.beta1), slope)
        const square = ops.add(ops.scale(inputs[`s:${name}`]!, adam.beta2), ops.mul(slope, slope))
        const step = ops.div(mean, ops.add(ops.sqrt(square), ops.constant([adam.epsilon / scale], [1, 1])))
        results[name] = ops.sub(value, ops.mul(step, rate))
        results[`m:${name}`] = mean
        results[`s:${name}`] = square
      }
      return results
    },
  }
}

/** What is kept of a row between passes: the widths of the activations, and of the predictions. */
export function keptSpecs(architecture: Architecture): readonly TensorSpec[] {
  return [...architecture.hidden, architecture.outputs].map((width, index) => rowsOf(`k${index}`, width))
}

function signature({ task, inputs, hidden, activation, outputs, l2 }: Architecture): string {
  return `${task} ${[inputs, ...hidden, outputs].join('-')} ${activation} ${l2}`
}

function rowsOf(name: string, width: number): TensorSpec {
  return { name, shape: [-1, width] }
}

const prefixed =
  (prefix: string) =>
  ({ name, shape }: TensorSpec): TensorSpec => ({ name: prefix + name, shape })

function parametersOf(architecture: Architecture): readonly TensorSpec[] {
  return parameterShapes(architecture).map(({ name, rows, columns }) => ({ name, shape: [rows, columns] }))
}

function sumsOf(architecture: Architecture, count: number): readonly OutputSpec[] {
  return parameterShapes(architecture).map(({ name, rows, columns }) => ({
    name: `g:${name}`,
    shape: [rows, count * columns],
    over: 'sum',
  }))
}

function derivativeInputs(architecture: Architecture, count: number, start: Start): readonly TensorSpec[] {
  const directions = count === 0 ? [] : sumsOf(architecture, count).map(({ name, shape }) => ({ name: name.replace('g:', 'v:'), shape }))
  const kept = start === 'kept' ? keptSpecs(architecture) : []
  return [rowsOf('x', architecture.inputs), ...parametersOf(architecture), ...directions, ...kept]
}

function parameters<T>(architecture: Architecture, inputs: Readonly<Record<string, T>>, prefix = ''): T[] {
  return parameterShapes(architecture).map(({ name }) => inputs[prefix + name]!)
}

function named<T>(architecture: Architecture, prefix: string, tensors: readonly T[]): Record<string, T> {
  return Object.fromEntries(parameterShapes(architecture).map(({ name }, index) => [prefix + name, tensors[index]!]))
}

/** Activations and predictions beside the results of a pass. */
function handedOut(architecture: Architecture, start: Start): readonly OutputSpec[] {
  return start === 'keeping' ? keptSpecs(architecture).map((spec) => ({ ...spec, over: 'rows' })) : []
}

function keptTensors<T>(network: Network, trace: Trace<T>, start: Start): Record<string, T> {
  if (start !== 'keeping') return {}
  return Object.fromEntries(keptOf(network, trace).map((tensor, index) => [`k${index}`, tensor]))
}

function begin<T>(network: Network, architecture: Architecture, ops: Ops<T>, inputs: Readonly<Record<string, T>>, start: Start): Trace<T> {
  const own = parameters(architecture, inputs)
  if (start !== 'kept') return solve(network, ops, own, inputs.x!)
  const kept = keptSpecs(architecture).map(({ name }) => inputs[name]!)
  return restore(network, own, inputs.x!, kept)
}
