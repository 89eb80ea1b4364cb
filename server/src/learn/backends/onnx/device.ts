import { totalmem } from 'node:os'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Device, Named, Pass, Values } from '../../pass.ts'
import { compilePass, type Variant } from './compile-pass.ts'
import { createPool } from './pool.ts'

export type Runtime = typeof import('onnxruntime-node')

/** Numbers in this process's memory; the runtime reads and writes them in place. */
export interface OnnxTensor {
  readonly values: Float32Array
  readonly shape: readonly number[]
  readonly tensor: Tensor
  readonly use: 'resident' | 'passing' | 'made'
  /** Its transpose, made when a product first wants it: blocks of so many rows, each [columns, rows]. */
  turned?: { readonly rows: number; readonly blocks: readonly Tensor[] }
  /** Somebody else may hold the values: they are not used again for another tensor. */
  seen: boolean
}

/**
 * Whole passes on ONNX Runtime: recorded once into a graph, compiled once for each pass and kept. A batch of a pass with wide layers goes through in
 * pieces, so that activations stay in the processor's cache: its outputs for rows are written side by side, its sums added up in the graph itself.
 */
export function onnxDevice(runtime: Runtime, options: InferenceSession.SessionOptions): Device<OnnxTensor> & { dispose(): Promise<void> } {
  const pool = createPool(pooledBytes)
  const sessions = new Map<string, Promise<Compiled>>()

  const tensorOf = (values: Float32Array, shape: readonly number[]): Tensor => new runtime.Tensor('float32', values, shape)
  const handleOf = (values: Float32Array, shape: readonly number[], use: OnnxTensor['use']): OnnxTensor => ({
    values,
    shape,
    tensor: tensorOf(values, shape),
    use,
    seen: false,
  })

  const sessionFor = (pass: Pass, variant: Variant): Promise<Compiled> => {
    const key = `${pass.name}|${variant.turned}|${variant.sums}`
    const known = sessions.get(key)
    // The order of a map is that of insertion: what is used goes to the end, the beginning is what is given up.
    sessions.delete(key)
    const made = known ?? compile(runtime, pass, variant, options)
    sessions.set(key, made)
    if (sessions.size > keptSessions) {
      const [oldest, session] = sessions.entries().next().value!
      sessions.delete(oldest)
      release(session)
    }
    return made
  }

  const turnedOf = async (handle: OnnxTensor, piece: number): Promise<readonly Tensor[]> => {
    const [rows, columns] = handle.shape as [number, number]
    if (handle.turned === undefined) {
      const { session } = await sessionFor(turnPass(columns), { turned: [], sums: 'alone' })
      const blocks: Tensor[] = []
      for (let start = 0; start < rows; start += piece) {
        const count = Math.min(piece, rows - start)
        const block = tensorOf(pool.take(count * columns), [columns, count])
        await session.run({ a: cut(tensorOf, handle, start, count) }, { 'out:b': block })
        blocks.push(block)
      }
      handle.turned = { rows: piece, blocks }
    }
    return handle.turned.blocks
  }

  const execute = async (pass: Pass, inputs: Named<OnnxTensor>): Promise<Named<OnnxTensor>> => {
    const batched = pass.inputs.filter(({ shape }) => shape.includes(-1)).map(({ name }) => name)
    const resident = batched.filter((name) => inputs[name]!.use === 'resident' && inputs[name]!.shape.length === 2)
    const rows = batched.length === 0 ? 1 : inputs[batched[0]!]!.shape[0]!
    const piece = resident.map((name) => inputs[name]!.turned?.rows).find((known) => known !== undefined) ?? pieceRows(pass, rows)
    const whole = piece >= rows
    const { session, wanted } = await sessionFor(pass, { turned: resident, sums: whole ? 'alone' : 'into' })
    const turned: Record<string, readonly Tensor[]> = {}
    for (const name of resident) if (wanted.has(`turned:${name}`)) turned[name] = await turnedOf(inputs[name]!, piece)

    const made: Record<string, OnnxTensor> = {}
    for (const { name, shape } of pass.outputs) {
      const extents = shape.map((extent) => (extent === -1 ? rows : extent))
      made[name] = handleOf(pool.take(product(extents)), extents, 'made')
    }
    const feeds: Record<string, Tensor> = {}
    for (const { name } of pass.inputs) if (wanted.has(name)) feeds[name] = inputs[name]!.tensor
    if (whole) {
      for (const [name, [block]] of Object.entries(turned)) feeds[`turned:${name}`] = block!
      await session.run(feeds, Object.fromEntries(pass.outputs.map(({ name }) => [`out:${name}`, made[name]!.tensor])))
      return made
    }

    // Sums go to and fro between two buffers: what a run reads it must not write.
    const sums = pass.outputs.filter(({ over }) => over === 'sum')
    const other = Object.fromEntries(
      sums.map(({ name }) => [name, handleOf(pool.take(made[name]!.values.length), made[name]!.shape, 'made')]),
    )
    const pieces = Math.ceil(rows / piece)
    for (const { name } of sums) (pieces % 2 === 0 ? made : other)[name]!.values.fill(0)
    for (let index = 0; index < pieces; index++) {
      const start = index * piece
      const count = Math.min(piece, rows - start)
      for (const name of batched) if (wanted.has(name)) feeds[name] = cut(tensorOf, inputs[name]!, start, count)
      for (const [name, blocks] of Object.entries(turned)) feeds[`turned:${name}`] = blocks[index]!
      const [from, to] = (pieces - index) % 2 === 0 ? [made, other] : [other, made]
      for (const { name } of sums) feeds[`into:${name}`] = from[name]!.tensor
      const fetches = pass.outputs.map(({ name, over }) => {
        const tensor = over === 'sum' ? to[name]!.tensor : cut(tensorOf, made[name]!, start, count)
        return [`out:${name}`, tensor] as const
      })
      await session.run(feeds, Object.fromEntries(fetches))
    }
    for (const handle of Object.values(other)) pool.give(handle.values)
    return made
  }

  return {
    upload(values: Values, shape, use) {
      // The runtime reads neither float64 nor shared memory.
      const readable = values instanceof Float32Array && values.buffer instanceof ArrayBuffer
      if (readable) return { ...handleOf(values, shape, use), seen: true }
      const own = pool.take(values.length)
      own.set(values)
      return handleOf(own, shape, use)
    },
    async read(handle) {
      handle.seen = true
      return handle.values
    },
    release(handle) {
      if (!handle.seen) pool.give(handle.values)
      handle.seen = true
      for (const block of handle.turned?.blocks ?? []) pool.give(block.data as Float32Array)
      handle.turned = undefined
    },
    async compile(pass) {
      return async (inputs) => {
        try {
          return await execute(pass, inputs)
        } catch (failure) {
          throw new Error(`ONNX Runtime failed in the pass "${pass.name}": ${firstLine(failure)}`, { cause: failure })
        }
      }
    },
    batchWork: 8e8,
    memory: Math.min(mostMemory, available() / 4),
    async dispose() {
      const all = [...sessions.values()]
      sessions.clear()
      await Promise.allSettled(all.map(release))
    },
  }
}

