import { countParameters, type ParameterShape, packTangents, parameterShapes } from './parameters.ts'
import type { Device, Named, Pass, Run } from './pass.ts'
import {
  forwardPass,
  gradientPass,
  hessianPass,
  keptSpecs,
  lossPass,
  lossTangentsPass,
  outputTangentsPass,
  type Start,
  weightedGradientPass,
} from './passes.ts'
import { cumulative, type RunningSums, runningSums } from './running-sums.ts'
import type { Architecture, Breathe, Examples, Session } from './session.ts'
import { targetsOf } from './targets.ts'
import { train } from './train.ts'

/**
 * A session on any device: batches of about 50 ms (of large models three times that), sums over batches in the order of the rows (each eighth in float64: running-sums.ts), examples and activations kept on
 * the device as far as its memory allows, every tensor released. What is computed is in passes.ts, how in backends/.
 *
 * Cost of a pass over n rows of d inputs and m outputs without hidden layers, in products of 2·n·d·m operations: prediction 1, gradient 2, t
 * Hessian products 2·t (and 1 at a new θ), t tangents t (and 1 at a new θ). A hidden layer of width h adds the same for its own d·h: 1, 3, 4·t, 2·t.
 */
export async function openSession<H>(device: Device<H>, architecture: Architecture, examples: Examples): Promise<Session> {
  const { inputs, hidden, outputs } = architecture
  const { rows, x } = examples
  if (rows < 1) throw new RangeError('A model needs at least one row of examples.')
  if (x.length !== rows * inputs) throw new RangeError(`${rows} rows of ${inputs} inputs are ${rows * inputs} numbers, not ${x.length}.`)
  const shapes = parameterShapes(architecture)
  const parameters = countParameters(shapes)
  const targets = examples.y === undefined ? undefined : targetsOf(architecture, examples.y, rows)
  const counts: Record<string, number> = {}
  const compiled = new Map<string, Promise<Run<H>>>()
  const perBatch = batchRows(device, architecture, parameters, rows)
  const batches: Batch<H>[] = []
  for (let start = 0; start < rows; start += perBatch) batches.push({ start, rows: Math.min(perBatch, rows - start) })

  // A device may keep a transpose beside each batch, hence twice.
  const exampleBytes = 2 * 4 * rows * inputs
  const resident = exampleBytes <= device.memory
  const keptBytes = 4 * rows * keptSpecs(architecture).reduce((total, { shape }) => total + shape[1]!, 0)
  const keeps = keptBytes + (resident ? exampleBytes : 0) <= device.memory
  let kept: { readonly theta: Float64Array; readonly batches: readonly (readonly H[])[] } | undefined
  let disposed = false

  const compile = (pass: Pass): Promise<Run<H>> => {
    const known = compiled.get(pass.name)
    if (known !== undefined) return known
    const made = device.compile(pass)
    compiled.set(pass.name, made)
    return made
  }

  const xOf = (batch: Batch<H>): H => {
    if (batch.x !== undefined) return batch.x
    const slice = x.subarray(batch.start * inputs, (batch.start + batch.rows) * inputs)
    const handle = device.upload(slice, [batch.rows, inputs], resident ? 'resident' : 'passing')
    if (resident) batch.x = handle
    return handle
  }

  const yOf = (batch: Batch<H>): H => {
    if (targets === undefined) throw new RangeError('These examples have no labels: only predictions and output tangents can be asked for.')
    batch.y ??= device.upload(
      targets.subarray(batch.start * outputs, (batch.start + batch.rows) * outputs),
      [batch.rows, outputs],
      'resident',
    )
    return batch.y
  }

  const uploadParameters = (theta: Float64Array): Named<H> => {
    if (theta.length !== parameters) throw new RangeError(`This model has ${parameters} parameters, not ${theta.length}.`)
    return uploadEach(shapes, (shape) => device.upload(packTangents(shape, [theta]), [shape.rows, shape.columns], 'passing'), '')
  }

  const uploadDirections = (vectors: readonly Float64Array[]): Named<H> => {
    for (const vector of vectors) {
      if (vector.length !== parameters)
        throw new RangeError(`This model has ${parameters} parameters; a direction of ${vector.length} was given.`)
    }
    const width = (shape: ParameterShape): number => shape.columns * vectors.length
    return uploadEach(shapes, (shape) => device.upload(packTangents(shape, vectors), [shape.rows, width(shape)], 'passing'), 'v:')
  }

  const releaseAll = (handles: Named<H>): void => {
    for (const handle of Object.values(handles)) device.release(handle)
  }

  const releaseKept = (): void => {
    for (const handles of kept?.batches ?? []) for (const handle of handles) device.release(handle)
    kept = undefined
  }

  /** Runs one pass over all rows; `use` reads what it wants of each batch, and everything is released after it. */
  const sweep = async (kind: string, pass: Pass, constants: Named<H>, extra: Extra<H>, use: Use<H>, breathe: Breathe): Promise<void> => {
    if (disposed) throw new Error('This session has been disposed of.')
    const run = await compile(pass)
    const wanted = new Set(pass.inputs.map(({ name }) => name))
    counts[kind] = (counts[kind] ?? 0) + 1
    for (const [index, batch] of batches.entries()) {
      await breathe()
      const own = extra(batch, index)
      if (own === 'skip') continue
      const given = xOf(batch)
      const labels: Record<string, H> = wanted.has('y') ? { y: yOf(batch) } : {}
      let results: Named<H> = {}
      try {
        results = await run({ ...constants, ...own.lent, ...own.owned, ...labels, x: given })
        await use(results, batch, index)
      } finally {
        releaseAll(results)
        if (own.owned !== undefined) releaseAll(own.owned)
        if (batch.x === undefined) device.release(given)
      }
    }
  }

  /** Whether activations at θ are on the device, are to be kept by the next pass that computes them, or do not fit. */
  const startAt = (theta: Float64Array): Start => {
    if (!keeps) return 'fresh'
    if (kept !== undefined && sameVector(kept.theta, theta)) return 'kept'
    releaseKept()
    return 'keeping'
  }

  /** `sweep` with a pass that hands out activations: they are kept, unless it does not come to its end. */
  const keepingSweep = async (
    theta: Float64Array,
    kind: string,
    pass: Pass,
    constants: Named<H>,
    extra: Extra<H>,
    use: Use<H>,
    breathe: Breathe,
  ): Promise<void> => {
    const made: H[][] = []
    const names = keptSpecs(architecture).map(({ name }) => name)
    const take: Use<H> = (results, batch, index) => {
      made.push(names.map((name) => results[name]!))
      // Taken over: not to be released with the batch.
      for (const name of names) delete (results as Record<string, H>)[name]
      return use(results, batch, index)
    }
    try {
      await sweep(kind, pass, constants, extra, take, breathe)
    } catch (failure) {
      for (const handles of made) for (const handle of handles) device.release(handle)
      throw failure
    }
    kept = { theta: theta.slice(), batches: made }
  }

  /** Sees to it that activations at θ are on the device, if they fit; says which form of the passes to use. */
  const prepare = async (theta: Float64Array, breathe: Breathe): Promise<'fresh' | 'kept'> => {
    const start = startAt(theta)
    if (start !== 'keeping') return start
    const constants = uploadParameters(theta)
    try {
      await keepingSweep(theta, 'forward', forwardPass(architecture), constants, nothing, () => {}, breathe)
    } finally {
      releaseAll(constants)
    }
    return 'kept'
  }

  const keptInputs = (index: number): Named<H> => {
    const handles = kept?.batches[index] ?? []
    return Object.fromEntries(handles.map((handle, layer) => [`k${layer}`, handle]))
  }

  /** Lets sums run through the batches of a sweep, into `totals`. */
  const summing = async (totals: readonly Float64Array[], work: (sums: RunningSums<H>) => Promise<void>): Promise<void> => {
    const sums = runningSums(device, shapes, totals)
    try {
      await work(sums)
      await sums.end()
    } finally {
      sums.release()
    }
  }

  /** Directions in groups that keep a batch near its time and within its memory; the groups are of equal size, so that few passes are compiled. */
  const groups = (vectors: readonly Float64Array[], products: number): readonly (readonly Float64Array[])[] => {
    const inTime = Math.round((2 * device.batchWork) / (products * perBatch * parameters))
    const fitting = Math.floor(device.memory / 8 / (4 * tensorsAlive * perBatch * (total(hidden) + outputs)))
    // What directions share (activations, cotangents) is a quarter of a network's Hessian product: four at once, though a batch takes longer.
    const most = Math.max(1, Math.min(16, Math.max(inTime, hidden.length > 0 ? 4 : 1), fitting))
    const size = Math.ceil(vectors.length / Math.ceil(vectors.length / most))
    const parts: (readonly Float64Array[])[] = []
    for (let start = 0; start < vectors.length; start += size) parts.push(vectors.slice(start, start + size))
    return parts
  }

  /** `use` says what is done with each batch of the directions from `first` on, and what else the batch takes. */
  const alongDirections = async (
    kind: string,
    theta: Float64Array,
    vectors: readonly Float64Array[],
    form: { readonly products: number; readonly pass: (count: number, start: Start) => Pass },
    use: (first: number, part: readonly Float64Array[], run: (use: Use<H>, owned?: () => Named<H>) => Promise<void>) => Promise<void>,
    breathe: Breathe,
  ): Promise<void> => {
    if (vectors.length === 0) return
    const constants = uploadParameters(theta)
    try {
      let first = 0
      for (const part of groups(vectors, form.products)) {
        const directions = uploadDirections(part)
        const start = startAt(theta)
        const pass = form.pass(part.length, start)
        const given = { ...constants, ...directions }
        const run = async (useBatch: Use<H>, owned?: () => Named<H>): Promise<void> => {
          const extra: Extra<H> = (_, index) => ({ lent: start === 'kept' ? keptInputs(index) : {}, owned: owned?.() ?? {} })
          if (start === 'keeping') await keepingSweep(theta, kind, pass, given, extra, useBatch, breathe)
          else await sweep(kind, pass, given, extra, useBatch, breathe)
        }
        try {
          await use(first, part, run)
        } finally {
          releaseAll(directions)
        }
        first += part.length
      }
    } finally {
      releaseAll(constants)
    }
  }

  const session: Session = {
    architecture,
    rows,
    parameters,
    passes: counts,

    train: (options, breathe, progress) => train({ device, session, examples, compile }, options, breathe, progress),

    async gradient(theta, breathe) {
      const sum = new Float64Array(parameters)
      let loss = 0
      const constants = uploadParameters(theta)
      try {
        await summing([sum], ({ before, after }) => {
          const use: Use<H> = async (results) => {
            loss += total(await device.read(results.loss!))
            await after(results)
          }
          return sweep('gradient', cumulative(gradientPass(architecture)), constants, () => ({ owned: before() }), use, breathe)
        })
      } finally {
        releaseAll(constants)
      }
      let square = 0
      for (let i = 0; i < parameters; i++) {
        square += theta[i]! * theta[i]!
        sum[i] = sum[i]! / rows + architecture.l2 * theta[i]!
      }
      return { loss: loss / rows + (architecture.l2 / 2) * square, gradient: sum }
    },

    async hessianProducts(theta, vectors, breathe) {
      const sums = vectors.map(() => new Float64Array(parameters))
      const form = {
        products: hidden.length === 0 ? 2 : 4,
        pass: (count: number, start: Start) => cumulative(hessianPass(architecture, count, start)),
      }
      await alongDirections(
        'hessian',
        theta,
        vectors,
        form,
        (first, part, run) => summing(sums.slice(first, first + part.length), ({ before, after }) => run(after, before)),
        breathe,
      )
      sums.forEach((sum, t) => {
        for (let i = 0; i < parameters; i++) sum[i] = sum[i]! / rows + architecture.l2 * vectors[t]![i]!
      })
      return sums
    },

    async lossTangents(theta, vectors, breathe) {
      const all = new Float32Array(vectors.length * rows)
      const form = {
        products: hidden.length === 0 ? 1 : 2,
        pass: (count: number, start: Start) => lossTangentsPass(architecture, count, start),
      }
      const use =
        (first: number, part: readonly Float64Array[]) =>
        async (results: Named<H>, batch: Batch<H>): Promise<void> => {
          const values = await device.read(results.tangents!)
          for (let t = 0; t < part.length; t++) {
            const to = (first + t) * rows + batch.start
            for (let row = 0; row < batch.rows; row++) all[to + row] = values[row * part.length + t]!
          }
        }
      await alongDirections('lossTangents', theta, vectors, form, (first, part, run) => run(use(first, part)), breathe)
      return all
    },

    async outputTangents(theta, vectors, breathe) {
      const all = new Float32Array(vectors.length * rows * outputs)
      const form = {
        products: hidden.length === 0 ? 1 : 2,
        pass: (count: number, start: Start) => outputTangentsPass(architecture, count, start),
      }
      const use =
        (first: number, part: readonly Float64Array[]) =>
        async (results: Named<H>, batch: Batch<H>): Promise<void> => {
          const values = await device.read(results.tangents!)
          for (let t = 0; t < part.length; t++) {
            for (let row = 0; row < batch.rows; row++) {
              const to = ((first + t) * rows + batch.start + row) * outputs
              const from = (row * part.length + t) * outputs
              for (let output = 0; output < outputs; output++) all[to + output] = values[from + output]!
            }
          }
        }
      await alongDirections('outputTangents', theta, vectors, form, (first, part, run) => run(use(first, part)), breathe)
      return all
    },

    async predict(theta, breathe) {
      const all = new Float32Array(rows * outputs)
      const last = `k${hidden.length}`
      if ((await prepare(theta, breathe)) === 'kept') {
        for (const [index, batch] of batches.entries()) {
          await breathe()
          all.set(await device.read(kept!.batches[index]!.at(-1)!), batch.start * outputs)
        }
        return all
      }
      const constants = uploadParameters(theta)
      try {
        const use: Use<H> = async (results, batch) => all.set(await device.read(results[last]!), batch.start * outputs)
        await sweep('forward', forwardPass(architecture), constants, nothing, use, breathe)
      } finally {
        releaseAll(constants)
      }
      return all
    },

    async losses(theta, breathe) {
      const all = new Float32Array(rows)
      const constants = uploadParameters(theta)
      try {
        const use: Use<H> = async (results, batch) => all.set(await device.read(results.loss!), batch.start)
        await sweep('losses', lossPass(architecture), constants, nothing, use, breathe)
      } finally {
        releaseAll(constants)
      }
      return all
    },

    async weightedGradient(theta, weights, breathe) {
      if (weights.length !== rows * outputs) throw new RangeError(`${rows * outputs} weights are wanted, not ${weights.length}.`)
      const sum = new Float64Array(parameters)
      const start = await prepare(theta, breathe)
      const constants = uploadParameters(theta)
      try {
        const pass = cumulative(weightedGradientPass(architecture, start))
        await summing([sum], ({ before, after }) => {
          const extra: Extra<H> = (batch, index) => {
            const slice = weights.subarray(batch.start * outputs, (batch.start + batch.rows) * outputs)
            if (slice.every((weight) => weight === 0)) return 'skip'
            return { lent: keptInputs(index), owned: { ...before(), weights: device.upload(slice, [batch.rows, outputs], 'passing') } }
          }
          return sweep('weightedGradient', pass, constants, extra, after, breathe)
        })
      } finally {
        releaseAll(constants)
      }
      return sum
    },

    dispose() {
      if (disposed) return
      disposed = true
      releaseKept()
      for (const batch of batches) {
        if (batch.x !== undefined) device.release(batch.x)
        if (batch.y !== undefined) device.release(batch.y)
      }
    },
  }
  return session
}

