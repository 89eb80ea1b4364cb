import { activations } from './layers/activation.ts'
import { dense } from './layers/dense.ts'
import type { Head, Layer, Solved } from './layers/layer.ts'
import { softmaxCrossEntropy } from './layers/softmax-cross-entropy.ts'
import { squaredError } from './layers/squared-error.ts'
import type { Ops } from './ops.ts'
import type { Architecture } from './session.ts'

/** Layers in a row and what ends them. */
export interface Network {
  readonly layers: readonly Layer[]
  readonly head: Head
}

export function networkOf(architecture: Architecture): Network {
  const { inputs, hidden, activation, outputs, task } = architecture
  const layers: Layer[] = []
  let width = inputs
  for (const next of hidden) {
    layers.push(dense(width, next), activations[activation](next))
    width = next
  }
  layers.push(dense(width, outputs))
  return { layers, head: task === 'classification' ? softmaxCrossEntropy(outputs) : squaredError }
}

/** The network at one θ over one batch: what each layer got and gave. The last output is absent when activations were kept instead of computed. */
export interface Trace<T> {
  readonly layers: readonly Solved<T>[]
  readonly predictions: T
}

export function solve<T>(network: Network, ops: Ops<T>, parameters: readonly T[], x: T): Trace<T> & { readonly outputs: T } {
  const layers: Solved<T>[] = []
  let input = x
  let used = 0
  for (const layer of network.layers) {
    const own = parameters.slice(used, (used += layer.parameters))
    const output = layer.forward(ops, { parameters: own, input })
    layers.push({ parameters: own, input, output })
    input = output
  }
  return { layers, outputs: input, predictions: network.head.predict(ops, input) }
}

/** The tensors of a trace that the derivatives need: outputs of activations, and the predictions. Those of dense layers are not. */
export function keptOf<T>(network: Network, trace: Trace<T>): T[] {
  const kept = network.layers.flatMap((layer, index) => (layer.parameters === 0 ? [trace.layers[index]!.output] : []))
  return [...kept, trace.predictions]
}

/** A trace rebuilt from kept tensors; where the output of a dense layer stood there is x, which no derivative reads. */
export function restore<T>(network: Network, parameters: readonly T[], x: T, kept: readonly T[]): Trace<T> {
  const layers: Solved<T>[] = []
  let input = x
  let used = 0
  let next = 0
  for (const layer of network.layers) {
    const own = parameters.slice(used, (used += layer.parameters))
    const output = layer.parameters === 0 ? kept[next++]! : input
    layers.push({ parameters: own, input, output })
    input = output
  }
  return { layers, predictions: kept[next]! }
}

/** Tangents of every layer's output, [n, t, m], along t directions of the parameters. */
export function push<T>(network: Network, ops: Ops<T>, trace: Trace<T>, directions: readonly T[], count: number): readonly T[] {
  const tangents: T[] = []
  let input: T | undefined
  let used = 0
  network.layers.forEach((layer, index) => {
    const own = directions.slice(used, (used += layer.parameters))
    input = layer.jvp(ops, trace.layers[index]!, { count, parameters: own, input })
    tangents.push(input)
  })
  return tangents
}

/** Cotangents of the parameters, in their order, given that of the outputs. */
export function pull<T>(network: Network, ops: Ops<T>, trace: Trace<T>, cotangent: T): T[] {
  const results: (readonly T[])[] = []
  let current = cotangent
  for (let index = network.layers.length - 1; index >= 0; index--) {
    const wanted = index === 0 ? 'parameters' : 'both'
    const back = network.layers[index]!.backward(ops, trace.layers[index]!, current, wanted)
    results.unshift(back.parameters)
    if (back.input !== undefined) current = back.input
  }
  return results.flat()
}

/** Tangents of the cotangents of the parameters, [rows, t·columns] each: Hessian times direction, when the cotangent is that of the loss. */
export function pullTangents<T>(network: Network, ops: Ops<T>, trace: Trace<T>, moving: Pushed<T>, cotangent: T, tangent: T): T[] {
  const { directions, tangents, count } = moving
  const results: (readonly T[])[] = []
  let used = directions.length
  let current = cotangent
  let currentTangent = tangent
  for (let index = network.layers.length - 1; index >= 0; index--) {
    const layer = network.layers[index]!
    const at = trace.layers[index]!
    const own = directions.slice(used - layer.parameters, used)
    used -= layer.parameters
    const wanted = index === 0 ? 'parameters' : 'both'
    const moved = { count, parameters: own, input: index === 0 ? undefined : tangents[index - 1], output: tangents[index]! }
    const turned = layer.rop(ops, at, moved, current, currentTangent, wanted)
    results.unshift(turned.parameters)
    if (index === 0) break
    current = layer.backward(ops, at, current, 'input').input!
    currentTangent = turned.input!
  }
  return results.flat()
}

export interface Pushed<T> {
  readonly count: number
  readonly directions: readonly T[]
  readonly tangents: readonly T[]
}
