import type { Picture } from '../protocol/views.ts'

/** Grey pictures as PNG data URLs; undefined where the picture is not what it says. O(pixels). */
export async function pngUrls(pictures: Readonly<Record<string, Picture>>): Promise<ReadonlyMap<string, string>> {
  const urls = new Map<string, string>()
  const entries = Object.entries(pictures)
  if (entries.length === 0) return urls
  const { encode } = await import('fast-png')
  for (const [key, { width, height, pixels }] of entries) {
    const data = new Uint8Array(Buffer.from(pixels, 'base64'))
    const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0
    if (!whole || data.length !== width * height) continue
    const png = encode({ width, height, data, depth: 8, channels: 1 })
    urls.set(key, `data:image/png;base64,${Buffer.from(png).toString('base64')}`)
  }
  return urls
}
