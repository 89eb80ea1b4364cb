/** How an image lies in its bytes. */
export interface ImageShape {
  readonly width: number
  readonly height: number
  /** 1 unless given. */
  readonly channels?: number
  /** `interleaved`: a pixel's channels stand together, the last dimension; `planar`: one channel after another, the first. Interleaved unless given. */
  readonly layout?: 'interleaved' | 'planar'
}

/**
 * The median filter: every pixel becomes the median of the size × size pixels around it, channel by channel. Beyond an edge the image is mirrored, the edge
 * pixel repeated (d c b a | a b c d | d c b a), so that every window holds size² pixels and its median is one of them.
 *
 * `pixels`: width·height·channels bytes, rows from top to bottom; `size`: odd, 3 or more. The result is a new array of the same length and layout.
 * Cost: of 3 × 3 nineteen comparisons a pixel (Paeth 1990, "Median finding on a 3×3 grid"); of larger ones 2·size steps of a histogram of 256 bins that slides along
 * a row, and the median's walk in it (Huang, Yang & Tang 1979). Throws `RangeError` where the bytes are no such image or the size is none.
 */
export function medianFilter(pixels: Uint8Array, shape: ImageShape, size: number): Uint8Array {
  const { width, height, channels = 1, layout = 'interleaved' } = shape
  for (const [name, value] of Object.entries({ width, height, channels })) {
    if (!(Number.isInteger(value) && value >= 1)) throw new RangeError(`The ${name} of an image is a whole number from 1 on, not ${value}.`)
  }
  if (pixels.length !== width * height * channels) {
    throw new RangeError(`An image of ${width} × ${height} × ${channels} has ${width * height * channels} bytes, not ${pixels.length}.`)
  }
  if (!(Number.isInteger(size) && size >= 3 && size % 2 === 1)) {
    throw new RangeError(`The size of a median filter is an odd number from 3 on, not ${size}.`)
  }
  const out = new Uint8Array(pixels.length)
  const step = layout === 'planar' ? 1 : channels
  for (let channel = 0; channel < channels; channel++) {
    const plane = { width, height, step, at: layout === 'planar' ? channel * width * height : channel }
    if (size === 3) filterByNine(pixels, out, plane)
    else filterByHistogram(pixels, out, plane, size)
  }
  return out
}

/** One channel: where it begins and how far its pixels are apart. */
interface Plane {
  readonly width: number
  readonly height: number
  readonly step: number
  readonly at: number
}

/** Places of a line of `length` pixels from −radius to length + radius, mirrored as often as it takes. */
function mirrored(length: number, radius: number): Int32Array {
  const period = 2 * length
  return Int32Array.from({ length: length + 2 * radius }, (_, i) => {
    const place = (((i - radius) % period) + period) % period
    return place < length ? place : period - 1 - place
  })
}

/** Columns of three are sorted once and used by three windows; the median is that of the largest low, the middle mid and the smallest high. */
function filterByNine(pixels: Uint8Array, out: Uint8Array, { width, height, step, at }: Plane): void {
  const low = new Uint8Array(width)
  const mid = new Uint8Array(width)
  const high = new Uint8Array(width)
  const line = width * step
  for (let y = 0; y < height; y++) {
    const row = at + y * line
    const above = y > 0 ? row - line : row
    const below = y < height - 1 ? row + line : row
    for (let x = 0, offset = 0; x < width; x++, offset += step) {
      const a = pixels[above + offset]!
      const b = pixels[row + offset]!
      const c = pixels[below + offset]!
      const least = Math.min(a, b)
      const most = Math.max(a, b)
      low[x] = Math.min(least, c)
      high[x] = Math.max(most, c)
      const inner = Math.min(most, c)
      mid[x] = Math.max(least, inner)
    }
    for (let x = 0, to = row; x < width; x++, to += step) {
      const left = x > 0 ? x - 1 : x
      const right = x < width - 1 ? x + 1 : x
      const l = max(max(low[left]!, low[x]!), low[right]!)
      const h = min(min(high[left]!, high[x]!), high[right]!)
      out[to] = middle(l, middle(mid[left]!, mid[x]!, mid[right]!), h)
    }
  }
}

const min = (a: number, b: number): number => Math.min(a, b)
const max = (a: number, b: number): number => Math.max(a, b)
const middle = (a: number, b: number, c: number): number => max(min(a, b), min(max(a, b), c))

function filterByHistogram(pixels: Uint8Array, out: Uint8Array, { width, height, step, at }: Plane, size: number): void {
  const radius = (size - 1) / 2
  const columns = mirrored(width, radius)
  const lines = mirrored(height, radius)
  // Half of the window's pixels, rounded down: so many are at or below the median's place.
  const half = (size * size - 1) / 2
  const counts = new Int32Array(256)
  for (let y = 0; y < height; y++) {
    counts.fill(0)
    for (let i = 0; i < size; i++) {
      const row = at + lines[y + i]! * width * step
      for (let j = 0; j < size; j++) counts[pixels[row + columns[j]! * step]!]!++
    }
    let median = 0
    // How many pixels of the window are below `median`.
    let below = 0
    for (let x = 0; ; x++) {
      while (below > half) below -= counts[--median]!
      while (below + counts[median]! <= half) below += counts[median++]!
      out[at + (y * width + x) * step] = median
      if (x === width - 1) break
      const leaving = columns[x]! * step
      const coming = columns[x + size]! * step
      for (let i = 0; i < size; i++) {
        const row = at + lines[y + i]! * width * step
        const gone = pixels[row + leaving]!
        const come = pixels[row + coming]!
        counts[gone]!--
        counts[come]!++
        if (gone < median) below--
        if (come < median) below++
      }
    }
  }
}
