import { describe, expect, test } from 'vitest'
import { medianFilter } from '../../server/src/methods/influence/median-filter.ts'
import { matrix, node, onnxFile } from '../support/onnx-file.ts'
import { runToy, type Toy } from '../support/run-toy.ts'

/** Numbers from a fixed sequence, near enough to normal. */
function noise(seed: number): () => number {
  let state = seed
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647
  return () => Array.from({ length: 6 }, next).reduce((sum, x) => sum + x, -3)
}

const N = 90
/** Two overlapping classes; the clean table differs in the inputs of every third row, and in the label of every ninth. */
function pets() {
  const own = noise(11)
  const row = (i: number, a: number, b: number, label: string) => `${i},${a.toFixed(4)},${b.toFixed(4)},${label}`
  const dirty: string[] = []
  const clean: string[] = []
  for (let i = 0; i < N; i++) {
    const cat = i % 2 === 0
    const [a, b] = [(cat ? 0.6 : -0.6) + own(), (cat ? 0.4 : -0.4) + own()]
    const label = cat ? 'cat' : 'dog'
    dirty.push(row(i, a, b, label))
    const [c, d] = i % 3 === 0 ? [a + own(), b + own()] : [a, b]
    clean.push(row(i, c, d, i % 9 === 0 ? (cat ? 'dog' : 'cat') : label))
  }
  return { dirty, clean }
}
const { dirty, clean } = pets()
const HEADER = 'id,a,b,label\n'
const table = (rows: readonly string[]) => `${HEADER}${rows.join('\n')}\n`
const files = { 'pets.csv': table(dirty), 'clean.csv': table(clean) }

const head = (kind = 'logistic(l2: 0.02)') => `
source pets { from 'pets.csv'; key id; label label; split train 100% }
source clean { from 'clean.csv'; key id }
model reader on pets { predict label; from a, b; kind ${kind}; train on train }
`
const complaint = (name: string, by: string, method: string, top = N) => `
complaint ${name} using reader {
  query  select sum(score(label, 'cat')) as s from pets where id < 40
  expect higher s
  method ${method}
  blame  top ${top} rows of train by ${by}
}
`
const influences = (toy: Toy, name: string) => new Map(toy.of('complaint', name).ranking!.map((row) => [row.key as number, row.influence]))

function spearman(xs: readonly number[], ys: readonly number[]): number {
  const ranks = (values: readonly number[]) => {
    const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
    const found = new Array<number>(values.length)
    for (const [rank, i] of order.entries()) found[i] = rank
    return found
  }
  const [a, b] = [ranks(xs), ranks(ys)]
  const mean = (xs.length - 1) / 2
  const product = a.reduce((sum, x, i) => sum + (x - mean) * (b[i]! - mean), 0)
  return product / a.reduce((sum, x) => sum + (x - mean) ** 2, 0)
}

/** What was predicted of single rows against what training again makes of the same rows. */
function agree(predicted: readonly number[], real: readonly number[]): void {
  expect(spearman(predicted, real)).toBeGreaterThanOrEqual(0.95)
  const large = Math.max(...real.map(Math.abs)) / 10
  for (const [i, effect] of real.entries()) if (Math.abs(effect) > large) expect(Math.sign(predicted[i]!)).toBe(Math.sign(effect))
}

