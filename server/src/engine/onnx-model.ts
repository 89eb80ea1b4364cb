import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { OnnxSpec } from '../check/spec.ts'
import { vectorColumn } from '../data/embeddings.ts'
import { type ColumnData, type Columns, DataProblem } from '../data/tables.ts'
import { listed, openUserModel, UnusableModel, type UserModel } from '../learn/backends/onnx/user-model.ts'
import type { ModelPlan } from '../plan/plan.ts'
import { digest, type RunContext } from './context.ts'
import { type Feeder, feederFor } from './onnx-feeds.ts'

/**
 * Models in ONNX form: the file is read once a run and known by its hash, a session is opened where it is first asked for, and what it gives for
 * rows is kept in the cache by the hash of the file and of the very numbers that went in. Here: files, sessions, batches. What the numbers mean
 * stands in `onnx-answers.ts`.
 */
export interface OnnxModels {
  readonly threads: number
  readonly files: Map<string, OnnxFile>
  readonly sessions: Map<string, Promise<OpenModel>>
}
interface OnnxFile {
  readonly bytes: Uint8Array
  readonly hash: string
}
type OpenModel = UserModel & { readonly revealed?: string }

export const createOnnxModels = (threads: number): OnnxModels => ({ threads, files: new Map(), sessions: new Map() })

export async function releaseOnnxModels({ sessions }: OnnxModels): Promise<void> {
  const opened = [...sessions.values()]
  sessions.clear()
  await Promise.allSettled(opened.map(async (session) => (await session).release()))
}

/** The model in ONNX form that a plan runs, as a model of its own or for its embeddings. */
export function onnxOf({ model }: ModelPlan): OnnxSpec | undefined {
  if (model.kind === 'onnx') return model
  return model.kind === 'head' && model.embedding.kind === 'onnx' ? model.embedding : undefined
}

/** Of the file that a plan runs, if any. Reads it once a run. Throws `DataProblem`. */
export const onnxHash = (ctx: RunContext, plan: ModelPlan): string | undefined => {
  const onnx = onnxOf(plan)
  return onnx && fileOf(ctx, onnx).hash
}

/** Protocol Buffers end there. */
const LARGEST_BYTES = 2 ** 31

/** The same where the file has been read; a failure before that has its own sentence. */
export const knownOnnxHash = (ctx: RunContext, plan: ModelPlan): string | undefined => ctx.onnx.files.get(onnxOf(plan)?.path ?? '')?.hash

function fileOf(ctx: RunContext, { path }: OnnxSpec): OnnxFile {
  const known = ctx.onnx.files.get(path)
  if (known) return known
  let bytes: Uint8Array
  try {
    const stats = statSync(path)
    if (!stats.isFile()) throw new DataProblem('missing-file', `\`${path}\` is no file: name the ONNX file itself.`)
    if (stats.size > LARGEST_BYTES)
      throw new DataProblem('too-large', `\`${path}\` is larger than 2 GiB, which no ONNX file in one piece is.`)
    bytes = readFileSync(path)
  } catch (failure) {
    if (failure instanceof DataProblem) throw failure
    const { code } = failure as { code?: string }
    if (code === 'ENOENT') throw new DataProblem('missing-file', `There is no file \`${path}\`. Paths are relative to the spec.`)
    throw new DataProblem('missing-file', `\`${path}\` cannot be read (${code ?? 'unknown'}).`)
  }
  const file = { bytes, hash: createHash('sha256').update(bytes).digest('hex') }
  ctx.onnx.files.set(path, file)
  return file
}

/** `layer`: what an embedding is taken from. */
export async function openedModel(ctx: RunContext, onnx: OnnxSpec, want: 'answers' | 'layer'): Promise<OpenModel> {
  const file = fileOf(ctx, onnx)
  const reveal =
    onnx.output !== undefined
      ? ({ kind: 'named', name: onnx.output } as const)
      : want === 'layer'
        ? ({ kind: 'penultimate' } as const)
        : undefined
  const key = JSON.stringify([file.hash, reveal])
  const opening = ctx.onnx.sessions.get(key) ?? openUserModel(file.bytes, { threads: ctx.onnx.threads, reveal })
  ctx.onnx.sessions.set(key, opening)
  return sentences(onnx, () => opening)
}

/** What the model says against itself, behind its file's name. */
async function sentences<T>(onnx: OnnxSpec, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    if (!(failure instanceof UnusableModel)) throw failure
    throw new DataProblem('onnx', `\`${onnx.path}\` ${failure.message.replace(/[.]?$/, '.')}`)
  }
}

