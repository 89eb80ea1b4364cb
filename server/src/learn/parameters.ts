import type { Values } from './pass.ts'
import type { Architecture } from './session.ts'

/** One tensor of parameters and where it lies in the flat vector; a bias is a row. */
export interface ParameterShape {
  readonly name: string
  readonly rows: number
  readonly columns: number
  readonly offset: number
}

/** The tensors of a model in the order of the flat vector: for each layer weights (inputs × outputs), then biases. */
export function parameterShapes(architecture: Architecture): readonly ParameterShape[] {
  const widths = [architecture.inputs, ...architecture.hidden, architecture.outputs]
  const shapes: ParameterShape[] = []
  let offset = 0
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    const rows = widths[layer]!
    const columns = widths[layer + 1]!
    shapes.push({ name: `w${layer}`, rows, columns, offset })
    offset += rows * columns
    shapes.push({ name: `b${layer}`, rows: 1, columns, offset })
    offset += columns
  }
  return shapes
}

export function countParameters(shapes: readonly ParameterShape[]): number {
  const last = shapes.at(-1)
  return last === undefined ? 0 : last.offset + last.rows * last.columns
}

/** One tensor of several flat vectors side by side, [rows, t·columns], so that t directions are one product. */
export function packTangents(shape: ParameterShape, vectors: readonly Float64Array[]): Float64Array {
  const { rows, columns, offset } = shape
  const count = vectors.length
  const packed = new Float64Array(rows * count * columns)
  for (let t = 0; t < count; t++) {
    const vector = vectors[t]!
    for (let row = 0; row < rows; row++) {
      const from = offset + row * columns
      const to = (row * count + t) * columns
      for (let column = 0; column < columns; column++) packed[to + column] = vector[from + column]!
    }
  }
  return packed
}

/** The reverse of `packTangents`, added to what the vectors hold. */
export function addPacked(shape: ParameterShape, packed: Values, vectors: readonly Float64Array[]): void {
  const { rows, columns, offset } = shape
  const count = vectors.length
  if (count === 1) {
    const vector = vectors[0]!
    for (let i = 0; i < rows * columns; i++) vector[offset + i] = vector[offset + i]! + packed[i]!
    return
  }
  for (let t = 0; t < count; t++) {
    const vector = vectors[t]!
    for (let row = 0; row < rows; row++) {
      const to = offset + row * columns
      const from = (row * count + t) * columns
      for (let column = 0; column < columns; column++) vector[to + column] = vector[to + column]! + packed[from + column]!
    }
  }
}
