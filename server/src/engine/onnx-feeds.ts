import { vectorAt } from '../data/embeddings.ts'
import { type ColumnData, type Columns, DataProblem } from '../data/tables.ts'
import { type Feed, listed, type Port, type UserModel } from '../learn/backends/onnx/user-model.ts'
import type { ModelPlan } from '../plan/plan.ts'
import type { Column } from '../sql/tree.ts'
import { namedColumn } from './columns.ts'

/**
 * Columns to the inputs of a model in ONNX form. Several inputs are matched to the `from` columns by name, [n, 1] or [n] each. One input takes all
 * of them: an image (bytes / 255 where it wants floats, the bytes themselves where it wants bytes) as [n, 1, h, w], [n, h, w, 1], [n, h, w] or
 * [n, h·w], by its declared shape, square where that does not say; a list of numbers as [n, d]; numbers and booleans, or texts, as [n, columns] in the order of `from`.
 * Nothing is standardised: the model gets what it was trained on. A NULL number is NaN where floats are wanted; elsewhere the row has no answer.
 */
export interface Feeder {
  /** Feeds for rows `start` … `start + count`; `padded` to that many rows by repeating the last one. */
  feeds(start: number, count: number, padded: number): Record<string, Feed>
  /** 0 where a row lacks an input. */
  readonly valid?: Uint8Array
  /** Numbers a row, and the rows that every call must have where the model says so. */
  readonly width: number
  readonly batch?: number
}

export function feederFor(plan: ModelPlan, user: Pick<UserModel, 'inputs'>, columns: Columns): Feeder {
  const ports = user.inputs
  const parts = partsFor(plan, ports, columns)
  const valid = new Uint8Array(columns.rows).fill(1)
  for (const part of parts) for (let i = 0; i < columns.rows; i++) if (part.lacks(i)) valid[i] = 0
  const fixed = ports.map((port) => port.shape[0]).filter((extent) => extent !== undefined)
  return {
    valid: valid.includes(0) ? valid : undefined,
    width: parts.reduce((sum, part) => sum + part.width, 0),
    batch: fixed.length > 0 ? Math.min(...fixed) : undefined,
    feeds: (start, count, padded) =>
      Object.fromEntries(parts.map((part) => [part.name, part.feed((i) => start + Math.min(i, count - 1), padded)])),
  }
}

/** One input of the model. `rowAt` gives the row of each place of the batch. */
interface Part {
  readonly name: string
  readonly width: number
  lacks(row: number): boolean
  feed(rowAt: (place: number) => number, rows: number): Feed
}

function partsFor(plan: ModelPlan, ports: readonly Port[], columns: Columns): Part[] {
  for (const port of ports) {
    if (port.type === undefined) throw wrong(plan, `its input \`${port.name}\` is no tensor`)
    if (!Object.hasOwn(MAKERS, port.type) && port.type !== 'string')
      throw wrong(plan, `its input \`${port.name}\` takes \`${port.type}\`, which cannot be made here`)
  }
  const dataOf = (column: Column): Named => ({ column, data: namedColumn(columns, column.name) })
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  if (ports.length === 1) return [wholePart(plan, ports[0]!, plan.inputs.map(dataOf))]
  return ports.map((port) => {
    const column = plan.inputs.find((one) => same(one.name, port.name))
    if (column === undefined || ports.length !== plan.inputs.length) {
      const names = plan.inputs.map((one) => one.name)
      throw wrong(
        plan,
        `it takes ${listed(ports.map((one) => one.name))}, and \`from\` names ${listed(names)}. Name columns after its inputs, one for each; a view can rename them`,
      )
    }
    return wholePart(plan, port, [dataOf(column)])
  })
}

interface Named {
  readonly column: Column
  readonly data: ColumnData
}