describe('replacing rows', () => {
  test('has the influence that training again shows, by every method', async () => {
    const ids = Array.from({ length: N / 3 }, (_, i) => 3 * i)
    const repairs = ids.map(
      (id) => `
source only_${id} { from (select * from clean where id = ${id}) }
intervene fix_${id} { for spectral_; replace top ${N} rows of train by random with only_${id}; retrain reader; compare spectral_ }`,
    )
    const methods = { spectral_: 'spectral(k: 20)', cg_: 'cg', auto_: 'auto' }
    const complaints = Object.entries(methods).map(([name, method]) => complaint(name, 'influence of replace(with: clean)', method))
    const toy = await runToy(head() + complaints.join('') + repairs.join(''), files)
    expect(toy.problems).toEqual([])
    const effects = ids.map((id) => {
      const { before, after, changedRows, message } = toy.of('intervene', `fix_${id}`)
      expect([changedRows, message]).toEqual([1, undefined])
      return after!.spectral_! - before!.spectral_!
    })
    for (const name of Object.keys(methods)) {
      const found = influences(toy, name)
      agree(
        ids.map((id) => found.get(id)!),
        effects,
      )
      // All other rows are the same in both tables.
      expect([...found].filter(([id, influence]) => id % 3 !== 0 && influence !== 0)).toEqual([])
      for (const row of toy.of('complaint', name).ranking!) expect(row.treatment).toBe(row.influence === 0 ? 'none' : 'replace')
    }
  })

  test('of a regression too', async () => {
    const numbers = (rows: readonly string[]) => rows.map((row) => row.replace('cat', '1.5').replace('dog', '-0.5'))
    const ids = [0, 3, 9, 12, 27, 33, 45, 60, 81]
    const repairs = ids.map(
      (id) => `
source only_${id} { from (select * from clean where id = ${id}) }
intervene fix_${id} { for c; replace top ${N} rows of train by random with only_${id}; retrain reader; compare c }`,
    )
    const text = `${head('linear(l2: 0.02)')}
complaint c using reader {
  query  select sum(predict(label)) as s from pets where id < 40
  expect higher s
  method spectral(k: 3)
  blame  top ${N} rows of train by influence of replace(with: clean)
}
${repairs.join('')}`
    const toy = await runToy(text, { 'pets.csv': table(numbers(dirty)), 'clean.csv': table(numbers(clean)) })
    expect(toy.problems).toEqual([])
    const found = influences(toy, 'c')
    agree(
      ids.map((id) => found.get(id)!),
      ids.map((id) => toy.of('intervene', `fix_${id}`).after!.c! - toy.of('intervene', `fix_${id}`).before!.c!),
    )
  })

  test('by the same rows is nothing at all', async () => {
    const methods = ['spectral', 'cg', 'auto']
    const complaints = methods.map((method) => complaint(`${method}_`, 'influence of replace(with: clean)', method))
    const text = `${head()}${complaints.join('')}
intervene i { for auto_; replace top ${N} rows of train by random with clean; retrain reader; compare auto_, loss }`
    const toy = await runToy(text, { 'pets.csv': table(dirty), 'clean.csv': table([...dirty].reverse()) })
    for (const method of methods) {
      expect(toy.of('complaint', `${method}_`).ranking!.every((row) => row.influence === 0 && row.treatment === 'none')).toBe(true)
    }
    const { changedRows, before, after, notes } = toy.of('intervene', 'i')
    expect(changedRows).toBe(0)
    expect(after).toEqual(before)
    expect(notes!.join(' ')).toMatch(/No training row was changed/)
  })

  test('depends on no order of rows, and comes out the same again', async () => {
    const text = head() + complaint('c', 'influence of replace(with: clean)', 'spectral')
    const shuffled = (rows: readonly string[]) =>
      [...rows].sort((a, b) => ((Number.parseInt(a, 10) * 37) % N) - ((Number.parseInt(b, 10) * 37) % N))
    const one = await runToy(text, files)
    const other = await runToy(text, { 'pets.csv': table(shuffled(dirty)), 'clean.csv': table([...clean].reverse()) })
    const again = await runToy(text, files, { folder: one.folder })
    const ranking = one.of('complaint', 'c').ranking!
    expect(again.of('complaint', 'c').ranking).toEqual(ranking)
    const [mine, theirs] = [influences(one, 'c'), influences(other, 'c')]
    for (const [id, influence] of mine) expect(theirs.get(id)).toBeCloseTo(influence, 6)
  })

  test('leaves rows without a match, and takes labels along or lets them stay', async () => {
    const some = clean.filter((_, i) => i % 9 === 0)
    const text = `${head()}
source inputs { from (select id, a, b from clean) }
${complaint('c', 'influence of replace(with: clean)', 'spectral')}
intervene labelled { for c; replace top 20 rows of train with clean; retrain reader; compare c }
intervene unlabelled { for c; replace top ${N} rows of train by random with inputs; retrain reader; compare c }
intervene two { for c; replace top ${N} rows of train by random with inputs; set a = a + 1 where id = 0; remove where id = 1; retrain reader; compare c }`
    const toy = await runToy(text, { ...files, 'clean.csv': table(some) })
    expect(toy.problems).toEqual([])
    expect(toy.of('complaint', 'c').notes!.join(' ')).toMatch(
      /80 of 90 training rows have no row with the same key in `clean`: they stay as they are\./,
    )
    expect(toy.of('complaint', 'c').ranking!.filter((row) => row.influence !== 0)).toHaveLength(10)
    expect(toy.of('intervene', 'labelled').changedRows).toBeLessThanOrEqual(10)
    expect(toy.of('intervene', 'unlabelled').notes!.join(' ')).toMatch(/`inputs` has no `label`: labels stay/)
    expect(toy.of('intervene', 'unlabelled').changedRows).toBe(10)
    expect(toy.of('intervene', 'two').changedRows).toBe(11)
  })

  test('finds rows by a key of several columns, and columns whatever their case', async () => {
    const halves = (rows: readonly string[]) =>
      rows.map((row) => row.replace(/^(\d+),/, (_, id) => `${Number(id) % 10},${Math.floor(Number(id) / 10)},`))
    const text = (key: string) => `${head().replace('key id; label', `key ${key}; label`).replace("'clean.csv'; key id", "'clean.csv'")}
complaint c using reader {
  query  select sum(score(label, 'cat')) as s from pets
  expect higher s
  method spectral
  blame  top ${N} rows of train by influence of replace(with: clean)
}
intervene i { for c; replace top 20 rows of train with clean; set a = a * 1 where a > 0; retrain reader; compare c, loss }`
    const one = await runToy(text('id'), { ...files, 'clean.csv': table(clean).replace(HEADER, 'ID,A,B,LABEL\n') })
    expect(one.problems).toEqual([])
    const split = (rows: readonly string[]) => table(halves(rows)).replace('id,', 'ones,tens,')
    const two = await runToy(text('tens, ones'), { 'pets.csv': split(dirty), 'clean.csv': split(clean) })
    expect(two.problems).toEqual([])
    const found = two.of('complaint', 'c').ranking!
    expect(found.map((row) => row.influence)).toEqual(one.of('complaint', 'c').ranking!.map((row) => row.influence))
    expect(found[0]!.key).toHaveLength(2)
    expect(two.of('intervene', 'i').after).toEqual(one.of('intervene', 'i').after)
  })

  test('by a row without a label counts as removing it', async () => {
    const emptied = dirty.map((row, i) => (i === 7 ? row.replace(/,\w+$/, ',') : row))
    const text = `${head()}${complaint('c', 'influence of replace(with: clean)', 'spectral')}${complaint('r', 'influence of remove', 'spectral')}
intervene i { for c; replace top ${N} rows of train by random with clean; retrain reader; compare c }
intervene j { for c; remove where id = 7; retrain reader; compare c }`
    const toy = await runToy(text, { 'pets.csv': table(dirty), 'clean.csv': table(emptied) })
    expect(influences(toy, 'c').get(7)).toBe(influences(toy, 'r').get(7))
    expect(toy.of('intervene', 'i').after).toEqual(toy.of('intervene', 'j').after)
    expect(toy.of('intervene', 'i').changedRows).toBe(1)
  })

  test.each([
    ['a key that stands twice', [...clean, clean[4]!], /The key 4 stands twice in `clean`/],
    ['a class that is unknown', clean.map((row) => row.replace('cat', 'zebra')), /knows no class zebra\. Its classes are cat, dog\./],
  ] as const)('%s is said in a sentence', async (_, rows, message) => {
    const text = `${head().replace("'clean.csv'; key id", "'clean.csv'")}${complaint('c', 'influence of replace(with: clean)', 'spectral')}`
    const toy = await runToy(text, { ...files, 'clean.csv': table(rows) })
    expect(toy.of('complaint', 'c')).toMatchObject({ status: 'failed', fault: 'data' })
    expect(toy.of('complaint', 'c').message).toMatch(message)
  })
})