interface Batch<H> {
  readonly start: number
  readonly rows: number
  x?: H
  y?: H
}

/** More inputs of a batch: lent ones stay, owned ones are released after it. `skip`: the batch has nothing to give. */
type Extra<H> = (batch: Batch<H>, index: number) => { readonly lent?: Named<H>; readonly owned?: Named<H> } | 'skip'
type Use<H> = (results: Named<H>, batch: Batch<H>, index: number) => Promise<void> | void

const nothing = (): Record<string, never> => ({})

/**
 * Rows of a batch: what takes its time and fits, from 32 to 10 000 (less to wait for between batches; beyond that nothing is gained), and so that all batches are alike. The tensors of a pass
 * over a batch, some `tensorsAlive` of them for each layer at a time, take at most an eighth of the device's memory, or what 32 rows take.
 */
function batchRows<H>(device: Device<H>, { inputs, hidden, outputs }: Architecture, parameters: number, rows: number): number {
  const rowBytes = 4 * tensorsAlive * (inputs + total(hidden) + outputs)
  const inTime = device.batchWork / (4 * parameters)
  // Sums as large as the parameters are made and added after each batch, which below a thousand rows tells: then up to three times as long.
  const fitting = Math.min(Math.max(inTime, Math.min(1000, 3 * inTime)), device.memory / 8 / rowBytes)
  const most = Math.max(32, Math.min(10_000, Math.floor(fitting)))
  return Math.ceil(rows / Math.ceil(rows / most))
}

const tensorsAlive = 6

function uploadEach<H>(shapes: readonly ParameterShape[], upload: (shape: ParameterShape) => H, prefix: string): Named<H> {
  return Object.fromEntries(shapes.map((shape) => [prefix + shape.name, upload(shape)]))
}

function sameVector(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function total(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}
