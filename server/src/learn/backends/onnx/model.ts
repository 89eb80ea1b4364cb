import { type Bytes, bytes, float, integer, integers, message, text } from './protobuf.ts'

/**
 * ONNX's ModelProto, written field by field (onnx.proto3, IR version 8, operators of version 17: what any ONNX Runtime since 1.12 reads). Only
 * float32 tensors cross the border of a graph; integers are axes and shapes inside it.
 */
export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

export type Attribute = number | { readonly float: number } | { readonly ints: readonly number[] }

export interface Initializer {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

/** A tensor at the border of the graph; a name stands for an extent that is known only at run time. */
export interface Border {
  readonly name: string
  readonly shape: readonly (number | string)[]
}

export interface Graph {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly initializers: readonly Initializer[]
  readonly inputs: readonly Border[]
  readonly outputs: readonly Border[]
}

const irVersion = 8
const operatorVersion = 17
const elementType = { float: 1, int64: 7 } as const
const attributeType = { float: 1, int: 2, ints: 7 } as const

export function encodeModel(graph: Graph): Bytes {
  const body = message(
    ...graph.nodes.map((node) => bytes(1, encodeNode(node))),
    text(2, graph.name),
    ...graph.initializers.map((initializer) => bytes(5, encodeInitializer(initializer))),
    ...graph.inputs.map((border) => bytes(11, encodeBorder(border))),
    ...graph.outputs.map((border) => bytes(12, encodeBorder(border))),
  )
  const operators = message(text(1, ''), integer(2, operatorVersion))
  return message(integer(1, irVersion), text(2, 'assay'), bytes(7, body), bytes(8, operators))
}

function encodeNode({ op, inputs, outputs, attributes }: Node): Bytes {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, outputs[0]!),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, encodeAttribute(name, value))),
  )
}

function encodeAttribute(name: string, value: Attribute): Bytes {
  if (typeof value === 'number') return message(text(1, name), integer(3, value), integer(20, attributeType.int))
  if ('float' in value) return message(text(1, name), float(2, value.float), integer(20, attributeType.float))
  return message(text(1, name), integers(8, value.ints), integer(20, attributeType.ints))
}

function encodeInitializer({ name, shape, values }: Initializer): Bytes {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const type = values instanceof Float32Array ? elementType.float : elementType.int64
  return message(integers(1, shape), integer(2, type), text(8, name), bytes(9, raw))
}

function encodeBorder({ name, shape }: Border): Bytes {
  const extents = shape.map((extent) => bytes(1, typeof extent === 'number' ? integer(1, extent) : text(2, extent)))
  const tensor = message(integer(1, elementType.float), bytes(2, message(...extents)))
  return message(text(1, name), bytes(2, bytes(1, tensor)))
}
