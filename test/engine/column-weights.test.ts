import { describe, expect, test } from 'vitest'
import { ColumnSums, denseWeights, firstRows, rowWeights } from '../../server/src/engine/column-weights.ts'
import { weighed } from '../../server/src/engine/complaint-weights.ts'
import { both, type Cells, type Comparison, compare, either, truthOf } from '../../server/src/engine/rowwise-cells.ts'
import { type RowSet, rowsOf } from '../../server/src/engine/rowwise-lineage.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import { residentProjections } from '../../server/src/methods/influence/projection-kernel.ts'

const [rows, width, k] = [203, 4, 6]
const rng = createRng(11)
const some = (share: number): RowSet => rowsOf(Uint8Array.from({ length: rows }, () => (rng.next() < share ? 1 : 0)))
const each = (n: number) => Float64Array.from({ length: n }, () => (rng.next() < 0.2 ? 0 : rng.next() - 0.5))

interface Added {
  readonly column: number
  readonly rows?: RowSet
  readonly weights: number | Float64Array
}

/** What a query emits, by name; a column may be told of several times. */
const few = some(0.2)
const most = some(0.9)
const told: Readonly<Record<string, readonly Added[]>> = {
  'a count of all rows': [{ column: 1, weights: -1 }],
  'a count of a few rows': [{ column: 2, rows: few, weights: 0.25 }],
  'a count of most rows': [{ column: 0, rows: most, weights: -1 }],
  'a weight a row': [{ column: 3, weights: each(rows) }],
  'a weight each of some rows': [{ column: 3, rows: most, weights: each(most.length) }],
  'errors: all columns, most rows': [0, 1, 2, 3].map((column) => ({ column, rows: some(0.8), weights: -1 })),
  'the same column twice': [
    { column: 1, rows: few, weights: 1 },
    { column: 1, rows: most, weights: each(most.length) },
    { column: 1, weights: 0.5 },
    { column: 2, weights: 0 },
  ],
  'weights that are no number': [{ column: 0, weights: each(rows).fill(Number.NaN, 5, 20).fill(Number.POSITIVE_INFINITY, 30, 31) }],
  nothing: [],
}

function written(added: readonly Added[]): Float64Array {
  const out = new Float64Array(rows * width)
  for (const { column, rows: given, weights } of added) {
    const list = given?.list ?? Int32Array.from({ length: rows }, (_, i) => i)
    for (const [i, row] of list.entries()) {
      const weight = typeof weights === 'number' ? weights : weights[i]!
      if (Number.isFinite(weight)) out[row * width + column]! += weight
    }
  }
  return out
}

describe('a derivative by column is that of all cells', () => {
  test.each(Object.entries(told))('%s', (_, added) => {
    const dense = written(added)
    const sums = new ColumnSums({ rows, width })
    for (const { column, rows: given, weights } of added) {
      sums.add(column, given?.length ?? rows, given, typeof weights === 'number' ? weights : weights.slice())
    }
    const columns = sums.columns()
    const own = new Float64Array(width)
    for (let row = 0; row < rows; row++) {
      rowWeights(columns, row, own)
      for (let c = 0; c < width; c++) expect(own[c]).toBeCloseTo(dense[row * width + c]!, 12)
    }
    for (const column of columns) for (const row of firstRows(column, rows, 3)) expect(dense[row * width + column.column]).not.toBe(0)
    const [projected, wanted] = [projections.projectColumns(columns), projections.project(Float32Array.from(dense))]
    for (let l = 0; l < k; l++) expect(projected[l]).toBeCloseTo(wanted[l]!, 5)
    for (const [cell, weight] of denseWeights(columns, { rows, width }).entries()) expect(weight).toBeCloseTo(dense[cell]!, 12)
    const values = new Float32Array(rows * width).fill(1 / width)
    const tables = [{ source: 't', rows, width, values }]
    const [byColumn, byCell] = [weighed(tables, [[columns]]), weighed(tables, [[dense]])]
    expect(byColumn.isMovable).toBe(byCell.isMovable)
    expect(byColumn.parts[0]!.weights).toEqual(byCell.parts[0]!.weights)
  })

  const projections = residentProjections({
    rows,
    width,
    k,
    table: Float32Array.from({ length: k * rows * width }, () => rng.next() - 0.5),
  })

  test('what is the same for all classes of every row moves nothing', () => {
    const sums = new ColumnSums({ rows, width })
    for (let c = 0; c < width; c++) sums.add(c, most.length, most, -1)
    const values = new Float32Array(rows * width).fill(1 / width)
    expect(weighed([{ source: 't', rows, width, values }], [[sums.columns()]]).isMovable).toBe(false)
  })

  test('a column without a sum is read cell by cell', () => {
    const table = new Float32Array(k * rows * width).fill(1)
    table[3 * width + 2] = Number.NaN
    const odd = residentProjections({ rows, width, k, table })
    const others = Int32Array.of(3, 7)
    const list = Int32Array.from({ length: rows }, (_, i) => i).filter((i) => i !== 3 && i !== 7)
    expect(odd.projectColumns([{ column: 2, others, rows: list, weights: 2 }])[0]).toBe(2 * (rows - 2))
  })
})

