import { addPacked, type ParameterShape } from './parameters.ts'
import type { Device, Named, Pass } from './pass.ts'

/**
 * Sums over rows that stay on the device from batch to batch: to read each and add it here takes longer than all else of a network's batch but its products (1.5 ms for 200 000
 * parameters). Every `batchesBetween` batches they are added to the totals in float64, so that float32's error does not grow with the rows.
 */
export interface RunningSums<H> {
  /** What the next batch begins with, for a `cumulative` pass; the receiver releases it. */
  before(): Named<H>
  /** Takes the sums out of a batch's results. */
  after(results: Named<H>): Promise<void>
  /** The totals are complete when it resolves. */
  end(): Promise<void>
  /** For a sweep that does not come to its end. */
  release(): void
}

const batchesBetween = 8

/** `totals`: a flat vector for each direction, side by side in the sums (`packTangents`). */
export function runningSums<H>(device: Device<H>, shapes: readonly ParameterShape[], totals: readonly Float64Array[]): RunningSums<H> {
  let held: Record<string, H> | undefined
  let batches = 0
  const release = (): void => {
    for (const handle of Object.values(held ?? {})) device.release(handle)
    held = undefined
  }
  const end = async (): Promise<void> => {
    if (held === undefined) return
    for (const shape of shapes) addPacked(shape, await device.read(held[beforeName(shape)]!), totals)
    release()
  }
  return {
    before() {
      const given = held ?? zeros(device, shapes, totals.length)
      held = undefined
      return given
    },
    async after(results) {
      const taken = results as Record<string, H>
      held = {}
      for (const shape of shapes) {
        held[beforeName(shape)] = taken[`g:${shape.name}`]!
        delete taken[`g:${shape.name}`]
      }
      batches++
      if (batches % batchesBetween === 0) await end()
    },
    end,
    release,
  }
}

/** A pass whose sums begin where those of the batch before ended. */
export function cumulative(pass: Pass): Pass {
  const sums = pass.outputs.filter(({ over }) => over === 'sum')
  return {
    name: `cumulative ${pass.name}`,
    inputs: [...pass.inputs, ...sums.map(({ name, shape }) => ({ name: `before:${name}`, shape }))],
    outputs: pass.outputs,
    build(ops, inputs) {
      const results = pass.build(ops, inputs)
      for (const { name } of sums) results[name] = ops.add(inputs[`before:${name}`]!, results[name]!)
      return results
    },
  }
}

function beforeName({ name }: ParameterShape): string {
  return `before:g:${name}`
}

function zeros<H>(device: Device<H>, shapes: readonly ParameterShape[], count: number): Record<string, H> {
  return Object.fromEntries(
    shapes.map((shape) => {
      const extents = [shape.rows, count * shape.columns]
      return [beforeName(shape), device.upload(new Float32Array(shape.rows * count * shape.columns), extents, 'passing')]
    }),
  )
}