/** One output for all rows: numbers, rows × width, or labels. `valid[i] === 0`: the row has none. */
export interface Outputs {
  readonly rows: number
  readonly width: number
  readonly values: Float32Array
  readonly labels?: readonly (string | number)[]
  readonly valid?: Uint8Array
}

const BATCH_FLOATS = 4e6
const MOST_ROWS = 2048

/** Runs the model over rows in batches; a fixed batch is filled up. O(rows) passes of the model, none where the cache has these rows. */
export async function outputsFor(ctx: RunContext, plan: ModelPlan, { onnx, user, output }: Asked, columns: Columns): Promise<Outputs> {
  const feeder = feederFor(plan, user, columns)
  const { rows } = columns
  const size = feeder.batch ?? Math.max(1, Math.min(MOST_ROWS, Math.floor(BATCH_FLOATS / Math.max(1, feeder.width))))
  const hash = digest(fileOf(ctx, onnx).hash, output, inputDigest(feeder, rows, size))
  const stored = ctx.cache.read<{ width: number }>('onnx', hash)
  if (stored) return checked({ rows, width: stored.meta.width, values: stored.arrays.values as Float32Array, valid: feeder.valid })
  let values: Float32Array | undefined
  const labels: (string | number)[] = []
  let width = 1
  for (let start = 0; start < rows; start += size) {
    ctx.step(`running ${plan.name}`, start, rows)
    await ctx.breathe()
    const count = Math.min(size, rows - start)
    const padded = feeder.batch ?? count
    const answer = await sentences(onnx, () => user.run(feeder.feeds(start, count, padded), output))
    const own = answer.values.length / padded
    if (answer.shape[0] !== padded || !Number.isInteger(own)) {
      throw new DataProblem(
        'onnx',
        `\`${onnx.path}\` gives [${answer.shape.join(', ')}] as \`${output}\` for ${padded} rows: its first extent must be the rows.`,
      )
    }
    if (!(answer.values instanceof Float32Array)) {
      labels.push(...answer.values.slice(0, count * own))
      width = own
      continue
    }
    values ??= new Float32Array(rows * own)
    if (values.length !== rows * own) throw new DataProblem('onnx', `\`${onnx.path}\` gives \`${output}\` in another shape for other rows.`)
    width = own
    values.set(answer.values.subarray(0, count * own), start * own)
  }
  if (values === undefined) return { rows, width, values: new Float32Array(0), labels, valid: feeder.valid }
  ctx.cache.write('onnx', hash, { width }, { values })
  return checked({ rows, width, values, valid: feeder.valid })
}

export interface Asked {
  readonly onnx: OnnxSpec
  readonly user: UserModel
  readonly output: string
}

function inputDigest(feeder: Feeder, rows: number, size: number): Uint8Array {
  const hash = createHash('sha256').update(String(rows))
  for (let start = 0; start < rows; start += size) {
    const count = Math.min(size, rows - start)
    for (const [name, { data, shape }] of Object.entries(feeder.feeds(start, count, count))) {
      hash.update(JSON.stringify([name, shape]))
      hash.update(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : JSON.stringify(data))
    }
  }
  return hash.digest()
}

/** A row for which the model gives something that is no finite number has no answer. */
function checked(outputs: Outputs): Outputs {
  const { rows, width, values } = outputs
  let valid = outputs.valid?.slice()
  for (let i = 0; i < rows; i++) {
    let finite = true
    for (let j = 0; j < width; j++) if (!Number.isFinite(values[i * width + j]!)) finite = false
    if (finite) continue
    valid ??= new Uint8Array(rows).fill(1)
    valid[i] = 0
  }
  return { ...outputs, valid }
}

/** Embeddings of rows: what the layer that `output` names, or the last one before the classes, gives for each. */
export async function embedRows(ctx: RunContext, plan: ModelPlan, onnx: OnnxSpec, columns: Columns): Promise<ColumnData> {
  const user = await openedModel(ctx, onnx, 'layer')
  const outputs = await outputsFor(ctx, plan, { onnx, user, output: user.revealed! }, columns)
  if (outputs.labels) {
    throw new DataProblem(
      'onnx',
      `\`${user.revealed}\` of \`${onnx.path}\` holds labels, no numbers: name another value as the embedding. Its outputs are ${listed(user.outline.outputs)}.`,
    )
  }
  return vectorColumn(outputs.values, outputs.rows, outputs.valid)
}
