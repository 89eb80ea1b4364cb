import { EXIT, type Io } from './io.ts'
import { notBuilt } from './sentences.ts'

/** `assay doctor`: comes with the native engines. */
export function doctorCommand(io: Io): number {
  io.err.write(`${notBuilt('`assay doctor`')} \`assay run\` names the backend it uses and why others are not used.\n`)
  return EXIT.failed
}
