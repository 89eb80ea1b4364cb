import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareTexts } from '../../server/src/data/categories.ts'
import { daysOf, encode, fitEncoding, type InputColumn } from '../../server/src/data/encode.ts'
import { encodeLabels, fitLabels } from '../../server/src/data/labels.ts'
import type { ColumnData } from '../../server/src/data/tables.ts'
import type { ColumnType } from '../../server/src/sql/tree.ts'
import { fileReading, place, problemOf, samples } from './support.ts'

const here = place()

function numbers(...values: (number | null)[]): ColumnData {
  const valid = values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
  return { kind: 'number', values: Float64Array.from(values, (value) => value ?? 0), valid, integer: false }
}
function texts(...values: (string | null)[]): ColumnData {
  const dictionary = [...new Set(values.filter((value) => value !== null))]
  const valid = values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
  return { kind: 'text', codes: Int32Array.from(values, (value) => (value === null ? -1 : dictionary.indexOf(value))), dictionary, valid }
}
function booleans(...values: (boolean | null)[]): ColumnData {
  const valid = values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
  return { kind: 'boolean', values: Uint8Array.from(values, (value) => (value ? 1 : 0)), valid }
}
function images(...values: (number[] | null)[]): ColumnData {
  const valid = values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined
  return { kind: 'blob', values: values.map((value) => Uint8Array.from(value ?? [])), valid }
}
const input = (name: string, data: ColumnData, type: ColumnType = 'unknown'): InputColumn => ({ name, type, data })
const rowsOf = (encoded: { rows: number; width: number; values: Float32Array }) =>
  Array.from({ length: encoded.rows }, (_, i) => Array.from(encoded.values.subarray(i * encoded.width, (i + 1) * encoded.width)))

