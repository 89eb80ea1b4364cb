import { deflateRawSync } from 'node:zlib'

/**
 * A zip archive of these texts: long ones deflated, short ones stored. Sums are left out; what reads wheels looks at sizes. `zip64`: as if everything
 * were too large for 32 bits.
 */
export function zipOf(files: Readonly<Record<string, string>>, kind: 'plain' | 'zip64' = 'plain'): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const plain = Buffer.from(text)
    const deflated = plain.length > 100
    const packed = deflated ? deflateRawSync(plain) : plain
    const nameBytes = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(deflated ? 8 : 0, 4)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(plain.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    const local = Buffer.concat([word(0x04034b50), common, nameBytes, packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    if (kind === 'zip64') {
      for (const at of [14, 18]) common.writeUInt32LE(0xffffffff, at)
      common.writeUInt16LE(28, 24)
      rest.writeUInt32LE(0xffffffff, 10)
    }
    const extra =
      kind === 'zip64' ? Buffer.concat([Buffer.from([1, 0, 24, 0]), ...[plain.length, packed.length, offset].map(long)]) : Buffer.alloc(0)
    centrals.push(Buffer.concat([word(0x02014b50), Buffer.from([20, 0]), common, rest, nameBytes, extra]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(centrals.length, 4)
  end.writeUInt16LE(centrals.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  if (kind === 'plain') return Buffer.concat([...locals, directory, word(0x06054b50), end])
  end.fill(0xff, 4, 16)
  const count = long(centrals.length)
  const end64 = Buffer.concat([word(0x06064b50), long(44), Buffer.alloc(12), count, count, long(directory.length), long(offset)])
  const locator = Buffer.concat([word(0x07064b50), word(0), long(offset + directory.length), word(1)])
  return Buffer.concat([...locals, directory, end64, locator, word(0x06054b50), end])
}

function long(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

function word(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}
