import { expect, test, vi } from 'vitest'
import { NotOnnx, penultimate, readModel } from '../../server/src/learn/backends/onnx/read-model.ts'
import { openUserModel } from '../../server/src/learn/backends/onnx/user-model.ts'
import { createRng } from '../../server/src/learn/rng.ts'
import { linearFile, matrix, node, onnxFile, withMetadata } from '../support/onnx-file.ts'

vi.mock('../../server/src/learn/backends/onnx.ts', () => ({
  importRuntime: () => Promise.reject(new Error('The package `onnxruntime-node` is not installed.')),
}))

test('without the optional package, a sentence with the remedy', async () => {
  await expect(openUserModel(linearFile([[1]], [0]), { threads: 1 })).rejects.toThrow(
    'cannot be run: The package `onnxruntime-node` is not installed. Models in ONNX form need the optional package: `npm install onnxruntime-node`',
  )
})

const deep = onnxFile({
  nodes: [
    node('Gemm', ['x', 'u'], ['h']),
    node('Relu', ['h'], ['r']),
    node('MatMul', ['r', 'v'], ['z']),
    node('Add', ['b', 'z'], ['s']),
    node('Softmax', ['s'], ['p'], { axis: -1 }),
  ],
  initializers: [matrix('u', [2, 2], [1, 0, 0, 1]), matrix('v', [2, 2], [1, 0, 0, 1]), matrix('b', [2], [0, 1])],
  inputs: [{ name: 'x', shape: ['n', 2] }],
  outputs: [{ name: 'p', shape: ['n', 2] }],
})

test('the outline of a file', () => {
  const outline = readModel(withMetadata(deep, 'classes', '["no", "yes"]'))
  expect(outline).toMatchObject({ inputs: ['x'], outputs: ['p'], external: undefined, classes: ['no', 'yes'] })
  expect(outline.nodes.map((one) => one.op)).toEqual(['Gemm', 'Relu', 'MatMul', 'Add', 'Softmax'])
  expect([...outline.initializers]).toEqual(['u', 'v', 'b'])
  expect(readModel(withMetadata(deep, 'classes', 'no JSON')).classes).toBeUndefined()
})

test('the penultimate layer lies before the last product, past bias and softmax', () => {
  expect(penultimate(readModel(deep))).toBe('r')
  expect(penultimate(readModel(linearFile([[1]], [0], 'Softmax')))).toBeUndefined()
})

test('a graph that runs in circles ends the search', () => {
  const circle = onnxFile({ nodes: [node('Add', ['a', 'b'], ['a'])], initializers: [], inputs: [], outputs: [{ name: 'a', shape: [] }] })
  expect(penultimate(readModel(circle))).toBeUndefined()
})

test('half a file, and a file with any byte changed, is read or refused and never fails otherwise', () => {
  const rng = createRng(1)
  const attempts = Array.from({ length: deep.length }, (_, i) => deep.slice(0, i))
  for (let i = 0; i < 2000; i++) {
    const changed = deep.slice()
    for (let k = 0; k <= i % 3; k++) changed[Math.floor(rng.next() * changed.length)] = Math.floor(rng.next() * 256)
    attempts.push(changed)
  }
  for (const file of attempts) {
    try {
      penultimate(readModel(file))
    } catch (failure) {
      expect(failure).toBeInstanceOf(NotOnnx)
    }
  }
})
