import { existsSync, readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Cancelled } from '../../../methods/cancel.ts'
import { complaintOf, type Environment, findProgram, run } from './command.ts'
import { findPython, metadataOf, withWheel } from './find-tensorflow.ts'
import { failed } from './sentences.ts'

/** Wheels of Pythons that pip may have none of, newer ones most of all: it is told to look for these then. */
const otherPythons = ['3.12', '3.11'] as const
const oldest = '2.15'

/**
 * Has pip download a wheel of TensorFlow, of the version given or the newest; where there is an NVIDIA GPU, the wheel that can use it, and the
 * CUDA packages that it asks for. Gives the wheel's path, and theirs.
 */
export async function downloadTensorflow(
  version: string | undefined,
  folder: string,
  environment: Environment,
): Promise<{ readonly wheel: string; readonly cuda: readonly string[] }> {
  const python = findPython(environment.env)
  if (python === undefined) throw failed.noPythonForPip()
  await mkdir(folder, { recursive: true })
  const gpu = await hasNvidiaGpu(environment)
  const wheel = await downloadFirst(python, candidates(gpu), version, folder, environment)
  const needed = gpu ? await withWheel(wheel, async (zip) => cudaPackages(await metadataOf(zip)), environment) : []
  if (needed.length === 0) return { wheel, cuda: [] }
  const cudaFolder = join(folder, 'cuda')
  await mkdir(cudaFolder)
  const { code, all } = await pip(python, needed, [], cudaFolder, environment)
  if (code !== 0) throw explained(all, python, 'its CUDA packages')
  return { wheel, cuda: wheelsIn(cudaFolder) }
}

function candidates(gpu: boolean): readonly string[] {
  if (process.platform === 'darwin' || gpu) return ['tensorflow']
  return process.arch === 'arm64' ? ['tensorflow-cpu', 'tensorflow', 'tensorflow-cpu-aws'] : ['tensorflow-cpu', 'tensorflow']
}

async function downloadFirst(
  python: string,
  packages: readonly string[],
  version: string | undefined,
  folder: string,
  environment: Environment,
): Promise<string> {
  let said = ''
  for (const name of packages) {
    const wanted = version === undefined ? `${name}>=${oldest}` : `${name}==${version}`
    for (const other of [undefined, ...otherPythons]) {
      const more = other === undefined ? [] : ['--python-version', other]
      const { code, all } = await pip(python, [wanted], more, folder, environment)
      const [wheel] = wheelsIn(folder)
      if (code === 0 && wheel !== undefined) return wheel
      said = all
      if (!noneFits(all)) throw explained(all, python, wanted)
    }
  }
  throw explained(said, python, version === undefined ? `${packages[0]} ${oldest} or newer` : `${packages[0]} ${version}`)
}

function pip(python: string, wanted: readonly string[], more: readonly string[], folder: string, environment: Environment) {
  const fixed = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--progress-bar=off',
    '--disable-pip-version-check',
    '--no-input',
  ]
  return run(python, [...fixed, ...more, '--dest', folder, ...wanted], environment)
}

const unreachable =
  /NewConnectionError|ConnectionError|Name or service not known|Temporary failure in name resolution|ReadTimeout|ProxyError|ConnectTimeout|SSLError/
const none = /No matching distribution|Could not find a version/

function noneFits(output: string): boolean {
  return none.test(output) && !unreachable.test(output)
}

function explained(output: string, python: string, wanted: string): Error {
  if (/No module named '?pip/.test(output)) return failed.noPip(python)
  if (/No space left on device|ENOSPC/.test(output)) return Object.assign(new Error('The disk is full.'), { code: 'ENOSPC' })
  if (unreachable.test(output)) return failed.pipUnreachable()
  if (none.test(output)) return failed.pipFindsNone(wanted)
  return failed.pipFailed(complaintOf(output, [/^ERROR/]))
}

async function hasNvidiaGpu(environment: Environment): Promise<boolean> {
  if (process.platform !== 'linux') return false
  if (existsSync('/proc/driver/nvidia/version')) return true
  const program = findProgram(['nvidia-smi'], environment.env)
  if (program === undefined) return false
  try {
    return (await run(program, ['-L'], environment, { timeoutMs: 20_000 })).out.includes('GPU 0')
  } catch (reason) {
    if (reason instanceof Cancelled) throw reason
    return false
  }
}

/** `Requires-Dist: nvidia-cublas-cu12==12.5.3.2; extra == 'and-cuda'`: as pip takes it, `nvidia-cublas-cu12==12.5.3.2`. */
function cudaPackages(metadata: string): readonly string[] {
  const lines = metadata.matchAll(/^Requires-Dist:\s*(nvidia-[^;\n]+);[^\n]*extra == ['"]and-cuda['"]/gm)
  return [...lines].map((match) => match[1]!.replace(/[\s()]/g, ''))
}

function wheelsIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.whl'))
    .map((name) => join(folder, name))
}