function wholePart(plan: ModelPlan, port: Port, named: readonly Named[]): Part {
  const [first] = named
  if (first === undefined) throw wrong(plan, '`from` names no column')
  if (named.length === 1 && first.column.type === 'image') return imagePart(plan, port, first)
  if (named.length === 1 && first.column.type === 'list') return listPart(plan, port, first)
  const odd = named.find(({ data }) => data.kind === 'blob')
  if (odd)
    throw wrong(
      plan,
      `\`${odd.column.name}\` is one of several columns for its input \`${port.name}\`: an image, or a list, must come alone`,
    )
  const shape = rowShape(plan, port, named.length, `\`from\` names ${named.length === 1 ? 'one' : named.length}`)
  if (port.type === 'string') return textPart(port.name, named, shape)
  const text = named.find(({ data }) => data.kind === 'text')
  if (text)
    throw wrong(plan, `its input \`${port.name}\` takes numbers, and \`${text.column.name}\` holds text. Make numbers of it in a view`)
  return numberPart(port, named, shape)
}

/** The shape of one row, checked against what the model declares. A column alone may also come without an axis of its own. */
function rowShape(plan: ModelPlan, port: Port, width: number, found: string): readonly number[] {
  const declared = port.shape.slice(1)
  if (port.shape.length === 0) return [width]
  if (declared.length === 0 && width === 1) return []
  const known = declared.reduce<number>((product, extent) => product * (extent ?? 1), 1)
  const open = declared.filter((extent) => extent === undefined).length
  if (open === 0 && known === width) return declared as number[]
  if (open === 1 && width % known === 0) return declared.map((extent) => extent ?? width / known)
  throw wrong(plan, `its input \`${port.name}\` takes ${shapeText(port)}, and ${found}`)
}

const shapeText = ({ shape }: Port): string => `[${shape.map((extent, i) => extent ?? (i === 0 ? 'n' : '?')).join(', ')}]`

const MAKERS: Readonly<Record<string, (length: number) => Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array>> = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
  uint8: (length) => new Uint8Array(length),
  bool: (length) => new Uint8Array(length),
}
const takesNaN = (port: Port) => port.type === 'float32' || port.type === 'float64'

function numberPart(port: Port, named: readonly Named[], shape: readonly number[]): Part {
  const width = named.length
  const known = ({ data }: Named, row: number) => data.valid?.[row] !== 0
  const valueAt = ({ data }: Named, row: number) => (data.kind === 'number' || data.kind === 'boolean' ? data.values[row]! : 0)
  const wide = port.type === 'int64'
  return {
    name: port.name,
    width,
    lacks: (row) => !takesNaN(port) && named.some((one) => !known(one, row) || !Number.isFinite(valueAt(one, row))),
    feed(rowAt, rows) {
      const data = MAKERS[port.type!]!(rows * width)
      for (let i = 0; i < rows; i++) {
        const row = rowAt(i)
        for (const [j, one] of named.entries()) {
          const value = known(one, row) ? valueAt(one, row) : Number.NaN
          if (!wide) (data as Float32Array)[i * width + j] = value
          else if (Number.isFinite(value)) (data as BigInt64Array)[i * width + j] = BigInt(Math.trunc(value))
        }
      }
      return { type: port.type as Feed['type'], data, shape: [rows, ...shape] }
    },
  }
}

function textPart(name: string, named: readonly Named[], shape: readonly number[]): Part {
  const textAt = ({ data }: Named, row: number): string => {
    if (data.valid?.[row] === 0) return ''
    if (data.kind === 'text') return data.dictionary[data.codes[row]!] ?? ''
    return data.kind === 'blob' ? '' : String(data.kind === 'boolean' ? data.values[row] === 1 : data.values[row])
  }
  return {
    name,
    width: named.length,
    lacks: (row) => named.some(({ data }) => data.valid?.[row] === 0),
    feed: (rowAt, rows) => ({
      type: 'string',
      data: Array.from({ length: rows }, (_, i) => named.map((one) => textAt(one, rowAt(i)))).flat(),
      shape: [rows, ...shape],
    }),
  }
}