/** Bars and dots with noise, as IDX files: two dimensions an image, or three with channels. */
const SIDE = 6
function pictures(n: number, channels: number) {
  const own = noise(29)
  const images: Uint8Array[] = []
  const labels: number[] = []
  for (let i = 0; i < n; i++) {
    const label = i % 2
    const image = new Uint8Array(SIDE * SIDE * channels)
    for (let p = 0; p < image.length; p++) {
      const pixel = Math.floor(p / channels)
      const bar = (label === 0 ? Math.floor(pixel / SIDE) : pixel % SIDE) % 4 < 2
      image[p] = Math.max(0, Math.min(255, (bar ? 150 : 90) + 45 * own()))
      if (i % 4 === 0 && Math.abs(own()) > 1.1) image[p] = own() > 0 ? 255 : 0
    }
    images.push(image)
    labels.push(label)
  }
  return { images, labels }
}

function idx(dimensions: readonly number[], bytes: readonly Uint8Array[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * dimensions.length))
  header.setUint32(0, 0x0800 + dimensions.length)
  for (const [i, dimension] of dimensions.entries()) header.setUint32(4 + 4 * i, dimension)
  return Buffer.concat([new Uint8Array(header.buffer), ...bytes])
}

const M = 60
function pictureFiles(n = M, channels = 1) {
  const { images, labels } = pictures(n, channels)
  return {
    images,
    files: {
      'images-ubyte': idx(channels === 1 ? [n, SIDE, SIDE] : [n, SIDE, SIDE, channels], images),
      'labels-ubyte': idx([n], [Uint8Array.from(labels)]),
    },
  }
}
const seen = (extra = '') => `
source pics { from idx(images: 'images-ubyte', labels: 'labels-ubyte'); key index; label label; split train 100% }
model looker on pics { predict label; from image; kind logistic(l2: 0.05); train on train }
complaint c using looker {
  query  select sum(score(label, 1)) as s from pics where index < 30
  expect higher s
  method spectral(k: 60)
  blame  top ${M} rows of train by influence of denoise(size: 3)
}
${extra}`

