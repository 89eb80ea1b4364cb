import { totalmem } from 'node:os'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Device, Named, Pass, Values } from '../../pass.ts'
import { compilePass } from './compile-pass.ts'
import { createPool } from './pool.ts'

export type Runtime = typeof import('onnxruntime-node')

/** Numbers in this process's memory; the runtime reads and writes them in place. */
export interface OnnxTensor {
  readonly values: Float32Array
  readonly shape: readonly number[]
  readonly tensor: Tensor
  readonly use: 'resident' | 'passing' | 'made'
  /** Its transpose over a row of ones, made when a product first wants it. */
  turned?: Tensor
  /** Somebody else may hold the values: they are not used again for another tensor. */
  seen: boolean
}

/** Whole passes on ONNX Runtime: recorded once into a graph, compiled once for each pass and kept. */
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

  const sessionFor = (pass: Pass, turned: readonly string[]): Promise<Compiled> => {
    const key = `${pass.name}|${turned}`
    const known = sessions.get(key)
    // The order of a map is that of insertion: what is used goes to the end, the beginning is what is given up.
    sessions.delete(key)
    const made = known ?? compile(runtime, pass, turned, options)
    sessions.set(key, made)
    // What could not be compiled is tried again when it is asked for again: memory may have been short.
    if (known === undefined) made.catch(() => sessions.delete(key))
    if (sessions.size > keptSessions) {
      const [oldest, session] = sessions.entries().next().value!
      sessions.delete(oldest)
      release(session).catch(() => {})
    }
    return made
  }

  const turnedOf = async (handle: OnnxTensor): Promise<Tensor> => {
    if (handle.turned !== undefined) return handle.turned
    const [rows, columns] = handle.shape as [number, number]
    const { session } = await sessionFor(turnPass(columns), [])
    const values = pool.take((columns + 1) * rows)
    await session.run({ a: handle.tensor }, { 'out:b': tensorOf(values.subarray(0, columns * rows), [columns, rows]) })
    values.fill(1, columns * rows)
    handle.turned = tensorOf(values, [columns + 1, rows])
    return handle.turned
  }

  const execute = async (pass: Pass, inputs: Named<OnnxTensor>, into: Named<OnnxTensor>): Promise<Named<OnnxTensor>> => {
    const batched = pass.inputs.filter(({ shape }) => shape.includes(-1)).map(({ name }) => name)
    const resident = batched.filter((name) => inputs[name]!.use === 'resident' && inputs[name]!.shape.length === 2)
    const rows = batched.length === 0 ? 1 : inputs[batched[0]!]!.shape[0]!
    const { session, wanted } = await sessionFor(pass, resident)
    const feeds: Record<string, Tensor> = {}
    for (const { name } of pass.inputs) if (wanted.has(name)) feeds[name] = inputs[name]!.tensor
    for (const name of resident) if (wanted.has(`turned:${name}`)) feeds[`turned:${name}`] = await turnedOf(inputs[name]!)
    const made: Record<string, OnnxTensor> = {}
    const fetches: Record<string, Tensor> = {}
    for (const { name, shape } of pass.outputs) {
      const extents = shape.map((extent) => (extent === -1 ? rows : extent))
      const own = into[name]
      if (own === undefined) made[name] = handleOf(pool.take(product(extents)), extents, 'made')
      fetches[`out:${name}`] = (own ?? made[name]!).tensor
    }
    await session.run(feeds, fetches)
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
      if (handle.turned !== undefined) pool.give(handle.turned.data as Float32Array)
      handle.turned = undefined
    },
    async compile(pass) {
      return async (inputs, into = {}) => {
        try {
          return await execute(pass, inputs, into)
        } catch (failure) {
          throw new Error(`ONNX Runtime failed in the pass "${pass.name}": ${firstLine(failure)}`, { cause: failure })
        }
      }
    },
    inPlace: true,
    readsInPlace: options.executionProviders?.every((provider) => provider === 'cpu') ? true : undefined,
    batchWork: 2.5e9,
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

async function compile(
  runtime: Runtime,
  pass: Pass,
  turned: readonly string[],
  options: InferenceSession.SessionOptions,
): Promise<Compiled> {
  const { model, inputs } = compilePass(pass, turned)
  return { session: await runtime.InferenceSession.create(model, options), wanted: inputs }
}

async function release(compiled: Promise<Compiled>): Promise<void> {
  const { session } = await compiled
  await session.release()
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
