import { Writable } from 'node:stream'
import type { Io, Sink } from './cli/io.ts'
import { main } from './cli.ts'
import { startWorker } from './engine/client.ts'

/** The process: real streams, real signals, the engine in its worker (`worker.mjs` beside this bundle). */
export async function runProcess(args: readonly string[]): Promise<number> {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (reason: NodeJS.ErrnoException) => reason.code === 'EPIPE' && process.exit(0))
  return main(args, processIo())
}

function processIo(): Io {
  const sink = (stream: NodeJS.WriteStream): Sink => ({
    write: (text) => void stream.write(text),
    columns: stream.isTTY ? stream.columns || 80 : undefined,
  })
  const startEngine: Io['startEngine'] = (options) => startWorker(options, new URL('./worker.mjs', import.meta.url))
  return {
    cwd: process.cwd(),
    env: process.env,
    out: sink(process.stdout),
    err: sink(process.stderr),
    startEngine,
    serve: async () => {
      const { serve } = await import('./server.ts')
      return serve({ input: process.stdin, output: ownOutput() }, { env: process.env, startEngine })
    },
    engineProbe: new URL('./probe.mjs', import.meta.url),
    onInterrupt: (stop) => {
      const signals = ['SIGINT', 'SIGTERM'] as const
      for (const signal of signals) process.on(signal, stop)
      return () => {
        for (const signal of signals) process.off(signal, stop)
      }
    },
    exit: (code) => process.exit(code),
  }
}

/** Standard output for the protocol alone: what libraries print, in the engine's thread too, goes to the log that standard error is. */
function ownOutput(): Writable {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write
  return new Writable({
    write(chunk, _encoding, done) {
      write(chunk as Uint8Array, (reason) => done(reason))
    },
  })
}
