/** Distinct texts in order of first appearance, found by their UTF-8 bytes: a string is made once per distinct value, not once per row. */
export class TextDictionary {
  readonly texts: string[] = []
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** The bytes of all texts, one behind the other; text `i` is `#ends[i - 1]` … `#ends[i]`. */
  #bytes = new Uint8Array(1 << 12)
  #ends = new Int32Array(1 << 8)
  #hashes = new Int32Array(1 << 8)
  /** Open addressing, half full at most; holds code + 1. */
  #slots = new Int32Array(1 << 9)

  /** O(length) expected. */
  code(from: Uint8Array, start: number, length: number): number {
    let hash = -2128831035 ^ length
    for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ from[i]!, 16777619)
    hash ^= hash >>> 15
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const code = this.#slots[slot]! - 1
      if (code < 0) return this.#insert(from, start, length, hash, slot)
      if (this.#hashes[code] === hash && this.#equals(code, from, start, length)) return code
    }
  }

  #equals(code: number, from: Uint8Array, start: number, length: number): boolean {
    const at = code === 0 ? 0 : this.#ends[code - 1]!
    if (this.#ends[code]! - at !== length) return false
    for (let i = 0; i < length; i++) if (this.#bytes[at + i] !== from[start + i]) return false
    return true
  }

  #insert(from: Uint8Array, start: number, length: number, hash: number, slot: number): number {
    const code = this.texts.length
    const at = code === 0 ? 0 : this.#ends[code - 1]!
    const bytes = from.subarray(start, start + length)
    if (at + length > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, at + length))
      bigger.set(this.#bytes.subarray(0, at))
      this.#bytes = bigger
    }
    if (code === this.#ends.length) {
      this.#ends = doubled(this.#ends)
      this.#hashes = doubled(this.#hashes)
    }
    this.#bytes.set(bytes, at)
    this.#ends[code] = at + length
    this.#hashes[code] = hash
    this.texts.push(this.#decoder.decode(bytes))
    this.#slots[slot] = code + 1
    if (this.texts.length * 2 > this.#slots.length) this.#rehash()
    return code
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let code = 0; code < this.texts.length; code++) {
      let slot = this.#hashes[code]! & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = code + 1
    }
  }
}

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(values.length * 2)
  bigger.set(values)
  return bigger
}
