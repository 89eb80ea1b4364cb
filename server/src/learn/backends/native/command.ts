import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Cancelled } from '../../../methods/cancel.ts'

/** Other programs: found on the PATH, run to their end, ended with all their children when the user has had enough. */
export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Everything that other programs say goes there as well. */
  log(text: string): void
}

export interface Ended {
  readonly code: number | undefined
  /** Of a crash, or of our own patience. */
  readonly signal: NodeJS.Signals | undefined
  readonly timedOut: boolean
  readonly out: string
  /** Standard output and errors as they came. */
  readonly all: string
}

export interface Running {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** Standard output, as it comes. */
  readonly onOut?: (text: string) => void
}

const kept = 1 << 20
const patienceMs = 1500

/** Rejects with `Cancelled`, or with the system's error where the program cannot be started. */
export function run(program: string, args: readonly string[], environment: Environment, running: Running = {}): Promise<Ended> {
  const { signal, log } = environment
  const { cwd, timeoutMs, onOut } = running
  if (signal.aborted) return Promise.reject(new Cancelled())
  log(`\n$ ${[program, ...args].join(' ')}\n`)
  return new Promise((resolve, reject) => {
    const ownGroup = process.platform !== 'win32'
    const child = spawn(program, [...args], {
      cwd,
      env: { ...environment.env, ...running.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: ownGroup,
    })
    let out = ''
    let all = ''
    let timedOut = false
    const end = (how: NodeJS.Signals) => {
      try {
        if (ownGroup && child.pid !== undefined) process.kill(-child.pid, how)
        else child.kill(how)
      } catch {
        // It has ended by itself.
      }
    }
    let harder: NodeJS.Timeout | undefined
    const stop = () => {
      end('SIGTERM')
      harder ??= setTimeout(() => end('SIGKILL'), patienceMs)
    }
    const late =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            stop()
          }, timeoutMs)
    const done = () => {
      clearTimeout(late)
      clearTimeout(harder)
      signal.removeEventListener('abort', stop)
    }
    signal.addEventListener('abort', stop)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out = (out + text).slice(-kept)
      all = (all + text).slice(-kept)
      log(text)
      onOut?.(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      all = (all + text).slice(-kept)
      log(text)
    })
    child.on('error', (reason) => {
      done()
      reject(reason)
    })
    // `close`, not `exit`: children of the child may still write into a folder that is about to be removed.
    child.on('close', (code, how) => {
      done()
      if (signal.aborted) return reject(new Cancelled())
      resolve({ code: code ?? undefined, signal: how ?? undefined, timedOut, out, all })
    })
  })
}

/** The first of these names that the PATH leads to. */
export function findProgram(names: readonly string[], env: Environment['env']): string | undefined {
  for (const name of names) {
    for (const folder of (env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name)
      if (folder !== '' && isProgram(path)) return path
    }
  }
  return undefined
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The first line that says what went wrong, else the last that says anything. */
export function complaintOf(output: string, patterns: readonly RegExp[]): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  for (const pattern of patterns) {
    const found = lines.find((line) => pattern.test(line))
    if (found !== undefined) return shortened(found)
  }
  return shortened(lines.at(-1) ?? 'it said nothing')
}

function shortened(line: string): string {
  return line.length > 200 ? `${line.slice(0, 199)}…` : line.replace(/\.$/, '')
}
