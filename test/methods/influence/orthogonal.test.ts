import { afterEach, describe, expect, test, vi } from 'vitest'
import { combineInPlace, project } from '../../../server/src/methods/influence/orthogonal.ts'
import { orthogonalKernel } from '../../../server/src/methods/influence/orthogonal-kernel.ts'
import { dot, sequence } from './matrices.ts'

const lengths = [1, 2, 3, 1023, 1024, 1025, 5000]
const kernel = orthogonalKernel(0)

const random = (count: number, dimension: number, next: () => number) =>
  Array.from({ length: count }, () => Float64Array.from({ length: dimension }, () => next() - 0.5))
const copies = (all: readonly Float64Array[]) => all.map((each) => each.slice())

/** Of length 1, orthogonal to each other: as many as fit. */
function orthonormal(count: number, dimension: number, next: () => number): Float64Array[] {
  const made: Float64Array[] = []
  while (made.length < Math.min(count, dimension)) {
    const vector = random(1, dimension, next)[0]!
    for (let round = 0; round < 2; round++) {
      for (const other of made) {
        const along = dot(vector, other)
        for (let i = 0; i < dimension; i++) vector[i] = vector[i]! - along * other[i]!
      }
    }
    const length = Math.sqrt(dot(vector, vector))
    made.push(vector.map((x) => x / length))
  }
  return made
}

function expectEqual(mine: readonly Float64Array[], its: readonly Float64Array[], what: string): void {
  expect(mine.length, what).toBe(its.length)
  for (const [v, own] of its.entries()) {
    expect(mine[v]!.length, what).toBe(own.length)
    const scale = 1e-13 * Math.max(1, ...own.map(Math.abs))
    const off = own.reduce((most, x, i) => Math.max(most, Math.abs(x - mine[v]![i]!)), 0)
    expect(off, what).toBeLessThan(scale)
  }
}

describe('the kernel gives what plain loops give', () => {
  test.each(lengths)('for vectors of %i numbers', (dimension) => {
    const next = sequence(dimension + 5)
    for (let size = 0; size <= 9; size++) {
      const basis = orthonormal(size, dimension, next)
      for (let width = 1; width <= 6; width++) {
        const what = `basis ${basis.length}, width ${width}`
        const vectors = random(width, dimension, next)
        const [mine, its] = [copies(vectors), copies(vectors)]
        expectEqual(project(mine, basis, { kernel }), project(its, basis), what)
        expectEqual(mine, its, what)
        const [some, plain] = [copies(vectors), copies(vectors)]
        expectEqual(project(some, basis, { kernel, recent: 3 }), project(plain, basis, { recent: 3 }), what)
        expectEqual(some, plain, what)
        expectEqual(some, its, what)
        const factors = random(Math.min(width, basis.length), basis.length, next)
        const [combined, plainly] = [copies(basis), copies(basis)]
        combineInPlace(combined, factors, { kernel })
        combineInPlace(plainly, factors)
        expectEqual(combined, plainly, what)
      }
    }
  })

  test('for bases that need shorter slabs, and smaller ones after them', () => {
    const next = sequence(8)
    const own = orthogonalKernel(0)
    for (const size of [30, 130, 400, 900, 20]) {
      const basis = random(size, 1200, next).map((b) => b.map((x) => x / Math.sqrt(1200 * size)))
      const vectors = random(3, 1200, next)
      const [mine, its] = [copies(vectors), copies(vectors)]
      expectEqual(project(mine, basis, { kernel: own }), project(its, basis), `basis ${size}`)
      expectEqual(mine, its, `basis ${size}`)
    }
  })

  test('for vectors that are parts of larger memory, and nothing beside them changes', () => {
    const next = sequence(21)
    const memory = Float64Array.from({ length: 4 * 1501 }, () => next() - 0.5)
    const before = memory.slice()
    const basis = orthonormal(5, 1500, next)
    const vectors = [0, 1, 2, 3].map((v) => memory.subarray(v * 1501, v * 1501 + 1500))
    const its = copies(vectors)
    project(vectors, basis, { kernel })
    project(its, basis)
    expectEqual(vectors, its, 'parts')
    for (let v = 0; v < 4; v++) expect(memory[v * 1501 + 1500]).toBe(before[v * 1501 + 1500])
  })

  test('and what was not finite in one call is not seen by the next', () => {
    const next = sequence(4)
    const basis = orthonormal(9, 1500, next)
    project(
      [1, 2, 3, 4].map(() => new Float64Array(1500).fill(Number.NaN)),
      basis.map((b) => b.map(() => Number.NaN)),
      { kernel },
    )
    for (const [size, dimension] of [
      [3, 1500],
      [5, 1499],
      [9, 1025],
    ] as const) {
      const few = basis.slice(0, size).map((b) => b.subarray(0, dimension))
      const vectors = random(1, dimension, next)
      const its = copies(vectors)
      expectEqual(project(vectors, few, { kernel }), project(its, few), `basis ${size}`)
      expectEqual(vectors, its, `basis ${size}`)
    }
  })
})

test.each(
  lengths
    .filter((length) => length > 9)
    .flatMap(
      (length) =>
        [
          [length, undefined, 'all of the basis'],
          [length, 4, 'the last four'],
          [length, 0, 'the last'],
        ] as const,
    ),
)('what lies almost in the span comes out orthogonal to it (%i numbers, the first round against %s: %s)', (dimension, recent, _) => {
  const next = sequence(dimension)
  for (const size of [1, 6, 9]) {
    const basis = orthonormal(size, dimension, next)
    for (const rest of [1, 1e-3, 1e-6]) {
      const vectors = random(5, dimension, next).map((v) => {
        const out = v.map((x) => rest * x)
        for (const b of basis) {
          const along = next() - 0.5
          for (let i = 0; i < dimension; i++) out[i]! += along * b[i]!
        }
        return out
      })
      const before = copies(vectors)
      const coordinates = project(vectors, basis, { kernel, recent })
      vectors.forEach((vector, v) => {
        const length = Math.sqrt(dot(vector, vector))
        for (const [j, b] of basis.entries()) {
          // Relative to what is left: the first round's rounding is gone.
          expect(Math.abs(dot(vector, b)) / length).toBeLessThan(1e-12)
          expect(Math.abs(coordinates[v]![j]! - dot(before[v]!, b))).toBeLessThan(1e-13 * Math.sqrt(dimension))
        }
        const again = vector.slice()
        basis.forEach((b, j) => {
          for (let i = 0; i < dimension; i++) again[i]! += coordinates[v]![j]! * b[i]!
        })
        expectEqual([again], [before[v]!], 'rest and coordinates together')
      })
    }
  }
})

test('a kernel is made once there was enough to do for it', () => {
  const own = orthogonalKernel(100_000)
  expect(own.reserve(9, 60_000)).toBeUndefined()
  expect(own.reserve(9, 60_000)).toBeDefined()
  expect(own.reserve(9, 100)).toBeUndefined()
})

describe('without SIMD', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })
  test.each([
    ['no WebAssembly', undefined],
    ['one that knows no such instructions', { validate: () => false }],
  ])('%s: plain loops', (_, platform) => {
    vi.stubGlobal('WebAssembly', platform)
    const next = sequence(2)
    const none = orthogonalKernel(0)
    expect(none.reserve(9, 1e9)).toBeUndefined()
    const basis = orthonormal(9, 2000, next)
    const vectors = random(2, 2000, next)
    const its = copies(vectors)
    expect(project(vectors, basis, { kernel: none })).toEqual(project(its, basis))
    expect(vectors).toEqual(its)
  })
})