describe('filtering images', () => {
  test('has the influence that training again shows', async () => {
    const ids = Array.from({ length: 25 }, (_, i) => 2 * i)
    const repairs = ids.map(
      (id) => `
source only_${id} { from (select index from pics where index = ${id}) }
intervene fix_${id} { for c; denoise top 1 rows of only_${id} by random with median(size: 3); retrain looker; compare c }`,
    )
    const toy = await runToy(seen(repairs.join('')), pictureFiles().files)
    expect(toy.problems).toEqual([])
    const found = influences(toy, 'c')
    expect(toy.of('complaint', 'c').ranking![0]!.treatment).toBe('denoise')
    agree(
      ids.map((id) => found.get(id)!),
      ids.map((id) => {
        const { before, after, changedRows, message } = toy.of('intervene', `fix_${id}`)
        expect([changedRows, message]).toEqual([1, undefined])
        return after!.c! - before!.c!
      }),
    )
  })

  test('is that of the filtered images as a replacement, by either method', async () => {
    const { images, files } = pictureFiles()
    const smooth = images.map((image) => medianFilter(image, { width: SIDE, height: SIDE }, 5))
    const by = (name: string, method: string, treatment: string) => `
complaint ${name} using looker {
  query  select sum(score(label, 1)) as s from pics where index < 30
  expect higher s
  method ${method}
  blame  top ${M} rows of train by influence of ${treatment}
}`
    const text = seen(`
source smooth { from idx(images: 'smooth-ubyte', labels: 'labels-ubyte'); key index }
${by('s1', 'spectral', 'denoise(size: 5)')}${by('s2', 'spectral', 'replace(with: smooth)')}${by('g1', 'cg', 'denoise(size: 5)')}${by('g2', 'cg', 'replace(with: smooth)')}
intervene i1 { for c; denoise top 20 rows of train with median(size: 5); retrain looker; compare c, loss }
intervene i2 { for c; replace top 20 rows of train with smooth; retrain looker; compare c, loss }
intervene i3 { for c; denoise top 20 rows of train with median(size: 5); denoise top 20 rows of train with median(size: 5); retrain looker; compare c, loss }`)
    const toy = await runToy(text, { ...files, 'smooth-ubyte': idx([M, SIDE, SIDE], smooth) })
    expect(toy.problems).toEqual([])
    expect(influences(toy, 's1')).toEqual(influences(toy, 's2'))
    expect(influences(toy, 'g1')).toEqual(influences(toy, 'g2'))
    expect(toy.of('intervene', 'i1').after).toEqual(toy.of('intervene', 'i2').after)
    expect(toy.of('intervene', 'i1').changedRows).toBe(20)
    // The second filter finds the images that the first one left.
    expect(toy.of('intervene', 'i3').after).not.toEqual(toy.of('intervene', 'i1').after)
  })

  test('is weighed under auto by how unusual the change is', async () => {
    const text = seen(`complaint a using looker {
  query  select sum(score(label, 1)) as s from pics where index < 30
  expect higher s
  method auto
  blame  top ${M} rows of train by influence of denoise(size: 3)
}`)
    const toy = await runToy(text, pictureFiles().files)
    const [plain, weighed] = [toy.of('complaint', 'c').ranking!, toy.of('complaint', 'a').ranking!]
    // Every fourth picture has specks.
    const specked = (rows: typeof plain) => rows.slice(0, 10).filter((row) => (row.key as number) % 4 === 0).length
    expect(specked(weighed)).toBeGreaterThan(specked(plain))
    const found = influences(toy, 'c')
    for (const { key, influence } of weighed.slice(0, 5)) expect(found.get(key as number)).toBeGreaterThan(0.9 * influence)
    const again = await runToy(text, pictureFiles().files, { folder: toy.folder })
    expect(again.of('complaint', 'a').ranking).toEqual(weighed)
  })

  test('reaches a head through the model that gives its embeddings', async () => {
    const { images, files } = pictureFiles()
    const next = noise(5)
    const weights = Array.from({ length: SIDE * SIDE * 4 }, () => next() / 10)
    const file = onnxFile({
      nodes: [node('MatMul', ['x', 'w'], ['h']), node('MatMul', ['h', 'u'], ['y'])],
      initializers: [matrix('w', [SIDE * SIDE, 4], weights), matrix('u', [4, 2], weights.slice(0, 8))],
      inputs: [{ name: 'x', shape: ['n', SIDE * SIDE] }],
      outputs: [{ name: 'y', shape: ['n', 2] }],
    })
    const smooth = images.map((image) => medianFilter(image, { width: SIDE, height: SIDE }, 3))
    const text = seen(`source smooth { from idx(images: 'smooth-ubyte', labels: 'labels-ubyte'); key index }
complaint r using looker {
  query  select sum(score(label, 1)) as s from pics where index < 30
  expect higher s
  method spectral(k: 10)
  blame  top ${M} rows of train by influence of replace(with: smooth)
}
intervene i { for c; denoise top 5 rows of train; retrain looker; compare c }`)
      .replace('logistic(l2: 0.05)', "head(embedding: onnx('m.onnx'), l2: 0.05)")
      .replace('k: 60', 'k: 10')
    const toy = await runToy(text, { ...files, 'm.onnx': file, 'smooth-ubyte': idx([M, SIDE, SIDE], smooth) })
    expect(toy.problems).toEqual([])
    expect(toy.of('complaint', 'c').message).toBeUndefined()
    const [mine, theirs] = [influences(toy, 'c'), influences(toy, 'r')]
    for (const [index, influence] of mine) expect(theirs.get(index)).toBeCloseTo(influence, 5)
    expect(toy.of('intervene', 'i').changedRows).toBe(5)
  })

  test('goes channel by channel', async () => {
    const { files } = pictureFiles(M, 3)
    const toy = await runToy(seen('intervene i { for c; denoise top 5 rows of train; retrain looker; compare c }'), files)
    expect(toy.of('complaint', 'c').message).toBeUndefined()
    expect(toy.of('intervene', 'i').changedRows).toBe(5)
  })

  test('needs to know the shape of an image', async () => {
    const { images, files } = pictureFiles(M, 3)
    const toy = await runToy(seen(), { ...files, 'images-ubyte': idx([M, images[0]!.length], images) })
    expect(toy.of('complaint', 'c')).toMatchObject({ status: 'failed', fault: 'data' })
    expect(toy.of('complaint', 'c').message).toMatch(/has 108 bytes, and no file says its height and width/)
  })
})