interface Compiled {
  readonly session: InferenceSession
  /** Names of inputs that the graph reads. */
  readonly wanted: ReadonlySet<string>
}

const keptSessions = 48
const pooledBytes = 256e6
const mostMemory = 4e9
/** Layers of at most this many columns, tangents included, let a batch through as it is: their products are bound by reading it. */
const narrow = 256
/** Rows of a piece otherwise: its activations and the numbers behind them stay in a core's second-level cache. */
const pieceOfRows = 512

async function compile(runtime: Runtime, pass: Pass, variant: Variant, options: InferenceSession.SessionOptions): Promise<Compiled> {
  const { model, inputs } = compilePass(pass, variant)
  return { session: await runtime.InferenceSession.create(model, options), wanted: inputs }
}

async function release(compiled: Promise<Compiled>): Promise<void> {
  const { session } = await compiled
  await session.release()
}

/** Rows that go through at once: all, where the pass hands on a state or its layers are narrow. */
function pieceRows(pass: Pass, rows: number): number {
  if (pass.outputs.some(({ over, shape }) => over === 'state' || (over === 'rows' && shape[0] !== -1))) return rows
  const widths = pass.inputs.filter(({ shape }) => !shape.includes(-1)).map(({ shape }) => shape.at(-1)!)
  return Math.max(0, ...widths) < narrow ? rows : pieceOfRows
}

function cut(
  tensorOf: (values: Float32Array, shape: readonly number[]) => Tensor,
  handle: OnnxTensor,
  start: number,
  count: number,
): Tensor {
  const width = handle.values.length / handle.shape[0]!
  return tensorOf(handle.values.subarray(start * width, (start + count) * width), [count, ...handle.shape.slice(1)])
}

function turnPass(columns: number): Pass {
  return {
    name: `turn ${columns}`,
    inputs: [{ name: 'a', shape: [-1, columns] }],
    outputs: [{ name: 'b', shape: [columns, -1], over: 'rows' }],
    build: (ops, { a }) => ({ b: ops.transpose(a!) }),
  }
}

/** What this process may have: a container's limit, where there is one. Not what is free just now: results must not depend on that. */
function available(): number {
  const limit = process.constrainedMemory?.() ?? 0
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

function product(extents: readonly number[]): number {
  return extents.reduce((total, extent) => total * extent, 1)
}

function firstLine(failure: unknown): string {
  return (failure instanceof Error ? failure.message : String(failure)).split('\n', 1)[0]!
}
