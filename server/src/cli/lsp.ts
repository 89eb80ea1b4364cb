import { EXIT, type Io } from './io.ts'
import { notBuilt } from './sentences.ts'

/** `assay lsp --stdio`: comes with the editor. */
export function lspCommand(io: Io): number {
  io.err.write(`${notBuilt('`assay lsp`')} \`assay check\` reports the same problems on the command line.\n`)
  return EXIT.failed
}
