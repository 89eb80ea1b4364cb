import type { Pass } from '../../pass.ts'
import { type Border, encodeModel, type Node } from './model.ts'
import type { Bytes } from './protobuf.ts'
import { createRecorder, type Recorder, type Step, type Value } from './recorder.ts'

export interface CompiledPass {
  readonly model: Bytes
  /** Of the inputs offered, those that the graph reads. */
  readonly inputs: ReadonlySet<string>
}

/** Products of a batch with this many columns in all are made as one. */
const widestMerged = 256

/**
 * Records a pass, joins products that read the same batch, and writes what its outputs need as an ONNX model. `turned` are inputs whose transpose
 * is given beside them, over a row of ones, as `turned:…` [columns + 1, rows]: a product over the rows takes up to half the time with it.
 */
export function compilePass(pass: Pass, turned: readonly string[]): CompiledPass {
  const borders = new Map<string, Value>()
  const recorder = createRecorder((value) => {
    if (value.step !== undefined || !turned.includes(value.name)) return undefined
    return offer(`turned:${value.name}`, [value.shape[1]! + 1, -1])
  })
  const offer = (name: string, shape: readonly number[]): Value => {
    const known = borders.get(name)
    if (known !== undefined) return known
    const value = recorder.input(name, shape)
    borders.set(name, value)
    return value
  }
  const inputs = Object.fromEntries(pass.inputs.map(({ name, shape }) => [name, offer(name, shape)]))
  const made = pass.build(recorder.ops, inputs)
  const outputs = pass.outputs.map(({ name, shape }) => {
    const value = made[name]
    if (value === undefined) throw new Error(`The pass \`${pass.name}\` does not make its output \`${name}\`.`)
    return { name, shape, value }
  })

  const joined = joinProducts(
    recorder,
    outputs.map(({ value }) => value),
  )
  // A value that is made and goes out once has the name of its output; copies are for inputs that go out, and for what goes out twice.
  const outward = new Map<string, string>()
  const copies: Node[] = []
  for (const { name, value: original } of outputs) {
    const value = joined.get(original.name) ?? original
    if (value.step === undefined || outward.has(value.name))
      copies.push({ op: 'Identity', inputs: [value.name], outputs: [`out:${name}`], attributes: {} })
    else outward.set(value.name, `out:${name}`)
  }
  const named = (name: string): string => outward.get(name) ?? name
  const nodes: Node[] = []
  const used = new Set<string>()
  const emitted = new Set<Step>()
  const emit = (original: Value): string => {
    const value = joined.get(original.name) ?? original
    const { step } = value
    if (step === undefined) {
      used.add(value.name)
    } else if (!emitted.has(step)) {
      emitted.add(step)
      nodes.push({ op: step.op, inputs: step.inputs.map(emit), outputs: step.outputs.map(named), attributes: step.attributes })
    }
    return named(value.name)
  }
  for (const { value } of outputs) emit(value)
  nodes.push(...copies.map((copy) => ({ ...copy, inputs: copy.inputs.map(named) })))

  const model = encodeModel({
    name: pass.name,
    nodes,
    initializers: [...recorder.initializers.values()].filter(({ name }) => used.has(name)),
    inputs: [...borders.values()].filter(({ name }) => used.has(name)).map(border),
    outputs: outputs.map(({ name, shape }) => border({ name: `out:${name}`, shape })),
  })
  return { model, inputs: new Set([...borders.keys()].filter((name) => used.has(name))) }
}

/**
 * x·A and x·B are one product x·[A | B] where neither A nor B depends on the batch, and x·A + a and x·B + b likewise: narrow products are bound by
 * reading x (Xᵀ·S likewise reads x, but once). Gives the values that replace others, by name.
 */
function joinProducts(recorder: Recorder, outputs: readonly Value[]): ReadonlyMap<string, Value> {
  const groups = new Map<string, Value[]>()
  const seen = new Set<string>()
  const visit = (value: Value): void => {
    if (value.step === undefined || seen.has(value.name)) return
    seen.add(value.name)
    for (const input of value.step.inputs) visit(input)
    const { op, attributes } = value.step
    const [left, ...others] = value.step.inputs
    const plain = op === 'MatMul' || (op === 'Gemm' && others.length === 2 && Object.keys(attributes).length === 0)
    if (!plain || left!.fixed || !others.every(({ fixed }) => fixed)) return
    const key = `${op} ${left!.name}`
    groups.set(key, [...(groups.get(key) ?? []), value])
  }
  for (const output of outputs) visit(output)

  const replaced = new Map<string, Value>()
  for (const products of groups.values()) {
    const widths = products.map(({ shape }) => shape[1]!)
    const total = widths.reduce((sum, width) => sum + width, 0)
    if (products.length < 2 || total > widestMerged) continue
    const { op, inputs } = products[0]!.step!
    const [left, ...rights] = inputs
    const beside = rights.map((right, index) =>
      recorder.add(
        'Concat',
        products.map(({ step }) => step!.inputs[1 + index]!),
        [right.shape[0]!, total],
        { axis: 1 },
      ),
    )
    const product = recorder.add(op, [left!, ...beside], [left!.shape[0]!, total])
    const parts = recorder.addMany(
      'Split',
      [product, recorder.integers(widths)],
      products.map(({ shape }) => shape),
      { axis: 1 },
    )
    for (const [index, { name }] of products.entries()) replaced.set(name, parts[index]!)
  }
  return replaced
}

function border({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): Border {
  return { name, shape: shape.map((extent) => (extent === -1 ? 'n' : extent)) }
}
