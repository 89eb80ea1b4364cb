/**
 * What must be known of somebody else's ONNX file before it is run: its graph's values by name, whether it keeps weights in other files, and the
 * names of its classes. Only the outline is read (onnx.proto3; https://protobuf.dev/programming-guides/encoding); tensors are skipped over. The file is
 * not trusted: whatever does not fit its own lengths throws `NotOnnx`. O(number of fields).
 */
export interface ModelOutline {
  /** Without those that have a value in the file. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly OutlineNode[]
  /** Values that are constants: weights. */
  readonly initializers: ReadonlySet<string>
  /** Another file that tensors are said to lie in. */
  readonly external?: string
  /** From a classifier of `ai.onnx.ml`, or the file's metadata `classes`, a list in JSON. */
  readonly classes?: readonly (string | number)[]
}

export interface OutlineNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

export class NotOnnx extends Error {}

const most = { nodes: 1_000_000, depth: 32 } as const

export function readModel(file: Uint8Array): ModelOutline {
  const found: Found = { nodes: [], initializers: new Set(), external: undefined, classes: undefined, metadata: undefined }
  let inputs: string[] = []
  let outputs: string[] = []
  let graphs = 0
  for (const { field, body } of fields(file)) {
    if (field === 7 && body) {
      graphs++
      const named = readGraph(body, found, 0)
      inputs = [...inputs, ...named.inputs]
      outputs = [...outputs, ...named.outputs]
    }
    if (field === 14 && body) readMetadata(body, found)
    if (field === 25 && body) for (const part of fields(body)) if (part.field === 7 && part.body) readNode(part.body, found, 1)
  }
  if (graphs === 0 || outputs.length === 0) throw new NotOnnx('it holds no graph with outputs')
  return {
    inputs: inputs.filter((name) => !found.initializers.has(name)),
    outputs,
    nodes: found.nodes,
    initializers: found.initializers,
    external: found.external,
    classes: found.metadata ?? found.classes,
  }
}

interface Found {
  readonly nodes: OutlineNode[]
  readonly initializers: Set<string>
  external: string | undefined
  classes: readonly (string | number)[] | undefined
  metadata: readonly (string | number)[] | undefined
}

function readGraph(bytes: Uint8Array, found: Found, depth: number): { readonly inputs: string[]; readonly outputs: string[] } {
  if (depth > most.depth) throw new NotOnnx('its graphs are nested too deeply')
  const inputs: string[] = []
  const outputs: string[] = []
  for (const { field, body } of fields(bytes)) {
    if (body === undefined) continue
    if (field === 1) readNode(body, found, depth)
    if (field === 5) readTensor(body, found, depth)
    if (field === 15)
      for (const part of fields(body)) if (part.body && (part.field === 1 || part.field === 2)) readTensor(part.body, found, depth)
    if (field === 11) inputs.push(nameIn(body, 1))
    if (field === 12) outputs.push(nameIn(body, 1))
  }
  return { inputs, outputs }
}

function readNode(bytes: Uint8Array, found: Found, depth: number): void {
  const inputs: string[] = []
  const outputs: string[] = []
  let op = ''
  for (const { field, body } of fields(bytes)) {
    if (body === undefined) continue
    if (field === 1) inputs.push(textOf(body))
    if (field === 2) outputs.push(textOf(body))
    if (field === 4) op = textOf(body)
    if (field === 5) readAttribute(body, found, depth)
  }
  // Values inside a loop or a branch are not values of the graph.
  if (depth === 0) found.nodes.push({ op, inputs, outputs })
  if (depth === 0 && op === 'Constant') for (const name of outputs) found.initializers.add(name)
  if (found.nodes.length > most.nodes) throw new NotOnnx('its graph is too large')
}

function readAttribute(bytes: Uint8Array, found: Found, depth: number): void {
  const strings: string[] = []
  const integers: number[] = []
  let name = ''
  for (const { field, body, number } of fields(bytes)) {
    if (field === 1 && body) name = textOf(body)
    if ((field === 5 || field === 10) && body) readTensor(body, found, depth + 1)
    if ((field === 6 || field === 11) && body) readGraph(body, found, depth + 1)
    if (field === 9 && body) strings.push(textOf(body))
    if (field === 8) integers.push(...(body ? varints(body) : [Number(BigInt.asIntN(64, number ?? 0n))]))
  }
  if (/^classlabels_(strings|ints|int64s)$/.test(name)) found.classes = strings.length > 0 ? strings : integers
}

