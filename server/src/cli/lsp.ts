import { EXIT, type Io } from './io.ts'
import { notBuilt, onlyStdio } from './sentences.ts'

/** `assay lsp --stdio`: the language server, over standard input and output. Clients add arguments of their own, which mean nothing here. */
export async function lspCommand(settings: { readonly stdio?: true }, io: Io): Promise<number> {
  if (io.serve === undefined) {
    io.err.write(`${notBuilt('`assay lsp` without a process of its own')}\n`)
    return EXIT.failed
  }
  if (settings.stdio) return io.serve()
  io.err.write(`${onlyStdio}\n`)
  return EXIT.wrong
}
