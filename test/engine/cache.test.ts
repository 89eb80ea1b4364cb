import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openCache } from '../../server/src/engine/cache.ts'

const folders: string[] = []
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'assay-cache-'))
  folders.push(made)
  return made
}
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
})

const arrays = {
  theta: Float64Array.of(1, -2, Math.PI),
  b: Float32Array.of(0.5, 2, 3),
  rows: Int32Array.of(7, -1),
  bytes: Uint8Array.of(1, 2, 3),
}

describe('what was stored comes back bit by bit', () => {
  test('all types of array, and the meta data', () => {
    const cache = openCache(folder())
    const written = cache.write('models', 'abc', { note: 'größe ✓' }, arrays)
    expect(readFileSync(written!.path).length).toBe(written!.bytes)
    expect(cache.read('models', 'abc')).toEqual({ meta: { note: 'größe ✓' }, arrays, bytes: written!.bytes })
  })
  test('nothing is left beside it', () => {
    const cache = openCache(folder())
    cache.write('models', 'abc', {}, arrays)
    expect(readdirSync(join(cache.folder, 'tmp'))).toEqual([])
  })
})

describe('a damaged file is as good as absent', () => {
  const damages: [string, (path: string) => void][] = [
    ['cut short', (path) => truncateSync(path, readFileSync(path).length - 9)],
    ['cut in the header', (path) => truncateSync(path, 20)],
    ['empty', (path) => truncateSync(path, 0)],
    ['another file', (path) => writeFileSync(path, 'label,x\n1,2\n')],
    [
      'one character changed in what describes the numbers',
      (path) => {
        const bytes = readFileSync(path)
        bytes.write('ruws', bytes.indexOf('rows'))
        writeFileSync(path, bytes)
      },
    ],
    [
      'one bit flipped in the numbers',
      (path) => {
        const bytes = readFileSync(path)
        bytes[bytes.length - 20]! ^= 1
        writeFileSync(path, bytes)
      },
    ],
  ]
  test.each(damages)('%s', (_, damage) => {
    const cache = openCache(folder())
    damage(cache.write('index', 'x', {}, arrays)!.path)
    expect(cache.read('index', 'x')).toBeUndefined()
    cache.write('index', 'x', {}, arrays)
    expect(cache.read('index', 'x')?.arrays).toEqual(arrays)
  })
  test('a folder that cannot be written costs only the cache', () => {
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    expect(openCache(join(file, 'below')).write('models', 'x', {}, arrays)).toBeUndefined()
  })
})
