import type { RunEvent } from '../engine/events.ts'
import { duration } from '../report/figures.ts'
import { inert, widthOf } from '../report/inert.ts'
import { backendText, verdict } from '../report/wording.ts'
import type { Sink } from './io.ts'

/** Progress on stderr: one line that is drawn over on a terminal, an occasional plain line elsewhere. */
export interface Progress {
  handle(event: RunEvent): void
  /** Clears the line, so that what follows stands alone. */
  end(): void
}

const drawEveryMs = 100
const lineEveryMs = 10_000

export function showProgress(sink: Sink, now: () => number = () => performance.now()): Progress {
  const live = sink.columns !== undefined
  let drawn = 0
  let shown = false
  let stage = ''
  let stageStart = now()
  const clear = () => {
    if (shown) sink.write('\r\u001b[2K')
    shown = false
  }
  const say = (line: string) => {
    clear()
    sink.write(`${line}\n`)
  }
  const step = (event: Extract<RunEvent, { kind: 'step' }>) => {
    const name = `${event.name}: ${event.stage}`
    const time = now()
    if (name !== stage) {
      stage = name
      stageStart = time
      if (!live) drawn = time - lineEveryMs
    }
    if (time - drawn < (live ? drawEveryMs : lineEveryMs)) return
    drawn = time
    const text = progressText(event, time - stageStart, sink.columns ?? 100)
    if (!live) return say(text)
    sink.write(`\r\u001b[2K${text}`)
    shown = true
  }
  return {
    handle(event) {
      if (event.kind === 'backend') {
        for (const reason of event.tried) say(`  ${inert(reason, 300)}`)
        say(`backend ${backendText(event.backend)}`)
      }
      if (event.kind === 'step') step(event)
      if (event.kind === 'finished')
        say(`${event.outcome.result.kind} ${inert(event.outcome.result.name)}: ${verdict(event.outcome.result)}`)
    },
    end: clear,
  }
}

/** `reader: training  ███████░░░░░  312 of 500  12 s left`. */
export function progressText(event: { name: string; stage: string; done: number; of: number }, elapsedMs: number, columns: number): string {
  const head = `${inert(event.name, 40)}: ${inert(event.stage, 40)}`
  if (event.of <= 0) return cutTo(event.done > 0 ? `${head}  ${event.done}` : head, columns)
  const part = Math.max(0, Math.min(1, event.done / event.of))
  const size = 20
  const full = Math.round(part * size)
  const bar = '█'.repeat(full) + '░'.repeat(size - full)
  const known = part > 0.02 && part < 1 && elapsedMs > 1000
  const left = known
    ? `  ${duration(Math.max(1000, Math.round(((elapsedMs / part) * (1 - part)) / 1000) * 1000)).replace('.0 s', ' s')} left`
    : ''
  return cutTo(`${head}  ${bar}  ${event.done} of ${event.of}${left}`, columns)
}

function cutTo(text: string, columns: number): string {
  return widthOf(text) < columns ? text : text.slice(0, Math.max(1, columns - 2))
}
