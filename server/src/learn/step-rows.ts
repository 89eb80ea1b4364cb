import type { Pass } from './pass.ts'
import { batchGradientPass, chosenGradientPass } from './passes.ts'
import type { Trainable } from './train.ts'

/** The rows of each step of a descent, as inputs of the pass that takes their gradient. */
export interface StepRows<H> {
  readonly gradient: Pass
  /** Handles of what does not last beyond the step: to be released after it. */
  of(chosen: Int32Array): Record<string, H>
  /** Handles that are inputs of every step. */
  readonly lasting: Readonly<Record<string, H>>
}

/** By whichever way moves fewer numbers; `targets` as the passes want them, `most` rows a step. */
export function stepRows<H>(trainable: Trainable<H>, targets: Float32Array, most: number): StepRows<H> {
  const { device, examples } = trainable
  return device.readsInPlace && examples.rows <= MOST_NUMBERED ? picked(trainable, targets) : copied(trainable, targets, most)
}

/** Numbers of rows go to the device as float32. */
const MOST_NUMBERED = 2 ** 24

/** The device picks the rows itself, with all its threads. */
function picked<H>({ device, examples, session }: Trainable<H>, targets: Float32Array): StepRows<H> {
  const { rows, x } = examples
  const { architecture } = session
  return {
    gradient: chosenGradientPass(architecture, rows),
    of: (chosen) => ({ chosen: device.upload(Float32Array.from(chosen), [chosen.length], 'passing') }),
    lasting: {
      'all:x': device.upload(x, [rows, architecture.inputs], 'passing'),
      'all:y': device.upload(targets, [rows, architecture.outputs], 'passing'),
    },
  }
}

/** They are copied together and sent. */
export function copied<H>({ device, examples, session }: Trainable<H>, targets: Float32Array, most: number): StepRows<H> {
  const { inputs, outputs } = session.architecture
  // Filled anew for each step: fresh megabytes cost more than the copying.
  const buffers = { x: new Float32Array(most * inputs), y: new Float32Array(most * outputs) }
  return {
    gradient: batchGradientPass(session.architecture),
    of: (chosen) => ({
      x: device.upload(gatherRows(examples.x, inputs, chosen, buffers.x), [chosen.length, inputs], 'passing'),
      y: device.upload(gatherRows(targets, outputs, chosen, buffers.y), [chosen.length, outputs], 'passing'),
    }),
    lasting: {},
  }
}

/** Gives the part of `into` that it fills. */
function gatherRows(values: Float32Array, width: number, order: Int32Array, into: Float32Array): Float32Array {
  for (const [i, row] of order.entries()) into.set(values.subarray(row * width, (row + 1) * width), i * width)
  return into.subarray(0, order.length * width)
}
