import { describe, expect, it } from 'vitest'
import { type ImageShape, medianFilter } from '../../../server/src/methods/influence/median-filter.ts'
import { sequence } from './matrices.ts'

/** Sorts every window, pixels beyond an edge found by walking back and forth. */
function bySorting(pixels: Uint8Array, { width, height, channels = 1, layout }: ImageShape, size: number): Uint8Array {
  const radius = (size - 1) / 2
  const inside = (place: number, length: number): number =>
    place < 0 ? inside(-1 - place, length) : place >= length ? inside(2 * length - 1 - place, length) : place
  const index = (x: number, y: number, c: number) => (layout === 'planar' ? (c * height + y) * width + x : (y * width + x) * channels + c)
  const out = new Uint8Array(pixels.length)
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const window: number[] = []
        for (let dy = -radius; dy <= radius; dy++) {
          for (let dx = -radius; dx <= radius; dx++) window.push(pixels[index(inside(x + dx, width), inside(y + dy, height), c)]!)
        }
        out[index(x, y, c)] = window.sort((a, b) => a - b)[(size * size - 1) / 2]!
      }
    }
  }
  return out
}

const image = ({ width, height, channels = 1 }: ImageShape, levels: number, seed: number): Uint8Array => {
  const next = sequence(seed)
  return Uint8Array.from({ length: width * height * channels }, () => Math.floor(next() * levels) * Math.floor(255 / (levels - 1 || 1)))
}

describe('the median filter', () => {
  const shapes: readonly ImageShape[] = [
    { width: 28, height: 28 },
    { width: 1, height: 1 },
    { width: 1, height: 9 },
    { width: 7, height: 2 },
    { width: 5, height: 6, channels: 3 },
    { width: 5, height: 6, channels: 3, layout: 'planar' },
    { width: 4, height: 3, channels: 2, layout: 'interleaved' },
  ]
  it.each(shapes.flatMap((shape) => [3, 5, 7, 11].map((size) => [size, shape] as const)))(
    'of size %i equals sorting, %o',
    (size, shape) => {
      for (const levels of [2, 3, 256]) {
        const pixels = image(shape, levels, size * 100 + shape.width + levels)
        const before = pixels.slice()
        expect(medianFilter(pixels, shape, size)).toEqual(bySorting(pixels, shape, size))
        expect(pixels).toEqual(before)
      }
    },
  )

  it('takes single specks away and leaves edges where they are', () => {
    const edge = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 0 : 255))
    const specked = edge.slice()
    specked[3 * 8 + 1] = 255
    specked[5 * 8 + 6] = 0
    expect(medianFilter(specked, { width: 8, height: 8 }, 3)).toEqual(edge)
    expect(medianFilter(edge, { width: 8, height: 8 }, 3)).toEqual(edge)
  })

  it.each([
    [{ width: 2, height: 2 }, 3, /has 4 bytes, not 6/],
    [{ width: 2.5, height: 2 }, 3, /whole number/],
    [{ width: 3, height: 2 }, 2, /odd number from 3 on, not 2/],
    [{ width: 3, height: 2 }, 1, /odd number from 3 on/],
    [{ width: 3, height: 2 }, Number.NaN, /odd number/],
  ] as const)('refuses %o by %d', (shape, size, message) => {
    expect(() => medianFilter(new Uint8Array(6), shape, size)).toThrow(message)
  })
})
