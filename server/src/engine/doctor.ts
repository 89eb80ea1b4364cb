import { totalmem } from 'node:os'
import { type Engine, EngineUnavailable, engines, openBackend, SelfTestFailed } from '../learn/backends/ladder.ts'
import type { Backend, Examples } from '../learn/session.ts'
import { type BenchmarkSizes, benchmarkExamples, benchmarkSizes, type Figures, measure, rankingFigure } from './benchmark.ts'

/**
 * What engines there are on this machine, whether they compute rightly, and how fast: each rung of the ladder in its order, opened by name,
 * self-tested, measured and closed again. Nothing is installed or changed. A rung that cannot be opened is a line like any other.
 */
export interface DoctorReport {
  readonly schema: 'assay-doctor/1'
  readonly engines: readonly EngineReport[]
}

export interface EngineReport {
  readonly name: Engine
  readonly present: boolean
  /** Why it is not there, or not used. */
  readonly reason?: string
  /** `none` where there is no such engine. */
  readonly device: string
  /** `passed`, what failed, or `not run`. */
  readonly selfTest: string
  /** Milliseconds; what was not measured is left out. */
  readonly benchmark: Figures
}

export interface Diagnosis {
  readonly report: DoctorReport
  /** Whether any engine passed its self-test. */
  readonly passed: boolean
  /** What to install for more: a sentence for each engine that is not used. */
  readonly advice: Readonly<Partial<Record<Engine, string>>>
  readonly memoryMegabytes: number
}

export type DoctorEvent =
  | { readonly kind: 'engine'; readonly name: Engine }
  | { readonly kind: 'figure'; readonly name: Engine; readonly figure: keyof Figures; readonly ms: number }
  | { readonly kind: 'examined'; readonly engine: EngineReport }

export interface DoctorOptions {
  readonly threads: number
  readonly wasmFolder?: string
  /** The user's folder of Assay, where engines are installed. */
  readonly home?: string
  /** All, unless given. */
  readonly engines?: readonly Engine[]
  /** Those of the product's figures, unless given. */
  readonly sizes?: BenchmarkSizes
  /** Seconds that the benchmark of a rung may take: about 10, and 40 where there is one thread. */
  readonly seconds?: (engine: Engine) => number
  /** Called between batches; throws `Cancelled` to stop. */
  readonly breathe?: () => Promise<void> | void
  /** Opens an engine by name: the ladder's way, unless given. */
  readonly open?: (engine: Engine) => Promise<Backend>
}

/** About ten seconds for each engine that is there (40 for wasm and reference), most of a gigabyte of memory at the default sizes. */
export async function doctor(options: DoctorOptions, emit: (event: DoctorEvent) => void): Promise<Diagnosis> {
  const { threads, wasmFolder, home, sizes = benchmarkSizes, seconds = allowance, breathe = () => {} } = options
  const open = options.open ?? (async (engine) => (await openBackend(engine, { threads, wasmFolder, home, search: 'quiet' })).backend)
  const reports: EngineReport[] = []
  const advice: Partial<Record<Engine, string>> = {}
  // Made when the first engine is there, and the same for all.
  let examples: Examples | undefined
  for (const name of options.engines ?? engines) {
    await breathe()
    emit({ kind: 'engine', name })
    const report = await examine(name)
    reports.push(report)
    emit({ kind: 'examined', engine: report })
  }
  return {
    report: { schema: 'assay-doctor/1', engines: reports },
    passed: reports.some(({ selfTest }) => selfTest === 'passed'),
    advice,
    memoryMegabytes: Math.round(totalmem() / 1e6),
  }

  async function examine(name: Engine): Promise<EngineReport> {
    let backend: Backend
    try {
      backend = await open(name)
    } catch (failure) {
      if (!(failure instanceof EngineUnavailable)) throw failure
      if (failure.remedy !== '') advice[name] = failure.remedy
      const { cause, reason } = failure
      if (cause instanceof SelfTestFailed) return { name, present: true, reason, device: 'none', selfTest: cause.summary, benchmark: {} }
      return { name, present: false, reason, device: 'none', selfTest: 'not run', benchmark: {} }
    }
    const benchmark: { -readonly [figure in keyof Figures]: Figures[figure] } = {}
    const found = (figure: keyof Figures, ms: number): void => {
      benchmark[figure] = ms
      emit({ kind: 'figure', name, figure, ms })
    }
    const { device, selfTest } = backend
    const base = { name, present: true, device, selfTest }
    try {
      examples ??= benchmarkExamples(sizes)
      await measure(backend, sizes, examples, seconds(name) * 1000, breathe, found)
      found('rankMs', rankingFigure(sizes))
      return { ...base, benchmark }
    } catch (failure) {
      // `Cancelled` is no Error. A device may be lost, or memory run out, in the middle: what was measured stands.
      if (!(failure instanceof Error)) throw failure
      return { ...base, reason: `The benchmark stopped: ${failure.message}`, benchmark }
    } finally {
      await backend.dispose()
    }
  }
}

const allowance = (engine: Engine): number => (engine === 'wasm' || engine === 'reference' ? 40 : 10)
