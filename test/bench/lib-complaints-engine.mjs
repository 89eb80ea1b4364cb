/** The engine's own functions, bundled for a benchmark, and a run that stays open: one database, one backend, one memory. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const entry = `
export { openTables } from './server/src/data/duckdb.ts'
export { encode } from './server/src/data/encode.ts'
export { openCache } from './server/src/engine/cache.ts'
export { askModels, evaluateComplaint } from './server/src/engine/complaint.ts'
export { debuggingIndex } from './server/src/engine/debugging-index.ts'
export { maintainComplaint } from './server/src/engine/maintained.ts'
export { fitModel } from './server/src/engine/models.ts'
export { prepare } from './server/src/engine/prepare.ts'
export { rankSuspects } from './server/src/engine/ranking.ts'
export { createResident } from './server/src/engine/resident.ts'
export { openBackend } from './server/src/learn/backends/ladder.ts'
export { planFor } from './server/src/plan/plan-for.ts'
export { loadSpec } from './server/src/workspace/load.ts'
`

export async function engineFunctions() {
  const outfile = join(root, 'dist', 'bench-complaints-engine.mjs')
  await build({
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  })
  return import(new URL(`../../dist/bench-complaints-engine.mjs`, import.meta.url).href)
}

/** Opens a run over a folder of files; `plansOf(text)` reads a spec and plans it. */
export async function openRun(engine, files, { threads = 1, name = process.env.ENGINE ?? 'auto' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content)
  mkdirSync(join(folder, '.assay'))
  const tables = await engine.openTables({ threads, memoryLimit: '4GB' })
  let backend
  const open = async () => (await engine.openBackend(name, { threads })).backend
  const ctx = {
    tables,
    cache: engine.openCache(join(folder, '.assay')),
    resident: engine.createResident(),
    token: { cancelled: false },
    backend: () => {
      backend ??= open()
      return backend
    },
    step: () => {},
    breathe: async () => {},
    prepared: new Map(),
    models: new Map(),
    training: {},
    onnx: undefined,
    partitions: new Map(),
    inMemory: { rows: 5e6, bytes: 1e9, index: 1e9 },
  }
  return {
    ctx,
    folder,
    plansOf: async (text, names) => {
      const path = join(folder, 'bench.assay')
      writeFileSync(path, text)
      const describe = async (readings) => {
        const schemas = []
        for (const reading of readings) schemas.push({ schema: await tables.describe(reading) })
        return schemas
      }
      const { spec, problems } = await engine.loadSpec(path, { read: (at) => readFileSync(at, 'utf8'), describe })
      const wrong = problems.filter((p) => p.severity === 'error')
      if (wrong.length) throw new Error(wrong.map((p) => p.message).join('\n'))
      const { plans, refused } = engine.planFor(spec, names, {})
      if (refused.length) throw new Error(refused.map((r) => r.message).join('\n'))
      return plans
    },
    close: async () => {
      await tables.close()
      await (await backend)?.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
