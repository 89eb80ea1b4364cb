import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import type { InferenceSession } from 'onnxruntime-node'
import type { Loaded } from './ladder.ts'
import { type OnnxTensor, onnxDevice, type Runtime } from './onnx/device.ts'
import { requireVulkan } from './vulkan.ts'

const require = createRequire(import.meta.url)

/** Where the graphs run: ONNX Runtime calls them execution providers. */
export type Provider = 'cpu' | 'webgpu' | 'cuda'

/**
 * ONNX Runtime, from npm alone: the binaries for each platform lie in the package (CUDA's do not). A provider that is not there shows when the
 * first graph is compiled, so one is.
 */
export async function loadOnnx(
  provider: Provider,
  threads: number,
  search: 'quiet' | 'thorough' = 'thorough',
): Promise<Loaded<OnnxTensor>> {
  if (provider === 'webgpu' && search === 'quiet') requireVulkan()
  const others = provider === 'cpu' ? watchOthers() : async () => 0
  const runtime = await importRuntime()
  runtime.env.logLevel = 'fatal'
  const device = onnxDevice(runtime, sessionOptions(provider, threads, await others()))
  try {
    await probe(device)
  } catch (failure) {
    await device.dispose()
    throw new Error(missing[provider], { cause: failure })
  }
  const version = runtime.env.versions.node ?? runtime.env.versions.common
  const place = provider === 'cpu' ? `${threads === 1 ? 'one thread' : `${threads} threads`}` : provider === 'cuda' ? 'CUDA' : 'WebGPU'
  return { device, description: `ONNX Runtime ${version}, ${place}`, dispose: () => device.dispose() }
}

const missing: Readonly<Record<Provider, string>> = {
  cpu: 'ONNX Runtime loads, but compiles no graph.',
  webgpu: 'ONNX Runtime finds no graphics adapter for WebGPU.',
  cuda: 'ONNX Runtime finds no CUDA provider: its libraries are not beside the package, or there is no NVIDIA GPU with CUDA and cuDNN.',
}

function sessionOptions(provider: Provider, threads: number, others: number): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    extra: waiting(others),
  }
}

/**
 * How threads wait for each other, tens of times a batch: where no others wanted the processor they spin for a millisecond before they sleep, for waking takes long; where
 * some did they would take the cores from those that they wait for (both measured: RESULTS.md).
 */
function waiting(others: number): Record<string, string> {
  if (others > 0.5) return { 'session.intra_op.allow_spinning': '0' }
  return { 'session.intra_op.allow_spinning': '1', 'session.intra_op.spin_duration_us': '1000' }
}

/** Begins to watch how many cores other processes take; to be asked after at least a tenth of a second, or it waits for that. The load average lags by a minute. */
function watchOthers(): () => Promise<number> {
  const busy = (): number => cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  const own = process.cpuUsage()
  const [from, before] = [performance.now(), busy()]
  return async () => {
    const left = from + 100 - performance.now()
    if (left > 0) await new Promise((resume) => setTimeout(resume, left))
    const { user, system } = process.cpuUsage(own)
    return (busy() - before - (user + system) / 1000) / (performance.now() - from)
  }
}

/** Throws, with a sentence, where the optional package is not there. */
export async function importRuntime(): Promise<Runtime> {
  const name = 'onnxruntime-node'
  try {
    require.resolve(`${name}/package.json`)
  } catch {
    throw new Error(`The package \`${name}\` is not installed.`)
  }
  let module: Runtime & { readonly default?: Runtime }
  try {
    module = await import(name)
  } catch (failure) {
    const { code } = failure as { code?: string }
    if (code === 'MODULE_NOT_FOUND') throw new Error(`\`${name}\` has no binary for ${process.platform} on ${process.arch}.`)
    throw failure
  }
  return module.default ?? module
}

/** The smallest graph there is, compiled and run. */
async function probe(device: ReturnType<typeof onnxDevice>): Promise<void> {
  const run = await device.compile({
    name: 'probe',
    inputs: [{ name: 'a', shape: [1, 1] }],
    outputs: [{ name: 'b', shape: [1, 1], over: 'state' }],
    build: (ops, { a }) => ({ b: ops.add(a!, a!) }),
  })
  const { b } = await run({ a: device.upload(Float32Array.of(1), [1, 1], 'passing') })
  if ((await device.read(b!))[0] !== 2) throw new Error('One and one is not two.')
}
