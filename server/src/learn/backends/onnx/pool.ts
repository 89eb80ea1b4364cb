/**
 * Buffers that are used again: a fresh megabyte costs as much in page faults as a small product. What is given back holds old numbers.
 */
export interface Pool {
  take(length: number): Float32Array
  give(buffer: Float32Array): void
}

/** Keeps at most `most` bytes. */
export function createPool(most: number): Pool {
  const free = new Map<number, Float32Array[]>()
  let held = 0
  return {
    take(length) {
      const buffer = free.get(length)?.pop()
      if (buffer === undefined) return new Float32Array(length)
      held -= buffer.byteLength
      return buffer
    },
    give(buffer) {
      if (held + buffer.byteLength > most) return
      held += buffer.byteLength
      const same = free.get(buffer.length)
      if (same === undefined) free.set(buffer.length, [buffer])
      else same.push(buffer)
    },
  }
}
