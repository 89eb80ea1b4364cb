import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { DamagedBlock, openBlockFile } from '../../server/src/engine/block-file.ts'
import { writeBlockFile } from '../../server/src/engine/write-block-file.ts'
import { rankByBlocks } from '../../server/src/methods/influence/bounded-blocks.ts'
import { rankBySpectrum } from '../../server/src/methods/influence/rank-by-spectrum.ts'
import { sequence } from '../methods/influence/matrices.ts'
import { runToy, type Toy, toyFolder } from '../support/run-toy.ts'

const breathe = async () => {}

describe('an index in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-blocks-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const [k, n] = [5, 9000]
  const next = sequence(9)
  const groups = Int32Array.from({ length: n }, () => Math.floor(next() * 6))
  const size = Float64Array.from({ length: n }, () => next() ** 6)
  const b = Float32Array.from({ length: k * n }, (_, at) => size[at % n]! * (Math.sin(groups[at % n]! + Math.floor(at / n)) + 0.2 * next()))
  const query = [1, -0.5, 0.25, 2, 0.1]

  const written = async (name: string, memory: number, pieces: number, data = b) => {
    const path = join(folder, `${name}.bin`)
    const writer = writeBlockFile(path, join(folder, 'tmp'), { k, groups, memory })
    for (let first = 0; first < n; first += pieces) {
      const count = Math.min(pieces, n - first)
      writer.add(Float32Array.from({ length: count * k }, (_, at) => data[(at % k) * n + first + Math.floor(at / k)]!))
    }
    await writer.finish(breathe)
    writer.abandon()
    return path
  }

  test.each([
    ['in one go', 1 << 30, n],
    ['in pieces', 1 << 30, 700],
    ['in pieces, through buckets of a thousand rows', 1, 501],
    ['through buckets, row by row', 200_000, 1],
  ])('ranks as one in memory: written %s', async (name, memory, pieces) => {
    const path = await written(name, memory, pieces)
    const file = openBlockFile(path)!
    const found = await rankByBlocks({ ...file, query, top: 100 })
    const all = rankBySpectrum({ k, n, b }, query, 100)
    expect(found.rows).toEqual(all.rows)
    expect(found.influence).toEqual(all.influence)
    expect(found.read.rows).toBeLessThan(n / 2)
    expect(file.bytesRead()).toBeLessThan(file.bytes / 2)
    file.close()
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  })

  test('rows that are all the same, more than a bucket takes', async () => {
    const equal = new Float32Array(k * n).fill(2)
    const file = openBlockFile(await written('equal', 1, 800, equal))!
    const { rows } = await rankByBlocks({ ...file, query, top: 10 })
    expect(Array.from(rows)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    file.close()
  })

  test('nothing is left of one that was given up, or that misses rows', async () => {
    const writer = writeBlockFile(join(folder, 'given-up.bin'), join(folder, 'tmp'), { k, groups, memory: 1 })
    writer.add(new Float32Array(k * 10))
    await expect(writer.finish(breathe)).rejects.toThrow('10 rows came where 9000 were said')
    writer.abandon()
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
    expect(openBlockFile(join(folder, 'given-up.bin'))).toBeUndefined()
  })

  test('is as good as absent when it was cut short or its bounds were changed', async () => {
    const path = await written('damaged', 1 << 30, n)
    const whole = readFileSync(path)
    for (const change of [
      () => truncateSync(path, whole.length - 1),
      () => truncateSync(path, 10),
      () => truncateSync(path, 0),
      () => writeFileSync(path, Buffer.concat([whole.subarray(0, 5000), whole.subarray(5004)])),
      () => writeFileSync(path, flipped(whole, whole.length - 3000)),
      () => writeFileSync(path, 'label,x\n1,2\n'),
    ]) {
      change()
      expect(openBlockFile(path)).toBeUndefined()
    }
  })

  test('a block that was changed is found when it is read', async () => {
    const path = await written('changed', 1 << 30, n)
    writeFileSync(path, flipped(readFileSync(path), 5000))
    const file = openBlockFile(path)!
    expect(() => file.read(Int32Array.from({ length: file.bounds.counts.length }, (_, block) => block))).toThrow(DamagedBlock)
    file.close()
  })
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 4
  return copy
}

describe('the engine ranks a large index from its files, as it would in memory', () => {
  const next = sequence(4)
  const n = 900
  const lines = Array.from({ length: n }, (_, i) => {
    const [a, b, c] = [next() - 0.5, next() - 0.5, next()]
    const kind = a + b > 0.3 ? 'x' : a > b ? 'y' : 'z'
    const given = kind === 'x' && i % 3 === 0 ? 'y' : kind
    return [i, a.toFixed(4), b.toFixed(4), c.toFixed(4), given, (2 * a - b + 0.1 * c).toFixed(4)].join()
  })
  const csv = `id,a,b,c,kind,price\n${lines.join('\n')}\n`
  const complaint = (name: string, by: string, more = '') => `complaint ${name} using m {
  query   select count(*) as n from test where predict(kind) = 'y'
  expect  n <= 10
  ${more}
  blame   top 25 rows of ${by}
}
`
  const text = `source all { from 'rows.csv'; key id; label kind; split train 70%, test 30% }
model m on all { predict kind; from a, b, c; kind logistic(l2: 0.01); train on train }
source half { from (select id, a, b, c, kind, price from "all" where a < 0); key id }
model r on all { predict price; from a, b, c; kind linear(l2: 0.01); train on train }
${complaint('auto', 'train by influence')}
${complaint('removal', 'train by influence of remove')}
${complaint('relabelled', "train by influence of relabel(to: 'x')")}
${complaint('spectral', 'train by influence of remove', 'method spectral(k: 4)')}
${complaint('part', 'half by influence of remove')}
${complaint('own', 'train by self_influence')}
complaint dear using r {
  query   select avg(predict(price)) as p from test
  expect  p <= -1
  blame   top 25 rows of train by influence
}
`.replaceAll('from test', 'from all.test')
  const names = ['auto', 'removal', 'relabelled', 'spectral', 'part', 'own', 'dear']

  const given = (toy: Toy, name: string) => {
    const { ranking = [] } = toy.of('complaint', name)
    return {
      keys: ranking.map(({ key }) => key),
      reasons: ranking.map(({ why }) => why?.map((one) => one.key)),
      influences: ranking.map(({ influence }) => influence),
    }
  }
  const orderOf = (toy: Toy, name: string) => {
    expect(toy.of('complaint', name).message, name).toBeUndefined()
    const { influences, ...rest } = given(toy, name)
    // In memory, sums may be in float32.
    return { ...rest, influences: influences.map((influence) => expect.closeTo(influence, 5)) }
  }

  test('with the same rows, influences and reasons; files that go or are damaged are made again', async () => {
    const files = { 'rows.csv': csv }
    const usual = await runToy(text, files, { names })
    expect(usual.problems.map((p) => p.message)).toEqual([])
    const folder = toyFolder(files)
    const large = await runToy(text, files, { names, folder, inMemoryIndexBytes: 1000 })
    for (const name of names) {
      expect(given(large, name), name).toEqual(orderOf(usual, name))
      expect(orderOf(large, name).keys.length).toBe(25)
    }
    expect(large.of('complaint', 'auto').notes!.join(' ')).toContain('ranked from its file')
    expect((usual.of('complaint', 'auto').notes ?? []).join(' ')).not.toContain('ranked from its file')
    const blocks = join(folder, '.assay', 'blocks')
    const made = readdirSync(blocks)
    expect(made.length).toBeGreaterThan(5)
    expect(made.some((name) => name.endsWith('to-0.bin'))).toBe(true)
    for (const [i, name] of made.entries()) {
      const path = join(blocks, name)
      if (i % 2 === 0) rmSync(path)
      else writeFileSync(path, flipped(readFileSync(path), 40))
    }
    const again = await runToy(text, files, { names, folder, inMemoryIndexBytes: 1000 })
    for (const name of names) expect(given(again, name), name).toEqual(orderOf(usual, name))
  })
})
