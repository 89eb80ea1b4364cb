import type { EngineManifest, InstalledEngine } from '../learn/backends/native/engine-folder.ts'
import { inert } from '../report/inert.ts'

/** What `assay engine` prints about engines; why one could not be installed is said where it is installed. */
export function installedLines(engine: InstalledEngine): string[] {
  const { folder, manifest } = engine
  if (manifest === undefined) return engineLines(engine)
  return [
    found(manifest),
    figures(manifest),
    `Installed in ${inert(folder, 400)}. ${
      manifest.device === 'gpu'
        ? '`auto` takes it first; `--engine gpu` asks for it by name.'
        : '`--engine native` asks for it by name: on the CPU `auto` prefers `onnx`, which is faster.'
    }`,
  ]
}

export function engineLines({ name, folder, manifest, ignored }: InstalledEngine): string[] {
  return [
    `${inert(name, 100)}  ${ignored === undefined ? 'ready' : 'ignored'}`,
    ...(ignored === undefined ? [] : [`  ${inert(ignored, 600)}`]),
    ...(manifest === undefined ? [] : [`  ${found(manifest)}`, `  ${figures(manifest)}`]),
    `  ${inert(folder, 400)}`,
  ]
}

function found({ tensorflow: { version, from, place }, device, platform, arch }: EngineManifest): string {
  const source = { python: 'of the Python', wheel: 'of the wheel', download: 'downloaded as' }[from] ?? 'of'
  const where = device === 'gpu' ? 'on a GPU' : 'on the CPU (it found no GPU)'
  return inert(`TensorFlow ${version} ${where}, ${platform} ${arch}, ${source} ${place}`, 400)
}

function figures({ selfTest, logisticHvpMs }: EngineManifest): string {
  const speed = logisticHvpMs === undefined ? '' : `; a Hessian product of a logistic regression, 60 000 × 784 × 10: ${logisticHvpMs} ms`
  return `Self-test ${inert(selfTest, 300)}${speed}`
}

export const noEngines = (folder: string): string => `No engine is installed in ${inert(folder, 400)}. \`assay engine install\` builds one.`
export const removed = ({ name }: InstalledEngine): string => `removed ${inert(name, 100)}`
export const noProbe = 'This program cannot try engines out, so it installs none.'
