import type { ProbeLine } from '../learn/backends/native/try-out.ts'
import { loadFrom } from '../learn/backends/native.ts'
import { selfTest } from '../learn/backends/self-test.ts'
import { openSession } from '../learn/open-session.ts'
import { createRng } from '../learn/rng.ts'
import { benchmarkExamples, benchmarkSizes } from './benchmark.ts'

/**
 * A process of its own that loads one native engine, tests and times it, and says so line by line on standard output: `assay engine install` asks it
 * before the engine is put where others load it from.
 */
const [, , folder = ''] = process.argv
const say = (line: ProbeLine) => process.stdout.write(`${JSON.stringify(line)}\n`)
const repetitions = 5

try {
  const { device, version, kind } = loadFrom(folder)
  say({ kind: 'loaded', tensorflow: version, device: kind })
  const { passed, summary } = await selfTest(device)
  say({ kind: 'self-test', passed, summary })
  if (passed) say({ kind: 'speed', logisticHvpMs: await timed(device) })
} catch (failure) {
  const [line = ''] = (failure instanceof Error ? failure.message : String(failure)).split('\n', 1)
  say({ kind: 'failed', reason: /[.!?]$/.test(line) ? line : `${line}.` })
  process.exitCode = 1
}

/** A Hessian product of a logistic regression at a new θ: the median of 5 after one that is not counted. */
async function timed(device: ReturnType<typeof loadFrom>['device']): Promise<number> {
  const { inputs, classes } = benchmarkSizes
  const shape = { task: 'classification', inputs, hidden: [], activation: 'relu', outputs: classes, l2: 1e-3 } as const
  const session = await openSession(device, shape, benchmarkExamples(benchmarkSizes))
  const rng = createRng(11)
  const random = () => Float64Array.from({ length: session.parameters }, () => rng.next() - 0.5)
  const times: number[] = []
  for (let i = 0; i <= repetitions; i++) {
    const [theta, vector] = [random(), random()]
    const start = performance.now()
    await session.hessianProducts(theta, [vector], () => {})
    times.push(performance.now() - start)
  }
  session.dispose()
  const sorted = times.slice(1).sort((a, b) => a - b)
  return Number(sorted[repetitions >> 1]!.toPrecision(3))
}
