import { encodeModel, type Graph, type Initializer, type Node } from '../../server/src/learn/backends/onnx/model.ts'
import { bytes, integer, integers, message, text } from '../../server/src/learn/backends/onnx/protobuf.ts'

/** Small ONNX files for tests, made by the project's own encoder. */
export const node = (op: string, inputs: readonly string[], outputs: readonly string[], attributes: Node['attributes'] = {}): Node => ({
  op,
  inputs,
  outputs,
  attributes,
})
export const matrix = (name: string, shape: readonly number[], values: readonly number[]): Initializer => ({
  name,
  shape,
  values: Float32Array.from(values),
})
export const onnxFile = (graph: Omit<Graph, 'name'>): Uint8Array => encodeModel({ name: 'test', ...graph })

/** x·W + b over the inputs [n, rows], behind a link that is an operator or absent. */
export function linearFile(weights: readonly (readonly number[])[], biases: readonly number[], link?: 'Softmax' | 'Sigmoid'): Uint8Array {
  const shape = [weights.length, biases.length] as const
  const dense = node('Gemm', ['x', 'w', 'b'], [link ? 'z' : 'y'])
  return onnxFile({
    nodes: link ? [dense, node(link, ['z'], ['y'], link === 'Softmax' ? { axis: -1 } : {})] : [dense],
    initializers: [matrix('w', shape, weights.flat()), matrix('b', [biases.length], biases)],
    inputs: [{ name: 'x', shape: ['n', shape[0]] }],
    outputs: [{ name: 'y', shape: ['n', shape[1]] }],
  })
}

/** Appended to a file: a message that stands twice is merged. */
export const withMetadata = (file: Uint8Array, key: string, value: string): Uint8Array =>
  message(file, bytes(14, message(text(1, key), text(2, value))))

/** A weight that lies in another file. */
export const withExternal = (file: Uint8Array, location: string): Uint8Array => {
  const entry = bytes(13, message(text(1, 'location'), text(2, location)))
  const tensor = message(integers(1, [1]), integer(2, 1), text(8, 'far'), entry, integer(14, 1))
  return message(file, bytes(7, bytes(5, tensor)))
}

/** A classifier as skl2onnx writes it: probabilities as a list of maps. */
export const withZipMap = (file: Uint8Array, of: string): Uint8Array => {
  const classes = bytes(5, message(text(1, 'classlabels_int64s'), integers(8, [0, 1]), integer(20, 7)))
  const made = message(text(1, of), text(2, 'maps'), text(4, 'ZipMap'), classes, text(7, 'ai.onnx.ml'))
  const domain = bytes(8, message(text(1, 'ai.onnx.ml'), integer(2, 1)))
  return message(file, bytes(7, message(bytes(1, made), bytes(12, text(1, 'maps')))), domain)
}

/** An output of labels, [n] or [n, 1] int64: the place of the largest column of `of`. */
export const withLabels = (file: Uint8Array, of: string, name = 'label'): Uint8Array => {
  const attribute = (key: string, value: number) => bytes(5, message(text(1, key), integer(3, value), integer(20, 2)))
  const made = message(text(1, of), text(2, name), text(4, 'ArgMax'), attribute('axis', 1), attribute('keepdims', 0))
  return message(file, bytes(7, message(bytes(1, made), bytes(12, text(1, name)))))
}
