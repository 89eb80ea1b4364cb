import { expect, test } from 'vitest'
import { dawnAdvice, diagnosisText } from '../../server/src/cli/doctor.ts'

test('a diagnosis as text: what is here with figures, what is not with the remedy; hostile names are inert', () => {
  const text = diagnosisText({
    report: {
      schema: 'assay-doctor/1',
      engines: [
        { name: 'gpu', present: false, reason: 'The package is not installed.', device: 'none', selfTest: 'not run', benchmark: {} },
        {
          name: 'onnx',
          present: true,
          device: 'ONNX \u001b[31mRuntime',
          selfTest: 'passed',
          benchmark: { logisticHvpMs: 80.4, rankMs: 0.42 },
        },
      ],
    },
    passed: true,
    advice: { gpu: 'Run `assay engine install`.' },
    memoryMegabytes: 24000,
  })
  expect(text).toMatch(/onnx +passed +80 +– +– +– +0\.42 +ONNX/)
  expect(text).toContain('gpu: The package is not installed. Run `assay engine install`.')
  expect(text).toContain('24.0 GB')
  expect(text).not.toContain('\u001b')
})

test('who has the package for editors is told how Dawn comes to it, and no one else', () => {
  const missing = (reason: string) =>
    dawnAdvice(
      {
        report: {
          schema: 'assay-doctor/1',
          engines: [{ name: 'webgpu', present: false, reason, device: 'none', selfTest: 'not run', benchmark: {} }],
        },
      },
      '/home/me/.vscode/extensions/assay',
    )
  expect(missing("Cannot find package 'webgpu' imported from /x/dist/worker.mjs.").webgpu).toMatch(
    /does not bring npm's `webgpu`.*`npm install --no-save --prefix "\/home\/me\/\.vscode\/extensions\/assay" webgpu`/,
  )
  expect(missing('There is no graphics adapter.')).toEqual({})
})
