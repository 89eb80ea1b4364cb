import { type AdamMemory, adamMemory } from './adam-memory.ts'
import { type ParameterShape, parameterShapes } from './parameters.ts'
import type { Named } from './pass.ts'
import { adam, adamPass } from './passes.ts'
import { copied, stepRows } from './step-rows.ts'
import type { Trainable } from './train.ts'

/** Parameters and moments between the steps of Adam: in this process's memory where the device reads it in place, else on the device. */
export interface Descent<H> {
  /** As inputs of a pass. */
  readonly parameters: Named<H>
  /** Of the rows with these numbers. False where numbers stopped being numbers. `steps` counts from 1. */
  step(chosen: Int32Array, steps: number): Promise<boolean>
  theta(): Promise<Float64Array>
  release(): void
}

/** `targets` as the passes want them, `most` rows a step. */
export async function descend<H>(trainable: Trainable<H>, targets: Float32Array, theta: Float64Array, most: number): Promise<Descent<H>> {
  return trainable.device.inPlace ? inMemory(trainable, targets, theta, most) : onDevice(trainable, targets, theta, most)
}

/** α·√(1 − β₂ᵗ)/(1 − β₁ᵗ): Kingma & Ba 2015, §2. */
const rateAt = (step: number): number => (adam.rate * Math.sqrt(1 - adam.beta2 ** step)) / (1 - adam.beta1 ** step)

/** A pass gives the batch's gradient; one sweep over memory does the rest. */
async function inMemory<H>(trainable: Trainable<H>, targets: Float32Array, theta: Float64Array, most: number): Promise<Descent<H>> {
  const { device, session } = trainable
  const { architecture } = session
  const shapes = parameterShapes(architecture)
  const { beta1, beta2, epsilon } = adam
  const scale = Math.sqrt(1 - beta2)
  const memory: AdamMemory = adamMemory(theta, { l2: architecture.l2, beta1, beta2, epsilon: epsilon / scale })
  const rows = stepRows(trainable, targets, most)
  const run = await trainable.compile(rows.gradient)
  const tensors = (prefix: string, all: Float32Array): Named<H> =>
    Object.fromEntries(
      shapes.map((shape) => [prefix + shape.name, device.upload(partOf(all, shape), [shape.rows, shape.columns], 'passing')]),
    )
  const parameters = tensors('', memory.parameters)
  const slopes = tensors('g:', memory.slopes)
  return {
    parameters,
    async step(chosen, steps) {
      const own = { ...rows.of(chosen), share: device.upload(Float32Array.of(1 / chosen.length), [1, 1], 'passing') }
      let made: Named<H> = {}
      try {
        made = await run({ ...parameters, ...rows.lasting, ...own }, slopes)
        if (!(await device.read(made.health!)).every(Number.isFinite)) return false
        memory.update((rateAt(steps) * (1 - beta1)) / scale)
        return true
      } finally {
        for (const handle of [...Object.values(own), ...Object.values(made)]) device.release(handle)
      }
    },
    theta: async () => Float64Array.from(memory.parameters),
    release: () => {
      for (const handle of [parameters, slopes, rows.lasting].flatMap((handles) => Object.values(handles))) device.release(handle)
    },
  }
}

async function onDevice<H>(trainable: Trainable<H>, targets: Float32Array, theta: Float64Array, most: number): Promise<Descent<H>> {
  const { device, session } = trainable
  const shapes = parameterShapes(session.architecture)
  const run = await trainable.compile(adamPass(session.architecture))
  const rows = copied(trainable, targets, most)
  const names = shapes.flatMap(({ name }) => [name, `m:${name}`, `s:${name}`])
  let state: Record<string, H> = {}
  for (const shape of shapes) {
    const extent = [shape.rows, shape.columns]
    state[shape.name] = device.upload(partOf(theta, shape), extent, 'passing')
    for (const moment of ['m:', 's:'])
      state[moment + shape.name] = device.upload(new Float32Array(shape.rows * shape.columns), extent, 'passing')
  }
  return {
    get parameters() {
      return state
    },
    async step(chosen, steps) {
      const given = {
        ...rows.of(chosen),
        rate: device.upload(Float32Array.of(rateAt(steps)), [1, 1], 'passing'),
        share: device.upload(Float32Array.of(1 / chosen.length), [1, 1], 'passing'),
      }
      let made: Record<string, H> = {}
      try {
        made = { ...(await run({ ...state, ...given })) }
        if (!(await device.read(made.health!)).every(Number.isFinite)) return false
        const old = state
        state = Object.fromEntries(names.map((name) => [name, made[name]!]))
        for (const name of names) {
          delete made[name]
          device.release(old[name]!)
        }
        return true
      } finally {
        for (const handle of [...Object.values(given), ...Object.values(made)]) device.release(handle)
      }
    },
    async theta() {
      const all = new Float64Array(theta.length)
      for (const shape of shapes) all.set(await device.read(state[shape.name]!), shape.offset)
      return all
    },
    release: () => {
      for (const handle of Object.values(state)) device.release(handle)
    },
  }
}

function partOf<A extends Float32Array | Float64Array>(all: A, { offset, rows, columns }: ParameterShape): A {
  return all.subarray(offset, offset + rows * columns) as A
}
