import { expect, test } from 'vitest'
import { bytes, duration, figure, figures, share } from '../../server/src/report/figures.ts'

test.each([
  [0, '0'],
  [1028, '1 028'],
  [-60000, '-60 000'],
  [0.88123, '0.8812'],
  [1340.25, '1 340.3'],
  [9.1e-5, '9.10e-5'],
  [2.5e12, '2 500 000 000 000'],
  [2.55e18, '2.55e+18'],
  [null, 'none'],
  [Number.NaN, 'none'],
  [Number.NEGATIVE_INFINITY, '-infinite'],
])('figure(%j) is %j', (value, expected) => expect(figure(value)).toBe(expected))

test('a column of figures has the same decimals', () => expect(figures([0.42, 0.036, 0])).toEqual(['0.4200', '0.0360', '0.0000']))
test('a column of whole numbers has none', () => expect(figures([1, 2000])).toEqual(['1', '2 000']))

test.each([
  [0.2, '20 %'],
  [20 / 53940, '0.0371 %'],
  [0.99999, '> 99.99 %'],
  [1e-7, '< 0.01 %'],
  [1, '100 %'],
])('share(%j) is %j', (value, expected) => expect(share(value)).toBe(expected))

test.each([
  [0.2, '< 1 ms'],
  [999, '999 ms'],
  [8213, '8.2 s'],
  [119_999, '2 min 0 s'],
  [3_700_000, '1 h 1 min'],
])('duration(%j) is %j', (value, expected) => expect(duration(value)).toBe(expected))

test('bytes', () => expect([12, 6_280_000, 1.5e9].map(bytes)).toEqual(['12 bytes', '6.28 MB', '1.5 GB']))
