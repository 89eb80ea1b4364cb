import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../../server/src/methods/cancel.ts'
import { type FoundSlices, findSlices } from '../../../server/src/methods/slices/find-slices.ts'
import { bruteForce } from './brute-force.ts'
import { randomInput, seeded } from './random.ts'

const usual = { top: 10, alpha: 0.95, support: 1, depth: 3 }

describe('equals brute force', () => {
  it.each([0, 1, 2, 3])('on 1000 random inputs, block %i', async (block) => {
    for (let seed = block * 1000; seed < block * 1000 + 1000; seed++) {
      const rng = seeded(seed)
      const { codes, errors } = randomInput(rng)
      const options = {
        top: 1 + Math.floor(rng() * (rng() < 0.2 ? 200 : 8)),
        alpha: [0.5, 0.8, 0.9, 0.95, 1][Math.floor(rng() * 5)]!,
        support: 1 + Math.floor(rng() * 5),
        depth: 1 + Math.floor(rng() * 6),
      }
      const found = await findSlices(codes, errors, options)
      expect(found.slices, `seed ${seed}`).toEqual(bruteForce(codes, errors, options))
    }
  })
})
