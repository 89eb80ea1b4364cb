import { describe, expect, it } from 'vitest'
import { type Diagnosis, type DoctorEvent, type DoctorOptions, doctor } from '../../server/src/engine/doctor.ts'
import { type Engine, EngineUnavailable, engines, openBackend, SelfTestFailed } from '../../server/src/learn/backends/ladder.ts'
import type { Backend } from '../../server/src/learn/session.ts'
import { Cancelled } from '../../server/src/methods/cancel.ts'

const sizes = { rows: 60, inputs: 5, classes: 3, hidden: 4, batch: 16, pairs: 3 }

async function diagnosed(options: Partial<DoctorOptions>): Promise<Diagnosis & { readonly events: readonly DoctorEvent[] }> {
  const events: DoctorEvent[] = []
  const diagnosis = await doctor({ threads: 1, sizes, ...options }, (event) => events.push(event))
  return { ...diagnosis, events }
}

const reference = async (): Promise<Backend> => (await openBackend('reference', { threads: 1 })).backend

it('every rung is there in the order of the ladder, with its reason or its figures', async () => {
  const { report, passed, advice, events, memoryMegabytes } = await diagnosed({})
  expect(report.schema).toBe('assay-doctor/1')
  expect(report.engines.map(({ name }) => name)).toEqual(engines)
  expect(passed).toBe(true)
  expect(memoryMegabytes).toBeGreaterThan(100)
  for (const { name, present, reason, device, selfTest, benchmark } of report.engines) {
    if (present) {
      expect({ device, selfTest }).toEqual({ device: expect.stringMatching(/./), selfTest: 'passed' })
      expect(Object.keys(benchmark)).toEqual(['logisticHvpMs', 'jvp10Ms', 'mlpHvpMs', 'mlpEpochMs', 'rankMs'])
      for (const ms of Object.values(benchmark)) expect(ms).toBeGreaterThan(0)
    } else {
      expect(reason).toMatch(/[.!?]$/)
      expect({ device, selfTest, benchmark }).toEqual({ device: 'none', selfTest: 'not run', benchmark: {} })
      expect(advice[name]).toMatch(/\.$/)
    }
  }
  // As JSON nothing is null.
  expect(JSON.stringify(report)).not.toContain('null')
  expect(events.filter(({ kind }) => kind === 'examined').length).toBe(engines.length)
})

describe('one rung', () => {
  const engine: readonly Engine[] = ['reference']

  it('that computes wrongly is there, not measured, and does not pass', async () => {
    const open = async (): Promise<Backend> => {
      const failure = new SelfTestFailed('gradient of a network is off by 1.0e-1')
      throw new EngineUnavailable('reference', failure.message, 'Use another.', failure)
    }
    const { report, passed, advice } = await diagnosed({ engines: engine, open })
    expect(passed).toBe(false)
    expect(report.engines).toEqual([
      {
        name: 'reference',
        present: true,
        reason: 'It loads, but fails the self-test: gradient of a network is off by 1.0e-1.',
        device: 'none',
        selfTest: 'gradient of a network is off by 1.0e-1',
        benchmark: {},
      },
    ])
    expect(advice).toEqual({ reference: 'Use another.' })
  })

  it('that is too slow for a figure leaves it out', async () => {
    const { report } = await diagnosed({ engines: engine, open: reference, seconds: () => 0 })
    expect(Object.keys(report.engines[0]!.benchmark)).toEqual(['rankMs'])
    expect(report.engines[0]).not.toHaveProperty('reason')
  })

  it('that is lost in the middle keeps what was measured, and is closed', async () => {
    let closed = false
    const open = async (): Promise<Backend> => {
      const backend = await reference()
      return {
        ...backend,
        open: async (architecture, examples) => {
          if (architecture.hidden.length > 0) throw new Error('The device is gone.')
          return backend.open(architecture, examples)
        },
        dispose: async () => {
          closed = true
        },
      }
    }
    const { report } = await diagnosed({ engines: engine, open })
    expect(report.engines[0]!.reason).toBe('The benchmark stopped: The device is gone.')
    expect(Object.keys(report.engines[0]!.benchmark)).toEqual(['logisticHvpMs', 'jvp10Ms'])
    expect(closed).toBe(true)
  })

  it('stops when cancelled, between batches', async () => {
    let calls = 0
    const breathe = (): void => {
      if (calls++ === 5) throw new Cancelled()
    }
    await expect(diagnosed({ engines: engine, open: reference, breathe })).rejects.toBeInstanceOf(Cancelled)
  })
})
