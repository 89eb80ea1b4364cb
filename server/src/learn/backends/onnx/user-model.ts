import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { importRuntime } from '../onnx.ts'
import type { Runtime } from './device.ts'
import { bytes, message, text } from './protobuf.ts'
import { type ModelOutline, NotOnnx, penultimate, readModel } from './read-model.ts'

/**
 * A model that was trained elsewhere, run by ONNX Runtime on the processor: only forward, in batches that the caller makes. The file is somebody's:
 * its outline is read first, what refers to other files is refused, and whatever the runtime says against it is a sentence.
 */
export interface UserModel {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly outline: ModelOutline
  /** Fetches one output. */
  run(feeds: Readonly<Record<string, Feed>>, output: string): Promise<Answer>
  release(): Promise<void>
}

/** `type` is ONNX Runtime's word; undefined: a map or a sequence. An extent that is no number is known only at run time; no shape: nothing is. */
export interface Port {
  readonly name: string
  readonly type?: string
  readonly shape: readonly (number | undefined)[]
}

export interface Feed {
  readonly type: 'float32' | 'float64' | 'int64' | 'int32' | 'uint8' | 'bool' | 'string'
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | readonly string[]
  readonly shape: readonly number[]
}

/** Numbers as float32; labels that are integers or texts as they are. */
export interface Answer {
  readonly shape: readonly number[]
  readonly values: Float32Array | readonly (string | number)[]
}

/** A sentence about the file that fits behind its name: "is no ONNX model: …". */
export class UnusableModel extends Error {}

export interface UserModelOptions {
  readonly threads: number
  /** Also make this value inside the graph an output; `penultimate`: what the last dense layer reads. */
  readonly reveal?: { readonly kind: 'penultimate' } | { readonly kind: 'named'; readonly name: string }
}

/** Throws `UnusableModel`. `revealed` is the output that was asked for. */
export async function openUserModel(
  file: Uint8Array,
  { threads, reveal }: UserModelOptions,
): Promise<UserModel & { readonly revealed?: string }> {
  const outline = outlineOf(file)
  const revealed = reveal && revealedIn(outline, reveal)
  const runtime = await runtimeFor()
  const inside = revealed !== undefined && !outline.outputs.includes(revealed)
  const session = await create(runtime, inside ? withOutput(file, revealed) : file, threads)
  const inputs = session.inputMetadata.map(portOf)
  return {
    inputs,
    outputs: session.outputMetadata.map(portOf),
    outline,
    revealed,
    async run(feeds, output) {
      const tensors = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, tensorOf(runtime, feed)]))
      try {
        const { [output]: tensor } = await session.run(tensors, [output])
        return answerOf(tensor!)
      } catch (failure) {
        if (failure instanceof UnusableModel) throw failure
        throw new UnusableModel(`failed on these rows: ${said(failure)}`)
      }
    },
    release: () => session.release(),
  }
}

function outlineOf(file: Uint8Array): ModelOutline {
  let outline: ModelOutline
  try {
    outline = readModel(file)
  } catch (failure) {
    if (!(failure instanceof NotOnnx)) throw failure
    throw new UnusableModel(`is no ONNX model: ${failure.message}`)
  }
  if (outline.external !== undefined) {
    const where = outline.external === '' ? 'another file' : `another file (\`${outline.external.slice(0, 80)}\`)`
    throw new UnusableModel(
      `keeps weights in ${where}: save it as one file, with \`onnx.save_model(model, path, save_as_external_data=False)\``,
    )
  }
  return outline
}

function revealedIn(outline: ModelOutline, reveal: NonNullable<UserModelOptions['reveal']>): string {
  if (reveal.kind === 'named') {
    const made = outline.outputs.includes(reveal.name) || outline.nodes.some((node) => node.outputs.includes(reveal.name))
    if (made) return reveal.name
    throw new UnusableModel(`has no output and no value inside called \`${reveal.name}\`. Its outputs are ${listed(outline.outputs)}`)
  }
  const found = penultimate(outline)
  if (found !== undefined) return found
  const inside = outline.nodes.flatMap((node) => node.outputs).filter((name) => name !== '' && !outline.outputs.includes(name))
  throw new UnusableModel(
    `has no layer before a last dense one. Name the value to take as the embedding, as \`onnx('file', output: 'name')\`: its outputs are ${listed(outline.outputs)}${inside.length > 0 ? `, the last values inside ${listed(inside.slice(-5))}` : ''}`,
  )
}

export const listed = (names: readonly string[]): string =>
  names
    .slice(0, 12)
    .map((name) => `\`${name}\``)
    .join(', ') || 'none'

/** A message that stands twice is merged (protobuf's encoding guide, "Last One Wins"): what is appended adds an output to the graph. */
function withOutput(file: Uint8Array, name: string): Uint8Array {
  return message(file, bytes(7, bytes(12, message(text(1, name)))))
}

async function runtimeFor(): Promise<Runtime> {
  try {
    const runtime = await importRuntime()
    runtime.env.logLevel = 'fatal'
    return runtime
  } catch (failure) {
    throw new UnusableModel(
      `cannot be run: ${said(failure)} Models in ONNX form need the optional package: \`npm install onnxruntime-node\``,
    )
  }
}

async function create(runtime: Runtime, file: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(file, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      extra: { session: { force_spinning_stop: '1' } },
    })
  } catch (failure) {
    throw new UnusableModel(`cannot be loaded by ONNX Runtime: ${said(failure)}`)
  }
}

function portOf(port: InferenceSession.ValueMetadata): Port {
  if (!port.isTensor) return { name: port.name, shape: [] }
  return {
    name: port.name,
    type: port.type,
    shape: port.shape.map((extent) => (typeof extent === 'number' && extent > 0 ? extent : undefined)),
  }
}

function tensorOf(runtime: Runtime, { type, data, shape }: Feed): Tensor {
  return new runtime.Tensor(type as 'float32', data as Float32Array, shape)
}

function answerOf(tensor: Tensor): Answer {
  const { data, dims, type } = tensor
  if (data instanceof Float32Array) return { shape: dims, values: data }
  if (data instanceof Float64Array) return { shape: dims, values: Float32Array.from(data) }
  if (data instanceof BigInt64Array || data instanceof Int32Array) return { shape: dims, values: Array.from(data, Number) }
  if (Array.isArray(data)) return { shape: dims, values: data as string[] }
  throw new UnusableModel(`gives \`${type}\`, where float, double, integers or texts are expected`)
}

/** The first line of what the runtime said, without its own codes and places. */
function said(failure: unknown): string {
  const line = (failure instanceof Error ? failure.message : String(failure)).split('\n', 1)[0]!
  const words = line.replace(/^\[ONNXRuntimeError\][^A-Za-z]*\d*[^A-Za-z]*[A-Z_]+\s*:\s*/, '').trim()
  return `${words.slice(0, 300)}${/[.!?]$/.test(words) ? '' : '.'}`
}
