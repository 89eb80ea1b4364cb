import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashReading } from '../../server/src/data/data-hash.ts'
import { findFiles } from '../../server/src/data/files.ts'
import { fileReading, place, problemOf } from './support.ts'

const here = place()
const past = new Date('2020-01-01T00:00:00Z')
/** A file that has been left alone for years. */
function old(name: string, content: string): string {
  const path = here.write(name, content)
  utimesSync(path, past, past)
  return path
}
const sha = (text: string) => createHash('sha256').update(text).digest('hex')

describe('the hash of what a reading holds', () => {
  const cache = join(here.folder, 'cache/hashes.json')

  it('is that of the contents, in the order of reading, wherever they lie', async () => {
    old('one/a.csv', 'x\n1\n')
    old('one/b.csv', 'x\n2\n')
    const first = await hashReading(fileReading(join(here.folder, 'one/*.csv')), cache)
    expect(first.files.map((file) => file.hash)).toEqual([sha('x\n1\n'), sha('x\n2\n')])
    renameSync(join(here.folder, 'one'), join(here.folder, 'two'))
    expect((await hashReading(fileReading(join(here.folder, 'two/*.csv')), cache)).hash).toBe(first.hash)
    old('two/b.csv', 'x\n3\n')
    expect((await hashReading(fileReading(join(here.folder, 'two/*.csv')), undefined)).hash).not.toBe(first.hash)
  })

  it('is remembered by path, size and time', async () => {
    const path = old('c.csv', 'x\n1\n')
    await hashReading(fileReading(path), cache)
    expect(JSON.parse(readFileSync(cache, 'utf8'))[path]).toEqual({ bytes: 4, modifiedMs: past.getTime(), hash: sha('x\n1\n') })
    old('c.csv', 'y\n2\n')
    expect((await hashReading(fileReading(path), cache)).files[0]!.hash).toBe(sha('x\n1\n'))
    old('c.csv', 'longer\n1\n')
    expect((await hashReading(fileReading(path), cache)).files[0]!.hash).toBe(sha('longer\n1\n'))
  })

  it('is not remembered while the file may still be changing', async () => {
    const path = here.write('fresh.csv', 'x\n1\n')
    await hashReading(fileReading(path), cache)
    expect(JSON.parse(readFileSync(cache, 'utf8'))[path]).toBeUndefined()
  })

  it.each(['', '{"half', '[]', 'null', '{"x":1}'])('survives a cache that holds %j', async (content) => {
    const path = old('d.csv', 'x\n1\n')
    const broken = here.write('broken.json', content.replace('x', path))
    expect((await hashReading(fileReading(path), broken)).files[0]!.hash).toBe(sha('x\n1\n'))
    expect((await hashReading(fileReading(path), broken)).files[0]!.hash).toBe(sha('x\n1\n'))
    expect(Object.keys(JSON.parse(readFileSync(broken, 'utf8')))).toContain(path)
  })

  it('costs only time where the cache cannot be written', async () => {
    const path = old('e.csv', 'x\n1\n')
    writeFileSync(join(here.folder, 'plain'), '')
    expect((await hashReading(fileReading(path), join(here.folder, 'plain/hashes.json'))).files[0]!.hash).toBe(sha('x\n1\n'))
  })

  it('leaves nothing half-written', () => {
    expect(readdirSync(join(here.folder, 'cache'))).toEqual(['hashes.json'])
    expect(existsSync(cache)).toBe(true)
  })

  it('covers images and labels', async () => {
    const images = old('images', 'abc')
    const labels = old('labels', 'def')
    const both = await hashReading({ kind: 'idx', images, labels }, undefined)
    expect(both.files.map((file) => file.path)).toEqual([images, labels])
    expect((await hashReading({ kind: 'idx', images }, undefined)).hash).not.toBe(both.hash)
  })

  it('of a missing file is a sentence', async () => {
    expect(await problemOf(hashReading(fileReading(join(here.folder, 'nowhere.csv')), cache))).toMatch(/^missing-file/)
  })
})

describe('globs', () => {
  for (const name of ['g/a1.csv', 'g/a2.csv', 'g/b.csv', 'g/.hidden.csv', 'g/x/y/deep.csv', 'g/a+b.csv', 'g/[z].csv'])
    here.write(name, 'x\n1\n')
  it.each([
    ['g/*.csv', ['[z].csv', 'a+b.csv', 'a1.csv', 'a2.csv', 'b.csv']],
    ['g/a?.csv', ['a1.csv', 'a2.csv']],
    ['g/a[2-9].csv', ['a2.csv']],
    ['g/[!a]*.csv', ['[z].csv', 'b.csv']],
    ['g/**/*.csv', ['[z].csv', 'a+b.csv', 'a1.csv', 'a2.csv', 'b.csv', 'deep.csv']],
    ['g/*/*/deep.csv', ['deep.csv']],
    ['g/a+*.csv', ['a+b.csv']],
    ['g/[z].csv', ['[z].csv']],
    ['g/.*.csv', ['.hidden.csv']],
  ])('%s', (glob, names) => {
    expect(findFiles(join(here.folder, glob)).map((file) => file.path.replace(/.*\//, ''))).toEqual(names)
  })
})
