/**
 * Protocol Buffers, as much of the wire format as an ONNX model needs (https://protobuf.dev/programming-guides/encoding): varints, fixed 32-bit
 * floats, and fields with a length. Messages are byte arrays; a field that is absent is an empty one.
 */
export type Bytes = Uint8Array

/** Fields one after the other: what a message is. */
export function message(...fields: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(fields.reduce((total, field) => total + field.length, 0))
  let at = 0
  for (const field of fields) {
    whole.set(field, at)
    at += field.length
  }
  return whole
}

/** An integer, negative ones as 64-bit two's complement. */
export function integer(field: number, value: number): Bytes {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer.`)
  return Uint8Array.from([...varint(BigInt(field * 8)), ...varint(BigInt.asUintN(64, BigInt(value)))])
}

export function float(field: number, value: number): Bytes {
  const bytes = new Uint8Array(5)
  bytes[0] = field * 8 + 5
  new DataView(bytes.buffer).setFloat32(1, value, true)
  return bytes
}

export function bytes(field: number, value: Bytes): Bytes {
  return message(Uint8Array.from([...varint(BigInt(field * 8 + 2)), ...varint(BigInt(value.length))]), value)
}

export function text(field: number, value: string): Bytes {
  return bytes(field, new TextEncoder().encode(value))
}

/** Repeated integers, packed. */
export function integers(field: number, values: readonly number[]): Bytes {
  return bytes(field, Uint8Array.from(values.flatMap((value) => varint(BigInt.asUintN(64, BigInt(value))))))
}

function varint(value: bigint): number[] {
  const groups: number[] = []
  let rest = value
  while (rest > 127n) {
    groups.push(Number(rest & 127n) + 128)
    rest >>= 7n
  }
  groups.push(Number(rest))
  return groups
}