function listPart(plan: ModelPlan, port: Port, { column, data }: Named): Part {
  if (data.kind !== 'blob') throw new Error('a list comes as bytes')
  if (port.type !== 'float32' && port.type !== 'float64')
    throw wrong(plan, `its input \`${port.name}\` takes \`${port.type}\`, and \`${column.name}\` holds lists of fractions`)
  const bytes = lengthOf(plan, column, data)
  const width = bytes / 4
  const shape = rowShape(plan, port, width, `\`${column.name}\` holds ${width} numbers a row`)
  return {
    name: port.name,
    width,
    lacks: (row) => data.valid?.[row] === 0,
    feed(rowAt, rows) {
      const values = MAKERS[port.type!]!(rows * width) as Float32Array
      for (let i = 0; i < rows; i++) if (data.valid?.[rowAt(i)] !== 0) values.set(vectorAt(data.values[rowAt(i)]!), i * width)
      return { type: port.type as Feed['type'], data: values, shape: [rows, ...shape] }
    },
  }
}

function imagePart(plan: ModelPlan, port: Port, { column, data }: Named): Part {
  if (data.kind !== 'blob') throw new Error('an image comes as bytes')
  const width = lengthOf(plan, column, data)
  const shape = imageShape(plan, port, column.name, width)
  const asBytes = port.type === 'uint8'
  if (!asBytes && !takesNaN(port))
    throw wrong(plan, `its input \`${port.name}\` takes \`${port.type}\`: images come as floats between 0 and 1, or as bytes`)
  return {
    name: port.name,
    width,
    lacks: (row) => data.valid?.[row] === 0,
    feed(rowAt, rows) {
      const values = MAKERS[port.type!]!(rows * width) as Float32Array
      for (let i = 0; i < rows; i++) {
        const row = rowAt(i)
        if (data.valid?.[row] === 0) continue
        const image = data.values[row]!
        for (let j = 0, at = i * width; j < width; j++) values[at + j] = asBytes ? image[j]! : image[j]! / 255
      }
      return { type: port.type as Feed['type'], data: values, shape: [rows, ...shape] }
    },
  }
}

function imageShape(plan: ModelPlan, port: Port, column: string, pixels: number): readonly number[] {
  const side = Math.sqrt(pixels)
  const refused = () =>
    wrong(plan, `its input \`${port.name}\` takes ${shapeText(port)}, and an image of \`${column}\` has ${pixels} pixels, grey`)
  const sides = (h: number | undefined, w: number | undefined): [number, number] => {
    const height = h ?? (w === undefined ? side : pixels / w)
    const found: [number, number] = [height, w ?? pixels / height]
    if (!found.every(Number.isInteger) || found[0] * found[1] !== pixels) throw refused()
    return found
  }
  const [, a, b, c] = port.shape
  switch (port.shape.length) {
    case 0:
    case 4:
      if (c === 1 && a !== 1) return [...sides(a, b), 1]
      if (a !== undefined && a !== 1) throw refused()
      return [1, ...sides(b, c)]
    case 3:
      return sides(a, b)
    case 2:
      if (a !== undefined && a !== pixels) throw refused()
      return [pixels]
    default:
      throw refused()
  }
}

/** Bytes of a row; one length for all. */
function lengthOf(plan: ModelPlan, column: Column, data: ColumnData & { readonly kind: 'blob' }): number {
  let length: number | undefined
  for (const [row, bytes] of data.values.entries()) {
    if (data.valid?.[row] === 0) continue
    length ??= bytes.length
    if (bytes.length !== length)
      throw wrong(plan, `the values of \`${column.name}\` are not all of one length: ${length} and ${bytes.length} bytes`)
  }
  if (length === undefined || length === 0) throw wrong(plan, `\`${column.name}\` is NULL or empty in every row`)
  return length
}

const wrong = (plan: ModelPlan, why: string) =>
  new DataProblem('onnx-input', `The model of \`${plan.name}\` cannot be given its rows: ${why}.`)
