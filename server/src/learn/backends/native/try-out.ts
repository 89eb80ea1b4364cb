import { fileURLToPath } from 'node:url'
import { type Environment, run } from './command.ts'
import { nativeEnvironment } from './environment.ts'
import { failed } from './sentences.ts'

/** What the probe says, a line of JSON each; it is a process of its own, for a library that does not fit takes its process with it. */
export type ProbeLine =
  | { readonly kind: 'loaded'; readonly tensorflow: string; readonly device: 'cpu' | 'gpu' }
  | { readonly kind: 'self-test'; readonly passed: boolean; readonly summary: string }
  | { readonly kind: 'speed'; readonly logisticHvpMs: number }
  | { readonly kind: 'failed'; readonly reason: string }

export interface TriedOut {
  readonly tensorflow: string
  readonly device: 'cpu' | 'gpu'
  readonly selfTest: string
  readonly logisticHvpMs?: number
}

const patienceSeconds = 300

/** Loads the engine in `folder` in a child process and has it pass the self-test; throws a sentence unless it does. */
export async function tryOut(folder: string, probe: URL, environment: Environment): Promise<TriedOut> {
  const ended = await run(process.execPath, [fileURLToPath(probe), folder], environment, {
    env: nativeEnvironment(undefined),
    timeoutMs: patienceSeconds * 1000,
  })
  const lines = ended.out.split('\n').flatMap(parsed)
  const line = <K extends ProbeLine['kind']>(kind: K) => lines.find((each): each is Extract<ProbeLine, { kind: K }> => each.kind === kind)
  const loaded = line('loaded')
  const test = line('self-test')
  if (ended.timedOut) throw failed.tooSlow(patienceSeconds)
  if (test !== undefined && !test.passed) throw failed.selfTestFailed(test.summary)
  const reason = line('failed')?.reason
  if (reason !== undefined) throw failed.doesNotLoad(reason)
  if (ended.signal !== undefined || ended.code !== 0 || loaded === undefined || test === undefined) {
    const stage = loaded === undefined ? 'when it was loaded' : test === undefined ? 'in its self-test' : 'after its self-test'
    throw failed.crashed(ended.signal ?? `it ended with code ${ended.code}`, stage)
  }
  const { tensorflow, device } = loaded
  return { tensorflow, device, selfTest: test.summary, logisticHvpMs: line('speed')?.logisticHvpMs }
}

function parsed(text: string): ProbeLine[] {
  try {
    const value = JSON.parse(text) as ProbeLine
    return typeof value === 'object' && value !== null && 'kind' in value ? [value] : []
  } catch {
    return []
  }
}
