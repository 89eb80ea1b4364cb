import { main } from '../../server/src/cli.ts'
import { openEngine } from '../../server/src/engine/engine.ts'
import type { WatchLine, WatchUpdate } from '../../server/src/protocol/watch.ts'

/** `assay watch` in this process on the reference engine, on a folder whose files a test changes meanwhile. */
export interface Watching {
  readonly lines: readonly WatchLine[]
  readonly err: () => string
  /** The next line that is told, after those that were asked for. */
  next(): Promise<WatchLine>
  update(): Promise<WatchUpdate>
  /** What Ctrl-C does; the exit code. */
  stop(): Promise<number>
  readonly ended: Promise<number>
}

export function watching(folder: string, args: readonly string[] = []): Watching {
  const lines: WatchLine[] = []
  let err = ''
  let rest = ''
  let interrupt = () => {}
  let wake = () => {}
  const ended = main(['watch', 'toy.assay', '--format', 'json', '--every', '0.02', '--engine', 'reference', '--threads', '1', ...args], {
    cwd: folder,
    env: {},
    out: {
      columns: undefined,
      write: (text) => {
        const found = `${rest}${text}`.split('\n')
        rest = found.pop()!
        for (const line of found)
          if (line.startsWith('{"schema"')) lines.push(JSON.parse(line) as WatchLine)
          else err += `${line}\n`
        wake()
      },
    },
    err: { columns: undefined, write: (text) => void (err += text) },
    startEngine: (options) => openEngine(options),
    onInterrupt: (stop) => {
      interrupt = stop
      return () => {}
    },
    exit: () => {},
  }).finally(() => wake())
  let over = false
  void ended.then(() => {
    over = true
    wake()
  })
  let told = 0
  const next = async (): Promise<WatchLine> => {
    while (told >= lines.length) {
      if (over) throw new Error(`it has ended: ${err}`)
      await new Promise<void>((resume) => (wake = resume))
    }
    return lines[told++]!
  }
  return {
    lines,
    err: () => err,
    next,
    update: async () => {
      const line = await next()
      if (line.event !== 'update') throw new Error(line.message)
      return line
    },
    stop: () => {
      interrupt()
      return ended
    },
    ended,
  }
}
