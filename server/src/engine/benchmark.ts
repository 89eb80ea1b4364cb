import { createRng } from '../learn/rng.ts'
import type { Architecture, Backend, Examples, Session } from '../learn/session.ts'
import { rankBySpectrum } from '../methods/influence/rank-by-spectrum.ts'
import { residentIndex } from '../methods/influence/spectral-kernel.ts'

/** Milliseconds. */
export interface Figures {
  /** A Hessian product of a logistic regression at a new θ, forward pass included. */
  readonly logisticHvpMs?: number
  /** ⟨v, ∇ℓ(z)⟩ of every row for ten v at a new θ. */
  readonly jvp10Ms?: number
  readonly mlpHvpMs?: number
  /** An epoch of Adam. */
  readonly mlpEpochMs?: number
  /** The best 100 rows of a debugging index; it runs beside the engine, in one thread. */
  readonly rankMs?: number
}

export interface BenchmarkSizes {
  readonly rows: number
  readonly inputs: number
  readonly classes: number
  readonly hidden: number
  readonly batch: number
  /** Eigenvectors of the debugging index. */
  readonly pairs: number
}

export const benchmarkSizes: BenchmarkSizes = { rows: 60_000, inputs: 784, classes: 10, hidden: 256, batch: 512, pairs: 20 }

const repetitions = 5
/** One repetition is enough for what takes longer. */
const longMs = 1000
const tangents = 10
const top = 100

/**
 * Figures on float32 random input in memory: the median of 5 repetitions after one that is not counted (of 1 where one exceeds a second), each at a
 * new θ. A figure that would exceed the time left is not taken.
 */
export async function measure(
  backend: Backend,
  sizes: BenchmarkSizes,
  examples: Examples,
  allowedMs: number,
  breathe: () => Promise<void> | void,
  found: (figure: keyof Figures, ms: number) => void,
): Promise<void> {
  const deadline = performance.now() + allowedMs
  const breatheInTime = (): Promise<void> | void => {
    if (performance.now() > deadline) throw new OutOfTime()
    return breathe()
  }
  for (const { hidden, figures } of [
    { hidden: [], figures: logisticFigures },
    { hidden: [sizes.hidden], figures: networkFigures },
  ]) {
    const architecture: Architecture = {
      task: 'classification',
      inputs: sizes.inputs,
      hidden,
      activation: 'relu',
      outputs: sizes.classes,
      l2: 1e-3,
    }
    const session = await backend.open(architecture, examples)
    try {
      for (const [figure, take] of Object.entries(figures) as [keyof Figures, Take][]) {
        const ms = await take({ session, sizes, breathe: breatheInTime }).catch((reason) => {
          if (reason instanceof OutOfTime) return undefined
          throw reason
        })
        if (ms !== undefined) found(figure, ms)
      }
    } finally {
      session.dispose()
    }
  }
}

/** Ranking needs no engine: its kernel is our own. */
export function rankingFigure({ rows, pairs }: BenchmarkSizes): number {
  const rng = createRng(5)
  const b = Float32Array.from({ length: pairs * rows }, () => rng.next() - 0.5)
  const index = residentIndex({ k: pairs, n: rows, b })
  const times: number[] = []
  // Enough repetitions for the compiler to have done its work; they cost nothing.
  for (let repetition = 0; repetition < 40 * repetitions; repetition++) {
    const query = Float64Array.from({ length: pairs }, () => rng.next() - 0.5)
    const start = performance.now()
    rankBySpectrum(index, query, top)
    times.push(performance.now() - start)
  }
  return rounded(median(times.slice(times.length / 2)))
}

interface Taking {
  readonly session: Session
  readonly sizes: BenchmarkSizes
  breathe(): Promise<void> | void
}
type Take = (taking: Taking) => Promise<number>

const logisticFigures: Readonly<Partial<Record<keyof Figures, Take>>> = {
  logisticHvpMs: ({ session, breathe }) =>
    repeated((theta, vectors) => session.hessianProducts(theta, vectors.slice(0, 1), breathe), session),
  jvp10Ms: ({ session, breathe }) => repeated((theta, vectors) => session.lossTangents(theta, vectors, breathe), session),
}

const networkFigures: Readonly<Partial<Record<keyof Figures, Take>>> = {
  mlpHvpMs: logisticFigures.logisticHvpMs!,
  mlpEpochMs: epochOf,
}

async function repeated(
  work: (theta: Float64Array, vectors: readonly Float64Array[]) => Promise<unknown>,
  session: Session,
): Promise<number> {
  const rng = createRng(11)
  const random = (scale: number): Float64Array => Float64Array.from({ length: session.parameters }, () => (rng.next() - 0.5) * scale)
  const vectors = Array.from({ length: tangents }, () => random(1))
  const once = async (): Promise<number> => {
    const theta = random(0.1)
    const start = performance.now()
    await work(theta, vectors)
    return performance.now() - start
  }
  const count = (await once()) > longMs ? 1 : repetitions
  const times: number[] = []
  while (times.length < count) times.push(await once())
  return rounded(median(times))
}

/** Epochs of one training, told apart by its own progress; what training does before the first and after the last does not count. */
async function epochOf({ session, sizes, breathe }: Taking): Promise<number> {
  const steps = Math.ceil(sizes.rows / sizes.batch)
  const ends: number[] = []
  const enough = (): boolean => ends.length === 1 + repetitions || (ends.length === 2 && ends[1]! - ends[0]! > longMs)
  const stopWhenDone = (): Promise<void> | void => {
    if (enough()) throw new Enough()
    return breathe()
  }
  await session
    .train({ epochs: 2 + repetitions, batch: sizes.batch, seed: 1 }, stopWhenDone, (_, done) => {
      if (done % steps === 0) ends.push(performance.now())
    })
    .catch((reason) => {
      if (!(reason instanceof Enough)) throw reason
    })
  return rounded(median(ends.slice(1).map((end, index) => end - ends[index]!)))
}

/** Neither is an error: each ends work that has a next batch. */
class OutOfTime {}
class Enough {}

/** Random rows and labels. */
export function benchmarkExamples({ rows, inputs, classes }: BenchmarkSizes): Examples {
  const rng = createRng(3)
  const x = new Float32Array(rows * inputs)
  for (let i = 0; i < x.length; i++) x[i] = rng.next()
  return { rows, x, y: Int32Array.from({ length: rows }, () => rng.below(classes)) }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Four digits: a clock knows no more. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(4))
}