describe('rows and conditions, four at a time', () => {
  test.each([0, 1, 2, 3, 4, 7, 64, 203])('the true of %i rows', (n) => {
    for (const share of [0, 0.1, 0.5, 0.9, 1]) {
      const truth = Uint8Array.from({ length: n }, () => (rng.next() < share ? 1 : rng.next() < 0.5 ? 2 : 0))
      const wanted = [...truth.keys()].filter((i) => truth[i] === 1)
      const found = rowsOf(truth)
      expect([...found.list]).toEqual(wanted)
      expect(found.length).toBe(wanted.length)
      if (found.others) expect([...found.others]).toEqual([...truth.keys()].filter((i) => truth[i] !== 1))
      expect([...rowsOf(new Uint8Array([9, ...truth]).subarray(1)).list]).toEqual(wanted)
    }
  })

  const meanings: readonly (boolean | undefined)[] = [false, true, undefined]
  const coded = (truth: boolean | undefined) => (truth === undefined ? 2 : Number(truth))
  test.each([0, 1])('and, or, with what is unknown, %i bytes into their memory', (offset) => {
    const pairs = Array.from({ length: 38 }, (_, i) => [meanings[i % 3], meanings[Math.floor(i / 3) % 3]] as const)
    const side = (which: 0 | 1) => Uint8Array.from([...new Array(offset).fill(0), ...pairs.map((p) => coded(p[which]))]).subarray(offset)
    const and = pairs.map(([a, b]) => coded(a === false || b === false ? false : a && b))
    const or = pairs.map(([a, b]) => coded(a === true || b === true ? true : a === false && b === false ? false : undefined))
    expect([...(both(side(0), side(1)) as Uint8Array)]).toEqual(and)
    expect([...(either(side(0), side(1)) as Uint8Array)]).toEqual(or)
  })

  test.each<[Comparison, (a: number, b: number) => boolean]>([
    ['=', (a, b) => a === b],
    ['<>', (a, b) => a !== b],
    ['<', (a, b) => a < b],
    ['<=', (a, b) => a <= b],
    ['>', (a, b) => a > b],
    ['>=', (a, b) => a >= b],
  ])('numbers %s a number, with and without NULL', (op, holds) => {
    const at = Float64Array.from({ length: 39 }, (_, i) => (i % 5) - 2)
    const whole: Cells = { kind: 'number', at, whole: 'no NULL' }
    const holed: Cells = { kind: 'number', at: at.map((value, i) => (i % 7 === 0 ? Number.NaN : value)) }
    for (const b of [0, 1]) {
      const wanted = [...at].map((a) => Number(holds(a, b)))
      const one: Cells = { kind: 'number', at: b }
      expect([...(truthOf(compare(op, whole, one)) as Uint8Array)]).toEqual(wanted)
      expect([...(truthOf(compare(op, holed, one)) as Uint8Array)]).toEqual(wanted.map((truth, i) => (i % 7 === 0 ? 2 : truth)))
    }
  })
})
