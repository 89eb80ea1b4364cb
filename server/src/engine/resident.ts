import { totalmem } from 'node:os'

/**
 * What stays in memory from one run to the next, by content hash: columns of known tables, projections, blocks of indexes. Bounded in bytes; what was
 * used least recently leaves first. A key says everything that its value depends on, so nothing can be out of date.
 */
export interface Resident {
  get<T>(key: string): T | undefined
  /** More than there is room for is not kept. */
  keep<T>(key: string, value: T, bytes: number): T
  readonly bytes: number
}

const MOST_BYTES = 256 * 2 ** 20

export function createResident(limit: number = Math.min(MOST_BYTES, totalmem() / 4)): Resident {
  const held = new Map<string, { readonly value: unknown; readonly bytes: number }>()
  let bytes = 0
  const drop = (key: string) => {
    bytes -= held.get(key)?.bytes ?? 0
    held.delete(key)
  }
  return {
    get bytes() {
      return bytes
    },
    get: <T>(key: string) => {
      const found = held.get(key)
      if (!found) return undefined
      // A map gives its keys in the order in which they were set: what is used moves to the end.
      held.delete(key)
      held.set(key, found)
      return found.value as T
    },
    keep: (key, value, size) => {
      drop(key)
      if (size > limit) return value
      held.set(key, { value, bytes: size })
      bytes += size
      for (const oldest of held.keys()) {
        if (bytes <= limit) break
        drop(oldest)
      }
      return value
    },
  }
}