describe('features', () => {
  it('numbers are standardised by the training rows', () => {
    const columns = [input('x', numbers(1, 3, 100))]
    const encoding = fitEncoding(columns, Int32Array.of(0, 1))
    expect(encoding.inputs).toEqual([{ kind: 'number', name: 'x', from: 'number', mean: 2, deviation: 1, indicator: false }])
    expect(rowsOf(encode(encoding, columns))).toEqual([[-1], [1], [98]])
    expect(rowsOf(encode(encoding, columns, Int32Array.of(2, 0)))).toEqual([[98], [-1]])
  })

  it('a NULL number is the mean, with an indicator where training had one; NaN and infinities are NULL', () => {
    const columns = [input('x', numbers(1, null, 3)), input('y', numbers(1, 2, Number.NaN)), input('z', numbers(0, 2, 4))]
    const encoding = fitEncoding(columns)
    const encoded = encode(encoding, columns)
    expect(encoded.names).toEqual(['x', 'x is null', 'y', 'y is null', 'z'])
    const deviation = Math.fround(2 / Math.sqrt(8 / 3))
    expect(rowsOf(encoded)).toEqual([
      [-1, 0, -1, 0, -deviation],
      [0, 1, 1, 0, 0],
      [1, 0, 0, 1, deviation],
    ])
    const unseen = encode(encoding, [input('x', numbers(1)), input('y', numbers(Number.POSITIVE_INFINITY)), input('z', numbers(null))])
    expect(rowsOf(unseen)).toEqual([[-1, 0, 0, 1, 0]])
  })

  it('texts are one-hot in the order of SQL, NULL is a value, and what training did not have is unknown', () => {
    const columns = [input('c', texts('b', null, 'a', 'z')), input('d', texts('q', 'r', 'q', null))]
    const encoding = fitEncoding(columns, Int32Array.of(0, 1, 2))
    const encoded = encode(encoding, columns)
    expect(encoded.names).toEqual(['c = a', 'c = b', 'c is null', 'c unknown', 'd = q', 'd = r', 'd unknown'])
    expect(rowsOf(encoded)).toEqual([
      [0, 1, 0, 0, 1, 0, 0],
      [0, 0, 1, 0, 0, 1, 0],
      [1, 0, 0, 0, 1, 0, 0],
      [0, 0, 0, 1, 0, 0, 1],
    ])
  })

  it('booleans are numbers, dates are days, images are bytes / 255', () => {
    const columns = [
      input('b', booleans(true, false), 'boolean'),
      input('d', texts('1970-01-03', '1970-01-01'), 'date'),
      input('t', texts('1970-01-02 12:00:00', '1970-01-01 12:00:00'), 'timestamp'),
      input('i', images([0, 51], [255, 102]), 'image'),
    ]
    const encoding = fitEncoding(columns)
    const encoded = encode(encoding, columns)
    expect(encoding.inputs.map((one) => one.kind === 'number' && one.mean)).toEqual([0.5, 1, 1, false])
    expect(encoded.names.slice(3)).toEqual(['i[0]', 'i[1]'])
    expect(rowsOf(encoded)).toEqual([
      [1, 1, 1, 0, Math.fround(0.2)],
      [-1, -1, -1, 1, Math.fround(0.4)],
    ])
  })

  it.each([
    ['1970-01-01', 0],
    ['2000-03-01', 11_017],
    ['1969-12-31', -1],
    ['1970-01-01 12:00:00', 0.5],
    ['1970-01-01 06:00:00.5', 0.25 + 0.5 / 86_400],
    ['1970-01-01 12:00:00+02', 10 / 24],
    ['1970-01-01 12:00:00-05:30', 17.5 / 24],
    ['0001-01-01', -719_162],
    ['0001-12-31 (BC)', -719_163],
    ['infinity', Number.NaN],
    ['12345-01-01', 3_789_391],
    ['yesterday', undefined],
  ])('%s is day %d', (text, day) => {
    if (day === undefined || Number.isNaN(day)) expect(daysOf(text)).toBe(day)
    else expect(daysOf(text)).toBeCloseTo(day, 9)
  })

  it('is plain, hashed data that does not depend on the order of rows or of the dictionary', () => {
    const values = Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 1e6)
    const words = values.map((_, i) => `w${(i * 7) % 13}`)
    const first = fitEncoding([input('x', numbers(...values)), input('c', texts(...words))])
    const second = fitEncoding([input('x', numbers(...[...values].reverse())), input('c', texts(...[...words].reverse()))])
    expect(JSON.parse(JSON.stringify(first))).toEqual(first)
    expect(second.hash).toBe(first.hash)
    expect(first.hash).toBe(createHash('sha256').update(JSON.stringify(first.inputs)).digest('hex'))
  })

  it('a feature that does not vary is noted, and harmless', () => {
    const columns = [
      input('x', numbers(1, 2)),
      input('same', numbers(5, 5)),
      input('word', texts('a', 'a')),
      input('tiny', numbers(0.1 + 0.2, 0.3)),
    ]
    const encoding = fitEncoding(columns)
    expect(encoding.notes).toEqual(
      ['same', 'word', 'tiny'].map((name) => `\`${name}\` has the same value in all training rows and tells the model nothing.`),
    )
    expect(rowsOf(encode(encoding, columns))[0]!.slice(0, 4)).toEqual([-1, 0, 1, 0])
  })

  it('diamonds: what the sum of a million lookups must be', async () => {
    await here.tables.read('stones', fileReading(join(samples, 'diamonds.csv')))
    const { columns } = await here.tables.query('select carat, color, price from stones')
    const inputs = columns.map((column) => input(column.name, column.data))
    const encoding = fitEncoding(inputs)
    const encoded = encode(encoding, inputs)
    expect([encoded.rows, encoded.width]).toEqual([53_940, 1 + 8 + 1])
    expect(encoded.names.slice(0, 4)).toEqual(['carat', 'color = D', 'color = E', 'color = F'])
    const sums = new Float64Array(encoded.width)
    const squares = new Float64Array(encoded.width)
    encoded.values.forEach((value, i) => {
      sums[i % encoded.width]! += value
      squares[i % encoded.width]! += value * value
    })
    expect(Array.from(sums.subarray(1, 9))).toEqual([6775, 9797, 9542, 11_292, 8304, 5422, 2808, 0])
    for (const i of [0, 9]) {
      expect(sums[i]! / encoded.rows).toBeCloseTo(0, 6)
      expect(squares[i]! / encoded.rows).toBeCloseTo(1, 6)
    }
  })

  it.each<[string, () => unknown, RegExp]>([
    ['no rows', () => fitEncoding([input('x', numbers(1))], new Int32Array()), /^no-training-rows: There are no training rows/],
    ['all NULL', () => fitEncoding([input('x', numbers(null, null))]), /^all-null: `x` is NULL in all 2 training rows\. Leave it out/],
    ['all NULL text', () => fitEncoding([input('x', texts(null, null))]), /^all-null: `x`/],
    ['all NULL image', () => fitEncoding([input('x', images(null, null))]), /^all-null: `x`/],
    [
      'nothing varies',
      () => fitEncoding([input('x', numbers(1, 1)), input('y', texts('a', 'a'))]),
      /^all-constant: `x`, `y`: no feature varies over the 2 training rows/,
    ],
    [
      '100 000 categories',
      () =>
        fitEncoding([
          input('id', {
            kind: 'text',
            codes: Int32Array.from({ length: 100_000 }, (_, i) => i),
            dictionary: Array.from({ length: 100_000 }, (_, i) => `${i}`),
          }),
        ]),
      /^too-many-categories: `id` has 100 000 different values in 100 000 training rows; each would be a feature of its own, and 1 000 are the most\./,
    ],
    ['a list', () => fitEncoding([input('l', texts('[1]', '[2]'), 'list')]), /^not-a-feature: `l` holds values of type list/],
    ['no date', () => fitEncoding([input('d', texts('1970-01-01', 'soon'), 'date')]), /^not-a-date: `soon` in `d` is not a date/],
    [
      'images of two sizes',
      () => fitEncoding([input('i', images([1, 2], [1]))]),
      /^image-size: `i`: the image in row 1 \(counted from 0\) has 1 bytes, the first has 2/,
    ],
    ['no image', () => fitEncoding([input('i', images([1, 2], null))]), /^no-image: `i` is NULL or empty in row 1/],
    ['huge numbers', () => fitEncoding([input('x', numbers(1e308, -1e308))]), /^huge-numbers: The values of `x` are too large/],
    [
      'a column that is gone',
      () => encode(fitEncoding([input('x', numbers(1, 2))]), [input('y', numbers(1))]),
      /^missing-feature: The rows have no column `x`/,
    ],
    [
      'a column of another kind',
      () => encode(fitEncoding([input('x', numbers(1, 2))]), [input('x', texts('a'))]),
      /^changed-feature: `x` holds text here and held numbers/,
    ],
    [
      'a category that is a number',
      () => encode(fitEncoding([input('x', texts('a', 'b'))]), [input('x', numbers(1))]),
      /^changed-feature: `x` holds numbers here and held text/,
    ],
    [
      'too wide',
      () =>
        encode(fitEncoding([input('i', images(Array(100_000).fill(1), Array(100_000).fill(2)))]), [
          input('i', { kind: 'blob', values: Array.from({ length: 3000 }, () => new Uint8Array(0)) }),
        ]),
      /^too-wide: 3 000 rows of 100 000 features need more than 1 GiB/,
    ],
  ])('%s is a sentence', async (_, work, sentence) => {
    expect(await problemOf(work)).toMatch(sentence)
  })

  it('a column that is NULL throughout is NULL whatever its type', () => {
    const encoding = fitEncoding([input('c', texts('a', null)), input('x', numbers(1, 3))])
    expect(rowsOf(encode(encoding, [input('c', numbers(null)), input('x', texts(null))]))).toEqual([[0, 1, 0, 0]])
  })
})

