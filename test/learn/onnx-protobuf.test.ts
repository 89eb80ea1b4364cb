import { describe, expect, it } from 'vitest'
import { bytes, float, integer, integers, message, text } from '../../server/src/learn/backends/onnx/protobuf.ts'

const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')

describe('fields are written as the format says', () => {
  // The first five are the examples of protobuf.dev/programming-guides/encoding.
  it.each([
    ['a varint of two bytes', integer(1, 150), '089601'],
    ['a string', text(2, 'testing'), '120774657374696e67'],
    ['a message in a message', bytes(3, integer(1, 150)), '1a03089601'],
    ['minus two', integer(1, -2), '08feffffffffffffffff01'],
    ['packed integers', integers(6, [3, 270, 86942]), '3206038e029ea705'],
    ['zero', integer(1, 0), '0800'],
    ['a field number of two bytes', integer(20, 7), 'a00107'],
    ['more than 32 bits', integer(1, 2 ** 40), '08808080808020'],
    ['a float', float(2, 1), '150000803f'],
    ['nothing', message(), ''],
    ['no integers', integers(1, []), '0a00'],
    ['letters beyond ASCII', text(1, 'θ'), '0a02ceb8'],
  ])('%s', (_, written, expected) => expect(hex(written)).toBe(expected))

  it('refuses what is no integer', () => expect(() => integer(1, 0.5)).toThrow(RangeError))
})