function readTensor(bytes: Uint8Array, found: Found, depth: number): void {
  for (const { field, body, number } of fields(bytes)) {
    if (field === 8 && body && depth === 0) found.initializers.add(textOf(body))
    if (field === 13 && body) {
      if (nameIn(body, 1) === 'location') found.external = nameIn(body, 2)
      else found.external ??= ''
    }
    if (field === 14 && number === 1n) found.external ??= ''
  }
}

function readMetadata(bytes: Uint8Array, found: Found): void {
  if (nameIn(bytes, 1) !== 'classes') return
  try {
    const classes: unknown = JSON.parse(nameIn(bytes, 2))
    if (Array.isArray(classes) && classes.every((c) => typeof c === 'string' || typeof c === 'number')) found.metadata = classes
  } catch {
    // Somebody else's key of that name: not ours to complain about.
  }
}

const nameIn = (bytes: Uint8Array, wanted: number): string => {
  for (const { field, body } of fields(bytes)) if (field === wanted && body) return textOf(body)
  return ''
}

const decoder = new TextDecoder()
const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

interface Field {
  readonly field: number
  /** Of varints. */
  readonly number?: bigint
  /** Of fields with a length. */
  readonly body?: Uint8Array
}

function* fields(bytes: Uint8Array): Generator<Field> {
  const reader = { at: 0 }
  while (reader.at < bytes.length) {
    const tag = varint(bytes, reader)
    const field = Number(tag >> 3n)
    const wire = Number(tag & 7n)
    if (field === 0) throw new NotOnnx('it is no protocol buffer')
    if (wire === 0) yield { field, number: varint(bytes, reader) }
    else if (wire === 2) {
      const length = Number(varint(bytes, reader))
      const body = bytes.subarray(reader.at, reader.at + length)
      if (body.length !== length) throw new NotOnnx('it was cut short')
      reader.at += length
      yield { field, body }
    } else if (wire === 1 || wire === 5) {
      reader.at += wire === 1 ? 8 : 4
      if (reader.at > bytes.length) throw new NotOnnx('it was cut short')
      yield { field }
    } else throw new NotOnnx('it is no protocol buffer')
  }
}

function varint(bytes: Uint8Array, reader: { at: number }): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[reader.at++]
    if (byte === undefined) throw new NotOnnx('it was cut short')
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return value
  }
  throw new NotOnnx('it is no protocol buffer')
}

function varints(bytes: Uint8Array): number[] {
  const reader = { at: 0 }
  const values: number[] = []
  while (reader.at < bytes.length) values.push(Number(BigInt.asIntN(64, varint(bytes, reader))))
  return values
}

/**
 * The input of the last dense layer that leads to an output: what a classifier's head reads. Steps back over what follows a dense layer
 * (softmax, bias, shape). Undefined where there is no such layer, or it reads the graph's own input. O(nodes).
 */
export function penultimate({ nodes, outputs, inputs, initializers }: ModelOutline): string | undefined {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  for (const output of outputs) {
    let name: string | undefined = output
    for (let steps = 0; name !== undefined && steps <= nodes.length; steps++) {
      const node = makers.get(name)
      if (node === undefined) break
      const data: string | undefined = node.inputs.find((input) => !initializers.has(input))
      if (DENSE.has(node.op)) {
        if (data !== undefined && !inputs.includes(data)) return data
        break
      }
      name = AFTER.has(node.op) ? data : undefined
    }
  }
  return undefined
}
const DENSE = new Set(['Gemm', 'MatMul'])
const AFTER = new Set([
  'Softmax',
  'LogSoftmax',
  'Sigmoid',
  'Add',
  'Identity',
  'Cast',
  'Reshape',
  'Squeeze',
  'Flatten',
  'Clip',
  'ZipMap',
  'Normalizer',
])