describe('labels', () => {
  it('are classes in the order of SQL', () => {
    expect(fitLabels('y', numbers(10, 9, 9, 2), 'classification')).toEqual({ kind: 'classes', name: 'y', values: [2, 9, 10] })
    expect(fitLabels('y', texts('b', 'B', 'é', 'a'), 'classification')).toMatchObject({ values: ['B', 'a', 'b', 'é'] })
    expect(fitLabels('y', booleans(true, false), 'classification')).toMatchObject({ values: [false, true] })
  })
  it('are numbers, with what is not a class and what is NULL told apart', () => {
    const encoding = fitLabels('y', texts('b', 'a', 'c'), 'classification', Int32Array.of(0, 1))
    expect(encodeLabels(encoding, texts('a', 'b', 'c', null)).values).toEqual(Int32Array.of(0, 1, -1, -2))
    expect(encodeLabels(encoding, texts('a', 'b', 'c', null), Int32Array.of(3, 1)).values).toEqual(Int32Array.of(-2, 1))
    expect(encodeLabels(fitLabels('y', numbers(3, 5), 'classification'), numbers(5, 4, 3)).values).toEqual(Int32Array.of(1, -1, 0))
    expect(encodeLabels(fitLabels('y', booleans(true, false), 'classification'), booleans(true)).values).toEqual(Int32Array.of(1))
    expect(encodeLabels(fitLabels('y', numbers(1, 2.5), 'regression'), numbers(2.5, null)).values).toEqual(Float32Array.of(2.5, Number.NaN))
  })
  it('sort as the database does', async () => {
    const words = ['\uFFFD', '𝔘', 'a', 'Z', '', 'é', 'e', '\uE000', 'ab', '数', 'a b']
    const quoted = words.map((word) => `('${word}')`).join(', ')
    const { data } = (await here.tables.query(`select s from (values ${quoted}) v(s) order by s`)).columns[0]!
    expect(data.kind === 'text' && data.dictionary).toEqual([...words].sort(compareTexts))
  })
  it.each<[string, () => unknown, RegExp]>([
    ['one class', () => fitLabels('y', texts('a', 'a'), 'classification'), /^one-class: The label `y` is `a` in every training row/],
    ['one value', () => fitLabels('y', numbers(3, 3), 'regression'), /^one-class: The target `y` is 3 in every training row/],
    [
      'NULL',
      () => fitLabels('y', texts('a', null, 'b'), 'classification'),
      /^null-label: The label `y` is NULL in 1 of 3 training rows\. .*split train where "y" is not null/,
    ],
    ['NaN', () => fitLabels('y', numbers(1, Number.NaN), 'regression'), /^null-label/],
    [
      'a measure',
      () => fitLabels('y', numbers(...Array.from({ length: 5000 }, (_, i) => i / 3)), 'classification'),
      /^too-many-classes: The label `y` has 5 000 different values in 5 000 training rows\. That is a number to predict and no class: use `kind linear`/,
    ],
    [
      'texts without end',
      () => fitLabels('y', texts(...Array.from({ length: 2000 }, (_, i) => `t${i}`)), 'classification'),
      /^too-many-classes: .*2 000 different values.* Group its values in a view/,
    ],
    ['a text to regress', () => fitLabels('y', texts('a', 'b'), 'regression'), /^not-a-target: The target `y` holds text/],
    ['infinity', () => fitLabels('y', numbers(1, Number.POSITIVE_INFINITY), 'regression'), /^not-a-target/],
    ['no rows', () => fitLabels('y', texts('a'), 'classification', new Int32Array()), /^no-training-rows/],
  ])('%s is a sentence', async (_, work, sentence) => {
    expect(await problemOf(work)).toMatch(sentence)
  })
})
