import { EXIT, type Io } from './io.ts'
import { notBuilt } from './sentences.ts'

/** `assay engine install | list | remove`: comes with the native engines. */
export function engineCommand(io: Io): number {
  io.err.write(`${notBuilt('`assay engine`')} Engines that npm has installed are used as they are.\n`)
  return EXIT.failed
}
