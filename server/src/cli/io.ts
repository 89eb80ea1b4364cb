import type { Engine, EngineOptions } from '../engine/events.ts'

/** Everything that the command line touches outside itself, so that tests can stand in for it. */
export interface Io {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: Sink
  readonly err: Sink
  startEngine(options: EngineOptions): Engine
  /** The program that tries a native engine out in a process of its own. */
  readonly engineProbe?: URL
  /** Serves an editor over standard input and output until its input ends; absent where there is no process to do so. */
  serve?(): Promise<number>
  /** Calls back on Ctrl-C or a polite request to end; returns what stops listening. */
  onInterrupt(stop: () => void): () => void
  /** Ends the process at once, whatever still runs in it. */
  exit(code: number): void
}

export interface Sink {
  write(text: string): void
  /** Columns of the terminal; undefined where it is none. */
  readonly columns: number | undefined
}

/** Exit codes, the highest that applies wins. */
export const EXIT = { ok: 0, unmet: 1, wrong: 2, failed: 3, interrupted: 130 } as const

export function wantsColour(sink: Sink, env: Io['env']): boolean {
  return sink.columns !== undefined && !env.NO_COLOR && env.TERM !== 'dumb'
}
