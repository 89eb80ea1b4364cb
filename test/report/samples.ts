import type { BackendInfo, Key, Result, ResultFile } from '../../server/src/protocol/results.ts'
import type { Picture, View } from '../../server/src/protocol/views.ts'
import type { Report } from '../../server/src/report/views.ts'

/** Made results of every kind that runs, for reports. */
export const backend: BackendInfo = { name: 'wasm', device: 'cpu, 2 threads', selfTest: 'passed' }
export const provenance = { dataHash: '3fa9c1d2e4b5a697', planHash: '81c7aa0912fe3d45', seed: 7, rows: 60000, elapsedMs: 8213 }

export function reportOf(views: readonly View[], more: Partial<ResultFile> = {}): Report {
  return {
    file: { schema: 'assay-result/1', file: 'examples/digits.assay', backend, results: views.map((v) => v.result), problems: [], ...more },
    views,
  }
}
export function viewOf(result: Result, pictures: Readonly<Record<string, Picture>> = {}, text = ''): View {
  return { schema: 'assay-view/1', result, text, pictures }
}

/** A picture with a diagonal, so that no test needs data. */
export function diagonal(key: Key, size = 8): Picture {
  const pixels = new Uint8Array(size * size)
  for (let i = 0; i < size; i++) pixels[i * size + i] = 255
  return { width: size, height: size, pixels: Buffer.from(pixels).toString('base64'), key }
}

export const complaint: Result = {
  kind: 'complaint',
  name: 'too_many_sevens',
  status: 'violated',
  provenance,
  query: 'select count(*) as sevens from mail where predict(label) = 7',
  expectations: [{ expect: 'sevens <= 1028', actual: 1352, relaxed: 1340.25, expected: '<= 1028', satisfied: false }],
  actual: 1352,
  relaxed: 1340.25,
  expected: '<= 1028',
  satisfied: false,
  method: 'auto (k = 5)',
  eigenvalues: [2.1, 1.4],
  ranking: Array.from({ length: 25 }, (_, i) => ({
    key: 1000 + 7 * i,
    rank: i + 1,
    influence: 0.42 / (1 + i / 6),
    treatment: 'relabel to 1',
    label: 7,
    prediction: 1,
    confidence: 0.99 - i / 100,
  })),
  indexMs: 4012,
  rankMs: 1.4,
}
export const intervene: Result = {
  kind: 'intervene',
  name: 'drop_suspects',
  status: 'ok',
  provenance,
  before: { too_many_sevens: 1352, 'accuracy on mail': 0.8812 },
  after: { too_many_sevens: 1021, 'accuracy on mail': 0.9134 },
  changedRows: 2000,
}
export const model: Result = {
  kind: 'model',
  name: 'reader',
  status: 'ok',
  provenance,
  rows: 60000,
  parameters: 7850,
  epochs: 213,
  loss: 0.4512,
  gradientNorm: 9.1e-5,
  metrics: { accuracy: 0.8991, loss: 0.4123 },
  measuredOn: 'training',
  perSlice: ['thin', 'bold', 'colours = E', 'colours = F'].map((slice, i) => ({
    slice,
    rows: 900 * (i + 1),
    loss: 0.3 + i / 10,
    metric: 0.93 - i / 20,
  })),
}
export const partition: Result = {
  kind: 'partition',
  name: 'colours',
  status: 'ok',
  provenance,
  slices: ['D', 'E', 'F', 'G'].map((color, i) => ({ name: color, predicates: { color }, rows: 6775 + 900 * i })),
}
export const assertion: Result = {
  kind: 'assert',
  name: 'solid',
  status: 'violated',
  provenance,
  level: 'error',
  checked: 53940,
  failed: 20,
  unknown: 0,
  fraction: 20 / 53940,
  flagged: Array.from({ length: 20 }, (_, i) => ({
    key: `a1b2c3${i}`,
    severity: 1,
    rows: [`a1b2c3${i}`],
    values: { x: 0, y: i === 3 ? null : 6.62, z: 0 },
  })),
  total: 20,
  sql: 'select count(*) from "stones"',
}
export const discover: Result = {
  kind: 'discover',
  name: 'weak_spots',
  status: 'ok',
  provenance,
  meanError: 0.8123,
  slices: Array.from({ length: 8 }, (_, i) => ({
    predicates: (i % 2 ? { clarity: 'I1', price: '[326, 837)' } : { color: 'J', carat: `[${i / 10}, ${(i + 3) / 10})` }) as Readonly<
      Record<string, string>
    >,
    size: 180 * (i + 1) ** 2,
    sumError: 200,
    maxError: 4,
    meanError: 1.9 - i / 8,
    interval: [1.7 - i / 8, 2.1 - i / 8] as const,
    effectSize: 0.8 - i / 20,
    score: 1.2 - i / 10,
    pValue: 10 ** -(9 - i),
    qValue: 10 ** -(8 - i),
    test: 'Welch t',
    replicated: i < 6,
    overlaps: [],
  })),
}
export const source: Result = {
  kind: 'source',
  name: 'stones',
  status: 'ok',
  provenance,
  rows: 53940,
  splits: { train: 10788, valid: 16182, pool: 26970 },
  columns: [
    { name: 'carat', type: 'DOUBLE' },
    { name: 'cut', type: 'VARCHAR' },
  ],
}
export const skipped: Result = {
  kind: 'acquire',
  name: 'fair_grader',
  status: 'skipped',
  provenance: { dataHash: '', planHash: '', seed: 0, rows: 0, elapsedMs: 0 },
  message: 'This version cannot run `fair_grader`: `acquire` is checked and not yet run.',
}
export const everyKind: readonly Result[] = [source, model, partition, discover, assertion, complaint, intervene, skipped]
